package analyze_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/measure"
)

// recorded is a row of a trace, read here without the code under test.
type recorded struct {
	at            time.Duration // since the first row
	input, output int
	blocks        []uint64 // of 512 tokens
}

// readRecorded reads a trace of Azure, BurstGPT or Mooncake.
func readRecorded(t *testing.T, path string) (rows []recorded) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var first float64
	add := func(seconds float64, r recorded) {
		if len(rows) == 0 {
			first = seconds
		}
		r.at = time.Duration(math.Round((seconds - first) * 1e9))
		rows = append(rows, r)
	}
	if strings.HasSuffix(path, ".jsonl") {
		for d := json.NewDecoder(f); ; {
			var row struct {
				Timestamp float64  `json:"timestamp"`
				Input     int      `json:"input_length"`
				Output    int      `json:"output_length"`
				Blocks    []uint64 `json:"hash_ids"`
			}
			if err := d.Decode(&row); err == io.EOF {
				return rows
			} else if err != nil {
				t.Fatal(err)
			}
			add(row.Timestamp/1000, recorded{input: row.Input, output: row.Output, blocks: row.Blocks})
		}
	}
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var origin time.Time
	for _, row := range all[1:] {
		if all[0][0] == "Timestamp" { // BurstGPT
			add(float64(number(row[0])), recorded{input: number(row[2]), output: number(row[3])})
			continue
		}
		at, err := time.Parse("2006-01-02 15:04:05", row[0])
		if err != nil {
			t.Fatal(err)
		}
		if origin.IsZero() {
			origin = at
		}
		add(at.Sub(origin).Seconds(), recorded{input: number(row[1]), output: number(row[2])})
	}
	return rows
}

// prefixTokens is how many tokens two prompts of blocks have in common at their beginning.
func prefixTokens(a, b recorded) int {
	n := 0
	for i := range min(len(a.blocks), len(b.blocks)) {
		both := min(a.input-512*i, b.input-512*i, 512)
		if a.blocks[i] != b.blocks[i] || both <= 0 {
			break
		}
		if n += both; both < 512 {
			break
		}
	}
	return n
}

const traceScenario = `
name: trace
seed: 3
phases: {measure: %s, drain: 60s}
arrivals: {shape: {trace: {path: %q%s}}}
prompts: {trace: {max_output: 20}, cache: cold}
approaches:
  - name: one
    simulate: {slots: 1000, overhead: 1ms, prefill_per_token: 1ns, decode_step: 1ms, prefix_cache_tokens: 100000000}
`

// keptTraces is where a trace lies: in the tree, or with the whole public ones beside the checkout.
func keptTrace(t *testing.T, file string) string {
	t.Helper()
	for _, dir := range []string{filepath.Join("..", "workload", "testdata", "traces"), filepath.Join("..", "..", "..", "shared", "traces")} {
		path, err := filepath.Abs(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Skip(file, " is neither in the tree nor beside the checkout")
	return ""
}

// TestTracesAreSentAsRecorded holds what the record says was sent against the rows of each kept trace, read here: each
// request at its recorded time, to the nanosecond that the file can say, with its lengths, and with the tokens in common with
// earlier requests that its blocks have.
func TestTracesAreSentAsRecorded(t *testing.T) {
	if raceDetector {
		t.Skip("the same paths run in other tests; arithmetic is slow here")
	}
	for _, tt := range []struct {
		file          string
		from, measure time.Duration
		least         int // requests
	}{
		{"azure-2023-conv-first300.csv", 0, 60 * time.Second, 150},
		{"mooncake-conversation-first60.jsonl", 0, 14 * time.Second, 40},
		{"azure-2023/AzureLLMInferenceTrace_code.csv", 600 * time.Second, 180 * time.Second, 200},
		{"azure-2023/AzureLLMInferenceTrace_conv.csv", 300 * time.Second, 120 * time.Second, 400},
		{"mooncake-fast25/conversation_trace.first.jsonl", 60 * time.Second, 60 * time.Second, 150},
		{"mooncake-fast25/synthetic_trace.jsonl", 60 * time.Second, 60 * time.Second, 150},
		{"burstgpt/BurstGPT_1.first3.csv", 0, 110 * time.Second, 2},
	} {
		t.Run(tt.file, func(t *testing.T) {
			path := keptTrace(t, tt.file)
			var want []recorded
			for _, r := range readRecorded(t, path) {
				if r.input > 0 && r.output > 0 && r.at >= tt.from && r.at < tt.from+tt.measure {
					r.at -= tt.from
					r.output = min(r.output, 20)
					want = append(want, r)
				}
			}
			if len(want) < tt.least {
				t.Fatalf("%d rows", len(want))
			}
			synctest.Test(t, func(t *testing.T) {
				an, rec := play(t, fmt.Sprintf(traceScenario, tt.measure, path, fmt.Sprintf(", from: %s", tt.from)), nil)
				sent := make([]*measure.Sample, len(want))
				n := 0
				for s := range rec.Rows() {
					if n++; s.Index >= len(want) {
						t.Fatalf("request %d, %d rows", s.Index, len(want))
					}
					sent[s.Index] = s
				}
				if n != len(want) {
					t.Fatalf("%d requests, %d rows", n, len(want))
				}
				shared, all := 0, 0
				for i, s := range sent {
					w := want[i]
					common := 0
					for _, before := range want[:i] {
						common = max(common, prefixTokens(before, w))
					}
					shared, all = shared+common, all+w.input
					at, _ := s.Sent.Get()
					if d := at - w.at; d > time.Microsecond || d < -time.Microsecond || s.AskedInput != w.input || *s.InputTokens != w.input || s.AskedOutput != w.output || *s.OutputTokens != w.output || s.Cacheable != common {
						t.Fatalf("request %d: at %v, %d and %d tokens, %d in common; the row has %v, %d, %d and %d", i, at, s.AskedInput, s.AskedOutput, s.Cacheable, w.at, w.input, w.output, common)
					}
				}
				b := &an.Summary.Workload.Sent[0]
				if rate := float64(len(want)) / tt.measure.Seconds(); math.Abs(b.Rate.Value-rate) > 1e-9 || len(b.Differences) > 0 {
					t.Errorf("rate %v, recorded %v; %+v", b.Rate.Value, rate, b.Differences)
				}
				if share := float64(shared) / float64(all); math.Abs(*b.CacheableShare-share) > 1e-9 || *b.CachedShare > share || *b.CachedShare < share-0.01 {
					t.Errorf("%.4f cacheable, %.4f cached, recorded %.4f", *b.CacheableShare, *b.CachedShare, share)
				}
			})
		})
	}
}

// TestServeGenClientsAreSentAsTheirWindowsAsk: the arrivals of ServeGen clients are generated, so that the record is held
// against the windows and distributions of their files, within the error of the sample.
func TestServeGenClientsAreSentAsTheirWindowsAsk(t *testing.T) {
	if raceDetector {
		t.Skip("the same paths run in other tests; arithmetic is slow here")
	}
	for _, tt := range []struct {
		file      string
		from      int // window
		windows   int
		atLeast   int
		lengthsOf string
	}{
		{"servegen/m-large.chunk-10-trace.csv", 1216, 1, 100, ""},
		{"servegen/m-large.chunk-0-trace.csv", 28, 1, 100, "servegen/m-large.chunk-0-dataset.json"},
		{"servegen/deepseek-r1.chunk-48-trace.csv", 61, 1, 300, "servegen/deepseek-r1.chunk-48-dataset.json"},
	} {
		t.Run(tt.file, func(t *testing.T) {
			path := keptTrace(t, tt.file)
			want, variance := clientCounts(t, path, tt.from, tt.windows)
			length := time.Duration(tt.windows) * 600 * time.Second
			text := fmt.Sprintf(traceScenario, length, path, fmt.Sprintf(", format: servegen, from: %s", time.Duration(tt.from)*600*time.Second))
			if tt.lengthsOf == "" {
				text = strings.Replace(text, "{trace: {max_output: 20}, cache: cold}", "{synthetic: {input: {fixed: 20}, output: {fixed: 2}}}", 1)
			}
			synctest.Test(t, func(t *testing.T) {
				an, rec := play(t, text, nil)
				b := &an.Summary.Workload.Sent[0]
				if got := float64(b.Requests); got < float64(tt.atLeast) || math.Abs(got-want) > 4*math.Sqrt(variance) || len(b.Differences) > 0 {
					t.Errorf("%g requests, the windows ask for %.1f +- %.1f; %+v", got, want, math.Sqrt(variance), b.Differences)
				}
				if tt.lengthsOf == "" {
					return
				}
				var lengths []float64
				for s := range rec.Rows() {
					lengths = append(lengths, float64(s.AskedInput))
				}
				mean, sd := clientLengths(t, keptTrace(t, tt.lengthsOf), float64(tt.from*600))
				sum := 0.0
				for _, l := range lengths {
					sum += l
				}
				n := float64(len(lengths))
				if got := sum / n; math.Abs(got-mean) > 4*sd/math.Sqrt(n) {
					t.Errorf("mean input %.1f, the distribution has %.1f +- %.1f", got, mean, sd/math.Sqrt(n))
				}
			})
		})
	}
}

// clientCounts is how many arrivals windows of a client ask for, and the variance of that: CV^2 of each.
func clientCounts(t *testing.T, path string, from, n int) (mean, variance float64) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[from : from+n] {
		cells := strings.Split(line, ",")
		rate, _ := strconv.ParseFloat(cells[1], 64)
		cv, _ := strconv.ParseFloat(cells[2], 64)
		mean += 600 * rate
		variance += 600 * rate * cv * cv
	}
	return mean, variance
}

// clientLengths are the mean and the standard deviation of the prompts of a client at a time: of the last distribution
// that is not empty.
func clientLengths(t *testing.T, path string, at float64) (mean, sd float64) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var windows map[string]struct {
		Input string `json:"input_tokens"`
	}
	if err := json.Unmarshal(text, &windows); err != nil {
		t.Fatal(err)
	}
	var starts []float64
	byStart := map[float64]string{}
	for key, w := range windows {
		start, err := strconv.ParseFloat(key, 64)
		if err != nil {
			t.Fatal(err)
		}
		if start <= at && w.Input != "{}" {
			starts = append(starts, start)
			byStart[start] = w.Input
		}
	}
	squares, sum := 0.0, 0.0
	for pair := range strings.SplitSeq(strings.Trim(byStart[slices.Max(starts)], "{}"), ",") {
		length, p, _ := strings.Cut(pair, ":")
		l, err := strconv.ParseFloat(strings.TrimSpace(length), 64)
		if err != nil {
			t.Fatal(err)
		}
		share, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += share
		mean += share * l
		squares += share * l * l
	}
	mean /= sum
	return mean, math.Sqrt(squares/sum - mean*mean)
}
