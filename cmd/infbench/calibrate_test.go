package main

import (
	"context"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/workload"
)

const calibrated = `
name: calibrated
phases: {measure: 10s}
arrivals: {rate: 20/s, burst: {poisson: {}}}
prompts:
  synthetic: {input: {lognormal: {median: 200, sigma: 0.6, min: 40, max: 1200}}, output: {fixed: 2}}
  tokenizer: TOKENIZER
  calibrate: CALIBRATE
  SYSTEM
approaches:
  - name: one
    api: API
    simulate: {slots: 100, decode_step: 100us, tokens_per_word: 1.3, template_tokens: 7, report: REPORT}
`

// calibration runs a calibration against a simulated server that counts otherwise than we do, sends every request of the
// schedule, built by it and built without it, and gives the mean of what was asked and of what the server counted.
func calibration(t *testing.T, replace ...string) (asked, with, without float64, source, problem string) {
	t.Helper()
	text := strings.NewReplacer(append(replace, "TOKENIZER", "o200k_base", "CALIBRATE", "usage", "SYSTEM", "", "API", "openai-chat", "REPORT", "none")...).Replace(calibrated)
	s, err := workload.Parse([]byte(text), "calibrated.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sched, err := workload.NewSchedule(s)
	if err != nil {
		t.Fatal(err)
	}
	src, err := workload.NewSource(s, sched)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{getenv: os.LookupEnv, stderr: os.Stderr}
	target, err := a.openTarget(t.Context(), s, s.Approaches[0])
	if err != nil {
		t.Fatal(err)
	}
	defer target.close()
	nonce := workload.Nonce{Approach: "one"}
	c := target.calibrate(t.Context(), s, src, sched, nonce)
	if c.Line == nil {
		return 0, 0, 0, c.Source, c.Problem
	}
	corrected := src.Corrected(*c.Line)
	mean := func(src *workload.Source) float64 {
		sum := 0
		for i := range sched.Times {
			req := src.Request(i, nonce)
			asked += float64(req.InputTokens) / float64(2*len(sched.Times))
			n, err := target.byUsage(t.Context(), &req)
			if err != nil {
				t.Fatal(err)
			}
			sum += n.Input
		}
		return float64(sum) / float64(len(sched.Times))
	}
	return asked, mean(corrected), mean(src), c.Source, c.Problem
}

// TestCalibration: with any way to ask, over any API, the mean of what a server counts is what was asked within 1% or one
// token, and without it far off. The server's 1.3 tokens a word and 7 of its template are the truth.
func TestCalibration(t *testing.T) {
	for name, c := range map[string]struct {
		replace []string
		source  string
	}{
		"usage":                    {nil, "usage"},
		"usage, words":             {[]string{"TOKENIZER", "words"}, "usage"},
		"usage, a system message":  {[]string{"SYSTEM", "system: You answer in one short sentence."}, "usage"},
		"usage, Anthropic":         {[]string{"API", "anthropic-messages"}, "usage"},
		"usage, responses":         {[]string{"API", "openai-responses"}, "usage"},
		"usage, Gemini":            {[]string{"API", "gemini"}, "usage"},
		"usage, Ollama":            {[]string{"API", "ollama-chat"}, "usage"},
		"tokenize, vLLM":           {[]string{"CALIBRATE", "tokenize"}, "vLLM /tokenize"},
		"tokenize, llama.cpp":      {[]string{"CALIBRATE", "tokenize", "REPORT", "llama.cpp"}, "llama.cpp /apply-template and /tokenize"},
		"tokenize, words, cl100k":  {[]string{"CALIBRATE", "tokenize", "TOKENIZER", "cl100k_base"}, "vLLM /tokenize"},
		"tokenize, shared prompts": {[]string{"CALIBRATE", "tokenize", "SYSTEM", "shared: {groups: 3, tokens: {uniform: {min: 100, max: 500}}}"}, "vLLM /tokenize"},
	} {
		t.Run(name, func(t *testing.T) {
			asked, with, without, source, problem := calibration(t, c.replace...)
			if problem != "" || source != c.source {
				t.Fatalf("%s: %s", source, problem)
			}
			t.Logf("asked %.1f, counted %.1f, without a calibration %.1f", asked, with, without)
			if math.Abs(with-asked) > max(1, asked/100) {
				t.Errorf("counted %.2f, asked %.2f", with, asked)
			}
			if without < 1.2*asked {
				t.Errorf("without a calibration %.2f, asked %.2f: this shows nothing", without, asked)
			}
		})
	}
}

// TestCalibrationCannotTell: a target that cannot be asked is said to be one.
func TestCalibrationCannotTell(t *testing.T) {
	_, _, _, source, problem := calibration(t, "CALIBRATE", "tokenize", "API", "anthropic-messages")
	if source != "tokenize" || !strings.Contains(problem, "anthropic-messages: no tokenizer") {
		t.Errorf("%s: %s", source, problem)
	}
	_, _, _, source, problem = calibration(t, "template_tokens: 7", "template_tokens: 7, faults: [{kind: http_500, probability: 1}]")
	if source != "usage" || !strings.Contains(problem, "8 of 8 prompts could not be counted: http_status") {
		t.Errorf("%s: %s", source, problem)
	}
}

// TestCalibrationStops: the first signal ends it.
func TestCalibrationStops(t *testing.T) {
	stop := make(chan struct{})
	ctx, cancel := untilStopped(context.Background(), stop)
	defer cancel()
	if ctx.Err() != nil {
		t.Fatal("stopped at once")
	}
	close(stop)
	<-ctx.Done()
}
