package endpoint

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/rawnet"
	"github.com/infbench/infbench/pkg/workload"
)

// packer lies under the server's TLS and decides what goes out in one write of TCP.
type packer struct {
	net.Conn
	hold   bool
	held   []byte
	behind bool // hold what follows the first write that was answered: the last of a TLS 1.2 server's handshake
	wrote  bool
}

func (p *packer) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	p.hold = p.hold || p.behind && p.wrote
	return n, err
}

func (p *packer) Write(b []byte) (int, error) {
	p.wrote = true
	if !p.hold {
		return p.Conn.Write(b)
	}
	p.held = append(p.held, b...)
	return len(b), nil
}

// SetWriteDeadline leaves the held bytes alone: crypto/tls sets one in the past after its last word.
func (p *packer) SetWriteDeadline(time.Time) error { return nil }

// release lets out what was held, up to n bytes in each write.
func (p *packer) release(n int) {
	for len(p.held) > 0 {
		k := min(n, len(p.held))
		if _, err := p.Conn.Write(p.held[:k]); err != nil {
			return
		}
		p.held = p.held[k:]
	}
}

// secureServer answers each connection of a real TLS listener, after its handshake.
func secureServer(t *testing.T, version uint16, answer func(s *tls.Conn, under *packer)) (url string, roots *x509.CertPool) {
	t.Helper()
	return secureServerOver(t, packer{}, version, answer)
}

// secureServerOver is secureServer with such a packer under each connection.
func secureServerOver(t *testing.T, under packer, version uint16, answer func(s *tls.Conn, under *packer)) (url string, roots *x509.CertPool) {
	t.Helper()
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	defer cert.Close()
	roots = x509.NewCertPool()
	roots.AddCert(cert.Certificate())
	cfg := &tls.Config{Certificates: cert.TLS.Certificates, MinVersion: version, MaxVersion: version}
	url = rawServer(t, func(c net.Conn) {
		p := under
		p.Conn = c
		s := tls.Server(&p, cfg)
		if s.Handshake() == nil {
			answer(s, &p)
		}
	})
	return "https" + strings.TrimPrefix(url, "http"), roots
}

// each writes every piece as a record of its own.
func each(s *tls.Conn, pieces ...string) {
	for _, p := range pieces {
		io.WriteString(s, p)
	}
}

// leave closes the connection without TLS's word that this is the end.
func leave(p *packer) { p.Conn.Close() }

// What a TLS server does to a connection comes out as with net/http over the same bytes, and on Linux with the kernel's
// stamps.
func TestTLSThroughTheLoop(t *testing.T) {
	whole := []string{sseHead, chunked(content("a")), chunked(content("b")), chunked(usageEvent + doneEvent), lastChunk}
	tests := []struct {
		name   string
		answer func(s *tls.Conn, p *packer)
		class  Class
		text   string
	}{
		{"a record a write", func(s *tls.Conn, _ *packer) { each(s, whole...) }, OK, "ab"},
		{"many records in one segment", func(s *tls.Conn, p *packer) { p.hold = true; each(s, whole...); p.release(1 << 20) }, OK, "ab"},
		{"records byte by byte", func(s *tls.Conn, p *packer) { p.hold = true; each(s, whole...); p.release(1) }, OK, "ab"},
		{"records cut anywhere", func(s *tls.Conn, p *packer) { p.hold = true; each(s, whole...); p.release(97) }, OK, "ab"},
		{"a record that is full", func(s *tls.Conn, p *packer) {
			p.hold = true
			each(s, sseHead, chunked(content(strings.Repeat("x", 100<<10))), chunked(usageEvent+doneEvent), lastChunk)
			p.release(1 << 20)
		}, OK, strings.Repeat("x", 100<<10)},
		{"an interim response first", func(s *tls.Conn, _ *packer) {
			each(s, "HTTP/1.1 103 Early Hints\r\n\r\n")
			each(s, whole...)
		}, OK, "ab"},
		{"the end says so", func(s *tls.Conn, _ *packer) { each(s, whole[:2]...); s.Close() }, Truncated, "a"},
		{"the end says so in the same segment", func(s *tls.Conn, p *packer) {
			p.hold = true
			each(s, whole[:2]...)
			s.CloseWrite()
			p.release(1 << 20)
			leave(p)
		}, Truncated, "a"},
		{"TCP ends between records", func(s *tls.Conn, p *packer) { each(s, whole[:2]...); leave(p) }, Truncated, "a"},
		{"TCP ends within a record", func(s *tls.Conn, p *packer) {
			each(s, whole[:2]...)
			p.hold = true
			each(s, whole[2])
			p.held = p.held[:len(p.held)-3]
			p.release(1 << 20)
			leave(p)
		}, Truncated, "a"},
		{"TCP ends before an answer", func(_ *tls.Conn, p *packer) { leave(p) }, Truncated, ""},
		{"reset", func(s *tls.Conn, p *packer) { each(s, whole[0]); p.Conn.(*net.TCPConn).SetLinger(0); leave(p) }, Truncated, ""},
		{"a body that ends with the connection", func(s *tls.Conn, _ *packer) {
			each(s, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", content("a"), doneEvent)
			s.Close()
		}, OK, "a"},
		{"a record that was tampered with", func(s *tls.Conn, p *packer) {
			each(s, whole[:2]...)
			p.hold = true
			each(s, whole[2])
			p.held[len(p.held)-1] ^= 1
			p.release(1 << 20)
			io.Copy(io.Discard, p.Conn)
		}, TLSFailed, "a"},
		{"no record at all", func(_ *tls.Conn, p *packer) {
			io.WriteString(p.Conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
			io.Copy(io.Discard, p.Conn)
		}, TLSFailed, ""},
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, tt := range tests {
			t.Run(tls.VersionName(version)+"/"+tt.name, func(t *testing.T) {
				url, roots := secureServer(t, version, func(s *tls.Conn, p *packer) {
					if readRequest(s) == nil {
						tt.answer(s, p)
					}
					s.Read(make([]byte, 1)) // until the client is gone
				})
				var kinds [2][]Kind
				for i, reference := range []bool{false, true} {
					e := onLoopback(t, url, func(c *Config) { c.RootCAs, c.Reference = roots, reference })
					obs := &events{}
					r := e.Do(t.Context(), &testRequest, obs)
					if r.Class != tt.class || r.Text != tt.text {
						t.Errorf("reference %v: %s %q, text %.20q (%d); want %s, %.20q", reference, r.Class, r.Error, r.Text, len(r.Text), tt.class, tt.text)
					}
					if r.Class == OK && rawnet.Supported && !reference && r.Stamps != StampsKernel {
						t.Errorf("stamps by %q", r.Stamps)
					}
					for _, ev := range obs.all {
						kinds[i] = append(kinds[i], ev.Kind)
					}
				}
				if string(kindBytes(kinds[0])) != string(kindBytes(kinds[1])) {
					t.Errorf("events %v, net/http %v", kinds[0], kinds[1])
				}
			})
		}
	}
}

func kindBytes(kinds []Kind) (b []byte) {
	for _, k := range kinds {
		b = append(b, byte(k))
	}
	return b
}

// All records that came in one segment are one read, with one stamp.
func TestTLSRecordsOfOneReadShareIt(t *testing.T) {
	if !rawnet.Supported {
		t.Skip("one read of a socket is one read of crypto/tls here")
	}
	url, roots := secureServer(t, tls.VersionTLS13, func(s *tls.Conn, p *packer) {
		for readRequest(s) == nil {
			each(s, sseHead)
			time.Sleep(2 * time.Millisecond)
			p.hold = true
			each(s, chunked(content("a")), chunked(content("b")), chunked(content("c")), chunked(usageEvent+doneEvent), lastChunk)
			p.release(1 << 20)
			p.hold = false
		}
	})
	e := onLoopback(t, url, func(c *Config) { c.RootCAs = roots })
	obs := &events{}
	if r := e.Do(t.Context(), &testRequest, obs); r.Class != OK || obs.count(Answer) != 3 {
		t.Fatalf("%s %q, %d answers", r.Class, r.Error, obs.count(Answer))
	}
	first, _ := obs.first(Answer)
	for _, ev := range obs.all {
		if ev.Kind == Answer && (ev.At != first.At || ev.Read != first.Read || ev.Late != first.Late) {
			t.Errorf("read %d at %s beside read %d at %s", ev.Read, ev.At, first.Read, first.At)
		}
	}
}

// A connection that rests is used again as long as the server keeps it, and not when it has left, however politely.
func TestTLSConnectionsRest(t *testing.T) {
	answer := sseHead + chunked(content("a")+doneEvent) + lastChunk
	for name, tt := range map[string]struct {
		then   func(s *tls.Conn, p *packer)
		reused bool
	}{
		"kept":               {func(*tls.Conn, *packer) {}, true},
		"closed":             {func(s *tls.Conn, _ *packer) { s.Close() }, false},
		"closed rudely":      {func(_ *tls.Conn, p *packer) { leave(p) }, false},
		"says more unasked":  {func(s *tls.Conn, _ *packer) { each(s, "HTTP/1.1 408 Request Timeout\r\n\r\n") }, false},
		"announces its end":  {func(s *tls.Conn, _ *packer) { s.CloseWrite() }, false},
		"a part of a record": {func(s *tls.Conn, p *packer) { io.WriteString(p.Conn, "\x17\x03") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			var conns atomic.Int32
			url, roots := secureServer(t, tls.VersionTLS13, func(s *tls.Conn, p *packer) {
				conns.Add(1)
				for readRequest(s) == nil {
					each(s, answer)
					tt.then(s, p)
				}
			})
			e := onLoopback(t, url, func(c *Config) { c.RootCAs = roots })
			if r := e.Do(t.Context(), &testRequest, &events{}); r.Class != OK {
				t.Fatalf("first: %s %q", r.Class, r.Error)
			}
			time.Sleep(10 * time.Millisecond) // for the end to arrive
			r := e.Do(t.Context(), &testRequest, &events{})
			if name == "a part of a record" { // it is no use, and only reading the rest of it tells
				if r.NewConnection || r.Class == OK {
					t.Errorf("second: %s, new connection %v", r.Class, r.NewConnection)
				}
				return
			}
			if r.Class != OK || r.NewConnection == tt.reused {
				t.Errorf("second: %s %q, new connection %v, %d in all", r.Class, r.Error, r.NewConnection, conns.Load())
			}
		})
	}
}

// A large request to a server that reads slowly goes out whole, over TLS as without.
func TestTLSLargeRequest(t *testing.T) {
	prompt := strings.Repeat("word ", 4<<20/5)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		var got atomic.Int64
		url, roots := secureServer(t, version, func(s *tls.Conn, _ *packer) {
			time.Sleep(20 * time.Millisecond)
			body := &bytes.Buffer{}
			for buf := make([]byte, 64<<10); !bytes.HasSuffix(body.Bytes(), []byte("}")); {
				n, err := s.Read(buf)
				if err != nil {
					return
				}
				body.Write(buf[:n])
			}
			got.Store(int64(bytes.Count(body.Bytes(), []byte("word "))))
			each(s, sseHead+chunked(content("a")+doneEvent)+lastChunk)
			s.Read(make([]byte, 1))
		})
		e := onLoopback(t, url, func(c *Config) { c.RootCAs = roots })
		obs := &events{}
		r := e.Do(t.Context(), &workload.Request{Messages: []workload.Message{{Role: "user", Content: prompt}}}, obs)
		sent, _ := obs.first(Sent)
		headers, _ := obs.first(Headers)
		if want := int64(len(prompt) / 5); r.Class != OK || got.Load() != want || headers.At < sent.At {
			t.Errorf("%s: %s %q, %d words of %d, sent %s, headers %s", tls.VersionName(version), r.Class, r.Error, got.Load(), want, sent.At, headers.At)
		}
	}
}

// A server that refuses a request before it has read it is understood, with TLS and without, and so is one that says
// something interim and reads on.
func TestAnswersBeforeTheRequestIsOut(t *testing.T) {
	if !rawnet.Supported {
		t.Skip("a blocked write hears nothing here")
	}
	large := workload.Request{Messages: []workload.Message{{Role: "user", Content: strings.Repeat("word ", 16<<20/5)}}}
	tests := []struct {
		name   string
		answer func(c net.Conn, over <-chan struct{})
		class  Class
		status int
	}{
		{"refused", func(c net.Conn, over <-chan struct{}) {
			c.Read(make([]byte, 100))
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
			<-over // and reads no more
		}, HTTPStatus, 413},
		{"interim", func(c net.Conn, _ <-chan struct{}) {
			c.Read(make([]byte, 100))
			io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n")
			time.Sleep(5 * time.Millisecond)
			readRequest(c)
			io.WriteString(c, sseHead+chunked(content("a")+doneEvent)+lastChunk)
			c.Read(make([]byte, 1))
		}, OK, 200},
		{"left", func(c net.Conn, _ <-chan struct{}) { c.Read(make([]byte, 100)) }, Truncated, 0},
	}
	for _, tt := range tests {
		for _, secure := range []bool{false, true} {
			t.Run(tt.name+map[bool]string{true: " over TLS"}[secure], func(t *testing.T) {
				over := make(chan struct{})
				answer := func(c net.Conn) { tt.answer(c, over) }
				var url string
				var roots *x509.CertPool
				if secure {
					url, roots = secureServer(t, tls.VersionTLS13, func(s *tls.Conn, _ *packer) { answer(s) })
				} else {
					url = rawServer(t, answer)
				}
				defer close(over)
				e := onLoopback(t, url, func(c *Config) {
					c.RootCAs = roots
					c.Approach.Timeouts.Total = workload.Duration(20 * time.Second)
				})
				if r := e.Do(t.Context(), &large, &events{}); r.Class != tt.class || r.Status != tt.status {
					t.Errorf("%s %d %q, want %s %d", r.Class, r.Status, r.Error, tt.class, tt.status)
				}
			})
		}
	}
}

// A request that is cancelled while a server does not read it ends.
func TestTLSCancelledWhileSending(t *testing.T) {
	over := make(chan struct{})
	url, roots := secureServer(t, tls.VersionTLS13, func(*tls.Conn, *packer) { <-over })
	defer close(over)
	e := onLoopback(t, url, func(c *Config) { c.RootCAs = roots })
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(ErrUnfinished) })
	var wg sync.WaitGroup
	wg.Go(func() {
		large := workload.Request{Messages: []workload.Message{{Role: "user", Content: strings.Repeat("word ", 16<<20/5)}}}
		if r := e.Do(ctx, &large, &events{}); r.Class != Unfinished {
			t.Errorf("%s %q", r.Class, r.Error)
		}
	})
	wg.Wait()
}

// A server that speaks first, in the very segment that ends the handshake, is heard when a request asks.
func TestTLSAnswerBehindTheHandshake(t *testing.T) {
	url, roots := secureServerOver(t, packer{behind: true}, tls.VersionTLS12, func(s *tls.Conn, p *packer) {
		each(s, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull")
		p.release(1 << 20)
		s.Read(make([]byte, 1<<16))
		s.Read(make([]byte, 1))
	})
	e := onLoopback(t, url, func(c *Config) { c.RootCAs = roots })
	if r := e.Do(t.Context(), &testRequest, &events{}); r.Class != HTTPStatus || r.Status != 503 || !strings.Contains(r.Error, "full") {
		t.Errorf("%s %d %q", r.Class, r.Status, r.Error)
	}
}
