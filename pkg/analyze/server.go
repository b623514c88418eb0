package analyze

import (
	"maps"
	"slices"

	"github.com/infbench/infbench/internal/telemetry"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// ServerSummary is what an approach's server said of itself, as its metrics page published it. Of a counter it is what was
// added from the start of the measure phase until the last request was over, of all blocks; of a level, what it was in the
// measure phase. What the server does not publish is absent.
type ServerSummary struct {
	// Server is whose names were found (vllm, sglang, ...), Reads the metric behind each quantity; Lacks are those that this
	// server has elsewhere and not here, Never those that it does not publish.
	Server string            `json:"server,omitempty"`
	Pages  []string          `json:"pages"`
	Reads  map[string]string `json:"reads,omitempty"`
	Lacks  []string          `json:"lacks,omitempty"`
	Never  []string          `json:"never,omitempty"`
	Models []string          `json:"models,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`

	Scrapes  int                        `json:"scrapes"`
	Failed   int                        `json:"failed"`
	Problems []measure.TelemetryProblem `json:"problems,omitempty"`
	// Seconds is how long the counters were watched. Partial: some of that is missing, since the scrape at one of its ends
	// failed. Resets are the counters that began anew meanwhile: what they had counted between the last scrape before and the
	// restart is lost.
	Seconds float64  `json:"seconds"`
	Partial bool     `json:"partial,omitempty"`
	Resets  []string `json:"resets,omitempty"`

	// Deltas are the growth of every counter and time, and of the counts behind the times.
	Deltas map[string]float64 `json:"deltas,omitempty"`
	// Means are seconds per request, of each time. PerClient are those whose server keeps no count of requests: they are
	// shared out over the client's own, by the same span.
	Means     map[string]float64 `json:"means,omitempty"`
	PerClient []string           `json:"per_client,omitempty"`
	// CacheHitRatio is the share of prompt tokens found in the prefix cache; Acceptance that of drafted tokens accepted.
	CacheHitRatio *float64 `json:"cache_hit_ratio,omitempty"`
	Acceptance    *float64 `json:"acceptance,omitempty"`
	// Levels are the gauges.
	Levels map[string]Level `json:"levels,omitempty"`
	// Checks hold the server's figures against the client's.
	Checks []ServerCheck `json:"checks,omitempty"`
}

// Level is a gauge over the measure phase: its mean over time, and its largest value at a scrape.
type Level struct {
	Mean    float64 `json:"mean"`
	Max     float64 `json:"max"`
	Scrapes int     `json:"scrapes"`
}

// serverBlock is the telemetry of one block.
type serverBlock struct {
	*measure.BlockRecord
	phases  workload.Phases
	scrapes []measure.Scrape // good ones, in the order in which they were asked for
	failed  int
	// from and to are the ends of the counters' span, by index of scrapes; partial: not where they should be.
	from, to int
	partial  bool
	client   clientView
}

// serverBlocks gathers the scrapes of the timeline. Blocks without telemetry have none.
func serverBlocks(m *measure.Manifest, blocks []*clientBlock) []*serverBlock {
	var out []*serverBlock
	for _, b := range blocks {
		if b.Telemetry == nil {
			continue
		}
		s := &serverBlock{BlockRecord: b.BlockRecord, phases: m.Scenario.Phases}
		wanted, have := measure.MarkStart, map[string]int{}
		if s.phases.Warmup > 0 {
			wanted = measure.MarkMeasure
		}
		for _, t := range b.ticks {
			for _, look := range t.Server {
				if look.Problem != "" {
					s.failed++
					continue
				}
				s.scrapes = append(s.scrapes, look)
				if look.Mark != "" {
					have[look.Mark] = len(s.scrapes) // from 1 on
				}
			}
		}
		s.ends(have[wanted]-1, have[measure.MarkEnd]-1)
		s.client.expect(s)
		out = append(out, s)
	}
	return out
}

// ends finds the counters' span: from the mark of the measure phase, or else the first good scrape after that, to the last.
func (s *serverBlock) ends(begin, end int) {
	s.from, s.to = begin, end
	if begin < 0 {
		s.partial = true
		s.from = slices.IndexFunc(s.scrapes, func(l measure.Scrape) bool { return l.At >= s.phases.Warmup.D() })
	}
	if end < 0 {
		s.partial = true
		s.to = len(s.scrapes) - 1
	}
}

// spans tells whether there are two ends to take a difference of.
func (s *serverBlock) spans() bool { return s.from >= 0 && s.to > s.from }

// deltas are what the counters grew by over the span, added to sum. A counter that was not there at the start was at 0.
func (s *serverBlock) deltas(sum map[string]float64, resets map[string]bool) {
	if !s.spans() {
		return
	}
	first, last := s.scrapes[s.from].Values, s.scrapes[s.to].Values
	for name, v := range last {
		if !isGauge(name) {
			sum[name] += v - first[name]
		}
	}
	for _, l := range s.scrapes[s.from+1 : s.to+1] {
		for _, name := range l.Resets {
			resets[name] = true
		}
	}
}

func isGauge(name string) bool {
	q, ok := telemetry.QuantityOf(name)
	return ok && q.Kind == telemetry.Gauge
}

// inMeasure are the scrapes of the measure phase. Those at its very ends are in it.
func (s *serverBlock) inMeasure() []measure.Scrape {
	lo, hi := s.phases.Warmup.D(), s.phases.Horizon().D()
	var out []measure.Scrape
	for _, l := range s.scrapes {
		if at := middleOf(l); at >= lo && l.At <= hi {
			out = append(out, l)
		}
	}
	return out
}

// levelFold is a gauge over the measure phases of several blocks: the area under the line through its scrapes.
type levelFold struct {
	area, span, max, sum float64
	n                    int
}

func (f *levelFold) add(scrapes []measure.Scrape, name string) {
	var before *measure.Scrape
	for i := range scrapes {
		l := &scrapes[i]
		v, ok := l.Values[name]
		if !ok {
			continue
		}
		if before != nil {
			dt := (middleOf(*l) - middleOf(*before)).Seconds()
			f.area += dt * (v + before.Values[name]) / 2
			f.span += dt
		}
		if f.n == 0 || v > f.max {
			f.max = v
		}
		f.sum += v
		f.n++
		before = l
	}
}

func (f *levelFold) level() Level {
	l := Level{Max: f.max, Scrapes: f.n, Mean: f.sum / float64(f.n)}
	if f.span > 0 {
		l.Mean = f.area / f.span
	}
	return l
}

// serverSummary is the summary of one approach; nil where none of its blocks has telemetry.
func serverSummary(blocks []*serverBlock, approach string, f *fold) *ServerSummary {
	var mine []*serverBlock
	for _, b := range blocks {
		if b.Approach == approach {
			mine = append(mine, b)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	out := &ServerSummary{Deltas: map[string]float64{}, Means: map[string]float64{}, Levels: map[string]Level{}}
	resets, levels, client := map[string]bool{}, map[string]*levelFold{}, clientView{}
	for _, b := range mine {
		out.describe(b)
		b.deltas(out.Deltas, resets)
		if b.spans() {
			out.Seconds += (b.scrapes[b.to].At - b.scrapes[b.from].At).Seconds()
		}
		out.Partial = out.Partial || b.partial
		in := b.inMeasure()
		for _, q := range telemetry.Quantities() {
			if q.Kind == telemetry.Gauge {
				if levels[q.Name] == nil {
					levels[q.Name] = &levelFold{}
				}
				levels[q.Name].add(in, q.Name)
			}
		}
		client.join(&b.client)
	}
	out.Resets = slices.Sorted(maps.Keys(resets))
	for name, l := range levels {
		if l.n > 0 {
			out.Levels[name] = l.level()
		}
	}
	out.ratios(&client)
	out.check(&client, f)
	return out
}

// describe adds what is known of the pages. What one block has found, the server has.
func (s *ServerSummary) describe(b *serverBlock) {
	t := b.Telemetry
	s.Pages, s.Scrapes, s.Failed = t.Pages, s.Scrapes+t.Scrapes, s.Failed+t.Failed
	if b.State == measure.Running { // its process died: the manifest has the first scrape alone
		s.Scrapes, s.Failed = s.Scrapes-t.Scrapes+len(b.scrapes)+b.failed, s.Failed-t.Failed+b.failed
	}
	for _, p := range t.Problems {
		if i := slices.IndexFunc(s.Problems, func(q measure.TelemetryProblem) bool { return q.Text == p.Text }); i >= 0 {
			s.Problems[i].N += p.N
		} else {
			s.Problems = append(s.Problems, p)
		}
	}
	if t.Server == "" {
		return
	}
	if s.Server == "" {
		s.Reads, s.Lacks = map[string]string{}, t.Lacks
	}
	s.Server, s.Never, s.Models, s.Labels = t.Server, t.Never, t.Models, t.Labels
	maps.Copy(s.Reads, t.Reads)
	s.Lacks = slices.DeleteFunc(slices.Clone(s.Lacks), func(name string) bool { return s.Reads[name] != "" })
}

// ratios are the figures that are made of two counters.
func (s *ServerSummary) ratios(c *clientView) {
	d := s.Deltas
	for _, q := range telemetry.Quantities() {
		sum, has := d[q.Name]
		if q.Kind != telemetry.Time || !has {
			continue
		}
		n, counted := d[telemetry.CountOf(q.Name)]
		if !counted {
			n = float64(c.finished)
			s.PerClient = append(s.PerClient, q.Name)
		}
		if n > 0 {
			s.Means[q.Name] = sum / n
		}
	}
	s.CacheHitRatio = quotient(d, telemetry.PrefixCacheHits, telemetry.PrefixCacheQueries)
	if s.Acceptance = quotient(d, telemetry.AcceptedTokens, telemetry.DraftedTokens); s.Acceptance == nil {
		if l, ok := s.Levels[telemetry.Acceptance]; ok {
			s.Acceptance = &l.Mean
		}
	}
}

func quotient(d map[string]float64, part, whole string) *float64 {
	p, has := d[part]
	if w := d[whole]; has && w > 0 {
		return new(p / w)
	}
	return nil
}
