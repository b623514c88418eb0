package gguf

import (
	"io"
	"math"
)

// tensor is a matrix of random 16-bit numbers, or a vector of ones where rows is 0: a layer's norm, in 32 bits.
type tensor struct {
	name       string
	rows, cols int
	live       int     // the rows after these are 0
	deviation  float64 // the standard deviation of its numbers
}

func (t *tensor) params() int { return max(1, t.rows) * t.cols }

func (t *tensor) bytes() int64 {
	if t.rows == 0 {
		return 4 * int64(t.cols)
	}
	return 2 * int64(t.rows) * int64(t.cols)
}

// appendInfo adds the tensor's entry in the header. The format names the sizes from the innermost out.
func (t *tensor) appendInfo(b []byte, offset int64) []byte {
	b = appendString(b, t.name)
	if t.rows == 0 {
		b = le.AppendUint32(b, 1)
		b = le.AppendUint64(b, uint64(t.cols))
		b = le.AppendUint32(b, tensorF32)
	} else {
		b = le.AppendUint32(b, 2)
		b = le.AppendUint64(b, uint64(t.cols))
		b = le.AppendUint64(b, uint64(t.rows))
		b = le.AppendUint32(b, tensorF16)
	}
	return le.AppendUint64(b, uint64(offset))
}

// write writes the tensor's numbers, row by row, and fills up to the next one's start.
func (t *tensor) write(w io.Writer, rng *random) error {
	row := make([]byte, 0, 4*t.cols)
	for r := range max(1, t.rows) {
		row = row[:0]
		for range t.cols {
			switch {
			case t.rows == 0:
				row = le.AppendUint32(row, math.Float32bits(1))
			case r < t.live:
				row = le.AppendUint16(row, half(float32(rng.normal(t.deviation))))
			default:
				row = le.AppendUint16(row, 0)
			}
		}
		if _, err := w.Write(row); err != nil {
			return err
		}
	}
	_, err := w.Write(make([]byte, align(t.bytes())-t.bytes()))
	return err
}

// random is a SplitMix64 generator (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// normal is near enough to normally distributed around 0 for weights: the sum of four uniform 16-bit numbers. It takes
// whole numbers and one multiplication, which are the same to the bit on every machine; logarithms are not.
func (r *random) normal(deviation float64) float64 {
	// Twice the sum, less its middle: the deviation of that is the square root of 4 * 4 * (2^32-1)/12.
	const unit = 1 / 75674.45447441297
	u := r.next()
	sum := int64(u&0xffff + u>>16&0xffff + u>>32&0xffff + u>>48)
	return float64(2*sum-4*0xffff) * (unit * deviation)
}

// half is x as an IEEE 754 16-bit float, rounded to nearest, ties to even. It holds for |x| up to 65504, the largest.
func half(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	if b < 0x38800000 { // below 2^-14: a whole number of steps of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(b))*0x1p24))
	}
	b += 0xfff + b>>13&1                // round off the last 13 bits; a carry into the exponent is right
	return sign | uint16(b>>13-112<<10) // 112: the difference of the exponents' biases
}
