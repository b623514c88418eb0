package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

func (a *app) runCommand() *cobra.Command {
	var flags scenarioFlags
	var out, nonce, resume string
	var quiet, acceptSuspect bool
	spin := usualSpin()
	cmd := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Run a scenario: drive every approach, record, report",
		Long: `Run drives every approach of a scenario through the same schedule, one after the other, and writes a run directory with
the record and the report.

Ctrl-C once stops sending, lets what is in flight end, and writes the record and a report marked interrupted; twice stops
at once and keeps the record. Either exits with 130.

It exits with 3 when the measurement cannot be trusted: when the run is invalid, or suspect because of the client itself
(it stood still, it had no core, it ran out of file descriptors). --accept-suspect lets the latter pass: on a shared
machine, say, where the verdicts matter less than that the run goes through.`,
		Example: `  infbench run scenarios/quickstart.yaml
  infbench run scenarios/quickstart.yaml --blocks 10
  infbench run scenarios/openai.yaml --only hosted --duration 2m --rate 2/s
  infbench run scenarios/quickstart.yaml --set approaches[edge].simulate.slots=4`,
		Args: oneFile("a scenario", "infbench run scenarios/quickstart.yaml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if spin < 0 || spin > maxSpin {
				return fail(exitUsage, fmt.Errorf("--spin %s: give 0 to %s", spin, maxSpin))
			}
			s, err := flags.load(args[0], a.stderr)
			if err != nil {
				return err
			}
			locate := func(err error, approach int) error {
				err = workload.LocateFile(err, args[0], flags.overrides()...)
				return workload.Locate(err, approach, args[0], flags.overrides()...)
			}
			r := &runJob{app: a, scenario: s, locate: locate, dir: out, progress: newProgress(a.stderr, quiet), acceptSuspect: acceptSuspect, spin: spin, nonce: nonce}
			if resume != "" {
				if out != "" {
					return fail(exitUsage, fmt.Errorf("--resume stands beside --out: the run stays in its directory; remove one of them"))
				}
				if err := r.takeUp(resume); err != nil {
					return fail(exitUsage, err)
				}
			}
			return r.run(cmd.Context())
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVarP(&out, "out", "o", "", "write the record into this `directory` (default: a new one below the scenario's output.dir)")
	cmd.Flags().StringVar(&resume, "resume", "", "go on with the run in this `directory`: its blocks that went through stay, the others are driven; a larger --blocks lets it grow")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "show no progress")
	cmd.Flags().BoolVar(&acceptSuspect, "accept-suspect", false, "do not exit with 3 when the run is suspect because of this machine")
	cmd.Flags().StringVar(&nonce, "nonce", "", "make the nonces of prompts from this `text`: run_nonce in the manifest of a run sends its very prompts again, and all shards of one run need the same (default: a random one)")
	cmd.Flags().DurationVar(&spin, "spin", spin, "watch the clock for this `time` before each arrival, since timers wake late; 0 sleeps all the way")
	return cmd
}

// usualSpin is what is spun before an arrival unless another time is asked for.
func usualSpin() time.Duration {
	if runtime.GOMAXPROCS(0) > 1 {
		return 100 * time.Microsecond
	}
	return 0 // with a single core, it would be the answers' that it burns
}

// maxSpin is far more than a timer is ever late by: beyond it, spinning only burns a core.
const maxSpin = 10 * time.Millisecond

// runJob is one run from a resolved scenario to its report.
type runJob struct {
	app      *app
	scenario *workload.Scenario
	// locate gives an error about an approach, or about a file that the scenario names, its place in the scenario's file, where it has one.
	locate   func(err error, approach int) error
	dir      string
	progress progress
	// acceptSuspect: a suspect client is no failure.
	acceptSuspect bool
	spin          time.Duration
	nonce         string // of the run; empty: a random one

	// schedule and source are those of the round of blocks under way.
	schedule *workload.Schedule
	source   *workload.Source
	stop     *interrupts
	// record is the manifest of the run that is gone on with; nil: a new one.
	record *measure.Manifest
}

func (r *runJob) run(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	m := r.manifest()
	if err := r.preflight(m); err != nil {
		return err
	}
	r.stop, ctx = watchInterrupts(ctx, r.app.stderr)
	defer r.stop.release()
	w, err := r.open(m)
	if err != nil {
		return fail(exitIO, err)
	}
	runErr := r.drive(ctx, w)
	if r.stop.count() > 1 {
		fmt.Fprintf(r.app.stderr, "Stopped at once. The record is kept: infbench report %s\n", r.dir)
		return fail(exitInterrupted, nil)
	}
	return r.conclude(runErr)
}

// drive drives the blocks and ends the record.
func (r *runJob) drive(ctx context.Context, w *measure.Writer) error {
	runErr := r.blocks(ctx, w)
	state, problem := measure.Complete, ""
	switch {
	case r.stop.count() > 0:
		state, problem = measure.Interrupted, "stopped by a signal"
	case runErr != nil:
		state, problem = measure.Failed, runErr.Error()
	}
	return errors.Join(runErr, w.Close(state, problem, time.Now()))
}

// prepare does everything that can fail before anything is sent or written.
func (r *runJob) prepare(ctx context.Context) (err error) {
	s := r.scenario
	if err := r.setNonce(); err != nil {
		return fail(exitUsage, err)
	}
	if err := r.plan(0); err != nil {
		return fail(exitUsage, r.locate(err, 0))
	}
	for i, ap := range s.Approaches {
		if err := r.app.check(s, ap); err != nil {
			return fail(exitUsage, r.locate(err, i))
		}
	}
	for _, ap := range s.Approaches {
		if err := r.app.reach(ctx, s, ap); err != nil {
			return fail(exitIO, err)
		}
		if err := r.app.tryTelemetry(ctx, s, ap); err != nil {
			return fail(exitUsage, err)
		}
	}
	if r.dir == "" {
		r.dir = filepath.Join(s.Output.Dir, s.Name+"-"+time.Now().UTC().Format("20060102T150405Z")+"-"+randomHex(3))
	}
	return nil
}

// setNonce makes the prompts those of this run alone, unless they are to be those of another.
func (r *runJob) setNonce() error {
	switch {
	case !r.scenario.Nonces() && r.nonce != "":
		where := "prompts.cache: allowed"
		if len(r.scenario.Mix) > 0 {
			where += " in every class of the mix"
		}
		return fmt.Errorf("--nonce %s: with %s prompts begin with no nonce: remove one of them", r.nonce, where)
	case !r.scenario.Nonces():
		return nil
	case r.nonce == "":
		r.nonce = randomHex(8)
	}
	return nil
}

// randomHex is a text that no other run has: so many random bytes in hex.
func randomHex(bytes int) string {
	random := make([]byte, bytes)
	rand.Read(random)
	return hex.EncodeToString(random)
}

// manifest is what is known before the first block.
func (r *runJob) manifest() *measure.Manifest {
	stats := r.schedule.Stats()
	rec := measure.ScheduleRecord{SHA256: r.schedule.SHA256(), Arrivals: len(r.schedule.Times), Rate: stats.Rate, CV: stats.CV, OpenLoop: r.schedule.Open}
	for _, w := range r.schedule.Windows() {
		rec.Windows = append(rec.Windows, measure.Window{Name: w.Name, From: w.From, To: w.To})
	}
	rec.Trace = traceRecord(r.schedule.Trace, r.source.Clamped())
	if r.schedule.Mix != nil {
		r.recordMix(&rec)
	}
	floor, err := measure.LoadFloor()
	if err != nil {
		fmt.Fprintf(r.app.stderr, "infbench: %v\n", err) // the run is worth having without it
	}
	folder, err := filepath.Abs(r.scenario.Dir)
	if err != nil {
		folder = "" // only a rerun by the record alone needs it
	}
	return &measure.Manifest{Folder: folder, ID: filepath.Base(r.dir), Started: time.Now(), Tool: measure.ThisTool(), Machine: measure.ThisMachine(), NoiseFloor: floor,
		Digest: r.scenario.Digest(), Scenario: r.scenario.Redacted(), Schedule: rec, RunNonce: r.nonce, Datasets: r.source.Datasets(),
		Asked: r.source.Asked(r.schedule), AskedClasses: r.source.AskedByClass(r.schedule)}
}

// traceRecord identifies a trace; nil for none.
func traceRecord(t *workload.Replay, clamped int) *measure.Trace {
	if t == nil {
		return nil
	}
	return &measure.Trace{Path: t.Path, Format: t.Format, Copies: t.Copies, SHA256: t.SHA256, Rows: t.Rows, Used: t.Used, Dropped: t.Dropped, Clamped: clamped}
}

// recordMix describes the arrivals of each traffic class, and the trace that they divide.
func (r *runJob) recordMix(rec *measure.ScheduleRecord) {
	mix, divided := r.schedule.Mix, 0
	for i, c := range mix.Classes {
		stats, clamped := c.Stats(), r.source.Classes()[i].Clamped()
		part := measure.ClassSchedule{Name: c.Name, Arrivals: len(c.Times), Rate: stats.Rate, CV: stats.CV, Share: c.Share}
		if c.Share == 0 {
			part.Trace = traceRecord(c.Trace, clamped)
		} else {
			divided += clamped
		}
		rec.Classes = append(rec.Classes, part)
	}
	if mix.Common != nil {
		rec.Trace = traceRecord(mix.Common.Trace, divided)
	}
}

// block drives one approach through the round's schedule.
func (r *runJob) block(ctx context.Context, w *measure.Writer, index, round int, ap workload.Approach) error {
	t, err := r.app.openTarget(ctx, r.scenario, ap)
	if err != nil {
		return err
	}
	defer t.close()
	nonce := workload.Nonce{Approach: ap.Name, Block: index}
	source, calibration := r.calibrated(ctx, t, nonce)
	if err := t.prewarm(ctx, ap); err != nil {
		return err
	}
	tele, over, err := t.telemetry()
	if err != nil {
		return err
	}
	defer over()
	runner := &measure.Runner{Writer: w, Stop: r.stop.first, Live: r.progress.show, Heartbeat: true, Spin: r.spin}
	b := measure.Block{
		Index: index, Round: round, Approach: ap.Name, Simulated: ap.Simulate != nil,
		Endpoint: t.endpoint, Epoch: t.epoch, Proxy: endpoint.ProxyOf(t.endpoint),
		Phases: r.scenario.Phases, Times: r.schedule.Times, Closed: r.scenario.Arrivals.ClosedLoop,
		Request: func(i int) workload.Request {
			return source.Request(i, nonce)
		},
		Calibration: calibration, Telemetry: tele, KeepText: r.scenario.Output.KeepText,
	}
	if b.LightLoad, err = r.lightLoad(source, nonce, ap.API); err != nil {
		return fmt.Errorf("approach %s: phases.light_load: %w", ap.Name, err)
	}
	if r.scenario.Converses() {
		b.Follow = source.Follow
	}
	return runner.Run(ctx, b)
}

// conclude analyses the record, reports, and turns verdicts into the exit status. The record of a failed run is
// reported too: what was measured is not lost.
func (r *runJob) conclude(runErr error) error {
	an, err := analyseDir(r.dir)
	if err == nil {
		err = errors.Join(measure.SetVerdict(r.dir, an.Summary.Validity.Verdict), r.app.writeReport(an))
	}
	if err = errors.Join(runErr, err); err != nil {
		return fail(exitIO, fmt.Errorf("%w\nThe record is kept in %s", err, r.dir))
	}
	if r.stop.count() > 0 {
		return fail(exitInterrupted, nil)
	}
	if code := verdictCode(an, r.acceptSuspect); code != exitPass {
		return fail(code, nil)
	}
	return nil
}

// verdictCode is the exit status that a finished run's verdicts ask for.
func verdictCode(an *analyze.Analysis, acceptSuspect bool) int {
	switch v := an.Summary.Validity; {
	case v.EndpointDown():
		return exitIO // as where the first requests failed and the rest was not sent
	case v.Verdict == analyze.Invalid || !acceptSuspect && v.ClientLimited():
		return exitInvalid
	}
	passed, failed, unsure := 0, 0, 0
	for _, a := range an.Summary.Approaches {
		switch v := a.Verdict(); {
		case v == analyze.Fail:
			failed++
		case v == analyze.CannotTell || a.Attempts > 0 && a.OK == 0: // whom nobody waited for has passed nothing
			unsure++
		default:
			passed++
		}
	}
	if an.Scenario.SLO.Require == "any" && passed > 0 {
		return exitPass
	}
	switch {
	case failed > 0 && (an.Scenario.SLO.Require != "any" || unsure == 0):
		return exitVerdict
	case unsure > 0:
		return exitCannotTell
	}
	return exitPass
}
