package analyze

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/measure"
)

// HistorySchema names the layout of a line of a history.
const HistorySchema = "infbench.history/v1"

// ErrNotForHistory is what HistoryEntries wraps for a run whose figures should not stand in a history: one that is invalid, or
// was not finished.
var ErrNotForHistory = errors.New("not for a history")

// HistoryEntry is one line of a history: an approach of a run.
type HistoryEntry struct {
	Schema   string     `json:"schema"`
	Run      string     `json:"run"`
	Scenario string     `json:"scenario,omitempty"` // its name
	Started  time.Time  `json:"started"`
	Key      HistoryKey `json:"key"`
	Blocks   int        `json:"blocks"` // that went through
	Validity string     `json:"validity"`
	// Forced is why the run was not for a history, where it was added all the same. Such an entry is drawn, and no change is
	// found by it.
	Forced  string          `json:"forced,omitempty"`
	Figures []HistoryFigure `json:"figures"`
}

// HistoryKey is what entries of one series have in common: figures under another key do not compare.
type HistoryKey struct {
	Workload string `json:"workload"` // its digest: what was asked
	Approach string `json:"approach"`
	// Server is how the model is served, as far as it is declared: the levers, the model, the API, whether answers are streamed
	// and whether the endpoint is a simulated one.
	Server map[string]string `json:"server"`
	// Client is the machine of the load generator.
	Client string `json:"client"`
	// Tool is the version of infbench.
	Tool string `json:"tool"`
	// Tokens is how tokens were counted.
	Tokens string `json:"tokens,omitempty"`
}

// HistoryFigure is a figure over the blocks of a run.
type HistoryFigure struct {
	Name  string `json:"name"` // as in "ttft p95"
	Share bool   `json:"share,omitempty"`
	// HigherIsBetter, as for goodput.
	HigherIsBetter bool `json:"higher_is_better,omitempty"`
	// Value is the mean over the blocks: the geometric one of times and rates. Seconds, shares or 1/s.
	Value float64 `json:"value"`
	// Low and High are its 95% interval over blocks by Student's t, of the logarithms where the mean is geometric. Absent with
	// one block.
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
	Blocks int      `json:"blocks"`
}

// HistoryEntries are the entries of a record, one of each approach that has a block that went through. A run that was not
// finished, or whose measurement of an approach is invalid, is an error that wraps ErrNotForHistory, unless forced: then its entries say so.
func HistoryEntries(rec *measure.Record, forced bool) ([]HistoryEntry, error) {
	arms, err := Arms(rec)
	if err != nil {
		return nil, err
	}
	var entries []HistoryEntry
	for _, a := range arms {
		why := ""
		switch {
		case len(a.Blocks) == 0:
			why = fmt.Sprintf("no block of %s went through", a.Approach)
		case rec.Manifest.State != measure.Complete:
			why = "the run is " + runInfo(rec.Manifest).State
		case a.Summary.Validity == Invalid:
			why = fmt.Sprintf("the measurement of %s is invalid: see its report", a.Approach)
		}
		if why != "" && !forced {
			return nil, fmt.Errorf("%s is %w: %s", rec.Dir, ErrNotForHistory, why)
		}
		if len(a.Blocks) == 0 {
			continue
		}
		e := a.historyEntry()
		e.Forced = why
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s is %w: no block went through", rec.Dir, ErrNotForHistory)
	}
	return entries, nil
}

func (a *Arm) historyEntry() HistoryEntry {
	m := a.Record.Manifest
	e := HistoryEntry{Schema: HistorySchema, Run: m.ID, Scenario: m.Scenario.Name, Started: m.Started.UTC(), Key: a.historyKey(), Blocks: len(a.Blocks), Validity: a.Summary.Validity}
	for _, f := range comparedFigures() {
		values, _ := f.values(a, nil)
		if len(values) == 0 || !f.share && slices.ContainsFunc(values, func(v float64) bool { return !(v > 0) }) {
			continue // not measured, or without a geometric mean: absent, never 0
		}
		out := HistoryFigure{Name: f.name, Share: f.share, HigherIsBetter: f.higher, Value: *f.mean(values), Blocks: len(values)}
		if est, err := stat.Paired(f.scaled(values), 0.95); err == nil {
			low, high := est.Interval.Low, est.Interval.High
			if !f.share {
				low, high = math.Exp(low), math.Exp(high)
			}
			out.Low, out.High = &low, &high
		}
		e.Figures = append(e.Figures, out)
	}
	return e
}

func (a *Arm) historyKey() HistoryKey {
	m := a.Record.Manifest
	server := a.levers()
	server["api"] = cmp.Or(a.approach().API, "openai-chat")
	if a.approach().Simulate != nil {
		server["endpoint"] = "simulated"
	}
	maps.DeleteFunc(server, func(_, value string) bool { return value == "" }) // declared as nothing is not declared
	tool := m.Tool.Version
	if tool == "devel" && m.Tool.Revision != "" {
		tool += " " + m.Tool.Revision[:min(12, len(m.Tool.Revision))]
	}
	return HistoryKey{Workload: m.Scenario.WorkloadDigest(), Approach: a.Approach, Server: server, Client: m.Machine.String(), Tool: tool, Tokens: a.Summary.Tokens.Basis}
}

// equal tells whether figures under both keys are of one series.
func (k HistoryKey) equal(o HistoryKey) bool {
	return k.Workload == o.Workload && k.Approach == o.Approach && k.Client == o.Client && k.Tool == o.Tool && k.Tokens == o.Tokens && maps.Equal(k.Server, o.Server)
}

// changes says what differs from an earlier key, each as "tool version changed from 1 to 2".
func (k HistoryKey) changes(before HistoryKey) []string {
	var out []string
	differ := func(what, x, y string) {
		if x != y {
			out = append(out, fmt.Sprintf("%s changed from %s to %s", what, cmp.Or(x, "none"), cmp.Or(y, "none")))
		}
	}
	differ("approach", before.Approach, k.Approach)
	differ("workload", fmt.Sprintf("%.12s", before.Workload), fmt.Sprintf("%.12s", k.Workload))
	names := slices.Collect(maps.Keys(k.Server))
	for name := range before.Server {
		if _, both := k.Server[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		differ(name, before.Server[name], k.Server[name])
	}
	differ("client machine", before.Client, k.Client)
	differ("tool version", before.Tool, k.Tool)
	differ("token basis", before.Tokens, k.Tokens)
	return out
}

// check says what a line lacks; "" where it is whole.
func (e *HistoryEntry) check() string {
	switch {
	case e.Run == "":
		return "it names no run"
	case e.Key.Approach == "" || e.Key.Workload == "":
		return "its key names no approach or no workload"
	case e.Started.IsZero():
		return "it has no start time"
	case e.Blocks < 1:
		return fmt.Sprintf("it has %d blocks", e.Blocks)
	}
	seen := map[string]bool{}
	for _, f := range e.Figures {
		switch {
		case f.Name == "" || strings.TrimSpace(f.Name) != f.Name || seen[f.Name]:
			return fmt.Sprintf("it has a figure %q without a name of its own", f.Name)
		case !f.Share && !(f.Value > 0):
			return fmt.Sprintf("its %s is %g", f.Name, f.Value)
		case (f.Low == nil) != (f.High == nil) || f.Low != nil && (f.Value < *f.Low*(1-1e-9) || f.Value > *f.High*(1+1e-9)):
			// But for rounding: the bounds of an interval without width are the mean itself.
			return fmt.Sprintf("the interval of its %s does not hold it", f.Name)
		}
		seen[f.Name] = true
	}
	return ""
}
