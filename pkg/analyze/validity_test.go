package analyze

import (
	"slices"
	"testing"
)

// A reason that is found in many blocks of an approach is said once; what differs in more than its figures is another.
func TestReasonsAreSaidOnce(t *testing.T) {
	a := newAudit()
	for _, r := range []struct{ approach, text string }{
		{"v1", "v1: stood still for 4.2% of the time, up to 19ms at once"},
		{"v2", "v2: stood still for 3% of the time, up to 40ms at once"},
		{"v1", "v1: stood still for 1% of the time, up to 1.5s at once"},
		{"v1", "v1, class c1: too few"},
		{"v1", "v1, class c2: too few"},
		{"v1", "v1: stood still for 0.5% of the time, up to 7ms at once"},
		{"v2", "v2: stood still for 12% of the time, up to 70ms at once"},
		{"", "the run saw 3 of 4"},
		{"", "the run saw 2 of 4"},
	} {
		a.about = r.approach
		a.add(Suspect, "code", "%s", r.text)
	}
	var got []string
	for _, r := range a.verdict().Reasons {
		got = append(got, r.Text)
	}
	want := []string{
		"v1: stood still for 4.2% of the time, up to 19ms at once (and in 2 blocks more)",
		"v2: stood still for 3% of the time, up to 40ms at once (and in 1 block more)",
		"v1, class c1: too few",
		"v1, class c2: too few",
		"the run saw 3 of 4",
		"the run saw 2 of 4",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
