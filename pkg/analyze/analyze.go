// Package analyze turns a run directory into what it means: a summary, verdicts, and the series behind the plots.
// It reads the directory alone and never touches the network.
package analyze

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// Run analyses an opened record.
//
// It reads the rows twice: once for the tallies, and once more for the series that need them (what belongs to the
// requests around a percentile). A record whose writer died is analysed as far as it goes.
func Run(rec *measure.Record) (*Analysis, error) {
	m := rec.Manifest
	if m.Scenario == nil {
		return nil, fmt.Errorf("%s: the manifest holds no scenario", rec.Dir)
	}
	folds, sent, err := foldRows(rec)
	if err != nil {
		return nil, err
	}
	if err := foldQueues(rec, folds); err != nil {
		return nil, err
	}
	blocks, err := clientBlocks(rec)
	if err != nil {
		return nil, err
	}
	s := &Summary{Schema: SummarySchema, Run: runInfo(m),
		Scenario: ScenarioInfo{Name: m.Scenario.Name, Digest: m.Digest, Seed: m.Scenario.Seed},
		Schedule: ScheduleInfo{SHA256: m.Schedule.SHA256, Arrivals: m.Schedule.Arrivals, Rate: m.Schedule.Rate, CV: m.Schedule.CV, OpenLoop: m.Schedule.OpenLoop}, Datasets: m.Datasets,
		Validity: judgeValidity(m, folds, blocks, sent), Workload: sent, Client: clientInfo(m, folds, blocks), Approaches: []ApproachSummary{}}
	servers := serverBlocks(m, blocks)
	if err := viewRows(rec, servers); err != nil {
		return nil, err
	}
	for _, f := range folds {
		a, err := f.summary(m.Scenario.SLO, m.NoiseFloor)
		if err != nil {
			return nil, err
		}
		if a.Classes, err = f.classSummaries(m.Scenario, m.NoiseFloor); err != nil {
			return nil, err
		}
		a.Validity = s.Validity.Of(f.name)
		a.Server = serverSummary(servers, f.name, f)
		a.Levers = leversOf(m.Scenario, f.name)
		s.Approaches = append(s.Approaches, a)
	}
	a := &Analysis{Summary: s, Scenario: m.Scenario, Dir: rec.Dir}
	if err := a.series(rec, folds); err != nil {
		return nil, err
	}
	for _, b := range blocks {
		if i := slices.IndexFunc(a.Series, func(s ApproachSeries) bool { return s.Name == b.Approach }); i >= 0 {
			b.series(&a.Series[i])
		}
	}
	for i := range a.Series {
		a.Series[i].ServerWidth = serverWidth(m, a.Series[i].Name, a.BinWidth)
		a.Series[i].Server = serverSeries(servers, a.Series[i].Name, a.Series[i].ServerWidth)
	}
	return a, nil
}

// foldRows reads every row once. Approaches come in the scenario's order; one that was never reached has no fold.
func foldRows(rec *measure.Record) ([]*fold, *WorkloadAsSent, error) {
	m := rec.Manifest
	byName := map[string]*fold{}
	var folds []*fold
	var logs []*sentLog
	byBlock := map[int]*sentLog{}
	steady := newSteadyRun(m)
	for i, b := range m.Blocks {
		logs = append(logs, newSentLog(&m.Blocks[i], m.Scenario))
		byBlock[b.Index] = logs[i]
		f := byName[b.Approach]
		if f == nil {
			f = foldFor(b.Approach, m.Scenario)
			byName[b.Approach] = f
			folds = append(folds, f)
		}
		if err := f.join(rec, &m.Blocks[i]); err != nil {
			return nil, nil, err
		}
	}
	last := map[int]float64{} // the latest scheduled time by block, for blocks that were cut short
	err := eachRow(rec, func(s *measure.Sample) error {
		f := byName[s.Approach]
		if f == nil {
			return fmt.Errorf("%s: a row names approach %q, which the manifest does not have", rec.Dir, s.Approach)
		}
		if d, ok := s.Scheduled.Get(); ok {
			last[s.Block] = max(last[s.Block], d.Seconds())
		}
		if l := byBlock[s.Block]; l != nil && s.Phase == measure.Measure {
			l.add(s)
		}
		steady.add(s)
		if err := f.addRow(s); err != nil {
			return fmt.Errorf("%s: %w", rec.Dir, err)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(folds, func(x, y *fold) int { return place(m.Scenario, x.name) - place(m.Scenario, y.name) })
	for i := range m.Blocks {
		b := &m.Blocks[i]
		byName[b.Approach].lasted(m.Scenario.Phases, b, last[b.Index])
	}
	for _, f := range folds {
		f.steady = steady.of(f)
	}
	return folds, workloadAsSent(m, logs, last), nil
}

// place is where an approach stands in the scenario.
func place(s *workload.Scenario, approach string) int {
	return slices.IndexFunc(s.Approaches, func(a workload.Approach) bool { return a.Name == approach })
}

// eachRow visits every whole row of the schedule. A torn end is the end.
func eachRow(rec *measure.Record, visit func(*measure.Sample) error) error {
	return eachOf(rec, func(s *measure.Sample) error {
		if s.Phase == measure.LightLoad {
			return nil
		}
		return visit(s)
	})
}

// eachOf visits every whole row, those of light-load phases too.
func eachOf(rec *measure.Record, visit func(*measure.Sample) error) error {
	for s, err := range rec.Rows() {
		if errors.Is(err, measure.ErrTorn) {
			return nil
		}
		if err == nil {
			err = visit(s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func runInfo(m *measure.Manifest) RunInfo {
	r := RunInfo{ID: m.ID, State: m.State, Started: m.Started, Tool: m.Tool.Version, Machine: m.Machine.String(), Nonce: m.RunNonce}
	if m.State == measure.Running {
		r.State = "incomplete"
	}
	return r
}

// dialTurns reports whether an approach limits how many connections are made at once.
func dialTurns(s *workload.Scenario, name string) bool {
	i := slices.IndexFunc(s.Approaches, func(a workload.Approach) bool { return a.Name == name })
	return i >= 0 && s.Approaches[i].Connections.DialConcurrency > 0
}

func leversOf(s *workload.Scenario, name string) map[string]string {
	for _, a := range s.Approaches {
		if a.Name == name {
			return a.Levers
		}
	}
	return nil
}

// larger keeps the larger of a value and a time, as seconds.
func larger(v *float64, d time.Duration) *float64 {
	if s := d.Seconds(); v == nil || s > *v {
		return &s
	}
	return v
}

// clientInfo sums the client's own cost over the blocks.
func clientInfo(m *measure.Manifest, folds []*fold, blocks []*clientBlock) ClientInfo {
	c := ClientInfo{NoiseFloor: m.NoiseFloor, Limits: m.Limits}
	var pause, sched float64
	for _, b := range blocks {
		c.CoreWaitSeconds += b.Client.CoreWait.Seconds()
		c.GCSeconds += b.Client.GC.Seconds()
		c.CPUShareMax = max(c.CPUShareMax, b.cpu)
		c.FilesMax, c.SocketsMax = max(c.FilesMax, b.files), max(c.SocketsMax, b.sockets)
		if b.Client.Beats > 0 {
			c.StallMax, c.StallP99 = larger(c.StallMax, b.Client.StallMax), larger(c.StallP99, b.Client.StallP99)
			c.StalledSeconds += b.Client.Stalled.Seconds()
		}
		c.CPUSeconds += b.Client.CPU.Seconds()
		c.Events += b.Client.Events
		c.MaxRSSBytes = max(c.MaxRSSBytes, b.Client.MaxRSS)
		pause = max(pause, b.Client.GCPauseMax.Seconds())
		sched = max(sched, b.Client.SchedLatencyP99.Seconds())
	}
	if c.Events > 0 {
		us := c.CPUSeconds / float64(c.Events) * 1e6
		c.CPUUsPerEvent = &us
	}
	if c.CPUSeconds > 0 { // the blocks ended: the health was written
		c.GCPauseMax, c.SchedLatencyP99 = &pause, &sched
	}
	var sent, read measure.Hist
	stamps := map[string]bool{}
	for _, f := range folds {
		if sent.Merge(&f.lag) != nil || read.Merge(f.tally.Hist(workload.ReadLag)) != nil {
			return c // cannot happen: one geometry
		}
		for source := range f.stamps {
			stamps[source] = true
		}
	}
	if sent.Count() > 0 {
		c.SendLag = quantilesOf(&sent, 0)
	}
	if read.Count() > 0 {
		c.ReadLag = quantilesOf(&read, 0)
	}
	c.Stamps = slices.Sorted(maps.Keys(stamps))
	return c
}
