package telemetry

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestTableIsWhole: every quantity has a kind and a unit that fit, every server reads quantities that exist, no metric twice for
// the same, and nothing is published that nobody reads.
func TestTableIsWhole(t *testing.T) {
	kinds := map[string][]string{Gauge: {"requests", "ratio"}, Counter: {"requests", "tokens"}, Time: {"seconds"}}
	read := map[string]bool{}
	names := map[string]bool{}
	for _, q := range Quantities() {
		if names[q.Name] || q.Means == "" || !slices.Contains(kinds[q.Kind], q.Unit) || !slices.Contains([]string{"", "sum", "max"}, q.Combine) {
			t.Errorf("quantity %+v", q)
		}
		if (q.Unit == "ratio") != (q.Combine == "max") {
			t.Errorf("%s: ratios of several engines do not add up", q.Name)
		}
		names[q.Name] = true
	}
	if len(Servers()) < 7 {
		t.Errorf("%d servers", len(Servers()))
	}
	for _, s := range Servers() {
		if s.Title == "" || s.Page == "" || len(s.Reads) < fewest {
			t.Errorf("server %+v", s)
		}
		seen := map[string]bool{}
		for _, r := range s.Reads {
			q, ok := QuantityOf(r.Quantity)
			if !ok || seen[r.Quantity] {
				t.Errorf("%s reads %s, which is unknown or read twice", s.Name, r.Quantity)
			}
			seen[r.Quantity], read[r.Quantity] = true, true
			if (len(r.Metrics) == 0) == (len(r.Add) == 0) {
				t.Errorf("%s, %s: give metrics or add", s.Name, r.Quantity)
			}
			if r.Part != "" && q.Kind != Counter || r.Count != "" && q.Kind != Time || len(r.Add) > 0 && q.Kind != Counter {
				t.Errorf("%s, %s: part is of a counter, count of a time, add of a counter", s.Name, r.Quantity)
			}
			for _, m := range slices.Concat(r.Metrics, r.Add) {
				if ref := parseRef(m); ref.name == "" || strings.ContainsAny(ref.name, " {}=") || strings.Contains(m, "{") != (ref.value != "") {
					t.Errorf("%s, %s: metric %q", s.Name, r.Quantity, m)
				}
			}
		}
		if !seen[RequestsRunning] || !seen[RequestsWaiting] {
			t.Errorf("%s: what runs and what waits is the least that it must say", s.Name)
		}
	}
	for _, q := range Quantities() {
		if !read[q.Name] {
			t.Errorf("no server publishes %s", q.Name)
		}
	}
}

// TestConstantsAreTheTable: the names that the program uses are those of the data.
func TestConstantsAreTheTable(t *testing.T) {
	used := []string{RequestsRunning, RequestsWaiting, RouterWaiting, KVCacheUsage, Acceptance, RequestsFinished, InputTokens, OutputTokens,
		PrefixCacheQueries, PrefixCacheHits, Preemptions, DraftedTokens, AcceptedTokens, ServerQueue, Prefill, Decode, TTFT, E2E}
	var have []string
	for _, q := range Quantities() {
		have = append(have, q.Name)
	}
	if !slices.Equal(used, have) {
		t.Errorf("used %v, the table has %v", used, have)
	}
}

// TestDocumentedServers: docs/telemetry.md names every server, every quantity and every metric of the table.
func TestDocumentedServers(t *testing.T) {
	doc, err := os.ReadFile("../../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range Servers() {
		if !strings.Contains(string(doc), "| "+s.Title+" |") {
			t.Errorf("docs/telemetry.md lacks the server %s", s.Title)
		}
	}
	for _, q := range Quantities() {
		if !strings.Contains(string(doc), "`"+q.Name+"`") {
			t.Errorf("docs/telemetry.md lacks %s", q.Name)
		}
	}
}
