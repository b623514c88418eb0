package measure

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/workload"
)

func promptsOf(lengths ...int) []workload.Request {
	all := make([]workload.Request, len(lengths))
	for i, n := range lengths {
		all[i] = workload.Request{Index: i, InputTokens: n}
	}
	return all
}

// TestCalibrate: a target of known template and ratio is found out, though one count in four is wild and one is missing.
func TestCalibrate(t *testing.T) {
	c := Calibrate(t.Context(), "usage", promptsOf(20, 40, 80, 160, 320, 640, 1280, 2560), func(_ context.Context, req *workload.Request) (Counted, error) {
		switch req.Index {
		case 2:
			return Counted{}, errors.New("status 500")
		case 5:
			return Counted{Input: 9, Output: 1, Worked: true}, nil
		}
		return Counted{Input: 7 + int(1.3*float64(req.InputTokens)), Output: 1, Worked: true}, nil
	})
	if c.Problem != "" || c.Line == nil || math.Abs(c.Line.Ratio-1.3) > 0.01 || math.Abs(c.Line.Overhead-7) > 1.5 {
		t.Fatalf("%+v, line %+v", c, c.Line)
	}
	if c.Requests != 8 || len(c.Samples) != 7 || c.OutputTokens != 7 || c.Samples[0] != (CalibrationSample{20, 33}) || *c.Residual > 1 {
		t.Errorf("%+v, residual %g", c, *c.Residual)
	}
	sum := int64(0)
	for _, s := range c.Samples {
		sum += int64(s.Counted)
	}
	if c.InputTokens != sum {
		t.Errorf("the model worked %d prompt tokens, want %d", c.InputTokens, sum)
	}
}

// TestCalibrateCannotTell: without an answer, without growth and without two lengths there is a problem and no line.
func TestCalibrateCannotTell(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx     context.Context
		lengths []int
		count   Counter
		want    string
	}{
		"no usage":    {t.Context(), []int{10, 20, 30}, func(context.Context, *workload.Request) (Counted, error) { return Counted{}, errors.New("no usage") }, "3 of 3 prompts could not be counted: no usage"},
		"no growth":   {t.Context(), []int{10, 20, 30}, func(context.Context, *workload.Request) (Counted, error) { return Counted{Input: 5}, nil }, "no count of the prompt"},
		"one length":  {t.Context(), []int{10, 10}, func(context.Context, *workload.Request) (Counted, error) { return Counted{Input: 5}, nil }, "different lengths"},
		"nothing":     {t.Context(), nil, nil, "different lengths"},
		"interrupted": {stopped, []int{10, 20}, nil, "stopped"},
	} {
		got := Calibrate(c.ctx, "usage", promptsOf(c.lengths...), c.count)
		if got.Line != nil || got.Residual != nil || !strings.Contains(got.Problem, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
