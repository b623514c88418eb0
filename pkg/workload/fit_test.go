package workload

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/infbench/infbench/internal/stat"
)

// traceOf writes a schedule as a trace of lognormal lengths, in its own format.
func traceOf(t *testing.T, a Arrivals, measure int) (dir string, options *Trace) {
	t.Helper()
	s, err := NewSchedule(&Scenario{Seed: 77, Phases: Phases{Measure: sec(measure)}, Arrivals: a})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString("t,in,out\n")
	r := stat.Keyed(5, "fit test", 0)
	for _, at := range s.Times {
		fmt.Fprintf(&text, "%d,%d,%d\n", at, 1+int(r.Lognormal(500, 1)), 1+int(r.Lognormal(100, 0.5)))
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "t.csv"), []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, &Trace{Path: "t.csv", Format: "csv", Columns: &TraceColumns{Time: "t", Unit: "ns", Input: "in", Output: "out"}}
}

// TestFitFindsTheTruth: a trace that was made by a scenario gives that scenario back, near enough.
func TestFitFindsTheTruth(t *testing.T) {
	steps := []Step{{For: sec(900), Rate: 2}, {For: sec(900), Rate: 12}, {For: sec(1800), Rate: 5}}
	cases := []struct {
		name   string
		truth  Arrivals
		steps  bool
		family string
		cv     float64
	}{
		{"Poisson", Arrivals{Rate: 5, Shape: &Shape{Constant: &ConstantShape{}}, Burst: &Burst{Poisson: &PoissonBurst{}}}, false, "poisson", 1},
		{"bursty", Arrivals{Rate: 5, Shape: &Shape{Constant: &ConstantShape{}}, Burst: &Burst{Gamma: &CVBurst{CV: 3}}}, false, "gamma", 3},
		{"regular", Arrivals{Rate: 5, Shape: &Shape{Constant: &ConstantShape{}}, Burst: &Burst{Gamma: &CVBurst{CV: 0.4}}}, false, "gamma", 0.4},
		{"changing", Arrivals{Shape: &Shape{Steps: steps}, Burst: &Burst{Poisson: &PoissonBurst{}}}, true, "poisson", 1},
		{"on and off", Arrivals{Rate: 5, Shape: &Shape{Constant: &ConstantShape{}}, Burst: &Burst{OnOff: &OnOff{On: sec(10), Off: sec(40)}}}, false, "on_off", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir, options := traceOf(t, c.truth, 3600)
			fit, err := FitTrace(options, dir, FitOptions{Name: "t", Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			a := fit.Scenario.Arrivals
			family, cv := "poisson", 1.0
			switch {
			case a.Burst.Gamma != nil:
				family, cv = "gamma", a.Burst.Gamma.CV
			case a.Burst.OnOff != nil:
				family = "on_off"
			}
			if (a.Shape.Steps != nil) != c.steps || family != c.family || c.cv > 0 && math.Abs(math.Log(cv/c.cv)) > 0.25 || fit.Distance > 0.25 {
				t.Errorf("%s, %s at distance %.3f", *a.Shape, *a.Burst, fit.Distance)
			}
			checkLengths(t, fit)
			checkYAML(t, fit)
		})
	}
}

// checkLengths holds the quantiles of a fit to those recorded.
func checkLengths(t *testing.T, fit *TraceFit) {
	t.Helper()
	for _, l := range [][2]*LengthProfile{{fit.Recorded.Input, fit.Fitted.Input}, {fit.Recorded.Output, fit.Fitted.Output}} {
		for _, q := range [][2]float64{{l[0].P10, l[1].P10}, {l[0].P50, l[1].P50}, {l[0].P90, l[1].P90}, {l[0].P95, l[1].P95}, {l[0].Mean, l[1].Mean}} {
			if math.Abs(math.Log(q[1]/q[0])) > 0.12 {
				t.Errorf("a length of %v is fitted by %v", q[0], q[1])
			}
		}
	}
}

// checkYAML: the file that is written is the scenario that was compared.
func checkYAML(t *testing.T, fit *TraceFit) {
	t.Helper()
	s, err := Parse([]byte(fit.YAML()), "fit.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := NewSchedule(fit.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	got, err := NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	if got.SHA256() != want.SHA256() || !reflect.DeepEqual(s.Prompts.Synthetic, fit.Scenario.Prompts.Synthetic) {
		t.Errorf("the file says\n%.2000s\nand the fit %+v", fit.YAML(), fit.Scenario)
	}
}

func TestFitLognormal(t *testing.T) {
	dir, options := traceOf(t, Arrivals{Rate: 5, Shape: &Shape{Constant: &ConstantShape{}}, Burst: &Burst{Poisson: &PoissonBurst{}}}, 1800)
	fit, err := FitTrace(options, dir, FitOptions{Name: "t", Seed: 3, Lognormal: true})
	if err != nil {
		t.Fatal(err)
	}
	in := fit.Scenario.Prompts.Synthetic.Input.Lognormal
	if in == nil || math.Abs(math.Log(in.Median/500)) > 0.05 || math.Abs(in.Sigma-1) > 0.05 {
		t.Errorf("input lengths %+v", in)
	}
	checkLengths(t, fit)
	checkYAML(t, fit)
}

// TestFitWithoutLengths: arrivals alone are fitted too; a few rows are not.
func TestFitWithoutLengths(t *testing.T) {
	dir, options := traceOf(t, Arrivals{Rate: 5, Shape: &Shape{Constant: &ConstantShape{}}, Burst: &Burst{Poisson: &PoissonBurst{}}}, 600)
	options.Columns.Input, options.Columns.Output = "", ""
	fit, err := FitTrace(options, dir, FitOptions{Name: "t", Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if fit.Recorded.Input != nil || !strings.Contains(fit.YAML(), "input: {fixed: 100} # the trace does not record it") {
		t.Error(fit.YAML())
	}
	checkYAML(t, fit)
	dir, options = traceOf(t, Arrivals{Rate: 5, Shape: &Shape{Constant: &ConstantShape{}}, Burst: &Burst{Poisson: &PoissonBurst{}}}, 12)
	if _, err := FitTrace(options, dir, FitOptions{Name: "t", Seed: 3}); err == nil || !strings.Contains(err.Error(), "a fit needs 100 in 10 s or more") {
		t.Errorf("got %v", err)
	}
}
