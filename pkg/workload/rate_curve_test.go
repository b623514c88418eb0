package workload

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// curveFile writes a curve.
func curveFile(t *testing.T, text string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "day.csv"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRateCurve: a curve fills the measure phase, at its own rates or at those that have the base rate as their mean, whole or
// in part.
func TestRateCurve(t *testing.T) {
	const day = "offset_s,requests_per_s\n1000,2\n1600,4\r\n2200,0\n2800,6\n"
	for name, tt := range map[string]struct {
		text  string
		rate  Rate
		curve RateCurve
		want  map[time.Duration]float64 // in seconds of a block of 10 s of warm-up and 40 s
		says  string
	}{
		"as it stands":    {day, 0, RateCurve{}, map[time.Duration]float64{0: 2, 10: 2, 19: 2, 20: 4, 29: 4, 30: 0, 39: 0, 40: 6, 49: 6}, "curve day.csv, Poisson"},
		"no header, gzip": {packGzip(t, strings.Replace(day, "offset_s,requests_per_s\n", "", 1)), 0, RateCurve{}, map[time.Duration]float64{10: 2, 20: 4, 30: 0, 49: 6}, ""},
		"with a mean":     {day, 30, RateCurve{}, map[time.Duration]float64{0: 20, 19: 20, 20: 40, 30: 0, 49: 60}, "30/s, curve day.csv, Poisson"},
		"in part":         {day, 0, RateCurve{From: sec(300), For: sec(1200)}, map[time.Duration]float64{0: 2, 19: 2, 21: 4, 39: 4, 41: 0, 49: 0}, "curve day.csv, 20m0s from 5m0s, Poisson"},
		"its end":         {day, 12, RateCurve{From: sec(600)}, map[time.Duration]float64{10: 14.4, 22: 14.4, 24: 0, 36: 0, 37: 21.6}, "12/s, curve day.csv from 10m0s, Poisson"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.curve.Path = "day.csv"
			s, err := NewSchedule(&Scenario{Seed: 1, Dir: curveFile(t, tt.text), Phases: Phases{Warmup: sec(10), Measure: sec(40)}, Arrivals: Arrivals{Rate: tt.rate, Shape: &Shape{Curve: &tt.curve}}})
			if err != nil {
				t.Fatal(err)
			}
			for at, want := range tt.want {
				if got := s.Rate(at*time.Second + time.Millisecond); math.Abs(got-want) > 1e-9 {
					t.Errorf("rate at %ds is %g, want %g", at, got, want)
				}
			}
			if tt.says != "" && s.String() != tt.says {
				t.Errorf("%q, want %q", s, tt.says)
			}
		})
	}
}

func TestRateCurveErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		text  string
		curve RateCurve
		want  string
	}{
		"empty":          {"", RateCurve{}, "arrivals.shape.curve: day.csv has 0 rates: a curve has two lines or more, such as 0,12.5 and 600,14"},
		"one line":       {"0,5\n", RateCurve{}, "arrivals.shape.curve: day.csv has 1 rates"},
		"two headers":    {"time,rate\ntime,rate\n", RateCurve{}, `arrivals.shape.curve: day.csv:2: the time is "time", want 0 to 1e+10: correct or remove the line`},
		"three columns":  {"0,5,1\n", RateCurve{}, `arrivals.shape.curve: day.csv:1: "0,5,1" is not a time and a rate, such as 600,14.5: correct or remove the line`},
		"negative rate":  {"0,5\n600,-1\n", RateCurve{}, `arrivals.shape.curve: day.csv:2: the rate is "-1", want 0 to 1e+06: correct or remove the line`},
		"NaN":            {"0,5\n600,NaN\n", RateCurve{}, `arrivals.shape.curve: day.csv:2: the rate is "NaN", want 0 to 1e+06`},
		"unsorted":       {"0,5\n600,1\n\n600,2\n", RateCurve{}, "arrivals.shape.curve: day.csv:4: time 600 is not after that of the line before, 600: sort the lines by time"},
		"nothing":        {"0,0\n600,0\n", RateCurve{}, "arrivals: the shape asks for 0 arrivals"},
		"beyond its end": {"0,1\n600,1\n", RateCurve{From: sec(600), For: sec(601)}, "arrivals.shape.curve: day.csv lasts 20m0s: from 10m0s for 10m1s lies outside of it"},
		"after its end":  {"0,1\n600,1\n", RateCurve{From: sec(1200)}, "arrivals.shape.curve: day.csv lasts 20m0s: from 20m0s for 0s lies outside of it"},
		"cut off":        {packGzip(t, strings.Repeat("0,1\n", 1000))[:25], RateCurve{}, "arrivals.shape.curve: day.csv is cut off after line 0: its compressed data end early; fetch the file again"},
		"not a gzip":     {"\x1f\x8bxxxxxxxx", RateCurve{}, "arrivals.shape.curve: read day.csv: its compressed data are damaged (gzip: invalid header): fetch the file again"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.curve.Path = "day.csv"
			_, err := NewSchedule(&Scenario{Seed: 1, Dir: curveFile(t, tt.text), Phases: Phases{Measure: sec(40)}, Arrivals: Arrivals{Shape: &Shape{Curve: &tt.curve}}})
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	if _, err := NewSchedule(&Scenario{Phases: Phases{Measure: sec(40)}, Arrivals: Arrivals{Shape: &Shape{Curve: &RateCurve{Path: "absent.csv"}}}}); err == nil || !strings.Contains(err.Error(), "arrivals.shape.curve: open absent.csv") {
		t.Error(err)
	}
}

// FuzzRateCurve: whatever a file holds, there is an error that names it, or windows without a gap.
func FuzzRateCurve(f *testing.F) {
	f.Add([]byte("offset_s,requests_per_s\n0,2\n600,4.5\n"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		windows, err := readRateCurve(bytes.NewReader(text), "day.csv")
		if err != nil {
			if !strings.Contains(err.Error(), "day.csv") || len(err.Error()) > 1000 {
				t.Fatal(err)
			}
			return
		}
		at := 0.0
		for _, w := range windows {
			if w.from != at || !(w.to > w.from) || !(w.rate >= 0) {
				t.Fatalf("%+v after %g", w, at)
			}
			at = w.to
		}
		last := time.Duration(0)
		for _, s := range fitWindows(windows, 0, at, time.Hour, 5) {
			if last += s.For.D(); s.For <= 0 || math.IsNaN(float64(s.Rate)) {
				t.Fatalf("%+v", s)
			}
		}
		if last != time.Hour {
			t.Fatal(fmt.Sprint("the steps last ", last))
		}
	})
}
