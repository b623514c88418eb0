package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// kinds notes what is seen of a request.
type kinds []endpoint.Kind

func (k *kinds) Observe(e endpoint.Event) { *k = append(*k, e.Kind) }

// TestCalibrationLeavesNoConnection: the first request of a block dials, whatever the calibration before it has opened, and
// the second one does not.
func TestCalibrationLeavesNoConnection(t *testing.T) {
	text := strings.NewReplacer("TOKENIZER", "o200k_base", "CALIBRATE", "usage", "SYSTEM", "", "API", "openai-chat", "REPORT", "none").Replace(calibrated)
	s, err := workload.Parse([]byte(text), "calibrated.yaml")
	if err != nil {
		t.Fatal(err)
	}
	a := &app{getenv: os.LookupEnv, stderr: os.Stderr}
	r := &runJob{app: a, scenario: s, stop: &interrupts{first: make(chan struct{})}}
	if err := r.plan(0); err != nil {
		t.Fatal(err)
	}
	target, err := a.openTarget(t.Context(), s, s.Approaches[0])
	if err != nil {
		t.Fatal(err)
	}
	defer target.close()
	nonce := workload.Nonce{Approach: "one"}
	source, c := r.calibrated(t.Context(), target, nonce)
	if c == nil || c.Line == nil {
		t.Fatalf("calibration: %+v", c)
	}
	for i, dials := range []bool{true, false} {
		var seen kinds
		req := source.Request(i, nonce)
		if res := target.endpoint.Do(t.Context(), &req, &seen); res.Class != endpoint.OK {
			t.Fatalf("%s: %s", res.Class, res.Error)
		}
		if slices.Contains(seen, endpoint.ConnectStart) != dials {
			t.Errorf("request %d: events %v, want it to dial: %t", i, seen, dials)
		}
	}
}
