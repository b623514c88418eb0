package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// NoiseFloor is infbench's own error on a machine, as infbench selftest measured it: up to this many events per second
// and streams at once, it is off by this much. Times in seconds.
type NoiseFloor struct {
	When time.Time `json:"when"`
	Tool Tool      `json:"tool"`
	// EventsPerSecond and Streams are the highest load that was proven.
	EventsPerSecond float64 `json:"events_per_second"`
	Streams         int     `json:"streams"`
	// TTFT and Gap are the p99 of the error of a service TTFT and of a gap between tokens at that load.
	TTFT float64 `json:"ttft_error_p99"`
	Gap  float64 `json:"gap_error_p99"`
}

// FloorPath is where the noise floor of this machine is kept: in the user's cache folder, one file for each kind of
// machine, or where INFBENCH_SELFTEST points.
func FloorPath() (string, error) {
	if path := os.Getenv("INFBENCH_SELFTEST"); path != "" {
		return path, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a folder for the noise floor: %w", err)
	}
	return filepath.Join(dir, "infbench", "selftest.json"), nil
}

// floorFile is what is kept: the floor and the machine that it is of.
type floorFile struct {
	Machine Machine     `json:"machine"`
	Floor   *NoiseFloor `json:"noise_floor"`
}

// SaveFloor keeps the noise floor of this machine.
func SaveFloor(f *NoiseFloor) (path string, err error) {
	if path, err = FloorPath(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("keep the noise floor: %w", err)
	}
	b, err := json.MarshalIndent(floorFile{ThisMachine(), f}, "", "  ")
	if err != nil {
		return "", err
	}
	return path, writeAtomic(path, append(b, '\n'))
}

// LoadFloor finds the noise floor of this machine: nil where it was never measured, or where what is kept is of another
// machine or cannot be read.
func LoadFloor() (*NoiseFloor, error) {
	path, err := FloorPath()
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var f floorFile
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil {
		return nil, fmt.Errorf("read the noise floor (infbench selftest makes it anew): %w", err)
	}
	if f.Machine != ThisMachine() {
		return nil, nil
	}
	return f.Floor, nil
}
