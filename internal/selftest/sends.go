package selftest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/infbench/infbench/internal/scripted"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// SendsSchema names the form of Sends for machines.
const SendsSchema = "infbench.selftest.sends/v1"

// Sends is how far from their scheduled times requests leave this machine.
type Sends struct {
	Schema  string          `json:"schema"`
	When    time.Time       `json:"when"`
	Tool    measure.Tool    `json:"tool"`
	Machine measure.Machine `json:"machine"`
	// Steady are a constant rate with either way of waiting, Bursts as many sends as one second has, at one instant.
	Steady []*Pacing `json:"steady"`
	Bursts []*Burst  `json:"bursts"`
	// Accurate says that one of the steady ones is within the limits.
	Accurate bool `json:"accurate"`
}

// Pacing is a constant rate of sends over connections that are reused. Times in seconds.
type Pacing struct {
	Rate int `json:"sends_per_second"`
	// Spin is how long before a send the clock is watched in place of sleeping.
	Spin time.Duration `json:"spin_ns"`
	N    int           `json:"sends"`
	// Dispatch is from the scheduled time to the start of the request's goroutine, Send to its last byte.
	Dispatch Spread `json:"dispatch_lag"`
	Send     Spread `json:"send_lag"`
	// CPU is the process's time per second: of how many cores.
	CPU float64 `json:"cpu_cores"`
}

// Burst is many sends at one instant. Times in seconds.
type Burst struct {
	N         int  `json:"sends"`
	Connected bool `json:"connected"` // over connections that rested; else each makes its own
	// PerSend is the time from the instant to when the last left, divided by N: the median of the rounds.
	PerSend float64 `json:"seconds_per_send"`
	Send    Spread  `json:"send_lag"` // of all rounds
}

// The limits within which a pacing is accurate.
const (
	SendLimitP50 = 100 * time.Microsecond
	SendLimitP99 = time.Millisecond
)

// spin is what infbench run has where there is more than one core.
const spin = 100 * time.Microsecond

// warmup of a steady rate: its connections are made, and its pools filled.
const warmup = time.Second

// MeasureSends sends at a rate, 1/s, for a span, sleeping and then spinning, and then as many at one instant in several
// rounds, over new and over resting connections. It tells of each as it is done.
func MeasureSends(ctx context.Context, rate int, span time.Duration, spawn Spawn, tell func(string)) (*Sends, error) {
	s := &Sends{Schema: SendsSchema, When: time.Now().UTC().Truncate(time.Second), Tool: measure.ThisTool(), Machine: measure.ThisMachine()}
	for _, wait := range []time.Duration{0, spin} {
		p := &Pacing{Rate: rate, Spin: wait}
		if err := p.measure(ctx, span, spawn); err != nil {
			return nil, fmt.Errorf("%d sends/s, spin %v: %w", rate, wait, err)
		}
		s.Steady = append(s.Steady, p)
		s.Accurate = s.Accurate || p.accurate()
		tell(fmt.Sprintf("%d sends/s, spin %v: send lag p99 %s ms", rate, wait, ms(p.Send.P99)))
	}
	fresh, resting, err := burst(ctx, rate, spawn)
	if err != nil {
		return nil, fmt.Errorf("%d sends at one instant: %w", rate, err)
	}
	s.Bursts = []*Burst{fresh, resting}
	return s, nil
}

func (p *Pacing) accurate() bool {
	return p.Send.P50 < SendLimitP50.Seconds() && p.Send.P99 < SendLimitP99.Seconds()
}

func (p *Pacing) measure(ctx context.Context, span time.Duration, spawn Spawn) error {
	n := int((warmup + span).Seconds() * float64(p.Rate))
	b := &block{times: make([]time.Duration, n), warmup: warmup, spin: p.Spin, seen: make([]scripted.Served, n),
		script: scripted.Script{TTFT: 2 * time.Millisecond, Gap: time.Millisecond, Events: 1}}
	for i := range b.times {
		b.times[i] = time.Duration(i) * time.Second / time.Duration(p.Rate)
	}
	var dispatch, send measure.Hist
	_, err := serve(ctx, spawn, func(url string) error {
		return b.run(ctx, url, func(rec *measure.Record, _ spent) error {
			client := rec.Manifest.Blocks[0].Client
			p.CPU = client.CPU.Seconds() / client.Wall.Seconds()
			for row, err := range rec.Rows() {
				if err != nil {
					return err
				}
				if row.Phase != measure.Measure {
					continue
				}
				p.N++
				recordKnown(&dispatch, row.Dispatched.Sub(row.Scheduled))
				recordKnown(&send, row.Sent.Sub(row.Scheduled))
			}
			return nil
		})
	})
	p.Dispatch, p.Send = spreadOfHist(&dispatch), spreadOfHist(&send)
	return err
}

func recordKnown(h *measure.Hist, s measure.Stamp) {
	if d, ok := s.Get(); ok {
		h.Record(d)
	}
}

// burst sends n at one instant over new connections, and again when those rest.
func burst(ctx context.Context, n int, spawn Spawn) (fresh, resting *Burst, err error) {
	script := scripted.Script{TTFT: 2 * time.Second, Gap: time.Millisecond, Events: 1} // none rests before all are sent
	var send [2]measure.Hist
	var last [2][]time.Duration
	for range bursts {
		b := &block{times: make([]time.Duration, 2*n), script: script, seen: make([]scripted.Served, 2*n), spin: spin}
		for i := n; i < 2*n; i++ {
			b.times[i] = 4 * time.Second
		}
		_, err := serve(ctx, spawn, func(url string) error {
			return b.run(ctx, url, func(rec *measure.Record, _ spent) error {
				var latest [2]time.Duration
				for row, err := range rec.Rows() {
					if err != nil {
						return err
					}
					half := row.Index / n
					d, _ := row.Latency(workload.SendDelay)
					if row.ConnectStart.Known() != (half == 0) {
						return fmt.Errorf("the machine is too busy to tell: send %d of %d was %v late", row.Index, 2*n, d)
					}
					send[half].Record(d)
					latest[half] = max(latest[half], d)
				}
				for half, d := range latest {
					last[half] = append(last[half], d)
				}
				return nil
			})
		})
		if err != nil {
			return nil, nil, err
		}
	}
	made := make([]*Burst, 2)
	for half := range made {
		slices.Sort(last[half])
		made[half] = &Burst{N: n, Connected: half == 1, Send: spreadOfHist(&send[half]), PerSend: last[half][bursts/2].Seconds() / float64(n)}
	}
	return made[0], made[1], nil
}

// Table writes what was measured, in milliseconds.
func (s *Sends) Table(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "sends/s\twaiting\tdispatch lag p50\tp99\tmax\tsend lag p50\tp99\tmax\tCPU cores\t\t")
	for _, p := range s.Steady {
		how, verdict := "asleep", "inaccurate"
		if p.Spin > 0 {
			how = "spinning " + p.Spin.String()
		}
		if p.accurate() {
			verdict = "accurate"
		}
		d, l := p.Dispatch, p.Send
		fmt.Fprintf(tw, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%s\t\n", p.Rate, how, ms(d.P50), ms(d.P99), ms(d.Max), ms(l.P50), ms(l.P99), ms(l.Max), p.CPU, verdict)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	tw = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "at one instant\tconnections\tus/send\tsend lag p50\tp99\tmax\t")
	for _, b := range s.Bursts {
		how := "new"
		if b.Connected {
			how = "resting"
		}
		fmt.Fprintf(tw, "%d\t%s\t%.1f\t%s\t%s\t%s\t\n", b.N, how, b.PerSend*1e6, ms(b.Send.P50), ms(b.Send.P99), ms(b.Send.Max))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nTimes in ms since the scheduled time. Accurate: send lag p50 below %v, p99 below %v.\n", SendLimitP50, SendLimitP99)
	return err
}
