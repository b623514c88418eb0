package analyze

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// attempt adds a request that went out, and how it ended, to a fold.
func attempt(t *testing.T, f *fold, class endpoint.Class, traffic, problem string) {
	t.Helper()
	at := measure.At(time.Duration(f.attempts) * time.Millisecond)
	s := &measure.Sample{Class: class, Phase: measure.Measure, Scheduled: at, Dispatched: at, ConnectStart: at, Connected: at, Sent: at, TrafficClass: traffic, Error: problem}
	if err := f.addRow(s); err != nil {
		t.Fatal(err)
	}
}

func validityOf(f *fold) Validity {
	a := newAudit()
	a.approach(f, &measure.Manifest{Scenario: &workload.Scenario{}}, nil)
	return a.verdict()
}

// Users who all left make an endpoint slow, not dead; an endpoint that refuses is dead, whoever else left.
func TestUsersWhoLeftAreNoDeadEndpoint(t *testing.T) {
	for _, c := range []struct {
		left, failed int
		code         string
		down         bool
	}{{200, 0, "all_left", false}, {150, 50, "all_left", false}, {50, 150, "all_failed", true}, {0, 200, "all_failed", true}} {
		f := newFold("a", workload.RequestLimits{})
		for range c.left {
			attempt(t, f, endpoint.Abandoned, "", "the user left")
		}
		for range c.failed {
			attempt(t, f, endpoint.HTTPStatus, "", "503")
		}
		v := validityOf(f)
		if i := slices.IndexFunc(v.Reasons, func(r Reason) bool { return r.Code == c.code }); i < 0 || v.EndpointDown() != c.down || (v.Verdict == Invalid) != c.down || v.ClientLimited() {
			t.Errorf("%d left, %d failed: %+v", c.left, c.failed, v)
		}
	}
	f := newFold("a", workload.RequestLimits{}) // left while no connection was to be had: nobody can tell that it is up
	for range 200 {
		attempt(t, f, endpoint.Abandoned, "", "the user left")
	}
	f.sent = 0
	if v := validityOf(f); !v.EndpointDown() {
		t.Errorf("no request went out: %+v", v)
	}
}

// A class of which nothing was answered is named, with what became of it.
func TestSilentClassIsNamed(t *testing.T) {
	s := &workload.Scenario{Mix: []workload.TrafficClass{{Name: "chat"}, {Name: "batch"}, {Name: "code"}, {Name: "unused"}}}
	f := foldFor("a", s)
	for range 1000 {
		attempt(t, f, endpoint.OK, "chat", "")
	}
	for range 20 {
		attempt(t, f, endpoint.HTTPStatus, "batch", "400 Bad Request: too long")
		attempt(t, f, endpoint.Abandoned, "code", "the user left")
	}
	v := validityOf(f)
	i := slices.IndexFunc(v.Reasons, func(r Reason) bool { return r.Code == "class_failed" })
	if i < 0 || v.Reasons[i].Verdict != Suspect || v.EndpointDown() {
		t.Fatalf("%+v", v)
	}
	for _, want := range []string{"class batch (all 20 attempts failed: 400 Bad Request: too long)", "class code (of all 20 attempts the users left"} {
		if !strings.Contains(v.Reasons[i].Text, want) {
			t.Errorf("%q does not say %q", v.Reasons[i].Text, want)
		}
	}
	if strings.Contains(v.Reasons[i].Text, "chat") || strings.Contains(v.Reasons[i].Text, "unused") {
		t.Errorf("%q", v.Reasons[i].Text)
	}
}
