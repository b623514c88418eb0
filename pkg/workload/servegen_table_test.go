package workload

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// The table of ServeGen's aggregates (measurement.md, section 2) is over 422 clients. Of them 6 are kept, and the sum of
// the 162 of m-large as a curve in windows of 10 minutes. What follows from those is reproduced here digit by digit; what
// needs all clients (the spread of CVs over client windows, the counts of gamma and Weibull windows, the rows of the other
// models) cannot be.

// meanOf is the mean of values.
func meanOf(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// derivedCurve is the kept curve of m-large.
func derivedCurve(t *testing.T) (windows []rateWindow, rates []float64) {
	t.Helper()
	name := filepath.Join(sharedTraces(t), "derived", "servegen_m-large_aggregate_rate_10min.csv")
	f, err := os.Open(name)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	if windows, err = readRateCurve(f, name); err != nil {
		t.Fatal(err)
	}
	for _, w := range windows {
		rates = append(rates, w.rate)
	}
	return windows, rates
}

// TestServeGenAggregates: mean and peak of m-large, its ratio from one 10 minutes to the next, its hours and its days.
func TestServeGenAggregates(t *testing.T) {
	windows, rates := derivedCurve(t)
	if end := windows[len(windows)-1].to; len(rates) != 14*144 || end != 14*24*3600 {
		t.Fatalf("%d windows until %v s", len(rates), end)
	}
	mean := meanOf(rates)
	same(t, "mean and peak/mean of m-large", "196/2.98", mean, slices.Max(rates)/mean)
	var ratios []float64
	for i := 1; i < len(rates); i++ {
		ratios = append(ratios, rates[i]/rates[i-1])
	}
	slices.Sort(ratios)
	same(t, "ratio of neighbours, p1 and p99", "0.58/1.58", ratios[len(ratios)/100], ratios[len(ratios)*99/100])
	var days []float64
	for d := range 14 {
		days = append(days, meanOf(rates[d*144:(d+1)*144])/mean)
	}
	same(t, "days over the mean", "0.54/1.43", slices.Min(days), slices.Max(days))
	var cos, sin float64
	for h := range 24 {
		profile := 0.0
		for d := range 14 {
			profile += meanOf(rates[d*144+h*6:d*144+h*6+6]) / mean / 14
		}
		cos += profile * math.Cos(2*math.Pi*float64(h)/24) / 12
		sin += profile * math.Sin(2*math.Pi*float64(h)/24) / 12
	}
	same(t, "daily amplitude", "0.12", math.Hypot(cos, sin))
	if peak := math.Mod(math.Atan2(sin, cos)/(2*math.Pi)*24+24, 24); peak < 18 || peak > 20 {
		t.Errorf("the day peaks at %.1f h, the table has 18 to 20", peak)
	}
}

// TestServeGenKeptClients: what the table and the text below it say of the clients that are kept.
func TestServeGenKeptClients(t *testing.T) {
	dir := filepath.Join(sharedTraces(t), "servegen")
	_, all := derivedCurve(t)
	for name, want := range map[string]struct {
		rate, cv string // mean rate, median CV of the active windows
		active   float64
		of       float64 // of the model's mean rate
		share    string  // in percent
	}{
		"m-large.chunk-61":     {"31", "1.05", 0.74, meanOf(all), "16"},
		"m-large.chunk-0":      {"0.56", "9.1", 0.65, 0, ""},
		"m-large.chunk-1":      {"0.30", "9.1", 0.12, 0, ""},
		"m-large.chunk-10":     {"0.06", "0.98", 0.47, 0, ""},
		"deepseek-r1.chunk-35": {"4.6", "2.4", 0.81, 16.0, "29"}, // of the rate that the table prints
	} {
		f, err := os.Open(filepath.Join(dir, name+clientWindows))
		if err != nil {
			t.Fatal(err)
		}
		windows, _, err := readWindows(f, name)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		var rates, cvs []float64
		for _, w := range windows {
			rates = append(rates, w.rate)
			if w.rate > 0 {
				cvs = append(cvs, burstCV(w.burst))
			}
		}
		slices.Sort(cvs)
		median := (cvs[(len(cvs)-1)/2] + cvs[len(cvs)/2]) / 2
		same(t, name+", rate and CV", want.rate+"/"+want.cv, meanOf(rates), median)
		if active := float64(len(cvs)) / float64(len(rates)); math.Abs(active-want.active) > 0.006 {
			t.Errorf("%s is active %.3f of the time, want %.2f", name, active, want.active)
		}
		if want.share != "" {
			same(t, name+", share of its model", want.share, 100*meanOf(rates)/want.of)
		}
	}
}

// burstCV is the CV of a window's gaps.
func burstCV(b Burst) float64 {
	switch {
	case b.Gamma != nil:
		return b.Gamma.CV
	case b.Weibull != nil:
		return b.Weibull.CV
	}
	return 1
}

// TestServeGenCurveIsSent: a schedule over the kept curve, two weeks in 2.8 hours at a mean of 20/s, follows it window by
// window within Poisson's error, and so has its peak over the mean.
func TestServeGenCurveIsSent(t *testing.T) {
	windows, rates := derivedCurve(t)
	const measure, mean = 5 * 2016, 20.0
	s, err := NewSchedule(&Scenario{Seed: 3, Dir: sharedTraces(t), Phases: Phases{Measure: sec(measure)},
		Arrivals: Arrivals{Rate: mean, Shape: &Shape{Curve: &RateCurve{Path: "derived/servegen_m-large_aggregate_rate_10min.csv"}}}})
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]float64, len(windows))
	for _, at := range s.Times {
		counts[at/(5*time.Second)]++
	}
	chi, top := 0.0, slices.Index(rates, slices.Max(rates))
	for i, n := range counts {
		want := 5 * mean * rates[i] / meanOf(rates)
		chi += (n - want) * (n - want) / want
	}
	if n := float64(len(counts)); math.Abs(chi-n) > 4*math.Sqrt(2*n) {
		t.Errorf("chi-squared %.0f with %g windows", chi, n)
	}
	if peak := counts[top] / meanOf(counts); math.Abs(peak-2.98) > 4*2.98/math.Sqrt(counts[top]) {
		t.Errorf("peak/mean %.2f, the table has 2.98", peak)
	}
}

// TestServeGenUnionFollowsItsWindows: the union of kept clients of m-large has in each window the arrivals that their rates
// add to, within the error that their CVs make of it.
func TestServeGenUnionFollowsItsWindows(t *testing.T) {
	dir := filepath.Join(sharedTraces(t), "servegen")
	const pattern, width = "m-large.chunk-1*-trace.csv", 600 * time.Second // chunks 1 and 10
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) != 2 {
		t.Skip(files, err)
	}
	mean, variance, counts := make([]float64, 2016), make([]float64, 2016), make([]float64, 2016)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		windows, _, err := readWindows(f, name)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range windows {
			mean[i] += 600 * w.rate
			variance[i] += 600 * w.rate * burstCV(w.burst) * burstCV(w.burst)
		}
	}
	f, err := OpenTrace(&Trace{Path: pattern}, dir, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := eachRow(f.rows, func(r *TraceRow) { counts[r.At/width]++ }); err != nil {
		t.Fatal(err)
	}
	var sum, squares, n float64
	for i := range counts {
		if mean[i] == 0 {
			if counts[i] > 0 {
				t.Errorf("window %d is idle and has %g arrivals", i, counts[i])
			}
			continue
		}
		z := (counts[i] - mean[i]) / math.Sqrt(variance[i])
		sum, squares, n = sum+z, squares+z*z, n+1
	}
	// Counts of less than a few bursts vary less than in the long run: the mean square is 1 at most.
	if bias := sum / math.Sqrt(n); n < 500 || math.Abs(bias) > 4 || squares/n > 1+4*math.Sqrt(2/n)+0.1 || squares/n < 0.5 {
		t.Errorf("%g windows: mean z sqrt(n) %.2f, mean square %.2f", n, bias, squares/n)
	}
}
