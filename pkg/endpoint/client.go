package endpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// client sends the requests of one approach. What they ask and what the answers mean is each API's own.
type client struct {
	carrier carrier
	target  *target
	sign    signer
	limits  limits
	secrets secretWords
}

// signer makes the header fields that are new with each request, out of all the rest of it: the field values of req are
// those that are sent.
type signer func(ctx context.Context, req *http.Request, body []byte) (http.Header, error)

// target is where requests go and the header that they all have.
type target struct {
	url    *url.URL
	host   string // the Host header, where the scenario sets one other than the URL's
	header http.Header
	reuse  bool // of connections
	route  *route
}

// newClient makes the client for POST {base}{path}, whose path may end in a query. The API's header holds its own fields,
// its key among them; the scenario's are set over them.
func newClient(cfg *Config, api *api) (*client, error) {
	a, header := &cfg.Approach, api.header
	t := &target{header: header, reuse: a.Connections.Reuse != "never"}
	var err error
	t.url, err = targetURL(a.URL, api.path)
	if err != nil {
		return nil, err
	}
	if t.route, err = newRoute(cfg, t.url); err != nil {
		return nil, err
	}
	if port := t.url.Port(); api.sign != nil && (t.url.Scheme == "https" && port == "443" || t.url.Scheme == "http" && port == "80") {
		t.host = strings.TrimSuffix(t.url.Host, ":"+port) // as it is signed
	}
	switch a.Connections.Reuse {
	case "", "keep-alive", "never":
	default:
		return nil, fmt.Errorf("connections.reuse %q is not known: there are keep-alive and never", a.Connections.Reuse)
	}
	if cfg.Epoch.IsZero() {
		return nil, errors.New("the epoch is not set: events would have no time")
	}
	header.Set("User-Agent", "infbench")
	header.Set("Accept-Encoding", "identity")
	header.Set("Content-Type", "application/json")
	for name, value := range a.Headers {
		if http.CanonicalHeaderKey(name) == "Host" {
			if !validHeader(name, value) || strings.ContainsAny(value, " \t") {
				return nil, fmt.Errorf("header %s: its value holds a character that HTTP does not allow", name)
			}
			t.host = value
			continue
		}
		header.Set(name, value)
	}
	for name, values := range header {
		if name == "Idempotency-Key" || name == "X-Idempotency-Key" {
			return nil, fmt.Errorf("header %s: one key for all requests lets a server answer the first over and over, and net/http send a failed one again unseen", name)
		}
		if !validHeader(name, values[0]) {
			return nil, fmt.Errorf("header %s: its name or value holds a character that HTTP does not allow, such as a line end", name)
		}
	}
	more := api.secrets
	for _, proxy := range []*url.URL{t.route.proxy, t.route.tunnel} {
		if proxy != nil && proxy.User != nil {
			password, _ := proxy.User.Password()
			_, encoded, _ := strings.Cut(proxyAuthorization(proxy), " ")
			more = append(more, cmp.Or(password, proxy.User.Username()), encoded)
		}
	}
	c := &client{target: t, sign: api.sign, limits: limitsOf(a.Timeouts, a.Streaming()), secrets: secretsOf(cfg, header, more)}
	if cfg.Reference || t.route.protocol != http1 {
		c.carrier = newReference(cfg, t)
	} else {
		c.carrier = newDirect(cfg, t)
	}
	return c, nil
}

// targetURL puts the API's path behind the base's, and the API's query behind the base's.
func targetURL(base, path string) (*url.URL, error) {
	u, err := url.Parse(base)
	path, query, _ := strings.Cut(path, "?")
	version, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case err != nil:
		return nil, fmt.Errorf("url: %w", err)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("url %q: want http://host/path or https://host/path", base)
	case u.User != nil:
		return nil, fmt.Errorf("url of %s: a password in it would stand in every record; name the key's variable in key_env instead", u.Host)
	case strings.HasSuffix(strings.TrimRight(u.Path, "/"), path):
		return nil, fmt.Errorf("url %q: give the API's base, without %s", base, path)
	case len(version) == 2 && version[0] == 'v' && strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/"+version):
		return nil, fmt.Errorf("url %q: give the API's base, without /%s: infbench adds %s", base, version, path)
	}
	u.Fragment = ""
	if u.Path == "" { // JoinPath would leave the request's target without its first slash
		u.Path = "/"
	}
	u = u.JoinPath(path)
	u.RawQuery = strings.Trim(u.RawQuery+"&"+query, "&")
	return u, nil
}

// validHeader tells what HTTP allows (RFC 9110, section 5), so that a key with a line end fails when the endpoint is
// opened and not once per request.
func validHeader(name, value string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return name != ""
}

// words makes a text fit for the record: without secrets, in one line of bounded length.
func (c *client) words(s string) string {
	return short(c.secrets.cover(s))
}

func (c *client) close() { c.carrier.close() }

// post issues one attempt and lets the judge make the API's answer of the response. There is no redirect, no cookie and
// no second attempt.
func (c *client) post(ctx context.Context, body func() ([]byte, error), obs Observer, judge func(*exchange) answer) Result {
	ctx, clocks := startDeadlines(ctx, c.limits)
	defer clocks.stop()
	r := c.carrier.carry(ctx, &attempt{write: func() ([]byte, http.Header, error) { return c.write(ctx, body) }, clocks: clocks, obs: obs, judge: judge})
	r.Error, r.RequestID, r.Finish = c.words(r.Error), c.words(r.RequestID), c.words(r.Finish)
	return r
}

// write makes a request's body, and the header fields that it has beside the target's.
func (c *client) write(ctx context.Context, body func() ([]byte, error)) ([]byte, http.Header, error) {
	b, err := body()
	if err != nil {
		return nil, nil, fmt.Errorf("encode the request: %w", err)
	}
	if c.sign == nil {
		return b, nil, nil
	}
	u := *c.target.url
	req := &http.Request{Method: http.MethodPost, URL: &u, Host: c.target.host, Header: c.target.header.Clone(), ContentLength: int64(len(b))}
	header, err := c.sign(ctx, req, b)
	if err != nil {
		return nil, nil, fmt.Errorf("sign the request: %w", err)
	}
	return b, header, nil
}

// carrier takes a request over the network and its answer back: direct with our own HTTP/1.1, or reference with
// net/http, which the tests compare it with and which speaks HTTP/2.
type carrier interface {
	carry(ctx context.Context, c *attempt) Result
	// prewarm opens n connections for requests to come.
	prewarm(ctx context.Context, n int) error
	close()
}

// unwritten is the result of a request that cannot be made: no scenario can ask for one, since Open encodes its fields
// first.
func unwritten(err error) Result { return Result{Class: Malformed, Error: err.Error()} }

// attempt is one request to be carried.
type attempt struct {
	write  func() (body []byte, header http.Header, err error) // called when its turn has come
	clocks *deadlines
	obs    Observer
	judge  func(*exchange) answer
}
