package figure

import (
	"bytes"
	"fmt"
	"image/color"
	"math"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Colours of what is not data.
var (
	ink   = Hex(0x1f2328)
	faint = Hex(0x57606a)
	rule  = Hex(0x8c959f)
	grid  = Hex(0xe6e9ec)
)

const (
	margin      = 14.0 // around everything
	titleSize   = 15.0
	headSize    = 11.0
	labelSize   = 10.0
	footerSize  = 8.5
	headHeight  = 17.0 // of a panel's heading
	rowGap      = 8.0
	columnGap   = 16.0
	footerLine  = 11.5
	titleHeight = 22.0
)

// Height is the natural height of the figure.
func (f *Figure) Height() float64 {
	h := margin + titleHeight + f.legendHeight() + margin + float64(len(f.Footer))*footerLine
	for _, r := range f.Rows {
		h += r.Height + rowGap
	}
	return math.Ceil(h)
}

// PNG draws the figure at twice its natural size.
func (f *Figure) PNG() ([]byte, error) {
	const dpi = 2 * 72 // one unit is a point of 1/72 inch
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(Width, vg.Length(f.Height())), vgimg.UseDPI(dpi))}
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("draw %q as PNG: %w", f.Title, err)
	}
	return b.Bytes(), nil
}

func (f *Figure) draw(c draw.Canvas) {
	c.FillPolygon(color.White, rect(c.Min.X, c.Min.Y, c.Max.X, c.Max.Y))
	left, right, top := c.Min.X+margin, c.Max.X-margin, c.Max.Y-margin
	drawText(c, textStyle(titleSize, true, ink), vg.Point{X: left, Y: top - titleSize + 2}, f.Title)
	top -= titleHeight
	top = f.drawLegend(c, left, right, top)
	f.drawRows(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: left, Y: c.Min.Y}, Max: vg.Point{X: right, Y: top}}})
	sty := textStyle(footerSize, false, faint)
	for i, line := range f.Footer {
		y := c.Min.Y + vg.Length(margin-4+float64(len(f.Footer)-1-i)*footerLine)
		drawText(c, sty, vg.Point{X: left, Y: y}, fit(sty, line, right-left))
	}
}

// placed is a panel ready to draw: its axes and its place.
type placed struct {
	panel *Panel
	plot  *plot.Plot
	cell  draw.Canvas
}

// drawRows places the panels so that those of one column start and end at the same height of the horizontal axis: a time
// reads straight down.
func (f *Figure) drawRows(c draw.Canvas) {
	var all []placed
	insetL, insetR := map[[2]int]vg.Length{}, map[[2]int]vg.Length{}
	top := c.Max.Y
	for _, row := range f.Rows {
		n := len(row.Panels)
		w := (c.Max.X - c.Min.X - vg.Length(columnGap*float64(n-1))) / vg.Length(n)
		for i, p := range row.Panels {
			x := c.Min.X + vg.Length(i)*(w+columnGap)
			pl := placed{panel: p, plot: p.axes(), cell: draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: x, Y: top - vg.Length(row.Height)}, Max: vg.Point{X: x + w, Y: top}}}}
			data, key := pl.plot.DataCanvas(pl.body()), [2]int{n, i}
			insetL[key] = max(insetL[key], data.Min.X-pl.cell.Min.X)
			insetR[key] = max(insetR[key], pl.cell.Max.X-data.Max.X)
			all = append(all, pl)
		}
		top -= vg.Length(row.Height + rowGap)
	}
	i := 0
	for _, row := range f.Rows {
		for col := range row.Panels {
			pl, key := all[i], [2]int{len(row.Panels), col}
			i++
			data := pl.plot.DataCanvas(pl.body())
			pl.draw(insetL[key]-(data.Min.X-pl.cell.Min.X), insetR[key]-(pl.cell.Max.X-data.Max.X))
		}
	}
}

// body is the cell without the heading.
func (p placed) body() draw.Canvas { return draw.Crop(p.cell, 0, 0, 0, -headHeight) }

// draw draws the panel, its sides pushed in by left and right.
func (p placed) draw(left, right vg.Length) {
	body := draw.Crop(p.body(), left, -right, 0, 0)
	data := p.plot.DataCanvas(body)
	x := data.Min.X
	y := p.cell.Max.Y - headSize - 1
	if p.panel.Heading != "" {
		sty := textStyle(headSize, true, orInk(p.panel.Color))
		drawText(p.cell, sty, vg.Point{X: x, Y: y}, p.panel.Heading)
		x += sty.Width(clean(p.panel.Heading)) + 8
	}
	drawText(p.cell, textStyle(labelSize, false, faint), vg.Point{X: x, Y: y}, p.panel.YTitle)
	p.plot.Draw(body)
	if p.panel.Empty != "" {
		sty := textStyle(12, false, faint)
		sty.XAlign = draw.XCenter
		drawText(data, sty, data.Center(), p.panel.Empty)
	}
}

// axes is the gonum plot of the panel: its axes, with the grid and the layers as one plotter.
func (p *Panel) axes() *plot.Plot {
	g := plot.New()
	g.BackgroundColor = nil
	setAxis(&g.X, p.X)
	setAxis(&g.Y, p.Y)
	g.X.Label.Text = clean(p.X.Title)
	g.Add(layers{p})
	return g
}

func setAxis(a *plot.Axis, from Axis) {
	a.Min, a.Max, a.Scale = from.Min, from.Max, from.Scale
	a.Padding = 0
	a.LineStyle = draw.LineStyle{Color: rule, Width: 0.8}
	a.Tick.LineStyle = draw.LineStyle{Color: rule, Width: 0.8}
	a.Tick.Length = 4
	xa, ya := a.Tick.Label.XAlign, a.Tick.Label.YAlign
	a.Tick.Label = textStyle(labelSize, false, ink)
	a.Tick.Label.XAlign, a.Tick.Label.YAlign = xa, ya
	a.Label.TextStyle = textStyle(labelSize, false, faint)
	a.Label.TextStyle.XAlign = draw.XCenter
	a.Label.Padding = 2
	ticks := make(plot.ConstantTicks, len(from.Ticks))
	for i, t := range from.Ticks {
		ticks[i] = plot.Tick{Value: t.At}
		if !from.NoLabels {
			ticks[i].Label = clean(t.Label)
		}
	}
	a.Tick.Marker = ticks
}

// layers draws a panel's grid and layers; it is the panel's only gonum plotter.
type layers struct{ p *Panel }

func (l layers) Plot(c draw.Canvas, g *plot.Plot) {
	x, y := g.Transforms(&c)
	f := frame{Canvas: c, x: x, y: y}
	if l.p.Empty != "" {
		c.FillPolygon(Hex(0xf6f8fa), rect(c.Min.X, c.Min.Y, c.Max.X, c.Max.Y))
		return
	}
	for _, layer := range l.p.Layers {
		if b, ok := layer.(Band); ok { // below the grid
			b.draw(f)
		}
	}
	l.grid(f)
	for _, layer := range l.p.Layers {
		if _, ok := layer.(Band); !ok {
			layer.draw(f)
		}
	}
}

func (l layers) grid(f frame) {
	sty := draw.LineStyle{Color: grid, Width: 0.8}
	for _, t := range l.p.X.Ticks {
		if x := f.x(t.At); t.Label != "" && !l.p.X.NoGrid && f.ContainsX(x) {
			f.StrokeLine2(sty, x, f.Min.Y, x, f.Max.Y)
		}
	}
	for _, t := range l.p.Y.Ticks {
		if y := f.y(t.At); t.Label != "" && !l.p.Y.NoGrid && f.ContainsY(y) {
			f.StrokeLine2(sty, f.Min.X, y, f.Max.X, y)
		}
	}
}

func orInk(c color.Color) color.Color {
	if c == nil {
		return ink
	}
	return c
}

// textStyle is the one font of a figure: Liberation Sans, which has the widths of Arial and Helvetica, so that an SVG
// shown with either has its text where it was laid out.
func textStyle(size float64, bold bool, c color.Color) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size)}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return text.Style{Color: c, Font: f, Handler: plot.DefaultTextHandler}
}

func drawText(c draw.Canvas, sty text.Style, at vg.Point, s string) {
	if s = clean(s); s != "" {
		c.FillText(sty, at, s)
	}
}

// fit takes from the middle of s until it is no wider than width: names that start alike often differ at their ends.
func fit(sty text.Style, s string, width vg.Length) string {
	s = clean(s)
	r := []rune(s)
	for head, tail := len(r)/2, len(r)-len(r)/2; sty.Width(s) > width && head+tail > 1; {
		if head > tail {
			head--
		} else {
			tail--
		}
		s = string(r[:head]) + "…" + string(r[len(r)-tail:])
	}
	return s
}

// Fit shortens a label of an axis to width.
func Fit(s string, width float64) string {
	return fit(textStyle(labelSize, false, ink), s, vg.Length(width))
}
