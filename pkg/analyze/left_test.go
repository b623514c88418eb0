package analyze

import (
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// When a request left the client: it is the client's workload that is held against what was asked, and an endpoint that
// refuses connections does not change that.
func TestLeft(t *testing.T) {
	at := func(n int) measure.Stamp { return measure.At(time.Duration(n)) }
	for name, tt := range map[string]struct {
		row  measure.Sample
		want measure.Stamp
	}{
		"sent":                          {measure.Sample{Class: endpoint.OK, Dispatched: at(1), ConnectStart: at(2), Connected: at(3), Sent: at(4)}, at(4)},
		"refused":                       {measure.Sample{Class: endpoint.ConnectFailed, Dispatched: at(1), ConnectStart: at(2)}, at(2)},
		"refused, nobody says when":     {measure.Sample{Class: endpoint.ConnectFailed, Dispatched: at(1)}, at(1)},
		"the server took no bytes":      {measure.Sample{Class: endpoint.TimeoutTotal, Dispatched: at(1), Connected: at(3)}, at(3)},
		"no descriptor was left":        {measure.Sample{Class: endpoint.ClientLimit, Dispatched: at(1), ConnectStart: at(2)}, measure.Stamp{}},
		"cancelled before it was tried": {measure.Sample{Class: endpoint.Cancelled, Dispatched: at(1)}, measure.Stamp{}},
	} {
		if got := left(&tt.row); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// TestOtherTokenizerIsARemark: the server's count of the prompts is its own. It is marked and remarked, and makes no run
// suspect.
func TestOtherTokenizerIsARemark(t *testing.T) {
	lengths := func(n int) *workload.TokenLengths {
		c := workload.LengthCounts{}
		for i := range 100 {
			c.Add(n + i%7)
		}
		return c.Describe()
	}
	for counted, want := range map[int]bool{100: false, 105: false, 140: true} {
		w := &WorkloadAsSent{Asked: &workload.Traffic{Input: lengths(100)}, Sent: []SentBlock{{Approach: "edge", Traffic: workload.Traffic{Input: lengths(100)}, CountedInput: lengths(counted)}}}
		w.Sent[0].Compare(w.Asked)
		a := &audit{}
		a.sent(w, &workload.Scenario{})
		v := a.verdict()
		if remarked := len(v.Reasons) == 1 && v.Reasons[0].Code == "input_length" && strings.Contains(v.Reasons[0].Text, "edge"); remarked != want || v.Verdict != Valid {
			t.Errorf("%d tokens counted of 100: %+v", counted, v)
		}
		if marked := len(w.Sent[0].Differences) > 0; marked != (counted != 100) {
			t.Errorf("%d tokens counted of 100: %+v", counted, w.Sent[0].Differences)
		}
	}
}

// TestInterruptedBlockIsNotCompared: what a block did not come to send was not lost.
func TestInterruptedBlockIsNotCompared(t *testing.T) {
	second := workload.Duration(time.Second)
	sc := &workload.Scenario{Phases: workload.Phases{Measure: 100 * second}}
	asked := &workload.Traffic{Requests: 1000, Rate: workload.Estimate{Value: 10, Low: 9.95, High: 10.05}}
	for state, want := range map[string]int{measure.Complete: 1, measure.Interrupted: 0} {
		log := newSentLog(&measure.BlockRecord{State: state}, sc)
		for i := range 100 {
			log.add(&measure.Sample{Class: endpoint.OK, Sent: measure.At(time.Duration(i) * 100 * time.Millisecond)})
		}
		w := workloadAsSent(&measure.Manifest{Scenario: sc, Asked: asked}, []*sentLog{log}, map[int]float64{0: 10})
		if got := len(w.Sent[0].Differences); got != want {
			t.Errorf("%s: %d differences, want %d", state, got, want)
		}
		if rate := w.Sent[0].Rate.Value; state == measure.Interrupted && rate != 10 {
			t.Errorf("interrupted after 10 s: %g/s", rate)
		}
	}
}
