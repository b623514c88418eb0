package endpoint

import (
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
	limits  limits
	secrets []string
}

// target is where requests go and the header that they all have.
type target struct {
	url    *url.URL
	host   string // the Host header, where the scenario sets one other than the URL's
	header http.Header
	reuse  bool // of connections
}

// newClient makes the client for POST {base}{path}. header holds the API's own fields, its key among them; the
// scenario's are set over them.
func newClient(cfg *Config, path string, header http.Header) (*client, error) {
	a := &cfg.Approach
	t := &target{header: header, reuse: a.Connections.Reuse != "never"}
	var err error
	t.url, err = targetURL(a.URL, path)
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
	c := &client{limits: limitsOf(a.Timeouts, a.Streaming()), secrets: secretsIn(cfg.Key, header)}
	if cfg.Reference {
		c.carrier = newReference(cfg, t)
	} else {
		c.carrier = newDirect(cfg, t)
	}
	return c, nil
}

// targetURL puts the API's path behind the base's, before its query.
func targetURL(base, path string) (*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return nil, fmt.Errorf("url: %w", err)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("url %q: want http://host/path or https://host/path", base)
	case u.User != nil:
		return nil, fmt.Errorf("url of %s: a password in it would stand in every record; name the key's variable in key_env instead", u.Host)
	case strings.HasSuffix(strings.TrimRight(u.Path, "/"), path):
		return nil, fmt.Errorf("url %q: give the API's base, without %s", base, path)
	}
	u.Fragment = ""
	if u.Path == "" {
		u.Path = "/" // else the path would be joined to nothing, and begin without a slash in the request
	}
	return u.JoinPath(path), nil
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

func (c *client) close() { c.carrier.close() }

// post issues one attempt and lets the judge make the API's answer of the response. There is no redirect, no cookie and
// no second attempt.
func (c *client) post(ctx context.Context, body func() ([]byte, error), obs Observer, judge func(*exchange) answer) Result {
	ctx, clocks := startDeadlines(ctx, c.limits)
	defer clocks.stop()
	r := c.carrier.carry(ctx, &attempt{body: body, clocks: clocks, obs: obs, judge: judge})
	r.Error, r.RequestID, r.Finish = c.words(r.Error), c.words(r.RequestID), c.words(r.Finish)
	return r
}

// carrier takes a request over the network and its answer back: direct with our own HTTP/1.1, or reference with
// net/http, which the tests compare it with.
type carrier interface {
	carry(ctx context.Context, c *attempt) Result
	close()
}

// unencoded is the result of a request that cannot be written as JSON: no scenario can make one, since Open encodes its
// fields first.
func unencoded(err error) Result {
	return Result{Class: Malformed, Error: "encode the request: " + err.Error()}
}

// attempt is one request to be carried.
type attempt struct {
	body   func() ([]byte, error) // made when its turn has come
	clocks *deadlines
	obs    Observer
	judge  func(*exchange) answer
}
