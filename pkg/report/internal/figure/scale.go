package figure

import "math"

// Scale maps values to positions along an axis.
type Scale string

// The scales.
const (
	Linear Scale = "linear"
	Log    Scale = "log"
	// Tail is the axis of a percentile plot: the value is a share p, its place -log10(1-p), so that 90%, 99% and 99.9%
	// are equally far apart (the way of HdrHistogram's plots).
	Tail Scale = "tail"
)

// Pos is where v stands on an axis of infinite extent, NaN where the scale has no place for it.
func (s Scale) Pos(v float64) float64 {
	switch s {
	case Log:
		if !(v > 0) || math.IsInf(v, 1) {
			return math.NaN()
		}
		return math.Log10(v)
	case Tail:
		if !(v >= 0 && v < 1) {
			return math.NaN()
		}
		return -math.Log10(1 - v)
	default:
		if math.IsInf(v, 0) {
			return math.NaN()
		}
		return v
	}
}

// Normalize makes Scale a gonum plot.Normalizer.
func (s Scale) Normalize(lo, hi, v float64) float64 {
	a, b := s.Pos(lo), s.Pos(hi)
	return (s.Pos(v) - a) / (b - a)
}

// LogTicks are the ticks of a log axis from lo to hi, 0 < lo < hi, with at most labels labels: decades where the axis
// spans enough of them, else 1-2-5 steps. name writes a value.
func LogTicks(lo, hi float64, labels int, name func(float64) string) []Tick {
	first, last := int(math.Floor(math.Log10(lo)+1e-9)), int(math.Ceil(math.Log10(hi)-1e-9))
	var decades, fives int
	for e := first; e <= last; e++ {
		for _, m := range []float64{1, 2, 5} {
			if inside(m*math.Pow10(e), lo, hi) {
				fives++
				if m == 1 {
					decades++
				}
			}
		}
	}
	every := 1
	for (decades+every-1)/every > labels {
		every++
	}
	var ticks []Tick
	for e := first; e <= last; e++ {
		for m := 1; m < 10; m++ {
			v := float64(m) * math.Pow10(e)
			if !inside(v, lo, hi) {
				continue
			}
			t := Tick{At: v}
			switch {
			case m == 1 && mod(e, every) == 0, (m == 2 || m == 5) && fives <= labels:
				t.Label = name(v)
			case m != 1 && every > 1:
				continue // minor marks inside a decade would not tell where they stand
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

func mod(a, n int) int { return ((a % n) + n) % n }

// inside tolerates the rounding of powers of ten.
func inside(v, lo, hi float64) bool { return v >= lo*(1-1e-9) && v <= hi*(1+1e-9) }

// LogRange widens [lo, hi] to the next 1-2-5 steps outside it, with at least a factor of four between them, and never
// beyond the decades of 100 ns to 10^5 s that a latency can have.
func LogRange(lo, hi float64) (float64, float64) {
	if !(lo > 0) || math.IsInf(lo, 0) || !(hi > 0) || math.IsInf(hi, 0) {
		return 1e-3, 1
	}
	lo, hi = math.Min(math.Max(lo, 1e-7), 1e5), math.Min(math.Max(hi, 1e-7), 1e5)
	a, b := step125(lo/1.02, false), step125(hi*1.02, true)
	for b/a < 4 {
		a, b = step125(a/1.5, false), step125(b*1.5, true)
	}
	return a, b
}

// step125 is the nearest 1, 2 or 5 times a power of ten at or above v, or at or below it.
func step125(v float64, up bool) float64 {
	e := math.Pow10(int(math.Floor(math.Log10(v))))
	steps := []float64{1, 2, 5, 10}
	if up {
		for _, s := range steps {
			if s*e >= v*(1-1e-12) {
				return s * e
			}
		}
	}
	best := e
	for _, s := range steps {
		if s*e <= v*(1+1e-12) {
			best = s * e
		}
	}
	return best
}

// LinearTicks are the ticks of an axis from 0 to the returned end, which is the first step at or above hi; at most labels
// steps of 1, 2 or 5 times a power of ten. name writes a value.
func LinearTicks(hi float64, labels int, name func(float64) string) (float64, []Tick) {
	if !(hi > 0) || math.IsInf(hi, 0) {
		hi = 1
	}
	step := step125(hi/float64(labels), true)
	n := int(math.Ceil(hi/step - 1e-9))
	ticks := make([]Tick, 0, n+1)
	for i := 0; i <= n; i++ {
		ticks = append(ticks, Tick{At: float64(i) * step, Label: name(float64(i) * step)})
	}
	return float64(n) * step, ticks
}

// TailTicks are the ticks of a Tail axis up to the share max: 0%, 50%, 90%, 95%, 99%, 99.9%, ...
func TailTicks(max float64) []Tick {
	ticks := []Tick{{At: 0, Label: "0%"}, {At: 0.25}, {At: 0.5, Label: "50%"}, {At: 0.75}, {At: 0.9, Label: "90%"}, {At: 0.95, Label: "95%"}}
	for nines, p := 2, 0.99; nines <= 9; nines++ {
		ticks = append(ticks, Tick{At: p, Label: percentLabel(nines)})
		ticks = append(ticks, Tick{At: 1 - 0.5*math.Pow10(-nines)})
		p = 1 - math.Pow10(-nines-1)
	}
	var in []Tick
	for _, t := range ticks {
		if Tail.Pos(t.At) <= Tail.Pos(max)+1e-9 {
			in = append(in, t)
		}
	}
	return in
}

func percentLabel(nines int) string {
	s := "99"
	for i := 2; i < nines; i++ {
		if i == 2 {
			s += "."
		}
		s += "9"
	}
	return s + "%"
}
