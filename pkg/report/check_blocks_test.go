package report

import (
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
)

// TestCheckMarkdownSaysWhatEachSideHas: a candidate that has half of the blocks is not shown with the baseline's.
func TestCheckMarkdownSaysWhatEachSideHas(t *testing.T) {
	c := &analyze.Comparison{Baseline: "a", Candidate: "b", BaselineBlocks: 8, CandidateBlocks: 4, Paired: true, Figures: []analyze.Figure{{Name: "ttft p95", Blocks: 3, Verdict: analyze.CannotTell}}}
	var out strings.Builder
	if err := CheckMarkdown(&out, &analyze.Check{Verdict: analyze.CannotTell, Comparison: c}); err != nil {
		t.Fatal(err)
	}
	if want := "blocks: 4 of the candidate, 8 of the baseline; pairs used: 3\n"; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%s", want, out.String())
	}
}
