package analyze

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/infbench/infbench/pkg/measure"
)

// Thresholds of the client's health. From measurement.md section 14: the CPU in any 5 s.
const (
	cpuWindow    = 5 * time.Second
	CPULimit     = 0.70 // of the cores that it may use: more makes the run suspect
	cpuInvalid   = 0.95
	gcPauseLimit = 10 * time.Millisecond
	gcShareLimit = 0.10                  // of the cores; in its cycles it takes a quarter of them
	StallLimit   = 50 * time.Millisecond // of one heartbeat: more makes the run suspect
	stalledShare = 0.01                  // of the block
	fullShare    = 0.90                  // of the descriptors or ports
)

// clientBlock is the load generator's health over one block: the totals of the manifest, and the worst of the timeline.
type clientBlock struct {
	*measure.BlockRecord
	limits measure.Limits
	// cpu is the largest share of its cores that the process used in any 5 s, until cpuAt.
	cpu     float64
	cpuAt   time.Duration
	stallAt time.Duration // the tick with the longest stall after the warm-up
	stall   time.Duration
	stalled float64 // the share of the time after the warm-up that it stood still for
	files   int     // the most at any tick
	sockets int
	steal   time.Duration // what the host took over the block
	ticks   []measure.Tick
}

// clientBlocks reads the timeline. A block of an older record, or of a run whose process died, has what there is.
func clientBlocks(rec *measure.Record) ([]*clientBlock, error) {
	m := rec.Manifest
	var blocks []*clientBlock
	byIndex := map[int]*clientBlock{}
	for i := range m.Blocks {
		b := &clientBlock{BlockRecord: &m.Blocks[i]}
		if m.Limits != nil {
			b.limits = *m.Limits
		}
		if b.limits.Cores == 0 {
			b.limits.Cores = float64(b.Client.Cores)
		}
		byIndex[b.Index] = b
		blocks = append(blocks, b)
	}
	for t, err := range rec.Ticks() {
		if errors.Is(err, os.ErrNotExist) {
			break // the rows alone still say what was measured
		}
		if err != nil {
			return nil, err
		}
		if b := byIndex[t.Block]; b != nil {
			b.ticks = append(b.ticks, *t)
		}
	}
	for _, b := range blocks {
		b.fold(m.Scenario.Phases.Warmup.D())
	}
	return blocks, nil
}

// fold takes the worst of the ticks. A stall in the warm-up, where processes start and nothing is counted, is none.
func (b *clientBlock) fold(warmup time.Duration) {
	c := b.Client
	if c.Wall > 0 && b.limits.Cores > 0 {
		b.cpu, b.cpuAt = c.CPU.Seconds()/(c.Wall.Seconds()*b.limits.Cores), c.Wall // a short block has no window
	}
	from := 0
	var lost time.Duration
	for i := range b.ticks {
		t := &b.ticks[i]
		b.files, b.sockets = max(b.files, t.Files), max(b.sockets, t.Sockets)
		if t.T > warmup {
			lost += t.Stalled
		}
		if t.T > warmup && t.StallMax > b.stall {
			b.stall, b.stallAt = t.StallMax, t.T
		}
		for from < i && t.T-b.ticks[from+1].T >= cpuWindow {
			from++
		}
		if span := t.T - b.ticks[from].T; span >= cpuWindow && b.limits.Cores > 0 {
			if used := (t.CPU - b.ticks[from].CPU).Seconds() / (span.Seconds() * b.limits.Cores); used > b.cpu {
				b.cpu, b.cpuAt = used, t.T
			}
		}
	}
	if n := len(b.ticks); n > 0 {
		b.steal = b.ticks[n-1].Steal - b.ticks[0].Steal
	} else {
		b.stall, lost, warmup = c.StallMax, c.Stalled, 0
	}
	if c.Wall > warmup {
		b.stalled = lost.Seconds() / (c.Wall - warmup).Seconds()
	}
}

// series adds the block's part to what the report draws of the client over time.
func (b *clientBlock) series(s *ApproachSeries) {
	for i := 1; i < len(b.ticks); i++ {
		t, before := &b.ticks[i], &b.ticks[i-1]
		if span := (t.T - before.T).Seconds(); span > 0 && b.limits.Cores > 0 {
			s.ClientCPU = append(s.ClientCPU, Point{T: t.T.Seconds(), V: (t.CPU - before.CPU).Seconds() / (span * b.limits.Cores)})
		}
	}
	for _, t := range b.ticks {
		if b.Client.Beats > 0 {
			s.ClientStall = append(s.ClientStall, Point{T: t.T.Seconds(), V: t.StallMax.Seconds()})
		}
		s.ClientLag = append(s.ClientLag, Point{T: t.T.Seconds(), V: t.LagMax.Seconds()})
	}
}

// client judges the load generator over one block.
func (a *audit) client(b *clientBlock) {
	a.cpu(b)
	a.stall(b)
	c := b.Client
	if c.GCPauseMax > gcPauseLimit {
		a.blame(Suspect, "gc_pause", "%s: the client's garbage collector stopped it for up to %s; give it more cores, or use more clients", b.Approach, c.GCPauseMax.Round(100*time.Microsecond))
	}
	if share := c.GC.Seconds() / (c.Wall.Seconds() * float64(c.Cores)); c.Wall > 0 && c.Cores > 0 && share > gcShareLimit {
		a.blame(Suspect, "gc_share", "%s: the client's garbage collector took %.0f%% of its %d cores; set GOGC=400 if there is memory for it, or use more clients", b.Approach, 100*share, c.Cores)
	}
	if c.Throttled > 0 {
		a.blame(Suspect, "throttled", "%s: the control group's CPU quota of %.2g cores stopped the client in %d periods: raise the quota", b.Approach, b.limits.Quota, c.Throttled)
	}
	if n := b.limits.Files; n > 0 && float64(b.files) > fullShare*float64(n) {
		a.blame(Suspect, "files", "%s: the client had %d of %d file descriptors open: raise the limit (ulimit -n), or lower the load", b.Approach, b.files, n)
	}
	if n := b.limits.Ports; n > 0 && float64(b.sockets) > fullShare*float64(n) {
		// Those of other programs and to other servers count too, so this is no verdict: a port that is missing is one.
		a.add(Valid, "ports", "%s: %d TCP sockets were in use or in TIME_WAIT on this machine, which has %d local ports for each address of a server", b.Approach, b.sockets, n)
	}
}

func (a *audit) cpu(b *clientBlock) {
	at := fmt.Sprintf("in the %s before second %.0f", cpuWindow, b.cpuAt.Seconds())
	if b.cpuAt == b.Client.Wall {
		at = "over the block"
	}
	switch {
	case b.cpu > cpuInvalid && !b.Simulated:
		a.blame(Invalid, "cpu", "%s: the client used %.0f%% of its %.3g cores %s: it was the bottleneck; give it more cores, lower the rate, or use more clients", b.Approach, 100*b.cpu, b.limits.Cores, at)
	case b.cpu > CPULimit:
		a.blame(Suspect, "cpu", "%s: this process used %.0f%% of its %.3g cores %s; give it more cores, lower the rate, or use more clients", b.Approach, 100*b.cpu, b.limits.Cores, at)
	}
}

// stall judges the heartbeat: one long stand-still, or many short ones.
func (a *audit) stall(b *clientBlock) {
	switch {
	case b.stall >= StallLimit:
		a.blame(Suspect, "stall", "%s: the client stood still for %s at second %.1f; what came meanwhile was sent and read late%s",
			b.Approach, b.stall.Round(time.Millisecond), b.stallAt.Seconds(), causes(b))
	case b.stalled >= stalledShare:
		a.blame(Suspect, "stall", "%s: the client stood still for %.1f%% of the time, up to %s at once%s",
			b.Approach, 100*b.stalled, b.stall.Round(time.Millisecond), causes(b))
	}
}

// causes names what the system tells about why the client stood still.
func causes(b *clientBlock) string {
	c := b.Client
	var list []string
	if c.Throttled > 0 {
		list = append(list, "its CPU quota stopped it")
	}
	if b.steal > c.Wall/100 {
		list = append(list, fmt.Sprintf("the host took %.1f s of this machine's cores (steal)", b.steal.Seconds()))
	}
	if c.CoreWait > c.CPU/4 {
		list = append(list, fmt.Sprintf("its threads ran for %.1f s in all and waited %.1f s for a core: other processes took it", c.CPU.Seconds(), c.CoreWait.Seconds()))
	}
	if len(list) == 0 {
		return ". A stopped process or a paused machine looks like this: run again"
	}
	return " (" + strings.Join(list, "; ") + "): give it a core of its own"
}
