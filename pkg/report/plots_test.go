package report

import (
	"bytes"
	"fmt"
	"image/color"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
)

// What is drawn is held as data, not as pixels: every panel with its axes, every layer with its points.
func TestPlotDataGolden(t *testing.T) {
	var b bytes.Buffer
	for _, s := range sketches(bare(multiply(synthetic(0.06), 2), "never-answered")) {
		dumpFigure(&b, s)
	}
	golden(t, "plots.txt", b.Bytes())
	b.Reset()
	for _, s := range sketches(runs()["nothing"]) {
		dumpFigure(&b, s)
	}
	golden(t, "plots-nothing.txt", b.Bytes())
}

func dumpFigure(b *bytes.Buffer, s sketch) {
	fmt.Fprintf(b, "== %s: %s\n", s.name, s.figure.Title)
	for _, e := range s.figure.Legend {
		fmt.Fprintf(b, "legend %q", e.Label)
		if e.Swatch.Fill != nil {
			fmt.Fprintf(b, " fill %s", hexOf(e.Swatch.Fill))
		}
		if e.Swatch.Line.Width > 0 {
			fmt.Fprintf(b, " line %s", strokeOf(e.Swatch.Line))
		}
		if e.Swatch.Mark.Shape != figure.None {
			fmt.Fprintf(b, " %s %s", e.Swatch.Mark.Shape, hexOf(e.Swatch.Mark.Color))
		}
		b.WriteByte('\n')
	}
	for _, r := range s.figure.Rows {
		for _, p := range r.Panels {
			dumpPanel(b, p)
		}
	}
	for _, f := range s.figure.Footer {
		fmt.Fprintf(b, "footer %q\n", f)
	}
}

func dumpPanel(b *bytes.Buffer, p *figure.Panel) {
	fmt.Fprintf(b, "panel %q %q\n", p.Heading, p.YTitle)
	if p.Empty != "" {
		fmt.Fprintf(b, "  empty %q\n", p.Empty)
	}
	for _, a := range []struct {
		name string
		axis figure.Axis
	}{{"x", p.X}, {"y", p.Y}} {
		var ticks []string
		for _, tick := range a.axis.Ticks {
			if tick.Label != "" {
				ticks = append(ticks, tick.Label)
			}
		}
		fmt.Fprintf(b, "  %s %.4g to %.4g %s %q ticks %s\n", a.name, a.axis.Min, a.axis.Max, a.axis.Scale, a.axis.Title, strings.Join(ticks, ", "))
	}
	for _, l := range p.Layers {
		dumpLayer(b, l)
	}
}

func dumpLayer(b *bytes.Buffer, l figure.Layer) {
	switch l := l.(type) {
	case figure.Band:
		fmt.Fprintf(b, "  band %.4g to %.4g %s\n", l.From, l.To, hexOf(l.Fill))
	case figure.Line:
		fmt.Fprintf(b, "  line %q %s:%s\n", l.Name, strokeOf(l.Stroke), pointsOf(l.Points))
	case figure.Steps:
		fmt.Fprintf(b, "  steps %q to %.4g:%s\n", l.Name, l.End, pointsOf(l.Points))
	case figure.Dots:
		fmt.Fprintf(b, "  %s %q:%s\n", l.Mark.Shape, l.Name, pointsOf(l.Points))
	case figure.TopMarks:
		fmt.Fprintf(b, "  top %q:", l.Name)
		for _, x := range l.X {
			fmt.Fprintf(b, " %.4g", x)
		}
		b.WriteByte('\n')
	case figure.Limit:
		fmt.Fprintf(b, "  limit %q at %.4g up to %.4g full %t\n", l.Label, l.Y, l.X, l.Full)
	case figure.Bar:
		fmt.Fprintf(b, "  bar %.4g %q:", l.Row, l.Label)
		for _, p := range l.Parts {
			fmt.Fprintf(b, " [%s %.4g to %.4g %q]", p.Name, p.From, p.To, p.Label)
		}
		b.WriteByte('\n')
	default:
		fmt.Fprintf(b, "  unknown layer %T\n", l)
	}
}

func pointsOf(pts []figure.XY) string {
	var b strings.Builder
	for _, p := range pts {
		fmt.Fprintf(&b, " %.4g,%.4g", p.X, p.Y)
	}
	return b.String()
}

func strokeOf(s figure.Stroke) string {
	return fmt.Sprintf("%s %.4g %v", hexOf(s.Color), s.Width, s.Dash)
}

func hexOf(c color.Color) string {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return fmt.Sprintf("#%02x%02x%02x/%02x", n.R, n.G, n.B, n.A)
}

// Approaches keep their colour and dashes in every plot, and no two of eight share either.
func TestApproachStylesDiffer(t *testing.T) {
	seenColor, seenDash, seenBoth := map[string]int{}, map[string]int{}, map[string]int{}
	for i := range 16 {
		s := approachStroke(i)
		c, d := hexOf(s.Color), fmt.Sprint(s.Dash)
		if j, ok := seenColor[c]; ok && i < 8 {
			t.Errorf("approaches %d and %d share the colour %s", j, i, c)
		}
		if j, ok := seenDash[d]; ok && i < 8 {
			t.Errorf("approaches %d and %d share the dashes %s", j, i, d)
		}
		if j, ok := seenBoth[c+d]; ok {
			t.Errorf("approaches %d and %d look the same", j, i)
		}
		seenColor[c], seenDash[d], seenBoth[c+d] = i, i, i
	}
}

// A bar's parts lie end to end and its label is their sum, also where a part is missing or negative.
func TestStackAddsUp(t *testing.T) {
	parts, label := stack(&analyze.Breakdown{Parts: []analyze.Part{{Name: "a", Value: 0.1}, {Name: "b", Value: -0.02}, {Name: "c", Value: 0.3}}}, nil)
	if len(parts) != 2 || parts[0].To != parts[1].From || label != "380 ms" {
		t.Errorf("parts %v, label %s; want two that touch, and 380 ms", parts, label)
	}
	if parts, label := stack(&analyze.Breakdown{}, nil); len(parts) != 0 || label != absent {
		t.Errorf("nothing gives %v, %s", parts, label)
	}
}

func TestBinLineBreaksAtGaps(t *testing.T) {
	got := pointsOf(binLine([]analyze.Bin{{T: 0, V: 1}, {T: 5, V: 2}, {T: 20, V: 3}, {T: 40, V: 4}, {T: 45, V: 5}}, 5))
	if want := " 2.5,1 7.5,2 NaN,NaN 20,3 25,3 NaN,NaN 42.5,4 47.5,5"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
