// Package report shows an analysis: the end-of-run screen, report.html, report.md, summary.json and the plots.
//
// All of them show the same document, built once from an analyze.Analysis: what one form says, all say. Nothing here
// computes a result; nothing here reads a network, a clock or a run directory, so the same Analysis always gives the
// same bytes.
//
// Text that came from a server (error messages) or a scenario (names) is never trusted: it is stripped of control
// characters for the terminal, and escaped for Markdown, HTML and SVG.
package report

import (
	"errors"

	"github.com/infbench/infbench/pkg/analyze"
)

// check reports an analysis that cannot be shown.
func check(a *analyze.Analysis) error {
	if a == nil || a.Summary == nil {
		return errors.New("report: the analysis has no summary: analyse the run directory first")
	}
	return nil
}
