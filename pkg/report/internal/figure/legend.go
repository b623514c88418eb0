package figure

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	legendLine = 16.0
	entryGap   = 16.0
	labelWidth = 330.0 // of the longest label
)

// legendSpot is where an entry stands: line counted from the top, x from the left.
type legendSpot struct {
	line  int
	x     vg.Length
	label string
}

// width of the swatch.
func (s Swatch) width() vg.Length {
	switch {
	case s.Line.Width > 0:
		return 26
	case s.Fill != nil:
		return 18
	}
	return 10
}

// layLegend flows the entries into lines from left to right.
func (f *Figure) layLegend(width vg.Length) (spots []legendSpot, lines int) {
	sty := textStyle(labelSize, false, ink)
	var x vg.Length
	for _, e := range f.Legend {
		label := fit(sty, e.Label, labelWidth)
		w := e.Swatch.width() + 5 + sty.Width(label)
		if x > 0 && x+w > width {
			x = 0
			lines++
		}
		spots = append(spots, legendSpot{line: lines, x: x, label: label})
		x += w + entryGap
	}
	if len(f.Legend) > 0 {
		lines++
	}
	return spots, lines
}

func (f *Figure) legendHeight() float64 {
	_, lines := f.layLegend(Width - 2*margin)
	if lines == 0 {
		return 2
	}
	return float64(lines)*legendLine + 6
}

// drawLegend draws the legend below top and returns where it ends.
func (f *Figure) drawLegend(c draw.Canvas, left, right, top vg.Length) vg.Length {
	spots, _ := f.layLegend(right - left)
	sty := textStyle(labelSize, false, ink)
	for i, s := range spots {
		mid := top - vg.Length(float64(s.line)*legendLine+legendLine/2)
		x := left + s.x
		drawSwatch(c, f.Legend[i].Swatch, x, mid)
		drawText(c, sty, vg.Point{X: x + f.Legend[i].Swatch.width() + 5, Y: mid - 3.4}, s.label)
	}
	return top - vg.Length(f.legendHeight())
}

func drawSwatch(c draw.Canvas, s Swatch, x, mid vg.Length) {
	if s.Fill != nil {
		c.FillPolygon(s.Fill, rect(x, mid-5, x+s.width(), mid+5))
	}
	if s.Line.Width > 0 {
		c.StrokeLine2(lineStyle(s.Line), x, mid, x+s.width(), mid)
	}
	at := vg.Point{X: x + s.width()/2, Y: mid}
	if s.Mark.Shape == Tee {
		at.Y += vg.Length(s.Mark.Size / 2)
	}
	drawMark(c, s.Mark, at)
}
