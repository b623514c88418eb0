package measure

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// recordFiles are the files of a record beside its manifest.
var recordFiles = []string{rowsFile, histFile, timelineFile}

// digestFiles gives the digests of a record's files.
func digestFiles(dir string) (map[string]string, error) {
	digests := map[string]string{}
	var errs []error
	for _, name := range recordFiles {
		digest, err := digestFile(filepath.Join(dir, name))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		digests[name] = digest
	}
	return digests, errors.Join(errs...)
}

func digestFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Verify holds the files of a finished record against the digests in its manifest. A record without digests, which an older
// version has written or whose writer died, passes: nothing is known of it.
func (r *Record) Verify() error {
	for _, name := range recordFiles {
		want := r.Manifest.Files[name]
		if want == "" {
			continue
		}
		got, err := digestFile(filepath.Join(r.Dir, name))
		switch {
		case errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("%s: %s is missing", r.Dir, name)
		case err != nil:
			return err
		case got != want:
			return fmt.Errorf("%s: %s is not what the run has written: its SHA-256 is %.12s, the manifest has %.12s", r.Dir, name, got, want)
		}
	}
	return nil
}
