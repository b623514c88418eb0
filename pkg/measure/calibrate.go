package measure

import (
	"context"
	"fmt"
	"time"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/workload"
)

// Calibration is how the target of a block counts prompts, as it was measured before the block's time 0
// (prompts.calibrate). What was sent for it is no part of the schedule and in no other figure of the record.
type Calibration struct {
	// Source is what was asked: usage, or the tokenizer by its name.
	Source string `json:"source"`
	// Line is what the block's prompts are built by; nil where it cannot be told, and they are as the workload counts.
	Line *workload.Correction `json:"line,omitempty"`
	// Problem is why it cannot be told.
	Problem string              `json:"problem,omitempty"`
	Samples []CalibrationSample `json:"samples,omitempty"`
	// Residual is the median distance of a sample from the line, in the target's tokens. Nil without a line.
	Residual *float64 `json:"residual,omitempty"`
	// Requests were sent for it; InputTokens and OutputTokens are what the model worked for them, where it did.
	Requests     int   `json:"requests"`
	InputTokens  int64 `json:"input_tokens,omitempty"`
	OutputTokens int64 `json:"output_tokens,omitempty"`
	// Took is how long it lasted, before the block's time 0.
	Took time.Duration `json:"took_ns,omitempty"`
}

// CalibrationSample is one prompt, by both counts.
type CalibrationSample struct {
	Own     int `json:"own"`
	Counted int `json:"counted"`
}

// Counter asks a target how many tokens it makes of a request's prompt.
type Counter func(ctx context.Context, req *workload.Request) (Counted, error)

// Counted is a Counter's answer. Worked: the model has computed the prompt and Output tokens after it.
type Counted struct {
	Input  int
	Output int
	Worked bool
}

// The ratios that are believed: beyond them the count says nothing of the text.
const (
	leastRatio = 0.02
	mostRatio  = 50
)

// Calibrate counts prompts one after the other and draws a line through what the target counts of them, by the method of
// Theil and Sen. A prompt that cannot be counted is left out; where that is most of them, or they tell nothing, the result
// has a Problem. InputTokens of each prompt is its own count.
func Calibrate(ctx context.Context, source string, prompts []workload.Request, count Counter) *Calibration {
	c := &Calibration{Source: source}
	var own, counted []float64
	var first error
	for i := range prompts {
		if ctx.Err() != nil {
			c.Problem = "it was stopped"
			return c
		}
		c.Requests++
		n, err := count(ctx, &prompts[i])
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if n.Worked {
			c.InputTokens += int64(n.Input)
			c.OutputTokens += int64(n.Output)
		}
		c.Samples = append(c.Samples, CalibrationSample{prompts[i].InputTokens, n.Input})
		own, counted = append(own, float64(prompts[i].InputTokens)), append(counted, float64(n.Input))
	}
	if 2*len(own) < len(prompts) {
		c.Problem = fmt.Sprintf("%d of %d prompts could not be counted: %v", len(prompts)-len(own), len(prompts), first)
		return c
	}
	line, residual, ok := stat.TheilSen(own, counted)
	switch {
	case !ok:
		c.Problem = "no two prompts of different lengths could be counted"
	case !(line.Slope >= leastRatio && line.Slope <= mostRatio):
		c.Problem = fmt.Sprintf("it counts %.3g tokens for each of the workload's own: that is no count of the prompt", line.Slope)
	default:
		c.Line, c.Residual = &workload.Correction{Overhead: line.Intercept, Ratio: line.Slope}, &residual
	}
	return c
}
