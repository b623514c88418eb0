package workload

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// validateTransport reports what the ways to a target say together.
func validateTransport(a *Approach, p strict.Place) {
	connections := p.Field("connections")
	validateProxy(a.Connections.Proxy, connections.Field("proxy"))
	if connections.Field("unix_socket").Present() {
		excluded(connections, "unix_socket", "remove one of them: a socket of this machine needs no proxy", "proxy")
	}
	if protocol := a.Connections.Protocol; protocol == "h2" || protocol == "h2c" {
		excluded(connections, "protocol: "+protocol, "remove it: many requests share a connection", "prewarm")
	}
	tls := p.Field("tls")
	for _, pair := range [][2]string{{"cert", "key"}, {"key", "cert"}} {
		if has, needs := tls.Field(pair[0]), tls.Field(pair[1]); has.Present() && !needs.Present() {
			has.Mistake("stands without "+pair[1], "a client certificate is a file with the certificate and one with its key: give cert and key")
		}
	}
	scheme, _, _ := strings.Cut(a.URL, "://")
	if !p.Field("url").Sound() || scheme != "http" && scheme != "https" {
		return
	}
	protocol := connections.Field("protocol")
	switch {
	case a.Connections.Protocol == "h2" && scheme == "http":
		protocol.Mistake("h2 is HTTP/2 over TLS, and the url begins with http://", "write h2c for HTTP/2 without TLS, or an https url")
	case a.Connections.Protocol == "h2c" && scheme == "https":
		protocol.Mistake("h2c is HTTP/2 without TLS, and the url begins with https://", "write h2, or an http url")
	}
	if scheme == "http" {
		excluded(p, "an http url", "remove it, or write an https url: without TLS there are no certificates", "tls")
	}
}

// ProxyNone and ProxyEnvironment are the values of Connections.Proxy that are no URL.
const (
	ProxyNone        = "none"
	ProxyEnvironment = "environment"
)

func validateProxy(s string, p strict.Place) {
	if !p.Sound() || s == ProxyNone || s == ProxyEnvironment {
		return
	}
	shown := strict.Quote(redactProxy(s))
	u, err := url.Parse(s)
	switch {
	case strings.Contains(s, "@") && (err != nil || u.User == nil):
		p.Mistake(shown+" is no URL", "percent-encode the user and the password: / is %2F, # is %23, @ is %40")
	case err != nil || !strings.Contains(s, "://"):
		p.Mistake(shown+" is no URL", "write none, environment, or the URL of a proxy, such as http://127.0.0.1:3128")
	case u.Scheme != "http":
		p.Mistake(fmt.Sprintf("a proxy spoken to by %s is not supported", u.Scheme), "give an HTTP proxy, http://host:port: it takes https targets too, and sees none of what is said to them")
	case u.Hostname() == "":
		p.Mistake(shown+" names no host", "write the URL of a proxy, such as http://127.0.0.1:3128")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		p.Mistake(shown+" has a path", "a proxy is a host and a port: remove what follows")
	}
}

// validateFiles looks at the files that approaches name.
func validateFiles(s *Scenario, approaches strict.Place) {
	for i := range s.Approaches {
		p := approaches.Item(i).Field("tls")
		if !p.Sound() {
			continue
		}
		t := &s.Approaches[i].TLS
		_, roots := t.Authorities(s.Dir)
		_, pair := t.Certificate(s.Dir)
		for _, err := range []error{roots, pair} {
			var file *FileError
			if errors.As(err, &file) {
				p.Field(file.Field).Mistake(file.Problem, file.Remedy)
			}
		}
	}
}
