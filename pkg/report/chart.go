package report

import (
	"math"
	"strings"
)

// chartRows is the height of a chart on a terminal.
const chartRows = 8

// chartMargin is the width of what stands left of its bars.
const chartMargin = 9

var eighths = []rune(" ▁▂▃▄▅▆▇█")

// drawChart draws a rate per column as bars over a base line, and curve (which may be nil) as dots where it is above the
// bar's end.
func drawChart(line func(format string, args ...any), bars, curve []float64) {
	top := 0.0
	for i := range bars {
		top = max(top, bars[i])
		if curve != nil {
			top = max(top, curve[i])
		}
	}
	for row := chartRows - 1; row >= 0; row-- {
		label := ""
		if row == chartRows-1 || row == 0 || row == chartRows/2 {
			label = perSecond(top * float64(row+1) / chartRows)
			if row == 0 {
				label = "0/s"
			}
		}
		var b strings.Builder
		for i := range bars {
			dot := 0.0
			if curve != nil {
				dot = curve[i]/top*chartRows - float64(row)
			}
			b.WriteRune(barCell(bars[i]/top*chartRows-float64(row), dot))
		}
		line("%*s │%s", chartMargin-2, label, strings.TrimRight(b.String(), " "))
	}
	line("%*s └%s", chartMargin-2, "", strings.Repeat("─", len(bars)))
}

// barCell is one character of the chart: what of the bar lies in this row, or a dot where only the rate does.
func barCell(bar, rate float64) rune {
	n := int(math.Round(min(max(bar, 0), 1) * 8))
	if n == 0 && rate > 0 && rate <= 1 {
		return '·'
	}
	return eighths[n]
}
