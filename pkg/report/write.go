package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/infbench/infbench/pkg/analyze"
)

// WriteAll writes report.html, report.md, summary.json and plots/*.svg and *.png into dir. Each file appears whole or
// not at all; an error names the file, and the files before it are in place.
func WriteAll(dir string, a *analyze.Analysis) error {
	if err := check(a); err != nil {
		return err
	}
	// The numbers first: they do not depend on a picture being drawn.
	if err := writeFile(filepath.Join(dir, "summary.json"), func(w io.Writer) error { return SummaryJSON(w, a.Summary) }); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, "report.md"), func(w io.Writer) error { return Markdown(w, a) }); err != nil {
		return err
	}
	plots, err := Plots(a)
	if err != nil {
		return err
	}
	if err := writePlots(filepath.Join(dir, "plots"), plots); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "report.html"), func(w io.Writer) error { return HTML(w, a, plots) })
}

// writePlots writes each plot as SVG and PNG into a folder, which it makes.
func writePlots(dir string, plots []Plot) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	for _, p := range plots {
		for _, f := range []struct {
			ext  string
			data []byte
		}{{".svg", p.SVG}, {".png", p.PNG}} {
			if err := writeFile(filepath.Join(dir, p.Name+f.ext), func(w io.Writer) error { _, err := w.Write(f.data); return err }); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeFile writes a file under another name and moves it into place, so that a reader never sees half of it.
func writeFile(path string, write func(io.Writer) error) (err error) {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("report: write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("report: write %s: %w", path, err), os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b.Bytes())
	if err == nil {
		err = f.Chmod(0o644) // a temporary file is private; a report is not
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
