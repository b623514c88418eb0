package stat

import "math/bits"

// exactBits is how many leading bits of a value Counts keeps: values below 2^exactBits exactly, others to 1 part in
// 2^(exactBits-1).
const exactBits = 17

// Counts is the distribution of a stream of whole numbers, 0 or more, in bounded memory: at most 12 MiB below 10^8.
// The zero value is empty.
type Counts struct {
	cells []int64
	n     int64
	sum   float64
	max   int
}

// Add counts a value; a negative one counts as 0.
func (c *Counts) Add(v int) {
	v = max(v, 0)
	i := cell(v)
	for len(c.cells) <= i {
		c.cells = append(c.cells, make([]int64, max(i+1-len(c.cells), len(c.cells), 64))...)
	}
	c.cells[i]++
	c.n++
	c.sum += float64(v)
	c.max = max(c.max, v)
}

// cell numbers the values: each its own below 2^exactBits, then 2^(exactBits-1) cells for each power of two.
func cell(v int) int {
	drop := max(bits.Len(uint(v))-exactBits, 0)
	return drop<<(exactBits-1) + v>>drop
}

// value is the smallest value of a cell.
func value(cell int) int {
	drop := max(cell>>(exactBits-1)-1, 0)
	return (cell - drop<<(exactBits-1)) << drop
}

// N is how many values there were.
func (c *Counts) N() int64 { return c.n }

// Mean is 0 without values.
func (c *Counts) Mean() float64 {
	if c.n == 0 {
		return 0
	}
	return c.sum / float64(c.n)
}

// Max is the largest value, 0 without any.
func (c *Counts) Max() int { return c.max }

// Quantile interpolates between the order statistics on both sides of q (n-1), 0 <= q <= 1: the rule of R's type 7 and
// of numpy. It is 0 without values.
func (c *Counts) Quantile(q float64) float64 {
	if c.n == 0 {
		return 0
	}
	at := min(max(q, 0), 1) * float64(c.n-1)
	rank := int64(at)
	low, high := c.order(rank)
	return low + float64((at-float64(rank))*(high-low))
}

// order gives the order statistics of a rank, from 0, and of the next.
func (c *Counts) order(rank int64) (this, next float64) {
	var seen int64
	found := false
	for i, n := range c.cells {
		if seen += n; n == 0 {
			continue
		}
		if found {
			return this, float64(min(value(i), c.max))
		}
		if seen > rank {
			this, found = float64(value(i)), true
			if rank == c.n-1 {
				return float64(c.max), float64(c.max)
			}
			if seen > rank+1 {
				return this, this
			}
		}
	}
	return float64(c.max), float64(c.max)
}
