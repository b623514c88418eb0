package analyze

import (
	"slices"
	"testing"
)

// steps is a history of one figure by its levels: so many nights of each, with a little noise.
func steps(nights []int, levels ...float64) []HistoryEntry {
	var all []HistoryEntry
	for i, n := range nights {
		for range n {
			all = append(all, nightOf(len(all), levels[i]*(1+0.002*float64(len(all)%3))))
		}
	}
	return all
}

func TestHistoryVerdict(t *testing.T) {
	moved := func(all []HistoryEntry, from int) []HistoryEntry {
		for i := range all[from:] {
			all[from+i].Key.Tool = "v2"
		}
		return all
	}
	forced := func(all []HistoryEntry, last int) []HistoryEntry {
		for i := range last {
			all[len(all)-1-i].Forced = "invalid"
		}
		return all
	}
	rates := func(all []HistoryEntry) []HistoryEntry {
		for i := range all {
			all[i].Figures[0].Name, all[i].Figures[0].HigherIsBetter = "output_rate", true
		}
		return all
	}
	for name, c := range map[string]struct {
		entries []HistoryEntry
		figures []string
		want    string
		changes int
	}{
		"level":                    {steps([]int{20}, 1), nil, Pass, 0},
		"worse of late":            {steps([]int{20, 4}, 1, 1.2), nil, Fail, 1},
		"shown seven nights ago":   {steps([]int{20, 8}, 1, 1.2), nil, Fail, 1},
		"shown eight nights ago":   {steps([]int{20, 9}, 1, 1.2), nil, Pass, 0},
		"better of late":           {steps([]int{20, 4}, 1, 0.8), nil, Pass, 1},
		"one night alone":          {steps([]int{20, 1}, 1, 1.2), nil, Pass, 0},
		"a rate that fell":         {rates(steps([]int{20, 4}, 1, 0.8)), nil, Fail, 1},
		"too few":                  {steps([]int{5}, 1), nil, CannotTell, 0},
		"just enough":              {steps([]int{6}, 1), nil, Pass, 0},
		"too few that count":       {forced(steps([]int{8}, 1), 3), nil, CannotTell, 0},
		"none of late counts":      {forced(steps([]int{20}, 1), 7), nil, CannotTell, 0},
		"worse, then another tool": {moved(steps([]int{20, 4, 6}, 1, 1.2, 1.2), 24), nil, Pass, 0},
		"another tool last night":  {moved(steps([]int{20}, 1), 19), nil, CannotTell, 0},
		"a figure that none has":   {steps([]int{20}, 1), []string{"ttft p95", "tpot p50"}, CannotTell, 0},
		"none of the figures":      {steps([]int{20}, 1), []string{"tpot p50"}, CannotTell, 0},
	} {
		s, err := (&History{Entries: c.entries}).Series(HistoryOptions{Figures: c.figures})
		if err != nil {
			t.Fatal(err)
		}
		if got, n := HistoryVerdict(s), len(RecentChanges(s)); got != c.want || n != c.changes {
			t.Errorf("%s: %s with %d recent changes, want %s with %d", name, got, n, c.want, c.changes)
		}
		goOn := slices.IndexFunc(s, func(s HistorySeries) bool { return !s.Ended })
		if goOn < 0 || (s[goOn].Untold() != "") != (c.want == CannotTell) {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if got := HistoryVerdict(nil); got != CannotTell {
		t.Errorf("no series: %s", got)
	}
}

// TestSlowDiscovery: noisy nights show a change only when it lies further back than the recent nights. It fails from the morning
// that first shows it, for RecentNights mornings.
func TestSlowDiscovery(t *testing.T) {
	var all []HistoryEntry
	for i := range 45 {
		level := 1 + 0.055*float64(i%2*2-1)
		if i >= 20 {
			level *= 1.1
		}
		all = append(all, nightOf(i, level))
	}
	first := 0 // the nights of the first morning that shows it
	for n := 21; n <= len(all); n++ {
		s, err := (&History{Entries: all[:n]}).Series(HistoryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if changes := s[0].Trends[0].Changes; first == 0 && len(changes) > 0 {
			if first = n; changes[0].Night >= n-RecentNights {
				t.Fatalf("morning %d: it lies at %d, among the recent nights: this test is about one that does not", n, changes[0].Night)
			}
		}
		want := Pass
		if first > 0 && n < first+RecentNights {
			want = Fail
		}
		if got := HistoryVerdict(s); got != want {
			t.Errorf("morning %d, first shown on %d: %s, want %s", n, first, got, want)
		}
	}
	if first == 0 {
		t.Error("it was never shown")
	}
}
