package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// ManifestSchema names the layout of a run directory.
const ManifestSchema = "infbench.run/v1"

// The states of a run. A directory whose manifest still says running, with no process behind it, is an interrupted
// run: it is reported as incomplete.
const (
	Running     = "running"
	Complete    = "complete"
	Interrupted = "interrupted" // stopped on request; what was measured is whole
	Failed      = "failed"      // stopped by an error of an endpoint or of the disk
)

// Manifest is manifest.json: what a run directory is a record of.
type Manifest struct {
	Schema   string             `json:"schema"`
	ID       string             `json:"id"`
	State    string             `json:"state"`
	Problem  string             `json:"problem,omitempty"` // why it is interrupted or failed
	Started  time.Time          `json:"started"`
	Ended    *time.Time         `json:"ended,omitempty"`
	Tool     Tool               `json:"tool"`
	Machine  Machine            `json:"machine"`
	Digest   string             `json:"digest"` // of the scenario
	Scenario *workload.Scenario `json:"scenario"`
	// Folder is where relative paths in the scenario start, as an absolute path. Empty in records of older versions.
	Folder string `json:"folder,omitempty"`
	// Extended are the growths of the run: it was begun with fewer rounds of blocks than its scenario now has.
	Extended []Extension    `json:"extended,omitempty"`
	Schedule ScheduleRecord `json:"schedule"`
	// RunNonce is what the nonces of the prompts were made of, beside the seed: with it a run sends the very same prompts
	// again. Empty where prompts have none, and in records of older versions, whose nonces the seed alone decides.
	RunNonce string `json:"run_nonce,omitempty"`
	// Datasets are the files that prompts come from. Nil where they come from none, and in records of older versions.
	Datasets []workload.DatasetFacts `json:"datasets,omitempty"`
	// Asked is what the scenario asks of the measure phase of every block: what was sent is held against it. Nil for a
	// closed loop, and in records of older versions.
	Asked *workload.Traffic `json:"asked,omitempty"`
	// Rounds are the rounds of blocks that have begun, where the scenario has more than one; the schedule and Asked are those of
	// the first.
	Rounds []RoundRecord `json:"rounds,omitempty"`
	// AskedClasses is the same of each class of a mix, in the scenario's order.
	AskedClasses []workload.ClassTraffic `json:"asked_classes,omitempty"`
	Blocks       []BlockRecord           `json:"blocks"`
	// Limits are what the system let the client have. Nil in records of older versions.
	Limits *Limits `json:"limits,omitempty"`
	// Preflight is what was found too small for the plan before anything was sent.
	Preflight []Shortfall `json:"preflight,omitempty"`
	// NoiseFloor is the client's own error on this machine, as the last self-test found it; nil: it was never measured.
	NoiseFloor *NoiseFloor `json:"noise_floor,omitempty"`
	// Files are the digests (SHA-256, in hex) of the other files of the record when it was closed, by their names: what was
	// changed since does not have them. Nil while the run goes on, and in records of older versions.
	Files map[string]string `json:"files,omitempty"`
	// Verdict is the validity verdict, filled in when the run is analysed at its end.
	Verdict string `json:"verdict,omitempty"`
}

// RoundRecord is a round of blocks: what every approach got in it.
type RoundRecord struct {
	Seed     uint64   `json:"seed"`
	SHA256   string   `json:"sha256"` // of the schedule
	Arrivals int      `json:"arrivals"`
	Rate     float64  `json:"rate"` // 1/s over the horizon
	CV       *float64 `json:"cv,omitempty"`
	// Asked and AskedClasses are as in Manifest.
	Asked        *workload.Traffic       `json:"asked,omitempty"`
	AskedClasses []workload.ClassTraffic `json:"asked_classes,omitempty"`
}

// AskedOf is what the scenario asked of a block, and by traffic class of a mix. Nil where it is not known.
func (m *Manifest) AskedOf(b *BlockRecord) (*workload.Traffic, []workload.ClassTraffic) {
	switch {
	case len(m.Rounds) == 0:
		return m.Asked, m.AskedClasses
	case b.Round < len(m.Rounds):
		return m.Rounds[b.Round].Asked, m.Rounds[b.Round].AskedClasses
	}
	return nil, nil
}

// WentThrough tells whether the run has a block of an approach in a round, counted from 0, that went through.
func (m *Manifest) WentThrough(round int, approach string) bool {
	return slices.ContainsFunc(m.Blocks, func(b BlockRecord) bool {
		return b.State == Complete && b.Round == round && b.Approach == approach
	})
}

// SameRun tells whether both are manifests of one run: also of a copy, and of a run before and after it grew.
func (m *Manifest) SameRun(other *Manifest) bool {
	return m == other || m.ID != "" && m.ID == other.ID && m.Started.Equal(other.Started)
}

// Tool is the program that measured.
type Tool struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
}

// ScheduleRecord describes the schedule that every block got.
type ScheduleRecord struct {
	SHA256   string   `json:"sha256"`
	Arrivals int      `json:"arrivals"`
	Rate     float64  `json:"rate"` // 1/s over the horizon
	CV       *float64 `json:"cv,omitempty"`
	OpenLoop bool     `json:"open_loop"`
	Windows  []Window `json:"windows,omitempty"`
	// Trace is what was replayed; of a mix, what the classes with a weight divide among them.
	Trace *Trace `json:"trace,omitempty"`
	// Classes are the parts of a mix, in the scenario's order.
	Classes []ClassSchedule `json:"classes,omitempty"`
}

// ClassSchedule describes the arrivals of one traffic class.
type ClassSchedule struct {
	Name     string   `json:"name"`
	Arrivals int      `json:"arrivals"`
	Rate     float64  `json:"rate"` // 1/s over the horizon
	CV       *float64 `json:"cv,omitempty"`
	// Share is the class's part of the common arrivals, 0..1; absent where it has its own.
	Share float64 `json:"share,omitempty"`
	// Trace is what a class with arrivals of its own replayed.
	Trace *Trace `json:"trace,omitempty"`
}

// Window is a span of the block's time line that a reader should see marked.
type Window struct {
	Name string        `json:"name"`
	From time.Duration `json:"from"` // ns since the block's time 0
	To   time.Duration `json:"to"`
}

// Trace identifies the trace behind a schedule. Rows = Used + the sum of Dropped.
type Trace struct {
	Path    string         `json:"path"`
	Format  string         `json:"format,omitempty"`
	Copies  int            `json:"copies,omitempty"` // of the used rows, superposed; 0 and 1 are one
	SHA256  string         `json:"sha256"`
	Rows    int            `json:"rows"`
	Used    int            `json:"used"`
	Dropped map[string]int `json:"dropped,omitempty"` // by reason
	// Clamped counts used rows whose lengths were cut to the scenario's limits.
	Clamped int `json:"clamped,omitempty"`
}

// BlockRecord is one approach driven through the schedule once.
type BlockRecord struct {
	Index    int    `json:"index"`
	Approach string `json:"approach"`
	// Round is which round of blocks it belongs to, from 0: the blocks of a round got the same schedule.
	Round     int       `json:"round,omitempty"`
	Simulated bool      `json:"simulated"`
	State     string    `json:"state"`
	Problem   string    `json:"problem,omitempty"`
	Started   time.Time `json:"started"` // wall clock of the block's time 0
	// Proxy is the host and port of the proxy that the requests went through; "none" and why, where the environment was to
	// name it. Absent where no proxy was asked for.
	Proxy string `json:"proxy,omitempty"`
	// Calibration is how the target was found to count prompts before the block, where the scenario wanted to know.
	Calibration *Calibration `json:"calibration,omitempty"`
	// LightLoad is the phase of single requests before the block, where the scenario has one.
	LightLoad *LightLoadRecord `json:"light_load,omitempty"`
	// Telemetry is what the server published of itself, where the scenario asked for it; the figures are in the timeline.
	Telemetry *TelemetryRecord `json:"telemetry,omitempty"`
	// Scheduled is how many arrivals came due before the block ended; fewer than the schedule's when it was stopped.
	Scheduled int `json:"scheduled"`
	Attempts  int `json:"attempts"`
	// Ended is when the last request was over, since the block's time 0.
	Ended  Stamp                      `json:"ended,omitzero"`
	Totals map[workload.Metric]Totals `json:"totals,omitempty"`
	// ClassTotals are the totals of what rows cannot give back, by traffic class of a mix.
	ClassTotals map[string]map[workload.Metric]Totals `json:"class_totals,omitempty"`
	Client      ClientRecord                          `json:"client"`
}

// ClientRecord is the load generator's own cost and health over a block. Where an embedded simulated endpoint runs in
// the same process, its cost is in here too.
type ClientRecord struct {
	CPU             time.Duration `json:"cpu_ns"`
	Wall            time.Duration `json:"wall_ns"`
	Cores           int           `json:"cores"` // GOMAXPROCS
	Events          int64         `json:"events"`
	MaxRSS          int64         `json:"max_rss_bytes"`
	GCPauseMax      time.Duration `json:"gc_pause_max_ns"`
	SchedLatencyP99 time.Duration `json:"sched_latency_p99_ns"`
	// GC is the CPU time of the garbage collector; CoreWait how long threads were ready and got no core, together.
	GC       time.Duration `json:"gc_ns,omitempty"`
	CoreWait time.Duration `json:"core_wait_ns,omitempty"`
	// Beats are the heartbeats, one a millisecond; 0 where there was no heartbeat, and its other figures say nothing.
	Beats int64 `json:"beats,omitempty"`
	// StallP99 and StallMax are what a heartbeat was late by; Stalled is the sum of what was late by 10 ms and more.
	StallP99  time.Duration `json:"stall_p99_ns,omitempty"`
	StallMax  time.Duration `json:"stall_max_ns,omitempty"`
	Stalled   time.Duration `json:"stalled_ns,omitempty"`
	Throttled int64         `json:"throttled,omitempty"` // cgroup periods in which the process was throttled
}

// writeManifest replaces dir/manifest.json in one step.
func writeManifest(dir string, m *Manifest) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the manifest: %w", err)
	}
	return writeAtomic(filepath.Join(dir, "manifest.json"), append(b, '\n'))
}

func writeAtomic(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func readManifest(dir string) (*Manifest, error) {
	path := filepath.Join(dir, "manifest.json")
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is no run directory: it has no manifest.json", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	m := &Manifest{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if m.Schema != ManifestSchema {
		return nil, fmt.Errorf("%s has schema %q, this infbench reads %q: use the version that wrote it", path, m.Schema, ManifestSchema)
	}
	return m, nil
}
