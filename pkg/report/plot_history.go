package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
)

// day is a date as a history writes it.
func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

// HistoryPlots draws a picture of each series, in their order: every figure over the nights, with its intervals, the levels
// between change points, and these.
func HistoryPlots(all []analyze.HistorySeries) ([]Plot, error) {
	var list []sketch
	for i := range all {
		list = append(list, historyPlot(&all[i], fmt.Sprintf("history-%d", i+1)))
	}
	return draw(list)
}

func historyPlot(s *analyze.HistorySeries, name string) sketch {
	title := strings.Join(nonEmpty(s.Scenario, s.Key.Approach), ", ") + ": every night"
	if s.Key.Server["endpoint"] == "simulated" {
		title += " (simulated)"
	}
	k := sketch{name: name, figure: &figure.Figure{Title: title},
		caption: "Each dot is the mean over the blocks of a run, its stroke the 95% interval over blocks. The thick line is the level between change points; a dashed line stands at the first night of another level. The vertical axes do not begin at 0."}
	k.figure.Desc = k.caption
	x := nightAxis(s.First, s.Last)
	worse, better, forced := false, false, false
	for i := range s.Trends {
		t := &s.Trends[i]
		axis := x
		if i+1 < len(s.Trends) {
			axis = unlabelled(x)
		}
		k.figure.Rows = append(k.figure.Rows, figure.Row{Height: 150, Panels: []*figure.Panel{trendPanel(t, axis)}})
		for _, c := range t.Changes {
			worse, better = worse || !c.Better, better || c.Better
		}
		for _, p := range t.Points {
			forced = forced || p.Forced != ""
		}
	}
	if forced {
		k.caption += " A cross at an edge lies beyond it."
		k.figure.Desc = k.caption
	}
	if len(s.Trends) == 0 {
		k.figure.Rows = noData("no data: no run of this series has one of the figures")
	}
	k.figure.Legend = historyLegend(worse, better, forced)
	k.figure.Footer = []string{fmt.Sprintf("%d nights  ·  workload %.12s  ·  infbench %s", s.Nights, s.Key.Workload, s.Key.Tool), s.Key.Client}
	return k
}

// Styles of a history.
var (
	nightMark    = figure.Mark{Shape: figure.Dot, Color: figure.Hex(0x0072b2), Size: 4.5}
	forcedMark   = figure.Mark{Shape: figure.Cross, Color: figure.Hex(0x57606a), Size: 6}
	nightStroke  = figure.Stroke{Color: figure.Fade(figure.Hex(0x0072b2), 0.45), Width: 1.4}
	levelStroke  = figure.Stroke{Color: figure.Hex(0x1f2328), Width: 2}
	worseStroke  = figure.Stroke{Color: figure.Hex(0xb3261e), Width: 1.4, Dash: []float64{4, 2}}
	betterStroke = figure.Stroke{Color: figure.Hex(0x116329), Width: 1.4, Dash: []float64{1.5, 2}}
)

func historyLegend(worse, better, forced bool) []figure.Entry {
	e := []figure.Entry{{Label: "a night, with its 95% interval over blocks", Swatch: figure.Swatch{Line: nightStroke, Mark: nightMark}},
		{Label: "level", Swatch: figure.Swatch{Line: levelStroke}}}
	if worse {
		e = append(e, figure.Entry{Label: "change for the worse", Swatch: figure.Swatch{Line: worseStroke}})
	}
	if better {
		e = append(e, figure.Entry{Label: "change for the better", Swatch: figure.Swatch{Line: betterStroke}})
	}
	if forced {
		e = append(e, figure.Entry{Label: "added by force, not counted", Swatch: figure.Swatch{Mark: forcedMark}})
	}
	return e
}

// trendPanel is one figure over the nights.
func trendPanel(t *analyze.HistoryTrend, x figure.Axis) *figure.Panel {
	p := &figure.Panel{Heading: figureName(t.Name), YTitle: "no change point", X: x, Y: trendAxis(t)}
	at := func(i int) float64 { return float64(t.Points[i].Started.Unix()) }
	for i, c := range t.Changes {
		stroke, word := worseStroke, "worse"
		if c.Better {
			stroke, word = betterStroke, "better"
		}
		p.Layers = append(p.Layers, figure.Line{Name: "change", Points: []figure.XY{{X: at(c.Night), Y: p.Y.Min}, {X: at(c.Night), Y: p.Y.Max}}, Stroke: stroke})
		if i == len(t.Changes)-1 {
			p.YTitle = fmt.Sprintf("%s (%s) since %s", changeSize(t, &t.Changes[i]), word, day(c.Started))
		}
	}
	if n := len(t.Changes); n > 1 {
		p.YTitle += fmt.Sprintf(", the last of %d changes", n)
	}
	for i, q := range t.Points {
		if q.Low != nil && q.High != nil {
			p.Layers = append(p.Layers, figure.Line{Name: "interval", Points: []figure.XY{{X: at(i), Y: *q.Low}, {X: at(i), Y: *q.High}}, Stroke: nightStroke})
		}
	}
	nights, forced := figure.Dots{Name: "nights", Mark: nightMark}, figure.Dots{Name: "forced", Mark: forcedMark}
	for i, q := range t.Points {
		if q.Forced != "" {
			forced.Points = append(forced.Points, figure.XY{X: at(i), Y: min(max(q.Value, p.Y.Min), p.Y.Max)})
			continue
		}
		nights.Points = append(nights.Points, figure.XY{X: at(i), Y: q.Value})
	}
	for _, l := range t.Levels {
		p.Layers = append(p.Layers, figure.Line{Name: "level", Points: []figure.XY{{X: at(l.From), Y: l.Value}, {X: at(l.To), Y: l.Value}}, Stroke: levelStroke})
	}
	p.Layers = append(p.Layers, nights, forced)
	return p
}

// trendAxis holds the values that count and their intervals. A single interval that is much wider than the values lie apart is
// cut, and a forced value far from all others stands at the edge: they would press the others flat.
func trendAxis(t *analyze.HistoryTrend) figure.Axis {
	counts := func(p *analyze.HistoryPoint) bool { return p.Forced == "" || t.Counted() == 0 }
	lo, hi := math.Inf(1), math.Inf(-1)
	for i := range t.Points {
		if p := &t.Points[i]; counts(p) {
			lo, hi = min(lo, p.Value), max(hi, p.Value)
		}
	}
	room := max(hi-lo, 0.02*math.Abs(hi), 1e-6)
	low, high := lo, hi
	for i := range t.Points {
		if p := &t.Points[i]; counts(p) && p.Low != nil && p.High != nil {
			low, high = min(low, *p.Low), max(high, *p.High)
		}
	}
	lo, hi = max(low, lo-room)-0.06*room, min(high, hi+room)+0.06*room
	if hi-lo < room {
		lo, hi = lo-room/2, hi+room/2
	}
	if t.Share {
		lo, hi = max(lo, -0.02*room), min(hi, 1+0.02*room)
	}
	write := trendUnit(t)
	return figure.Axis{Min: lo, Max: hi, Ticks: ticksBetween(lo, hi, 5, func(v float64) string {
		if t.Share || t.Name == "output_rate" {
			return write(v)
		}
		return figure.Seconds(v)
	})}
}

// ticksBetween are at most so many ticks in 1-2-5 steps.
func ticksBetween(lo, hi float64, most int, name func(float64) string) []figure.Tick {
	step := math.Pow10(int(math.Floor(math.Log10((hi - lo) / float64(most)))))
	for k := 0; (hi-lo)/step > float64(most); k++ {
		step *= []float64{2, 2.5, 2}[k%3]
	}
	var ticks []figure.Tick
	for i := math.Ceil(lo / step); i*step <= hi; i++ {
		v := i * step
		if i == 0 {
			v = 0 // not -0
		}
		ticks = append(ticks, figure.Tick{At: v, Label: name(v)})
	}
	return ticks
}

// nightAxis is a time axis of dates, UTC.
func nightAxis(first, last time.Time) figure.Axis {
	const oneDay = 24 * time.Hour
	begin, end := first.Add(-oneDay/2), last.Add(oneDay/2)
	if pad := last.Sub(first) / 50; pad > oneDay/2 {
		begin, end = first.Add(-pad), last.Add(pad)
	}
	days := end.Sub(begin).Hours() / 24
	every := 1
	for _, every = range []int{1, 2, 7, 14, 28, 91, 182, 364, 1820} {
		if days/float64(every) <= 8 {
			break
		}
	}
	a := figure.Axis{Title: "start of the run (UTC)", Min: float64(begin.Unix()), Max: float64(end.Unix())}
	for d := first.UTC().Truncate(oneDay); !d.After(end); d = d.Add(time.Duration(every) * oneDay) {
		if !d.Before(begin) {
			a.Ticks = append(a.Ticks, figure.Tick{At: float64(d.Unix()), Label: day(d)})
		}
	}
	return a
}
