package report

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/workload"
)

// TestTraces: two kept excerpts, side by side and below each other.
func TestTraces(t *testing.T) {
	dir := filepath.Join("..", "workload", "testdata", "traces")
	var profiles []*workload.TraceProfile
	for _, name := range []string{"azure-2023-conv-first300.csv", "mooncake-conversation-first60.jsonl"} {
		p, err := workload.InspectTrace(&workload.Trace{Path: name}, dir, 1)
		if err != nil {
			t.Fatal(err)
		}
		profiles = append(profiles, p)
	}
	for _, width := range []int{60, 100} {
		var b bytes.Buffer
		if err := Traces(&b, append(profiles, profiles[0]), width); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > max(width, 2+len("  SHA-256 ")+64) {
				t.Errorf("%d columns at width %d: %s", n, width, line)
			}
		}
		if width == 100 {
			golden(t, "traces.txt", b.Bytes())
		}
	}
	var b bytes.Buffer
	if err := TracesJSON(&b, profiles); err != nil {
		t.Fatal(err)
	}
	var back []*workload.TraceProfile
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || len(back) != 2 || back[1].Rows != 60 || back[0].PrefixHit != nil || *back[1].PrefixHit != *profiles[1].PrefixHit {
		t.Errorf("read back %v: %v", back, err)
	}
}

// TestTimelineRates: however a time line is cut, the requests in it are all there.
func TestTimelineRates(t *testing.T) {
	line := workload.Timeline{Width: 2, Counts: []int64{3, 0, 5, 7, 1}}
	for _, n := range []int{1, 2, 3, 7, 90} {
		for _, end := range []float64{8, 8.5, 10} { // the last bin lies at the end, or is cut, or whole
			sum := 0.0
			for _, r := range line.Rates(end, n) {
				sum += r * end / float64(n)
			}
			if math.Abs(sum-16) > 1e-9 {
				t.Errorf("%d parts of %g s hold %v requests, want 16", n, end, sum)
			}
		}
	}
}

// TestTraceFit: what is not fitted is said.
func TestTraceFit(t *testing.T) {
	recorded := &workload.TraceProfile{Path: "chats.jsonl", Format: "bailian", Rows: 200, Used: 200, Rate: 2, Span: 100, Sessions: 40,
		Dispersions: make([]workload.TraceDispersion, 3)}
	hit := 0.25
	recorded.PrefixHit = &hit
	fitted := &workload.TraceProfile{Path: "fitted", Format: "schedule", Rows: 190, Used: 190, Rate: 1.9, Span: 100, Dispersions: make([]workload.TraceDispersion, 3)}
	fit := &workload.TraceFit{Recorded: recorded, Fitted: fitted, Distance: 1, Scenario: &workload.Scenario{Arrivals: workload.Arrivals{
		Shape: &workload.Shape{}, Burst: &workload.Burst{Gamma: &workload.CVBurst{CV: 2}}}}}
	var b bytes.Buffer
	if err := TraceFit(&b, fit, 100); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"gamma gaps of CV 2", "off by a factor of 2.72", "Not fitted: what prompts share (25.0%", "Not fitted: the turns of 40 conversations",
		"Not fitted: lengths", "Replay the trace itself"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
