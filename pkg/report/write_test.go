package report

import (
	"bytes"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// filesOf reads every file below dir.
func filesOf(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(rel)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestWriteAll(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(two, "report.html"), []byte("an old report"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{one, two} {
		if err := WriteAll(dir, multiply(synthetic(0.1), 1)); err != nil {
			t.Fatal(err)
		}
	}
	a, b := filesOf(t, one), filesOf(t, two)
	want := []string{"report.html", "report.md", "summary.json"}
	for _, p := range []string{"ttft-percentiles", "ttft-over-time", "cdf", "load-over-time", "ttft-breakdown", "client-health"} {
		want = append(want, "plots/"+p+".svg", "plots/"+p+".png")
	}
	for _, name := range want {
		if len(a[name]) == 0 {
			t.Errorf("%s is missing", name)
		}
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s differs between two reports of the same analysis", name)
		}
	}
	for name := range a {
		if !slices.Contains(want, name) {
			t.Errorf("%s is left behind", name)
		}
	}
	if info, err := os.Stat(filepath.Join(two, "report.html")); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("report.html: %v, %v; want it readable by all", info.Mode(), err)
	}
	for name, data := range a {
		if strings.HasSuffix(name, ".md") {
			for _, link := range want {
				if strings.HasSuffix(link, ".svg") && !bytes.Contains(data, []byte("("+link+")")) {
					t.Errorf("report.md does not show %s", link)
				}
			}
		}
		if strings.HasSuffix(name, ".png") {
			img, err := png.DecodeConfig(bytes.NewReader(data))
			if err != nil || img.Width != 2*780 {
				t.Errorf("%s: width %d, %v; want twice 780", name, img.Width, err)
			}
		}
	}
}

func TestWriteAllErrors(t *testing.T) {
	if err := WriteAll(t.TempDir(), nil); err == nil {
		t.Error("no error for no analysis")
	}
	gone := filepath.Join(t.TempDir(), "gone")
	if err := WriteAll(gone, synthetic(0.1)); err == nil || !strings.Contains(err.Error(), filepath.Join(gone, "summary.json")) {
		t.Errorf("error %v, want one that names the file", err)
	}
	// A directory where the file should be: the file cannot be moved into place, and nothing is left behind.
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "report.md"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteAll(dir, synthetic(0.1)); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "report.md")) {
		t.Errorf("error %v, want one that names report.md", err)
	}
	for name := range filesOf(t, dir) {
		if name != "summary.json" {
			t.Errorf("%s is left behind", name)
		}
	}
}
