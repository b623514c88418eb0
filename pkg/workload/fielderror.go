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
	var field *FieldError
	if !errors.As(err, &field) {
		return err
	}
	data, readErr := os.ReadFile(path)
	if readErr != nil {
		return err
	}
	doc := strict.Read(data)
	for _, o := range overrides {
		o.apply(doc)
	}
	p := doc.At("approaches").Item(approach)
	p.Field(field.Field).Mistake(fmt.Sprintf("approach %s: %s", p.Field("name").Text(), field.Problem), field.Remedy)
	if located := scenarioErrors(doc, path, nil); located != nil {
		return located
	}
	return err
}
