package analyze

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// The thresholds, from measurement.md section 14 where it has one. A client at the first of a pair makes a run
// suspect, at the second invalid.
const (
	lagFloor        = time.Millisecond // a send lag p99 below this is always accepted
	stampFloor      = 2 * time.Millisecond
	lagShareSuspect = 0.01 // of the median TTFT
	lagShareInvalid = 0.10
	deliveredShare  = 0.995 // sent / scheduled
	coalescedShare  = 0.2
	cachedShare     = 0.05
	failedRemark    = 0.01
	failedSuspect   = 0.50
	lengthMismatch  = 0.10

	// Of prompts that were built by the server's own count: whichever is more.
	calibratedMismatch = 0.02
	calibratedTokens   = 2
)

// audit collects the reasons for and against trusting a run.
type audit struct {
	about    string // the approach under audit; empty: all
	reasons  []Reason
	repeated map[string]bool // whose rows of a dataset were sent again where a cache may know them; by approach and class
}

func newAudit() *audit { return &audit{repeated: map[string]bool{}} }

func (a *audit) add(verdict, code, format string, args ...any) {
	a.reasons = append(a.reasons, Reason{Code: code, Verdict: verdict, Text: fmt.Sprintf(format, args...), Approach: a.about})
}

// blame adds a reason that lies in the client or its machine.
func (a *audit) blame(verdict, code, format string, args ...any) {
	a.add(verdict, code, format, args...)
	a.reasons[len(a.reasons)-1].Client = true
}

// severity orders verdicts.
func severity(v string) int { return slices.Index([]string{Valid, Suspect, Invalid}, v) }

var figures = regexp.MustCompile(`[-+−]?\b[0-9][0-9.,]*[a-zµ%]*`)

// once leaves of the reasons that differ in nothing but figures the first, and says in how many blocks more they were found:
// a run of many rounds has each of them many times over.
func once(reasons []Reason) []Reason {
	type kind struct{ verdict, code, approach, text string }
	at := map[kind]int{}
	var left []Reason
	more := map[int]int{}
	for _, r := range reasons {
		k := kind{r.Verdict, r.Code, r.Approach, figures.ReplaceAllString(r.Text, "#")}
		i, seen := at[k]
		if seen && r.Approach != "" {
			more[i]++
			continue
		}
		at[k] = len(left)
		left = append(left, r)
	}
	for i, n := range more {
		plural := ""
		if n > 1 {
			plural = "s"
		}
		left[i].Text += fmt.Sprintf(" (and in %d block%s more)", n, plural)
	}
	return left
}

// verdict is the worst of the reasons; the reasons come worst first.
func (a *audit) verdict() Validity {
	a.reasons = once(a.reasons)
	slices.SortStableFunc(a.reasons, func(x, y Reason) int { return severity(y.Verdict) - severity(x.Verdict) })
	v := Validity{Verdict: Valid, Reasons: a.reasons}
	if len(a.reasons) > 0 {
		v.Verdict = a.reasons[0].Verdict
	}
	if v.Reasons == nil {
		v.Reasons = []Reason{}
	}
	return v
}

// judgeValidity asks of a whole run whether its numbers can be trusted.
func judgeValidity(m *measure.Manifest, folds []*fold, blocks []*clientBlock, sent *WorkloadAsSent) Validity {
	a := newAudit()
	a.state(m)
	if !m.Schedule.OpenLoop {
		a.add(Valid, "closed_loop", "closed loop: a fixed number of users, so latency throttled the arrivals; do not compare its percentiles with an open-loop run")
	}
	var simulated []string
	for _, f := range folds {
		if f.simulated {
			simulated = append(simulated, f.name)
		}
		a.about = f.name
		a.approach(f, m, blocks)
	}
	a.spent(m)
	a.sent(sent, m.Scenario)
	a.outputs(sent)
	for _, b := range blocks {
		a.about = b.Approach
		a.client(b)
		a.proven(b.BlockRecord, m.NoiseFloor)
	}
	a.about = ""
	for _, s := range m.Preflight {
		a.add(Valid, "preflight_"+s.Code, "before the run: %s", s.Text)
	}
	if len(simulated) > 0 {
		a.add(Valid, "simulated", "%d of %d approaches are simulated endpoints inside this process: their figures say nothing about real hardware, and the client's CPU figures contain theirs", len(simulated), len(folds))
	}
	return a.verdict()
}

func (a *audit) state(m *measure.Manifest) {
	switch m.State {
	case measure.Complete:
	case measure.Running:
		a.add(Suspect, "incomplete", "the run has no final manifest: it is still going on, or its process died; up to the last second before that is missing, and requests in flight then")
	default:
		a.add(Suspect, "interrupted", "the run did not go through: %s", orElse(m.Problem, "stopped on request"))
	}
	a.missing(m)
}

// missing says what was not measured of what was planned.
func (a *audit) missing(m *measure.Manifest) {
	complete := 0
	measured := map[string]bool{}
	for _, b := range m.Blocks {
		measured[b.Approach] = true
		if b.State == measure.Complete {
			complete++
		}
	}
	switch approaches, rounds := len(m.Scenario.Approaches), m.Scenario.Rounds(); {
	case len(measured) < approaches:
		a.add(Suspect, "missing_approaches", "%d of %d approaches were measured", len(measured), approaches)
	case rounds > 1 && complete < approaches*rounds:
		a.add(Suspect, "missing_blocks", "%d of %d blocks went through: run the scenario again with --resume and this directory for the others", complete, approaches*rounds)
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// approach holds one approach's own figures against each other.
func (a *audit) approach(f *fold, m *measure.Manifest, blocks []*clientBlock) {
	if f.attempts == 0 {
		a.add(Suspect, "no_samples", "%s: no request in the measure phase", f.name)
		return
	}
	a.delivery(f)
	switch {
	case f.allLeft():
		a.left(f)
	case f.ok == 0:
		a.add(Invalid, "all_failed", "%s: all %d attempts failed: nothing was measured", f.name, f.attempts)
	default:
		a.lag(f)
		a.reading(f, blocks)
		a.failures(f)
		a.samples(f)
		a.steady(f, m.Scenario)
		a.tokens(f)
		a.silentClasses(f)
		a.classes(f)
	}
	if n := f.classes[endpoint.Unfinished]; n > 0 {
		a.add(Valid, "unfinished", "%s: %d requests were still running at the end of the drain (%s) and count as misses; a longer phases.drain would see their end", f.name, n, m.Scenario.Phases.Drain.D())
	}
}

func (a *audit) lag(f *fold) {
	d, ok := f.lag.ValueAtRank(rank(0.99, f.lag.Count()))
	if !ok || f.lag.Count() < 20 {
		return
	}
	median := f.median(workload.TTFT)
	var verdict string
	switch {
	case d > lagFloor && d > share(median, lagShareInvalid):
		verdict = Invalid
	case d > lagFloor && d > share(median, lagShareSuspect):
		verdict = Suspect
	default:
		return
	}
	a.blame(verdict, "send_lag", "%s: the client itself dispatched late: lag p99 %s against a median TTFT of %s; it is inside TTFT and send delay. Give the client a free core, lower the rate, or use more clients",
		f.name, d.Round(10*time.Microsecond), median.Round(100*time.Microsecond))
}

// reading judges how late arrivals were read. The kernel's stamps keep that out of every latency, as long as a read
// comes before the next event does: then two events get one stamp. Without them it is inside.
func (a *audit) reading(f *fold, blocks []*clientBlock) {
	read := f.tally.Hist(workload.ReadLag)
	late, _ := read.ValueAtRank(rank(0.99, read.Count()))
	if gap := f.median(workload.ChunkGap); read.Count() >= 20 && gap > 0 && late > lagFloor && late > gap/2 {
		a.blame(Suspect, "read_lag", "%s: the client read what had arrived up to %s late (p99), and half of the median gap between chunks is %s: chunks that waited together count as one. Give the client a free core, lower the rate, or use more clients",
			f.name, late.Round(10*time.Microsecond), (gap / 2).Round(10*time.Microsecond))
	}
	if clocked := f.stamps[endpoint.StampsClock]; float64(clocked) <= 0.01*float64(f.attempts) {
		return // a stamp of the kernel is not taken where the wall clock was just set
	}
	median := f.median(workload.TTFT)
	for _, b := range blocks {
		if d := b.Client.SchedLatencyP99; b.Approach == f.name && d > stampFloor && d > share(median, lagShareSuspect) {
			a.blame(Suspect, "stamp_lag", "%s: arrivals were stamped by the client's clock when it got to read them, and its goroutines waited up to %s for a core (p99 of the worst second): that is inside every latency. Give the client more cores, lower the rate, or use more clients",
				f.name, d.Round(10*time.Microsecond))
			return
		}
	}
}

func share(d time.Duration, s float64) time.Duration { return time.Duration(float64(d) * s) }

// median is the metric's median over its values, 0 without any.
func (f *fold) median(m workload.Metric) time.Duration {
	h := f.tally.Hist(m)
	d, _ := h.ValueAtRank(rank(0.5, h.Count()))
	return d
}

// delivery compares what was sent with what was scheduled. A request that could not connect is the endpoint's failure,
// not the client's, unless the client had nothing left to connect with.
func (a *audit) delivery(f *fold) {
	if float64(f.unsent) > (1-deliveredShare)*float64(f.attempts) {
		a.blame(Invalid, "offered_delivered", "%s: %d of %d scheduled requests never went out: the client could not keep the schedule", f.name, f.unsent, f.attempts)
	}
	if key, p := f.worstPace(); p != nil {
		a.blame(Invalid, "offered_delivered", "%s: the client fell behind: of %d requests due in the %s from second %.0f, %d were not started when those were over; give it more cores, lower the rate, or use more clients",
			f.name, p.due, paceWindow, (time.Duration(key.window) * paceWindow).Seconds(), p.behind)
	}
	if n := f.classes[endpoint.ClientLimit]; n > 0 {
		a.blame(Invalid, "client_limits", "%s: for %d of %d requests this machine had no file descriptor or port left (%s): raise its limits (ulimit -n), let connections be reused, or lower the rate", f.name, n, f.attempts, f.examples[endpoint.ClientLimit])
	}
	if f.refused > 0 {
		waited := ""
		if f.queued > 0 {
			waited = fmt.Sprintf(" (%d of them waited for the end of others' dialling, connections.dial_concurrency)", f.queued)
		}
		a.add(Valid, "refused", "%s: %d of %d requests found no connection%s; they are misses in every figure", f.name, f.refused, f.attempts, waited)
	}
}

// worstPace is the window in which the client fell behind the most, nil where it kept up in all.
func (f *fold) worstPace() (key paceKey, worst *pace) {
	for k, p := range f.pace {
		if float64(p.behind) <= (1-deliveredShare)*float64(p.due) {
			continue
		}
		if worst == nil || p.behind > worst.behind || p.behind == worst.behind && (k.block < key.block || k.block == key.block && k.window < key.window) {
			key, worst = k, p
		}
	}
	return key, worst
}

// failures says when so many attempts failed that the figures are those of a lucky few.
func (a *audit) failures(f *fold) {
	failed := f.attempts - f.ok
	switch share := float64(failed) / float64(f.attempts); {
	case share > failedSuspect:
		a.add(Suspect, "failures", "%s: %d of %d attempts failed: what the others measured is not what users would meet; see the errors first", f.name, failed, f.attempts)
	case share > failedRemark:
		a.add(Valid, "failures", "%s: %d of %d attempts failed; they are misses in every figure", f.name, failed, f.attempts)
	}
}

func (a *audit) samples(f *fold) {
	var negative int64
	for _, m := range workload.Metrics() {
		negative += f.tally.Hist(m).Negative()
	}
	if negative > 0 {
		a.blame(Suspect, "negative_times", "%s: %d latencies came out negative and are left out: the clock of this machine is at fault, or infbench is; please report it", f.name, negative)
	}
	n := int64(f.attempts)
	switch {
	case n < tailSize(0.5):
		a.add(Suspect, "few_samples", "%s: %d attempts are too few for any percentile; measure longer or faster", f.name, n)
	case n < tailSize(0.99):
		a.add(Valid, "few_samples", "%s: %d attempts are too few for a p99 (needs %d); it is left out", f.name, n, tailSize(0.99))
	}
}

func (a *audit) tokens(f *fold) {
	if f.chunks > 0 && float64(f.coalesced) > coalescedShare*float64(f.chunks) && f.median(workload.TPOT) > time.Millisecond {
		a.add(Suspect, "coalesced", "%s: %.0f%% of the chunks arrived in one read with another: a proxy, the server or a late client bundles them, so gaps between tokens are not the model's", f.name, 100*float64(f.coalesced)/float64(f.chunks))
	}
	if float64(f.whole) > coalescedShare*float64(f.long) {
		a.add(Suspect, "buffered", "%s: %d of %d answers of %d chunks and more came in one network read: something on the way held them back, so their first token has the time of the last and their gaps were never seen", f.name, f.whole, f.long, longAnswer)
	}
	t := &f.tokens
	if t.chunks > 0 {
		a.add(Valid, "no_usage", "%s: %d answers came without a usage report; their tokens are counted as chunks", f.name, t.chunks)
	}
	if t.output.n > 0 && t.askedOutput.n == t.output.n {
		if off := float64(t.output.sum)/float64(t.askedOutput.sum) - 1; off > lengthMismatch || off < -lengthMismatch {
			a.add(Valid, "output_length", "%s: answers were %+.0f%% as long as asked for: compare latencies per token, not per answer", f.name, 100*off)
		}
	}
}

// proven holds the load of a block against what a self-test has shown this machine to measure rightly. Where an embedded
// endpoint shares the process, the self-test, whose server is another process, says nothing.
func (a *audit) proven(b *measure.BlockRecord, floor *measure.NoiseFloor) {
	if floor == nil || b.Simulated || b.Client.Wall <= 0 {
		return
	}
	if rate := float64(b.Client.Events) / b.Client.Wall.Seconds(); rate > floor.EventsPerSecond {
		a.blame(Suspect, "beyond_proven", "%s: %.0f events/s, and infbench selftest has proven this machine up to %.0f: use a larger one, or run selftest again", b.Approach, rate, floor.EventsPerSecond)
	}
}
