package stat

import "math"

// ln 2 in two parts. The high part has its last 21 bits zero, so that its product with any exponent of a float64
// (at most 11 bits) is exact.
const (
	ln2Hi = 0x1.62e42feep-1
	ln2Lo = 0x1.a39ef35793c76p-33
)

// The series, lowest power first. The quotients are exact constants, rounded once by the compiler.
var (
	// atanh(s)/s = 1 + z/3 + z^2/5 + ... with z = s^2, from the second term, divided by z.
	atanhSeries = [...]float64{1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21}
	// (e^r - 1 - r) / r^2.
	expSeries = [...]float64{1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
		1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800}
	// (sin x - x) / x^3 and (cos x - 1) / x^2 in powers of x^2.
	sinSeries = [...]float64{-1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800,
		-1.0 / 1307674368000, 1.0 / 355687428096000}
	cosSeries = [...]float64{-1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600,
		-1.0 / 87178291200, 1.0 / 20922789888000}
	// B(2n) / (2n (2n-1)) for the Bernoulli numbers B.
	stirlingSeries = [...]float64{1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156}
)

// polynomial is c[0] + c[1] z + c[2] z^2 + ... by Horner's rule, without fusing.
func polynomial(z float64, c []float64) float64 {
	p := 0.0
	for i := len(c) - 1; i >= 0; i-- {
		p = float64(p*z) + c[i]
	}
	return p
}

// Log is the natural logarithm, within 2 units in the last place, the same bits on every machine.
// Log(0) is -Inf; Log of a negative number is NaN.
func Log(x float64) float64 {
	switch {
	case math.IsNaN(x) || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case math.IsInf(x, 1):
		return x
	}
	// x = 2^e * m with m around 1; then ln m = 2 atanh(s) with s = (m-1)/(m+1), |s| < 0.172.
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	f := m - 1
	s := f / (m + 1)
	z := float64(s * s)
	// atanh(s)/s - 1 = z/3 + z^2/5 + ...; the first term left out, z^11/23, is below 2^-59.
	p := polynomial(z, atanhSeries[:])
	// 2s = f - s*f, so ln m = f - s*(f - 2*z*p): the large term is exact and the rounding error is in the small one.
	lnm := f - float64(s*(f-2*float64(z*p)))
	k := float64(e)
	return float64(k*ln2Hi) + (lnm + float64(k*ln2Lo))
}

// Exp is e^x, within 2 units in the last place for normal results, the same bits on every machine. It overflows to
// +Inf and underflows to 0.
func Exp(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x > 709.8:
		return math.Inf(1)
	case x < -745.2:
		return 0
	}
	// x = k ln 2 + r with |r| <= ln 2 / 2; the first term left out of the Taylor series, r^14/14!, is below 2^-57.
	k := math.Floor(float64(x*math.Log2E) + 0.5)
	r := (x - float64(k*ln2Hi)) - float64(k*ln2Lo)
	return math.Ldexp(1+(r+float64(float64(r*r)*polynomial(r, expSeries[:]))), int(k))
}

// Pow is x^y for x >= 0, as Exp(y Log(x)): its relative error grows with |y Log(x)|, which is enough for sampling.
// Pow(0, y) is 0 for y > 0.
func Pow(x, y float64) float64 {
	if y == 0 {
		return 1
	}
	return Exp(float64(y * Log(x)))
}

// SinTurns is sin(2 pi u): the argument counts whole turns, so that reducing it is exact however large it is. The
// absolute error is below 2^-51; the same bits on every machine.
func SinTurns(u float64) float64 {
	quarter, r := quarterTurns(u)
	switch quarter {
	case 0:
		return sinSmall(r)
	case 1:
		return cosSmall(r)
	case 2:
		return -sinSmall(r)
	default:
		return -cosSmall(r)
	}
}

// CosTurns is cos(2 pi u). See SinTurns.
func CosTurns(u float64) float64 {
	quarter, r := quarterTurns(u)
	switch quarter {
	case 0:
		return cosSmall(r)
	case 1:
		return -sinSmall(r)
	case 2:
		return -cosSmall(r)
	default:
		return sinSmall(r)
	}
}

// quarterTurns splits u into a quarter 0..3 and a rest of at most an eighth of a turn, given in radians.
func quarterTurns(u float64) (quarter int, radians float64) {
	u -= math.Floor(u)
	q := math.Floor(float64(u*4) + 0.5)
	return int(q) & 3, float64((u - q/4) * (2 * math.Pi))
}

// sinSmall and cosSmall are for |x| <= pi/4.
func sinSmall(x float64) float64 {
	z := float64(x * x)
	return x + float64(float64(x*z)*polynomial(z, sinSeries[:]))
}

func cosSmall(x float64) float64 {
	z := float64(x * x)
	return 1 + float64(z*polynomial(z, cosSeries[:]))
}

// LogGamma is ln Gamma(x) for x > 0, with an absolute error near 1e-13 times its size: Stirling's series
// (Abramowitz and Stegun 6.1.41) above 16, reached from below by Gamma(x+1) = x Gamma(x). NaN for x <= 0. The same
// bits on every machine.
func LogGamma(x float64) float64 {
	if !(x > 0) {
		return math.NaN()
	}
	if math.IsInf(x, 1) {
		return x
	}
	product := 1.0
	for x < 16 {
		product = float64(product * x)
		x++
	}
	const halfLn2Pi = 0.91893853320467274178
	tail := polynomial(1/float64(x*x), stirlingSeries[:]) / x
	return float64((x-0.5)*Log(x)) - x + halfLn2Pi + tail - Log(product)
}
