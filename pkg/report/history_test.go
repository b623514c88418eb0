package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/infbench/infbench/pkg/analyze"
)

// shownHistory is 40 nights of an approach: a change for the worse five nights ago and one for the better on night 20, a forced
// night far off, a tool that was new on night 10. Every name holds text.
func shownHistory(t *testing.T, text string) (*analyze.History, []analyze.HistorySeries) {
	t.Helper()
	h := &analyze.History{Path: "nightly/history.jsonl", Torn: []int{7}}
	for i := range 40 {
		wave := 1 + 0.01*float64(i%3)
		late, early := 1.0, 1.0
		if i >= 35 {
			late = 1.2
		}
		if i < 20 {
			early = 1.1
		}
		figure := func(name string, v float64, share, higher bool) analyze.HistoryFigure {
			low, high := v*0.97, v*1.03
			return analyze.HistoryFigure{Name: name, Value: v, Low: &low, High: &high, Share: share, HigherIsBetter: higher, Blocks: 6}
		}
		e := analyze.HistoryEntry{Run: fmt.Sprintf("run-%d%s", i, text), Scenario: "nightly" + text, Started: time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC).AddDate(0, 0, i), Blocks: 6, Validity: analyze.Valid,
			Key: analyze.HistoryKey{Workload: "abababababababab", Approach: "ours" + text, Server: map[string]string{"model" + text: "small" + text}, Client: "linux" + text, Tool: "v1" + text},
			Figures: []analyze.HistoryFigure{figure("ttft p95", 0.4*wave*late, false, false), figure("tpot p50", 0.02*wave*early, false, false),
				figure("error_rate", 0.01*wave, true, false), figure("output_rate", 800*wave, false, true)}}
		if i >= 10 {
			e.Key.Tool = "v2" + text
		}
		if i == 30 {
			e.Forced, e.Figures[0] = "the run is interrupted"+text, figure("ttft p95", 40, false, false)
		}
		h.Entries = append(h.Entries, e)
	}
	all, err := h.Series(analyze.HistoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return h, all
}

func historyPageOf(t *testing.T, text string) []byte {
	t.Helper()
	h, all := shownHistory(t, text)
	var plots []Plot
	for i := range all {
		k := historyPlot(&all[i], fmt.Sprintf("history-%d", i+1))
		svg, err := k.figure.SVG()
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(svg, new(struct{})); err != nil {
			t.Errorf("%q: plot %d is not XML: %v", text, i, err)
		}
		plots = append(plots, Plot{Name: k.name, Title: k.figure.Title, Caption: k.caption, SVG: svg})
	}
	var b bytes.Buffer
	if err := HistoryHTML(&b, h, all, plots); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestHistoryPage: it says what changed of late, what goes on stands first, and it loads nothing.
func TestHistoryPage(t *testing.T) {
	page := historyPageOf(t, "")
	s := string(page)
	for _, want := range []string{
		`class="banner bad"`, "1 change in the last 7 nights", "2 series of 40 runs",
		`<a href="#series-2">nightly · ours · since 2026-01-11, TTFT p95</a>: <span class="mark bad">&#43;19.9% since 2026-02-05</span>`,
		"TTFT p95: worse since 2026-02-05 (night 26, run run-35)", "TPOT p50: better since 2026-01-21 (night 11, run run-20): −9",
		"A new series: tool version changed from v1 to v2.", "ended: later runs are of another series", "line 7 ends in the middle", "added with --force",
	} {
		if !strings.Contains(s, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Index(s, `id="series-2"`) > strings.Index(s, `id="series-1"`) {
		t.Error("a series that ended stands before one that goes on")
	}
	for _, e := range elements(t, page) {
		for _, attr := range e.Attr {
			if k, v := attr.Name.Local, attr.Value; e.Name.Local == "script" || k == "src" || k == "href" && !strings.HasPrefix(v, "#") && v != "data:," {
				t.Errorf("<%s %s=%q> refers to something else", e.Name.Local, k, v)
			}
		}
	}
	for _, bad := range []string{"http://www.example", "https://", "url(", "@import", "ZgotmplZ"} {
		if strings.Contains(s, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if h, all := shownHistory(t, ""); HistoryHTML(new(bytes.Buffer), h, all, nil) == nil {
		t.Error("a page without its plots")
	}
}

func TestHistoryForeignTextStaysText(t *testing.T) {
	want := len(elements(t, historyPageOf(t, "harmless")))
	for _, attack := range attacks {
		if got := len(elements(t, historyPageOf(t, attack))); got != want {
			t.Errorf("%q changes the page: %d elements instead of %d", attack, got, want)
		}
	}
}

// TestHistoryTerminal: it fits the width, says each change, and without colour there is no escape.
func TestHistoryTerminal(t *testing.T) {
	for _, width := range []int{60, 80, 120} {
		for _, color := range []bool{false, true} {
			h, all := shownHistory(t, "")
			var b bytes.Buffer
			if err := HistoryTerminal(&b, h, all, width, color); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), "\x1b") != color {
				t.Errorf("width %d, colour %t: escapes", width, color)
			}
			text := strings.Join(strings.Fields(b.String()), " ")
			for _, want := range []string{"+19.9% 2026-02-05", "worse since 2026-02-05", "better since 2026-01-21", "No change point.", "▁", "!"} {
				if !strings.Contains(text, want) {
					t.Errorf("width %d: it lacks %q", width, want)
				}
			}
			for line := range strings.Lines(b.String()) {
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); !color && n > width {
					t.Errorf("width %d: a line of %d: %q", width, n, line)
				}
			}
		}
	}
}

// TestTrendAxis: the axis holds every value that counts; a forced value far off does not press them flat.
func TestTrendAxis(t *testing.T) {
	_, all := shownHistory(t, "")
	a := trendAxis(&all[1].Trends[0])
	for _, p := range all[1].Trends[0].Points {
		if p.Forced == "" && (p.Value < a.Min || p.Value > a.Max) {
			t.Errorf("%g lies outside %g to %g", p.Value, a.Min, a.Max)
		}
	}
	if a.Max > 1 || len(a.Ticks) < 2 {
		t.Errorf("%+v", a)
	}
	panel := trendPanel(&all[1].Trends[0], nightAxis(all[1].First, all[1].Last))
	if panel.YTitle != "+19.9% (worse) since 2026-02-05" {
		t.Errorf("%q", panel.YTitle)
	}
	alone := &analyze.HistoryTrend{Name: "ttft p95", Points: []analyze.HistoryPoint{{Value: 3, Forced: "invalid"}}}
	if a := trendAxis(alone); !(a.Min < 3 && a.Max > 3) {
		t.Errorf("a forced night alone: %+v", a)
	}
	flat := &analyze.HistoryTrend{Name: "error_rate", Share: true, Points: []analyze.HistoryPoint{{Value: 0}, {Value: 0}}}
	if a := trendAxis(flat); !(a.Min <= 0 && a.Max > 0) {
		t.Errorf("no errors: %+v", a)
	}
}

func TestWriteHistory(t *testing.T) {
	dir := t.TempDir()
	h, all := shownHistory(t, "")
	for range 2 { // it is written over
		if err := WriteHistory(dir, h, all); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"history.html", "history/history-1.svg", "history/history-2.png"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
