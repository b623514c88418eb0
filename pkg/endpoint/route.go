package endpoint

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/infbench/infbench/pkg/workload"
)

// route is the way to a target: the socket that is dialled, and what lies between it and the target.
type route struct {
	network, address string      // of the socket
	proxy            *url.URL    // that takes the requests (http targets); else nil
	tunnel           *url.URL    // a proxy that is asked for a connection to target (https targets); else nil
	proxied          string      // what ProxyOf tells
	target           string      // host:port
	tls              *tls.Config // nil: no TLS
	protocol         string      // http1, h2 or h2c
}

// The values of workload.Connections.Protocol.
const (
	http1 = "http1"
	h2    = "h2"
	h2c   = "h2c"
)

// newRoute finds the way to a URL.
func newRoute(cfg *Config, u *url.URL) (*route, error) {
	c := &cfg.Approach.Connections
	r := &route{network: "tcp", target: hostPort(u), protocol: c.Protocol}
	r.address = r.target
	secure := u.Scheme == "https"
	switch {
	case r.protocol == "":
		r.protocol = http1
	case r.protocol != http1 && r.protocol != h2 && r.protocol != h2c:
		return nil, fmt.Errorf("connections.protocol %q is not known: there are http1, h2 and h2c", r.protocol)
	case r.protocol == h2 && !secure, r.protocol == h2c && secure:
		return nil, fmt.Errorf("connections.protocol %s does not go with an %s url: h2 is HTTP/2 over TLS, h2c without", r.protocol, u.Scheme)
	}
	if secure {
		var err error
		if r.tls, err = tlsConfig(cfg, u.Hostname(), r.protocol); err != nil {
			return nil, err
		}
	}
	proxy, told, err := proxyFor(c.Proxy, u, os.Getenv)
	r.proxied = told
	switch {
	case err != nil:
		return nil, err
	case c.UnixSocket != "" && c.Proxy != "" && c.Proxy != workload.ProxyNone:
		return nil, fmt.Errorf("connections: a unix_socket needs no proxy: give one of them")
	case c.UnixSocket != "":
		r.network, r.address = "unix", c.UnixSocket
		if !filepath.IsAbs(r.address) {
			r.address = filepath.Join(cfg.Dir, r.address)
		}
	case proxy != nil && !secure && r.protocol == h2c:
		return nil, fmt.Errorf("connections: h2c does not go through a proxy: requests to a proxy are HTTP/1.1; use an https url and h2")
	case proxy != nil:
		r.address = hostPort(proxy)
		if secure {
			r.tunnel = proxy
		} else {
			r.proxy = proxy
		}
	}
	return r, nil
}

// hostPort is a URL's address, with the port of its scheme where it names none.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// tlsConfig is how hands are shaken. No session is resumed, so that each new connection costs the same.
func tlsConfig(cfg *Config, host, protocol string) (*tls.Config, error) {
	t := &cfg.Approach.TLS
	c := &tls.Config{NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs, ServerName: host}
	if protocol == h2 {
		c.NextProtos = []string{"h2"}
	}
	if t.ServerName != "" {
		c.ServerName = t.ServerName
	}
	roots, err := t.Authorities(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if roots != nil {
		c.RootCAs = roots
	}
	pair, err := t.Certificate(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if pair != nil {
		c.Certificates = []tls.Certificate{*pair}
	}
	return c, nil
}

// ProxyOf tells which proxy the requests of an endpoint go through, as host:port; where the environment was to name it
// and none is used, "none" and why. It is empty where the approach wants no proxy.
func ProxyOf(e Endpoint) string {
	r, ok := e.(*remote)
	if !ok {
		return ""
	}
	return r.client.target.route.proxied
}

// proxyFor is the proxy for a URL, and what ProxyOf tells of it: none unless the scenario wants one.
func proxyFor(proxy string, u *url.URL, getenv func(string) string) (p *url.URL, told string, err error) {
	switch proxy {
	case "", workload.ProxyNone:
		return nil, "", nil
	case workload.ProxyEnvironment:
		return environmentProxyFor(u, getenv)
	}
	if p, err = url.Parse(proxy); err != nil {
		return nil, "", errors.New("connections.proxy is no URL of a proxy") // neither it nor err: they may hold a password
	}
	return checkedProxy(p, "connections.proxy")
}

// environmentProxyFor is the proxy that the environment names for a URL. net/http takes a variable that it does not
// understand for one that is not set: requests would go direct without a word. So it is looked at here first.
func environmentProxyFor(u *url.URL, getenv func(string) string) (*url.URL, string, error) {
	names := []string{"HTTP_PROXY", "http_proxy"} // in the order of net/http
	if u.Scheme == "https" {
		names = []string{"HTTPS_PROXY", "https_proxy"}
	}
	name, value := names[0], getenv(names[0])
	if value == "" {
		name, value = names[1], getenv(names[1])
	}
	if value == "" {
		return nil, "none: " + names[0] + " is not set", nil
	}
	whole := value
	if !strings.Contains(whole, "://") {
		whole = "http://" + whole // host:port alone will do
	}
	if p, err := url.Parse(whole); err != nil || p.Hostname() == "" {
		return nil, "", fmt.Errorf("connections.proxy: environment: what stands in %s is no URL of a proxy: write it as http://host:port, or remove it", name)
	}
	p, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("connections.proxy: environment: %s cannot be used; where REQUEST_METHOD is set it is not trusted: name the proxy's URL in connections.proxy", name)
	case p == nil && isLocal(u.Hostname()):
		return nil, "none: " + name + " is not for this machine itself", nil
	case p == nil:
		return nil, "none: NO_PROXY covers " + u.Hostname(), nil
	}
	return checkedProxy(p, "connections.proxy: environment: "+name)
}

// isLocal tells the hosts for which net/http never takes a proxy out of the environment.
func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkedProxy refuses what is no HTTP proxy. Of the user and the password of one nothing is told.
func checkedProxy(p *url.URL, where string) (*url.URL, string, error) {
	if p.Scheme != "http" || p.Host == "" {
		return nil, "", fmt.Errorf("%s: %s://%s is not supported: give an HTTP proxy, http://host:port", where, p.Scheme, p.Host)
	}
	return p, hostPort(p), nil
}

// proxyAuthorization is the value of that header field; empty without a name and password in the proxy's URL.
func proxyAuthorization(proxy *url.URL) string {
	if proxy.User == nil {
		return ""
	}
	password, _ := proxy.User.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password))
}
