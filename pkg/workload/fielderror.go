package workload

import (
	"errors"
	"fmt"
	"os"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// FieldError is what is wrong with a field of an approach for a reason that lies outside of the scenario, such as a key that
// is not in the environment.
type FieldError struct{ Field, Problem, Remedy string }

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Problem + ": " + e.Remedy }

// Locate gives a FieldError of an approach, counted from 0 after the overrides, the place that Load would have reported it
// at: file, line and what stands there. Any other error, and one whose file cannot be read again, stays as it is.
func Locate(err error, approach int, path string, overrides ...Override) error {
	field, ok := errors.AsType[*FieldError](err)
	if !ok {
		return err
	}
	return located(err, path, overrides, func(doc *strict.Document) {
		p := doc.At("approaches").Item(approach)
		p.Field(field.Field).Mistake(fmt.Sprintf("approach %s: %s", p.Field("name").Text(), field.Problem), field.Remedy)
	})
}

// located reads a scenario again and gives what report finds fault with there, in place of the error; where it cannot be read, or
// nothing is found, the error itself.
func located(err error, path string, overrides []Override, report func(*strict.Document)) error {
	data, readErr := os.ReadFile(path)
	if readErr != nil {
		return err
	}
	doc := strict.Read(data)
	for _, o := range overrides {
		o.apply(doc)
	}
	report(doc)
	if found := scenarioErrors(doc, path, nil); found != nil {
		return found
	}
	return err
}
