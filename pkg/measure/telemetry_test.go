package measure_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/internal/telemetry"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// watched runs a block of 20 s beside a metrics page that serve answers, given how long the block has gone on, in virtual
// time. It gives the record and all scrapes.
func watched(t *testing.T, serve func(w http.ResponseWriter, r *http.Request, at time.Duration)) (*measure.Record, []measure.Scrape) {
	t.Helper()
	l := memnet.Listen()
	begun := time.Now()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(w, r, time.Since(begun)) })}
	go func() { _ = server.Serve(l) }()
	s, err := telemetry.New(telemetry.Config{URLs: []string{"http://metrics.test/metrics"}, Dial: l.Dial})
	if err != nil {
		t.Fatal(err)
	}
	b := twoTokenBlock(100*time.Millisecond, 200)
	b.Phases = workload.Phases{Warmup: workload.Duration(2500 * time.Millisecond), Measure: workload.Duration(15 * time.Second), Drain: workload.Duration(10 * time.Second)}
	b.Telemetry = &measure.Telemetry{Scraper: s, Pages: []string{"http://metrics.test/metrics"}}
	rec, rows := record(t, &measure.Runner{}, b)
	s.Close()
	_ = server.Close()      // all was read
	time.Sleep(time.Minute) // until the last handler has seen it
	if len(rows) != 200 {
		t.Errorf("%d rows", len(rows))
	}
	for _, r := range rows {
		if lag, _ := r.Sent.Sub(r.Scheduled).Get(); lag != 0 || !r.OK() {
			t.Fatalf("request %d was sent %s late (%s): telemetry delays sends", r.Index, lag, r.Class)
		}
	}
	var scrapes []measure.Scrape
	for tick, err := range rec.Ticks() {
		if err != nil {
			t.Fatal(err)
		}
		scrapes = append(scrapes, tick.Server...)
	}
	return rec, scrapes
}

// page is a metrics page in the manner of vLLM.
func page(running int, tokens float64) string {
	return fmt.Sprintf("# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{model_name=\"m\"} %d\n# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting{model_name=\"m\"} 0\n# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total{model_name=\"m\"} %v\n", running, tokens)
}

// TestScrapes: a scrape a second, and one at each end of the measure phase and of the block, at their very times; the
// counter's delta over any two of them is what the server has counted in between.
func TestScrapes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, scrapes := watched(t, func(w http.ResponseWriter, _ *http.Request, at time.Duration) {
			fmt.Fprint(w, page(3, 1000*at.Seconds()))
		})
		marks := map[string]measure.Scrape{}
		var between []time.Duration
		for _, s := range scrapes {
			if s.Mark != "" {
				marks[s.Mark] = s
			} else {
				between = append(between, s.At)
			}
			if s.Problem != "" || s.Values[telemetry.RequestsRunning] != 3 {
				t.Errorf("%+v", s)
			}
		}
		end, _ := rec.Manifest.Blocks[0].Ended.Get()
		for name, want := range map[string]time.Duration{measure.MarkStart: -50 * time.Millisecond, measure.MarkMeasure: 2500 * time.Millisecond, measure.MarkHorizon: 17500 * time.Millisecond, measure.MarkEnd: end} {
			if at, ok := marks[name]; !ok || at.At != want {
				t.Errorf("%s at %s (%t), want %s", name, at.At, ok, want)
			}
		}
		if len(between) != 19 || between[0] != time.Second || between[18] != 19*time.Second {
			t.Errorf("scrapes at %v, want one at every second from 1 to 19", between)
		}
		first, last := marks[measure.MarkMeasure], marks[measure.MarkHorizon]
		got := last.Values[telemetry.OutputTokens] - first.Values[telemetry.OutputTokens]
		if want := 1000 * (last.At - first.At).Seconds(); got < want-1e-6 || got > want+1e-6 {
			t.Errorf("delta %v, want %v", got, want)
		}
		tele := rec.Manifest.Blocks[0].Telemetry
		if tele == nil || tele.Server != "vllm" || tele.Scrapes != len(scrapes) || tele.Failed != 0 || tele.Reads[telemetry.OutputTokens] != "vllm:generation_tokens" || !slices.Contains(tele.Lacks, telemetry.ServerQueue) {
			t.Errorf("%+v", tele)
		}
	})
}

// TestTelemetryThatFails: whatever comes in place of the page, the run goes on and every request is sent on time; the record says
// what came instead.
func TestTelemetryThatFails(t *testing.T) {
	for name, tt := range map[string]struct {
		serve   func(w http.ResponseWriter, r *http.Request)
		problem string
		scrapes int // at least, of 22
	}{
		"404":        {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "HTTP 404 Not Found", 22},
		"a web page": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!DOCTYPE html><title>hello</title>") }, "a web page (text/html) came in place of metrics", 22},
		"JSON":       {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"error": "not here"}`) }, "the page is no metrics page", 22},
		"10 MB": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte("# a comment of no use\n"), 10<<20/22))
		}, "the page is larger than 8 MiB", 22},
		"another server": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "go_goroutines 8\nprocess_cpu_seconds_total 3\n")
		}, "the page has not the names of any server that is known", 22},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.test/", http.StatusFound)
		}, "HTTP 302 Found", 22},
		"never an answer": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "the page did not come within 5s", 4},
		"drop by drop": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				fmt.Fprintln(w, "# wait")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(300 * time.Millisecond)
			}
		}, "the page did not come within 5s", 4},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", 22},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec, scrapes := watched(t, func(w http.ResponseWriter, r *http.Request, _ time.Duration) { tt.serve(w, r) })
				tele := rec.Manifest.Blocks[0].Telemetry
				if len(scrapes) < tt.scrapes || tele.Failed != len(scrapes) || tele.Server != "" || len(tele.Problems) != 1 || tele.Problems[0].N != len(scrapes) {
					t.Errorf("%d scrapes, %+v", len(scrapes), tele)
				}
				for _, s := range scrapes {
					if !strings.Contains(s.Problem, tt.problem) || s.Values != nil {
						t.Fatalf("%+v, want %q", s, tt.problem)
					}
				}
			})
		})
	}
}

// TestSlowScrapesNeverPileUp: a page that takes 2.5 s is asked for once in 3 s, never twice at once.
func TestSlowScrapesNeverPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // each connection is served by a goroutine of its own
		atOnce, most := 0, 0
		_, scrapes := watched(t, func(w http.ResponseWriter, _ *http.Request, at time.Duration) {
			mu.Lock()
			atOnce++
			if at < 19*time.Second { // the last one is asked for when the one before was given up
				most = max(most, atOnce)
			}
			mu.Unlock()
			time.Sleep(2500 * time.Millisecond)
			mu.Lock()
			atOnce--
			mu.Unlock()
			fmt.Fprint(w, page(1, 1))
		})
		if most != 1 {
			t.Errorf("%d scrapes at once", most)
		}
		for i, s := range scrapes {
			if s.Took != 2500*time.Millisecond || i > 0 && s.At < scrapes[i-1].At+scrapes[i-1].Took {
				t.Errorf("scrape %d at %s took %s", i, s.At, s.Took)
			}
		}
		if n := len(scrapes); n < 7 || n > 10 {
			t.Errorf("%d scrapes", n)
		}
	})
}

// TestServerRestarts: the page is away for three seconds and comes back with its counters at 0. The scrapes in between are told;
// nothing of what was counted before is lost, and the reset stands at its scrape.
func TestServerRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, scrapes := watched(t, func(w http.ResponseWriter, _ *http.Request, at time.Duration) {
			switch s := at.Seconds(); {
			case s < 10:
				fmt.Fprint(w, page(1, 500+100*s))
			case s < 13:
				http.Error(w, "starting", http.StatusServiceUnavailable)
			default:
				fmt.Fprint(w, page(1, 100*(s-13)))
			}
		})
		before, resets := 0.0, 0
		for _, s := range scrapes {
			if s.Problem != "" {
				if s.At < 9*time.Second || s.At > 13*time.Second {
					t.Errorf("%+v", s)
				}
				continue
			}
			if v := s.Values[telemetry.OutputTokens]; v < before {
				t.Errorf("fell from %v to %v at %s", before, v, s.At)
			} else {
				before = v
			}
			if len(s.Resets) > 0 {
				resets++
				if s.Resets[0] != telemetry.OutputTokens || s.At < 12*time.Second || s.At > 15*time.Second {
					t.Errorf("reset at %s: %v", s.At, s.Resets)
				}
			}
		}
		if resets != 1 || rec.Manifest.Blocks[0].Telemetry.Failed < 2 {
			t.Errorf("%d resets, %+v", resets, rec.Manifest.Blocks[0].Telemetry)
		}
	})
}

// TestATelemetryRecordIsReadByLine: what was flushed before a crash is there; a torn last line is not.
func TestATelemetryRecordIsReadByLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, scrapes := watched(t, func(w http.ResponseWriter, _ *http.Request, _ time.Duration) { fmt.Fprint(w, page(1, 1)) })
		path := filepath.Join(rec.Dir, "timeline.jsonl")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text[:len(text)-20], 0o644); err != nil {
			t.Fatal(err)
		}
		n := 0
		for tick, err := range rec.Ticks() {
			if err != nil {
				t.Fatal(err)
			}
			n += len(tick.Server)
		}
		if n == 0 || n >= len(scrapes) {
			t.Errorf("%d of %d scrapes", n, len(scrapes))
		}
	})
}

// TestNoTelemetryNoField: a run that does not ask for it has the record that it always had.
func TestNoTelemetryNoField(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, _ := record(t, &measure.Runner{}, twoTokenBlock(100*time.Millisecond, 20))
		for _, file := range []string{"timeline.jsonl", "manifest.json"} {
			text, err := os.ReadFile(filepath.Join(rec.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(text, []byte(`"server":`)) || bytes.Contains(text, []byte(`"telemetry":`)) {
				t.Errorf("%s: %s", file, text)
			}
		}
	})
}

var _ measure.Scraper = (*telemetry.Scraper)(nil)

// stuck never comes back until it is told to.
type stuck struct{ n int }

func (s *stuck) Scrape(ctx context.Context) (telemetry.Reading, error) {
	if s.n++; s.n == 1 {
		return telemetry.Reading{Values: map[string]float64{telemetry.RequestsRunning: 1}}, nil
	}
	<-ctx.Done()
	return telemetry.Reading{}, ctx.Err()
}

func (s *stuck) Found() telemetry.Found { return telemetry.Found{} }

// TestTheEndOfTheBlockCutsAScrapeShort: one that is under way when the last request ends is no failure.
func TestTheEndOfTheBlockCutsAScrapeShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		b := twoTokenBlock(100*time.Millisecond, 20)
		b.Telemetry = &measure.Telemetry{Scraper: &stuck{}}
		w, err := measure.Create(filepath.Join(t.TempDir(), "run"), &measure.Manifest{ID: "test", Started: time.Now(), Scenario: &workload.Scenario{Name: "test"}})
		if err != nil {
			t.Fatal(err)
		}
		_ = (&measure.Runner{Writer: w}).Run(ctx, b) // it ends with its context at the latest
		if err := w.Close(measure.Complete, "", time.Now()); err != nil {
			t.Fatal(err)
		}
		rec, err := measure.Open(w.Dir())
		if err != nil {
			t.Fatal(err)
		}
		if tele := rec.Manifest.Blocks[0].Telemetry; tele.Scrapes != 1 || tele.Failed != 0 {
			t.Errorf("%+v", tele)
		}
	})
}
