package simulate

import (
	"net/http"
	"sync"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// Options are what a server needs beside its simulation. The zero value is usable.
type Options struct {
	// Seed decides all random draws: faults, service times, other tenants, output lengths that nobody asked for.
	Seed uint64
	// Model is the name on /v1/models and in /metrics. Default: the profile's name, else "simulated".
	Model string
	// Epoch is when the faults' At starts to count. Zero: when the first request is received.
	Epoch time.Time
	// TokenTimes keeps the time of every token in its Truth.
	TokenTimes bool
	// OnTruth is called once per request, on the goroutine that answers it, before the client can see the end of its
	// answer.
	OnTruth func(Truth)
	// KeepTruth is how many of the latest records Truth and /truth give. Default 65,536; negative: none.
	KeepTruth int
	// Addr is where Start listens. Default 127.0.0.1:0, a free port of the loopback interface.
	Addr string
}

// Server is a simulated inference server. It is an http.Handler, safe for concurrent use.
type Server struct {
	mux     *http.ServeMux
	loop    *loop
	opts    Options
	sim     workload.Simulation
	truth   truthLog
	created int64 // Unix time, for the answers

	epoch   sync.Once
	closing chan struct{}

	mu     sync.Mutex // guards closed against calls
	closed bool
	calls  sync.WaitGroup
}

// New starts a server's clock; it listens nowhere. Close it. An error names the field of the simulation that is wrong.
func New(sim workload.Simulation, opts Options) (*Server, error) {
	sim, err := Resolve(sim)
	if err != nil {
		return nil, err
	}
	if opts.Model == "" {
		opts.Model = "simulated"
		if sim.Profile != "" {
			opts.Model = sim.Profile
		}
	}
	if opts.KeepTruth == 0 {
		opts.KeepTruth = 1 << 16
	}
	s := &Server{mux: http.NewServeMux(), opts: opts, sim: sim, created: time.Now().Unix(), closing: make(chan struct{}),
		truth: truthLog{limit: max(0, opts.KeepTruth)}}
	s.loop = startLoop(newModel(newParams(sim, opts.Seed)))
	if !opts.Epoch.IsZero() {
		s.beginFaults(opts.Epoch)
	}
	s.routes()
	return s, nil
}

// beginFaults sets the zero of the faults' clock, once.
func (s *Server) beginFaults(zero time.Time) {
	s.epoch.Do(func() {
		s.loop.do(func(m *model) { m.begin(zero.Sub(s.loop.base)) })
	})
}

// Simulation is what the server simulates, with everything filled in.
func (s *Server) Simulation() workload.Simulation { return s.sim }

// Truth gives the latest records, in the order in which the answers ended. A request is in it before its client can
// see the end of its answer.
func (s *Server) Truth() []Truth { return s.truth.all() }

// Close cancels every request that is under way and stops the clock. Later requests are refused.
func (s *Server) Close() {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if first {
		close(s.closing)
		s.calls.Wait()
		s.loop.stop()
	}
}

// enter counts a request in, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.calls.Add(1)
	return true
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		openAIChat.refuse(w, http.StatusServiceUnavailable, "server_error", "the simulated server is closed")
		return
	}
	defer s.calls.Done()
	s.mux.ServeHTTP(w, r)
}

func (s *Server) record(t Truth) {
	if s.truth.limit > 0 {
		s.truth.add(t)
	}
	if s.opts.OnTruth != nil {
		s.opts.OnTruth(t)
	}
}
