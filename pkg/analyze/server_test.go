package analyze_test

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/internal/telemetry"
	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/simulate"
	"github.com/infbench/infbench/pkg/workload"
)

// serverScenario keeps a server of two slots busy enough that requests wait; %s is its warm-up and what else it does.
const serverScenario = `
name: server
seed: 5
phases: {warmup: %s, measure: 60s, drain: 60s}
arrivals: {rate: 3/s}
prompts:
  synthetic: {input: {uniform: {min: 50, max: 200}}, output: {uniform: {min: 10, max: 40}}}
  shared: {groups: 3, tokens: {fixed: 64}, share: 0.3}
approaches:
  - name: one
    telemetry: {}
    simulate: {slots: 2, overhead: 20ms, prefill_per_token: 500us, decode_step: 20ms, prefix_cache_tokens: 100000%s}
`

// serve runs a scenario of one simulated approach, in virtual time and through all of the real way, with something of the
// test's between client and server; the metrics page is reached around it. It gives the analysis and the server's truth.
func serve(t *testing.T, text string, front func(next http.Handler) http.Handler, page func(next http.Handler) http.Handler) (*analyze.Analysis, []simulate.Truth, *measure.Record) {
	t.Helper()
	s, err := workload.Parse([]byte(text), "test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sched, err := workload.NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	source, err := workload.NewSource(s, sched)
	if err != nil {
		t.Fatal(err)
	}
	a := s.Approaches[0]
	sim, err := simulate.New(*a.Simulate, simulate.Options{Seed: s.Seed})
	if err != nil {
		t.Fatal(err)
	}
	if front == nil {
		front = func(next http.Handler) http.Handler { return next }
	}
	if page == nil {
		page = func(next http.Handler) http.Handler { return next }
	}
	l := memnet.Listen()
	mux := http.NewServeMux()
	mux.Handle("/", front(sim))
	mux.Handle("GET /metrics", page(sim))
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(l) }()
	a.URL = "http://server.test/v1"
	cfg := endpoint.Config{Approach: a, Epoch: time.Now(), Dial: l.Dial}
	e, err := endpoint.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	scraper, pages, err := endpoint.OpenTelemetry(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w, err := measure.Create(filepath.Join(t.TempDir(), "run"), &measure.Manifest{ID: "test", Started: time.Now(), Scenario: s, Schedule: measure.ScheduleRecord{OpenLoop: true, Arrivals: len(sched.Times)}})
	if err != nil {
		t.Fatal(err)
	}
	b := measure.Block{Approach: a.Name, Simulated: true, Endpoint: e, Epoch: cfg.Epoch, Phases: s.Phases, Times: sched.Times,
		Telemetry: &measure.Telemetry{Scraper: scraper, Every: a.Telemetry.Every(), Pages: pages},
		Request:   func(i int) workload.Request { return source.Request(i, workload.Nonce{Approach: a.Name}) }}
	if err := (&measure.Runner{Writer: w}).Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	e.Close()
	scraper.Close()
	_ = server.Close() // all was read
	sim.Close()
	if err := w.Close(measure.Complete, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	rec, err := measure.Open(w.Dir())
	if err != nil {
		t.Fatal(err)
	}
	an, err := analyze.Run(rec)
	if err != nil {
		t.Fatal(err)
	}
	return an, sim.Truth(), rec
}

func checkOf(t *testing.T, s *analyze.ServerSummary, code string) analyze.ServerCheck {
	t.Helper()
	for _, c := range s.Checks {
		if c.Code == code {
			return c
		}
	}
	t.Fatalf("no check %s in %+v", code, s.Checks)
	return analyze.ServerCheck{}
}

// TestServerDeltasAreTheTruth: what the counters grew by from the start of the measure phase on is, to the request and the
// token, what the simulated server's own record has of the same time; so are the means. Where nothing lies between client and
// server, the two agree on how many requests are there and how long the first token takes.
func TestServerDeltasAreTheTruth(t *testing.T) {
	for _, warmup := range []string{"0s", "7s"} {
		synctest.Test(t, func(t *testing.T) {
			an, truth, rec := serve(t, fmt.Sprintf(serverScenario, warmup, ""), nil, nil)
			s := an.Summary.Approaches[0].Server
			begin := rec.Manifest.Scenario.Phases.Warmup.D()
			epoch := rec.Manifest.Blocks[0].Started
			want := map[string]float64{}
			first := 0
			for _, r := range truth {
				if r.Outcome != simulate.OutcomeOK {
					t.Fatalf("%+v", r)
				}
				if r.Admitted.Sub(epoch) > begin {
					want[telemetry.PrefixCacheQueries] += float64(r.InputTokens)
					want[telemetry.PrefixCacheHits] += float64(r.CachedTokens)
				}
				if r.PrefillDone.Sub(epoch) > begin {
					want[telemetry.InputTokens] += float64(r.InputTokens)
					want[telemetry.TTFT] += r.PrefillDone.Sub(r.Arrived).Seconds()
					want[telemetry.CountOf(telemetry.TTFT)]++
					first++
				}
				if r.LastToken.Sub(epoch) > begin {
					want[telemetry.RequestsFinished]++
					want[telemetry.ServerQueue] += r.Queue.Seconds()
					want[telemetry.Prefill] += r.Prefill.Seconds()
					want[telemetry.Decode] += r.Decode.Seconds()
					want[telemetry.CountOf(telemetry.ServerQueue)]++
				}
			}
			for name, v := range want {
				if got := s.Deltas[name]; math.Abs(got-v) > 1e-6*math.Max(1, v) {
					t.Errorf("warm-up %s, %s: %v, the truth is %v", warmup, name, got, v)
				}
			}
			if want[telemetry.ServerQueue] < 1 || first < 150 || s.Partial || s.Failed != 0 || len(s.Resets) != 0 {
				t.Errorf("%v: queue %v s, %d first tokens, %+v", warmup, want[telemetry.ServerQueue], first, s)
			}
			if got, v := s.Means[telemetry.ServerQueue], want[telemetry.ServerQueue]/want[telemetry.RequestsFinished]; math.Abs(got-v) > 1e-9 {
				t.Errorf("mean queue %v, want %v", got, v)
			}
			if v := want[telemetry.PrefixCacheHits] / want[telemetry.PrefixCacheQueries]; s.CacheHitRatio == nil || math.Abs(*s.CacheHitRatio-v) > 1e-12 || v < 0.01 {
				t.Errorf("cache hits %v, want %v", s.CacheHitRatio, v)
			}
			if l := s.Levels[telemetry.RequestsRunning]; l.Max != 2 || l.Mean <= 0.5 || l.Mean > 2 || l.Scrapes < 60 {
				t.Errorf("running %+v", l)
			}
			for _, code := range []string{analyze.CheckLittle, analyze.CheckTTFT, analyze.CheckCount} {
				if c := checkOf(t, s, code); c.Verdict != analyze.Agrees {
					t.Errorf("warm-up %s: %+v", warmup, c)
				}
			}
			if l := checkOf(t, s, analyze.CheckLittle); math.Abs(*l.Client-*l.Server) > 0.05 {
				t.Errorf("%+v", l)
			}
			if got := an.Series[0].Server[telemetry.RequestsWaiting]; len(got) < 33 {
				t.Errorf("%d bins of waiting requests", len(got))
			}
			// The drain's scrapes are not levels of the measure phase, and what the server does not publish is absent.
			if _, has := s.Levels[telemetry.KVCacheUsage]; has || s.Acceptance != nil || !strings.Contains(fmt.Sprint(s.Lacks), telemetry.Preemptions) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// gateway lets so many requests through to the server at a time; the others wait in it.
func gateway(n int) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		turns := make(chan struct{}, n) // of the test's bubble
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			turns <- struct{}{}
			defer func() { <-turns }()
			next.ServeHTTP(w, r)
		})
	}
}

// buffering holds every answer back until it is whole.
func buffering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := httptest.NewRecorder()
		next.ServeHTTP(held, r)
		for name, v := range held.Header() {
			w.Header()[name] = v
		}
		w.WriteHeader(held.Code)
		_, _ = w.Write(held.Body.Bytes())
	})
}

// TestServerDisagrees: what lies between client and server is told, and where: a gateway with a queue of its own, a proxy that
// holds the stream back, others on the same server, a page of one replica of two.
func TestServerDisagrees(t *testing.T) {
	double := func(next http.Handler) http.Handler { // every count is half of what there was
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			held := httptest.NewRecorder()
			next.ServeHTTP(held, r)
			for line := range strings.Lines(held.Body.String()) {
				var name string
				var v float64
				if n, _ := fmt.Sscanf(strings.TrimSpace(line), "%s %g", &name, &v); n == 2 && !strings.HasPrefix(line, "#") {
					line = fmt.Sprintf("%s %g\n", name, v/2)
				}
				fmt.Fprint(w, line)
			}
		})
	}
	for name, tt := range map[string]struct {
		more        string
		front, page func(http.Handler) http.Handler
		want        map[string]string // verdict and place by check
	}{
		"a gateway":     {"", gateway(1), nil, map[string]string{analyze.CheckLittle: "differs gateway", analyze.CheckTTFT: "differs gateway", analyze.CheckCount: "agrees "}},
		"a buffer":      {"", buffering, nil, map[string]string{analyze.CheckLittle: "agrees ", analyze.CheckTTFT: "differs proxy buffering", analyze.CheckCount: "agrees "}},
		"other tenants": {", background: {rate: 1/s, input: 100, output: 10}", nil, nil, map[string]string{analyze.CheckLittle: "differs other load", analyze.CheckTTFT: "cannot tell ", analyze.CheckCount: "differs other load"}},
		"half of it":    {"", nil, double, map[string]string{analyze.CheckCount: "differs other replicas", analyze.CheckTTFT: "cannot tell "}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				an, _, _ := serve(t, fmt.Sprintf(serverScenario, "0s", tt.more), tt.front, tt.page)
				for code, want := range tt.want {
					if c := checkOf(t, an.Summary.Approaches[0].Server, code); c.Verdict+" "+c.Place != want {
						t.Errorf("%s: %s %s, want %s: %s", code, c.Verdict, c.Place, want, c.Text)
					}
				}
			})
		})
	}
}

// TestServerThatSaysNothing: without a readable page the summary says why, has no figure, and judges nothing; a page that comes
// late or leaves early gives the part that there is, and says that it is one.
func TestServerThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		an, _, _ := serve(t, fmt.Sprintf(serverScenario, "0s", ""), nil, func(http.Handler) http.Handler { return http.NotFoundHandler() })
		s := an.Summary.Approaches[0].Server
		if s == nil || s.Server != "" || s.Failed != s.Scrapes || s.Scrapes < 60 || len(s.Deltas)+len(s.Levels)+len(s.Means)+len(s.Checks) != 0 || s.Problems[0].Text != "HTTP 404 Not Found" {
			t.Errorf("%+v", s)
		}
		if an.Series[0].Server != nil {
			t.Errorf("%v", an.Series[0].Server)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		an, _, _ := serve(t, fmt.Sprintf(serverScenario, "0s", ""), nil, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if at := time.Since(begun); at < 10*time.Second || at > 40*time.Second {
					http.Error(w, "not yet", http.StatusServiceUnavailable)
					return
				}
				next.ServeHTTP(w, r)
			})
		})
		s := an.Summary.Approaches[0].Server
		if !s.Partial || s.Seconds < 28 || s.Seconds > 30 || s.Failed < 20 || s.Deltas[telemetry.RequestsFinished] == 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestLlamaServerKeepsNoCount: a server without a count of requests has its times shared out over ours, which is told.
func TestLlamaServerKeepsNoCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		an, _, _ := serve(t, fmt.Sprintf(serverScenario, "0s", ""), nil, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				var b bytes.Buffer
				fmt.Fprintf(&b, "# TYPE llamacpp:prompt_seconds_total counter\nllamacpp:prompt_seconds_total %g\nllamacpp:requests_processing 1\nllamacpp:requests_deferred 0\n", time.Since(begun).Seconds())
				_, _ = w.Write(b.Bytes())
			})
		})
		s, a := an.Summary.Approaches[0].Server, an.Summary.Approaches[0]
		if want := s.Deltas[telemetry.Prefill] / float64(a.OK); fmt.Sprint(s.PerClient) != "[prefill]" || math.Abs(s.Means[telemetry.Prefill]-want) > 1e-9 {
			t.Errorf("%v of %d requests: %v, want %v", s.PerClient, a.OK, s.Means, want)
		}
		if c := checkOf(t, s, analyze.CheckTTFT); c.Verdict != analyze.CannotTell {
			t.Errorf("%+v", c)
		}
	})
}
