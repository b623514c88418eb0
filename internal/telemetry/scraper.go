package telemetry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// What one page may cost.
const (
	MaxPage     = 8 << 20         // bytes, unpacked: a page of a large fleet has some megabytes
	MaxDuration = 5 * time.Second // from asking for it to its last byte
)

// Config is where and how pages are read.
type Config struct {
	// URLs are the pages: of one server, or of the replicas that serve an approach together, whose figures are added up.
	URLs   []string
	Header http.Header
	// Server is which names to look for; empty: those that the pages have most of.
	Server string
	// Labels are what a series must have to be read.
	Labels map[string]string
	// Model is taken where the pages are of several models and Labels is empty.
	Model string
	TLS   *tls.Config
	// Dial replaces net.Dialer's.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Scraper reads the pages of one approach's server, on connections of its own. One goroutine uses it at a time.
type Scraper struct {
	cfg    Config
	client *http.Client
	reader *reader
}

// New makes a scraper; it reads nothing yet. Close it.
func New(cfg Config) (*Scraper, error) {
	r, err := newReader(cfg.Server, cfg.Model, cfg.Labels)
	if err != nil {
		return nil, err
	}
	for _, u := range cfg.URLs {
		if _, err := url.Parse(u); err != nil {
			return nil, errors.New("telemetry.url is no URL") // which may hold a secret
		}
	}
	return &Scraper{cfg: cfg, reader: r, client: &http.Client{
		Transport: &http.Transport{DialContext: cfg.Dial, TLSClientConfig: cfg.TLS, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 1 << 16},
		// A redirect is told, not followed: the headers are for this server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close drops the connections.
func (s *Scraper) Close() { s.client.CloseIdleConnections() }

// Found is what the server publishes, as far as it was seen.
func (s *Scraper) Found() Found { return s.reader.found() }

// Scrape reads every page once. It takes MaxDuration at most. Where one page fails the whole does: a sum without one of
// the replicas would be too small. Errors say what came instead, and hold no secret.
func (s *Scraper) Scrape(ctx context.Context) (Reading, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, MaxDuration, fmt.Errorf("the page did not come within %s", MaxDuration))
	defer cancel()
	pages, errs := make([]page, len(s.cfg.URLs)), make([]error, len(s.cfg.URLs))
	var wg sync.WaitGroup
	for i, u := range s.cfg.URLs {
		wg.Go(func() { pages[i], errs[i] = s.fetch(ctx, u) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil && len(errs) > 1 {
			return Reading{}, fmt.Errorf("page %d of %d: %w", i+1, len(errs), err)
		}
		if err != nil {
			return Reading{}, err
		}
	}
	return s.reader.read(pages)
}

func (s *Scraper) fetch(ctx context.Context, address string) (page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("telemetry.url is no URL")
	}
	for name, values := range s.cfg.Header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", "text/plain;version=0.0.4, text/plain;q=0.5")
	req.Header.Set("User-Agent", "infbench")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, plainError(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	if kind := resp.Header.Get("Content-Type"); strings.HasPrefix(kind, "text/html") {
		return nil, errors.New("a web page (text/html) came in place of metrics")
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, MaxPage+1))
	switch {
	case err != nil:
		return nil, plainError(ctx, err)
	case len(text) > MaxPage:
		return nil, fmt.Errorf("the page is larger than %d MiB", MaxPage>>20)
	}
	return parsePage(text)
}

// plainError leaves out the URL, which net/http puts into its errors.
func plainError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	return errors.New(brief(err.Error()))
}
