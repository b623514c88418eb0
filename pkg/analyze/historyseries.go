package analyze

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// HistoryOptions say which change is one. The zero value is the default.
type HistoryOptions struct {
	// MaxP is the largest p-value of a change point; default 0.0001. With it 20 figures that never change give about one
	// false alarm a year (docs/history.md).
	MaxP float64
	// Matters is the smallest relative difference that matters; default 0.05. MattersShare is the same for shares of the
	// attempts, as a difference; default 0.01.
	Matters      float64
	MattersShare float64
	// Figures are those to show; default: those that are gated by default, and output_rate. Approach is the only approach to show.
	Figures  []string
	Approach string
}

func (o HistoryOptions) withDefaults() HistoryOptions {
	o.MaxP = cmp.Or(o.MaxP, 1e-4)
	o.Matters = cmp.Or(o.Matters, 0.05)
	o.MattersShare = cmp.Or(o.MattersShare, 0.01)
	if len(o.Figures) == 0 {
		o.Figures = append(slices.Clone(DefaultGated), "output_rate")
	}
	return o
}

// HistorySeries are the nights under one key.
type HistorySeries struct {
	Scenario string     `json:"scenario,omitempty"`
	Key      HistoryKey `json:"key"`
	// Began says what changed from the series before it of the same scenario and approach; empty where it is the first.
	Began []string `json:"began,omitempty"`
	// Ended: a later run of the same scenario and approach began another series.
	Ended  bool           `json:"ended,omitempty"`
	First  time.Time      `json:"first"`
	Last   time.Time      `json:"last"`
	Nights int            `json:"nights"`
	Trends []HistoryTrend `json:"trends"`
	// Missing are the figures asked for by name that no night has.
	Missing []string `json:"missing,omitempty"`

	recent  time.Time // the start of the first recent night
	options HistoryOptions
}

// HistoryTrend is one figure over the nights of a series.
type HistoryTrend struct {
	Name           string         `json:"name"`
	Share          bool           `json:"share,omitempty"`
	HigherIsBetter bool           `json:"higher_is_better,omitempty"`
	Points         []HistoryPoint `json:"points"`
	// Changes are the change points, in order.
	Changes []HistoryChange `json:"changes"`
	// Levels are the means of the spans between change points, one more than these; empty without a point that counts.
	Levels []HistoryLevel `json:"levels"`
}

// HistoryPoint is one night.
type HistoryPoint struct {
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	Value   float64   `json:"value"`
	Low     *float64  `json:"low,omitempty"`
	High    *float64  `json:"high,omitempty"`
	Blocks  int       `json:"blocks"`
	// Validity of the measurement. Forced: it should not stand in a history, and no change is found by it.
	Validity string `json:"validity"`
	Forced   string `json:"forced,omitempty"`
}

// HistoryChange is a change point: the first night of another level.
type HistoryChange struct {
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	Night   int       `json:"night"` // its place in Points, from 0
	Before  float64   `json:"before"`
	After   float64   `json:"after"`
	// Change is After / Before - 1, or the difference of two shares.
	Change float64 `json:"change"`
	// P is Student's, two-sided, between the levels on both sides. It is small by selection: hold it against MaxP, and not
	// against 0.05.
	P      float64 `json:"p"`
	Better bool    `json:"better,omitempty"`
}

// HistoryLevel is the mean of a span of nights, both ends included.
type HistoryLevel struct {
	From  int     `json:"from"`
	To    int     `json:"to"`
	Value float64 `json:"value"`
}

// Series sorts a history into its series, in the order in which they began, and finds their change points. It fails where
// nothing is left to show.
func (h *History) Series(o HistoryOptions) ([]HistorySeries, error) {
	named := len(o.Figures) > 0
	o = o.withDefaults()
	for _, name := range o.Figures {
		if !slices.Contains(FigureNames(), name) {
			return nil, fmt.Errorf("there is no figure %q: there are %s", name, strings.Join(FigureNames(), ", "))
		}
	}
	if len(h.Entries) == 0 {
		return nil, fmt.Errorf("%s holds no run: add one with infbench history add", h.Path)
	}
	groups := h.groups(o.Approach)
	if len(groups) == 0 {
		return nil, fmt.Errorf("%s has no approach %q: there are %s", h.Path, o.Approach, strings.Join(h.approaches(), ", "))
	}
	var out []HistorySeries
	for i, g := range groups {
		s := HistorySeries{Scenario: g[0].Scenario, Key: g[0].Key, First: g[0].Started, Last: g[len(g)-1].Started, Nights: len(g), Ended: ended(groups, i), recent: recentFrom(g), options: o}
		if before := latestBefore(groups[:i], g[0]); before != nil {
			s.Began = g[0].Key.changes(before.Key)
		}
		for _, name := range o.Figures {
			t := trendOf(g, name)
			switch {
			case len(t.Points) > 0:
				t.find(o)
				s.Trends = append(s.Trends, t)
			case named:
				s.Missing = append(s.Missing, name)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// groups are the entries by key, in the order of their first.
func (h *History) groups(approach string) [][]HistoryEntry {
	var groups [][]HistoryEntry
	for _, e := range h.Entries {
		if approach != "" && e.Key.Approach != approach {
			continue
		}
		i := slices.IndexFunc(groups, func(g []HistoryEntry) bool { return g[0].Key.equal(e.Key) })
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], e)
	}
	return groups
}

func (h *History) approaches() []string {
	var names []string
	for _, e := range h.Entries {
		if !slices.Contains(names, e.Key.Approach) {
			names = append(names, e.Key.Approach)
		}
	}
	return names
}

// latestBefore is the last entry before e of its scenario and approach, in other series.
func latestBefore(groups [][]HistoryEntry, e HistoryEntry) *HistoryEntry {
	var latest *HistoryEntry
	for _, g := range groups {
		for i := range g {
			if x := &g[i]; x.Scenario == e.Scenario && x.Key.Approach == e.Key.Approach && !x.Started.After(e.Started) && (latest == nil || x.Started.After(latest.Started)) {
				latest = x
			}
		}
	}
	return latest
}

// trendOf takes one figure of the entries of a series.
func trendOf(entries []HistoryEntry, name string) HistoryTrend {
	t := HistoryTrend{Name: name, Changes: []HistoryChange{}}
	for _, e := range entries {
		for _, f := range e.Figures {
			if f.Name == name {
				t.Share, t.HigherIsBetter = f.Share, f.HigherIsBetter
				t.Points = append(t.Points, HistoryPoint{Run: e.Run, Started: e.Started, Value: f.Value, Low: f.Low, High: f.High, Blocks: f.Blocks, Validity: e.Validity, Forced: e.Forced})
			}
		}
	}
	return t
}

// find fills in the change points and the levels. Times and rates are taken by their logarithms.
func (t *HistoryTrend) find(o HistoryOptions) {
	var x []float64
	var night []int // the place of each value in Points
	for i, p := range t.Points {
		if p.Forced == "" {
			v := p.Value
			if !t.Share {
				v = math.Log(v)
			}
			x, night = append(x, v), append(night, i)
		}
	}
	if len(x) == 0 {
		return
	}
	points := changePoints(x, o.MaxP, func(before, after float64) bool {
		if t.Share {
			return math.Abs(after-before) >= o.MattersShare
		}
		return math.Abs(after-before) >= math.Log1p(o.Matters) // a rise by it, or the fall that undoes it
	})
	from := 0
	for _, c := range points {
		at := night[c.at]
		one := HistoryChange{Run: t.Points[at].Run, Started: t.Points[at].Started, Night: at, Before: t.value(c.before), After: t.value(c.after), Change: c.after - c.before, P: c.p}
		if !t.Share {
			one.Change = math.Expm1(one.Change)
		}
		one.Better = (c.after > c.before) == t.HigherIsBetter
		t.Changes = append(t.Changes, one)
		t.level(x, night, from, c.at)
		from = c.at
	}
	t.level(x, night, from, len(x))
}

func (t *HistoryTrend) level(x []float64, night []int, from, to int) {
	var sum float64
	for _, v := range x[from:to] {
		sum += v
	}
	t.Levels = append(t.Levels, HistoryLevel{From: night[from], To: night[to-1], Value: t.value(sum / float64(to-from))})
}

func (t *HistoryTrend) value(v float64) float64 {
	if t.Share {
		return v
	}
	return math.Exp(v)
}
