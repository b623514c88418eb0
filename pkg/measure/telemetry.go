package measure

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/infbench/infbench/internal/telemetry"
	"github.com/infbench/infbench/pkg/workload"
)

// Scraper reads a server's figures of itself. telemetry.Scraper is one.
type Scraper interface {
	// Scrape reads them once, within a few seconds. It is never called twice at once.
	Scrape(ctx context.Context) (telemetry.Reading, error)
	// Found says what the server publishes, as far as it was seen.
	Found() telemetry.Found
}

// Telemetry is how a block's server is looked at while it is driven.
type Telemetry struct {
	Scraper Scraper
	Every   time.Duration // from one scrape to the next; 0: a second
	Pages   []string      // without secrets, for the record
}

// The marks of a scrape.
const (
	MarkStart   = "start"   // before the block's time 0: with no warm-up, the measure phase begins with it
	MarkMeasure = "measure" // where the warm-up ends
	MarkHorizon = "horizon" // where the measure phase ends
	MarkEnd     = "end"     // after the last request was over
)

// Scrape is one look at a server's figures of itself.
type Scrape struct {
	At   time.Duration `json:"at"`   // when it was asked for, ns since the block's time 0; negative before it
	Took time.Duration `json:"took"` // until the whole answer was there
	Mark string        `json:"mark,omitempty"`
	// Values by quantity (docs/telemetry.md); of a time also the number of requests behind it, as its name and _count.
	// Counters and times never fall: what a server had counted before it began anew is kept. What it does not tell is absent.
	Values map[string]float64 `json:"values,omitempty"`
	// Resets are the quantities that had fallen since the scrape before.
	Resets []string `json:"resets,omitempty"`
	// Problem is why there are no values.
	Problem string `json:"problem,omitempty"`
}

// TelemetryRecord is what a block's scrapes came to.
type TelemetryRecord struct {
	Pages []string `json:"pages"`
	telemetry.Found
	Scrapes int `json:"scrapes"` // asked for
	Failed  int `json:"failed,omitempty"`
	// Problems count the failures by what came instead, the most frequent first.
	Problems []TelemetryProblem `json:"problems,omitempty"`
}

// TelemetryProblem is one way in which scrapes failed.
type TelemetryProblem struct {
	Text string `json:"text"`
	N    int    `json:"n"`
}

// mostProblems is how many ways to fail are kept.
const mostProblems = 8

// watcher scrapes beside a block. It never delays a send: it runs on a goroutine of its own, and one that is slow is
// waited for by the next scrape alone, which is then left out. A nil watcher does nothing.
type watcher struct {
	Telemetry
	marks  []mark
	stop   context.CancelFunc
	over   chan struct{}
	epoch  time.Time
	failed map[string]int
	rec    TelemetryRecord

	mu      sync.Mutex
	pending []Scrape // not written yet
}

// mark is a time of the block at which there has to be a scrape.
type mark struct {
	at   time.Duration
	name string
}

func newWatcher(t *Telemetry, p workload.Phases) *watcher {
	if t == nil {
		return nil
	}
	w := &watcher{Telemetry: *t, over: make(chan struct{}), failed: map[string]int{}, rec: TelemetryRecord{Pages: t.Pages}}
	w.Every = cmp.Or(w.Every, time.Second)
	if p.Warmup > 0 {
		w.marks = append(w.marks, mark{p.Warmup.D(), MarkMeasure})
	}
	w.marks = append(w.marks, mark{p.Horizon().D(), MarkHorizon})
	return w
}

// first takes the counters' start, before the block's time 0 is set: the block waits for it.
func (w *watcher) first(ctx context.Context) {
	if w == nil {
		return
	}
	w.epoch = time.Now()
	w.scrape(ctx, MarkStart)
}

// start goes on from the block's time 0.
func (w *watcher) start(ctx context.Context, epoch time.Time) {
	if w == nil {
		return
	}
	for i := range w.pending {
		w.pending[i].At -= epoch.Sub(w.epoch)
	}
	w.epoch = epoch
	ctx, w.stop = context.WithCancel(ctx)
	go func() {
		defer close(w.over)
		w.run(ctx)
	}()
}

// run scrapes at every multiple of the interval, and at the marks. What a slow scrape has made too late is left out; a mark
// is not.
func (w *watcher) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for next := w.Every; ; {
		at, name := next, ""
		if len(w.marks) > 0 && w.marks[0].at <= at {
			at, name = w.marks[0].at, w.marks[0].name
			w.marks = w.marks[1:]
		}
		timer.Reset(time.Until(w.epoch.Add(at)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		w.scrape(ctx, name)
		next = max(next, at+1, time.Since(w.epoch)) // past what is over
		if over := next % w.Every; over > 0 {
			next += w.Every - over
		}
		if next == at {
			next += w.Every
		}
	}
}

// scrape looks once. One that was cut short by the end of the block did not fail.
func (w *watcher) scrape(ctx context.Context, name string) {
	s := Scrape{At: time.Since(w.epoch), Mark: name}
	r, err := w.Scraper.Scrape(ctx)
	s.Took = time.Since(w.epoch) - s.At
	if err != nil && ctx.Err() != nil {
		return
	}
	w.rec.Scrapes++
	s.Values, s.Resets = r.Values, r.Resets
	if err != nil {
		s.Problem = err.Error()
		w.rec.Failed++
		if len(w.failed) < mostProblems || w.failed[s.Problem] > 0 {
			w.failed[s.Problem]++
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, s)
}

// take gives what is to be written.
func (w *watcher) take() []Scrape {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.pending
	w.pending = nil
	return out
}

// finish takes the counters' end, after the last request was over.
func (w *watcher) finish(ctx context.Context) {
	if w == nil {
		return
	}
	w.stop()
	<-w.over
	w.scrape(ctx, MarkEnd)
}

// result is the block's entry in the manifest.
func (w *watcher) result() *TelemetryRecord {
	if w == nil {
		return nil
	}
	r := w.rec
	r.Found = w.Scraper.Found()
	for text, n := range w.failed {
		r.Problems = append(r.Problems, TelemetryProblem{text, n})
	}
	slices.SortFunc(r.Problems, func(a, b TelemetryProblem) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Text, b.Text)) })
	return &r
}
