package measure

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// TestRecordOfAMix: every row carries its class, and so does a histogram of what rows do not hold, exact totals and all; the
// histogram of all requests is that of the classes together.
func TestRecordOfAMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		classes := []string{"chat", "batch"}
		b := testBlock(func(ctx context.Context, req *workload.Request, at func(endpoint.Kind)) endpoint.Result {
			if req.Class == "batch" && req.Index%4 == 3 {
				at(endpoint.Sent)
				return endpoint.Result{Class: endpoint.HTTPStatus, Error: "no"}
			}
			at(endpoint.Connected)
			at(endpoint.Sent)
			for range 3 {
				time.Sleep(time.Duration(10+10*len(req.Class)) * time.Millisecond) // 50 ms and 60 ms
				at(endpoint.Answer)
			}
			at(endpoint.Done)
			return endpoint.Result{Class: endpoint.OK}
		})
		b.Request = func(i int) workload.Request { return workload.Request{Index: i, Class: classes[i%2], MaxTokens: 3} }
		rec, rows, err := runBlock(t, &Runner{}, t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range rows {
			if s.TrafficClass != classes[s.Index%2] {
				t.Fatalf("request %d is of class %q", s.Index, s.TrafficClass)
			}
		}
		var both Hist
		for class, want := range map[string]struct {
			n   int64
			gap time.Duration
		}{"chat": {45 * 2, 50 * time.Millisecond}, "batch": {22 * 2, 60 * time.Millisecond}} {
			h := rec.Gaps[Tag{Approach: "a", Metric: workload.ChunkGap, Class: class}]
			if h == nil || h.Count() != want.n || h.Totals().Min != int64(want.gap) || h.Totals().Max != int64(want.gap) || h.Totals().Sum != float64(want.n)*float64(want.gap) {
				t.Errorf("%s: %+v, want %d gaps of %v", class, h, want.n, want.gap)
				continue
			}
			if err := both.Merge(h); err != nil {
				t.Fatal(err)
			}
		}
		if all := rec.Gaps[Tag{Approach: "a", Metric: workload.ChunkGap}]; all == nil || all.Totals() != both.Totals() {
			t.Errorf("together %+v, the classes %+v", all, both.Totals())
		}
		if totals := rec.Manifest.Blocks[0].ClassTotals["chat"]; totals[workload.ITL].Count != 90 || len(totals) != 2 {
			t.Errorf("%+v", totals)
		}
	})
}

// TestRecordWithoutAMix holds nothing of classes: its files are as they were.
func TestRecordWithoutAMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, rows, err := runBlock(t, &Runner{}, t.Context(), testBlock(answer))
		if err != nil || rec.Manifest.Blocks[0].ClassTotals != nil {
			t.Fatalf("%+v, %v", rec.Manifest.Blocks[0].ClassTotals, err)
		}
		for tag := range rec.Gaps {
			if tag.Class != "" {
				t.Errorf("%+v", tag)
			}
		}
		text, err := json.Marshal(rows[0])
		var fields map[string]any
		if err != nil || json.Unmarshal(text, &fields) != nil || fields["traffic_class"] != nil {
			t.Errorf("%s, %v", text, err)
		}
	})
}

func TestTagsOfClasses(t *testing.T) {
	for text, want := range map[string]Tag{
		"a/0/itl":           {Approach: "a", Metric: workload.ITL},
		"a/2/itl/chat":      {Approach: "a", Block: 2, Metric: workload.ITL, Class: "chat"},
		"a/b/12/ttft/a-b-1": {Approach: "a/b", Block: 12, Metric: workload.TTFT, Class: "a-b-1"},
		"a/1/itl/7":         {Approach: "a", Block: 1, Metric: workload.ITL, Class: "7"},
	} {
		if got, err := ParseTag(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"a/0/itl/", "a/itl", "a/-1/itl", "itl", "a/x/itl/chat/more"} {
		if tag, err := ParseTag(text); err == nil {
			t.Errorf("%s: %+v", text, tag)
		}
	}
}
