package simulate

import (
	"math"
	"slices"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// model is the server's timing as a pure state machine: it never reads a clock, and what it does depends only on its
// parameters, its seed and what was submitted when. Real times count from the server's start.
type model struct {
	params
	clock  stallClock
	events eventHeap
	cache  *prefixCache
	bucket bucket

	waiting  fifo[*job] // may hold cancelled jobs
	queued   int        // those that are not
	busy     int        // slots in use
	joining  []*job     // have their first token and wait for the next step
	batch    []*job     // in the step under way
	stepping bool
	stepEnd  time.Duration // machine time
	sharing  sharing

	out fifo[delivery] // by due time
	now time.Duration  // real; all up to here has happened

	seq        uint64 // requests submitted
	tenants    uint64 // background requests
	background *stat.Rand
	metrics    metrics
}

func newModel(p params) *model {
	m := &model{params: p, cache: newPrefixCache(p.PrefixCacheTokens), bucket: newBucket(p.RateLimit), metrics: newMetrics()}
	if b := p.Background; b != nil && b.Rate > 0 {
		m.background = stat.Keyed(p.seed, "background", 0)
		m.events.push(event{at: m.backgroundGap(), kind: evBackground})
	}
	return m
}

// begin says at which real time the faults' clock starts.
func (m *model) begin(zero time.Duration) { m.clock = newStallClock(m.Faults, zero) }

// submit takes a request that was read at a real time; its outcomes are drawn by the order of submission. It reaches
// the server half a round trip later.
func (m *model) submit(received time.Duration, j *job) {
	j.seq = m.seq
	m.seq++
	j.fault = drawFault(m.Faults, m.seed, j.seq)
	if j.output == 0 {
		j.output, j.finish = drawOutput(m.seed, j.seq), finishStop
	}
	j.arrived = max(received+m.half, m.now)
	m.events.push(event{at: m.clock.machine(j.arrived), kind: evArrive, job: j})
}

// cancel takes the news that a request's client left; it too needs half a round trip.
func (m *model) cancel(left time.Duration, j *job) {
	m.events.push(event{at: m.clock.machine(max(left+m.half, m.now)), kind: evCancel, job: j})
}

// next is the real time at which something will happen, if anything will.
func (m *model) next() (time.Duration, bool) {
	at, ok := m.nextEvent()
	if ok {
		at = m.clock.real(at)
	}
	if m.out.len() > 0 {
		if due := m.out.first().due; !ok || due < at {
			at, ok = due, true
		}
	}
	return at, ok
}

// nextEvent is the machine time of the next event.
func (m *model) nextEvent() (time.Duration, bool) {
	switch {
	case m.sharing.before(m):
		return m.sharing.end, true
	case m.stepping && (len(m.events.items) == 0 || m.stepEnd <= m.events.items[0].at):
		return m.stepEnd, true
	case len(m.events.items) > 0:
		return m.events.items[0].at, true
	}
	return 0, false
}

// advance lets everything happen that falls at or before a real time.
func (m *model) advance(to time.Duration) {
	for {
		at, ok := m.nextEvent()
		if !ok {
			break
		}
		real := m.clock.real(at)
		if real > to {
			break
		}
		m.now = max(m.now, real)
		m.instant(at)
	}
	m.now = max(m.now, to)
}

// instant handles all events of one machine time: the end of a step first, then the others in the order in which they
// were made, and only then the start of the next step, so that it takes all who are ready.
func (m *model) instant(at time.Duration) {
	m.progress(at)
	defer m.share(at)
	if m.stepping && m.stepEnd == at {
		m.endStep()
	}
	for len(m.events.items) > 0 && m.events.items[0].at == at {
		m.handle(m.events.pop())
	}
	if !m.stepping && len(m.batch)+len(m.joining) > 0 {
		m.batch = append(m.batch, m.joining...)
		clear(m.joining)
		m.joining = m.joining[:0]
		m.stepping, m.stepEnd = true, at+m.step(len(m.batch))
	}
}

func (m *model) handle(e event) {
	switch e.kind {
	case evArrive:
		m.arrive(e.job)
	case evCancel:
		m.abort(e.job, e.at)
	case evPrefilled:
		m.prefilled(e.job)
	case evService:
		m.served(e.job, e.at)
	case evBackground:
		m.arriveBackground(e.at)
	}
	m.admit(e.at)
}

// arrive passes the gate: the rate limit, the faults that answer at once, and the queue's limit.
func (m *model) arrive(j *job) {
	if ok, wait := m.bucket.take(j.arrived); !ok {
		j.retry = wait
		m.reject(j, OutcomeRateLimited)
		return
	}
	if immediate(j.fault) {
		m.reject(j, j.fault)
		return
	}
	if m.full() {
		m.reject(j, OutcomeQueueFull)
		return
	}
	if m.Report != reportLlamaCPP {
		m.send(j, emission{kind: emitHead})
	}
	m.enqueue(j)
}

// drawOutput is the length of an answer whose request set no limit: the model stops by itself.
func drawOutput(seed, seq uint64) int {
	n := stat.Keyed(seed, "output", seq).Lognormal(64, 0.5)
	return int(min(max(n, 1), 1024))
}

func (m *model) full() bool {
	return m.QueueLimit > 0 && m.busy >= m.Slots && m.queued >= m.QueueLimit
}

func (m *model) enqueue(j *job) {
	j.target = tokensUntil(j.fault, j.output)
	j.state = jobQueued
	m.waiting.push(j)
	m.queued++
}

func (m *model) reject(j *job, outcome string) {
	j.state, j.outcome = jobDone, outcome
	if outcome == faultHang {
		m.send(j, emission{kind: emitHead})
		return
	}
	m.send(j, emission{kind: emitReject, last: true})
}

// admit gives free slots to the first in the queue.
func (m *model) admit(at time.Duration) {
	for m.busy < m.Slots && m.waiting.len() > 0 {
		j := m.waiting.pop()
		if j.state != jobQueued {
			continue // its client left
		}
		m.queued--
		m.busy++
		j.state, j.stage, j.admitted = jobPrefill, jobPrefill, m.now
		if m.Report == reportLlamaCPP {
			// It holds the head back until there is a slot.
			m.send(j, emission{kind: emitHead})
		}
		if m.Service != nil {
			m.serve(j, at)
			continue
		}
		j.cached = m.cache.cached(j.prompt.blocks, j.input)
		m.metrics.admitted(j)
		m.beginPrefill(at, j)
	}
}

// prefilled makes the first token.
func (m *model) prefilled(j *job) {
	if j.state == jobDone {
		return
	}
	m.cache.add(j.prompt.blocks)
	m.firstToken(j)
	if j.state != jobDone {
		m.joining = append(m.joining, j)
	}
}

func (m *model) firstToken(j *job) {
	j.state, j.stage, j.prefillDone = jobDecode, jobDecode, m.now
	m.produce(j, 1)
}

// endStep makes the tokens of one step.
func (m *model) endStep() {
	m.stepping = false
	kept := m.batch[:0]
	for _, j := range m.batch {
		j.steps++
		m.produce(j, m.tokensAfter(j.steps))
		if j.state != jobDone {
			kept = append(kept, j)
		}
	}
	clear(m.batch[len(kept):])
	m.batch = kept
	m.admit(m.stepEnd)
}

// produce brings a sequence up to this many tokens and ends it where that is all.
func (m *model) produce(j *job, upTo int) {
	upTo = min(upTo, j.target)
	made := upTo - j.produced
	gap := m.now - j.last
	first := j.produced == 0
	j.produced, j.last = upTo, m.now
	m.metrics.tokens(j, made, gap, first)
	done := upTo >= j.target
	if made > 0 || done {
		m.send(j, emission{kind: emitTokens, upTo: upTo, last: done})
	}
	if done {
		m.busy--
		j.state, j.outcome = jobDone, OutcomeOK
		if j.fault != "" {
			j.outcome = j.fault
		}
		if m.cache != nil && j.prompt.tokens > 0 {
			m.cache.add(j.prompt.answered(j.produced))
		}
		m.metrics.finished(j, m.now)
	}
}

// abort frees what a request holds whose client left.
func (m *model) abort(j *job, at time.Duration) {
	switch j.state {
	case jobQueued:
		m.queued--
	case jobPrefill:
		m.busy--
	case jobDecode:
		m.busy--
		same := func(k *job) bool { return k == j }
		m.joining = slices.DeleteFunc(m.joining, same)
		m.batch = slices.DeleteFunc(m.batch, same)
		if len(m.batch) == 0 {
			m.stepping = false // nobody is left in the step under way
		}
	default:
		return
	}
	j.state, j.outcome = jobDone, OutcomeCancelled
	m.metrics.aborted(j)
	m.admit(at)
}

// send puts an emission on the network.
func (m *model) send(j *job, e emission) {
	if j.out == nil {
		return
	}
	e.due = m.now + m.half
	m.out.push(delivery{job: j, emission: e})
}

// serve occupies a slot for a drawn time.
func (m *model) serve(j *job, at time.Duration) {
	mean := m.compute(m.Service.Mean)
	j.service = mean
	if m.Service.Law == lawExponential {
		j.service = time.Duration(math.Round(float64(mean) * stat.Keyed(m.seed, "service", j.seq).Exp()))
	}
	m.metrics.admitted(j)
	m.events.push(event{at: at + j.serviceGap(), kind: evService, job: j})
}

// serviceGap is the time to the next token; the gaps sum to the service time exactly.
func (j *job) serviceGap() time.Duration {
	if j.target == 0 {
		return j.service
	}
	n, i := int64(j.output), int64(j.produced)
	share := func(i int64) time.Duration {
		return time.Duration(int64(j.service)/n*i + int64(j.service)%n*i/n)
	}
	return share(i+1) - share(i)
}

// served makes a token of a drawn service.
func (m *model) served(j *job, at time.Duration) {
	if j.state == jobDone {
		return
	}
	if j.state == jobPrefill {
		m.firstToken(j)
	} else {
		m.produce(j, j.produced+1)
	}
	if j.state != jobDone {
		m.events.push(event{at: at + j.serviceGap(), kind: evService, job: j})
	}
}

// arriveBackground lets a request of another tenant in, and says when the next one comes.
func (m *model) arriveBackground(at time.Duration) {
	if !m.full() {
		// Numbers of their own: what a request draws must not depend on how busy other tenants are.
		j := &job{seq: 1<<63 | m.tenants, input: m.Background.Input, output: m.Background.Output, arrived: m.now, finish: finishStop}
		m.tenants++
		m.enqueue(j)
	}
	m.events.push(event{at: at + m.backgroundGap(), kind: evBackground})
}

func (m *model) backgroundGap() time.Duration {
	return time.Duration(math.Round(m.background.Exp() / float64(m.Background.Rate) * float64(time.Second)))
}
