package analyze

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/infbench/infbench/internal/telemetry"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// What a server's figures may differ from the client's by, before it is told (measurement.md section 11).
const (
	ServerTolerance = 0.10
	leastExcess     = time.Millisecond // of a TTFT: less is a network's
	leastScrapes    = 10               // of the measure phase, for a mean of levels
	leastRequests   = 20               // for a mean of latencies
)

// The checks of a server's figures against the client's.
const (
	CheckLittle = "little" // requests on the server, by Little's law
	CheckTTFT   = "ttft"   // service TTFT
	CheckCount  = "count"  // first tokens
)

// The verdicts of a check.
const (
	Agrees  = "agrees"
	Differs = "differs"
)

// ServerCheck holds one figure of the server against the client's own. Values are requests (little, count) or seconds
// (ttft).
type ServerCheck struct {
	Code    string   `json:"code"`
	Verdict string   `json:"verdict"` // agrees, differs or cannot tell
	Client  *float64 `json:"client,omitempty"`
	Server  *float64 `json:"server,omitempty"`
	// Place is where the difference most likely lies: network, gateway, proxy buffering, client or other load.
	Place string `json:"place,omitempty"`
	Text  string `json:"text"`
}

// clientView is what the client saw of the requests, at the very times at which the server was asked.
type clientView struct {
	at       []time.Duration // middles of the scrapes of the measure phase, ascending
	levels   []int           // changes of the requests on the wire at each of them
	server   []float64       // running and waiting there; NaN where it did not say
	from, to time.Duration   // of the counters' span
	spans    bool

	finished int // requests that ended in the span
	tokens   int // first tokens that came in the span
	ttft     time.Duration
	tcp      time.Duration // TCP handshakes, one round trip each
	dials    int
	// of the measure phases of all blocks, after join
	inFlight, onServer float64
	looks              int
}

// middleOf is when a scrape most likely shows the server.
func middleOf(s measure.Scrape) time.Duration { return s.At + s.Took/2 }

// expect takes the times of the scrapes.
func (c *clientView) expect(b *serverBlock) {
	for _, l := range b.inMeasure() {
		running, ok1 := l.Values[telemetry.RequestsRunning]
		waiting, ok2 := l.Values[telemetry.RequestsWaiting]
		if ok1 && ok2 {
			c.at = append(c.at, middleOf(l))
			c.server = append(c.server, running+waiting)
		}
	}
	c.levels = make([]int, len(c.at)+1)
	if c.spans = b.spans(); c.spans {
		c.from, c.to = b.scrapes[b.from].At, b.scrapes[b.to].At
	}
}

// add looks at one request: on the wire from its last byte sent until its end.
func (c *clientView) add(s *measure.Sample) {
	sent, ok := s.Sent.Get()
	if !ok {
		return
	}
	done, over := s.Done.Get()
	if over {
		lo, _ := slices.BinarySearch(c.at, sent)
		hi, _ := slices.BinarySearch(c.at, done)
		c.levels[lo]++
		c.levels[hi]--
	}
	if d, ok := s.SetUpTCP.Get(); ok {
		c.tcp += d
		c.dials++
	}
	if !c.spans {
		return
	}
	if over && done > c.from && done <= c.to && s.FirstToken.Known() {
		c.finished++
	}
	if first, ok := s.FirstToken.Get(); ok && first > c.from && first <= c.to {
		c.tokens++
		c.ttft += first - sent
	}
}

// join adds a block to the view of all.
func (c *clientView) join(b *clientView) {
	c.finished, c.tokens, c.ttft = c.finished+b.finished, c.tokens+b.tokens, c.ttft+b.ttft
	c.tcp, c.dials = c.tcp+b.tcp, c.dials+b.dials
	level := 0
	for i := range b.at {
		level += b.levels[i]
		c.inFlight += float64(level)
		c.onServer += b.server[i]
		c.looks++
	}
}

// check holds the server's figures against the client's.
func (s *ServerSummary) check(c *clientView, f *fold) {
	if s.Server == "" {
		return
	}
	count := s.checkCount(c)
	s.Checks = append(s.Checks, s.checkLittle(c, f, count), s.checkTTFT(c, f, count), count)
}

func cannotTell(code, why string) ServerCheck {
	return ServerCheck{Code: code, Verdict: CannotTell, Text: why}
}

// apart is how far the client's figure lies from the server's, as a share of the server's.
func apart(client, server float64) float64 {
	if client == server {
		return 0
	}
	return (client - server) / math.Max(math.Abs(server), 1e-12)
}

// checkCount tells whether the server served others too: then its means are not of our requests alone.
func (s *ServerSummary) checkCount(c *clientView) ServerCheck {
	n, ok := s.Deltas[telemetry.CountOf(telemetry.TTFT)]
	if !ok || c.tokens < leastRequests {
		return cannotTell(CheckCount, "the server does not count first tokens, or too few came")
	}
	k := ServerCheck{Code: CheckCount, Verdict: Agrees, Client: new(float64(c.tokens)), Server: &n,
		Text: fmt.Sprintf("%.0f first tokens by the server's count, %d by ours", n, c.tokens)}
	switch d := apart(float64(c.tokens), n); {
	case d < -ServerTolerance:
		k.Verdict, k.Place = Differs, "other load"
		k.Text += ": it served others too, and its means are of theirs as well"
	case d > ServerTolerance:
		k.Verdict, k.Place = Differs, "other replicas"
		k.Text += ": the page is not of all that serves us; telemetry.urls takes several"
	}
	return k
}

// checkLittle compares what is on the wire with what the server has, at the same moments. What is on the wire and not on the
// server lies before it or behind it: by Little's law, for their number over the rate of requests each (L = lambda W).
func (s *ServerSummary) checkLittle(c *clientView, f *fold, count ServerCheck) ServerCheck {
	if c.looks < leastScrapes {
		return cannotTell(CheckLittle, fmt.Sprintf("the server said what runs and what waits %d times in the measure phase, and %d are needed", c.looks, leastScrapes))
	}
	client, server := c.inFlight/float64(c.looks), c.onServer/float64(c.looks)
	k := ServerCheck{Code: CheckLittle, Verdict: Agrees, Client: &client, Server: &server,
		Text: fmt.Sprintf("%.3g requests in flight at the client, %.3g running or waiting at the server, at the same %d moments", client, server, c.looks)}
	d := apart(client, server)
	if math.Abs(d) <= ServerTolerance || math.Abs(client-server) < 0.1 { // a tenth of a request is the time on the wire
		return k
	}
	k.Verdict = Differs
	if rate := f.rate(); rate > 0 && client > server {
		k.Text += fmt.Sprintf(": a request is outside of the engine for %s on average", (time.Duration((client - server) / rate * float64(time.Second))).Round(100*time.Microsecond))
	}
	switch {
	case client > server:
		k.Place = s.before(c, f)
	case count.Verdict == Agrees:
		k.Place = "the server's gauges"
		k.Text += ": the server counts more than there are; its gauges lag behind, or what we have left still runs there"
	default:
		k.Place = "other load"
		k.Text += ": it serves others too"
	}
	return k
}

// rate is how many requests of the measure phase were sent a second.
func (f *fold) rate() float64 {
	if f.span <= 0 {
		return 0
	}
	return float64(f.sent) / f.span
}

// checkTTFT compares the mean service TTFT with the server's own TTFT, of the same first tokens.
func (s *ServerSummary) checkTTFT(c *clientView, f *fold, count ServerCheck) ServerCheck {
	server, ok := s.Means[telemetry.TTFT]
	switch {
	case !ok:
		return cannotTell(CheckTTFT, "the server does not publish its own TTFT")
	case c.tokens < leastRequests:
		return cannotTell(CheckTTFT, fmt.Sprintf("%d first tokens came while the counters were watched, and %d are needed", c.tokens, leastRequests))
	case count.Verdict == Differs:
		return cannotTell(CheckTTFT, "the server's mean is not of our requests alone: "+count.Text)
	}
	client := (c.ttft / time.Duration(c.tokens)).Seconds()
	k := ServerCheck{Code: CheckTTFT, Verdict: Agrees, Client: &client, Server: &server,
		Text: fmt.Sprintf("mean service TTFT %s at the client, %s by the server's own clock", inWords(client), inWords(server))}
	if math.Abs(apart(client, server)) <= ServerTolerance || math.Abs(client-server) < leastExcess.Seconds() {
		return k
	}
	k.Verdict = Differs
	if client < server {
		k.Place = "the server's clock"
		k.Text += ": no server can take longer than its client sees; its TTFT is of something else"
		return k
	}
	k.Place = s.before(c, f)
	return k
}

func inWords(v float64) string {
	return time.Duration(v * float64(time.Second)).Round(10 * time.Microsecond).String()
}

// before is where requests most likely are between the client and the engine.
func (s *ServerSummary) before(c *clientView, f *fold) string {
	server, ok := s.Means[telemetry.TTFT]
	var excess time.Duration
	if ok && c.tokens > 0 {
		excess = c.ttft/time.Duration(c.tokens) - time.Duration(server*float64(time.Second))
	}
	switch {
	case f.long > 0 && 2*f.whole > f.long:
		return "proxy buffering"
	case f.tally.Hist(workload.ReadLag).Count() == 0 && f.lateReads():
		return "client"
	case ok && c.dials > 0 && excess > 0 && excess <= 3*c.tcp/time.Duration(c.dials):
		return "network"
	}
	return "gateway"
}

// lateReads tells whether the client itself was late, in the way that its send lag shows.
func (f *fold) lateReads() bool {
	lag, ok := f.lag.ValueAtRank(int64(math.Ceil(0.99 * float64(f.lag.Count()))))
	return ok && lag > 10*time.Millisecond
}
