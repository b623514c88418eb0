package report

import (
	"image/color"

	"github.com/infbench/infbench/pkg/report/internal/figure"
)

// The colours of approaches: those of Okabe and Ito ("Color Universal Design", 2008), which the common kinds of colour
// blindness keep apart, in an order that keeps neighbours far apart in lightness too. Their yellow cannot be read on
// white; a grey stands in its place, last. Every approach has a dash pattern of its own as well.
var approachColors = []color.NRGBA{
	figure.Hex(0x0072b2), // blue
	figure.Hex(0xd55e00), // vermillion
	figure.Hex(0x009e73), // bluish green
	figure.Hex(0xcc79a7), // reddish purple
	figure.Hex(0xe69f00), // orange
	figure.Hex(0x56b4e9), // sky blue
	figure.Hex(0x000000), // black
	figure.Hex(0x7f7f7f), // grey
}

var approachDashes = [][]float64{nil, {9, 3}, {3, 2}, {9, 3, 2, 3}, {14, 4}, {5, 5}, {2, 4}, {9, 3, 2, 3, 2, 3}}

func approachColor(i int) color.NRGBA { return approachColors[i%len(approachColors)] }

// approachStroke is the line of the i-th approach. Past the eighth the colours come again, with the next dashes.
func approachStroke(i int) figure.Stroke {
	turn := i / len(approachColors)
	return figure.Stroke{Color: approachColor(i), Width: 1.8, Dash: approachDashes[(i+turn)%len(approachDashes)]}
}

// The parts of a TTFT are no approaches, so their colours come from another scheme (Paul Tol's "muted", colour-blind
// safe): waiting in warm colours, work in cool ones.
var partColors = []struct {
	word       string // in the part's name
	fill, text color.NRGBA
}{
	{"lag", figure.Hex(0x332288), figure.Hex(0xffffff)},
	{"send", figure.Hex(0x332288), figure.Hex(0xffffff)},
	{"connect", figure.Hex(0xddcc77), figure.Hex(0x1f2328)},
	{"write", figure.Hex(0x999933), figure.Hex(0x1f2328)},
	{"queue", figure.Hex(0xcc6677), figure.Hex(0x1f2328)},
	{"excess", figure.Hex(0xe6a1ac), figure.Hex(0x1f2328)},
	{"prefill", figure.Hex(0x44aa99), figure.Hex(0x1f2328)},
	{"service", figure.Hex(0x88ccee), figure.Hex(0x1f2328)},
}

// spareParts colour parts of which the table above knows nothing.
var spareParts = []color.NRGBA{figure.Hex(0xaa4499), figure.Hex(0x117733), figure.Hex(0x882255), figure.Hex(0x6e7781)}

var (
	slateText  = figure.Hex(0x1f2328)
	failColor  = figure.Hex(0xb3261e)
	limitColor = figure.Hex(0x3d444d)
	warmupFill = figure.Hex(0xeef0f2)
	spikeFill  = figure.Hex(0xfff0c8)
	otherFill  = figure.Hex(0xe9eefb)
	rateLine   = figure.Hex(0x6e7781)
	rateFill   = figure.Hex(0xd0d7de)
)

// limitStroke is the line of the i-th SLO limit: one grey, and dashes of its own.
func limitStroke(i int) figure.Stroke {
	dashes := [][]float64{{2, 2}, {6, 2, 2, 2}, {8, 3}, {1, 3}}
	return figure.Stroke{Color: limitColor, Width: 1.1, Dash: dashes[i%len(dashes)]}
}

// darker is c at 70% of its light: a line over dots of the same colour.
func darker(c color.NRGBA) color.NRGBA {
	return color.NRGBA{R: uint8(int(c.R) * 7 / 10), G: uint8(int(c.G) * 7 / 10), B: uint8(int(c.B) * 7 / 10), A: c.A}
}
