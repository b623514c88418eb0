package endpoint

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	enchex "encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/rawnet"
)

// direction is one direction of a TLS 1.3 connection with TLS_AES_128_GCM_SHA256, written after RFC 8446: crypto/tls
// sends no updates of the keys, and its tickets only at the end of a handshake.
type direction struct {
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

func newDirection(t *testing.T, secret []byte) *direction {
	t.Helper()
	d := &direction{secret: secret, iv: expandLabel(t, secret, "iv", 12)}
	block, err := aes.NewCipher(expandLabel(t, secret, "key", 16))
	if err != nil {
		t.Fatal(err)
	}
	if d.aead, err = cipher.NewGCM(block); err != nil {
		t.Fatal(err)
	}
	return d
}

// expandLabel is HKDF-Expand-Label without a context (section 7.1).
func expandLabel(t *testing.T, secret []byte, label string, n int) []byte {
	t.Helper()
	info := []byte{0, byte(n), byte(len("tls13 ") + len(label))}
	info = append(append(info, "tls13 "+label...), 0)
	key, err := hkdf.Expand(sha256.New, secret, string(info), n)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// updated is the direction after its keys were updated (section 7.2).
func (d *direction) updated(t *testing.T) *direction {
	t.Helper()
	return newDirection(t, expandLabel(t, d.secret, "traffic upd", 32))
}

func (d *direction) nonce() []byte {
	n := bytes.Clone(d.iv)
	binary.BigEndian.PutUint64(n[4:], binary.BigEndian.Uint64(n[4:])^d.seq)
	d.seq++
	return n
}

// The types of what is in a record (section 5.1).
const (
	handshakeRecord   = 22
	applicationRecord = 23
)

// seal makes a record.
func (d *direction) seal(kind byte, p []byte) []byte {
	inner := append(bytes.Clone(p), kind)
	head := []byte{applicationRecord, 3, 3, 0, 0}
	binary.BigEndian.PutUint16(head[3:], uint16(len(inner)+d.aead.Overhead()))
	return d.aead.Seal(head, d.nonce(), inner, head)
}

// open reads a record and says what it holds.
func (d *direction) open(r io.Reader) (kind byte, p []byte, err error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, nil, err
	}
	body := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil, err
	}
	inner, err := d.aead.Open(nil, d.nonce(), body, head)
	if err != nil {
		return 0, nil, err
	}
	return inner[len(inner)-1], inner[:len(inner)-1], nil
}

// byteReader reads so little that crypto/tls takes nothing beyond the end of a handshake.
type byteReader struct{ net.Conn }

func (b byteReader) Read(p []byte) (int, error) { return b.Conn.Read(p[:1]) }

// secrets takes the lines of a key log.
type secrets map[string][]byte

func (s secrets) Write(line []byte) (int, error) {
	f := strings.Fields(string(line))
	secret, err := enchex.DecodeString(f[2])
	s[f[0]] = secret
	return len(line), err
}

// peer is a TLS server whose records are the test's own once hands are shaken.
type peer struct {
	net.Conn
	t      *testing.T
	slowly bool // byte by byte
	in     *direction
	out    *direction
}

var errSuite = errors.New("this processor prefers another cipher")

func (p *peer) shake(certs []tls.Certificate) error {
	keys := secrets{}
	s := tls.Server(byteReader{p.Conn}, &tls.Config{Certificates: certs, MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true, KeyLogWriter: keys})
	if err := s.Handshake(); err != nil {
		return err
	}
	if s.ConnectionState().CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		return errSuite
	}
	p.in, p.out = newDirection(p.t, keys["CLIENT_TRAFFIC_SECRET_0"]), newDirection(p.t, keys["SERVER_TRAFFIC_SECRET_0"])
	return nil
}

// request reads one request.
func (p *peer) request() error {
	for {
		kind, b, err := p.in.open(p.Conn)
		if err != nil {
			return err
		}
		if kind != applicationRecord {
			return fmt.Errorf("a record of type %d in a request: %x", kind, b)
		}
		if bytes.HasSuffix(b, []byte("}")) {
			return nil
		}
	}
}

// send writes records.
func (p *peer) send(records ...[]byte) {
	all := bytes.Join(records, nil)
	step := len(all)
	if p.slowly {
		step = 1
	}
	for part := range slices.Chunk(all, step) {
		p.Conn.Write(part)
	}
}

// data makes a record of an answer.
func (p *peer) data(s string) []byte { return p.out.seal(applicationRecord, []byte(s)) }

// message makes a record of TLS's own.
func (p *peer) message(b []byte) []byte { return p.out.seal(handshakeRecord, b) }

// update makes the record that updates the server's keys, and asks for the client's.
func (p *peer) update() []byte {
	record := p.message([]byte{24, 0, 0, 1, 1})
	p.out = p.out.updated(p.t)
	return record
}

// updated reads the client's answer to an update.
func (p *peer) updated() error {
	kind, b, err := p.in.open(p.Conn)
	if err != nil || kind != handshakeRecord || !bytes.Equal(b, []byte{24, 0, 0, 1, 0}) {
		return fmt.Errorf("the answer to an update of the keys: type %d, %x, %w", kind, b, err)
	}
	p.in = p.in.updated(p.t)
	return nil
}

// ticket has a lifetime, an age to add, a nonce, a ticket and no extensions (section 4.6.1).
var ticket = []byte{4, 0, 0, 18, 0, 0, 1, 0, 1, 2, 3, 4, 1, 0, 0, 4, 't', 'i', 'c', 'k', 0, 0}

// talk answers two requests, and says TLS's own things in the middle of the first answer and between the two.
func (p *peer) talk() error {
	if err := p.request(); err != nil {
		return err
	}
	head, a := p.data(sseHead), p.data(chunked(content("a")))
	p.send(head, a, p.message(ticket[:7]), p.message(ticket[7:]), p.update(), p.data(chunked(content("b")+doneEvent)), p.data(lastChunk))
	if err := p.updated(); err != nil {
		return err
	}
	p.send(p.message(ticket), p.update())
	if err := p.updated(); err != nil {
		return err
	}
	if err := p.request(); err != nil {
		return err
	}
	p.send(p.data(sseHead), p.data(chunked(content("c")+doneEvent)+lastChunk))
	p.Conn.Read(make([]byte, 1))
	return nil
}

// Tickets are taken, and an update of the keys is answered with one, by the loop and when a connection is used again;
// both sides go on with the new keys.
func TestTLSMessagesOfItsOwn(t *testing.T) {
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	defer cert.Close()
	roots := x509.NewCertPool()
	roots.AddCert(cert.Certificate())
	for _, slowly := range []bool{false, true} {
		over := make(chan error, 1)
		url := rawServer(t, func(c net.Conn) {
			p := &peer{Conn: c, t: t, slowly: slowly}
			err := p.shake(cert.TLS.Certificates)
			if err == nil {
				err = p.talk()
			}
			over <- err
		})
		e := onLoopback(t, "https"+strings.TrimPrefix(url, "http"), func(c *Config) { c.RootCAs = roots })
		var results []Result
		for range 2 {
			results = append(results, e.Do(t.Context(), &testRequest, &events{}))
			time.Sleep(10 * time.Millisecond) // for what comes meanwhile
		}
		e.Close()
		if err := <-over; errors.Is(err, errSuite) {
			t.Skip(err)
		} else if err != nil {
			t.Errorf("slowly %v: the server: %v", slowly, err)
		}
		for i, r := range results {
			if r.Class != OK || r.Text != []string{"ab", "c"}[i] || r.NewConnection != (i == 0) || rawnet.Supported && r.Stamps != StampsKernel {
				t.Errorf("slowly %v, request %d: %s %q, text %q, new connection %v, stamps by %s", slowly, i, r.Class, r.Error, r.Text, r.NewConnection, r.Stamps)
			}
		}
	}
}
