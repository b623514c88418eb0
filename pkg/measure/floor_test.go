package measure

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestNoiseFloorIsKeptPerMachine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "selftest.json")
	t.Setenv("INFBENCH_SELFTEST", path)
	if f, err := LoadFloor(); f != nil || err != nil {
		t.Fatalf("before the first self-test: %+v, %v", f, err)
	}
	want := &NoiseFloor{When: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), EventsPerSecond: 25_000, Streams: 500, TTFT: 0.00002, Gap: 0.000005}
	if got, err := SaveFloor(want); err != nil || got != path {
		t.Fatal(got, err)
	}
	if f, err := LoadFloor(); err != nil || *f != *want {
		t.Errorf("%+v, %v", f, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := append([]byte(`{"machine": {"os": "plan9"}, "x": `), b...)
	if err := os.WriteFile(path, append(other, '}'), 0o644); err != nil {
		t.Fatal(err)
	}
	if f, err := LoadFloor(); f != nil || err != nil {
		t.Errorf("another machine's: %+v, %v", f, err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if f, err := LoadFloor(); f != nil || err == nil {
		t.Errorf("torn: %+v, %v", f, err)
	}
}
