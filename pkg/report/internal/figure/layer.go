package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Layer is one thing drawn in a panel, in the order of Panel.Layers.
type Layer interface {
	draw(f frame)
}

// frame is the data area of a panel and its coordinates. x and y may give NaN.
type frame struct {
	draw.Canvas
	x, y func(float64) vg.Length
}

func (f frame) at(p XY) (vg.Point, bool) {
	q := vg.Point{X: f.x(p.X), Y: f.y(p.Y)}
	return q, !math.IsNaN(float64(q.X)) && !math.IsNaN(float64(q.Y))
}

// Band shades the span [From, To] of the horizontal axis.
type Band struct {
	From, To float64
	Fill     color.Color
}

func (b Band) draw(f frame) {
	from, to := clamp(f.x(b.From), f.Min.X, f.Max.X), clamp(f.x(b.To), f.Min.X, f.Max.X)
	if !(to > from) {
		return
	}
	f.FillPolygon(b.Fill, rect(from, f.Min.Y, to, f.Max.Y))
}

// Line joins points.
type Line struct {
	Name   string // of the series, for tests
	Points []XY
	Stroke Stroke
}

func (l Line) draw(f frame) {
	for _, piece := range f.pieces(l.Points) {
		for _, clipped := range f.ClipLinesXY(piece) {
			f.StrokeLines(lineStyle(l.Stroke), simplify(clipped, 0.12))
		}
	}
}

// pieces cuts a series at its holes and gives it in canvas coordinates.
func (f frame) pieces(points []XY) [][]vg.Point {
	var all [][]vg.Point
	var cur []vg.Point
	for _, p := range points {
		q, ok := f.at(p)
		if !ok {
			all, cur = append(all, cur), nil
			continue
		}
		cur = append(cur, q)
	}
	all = append(all, cur)
	out := all[:0]
	for _, p := range all {
		if len(p) == 1 { // a point between two holes: still to be seen
			p = []vg.Point{{X: p[0].X - 1, Y: p[0].Y}, {X: p[0].X + 1, Y: p[0].Y}}
		}
		if len(p) > 1 {
			out = append(out, p)
		}
	}
	return out
}

// Steps fills the area below a step function: each point holds until the next, the last until End.
type Steps struct {
	Name   string
	Points []XY
	End    float64
	Fill   color.Color
	Stroke Stroke
}

func (s Steps) draw(f frame) {
	var top []vg.Point
	flush := func() {
		if len(top) > 0 {
			poly := append([]vg.Point{{X: top[0].X, Y: f.Min.Y}}, top...)
			poly = append(poly, vg.Point{X: top[len(top)-1].X, Y: f.Min.Y})
			f.FillPolygon(s.Fill, f.ClipPolygonXY(poly))
			f.StrokeLines(lineStyle(s.Stroke), f.ClipLinesXY(top)...)
		}
		top = nil
	}
	for i, p := range s.Points {
		end := s.End
		if i+1 < len(s.Points) {
			end = s.Points[i+1].X
		}
		from, ok1 := f.at(p)
		to, ok2 := f.at(XY{end, p.Y})
		if !ok1 || !ok2 {
			flush()
			continue
		}
		top = append(top, from, to)
	}
	flush()
}

// Dots draws one mark per point. What lies outside the axes is left out: the axes must be chosen to hold all.
type Dots struct {
	Name   string
	Points []XY
	Mark   Mark
}

// dotLayers is how many paths the dots of one layer are spread over: inside one path overlapping dots do not add up to a
// darker spot, and one path per dot would make a huge file.
const dotLayers = 8

func (d Dots) draw(f frame) {
	paths := make([]vg.Path, dotLayers)
	for i, p := range d.Points {
		q, ok := f.at(p)
		if !ok || !f.Contains(q) {
			continue
		}
		if d.Mark.Shape == Dot { // a short stroke as wide as it is long: the smallest thing that an SVG can say
			h := vg.Length(d.Mark.Size / 2)
			paths[i%dotLayers].Move(vg.Point{X: q.X - h, Y: q.Y})
			paths[i%dotLayers].Line(vg.Point{X: q.X + h, Y: q.Y})
			continue
		}
		drawMark(f.Canvas, d.Mark, q)
	}
	f.SetLineStyle(draw.LineStyle{Color: d.Mark.Color, Width: vg.Length(d.Mark.Size)})
	for _, p := range paths {
		if len(p) > 0 {
			f.Stroke(p)
		}
	}
}

// TopMarks draws one mark per value on the upper edge of the panel: things that have a time and no value.
type TopMarks struct {
	Name string
	X    []float64
	Mark Mark
}

func (m TopMarks) draw(f frame) {
	var last vg.Length = -1e9
	for _, v := range m.X {
		x := f.x(v)
		if math.IsNaN(float64(x)) || !f.ContainsX(x) || math.Abs(float64(x-last)) < 0.25 {
			continue // what falls on the same spot is drawn once
		}
		last = x
		drawMark(f.Canvas, m.Mark, vg.Point{X: x, Y: f.Max.Y})
	}
}

// Limit is a horizontal line at Y from the left edge to X (the right edge when Full), closed by a dot at its end, and a
// label above it: a curve that keeps the limit passes below the dot.
type Limit struct {
	Y, X   float64
	Full   bool
	Label  string
	Stroke Stroke
}

func (l Limit) draw(f frame) {
	y, x := f.y(l.Y), f.Max.X
	if math.IsNaN(float64(y)) || !f.ContainsY(y) {
		return
	}
	if !l.Full {
		if x = f.x(l.X); math.IsNaN(float64(x)) {
			return
		}
		x = clamp(x, f.Min.X, f.Max.X)
	}
	f.StrokeLine2(lineStyle(l.Stroke), f.Min.X, y, x, y)
	if !l.Full {
		drawMark(f.Canvas, Mark{Shape: Dot, Color: l.Stroke.Color, Size: 5}, vg.Point{X: x, Y: y})
	}
	if l.Label == "" {
		return
	}
	sty := textStyle(9, true, l.Stroke.Color)
	w := sty.Width(l.Label)
	left := clamp(x-w-4, f.Min.X+4, f.Max.X-w-4)
	if l.Full {
		left = f.Max.X - w - 4
	}
	base := y + 3.5
	if base+9 > f.Max.Y { // no room above the line
		base = y - 10
	}
	f.FillPolygon(color.NRGBA{R: 255, G: 255, B: 255, A: 215}, rect(left-2, base-2, left+w+2, base+8.5))
	drawText(f.Canvas, sty, vg.Point{X: left, Y: base}, l.Label)
}

// Bar is one horizontal stack, centred on Row of the vertical axis.
type Bar struct {
	Row   float64
	Parts []BarPart
	Label string // beside the end: the total
	Size  float64
}

// BarPart is one part of a stack.
type BarPart struct {
	Name     string
	From, To float64
	Fill     color.Color
	Text     color.Color // of the value written inside where there is room
	Label    string
}

func (b Bar) draw(f frame) {
	y, h := f.y(b.Row), vg.Length(b.Size/2)
	end := f.Min.X
	for _, p := range b.Parts {
		x0, x1 := clamp(f.x(p.From), f.Min.X, f.Max.X), clamp(f.x(p.To), f.Min.X, f.Max.X)
		if !(x1 > x0) {
			continue
		}
		end = max(end, x1)
		f.FillPolygon(p.Fill, rect(x0, y-h, x1, y+h))
		sty := textStyle(9, false, p.Text)
		if w := sty.Width(p.Label); p.Label != "" && x1-x0 > w+8 && b.Size >= 11 {
			drawText(f.Canvas, sty, vg.Point{X: (x0 + x1 - w) / 2, Y: y - 3.1}, p.Label)
		}
	}
	if b.Label != "" {
		drawText(f.Canvas, textStyle(10, true, ink), vg.Point{X: end + 5, Y: y - 3.4}, b.Label)
	}
}

func drawMark(c draw.Canvas, m Mark, p vg.Point) {
	r := vg.Length(m.Size / 2)
	switch m.Shape {
	case Dot:
		c.FillPolygon(m.Color, disc(p, r))
	case Cross:
		c.StrokeLines(draw.LineStyle{Color: m.Color, Width: 1.6},
			[]vg.Point{{X: p.X - r, Y: p.Y - r}, {X: p.X + r, Y: p.Y + r}},
			[]vg.Point{{X: p.X - r, Y: p.Y + r}, {X: p.X + r, Y: p.Y - r}})
	case Tee:
		c.StrokeLine2(draw.LineStyle{Color: m.Color, Width: 1.1}, p.X, p.Y, p.X, p.Y-2*r)
	}
}

// disc is a circle as a polygon: short to write, and round enough at the size of a mark.
func disc(p vg.Point, r vg.Length) []vg.Point {
	const n = 16
	pts := make([]vg.Point, n)
	for i := range pts {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / n)
		pts[i] = vg.Point{X: p.X + r*vg.Length(cos), Y: p.Y + r*vg.Length(sin)}
	}
	return pts
}

func rect(x0, y0, x1, y1 vg.Length) []vg.Point {
	return []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
}

func clamp(v, lo, hi vg.Length) vg.Length { return min(max(v, lo), hi) }

func lineStyle(s Stroke) draw.LineStyle {
	dashes := make([]vg.Length, len(s.Dash))
	for i, d := range s.Dash {
		dashes[i] = vg.Length(d)
	}
	return draw.LineStyle{Color: s.Color, Width: vg.Length(s.Width), Dashes: dashes}
}

// simplify drops the points of a line that change it by less than tol (Ramer, Douglas, Peucker).
func simplify(pts []vg.Point, tol vg.Length) []vg.Point {
	if len(pts) < 3 {
		return pts
	}
	keep := make([]bool, len(pts))
	keep[0], keep[len(pts)-1] = true, true
	stack := [][2]int{{0, len(pts) - 1}}
	for len(stack) > 0 {
		span := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		far, dist := 0, tol
		for i := span[0] + 1; i < span[1]; i++ {
			if d := distance(pts[i], pts[span[0]], pts[span[1]]); d > dist {
				far, dist = i, d
			}
		}
		if far > 0 {
			keep[far] = true
			stack = append(stack, [2]int{span[0], far}, [2]int{far, span[1]})
		}
	}
	out := make([]vg.Point, 0, len(pts))
	for i, k := range keep {
		if k {
			out = append(out, pts[i])
		}
	}
	return out
}

// distance of p from the segment ab.
func distance(p, a, b vg.Point) vg.Length {
	d := b.Sub(a)
	length := d.Dot(d)
	if length == 0 {
		return vg.Length(math.Hypot(float64(p.X-a.X), float64(p.Y-a.Y)))
	}
	t := clamp(p.Sub(a).Dot(d)/length, 0, 1)
	q := a.Add(d.Scale(t))
	return vg.Length(math.Hypot(float64(p.X-q.X), float64(p.Y-q.Y)))
}
