package workload

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// Policy says what a change may cost: the gate of a pipeline. LoadPolicy reads it from YAML.
type Policy struct {
	// Gates are the figures that were chosen in advance, each with what it may get worse by.
	Gates []Gate `yaml:"gates" json:"gates" jsonschema:"required,minItems=1"`
	// SLO: every objective of the scenario must hold for the candidate.
	SLO bool `yaml:"slo" json:"slo" jsonschema:"default=true"`
	// ErrorBudget is the share of attempts that may fail; 0% is none. Nil: failures are gated only where a gate names error_rate.
	ErrorBudget *Share `yaml:"error_budget,omitempty" json:"error_budget,omitempty"`
	// Confidence of the intervals, two-sided.
	Confidence Share `yaml:"confidence" json:"confidence" jsonschema:"default=95%"`
}

// Gate is what one figure may get worse by. It is about the bound of the interval, not about the point: a gate fails when the
// whole interval lies beyond it, passes when none of it does, and cannot tell in between.
type Gate struct {
	// Figure is as compare names it: ttft p95, error_rate.
	Figure string `yaml:"figure" json:"figure" jsonschema:"required,minLength=1,example=ttft p95"`
	// Worse is the largest change to the worse that passes: relative, or of a share of the attempts in points of it.
	Worse Share `yaml:"worse" json:"worse" jsonschema:"required,example=10%"`
	// AtLeast lets pass what is less than this in absolute terms, however large it is beside the baseline: for times only.
	AtLeast Duration `yaml:"at_least,omitempty" json:"at_least,omitempty"`
}

// Share is a part of a whole; in the file it is in percent: 10%, 0.5%.
type Share float64

// String is the text that UnmarshalText reads as the same share.
func (s Share) String() string { return formatFloat(100*float64(s)) + "%" }

// MarshalText gives String.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads 10%. A number without a percent sign and a negative one are errors.
func (s *Share) UnmarshalText(text []byte) error {
	value := string(text)
	number, percent := strings.CutSuffix(value, "%")
	v, err := strconv.ParseFloat(trim(number), 64)
	switch {
	case err != nil || !isNumber(trim(number)):
		return &unitError{fmt.Sprintf("%q is not a share", clip(value)), "shares are in percent: 10%, 0.5%"}
	case !percent:
		return &unitError{clip(value) + " has no unit", fmt.Sprintf("shares are in percent: write %s%%", clip(value))}
	case v < 0:
		return &unitError{clip(value) + " is negative", "give a share of 0% or more"}
	}
	*s = Share(v / 100)
	return nil
}

// LoadPolicy reads a policy file.
func LoadPolicy(path string) (*Policy, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, strict.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	return ParsePolicy(data, path)
}

// ParsePolicy reads a policy from YAML as strictly as Parse reads a scenario. Name is what errors call the file. Whether
// figures exist is for those to say who compute them.
func ParsePolicy(data []byte, name string) (*Policy, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, fmt.Errorf("%s:1:1: the file holds nothing: begin with a line such as `gates: [{figure: ttft p95, worse: 10%%}]`", name)
	}
	doc := strict.Read(data)
	p := &Policy{}
	doc.Decode(p)
	root := doc.At("")
	seen := map[string]int{}
	for i := range p.Gates {
		figure := root.Field("gates").Item(i).Field("figure")
		if first, twice := seen[p.Gates[i].Figure]; twice && figure.Sound() {
			figure.Mistake(fmt.Sprintf("%s is gated twice", strict.Quote(p.Gates[i].Figure)), fmt.Sprintf("keep one of them; gates[%d] has it already", first))
		} else {
			seen[p.Gates[i].Figure] = i
		}
	}
	if c := root.Field("confidence"); c.Sound() && (p.Confidence <= 0 || p.Confidence >= 1) {
		c.Mistake(p.Confidence.String()+" is out of range", "give more than 0% and less than 100%, such as 95%")
	}
	if err := scenarioErrors(doc, name, nil); err != nil {
		return nil, err
	}
	return p, nil
}
