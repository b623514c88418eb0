package workload

import (
	"errors"
	"io"
	"math"
	"slices"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// TraceProfile says what a trace is: when requests came, how long they were and what they shared. Rows = Used + the sum of
// Dropped, always; all else is of the used rows. Times are in seconds, rates in 1/s; what cannot be told is absent.
type TraceProfile struct {
	Path    string         `json:"path"`
	Format  string         `json:"format"`
	SHA256  string         `json:"sha256"` // of the file as it lies on the disk
	Rows    int            `json:"rows"`
	Used    int            `json:"used"`
	Dropped map[string]int `json:"dropped,omitempty"` // by reason: the Drop constants

	Span float64 `json:"span_s"` // from the first row to the last; of a ServeGen trace all its windows
	Rate float64 `json:"rate"`   // used rows over the span
	// Step is the spacing of the time stamps where that is coarse beside the mean gap; 0 where it is not.
	Step float64 `json:"step_s,omitempty"`
	// CV is of the gaps as recorded; DequantisedCV with the time stamps spread over Step, where there is one.
	CV            *float64 `json:"cv,omitempty"`
	DequantisedCV *float64 `json:"cv_dequantised,omitempty"`
	// MinuteCV is the median over the minutes of the CV of the gaps that begin in a minute: burstiness without the swing of
	// the rate.
	MinuteCV    *float64          `json:"cv_within_minute_median,omitempty"`
	Dispersions []TraceDispersion `json:"dispersions"` // at 1, 10 and 60 s

	// Input and Output are nil where the trace does not record lengths.
	Input       *LengthProfile `json:"input_tokens,omitempty"`
	Output      *LengthProfile `json:"output_tokens,omitempty"`
	Correlation *float64       `json:"correlation,omitempty"` // of input and output length, Pearson's

	// PrefixHit is the share of the prompts' blocks that a cache without limit would have held: leading blocks seen in an
	// earlier row. Nil where the trace has no blocks.
	PrefixHit   *float64 `json:"prefix_hit,omitempty"`
	BlockTokens int      `json:"block_tokens,omitempty"`
	Sessions    int      `json:"sessions,omitempty"` // different ones; 0 where the trace has none

	Timeline Timeline `json:"timeline"`
}

// TraceDispersion is stat.Dispersion at one width.
type TraceDispersion struct {
	Width      float64  `json:"width_s"`
	IDC        *float64 `json:"idc,omitempty"`
	PeakToMean *float64 `json:"peak_to_mean,omitempty"`
}

// LengthProfile describes token counts. Quantiles interpolate between neighbours, as numpy does.
type LengthProfile struct {
	Mean float64 `json:"mean"`
	P10  float64 `json:"p10"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	Max  int     `json:"max"`
	// LogMean and LogSD are the mean and the standard deviation of the natural logarithm.
	LogMean float64 `json:"ln_mean"`
	LogSD   float64 `json:"ln_sd"`
}

// InspectTrace reads the trace that the options name, row by row, and describes the whole of it; options that select or
// scale have no effect. A relative path starts at dir. The seed spreads quantised time stamps, and generates ServeGen
// traces.
func InspectTrace(t *Trace, dir string, seed uint64) (*TraceProfile, error) {
	f, err := OpenTrace(t, dir, seed)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := inspectFile(f)
	if err := eachRow(f.rows, in.add); err != nil {
		return nil, err
	}
	p, err := in.profile()
	if err != nil {
		return nil, err
	}
	if p.SHA256, err = f.SHA256(); err != nil || p.Step == 0 {
		return p, err
	}
	again, err := OpenTrace(t, dir, seed)
	if err != nil {
		return nil, err
	}
	defer again.Close()
	p.DequantisedCV, err = spreadCV(&spreader{step: in.steps.coarse(), seed: seed, rows: again.rows})
	return p, err
}

// ProfileSchedule describes a schedule as InspectTrace does a trace. lengths gives the i-th request's input and output
// tokens, as asked for.
func ProfileSchedule(name string, s *Schedule, lengths func(i int) (input, output int)) (*TraceProfile, error) {
	in := newInspection(name, "schedule")
	in.start = func(TraceRow) time.Duration { return 0 }
	in.bounds = &span{0, s.Phases.Horizon().D()}
	for i, at := range s.Times {
		input, output := lengths(i)
		in.add(&TraceRow{Line: i + 1, At: at, Input: input, Output: output})
	}
	return in.profile()
}

// eachRow reads to the end.
func eachRow(rows rowSource, use func(*TraceRow)) error {
	for {
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		use(&row)
	}
}

// spreadCV is the CV of the gaps of the usable rows.
func spreadCV(rows rowSource) (*float64, error) {
	var gaps gapMoments
	err := eachRow(rows, func(r *TraceRow) {
		if r.unusable() == "" {
			gaps.add(r.At)
		}
	})
	return defined(gaps.CV()), err
}

// defined is a value that may not be.
func defined(v float64, ok bool) *float64 {
	if !ok {
		return nil
	}
	return &v
}

// gapMoments gathers the gaps of ascending times.
type gapMoments struct {
	stat.Moments
	last time.Duration
	any  bool
}

func (g *gapMoments) add(at time.Duration) {
	if g.any {
		g.Add(float64(at - g.last))
	}
	g.last, g.any = at, true
}

// inspection gathers a profile in memory that does not grow with the rows, but for 8 bytes per minute of the trace, and
// what tells sessions and blocks apart.
type inspection struct {
	p      TraceProfile
	start  func(first TraceRow) time.Duration // what the times count from
	bounds *span                              // see TraceFile

	origin, end   time.Duration // end counts from origin
	steps         stampSteps
	gaps          gapMoments
	minutes       minuteCVs
	bins          []*stat.Bins
	timeline      timeline
	input, output lengthMoments
	lengths       stat.Correlation
	prefixes      prefixCache
	sessions      map[string]struct{}
}

// inspectFile begins the profile of a file.
func inspectFile(f *TraceFile) *inspection {
	in := newInspection(f.Name(), f.Format())
	in.p.BlockTokens, in.start, in.bounds = f.BlockTokens(), f.origin, f.bounds
	return in
}

func newInspection(name, format string) *inspection {
	in := &inspection{p: TraceProfile{Path: name, Format: format, Dropped: map[string]int{}}, sessions: map[string]struct{}{}, timeline: newTimeline()}
	for _, width := range []time.Duration{time.Second, 10 * time.Second, time.Minute} {
		in.bins = append(in.bins, stat.NewBins(width))
	}
	return in
}

func (in *inspection) add(r *TraceRow) {
	if in.p.Rows == 0 {
		in.origin = in.start(*r)
	}
	in.p.Rows++
	at := r.At - in.origin
	in.end = at
	in.steps.add(at)
	if reason := r.unusable(); reason != "" {
		in.p.Dropped[reason]++
		return
	}
	in.p.Used++
	in.gaps.add(at)
	in.minutes.add(at)
	for _, b := range in.bins {
		b.Add(at)
	}
	in.timeline.add(at)
	if r.Input > 0 {
		in.input.add(r.Input)
	}
	if r.Output > 0 {
		in.output.add(r.Output)
	}
	if r.Input > 0 && r.Output > 0 {
		in.lengths.Add(float64(r.Input), float64(r.Output))
	}
	in.prefixes.add(r.Blocks)
	if r.Session != "" {
		in.sessions[r.Session] = struct{}{}
	}
}

func (in *inspection) profile() (*TraceProfile, error) {
	p := in.p
	if p.Rows == 0 {
		return nil, errors.New(p.Path + " has no rows")
	}
	if b := in.bounds; b != nil {
		in.end = b.to - b.from
	}
	p.Span = seconds(in.end)
	if in.end > 0 {
		p.Rate = float64(p.Used) / p.Span
	}
	p.Step = seconds(in.steps.coarse())
	p.CV = defined(in.gaps.CV())
	p.MinuteCV = in.minutes.median()
	for _, b := range in.bins {
		d := b.Dispersion(in.end)
		p.Dispersions = append(p.Dispersions, TraceDispersion{Width: seconds(d.Width), IDC: d.IDC, PeakToMean: d.PeakToMean})
	}
	p.Input, p.Output = in.input.profile(), in.output.profile()
	p.Correlation = defined(in.lengths.R())
	p.PrefixHit = in.prefixes.hit()
	p.Sessions = len(in.sessions)
	p.Timeline = in.timeline.result(in.end)
	return &p, nil
}

// minuteCVs gathers the CV of the gaps that begin in each minute.
type minuteCVs struct {
	minute int64
	gaps   stat.Moments
	last   time.Duration
	any    bool
	cvs    []float64
}

func (m *minuteCVs) add(at time.Duration) {
	if m.any {
		m.gaps.Add(float64(at - m.last))
	}
	if minute := int64(at / time.Minute); minute != m.minute {
		m.close()
		m.minute = minute
	}
	m.last, m.any = at, true
}

// close ends a minute. Fewer than two gaps have no spread.
func (m *minuteCVs) close() {
	if cv, ok := m.gaps.CV(); ok {
		m.cvs = append(m.cvs, cv)
	}
	m.gaps = stat.Moments{}
}

func (m *minuteCVs) median() *float64 {
	m.close()
	if len(m.cvs) == 0 {
		return nil
	}
	slices.Sort(m.cvs)
	n := len(m.cvs)
	v := (m.cvs[(n-1)/2] + m.cvs[n/2]) / 2
	return &v
}

// lengthMoments gathers a LengthProfile.
type lengthMoments struct {
	counts stat.Counts
	log    stat.Moments
}

func (l *lengthMoments) add(n int) {
	l.counts.Add(n)
	l.log.Add(math.Log(float64(n)))
}

func (l *lengthMoments) profile() *LengthProfile {
	c := &l.counts
	if c.N() == 0 {
		return nil
	}
	return &LengthProfile{Mean: c.Mean(), P10: c.Quantile(0.1), P50: c.Quantile(0.5), P90: c.Quantile(0.9), P95: c.Quantile(0.95), P99: c.Quantile(0.99),
		Max: c.Max(), LogMean: l.log.Mean(), LogSD: l.log.SD()}
}

// prefixCache is a cache of prompt blocks that forgets nothing: a bit per block, 64 neighbouring ids in one word.
type prefixCache struct {
	seen       map[uint64]uint64
	hits, asks int64
}

// add looks a prompt up and then holds it.
func (c *prefixCache) add(blocks []uint64) {
	if c.seen == nil {
		c.seen = map[uint64]uint64{}
	}
	leading := true
	for _, id := range blocks {
		word, bit := id/64, uint64(1)<<(id%64)
		if leading = leading && c.seen[word]&bit != 0; leading {
			c.hits++
		} else {
			c.seen[word] |= bit
		}
	}
	c.asks += int64(len(blocks))
}

// hit is the share of blocks that were found, nil without any block.
func (c *prefixCache) hit() *float64 {
	return defined(float64(c.hits)/float64(c.asks), c.asks > 0)
}
