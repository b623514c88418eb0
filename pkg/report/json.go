package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// SummaryJSON writes summary.json: indented, its keys in a fixed order, empty lists as [] and never null. A number that
// JSON cannot hold (NaN) is an error: a missing value must be absent from the summary.
func SummaryJSON(w io.Writer, s *analyze.Summary) error {
	if s == nil {
		return errors.New("report: write summary.json: there is no summary")
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(filled(*s)); err != nil {
		return fmt.Errorf("report: write summary.json: %w", err)
	}
	return nil
}

// filled is s with empty lists and maps in the place of nil ones.
func filled(s analyze.Summary) analyze.Summary {
	if s.Schema == "" {
		s.Schema = analyze.SummarySchema
	}
	if s.Validity.Reasons == nil {
		s.Validity.Reasons = []analyze.Reason{}
	}
	s.Approaches = append([]analyze.ApproachSummary{}, s.Approaches...)
	for i := range s.Approaches {
		p := &s.Approaches[i]
		if p.Errors == nil {
			p.Errors = map[endpoint.Class]int{}
		}
		if p.Metrics == nil {
			p.Metrics = map[workload.Metric]*analyze.Quantiles{}
		}
		if p.SLO == nil {
			p.SLO = []analyze.ObjectiveResult{}
		}
	}
	return s
}
