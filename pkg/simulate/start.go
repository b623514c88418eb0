package simulate

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// Running is a simulated server that listens.
type Running struct {
	*Server
	// URL is the base of the OpenAI APIs, such as http://127.0.0.1:40123/v1.
	URL string

	http   *http.Server
	served chan struct{}
	unhook func() bool
	once   sync.Once
}

// Start serves a simulation at opts.Addr until Stop is called or ctx ends.
func Start(ctx context.Context, sim workload.Simulation, opts Options) (*Running, error) {
	addr := opts.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("simulate: listen at %s: %w", addr, err)
	}
	r, err := Serve(ctx, l, sim, opts)
	if err != nil {
		_ = l.Close() // nothing was accepted yet
		return nil, err
	}
	return r, nil
}

// Serve is Start on a listener that is open already; it takes the listener over.
func Serve(ctx context.Context, l net.Listener, sim workload.Simulation, opts Options) (*Running, error) {
	s, err := New(sim, opts)
	if err != nil {
		return nil, err
	}
	r := &Running{Server: s, URL: "http://" + l.Addr().String() + "/v1", served: make(chan struct{}),
		http: &http.Server{Handler: s, ReadHeaderTimeout: 30 * time.Second}}
	go func() {
		defer close(r.served)
		_ = r.http.Serve(l) // always the error of the closed listener
	}()
	r.unhook = context.AfterFunc(ctx, r.Stop)
	return r, nil
}

// Base is the base URL of an API, by its name in a scenario, as the API's SDKs take it. An API that the simulation does
// not speak is an error.
func (r *Running) Base(api string) (string, error) {
	root := strings.TrimSuffix(r.URL, "/v1")
	switch api {
	case "", "openai-chat", "openai-responses":
		return r.URL, nil
	case "anthropic-messages", "ollama-chat", "ollama-generate":
		return root, nil
	case "gemini":
		return root + "/v1beta", nil
	}
	return "", fmt.Errorf("a simulated endpoint does not speak %s: it speaks openai-chat, openai-responses, anthropic-messages, gemini, ollama-chat and ollama-generate", api)
}

// Stop breaks off every answer, closes every connection and returns when all is over.
func (r *Running) Stop() {
	r.once.Do(func() {
		r.unhook()
		_ = r.http.Close() // closing is all that is left to do
		r.Close()
		<-r.served
	})
}
