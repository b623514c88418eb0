package analyze

import (
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// TestPromptLengths: what is said of prompts whose length the server counts otherwise depends on whether they were to be
// built by its count, and on whether they could be.
func TestPromptLengths(t *testing.T) {
	fitted := &measure.Calibration{Source: "usage", Line: &workload.Correction{Overhead: 7.5, Ratio: 1.3}}
	mute := &measure.Calibration{Source: "usage", Problem: "the answer has no usage report"}
	for name, c := range map[string]struct {
		calibration *measure.Calibration
		counted     int
		want        []string // of each reason
	}{
		"as asked":             {nil, 1000, nil},
		"a little off":         {nil, 1090, nil},
		"off":                  {nil, 1300, []string{"input_length: +30% prompts.calibrate builds"}},
		"calibrated, as asked": {fitted, 1015, nil},
		"calibrated, off":      {fitted, 1025, []string{"input_length: +2.5% although less than 9"}},
		"calibrated, short":    {fitted, 970, []string{"input_length: -3.0% although less than 9"}},
		"mute":                 {mute, 1050, []string{"calibration: usage no usage report"}},
		"mute and off":         {mute, 1500, []string{"calibration: usage no usage report", "input_length: +50%"}},
	} {
		lengths := func(n int) *workload.Traffic {
			counts := workload.LengthCounts{}
			for range 50 {
				counts.Add(n)
			}
			return workload.DescribeTraffic(nil, 0, time.Second, counts, nil)
		}
		a := &audit{}
		a.promptLengths(&SentBlock{Approach: "one", Calibration: c.calibration, CountedInput: lengths(c.counted).Input}, lengths(1000))
		if len(a.reasons) != len(c.want) {
			t.Errorf("%s: %+v", name, a.reasons)
			continue
		}
		for i, r := range a.reasons {
			code, words, _ := strings.Cut(c.want[i], ": ")
			if r.Code != code || r.Verdict != Valid || !strings.HasPrefix(r.Text, "one: ") {
				t.Errorf("%s: %+v", name, r)
			}
			for word := range strings.FieldsSeq(words) {
				if !strings.Contains(r.Text, word) {
					t.Errorf("%s: no %q in %q", name, word, r.Text)
				}
			}
		}
		unknown := &audit{}
		unknown.promptLengths(&SentBlock{Approach: "one", CountedInput: lengths(c.counted).Input}, nil)
		unknown.promptLengths(&SentBlock{Approach: "one"}, lengths(1000))
		if len(unknown.reasons) != 0 {
			t.Errorf("%s: of what is not known: %+v", name, unknown.reasons)
		}
	}
}
