// Package figure draws figures made of stacked panels: a title, a legend outside the data, panels that share their left
// edge, and a footer. A Figure is plain data, so that a test can hold what is drawn without comparing pixels; gonum/plot
// lays out the axes and writes the SVG and PNG.
//
// Lengths are in units of the figure: one CSS pixel at the figure's natural size.
package figure

import "image/color"

// Figure is what is drawn.
type Figure struct {
	Title  string
	Desc   string // the figure in words, for those who do not see it
	Legend []Entry
	Rows   []Row
	Footer []string // lines: where the data come from
}

// Width is the natural width of every figure.
const Width = 780.0

// Row is a row of panels that share one height.
type Row struct {
	Height float64 // of each panel with its heading and axes
	Panels []*Panel
}

// Panel is one coordinate system.
type Panel struct {
	Heading string // what is shown, in bold and in HeadingColor; may be empty
	Color   color.Color
	YTitle  string // title and unit of the vertical axis; stands beside the heading, above the axis
	X, Y    Axis
	Layers  []Layer
	Empty   string // shown instead of the layers when not empty: why there is nothing to see
}

// Axis is one axis of a panel.
type Axis struct {
	Title    string // horizontal axes only
	Min, Max float64
	Scale    Scale
	Ticks    []Tick
	NoGrid   bool
	NoLabels bool // the labels stand on another panel of the same axis
}

// Tick is a mark on an axis; one without a label is minor.
type Tick struct {
	At    float64
	Label string
}

// Entry is one line of the legend.
type Entry struct {
	Label  string
	Swatch Swatch
}

// Swatch is a small sample of a style. The fields that are set are drawn over each other: fill, line, mark.
type Swatch struct {
	Fill color.Color
	Line Stroke
	Mark Mark
}

// Stroke is the style of a line. A zero Width draws nothing.
type Stroke struct {
	Color color.Color
	Width float64
	Dash  []float64
}

// Mark is the style of a point.
type Mark struct {
	Shape Shape
	Color color.Color
	Size  float64 // of the side or diameter
}

// Shape of a mark.
type Shape string

// The shapes.
const (
	None  Shape = ""
	Dot   Shape = "dot"
	Cross Shape = "cross"
	Tee   Shape = "tee" // a short stroke hanging from the mark's position
)

// XY is a point in the panel's coordinates. One with a NaN breaks a line.
type XY struct{ X, Y float64 }

// Hex is the opaque colour 0xRRGGBB.
func Hex(rgb uint32) color.NRGBA {
	return color.NRGBA{R: uint8(rgb >> 16), G: uint8(rgb >> 8), B: uint8(rgb), A: 0xff}
}

// Fade is c with an opacity of 0 to 1.
func Fade(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(opacity*255 + 0.5)
	return c
}
