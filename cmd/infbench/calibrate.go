package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// The prompts of a calibration: so many lengths, and by a tokenizer, which costs the model nothing, so many of each.
const (
	calibrationLengths = 8
	tokenizedPerLength = 4
)

// leastResponse is the shortest answer that OpenAI's Responses API can be asked for, in tokens.
const leastResponse = 16

// calibrate measures how a target counts prompts, where the scenario wants its prompts that long; else it is nil. It sends
// before the block's time 0 and never fails: a target that cannot be asked is said to be one.
func (t *target) calibrate(ctx context.Context, s *workload.Scenario, source *workload.Source, sched *workload.Schedule, nonce workload.Nonce) *measure.Calibration {
	if !s.Prompts.Calibrates() {
		return nil
	}
	name, each := s.Prompts.Calibrate, 1
	count := t.byUsage
	if name == "tokenize" {
		tokenizer, err := endpoint.OpenTokenizer(t.config)
		if err != nil {
			return &measure.Calibration{Source: name, Problem: err.Error()}
		}
		defer tokenizer.Close()
		each = tokenizedPerLength
		count = func(ctx context.Context, req *workload.Request) (measure.Counted, error) {
			n, err := tokenizer.Count(ctx, req)
			name = tokenizer.Source()
			return measure.Counted{Input: n}, err
		}
	}
	prompts, err := calibrationPrompts(source, sched, nonce, each)
	if err != nil {
		return &measure.Calibration{Source: name, Problem: err.Error()}
	}
	c := measure.Calibrate(ctx, name, prompts, count)
	c.Source = name // by now it is known which tokenizer it is
	return c
}

// calibrationPrompts are prompts of lengths as the scenario asks for, so many of each.
func calibrationPrompts(source *workload.Source, sched *workload.Schedule, nonce workload.Nonce, each int) ([]workload.Request, error) {
	var prompts []workload.Request
	for _, n := range source.CalibrationLengths(sched, calibrationLengths) {
		for range each {
			req, err := source.Calibration(len(prompts), n, nonce)
			if err != nil {
				return nil, err
			}
			prompts = append(prompts, req)
		}
	}
	return prompts, nil
}

// byUsage sends a prompt as a request of the block is sent, for as short an answer as the API gives, and reads what the
// target says of it.
func (t *target) byUsage(ctx context.Context, req *workload.Request) (measure.Counted, error) {
	req.MaxTokens = 1
	if t.config.Approach.API == endpoint.OpenAIResponses {
		req.MaxTokens = leastResponse
	}
	res := t.endpoint.Do(ctx, req, nobody{})
	n := measure.Counted{Worked: true}
	if res.Usage.Output != nil {
		n.Output = *res.Usage.Output
	}
	switch {
	case res.Usage.Input != nil && res.Class != endpoint.Cancelled:
		n.Input = *res.Usage.Input
		return n, nil
	case res.Class == endpoint.OK || res.Class == endpoint.Empty:
		return n, errors.New("the answer has no usage report")
	}
	return n, fmt.Errorf("%s: %s", res.Class, res.Error)
}

// forget drops the connections that a calibration has opened: the block's first request is to find none that the scenario
// did not ask for.
func (t *target) forget() error {
	fresh, err := endpoint.Open(t.config)
	if err != nil {
		return err
	}
	t.endpoint.Close()
	t.endpoint = fresh
	return nil
}

// nobody observes nothing: a calibration is not timed.
type nobody struct{}

// Observe implements endpoint.Observer.
func (nobody) Observe(endpoint.Event) {}

// untilStopped is ctx, which ends with the first signal too.
func untilStopped(ctx context.Context, stop <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// calibrated is the source of a block's prompts after its calibration, and the calibration.
func (r *runJob) calibrated(ctx context.Context, t *target, nonce workload.Nonce) (*workload.Source, *measure.Calibration) {
	ctx, cancel := untilStopped(ctx, r.stop.first)
	defer cancel()
	begun := time.Now()
	c := t.calibrate(ctx, r.scenario, r.source, r.schedule, nonce)
	if c == nil {
		return r.source, nil
	}
	if err := t.forget(); err != nil && c.Problem == "" {
		c.Line, c.Problem = nil, err.Error() // the block says the same of every request
	}
	c.Took = time.Since(begun)
	if c.Line == nil {
		if r.stop.count() > 0 {
			return r.source, c // the block that follows says so
		}
		fmt.Fprintf(r.app.stderr, "Approach %s: its prompts are as long as the scenario counts, not as it does: %s\n", nonce.Approach, c.Problem)
		return r.source, c
	}
	return r.source.Corrected(*c.Line), c
}
