package workload

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

const pathRemedy = "correct the path, which is relative to the scenario"

// DataFileError is what is wrong with a file that a field of a scenario names.
type DataFileError struct {
	Field string // that holds its path, as in prompts.dataset.path
	Err   error
	place string // the part of the scenario that reads it
}

// Error implements error.
func (e *DataFileError) Error() string { return e.place + ": " + e.Err.Error() }

// Unwrap gives what is wrong with the file.
func (e *DataFileError) Unwrap() error { return e.Err }

// fileError is about the file that the path of a part of the scenario names. Of a file that is not there it says what the
// path is relative to.
func fileError(place string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %s", err, pathRemedy)
	}
	return &DataFileError{Field: place + ".path", Err: err, place: place}
}

// ofMix says in which class of a mix the field is that an error is about.
func ofMix(class int, err error) error {
	if file, ok := errors.AsType[*DataFileError](err); ok {
		file.Field = fmt.Sprintf("mix[%d].%s", class, file.Field)
	}
	return err
}

// LocateFile gives a DataFileError of a file that cannot be opened the place in the scenario at path where it is named. Any other
// error stays as it is: it has the place in the file itself, or none.
func LocateFile(err error, path string, overrides ...Override) error {
	file, ok := errors.AsType[*DataFileError](err)
	opened, no := errors.AsType[*fs.PathError](err)
	if !ok || !no {
		return err
	}
	return located(err, path, overrides, func(doc *strict.Document) {
		if p := doc.At(file.Field); p.Present() {
			p.Mistake(opened.Error(), pathRemedy)
		}
	})
}
