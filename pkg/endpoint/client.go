package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"
)

// client sends the requests of one approach. What they ask and what the answers mean is each API's own.
type client struct {
	transport *http.Transport
	url       string
	host      string // instead of the URL's, where the scenario sets a Host header
	header    http.Header
	limits    limits
	epoch     time.Time
	secrets   []string
}

// newClient makes the client for POST {base}{path}. header holds the API's own fields, its key among them; the
// scenario's are set over them.
func newClient(cfg *Config, path string, header http.Header) (*client, error) {
	a := &cfg.Approach
	target, err := targetURL(a.URL, path)
	if err != nil {
		return nil, err
	}
	switch a.Connections.Reuse {
	case "", "keep-alive", "never":
	default:
		return nil, fmt.Errorf("connections.reuse %q is not known: there are keep-alive and never", a.Connections.Reuse)
	}
	if cfg.Epoch.IsZero() {
		return nil, errors.New("the epoch is not set: events would have no time")
	}
	c := &client{transport: newTransport(cfg), url: target, header: header, limits: limitsOf(a.Timeouts, a.Streaming()), epoch: cfg.Epoch}
	header.Set("User-Agent", "infbench")
	header.Set("Accept-Encoding", "identity")
	header.Set("Content-Type", "application/json")
	for name, value := range a.Headers {
		if http.CanonicalHeaderKey(name) == "Host" {
			c.host = value
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
	c.secrets = secretsIn(cfg.Key, header)
	return c, nil
}

// targetURL puts the API's path behind the base's, before its query.
func targetURL(base, path string) (string, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return "", fmt.Errorf("url: %w", err)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return "", fmt.Errorf("url %q: want http://host/path or https://host/path", base)
	case u.User != nil:
		return "", fmt.Errorf("url of %s: a password in it would stand in every record; name the key's variable in key_env instead", u.Host)
	case strings.HasSuffix(strings.TrimRight(u.Path, "/"), path):
		return "", fmt.Errorf("url %q: give the API's base, without %s", base, path)
	}
	u.Fragment = ""
	return u.JoinPath(path).String(), nil
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

// secretsIn lists what must not stand in a record: the key, and the values of headers that look like one.
func secretsIn(key string, header http.Header) (secrets []string) {
	if key != "" {
		secrets = append(secrets, key)
	}
	for name, values := range header {
		name = strings.ToLower(name)
		for _, sign := range []string{"auth", "key", "token", "secret", "cookie"} {
			if !strings.Contains(name, sign) {
				continue
			}
			value := values[0]
			if i := strings.LastIndexByte(value, ' '); i >= 0 {
				value = value[i+1:] // without the scheme
			}
			if len(value) >= 8 { // shorter ones are words such as "true"
				secrets = append(secrets, value)
			}
			break
		}
	}
	return secrets
}

// words makes a text fit for the record: without secrets, in one line of bounded length.
func (c *client) words(s string) string {
	for _, secret := range c.secrets {
		s = strings.ReplaceAll(s, secret, "[key]")
	}
	return short(s)
}

func (c *client) close() { c.transport.CloseIdleConnections() }

// post issues one attempt and lets answer judge the response. There is no redirect, no cookie and no second attempt:
// net/http dials anew only where a kept connection died before a byte of the request was written.
func (c *client) post(ctx context.Context, body []byte, obs Observer, answer func(*exchange)) Result {
	ctx, clocks := startDeadlines(ctx, c.limits)
	defer clocks.stop()
	p := &phases{epoch: c.epoch, sent: clocks.sent}
	traced := httptrace.WithClientTrace(context.WithValue(ctx, phasesKey{}, p), p.trace())
	req, err := http.NewRequestWithContext(traced, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return Result{Class: ConnectFailed, Error: c.words(err.Error())}
	}
	req.Header, req.Host = c.header.Clone(), c.host
	resp, err := c.transport.RoundTrip(req)
	conn, fresh := p.tell(obs)
	if err != nil {
		r := Result{NewConnection: fresh}
		r.Class, r.Error = classify(ctx, err, conn != nil, "before an answer came")
		r.Error = c.words(r.Error)
		return r
	}
	defer resp.Body.Close()
	x := &exchange{ctx: ctx, resp: resp, body: &bodySource{body: resp.Body, conn: conn}, clocks: clocks, obs: obs,
		res: Result{Class: OK, Status: resp.StatusCode, Protocol: resp.Proto, NewConnection: fresh, RequestID: requestID(resp.Header)}}
	switch enc := resp.Header.Get("Content-Encoding"); {
	case resp.StatusCode != http.StatusOK:
		x.status()
	case enc != "" && enc != "identity":
		x.fail(Malformed, "the response is compressed (%s) although identity was asked for: its event times would be the compressor's", enc)
	default:
		answer(x)
	}
	x.res.Error, x.res.RequestID, x.res.Finish = c.words(x.res.Error), c.words(x.res.RequestID), c.words(x.res.Finish)
	return x.res
}

func requestID(h http.Header) string {
	for _, name := range []string{"X-Request-Id", "Request-Id", "Apim-Request-Id", "X-Generation-Id"} {
		if v := h.Get(name); v != "" {
			return v
		}
	}
	return ""
}
