package endpoint

import (
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

func streamHandler(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, roleEvent)
	w.(http.Flusher).Flush()
	io.WriteString(w, content("a"))
	w.(http.Flusher).Flush()
	io.WriteString(w, usageEvent+doneEvent)
}

// do drives one request over the real loopback.
func do(t *testing.T, url string, roots *x509.CertPool) (Result, *events) {
	t.Helper()
	e, err := Open(Config{Approach: workload.Approach{URL: url + "/v1"}, Epoch: time.Now(), RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	obs := &events{}
	return e.Do(t.Context(), &testRequest, obs), obs
}

func TestTLS(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.HandlerFunc(streamHandler))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	plainServer := httptest.NewServer(http.HandlerFunc(streamHandler))
	defer plainServer.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(secure.Certificate())

	r, obs := do(t, secure.URL, trusted)
	if r.Class != OK || r.Protocol != "HTTP/1.1" {
		t.Fatalf("%+v", r)
	}
	// the stamps lie below the encryption and must still be in order
	last := Event{}
	for _, e := range obs.all {
		if e.At < last.At {
			t.Errorf("kind %d at %s after kind %d at %s", e.Kind, e.At, last.Kind, last.At)
		}
		last = e
	}
	if sent, ok := obs.first(Sent); !ok || sent.At == 0 {
		t.Errorf("sent %+v", sent)
	}
	for name, tt := range map[string]struct{ url, text string }{
		"unknown authority": {secure.URL, "certificate"},
		"no TLS there":      {strings.Replace(plainServer.URL, "http:", "https:", 1), "tls"},
	} {
		if r, _ := do(t, tt.url, nil); r.Class != TLSFailed || !strings.Contains(r.Error, tt.text) {
			t.Errorf("%s: %s %q", name, r.Class, r.Error)
		}
	}
}

func TestRefusedAndReset(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	go func() { // resets every connection after the first token
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, sseHead+chunked(content("a")))
			io.ReadFull(c, make([]byte, 1))
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}()
	if r, obs := do(t, url, nil); r.Class != Truncated {
		t.Errorf("reset: %s %q after %d tokens", r.Class, r.Error, obs.count(Answer))
	}
	l.Close()
	if r, _ := do(t, url, nil); r.Class != ConnectFailed || !strings.Contains(r.Error, "refused") {
		t.Errorf("refused: %s %q", r.Class, r.Error)
	}
}

func BenchmarkWholeRequest(b *testing.B) {
	const tokens = 100
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range tokens {
			io.WriteString(w, content("a"))
			w.(http.Flusher).Flush()
		}
		io.WriteString(w, usageEvent+doneEvent)
	}))
	defer s.Close()
	e, err := Open(Config{Approach: workload.Approach{URL: s.URL + "/v1"}, Epoch: time.Now()})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	b.ReportAllocs()
	for b.Loop() {
		obs := &counting{}
		if r := e.Do(b.Context(), &testRequest, obs); r.Class != OK {
			b.Fatal(r.Error)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/tokens, "ns/event")
}

type counting struct{ n int }

func (c *counting) Observe(Event) { c.n++ }
