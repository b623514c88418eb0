package analyze

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// RecentNights is how many of a series' last nights are recent. A change point is news for as many nights from the one that first
// showed it, which is at least three nights after it came and, where the nights are noisy, many more.
const RecentNights = 7

// LeastNights is the fewest nights that count among which a change point can be.
const LeastNights = 2 * leastSegment

// RecentChange is a change point in the last nights of a series that goes on.
type RecentChange struct {
	Series *HistorySeries
	Trend  *HistoryTrend
	Change *HistoryChange
}

// RecentChanges are the change points that the last RecentNights nights of each series that goes on were the first to show.
func RecentChanges(all []HistorySeries) []RecentChange {
	var out []RecentChange
	for i := range all {
		s := &all[i]
		if s.Ended {
			continue
		}
		for j := range s.Trends {
			t := &s.Trends[j]
			for k := range t.Changes {
				if c := &t.Changes[k]; !t.shownBefore(c, s.recent, s.options) {
					out = append(out, RecentChange{Series: s, Trend: t, Change: c})
				}
			}
		}
	}
	return out
}

// shownBefore tells whether a night before a time showed a change point already: one in the same direction, at most RecentNights
// nights from where it lies now. It looks as every one of those mornings did, at the nights until then.
func (t *HistoryTrend) shownBefore(c *HistoryChange, before time.Time, o HistoryOptions) bool {
	for n := c.Night + 1; n <= len(t.Points) && t.Points[n-1].Started.Before(before); n++ {
		then := HistoryTrend{Share: t.Share, HigherIsBetter: t.HigherIsBetter, Points: t.Points[:n]}
		then.find(o)
		if slices.ContainsFunc(then.Changes, func(x HistoryChange) bool {
			return x.Better == c.Better && max(x.Night-c.Night, c.Night-x.Night) <= RecentNights
		}) {
			return true
		}
	}
	return false
}

// HistoryVerdict says of the series that go on: Fail with a recent change for the worse; else CannotTell where one of them cannot
// be told, or there is none; else Pass.
func HistoryVerdict(all []HistorySeries) string {
	for _, r := range RecentChanges(all) {
		if !r.Change.Better {
			return Fail
		}
	}
	verdict := CannotTell
	for i := range all {
		if all[i].Ended {
			continue
		}
		if all[i].Untold() != "" {
			return CannotTell
		}
		verdict = Pass
	}
	return verdict
}

// Untold is why a series without a change point may still have changed: a figure with too few nights that count, or with none of
// late; "" where nothing speaks against it.
func (s *HistorySeries) Untold() string {
	if len(s.Missing) > 0 {
		return "no night has " + strings.Join(s.Missing, ", ")
	}
	if len(s.Trends) == 0 {
		return "no night has one of the figures"
	}
	for i := range s.Trends {
		t := &s.Trends[i]
		if n := t.Counted(); n < LeastNights {
			return fmt.Sprintf("%s has %d of the %d nights that a change point takes", t.Name, n, LeastNights)
		}
		if !slices.ContainsFunc(t.Points, func(p HistoryPoint) bool { return p.Forced == "" && !p.Started.Before(s.recent) }) {
			return fmt.Sprintf("none of the last %d nights has a %s that counts", RecentNights, t.Name)
		}
	}
	return ""
}

// Counted is how many nights count: those that were not added by force.
func (t *HistoryTrend) Counted() int {
	n := 0
	for i := range t.Points {
		if t.Points[i].Forced == "" {
			n++
		}
	}
	return n
}

// recentFrom is the start of the first of the recent nights.
func recentFrom(entries []HistoryEntry) time.Time {
	return entries[max(0, len(entries)-RecentNights)].Started
}

// ended tells whether a group of entries is one of the past: a later entry of its scenario and approach is of another series.
func ended(groups [][]HistoryEntry, i int) bool {
	mine := &groups[i][len(groups[i])-1]
	for k, g := range groups {
		last := &g[len(g)-1]
		if k != i && last.Scenario == mine.Scenario && last.Key.Approach == mine.Key.Approach && (last.Started.After(mine.Started) || last.Started.Equal(mine.Started) && k > i) {
			return true
		}
	}
	return false
}
