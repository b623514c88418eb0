package measure

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Rounds are the rounds of blocks that the manifest has so far.
func (w *Writer) Rounds() []RoundRecord { return w.man.Rounds }

// Resume opens a run directory to go on with the run, in whatever state it was left. All that was measured stays: rows are
// copied up to where a crash has torn the log, since nothing can be appended behind that. A block that was under way
// counts as interrupted. A directory that another process is writing to is refused (ErrInUse) where the system has locks;
// elsewhere nobody may be. Files of a record that was closed and are not those
// that the run has written are an error: what is appended would vouch for them.
func Resume(dir string) (*Writer, error) {
	return goOn(dir, func(*Manifest) error { return nil })
}

// goOn opens a run directory again, with a manifest that is changed before anything is.
func goOn(dir string, change func(*Manifest) error) (*Writer, error) {
	lock, err := lockRun(dir)
	if err != nil {
		return nil, err
	}
	m, err := again(dir, change)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return open(dir, m, lock)
}

// again makes a run directory that is locked ready to be appended to, and gives its manifest.
func again(dir string, change func(*Manifest) error) (*Manifest, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	if err := (&Record{Dir: dir, Manifest: m}).Verify(); err != nil {
		return nil, err
	}
	if err := change(m); err != nil {
		return nil, err
	}
	closed := len(m.Files) == len(recordFiles) && !slices.ContainsFunc(m.Blocks, func(b BlockRecord) bool { return b.State == Running })
	m.State, m.Problem, m.Ended, m.Files, m.Verdict = Running, "", nil, nil, ""
	if err := writeManifest(dir, m); err != nil { // first: a log that changes under a manifest with digests spoils the record
		return nil, err
	}
	if closed { // its logs are those that were closed whole: there is nothing to mend
		return m, nil
	}
	rows, err := mendRows(filepath.Join(dir, rowsFile))
	if err := errors.Join(err, mendLines(filepath.Join(dir, histFile)), mendLines(filepath.Join(dir, timelineFile))); err != nil {
		return nil, fmt.Errorf("go on with the run in %s: %w", dir, err)
	}
	for i := range m.Blocks {
		if b := &m.Blocks[i]; b.State == Running {
			b.State, b.Problem, b.Attempts = Interrupted, "its process died", rows[b.Index]
		}
	}
	return m, nil
}

// mendRows replaces a request log by one with its whole rows, closed as it should be. It counts the rows of each block.
func mendRows(path string) (rows map[int]int, err error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, nil // the process died before it had one
	}
	mended := path + ".mended"
	if err := os.Remove(mended); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	w, err := newRowWriter(mended)
	if err != nil {
		return nil, err
	}
	rows = map[int]int{}
	for s, err := range readRows(path) {
		if errors.Is(err, ErrTorn) {
			break
		}
		if err == nil {
			if s.Phase != LightLoad { // not among the block's attempts
				rows[s.Block]++
			}
			err = w.write(s)
		}
		if err != nil {
			return nil, errors.Join(err, w.close(), os.Remove(mended))
		}
	}
	if err := w.close(); err != nil {
		return nil, errors.Join(err, os.Remove(mended))
	}
	return rows, os.Rename(mended, path)
}

// mendLines cuts a log of lines behind its last whole one.
func mendLines(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	whole, n := int64(0), int64(0)
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadSlice('\n')
		n += int64(len(line))
		if err == nil {
			whole = n
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if !errors.Is(err, io.EOF) {
				return errors.Join(err, f.Close())
			}
			break
		}
	}
	return errors.Join(f.Truncate(whole), f.Sync(), f.Close())
}
