package selftest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/scripted"
)

// The errors of a rung are the distances between two accounts that are known.
func TestRungIsJudgedAgainstTheLog(t *testing.T) {
	const ms = int64(time.Millisecond)
	truth := []scripted.Served{{Index: 0, Received: 100 * ms, Writes: []int64{150 * ms, 170 * ms, 190 * ms}, Due: []int64{150 * ms, 169 * ms, 190 * ms}}}
	seen := []scripted.Served{{Index: 0, Received: 99 * ms, Writes: []int64{152 * ms, 172 * ms, 195 * ms}}}
	e, err := scripted.Judge(truth, seen)
	if err != nil {
		t.Fatal(err)
	}
	r := &Rung{Level: Level{Streams: 1, Gap: 20 * time.Millisecond}, Offered: 50}
	r.judge(e, truth)
	if r.TTFTError.Max != 0.003 || r.GapError.Max != 0.003 || r.GapError.P50 != 0.003 || r.ServerLag.Max != 0.001 || r.Proven {
		t.Errorf("%+v", r)
	}
	if r.Achieved != 75 { // three events in 40 ms
		t.Errorf("%v events/s", r.Achieved)
	}
	seen[0].Writes = []int64{150 * ms, 170 * ms, 190 * ms}
	seen[0].Received = 100 * ms
	if e, err = scripted.Judge(truth, seen); err != nil {
		t.Fatal(err)
	}
	if r.judge(e, truth); !r.Proven || r.GapError.Max != 0 {
		t.Errorf("a client that sees what happened: %+v", r)
	}
	for name, wrong := range map[string][]scripted.Served{"a request is missing": {}, "an event is missing": {{Index: 0, Writes: []int64{1, 2}}}, "another request": {{Index: 7}}} {
		if _, err := scripted.Judge(truth, wrong); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestConclusion(t *testing.T) {
	rung := func(streams int, achieved float64, proven bool) *Rung {
		return &Rung{Level: Level{Streams: streams, Gap: 20 * time.Millisecond}, Achieved: achieved, Offered: achieved, Proven: proven}
	}
	for _, tt := range []struct {
		name   string
		rungs  []*Rung
		proven int
		enough bool
		text   string
	}{
		{"nothing", []*Rung{rung(50, 2500, false)}, 0, false, "Nothing is proven"},
		{"too little", []*Rung{rung(50, 2500, true), rung(500, 25000, false)}, 50, false, "less than the 20000"},
		{"enough", []*Rung{rung(50, 2500, true), rung(500, 25000, true), rung(2000, 90000, false)}, 500, true, "500 streams"},
	} {
		r := &Report{Rungs: tt.rungs}
		r.conclude()
		if r.Enough != tt.enough || (r.Floor != nil) != (tt.proven > 0) || r.Floor != nil && r.Floor.Streams != tt.proven {
			t.Errorf("%s: %+v", tt.name, r)
		}
		var b bytes.Buffer
		if err := r.Table(&b); err != nil || !strings.Contains(b.String(), tt.text) {
			t.Errorf("%s: %v\n%s", tt.name, err, b.String())
		}
	}
}
