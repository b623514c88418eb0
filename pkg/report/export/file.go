package export

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ExistsError says that an output file is there already.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string { return e.Path + " exists" }

// WriteFile writes a file under another name and moves it into place, so that a reader sees all of it or nothing. A file that
// exists is an ExistsError, unless replace is true. What is no file, such as a pipe or /dev/full, is written to as it is.
func WriteFile(path string, replace bool, write func(io.Writer) error) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("export: %s is a folder", path)
	case err == nil && !info.Mode().IsRegular():
		return writeDevice(path, write)
	case err == nil && !replace:
		return &ExistsError{path}
	}
	if whole, err := filepath.EvalSymlinks(path); err == nil {
		path = whole // what a link points at is replaced, not the link
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("export: write %s: %w", path, err)
	}
	err = errors.Join(buffered(f, write), f.Chmod(0o644)) // a temporary file is private; an export is not
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("export: write %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}

func writeDevice(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if err := errors.Join(buffered(f, write), f.Close()); err != nil {
		return fmt.Errorf("export: write %s: %w", path, err)
	}
	return nil
}

func buffered(f io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(f, 256<<10)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}
