package workload

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sharedTraces is the folder of whole public traces beside the checkout; without it the test is skipped.
func sharedTraces(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "traces")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the traces are not beside the checkout: ", err)
	}
	return dir
}

// TestInspectPublicTraces reproduces what measurement.md section 2 prints of the public traces, digit by digit. A "-" is
// what it does not give (for the excerpt: most). The mean input of the synthetic trace is 15,325.48; the table says 15,326.
func TestInspectPublicTraces(t *testing.T) {
	dir := sharedTraces(t)
	cases := []struct{ file, rows, span, rate, cv, spread, minute, peak, idc, input, inputMean, output, outputMean, logs, corr, hit string }{
		{"azure-2023/AzureLLMInferenceTrace_code.csv", "8819", "3436", "2.57", "13.15", "", "6.3", "26/12.8/4.18", "13/72/167",
			"147/1469/5188/7303/7436/7437", "2048", "7/13/55/90/251/1899", "27.9", "7.00/1.36/2.79/0.85", "0.00", ""},
		{"azure-2023/AzureLLMInferenceTrace_conv.csv", "19366", "3502", "5.53", "1.09", "", "1.02", "2.9/1.8/1.52", "1.4/3.9/16",
			"207/1020/2734/4083/4142/14050", "1155", "54/129/424/451/601/1000", "211", "6.63/0.99/5.02/0.86", "-0.11", ""},
		{"mooncake-fast25/synthetic_trace.jsonl", "3993", "1022", "3.91", "1.01", "", "1.01", "3.3/1.4/1.17", "1.1/1.2/1.3",
			"30/11587/38611/48905/66456/191378", "15325", "4/69/389/519/768/893", "149", "7.98/2.70/3.92/1.77", "-0.37", "64.0"},
		{"mooncake-fast25/conversation_trace.first.jsonl", "3883", "1263", "3.07", "-", "-", "-", "-/-/1.20", "-/-/-",
			"-/7864/-/-/94805/-", "-", "-/358/-/-/1123/-", "-", "-/-/-/-", "-", "-"},
	}
	for _, c := range cases {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			p, err := InspectTrace(&Trace{Path: c.file}, dir, 1)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "rows", c.rows, float64(p.Rows))
			same(t, "span", c.span, p.Span)
			same(t, "rate", c.rate, p.Rate)
			same(t, "CV", c.cv, *p.CV)
			if (p.Step > 0) != (c.spread != "") {
				t.Errorf("time stamps in steps of %v s", p.Step)
			}
			if c.spread != "" && math.Abs(*p.DequantisedCV-1) > 0.05 { // of the whole trace the table prints 1.01; the seed matters
				t.Errorf("CV, de-quantised, is %v, and raw %v", *p.DequantisedCV, *p.CV)
			}
			same(t, "CV within a minute", c.minute, *p.MinuteCV)
			d := p.Dispersions
			same(t, "peak/mean", c.peak, *d[0].PeakToMean, *d[1].PeakToMean, *d[2].PeakToMean)
			same(t, "IDC", c.idc, *d[0].IDC, *d[1].IDC, *d[2].IDC)
			in, out := p.Input, p.Output
			same(t, "input", c.input, in.P10, in.P50, in.P90, in.P95, in.P99, float64(in.Max))
			same(t, "mean input", c.inputMean, in.Mean)
			same(t, "output", c.output, out.P10, out.P50, out.P90, out.P95, out.P99, float64(out.Max))
			same(t, "mean output", c.outputMean, out.Mean)
			same(t, "logarithms", c.logs, in.LogMean, in.LogSD, out.LogMean, out.LogSD)
			same(t, "correlation", c.corr, *p.Correlation)
			if (p.PrefixHit != nil) != (c.hit != "") {
				t.Errorf("prefix hits %v", p.PrefixHit)
			}
			if c.hit != "" {
				same(t, "prefix hits", c.hit, 100**p.PrefixHit)
			}
		})
	}
}

// same holds values to the digits in which a table prints them. "-" is not printed there.
func same(t *testing.T, name, want string, got ...float64) {
	t.Helper()
	for i, w := range strings.Split(want, "/") {
		if w == "-" {
			continue
		}
		_, fraction, _ := strings.Cut(w, ".")
		if text := strconv.FormatFloat(got[i], 'f', len(fraction), 64); text != w {
			t.Errorf("%s is %s (%v), the table prints %s", name, text, got[i], w)
		}
	}
}

// TestDequantise: spread over its step, the excerpt that comes in batches every 3 s is a Poisson process within the error
// of its sample; as it stands, it is not.
func TestDequantise(t *testing.T) {
	dir := sharedTraces(t)
	var mean float64
	const seeds = 20
	for seed := range uint64(seeds) {
		p, err := InspectTrace(&Trace{Path: "mooncake-fast25/conversation_trace.first.jsonl"}, dir, seed)
		if err != nil {
			t.Fatal(err)
		}
		if p.Step != 2.999 || *p.CV < 2.8 {
			t.Fatalf("a step of %v s, CV %v", p.Step, *p.CV)
		}
		mean += *p.DequantisedCV / seeds
	}
	// The standard error of a CV of 3883 exponential gaps is 0.016.
	if math.Abs(mean-1) > 0.016 {
		t.Errorf("CV %v in the mean of %d seeds", mean, seeds)
	}
	// A replay does the same.
	s, err := NewSchedule(&Scenario{Seed: 3, Dir: dir, Phases: Phases{Measure: sec(1200)},
		Arrivals: Arrivals{Shape: &Shape{Trace: &Trace{Path: "mooncake-fast25/conversation_trace.first.jsonl", Dequantise: true}}}})
	if err != nil {
		t.Fatal(err)
	}
	checkReplay(t, s)
	if cv := *s.Stats().CV; math.Abs(cv-1) > 0.06 || s.Trace.Step != 2999*time.Millisecond {
		t.Errorf("replayed with CV %v, in steps of %v", cv, s.Trace.Step)
	}
}
