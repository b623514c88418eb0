package stat

import "math"

// Moments gathers the mean and the spread of a stream of values in constant memory (Welford, 1962). The zero value is
// empty.
type Moments struct {
	n       int
	mean    float64
	squares float64 // of the deviations from the mean
}

// Add takes one value.
func (m *Moments) Add(x float64) {
	m.n++
	d := x - m.mean
	m.mean += d / float64(m.n)
	m.squares += float64(d * (x - m.mean))
}

// N is how many values there were.
func (m *Moments) N() int { return m.n }

// Mean is 0 without values.
func (m *Moments) Mean() float64 { return m.mean }

// SD is the standard deviation of the sample (n-1). Below two values it is 0.
func (m *Moments) SD() float64 {
	if m.n < 2 {
		return 0
	}
	return math.Sqrt(max(m.squares, 0) / float64(m.n-1))
}

// CV is the coefficient of variation, SD over mean, and whether it is defined: that takes two values and a positive
// mean.
func (m *Moments) CV() (cv float64, ok bool) {
	if m.n < 2 || !(m.mean > 0) {
		return 0, false
	}
	return m.SD() / m.mean, true
}

// Correlation gathers Pearson's coefficient of a stream of pairs in constant memory. The zero value is empty.
type Correlation struct {
	x, y    Moments
	product float64 // of the deviations
}

// Add takes one pair.
func (c *Correlation) Add(x, y float64) {
	dx := x - c.x.mean
	c.x.Add(x)
	c.y.Add(y)
	c.product += float64(dx * (y - c.y.mean))
}

// R is the coefficient, and whether it is defined: neither side may be constant.
func (c *Correlation) R() (r float64, ok bool) {
	scale := float64(math.Sqrt(max(c.x.squares, 0)) * math.Sqrt(max(c.y.squares, 0)))
	if !(scale > 0) {
		return 0, false
	}
	return min(max(c.product/scale, -1), 1), true
}
