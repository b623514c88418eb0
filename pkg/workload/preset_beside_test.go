package workload

import (
	"fmt"
	"strings"
	"testing"
)

// TestPresetBeside: a preset is a mistake beside what takes all effect from it, and none beside what it goes on to shape.
func TestPresetBeside(t *testing.T) {
	for arrivals, want := range map[string]string{
		"{preset: spike, rate: 2/s, shape: {constant: {}}}":                                      "arrivals.preset: without effect beside shape.constant",
		"{preset: steady, rate: 2/s, shape: {constant: {}}}":                                     "arrivals.shape.constant: stands beside preset: steady",
		"{preset: bursty, rate: 2/s, burst: {poisson: {}}}":                                      "arrivals.preset: without effect beside burst.poisson",
		"{preset: bursty, rate: 2/s, shape: {spike: {at: 10s, for: 5s, factor: 3}}}":             "",
		"{preset: spike, rate: 2/s, burst: {gamma: {cv: 2}}}":                                    "",
		"{preset: steady, rate: 2/s}":                                                            "",
		"{preset: bursty, rate: 2/s, shape: {constant: {}}, burst: {on_off: {on: 9s, off: 9s}}}": "arrivals.preset: without effect beside burst.on_off",
	} {
		_, err := Parse(fmt.Appendf(nil, "name: p\nphases: {measure: 60s}\narrivals: %s\nprompts: {synthetic: {input: {fixed: 9}, output: {fixed: 9}}}\napproaches: [{name: a, url: \"http://127.0.0.1:1/v1\"}]\n", arrivals), "p.yaml")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), "p.yaml:3:") || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", arrivals, err, want)
		}
	}
}
