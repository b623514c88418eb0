package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/simulate"
	"github.com/infbench/infbench/pkg/workload"
)

// target is one approach made ready to be called: its endpoint, and the simulated server behind it if it has one.
type target struct {
	endpoint endpoint.Endpoint
	epoch    time.Time
	config   endpoint.Config // what it was opened with
	stop     func()
}

// close drops connections first, so that the server has nobody left to wait for.
func (t *target) close() {
	t.endpoint.Close()
	t.stop()
}

// config is what an approach's endpoint is opened with.
func (a *app) config(s *workload.Scenario, ap workload.Approach) (endpoint.Config, error) {
	key, err := ap.Key(a.getenv)
	if err != nil {
		err = fmt.Errorf("approach %s: %w", ap.Name, err)
	}
	return endpoint.Config{Approach: ap, Key: key, Epoch: time.Now(), KeepText: s.Output.KeepText || s.Converses(), Dir: s.Dir, LookupEnv: a.getenv}, err
}

// openTarget starts the approach's simulated server if it is one, and opens the endpoint.
func (a *app) openTarget(ctx context.Context, s *workload.Scenario, ap workload.Approach) (*target, error) {
	t := &target{stop: func() {}}
	cfg, err := a.config(s, ap)
	if err != nil {
		return nil, err
	}
	if ap.Simulate != nil {
		server, err := simulate.Start(ctx, *ap.Simulate, simulate.Options{Seed: s.Seed})
		if err != nil {
			return nil, fmt.Errorf("approach %s: start the simulated endpoint: %w", ap.Name, err)
		}
		t.stop = server.Stop
		if cfg.Approach.URL, err = server.Base(ap.API); err != nil {
			t.stop()
			return nil, fmt.Errorf("approach %s: %w", ap.Name, err)
		}
		if ap.Model == "" {
			cfg.Approach.Model = ap.Name
		}
	}
	t.epoch, t.config = cfg.Epoch, cfg
	t.endpoint, err = endpoint.Open(cfg)
	if err != nil {
		t.stop()
		return nil, fmt.Errorf("approach %s: %w", ap.Name, err)
	}
	return t, nil
}

// check opens an approach's endpoint and closes it again: what is wrong with it is known before anything is sent. The
// proxy that the environment named for it, or did not, is told: nobody sees it in the scenario.
func (a *app) check(s *workload.Scenario, ap workload.Approach) error {
	cfg, err := a.config(s, ap)
	if err != nil || ap.Simulate != nil {
		return err
	}
	e, err := endpoint.Open(cfg)
	if err != nil {
		return fmt.Errorf("approach %s: %w", ap.Name, err)
	}
	if ap.Connections.Proxy == workload.ProxyEnvironment {
		fmt.Fprintf(a.stderr, "Approach %s: proxy of the environment: %s\n", ap.Name, endpoint.ProxyOf(e))
	}
	e.Close()
	return nil
}

// prewarm opens the connections that the approach wants to have before time 0.
func (t *target) prewarm(ctx context.Context, ap workload.Approach) error {
	n := ap.Connections.Prewarm
	if n == 0 {
		return nil
	}
	p, ok := t.endpoint.(endpoint.Prewarmer)
	if !ok {
		return fmt.Errorf("approach %s: its API cannot open connections ahead: remove connections.prewarm", ap.Name)
	}
	if err := p.Prewarm(ctx, n); err != nil {
		return fmt.Errorf("approach %s: connections.prewarm: %w", ap.Name, err)
	}
	return nil
}

// reach checks that something listens at an approach's address, on the way that requests will go, and speaks TLS where
// it should, before anything is measured. It sends no request.
func (a *app) reach(ctx context.Context, s *workload.Scenario, ap workload.Approach) error {
	if ap.Simulate != nil {
		return nil
	}
	cfg, err := a.config(s, ap)
	if err != nil {
		return err
	}
	u, err := url.Parse(ap.URL)
	if err != nil {
		return fmt.Errorf("approach %s: url: %w", ap.Name, err)
	}
	if err := endpoint.Reach(ctx, cfg); err != nil {
		return fmt.Errorf("approach %s cannot be reached at %s: %w\n%s", ap.Name, dialled(s, &ap, u), err, advice(err, &ap, u))
	}
	return nil
}

// dialled is what an approach's connections go to: its URL, or the Unix socket in place of that, whose path is shown whole
// since it starts at the scenario's folder.
func dialled(s *workload.Scenario, ap *workload.Approach, u *url.URL) string {
	path := ap.Connections.UnixSocket
	if path == "" {
		return workload.RedactURL(ap.URL)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.Dir, path)
	}
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return "the Unix socket " + path
}

// advice says what to check, by the kind of failure.
func advice(err error, ap *workload.Approach, u *url.URL) string {
	way, proxy := &ap.Connections, ap.Connections.Proxy != "" && ap.Connections.Proxy != workload.ProxyNone
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		return "  The server's certificate was not accepted: check the host name (tls.server_name), and that its authority is trusted here (tls.ca)."
	case errors.Is(err, endpoint.ErrNoHTTP2):
		return "  Check connections.protocol: HTTP/2 is used where it is asked for, and no other protocol in its place."
	case errors.Is(err, endpoint.ErrConnectTimeout):
		return "  Check a firewall or VPN between here and there, and the port in the approach's url; timeouts.connect is how long is waited."
	case way.UnixSocket != "":
		return "  Check connections.unix_socket (a relative path starts at the scenario's folder), that the server is up, and that this user may open its socket."
	case proxy:
		return "  Check connections.proxy, that the proxy is up, and that it lets " + u.Host + " through."
	case errors.As(err, &dns):
		return "  Check the host name " + u.Hostname() + " in the approach's url, and this machine's DNS."
	case strings.Contains(err.Error(), "refused"):
		return "  Nothing listens there: check that the server is up and that host and port in the approach's url are its own."
	}
	return "  Check the approach's url, and that the server is up."
}
