package workload

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What lies outside of the scenario is reported where the scenario speaks of it, or where it could.
func TestLocate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.yaml")
	text := small + "    key_env: NO_SUCH_KEY\n  - {name: two, provider: openai, model: m}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	line := strings.Count(small, "\n") + 1
	for _, c := range []struct {
		approach  int
		overrides []Override
		want      string
	}{
		{1, nil, fmt.Sprintf("s.yaml:%d:14: approaches[1].key_env: approach edge: missing\n", line)},
		{2, nil, fmt.Sprintf("s.yaml:%d:5: approaches[2].key_env: approach two: missing\n", line+1)},
		{0, []Override{OverrideOnly("two")}, fmt.Sprintf("s.yaml:%d:5: approaches[2].key_env: approach two: missing\n", line+1)},
		{0, []Override{OverrideSet("approaches[0].key_env=OTHER")}, "s.yaml: --set approaches[0].key_env=OTHER: approaches[0].key_env: approach "},
	} {
		err := fmt.Errorf("open: %w", &FieldError{"key_env", "missing", "set it"})
		if got := Locate(err, c.approach, path, c.overrides...); !strings.Contains(got.Error(), c.want) || !strings.HasSuffix(got.Error(), "set it") {
			t.Errorf("%v, want %s", got, c.want)
		}
	}
	for _, err := range []error{errors.New("another"), &FieldError{"key_env", "missing", "set it"}} {
		if got := Locate(err, 0, "no/such/file.yaml"); !errors.Is(got, err) {
			t.Errorf("%v has become %v", err, got)
		}
	}
}
