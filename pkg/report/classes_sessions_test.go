package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/workload"
)

// TestClassTablesShowConversations: a class that talks has its conversations, in its own column and in no other's.
func TestClassTablesShowConversations(t *testing.T) {
	a := mixed(synthetic(1))
	p := &a.Summary.Approaches[0]
	if tab := classTables(a.Summary)[0].table; slices.ContainsFunc(tab.groups, func(g group) bool { return g.title == "Conversations" }) {
		t.Error("conversations of a run without any")
	}
	p.Classes[0].Sessions = &analyze.Sessions{Begun: 321, Ends: map[workload.SessionEnd]int{workload.SessionCutOff: 17}}
	tab := classTables(a.Summary)[0].table
	i := slices.IndexFunc(tab.groups, func(g group) bool { return g.title == "Conversations" })
	if i < 0 {
		t.Fatal("no conversations")
	}
	var begun []string
	for _, c := range tab.groups[i].rows[0].cells {
		begun = append(begun, c.text)
	}
	if want := []string{absent, "321", absent, absent}; !slices.Equal(begun, want) {
		t.Errorf("begun %v, want %v", begun, want)
	}
}

// TestClassTablesMarkShorterAnswers: the mark stands at the class whose answers are shorter than another approach's, and not
// where those of another approach are.
func TestClassTablesMarkShorterAnswers(t *testing.T) {
	a := mixed(synthetic(1))
	name := a.Summary.Approaches[0].Name
	a.Summary.Workload.Outputs = nil
	for i := range a.Summary.Workload.Classes {
		a.Summary.Workload.Classes[i].Outputs = nil
	}
	a.Summary.Workload.Classes[1].Outputs = []analyze.OutputLengths{{Approach: name, Against: "other", Pairs: 50, Mean: 10, AgainstMean: 20, Differs: true}}
	all := classTables(a.Summary)
	for k, c := range all {
		for _, g := range c.table.groups {
			for _, r := range g.rows {
				follows := r.label == "output tokens" || strings.HasPrefix(r.label, "E2E p")
				for i, cell := range r.cells {
					if marked, want := strings.HasSuffix(cell.text, "†"), k == 0 && follows && i == 2 && cell.tone == plain; marked != want {
						t.Errorf("%s, %s, column %d: %q", c.approach, r.label, i, cell.text)
					}
				}
			}
		}
	}
	if notes := strings.Join(classNotes(all), "\n"); !strings.Contains(notes, "†") {
		t.Errorf("the mark is not explained: %s", notes)
	}
}

// TestSubtitleCallsConversationsByName: the schedule of a run of conversations holds these, not its requests.
func TestSubtitleCallsConversationsByName(t *testing.T) {
	a := synthetic(1)
	if got := subtitle(a.Summary); !strings.Contains(got, "scheduled arrivals") {
		t.Error(got)
	}
	a.Summary.Approaches[0].Sessions = &analyze.Sessions{Begun: 3}
	if got := subtitle(a.Summary); !strings.Contains(got, "conversations scheduled") || strings.Contains(got, "arrivals") {
		t.Error(got)
	}
}
