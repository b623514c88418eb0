package endpoint

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/infbench/infbench/internal/telemetry"
)

// OpenTelemetry makes a scraper for the approach's telemetry, and says which pages it reads, without their secrets. The
// pages are reached directly: neither through the approach's proxy nor on its connections, but with its certificates, and
// over its Unix socket where the page is the one that lies on the same server. Nil where the approach wants none.
func OpenTelemetry(cfg Config) (s *telemetry.Scraper, pages []string, err error) {
	a := &cfg.Approach
	t := a.Telemetry
	if t == nil {
		return nil, nil, nil
	}
	c := telemetry.Config{Header: http.Header{}, Server: t.Server, Labels: t.Labels, Model: a.Model, Dial: cfg.Dial}
	if c.URLs, err = t.Pages(a.URL, a.Provider); err != nil {
		return nil, nil, err
	}
	for name, value := range t.Headers {
		c.Header.Set(name, value)
	}
	if c.TLS, err = tlsConfig(&cfg, "", http1); err != nil {
		return nil, nil, err
	}
	ours := t.URL == "" && len(t.URLs) == 0
	if socket := a.Connections.UnixSocket; ours && socket != "" {
		if !filepath.IsAbs(socket) {
			socket = filepath.Join(cfg.Dir, socket)
		}
		c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		}
	}
	if !ours {
		c.TLS.ServerName = "" // that of another server
	}
	for _, u := range c.URLs {
		pages = append(pages, plainPage(u))
	}
	s, err = telemetry.New(c)
	return s, pages, err
}

// plainPage is a page's address without what may be a secret: its user and its query.
func plainPage(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "a page that is no URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: cmp.Or(u.Path, "/")}).String()
}
