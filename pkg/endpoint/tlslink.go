package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"syscall"
	"time"

	"github.com/infbench/infbench/internal/rawnet"
)

// tlsLink is a socketLink with TLS over it: whoever reads the socket, the loop as a rule, hands the ciphertext through
// crypto/tls to the reply. All records that came in one network read have its number, and a record that came in several
// has the stamp of the last: nothing of it could be known before.
//
// crypto/tls never waits here, neither to read nor to write (rawnet.Conn), so that no server can hold a loop. Nor is it
// entered by two goroutines at once: a request is sent before the loop reads its answer.
type tlsLink struct {
	*socketLink
	conn   *tls.Conn
	under  *rawnet.Conn
	reply  *reply // of the request under way
	fresh  bool   // the handshake may have read on beyond its own end
	spoilt bool   // it ended, or bytes came that nobody had asked for
}

// newTLSLink goes on with a connection after its handshake, with the socket that was below it.
func newTLSLink(s *socketLink, t *tls.Conn, below *stampedConn) *tlsLink {
	at, number := below.lastRead()
	s.readAt.Store(int64(at))
	s.reads = number
	under := rawnet.NewConn(s.fd)
	below.Conn = under
	return &tlsLink{socketLink: s, conn: t, under: under, fresh: true}
}

// take implements sink.
func (t *tlsLink) take(a arrival) (over bool) {
	buf := connBuffers.Get().(*[]byte)
	defer connBuffers.Put(buf)
	t.under.Feed(a.bytes, a.err)
	over = t.reply == nil
	for dry := false; !dry; {
		n, err := t.conn.Read(*buf)
		if dry = err != nil; err == rawnet.ErrDry { //nolint:errorlint // crypto/tls hands it on as it is
			err = nil
		}
		switch {
		case n == 0 && err == nil: // a part of a record, or a message of TLS itself
		case over:
			t.spoilt = true
		default:
			a.bytes, a.err = (*buf)[:n], err
			over = t.reply.take(a)
		}
	}
	t.under.Feed(nil, nil)
	_ = t.under.Flush() // the answer to an update of the keys; where it does not go out, reading fails soon
	return over
}

// tlsPiece is how much of a request is encrypted at a time.
const tlsPiece = 64 << 10

// send implements link.
func (t *tlsLink) send(ctx context.Context, p []byte, r *reply) (at time.Duration, err error) {
	t.sink, t.reply = t, r
	for len(p) > 0 {
		piece := p[:min(len(p), tlsPiece)]
		p = p[len(piece):]
		if _, err := t.conn.Write(piece); err != nil {
			return 0, err
		}
		if at, err = t.flush(ctx, r); err != nil {
			return 0, err
		}
	}
	return at, nil
}

// flush sends all that is encrypted, and says when the last write began.
func (t *tlsLink) flush(ctx context.Context, r *reply) (time.Duration, error) {
	for {
		now := time.Since(t.loop.epoch)
		err := t.under.Flush()
		if !errors.Is(err, syscall.EAGAIN) {
			return now, err
		}
		if err := t.full(ctx, r); err != nil {
			return 0, err
		}
	}
}

// receive implements link.
func (t *tlsLink) receive(ctx context.Context, r *reply) {
	t.sink, t.reply = t, r
	if t.fresh && !r.over {
		t.fresh = false
		t.take(arrival{at: time.Duration(t.readAt.Load()), number: t.reads})
	}
	t.await(ctx, r)
	t.reply = nil
}

// wake implements link. What came meanwhile may be a message of TLS itself, such as a ticket to resume the session with.
func (t *tlsLink) wake() bool {
	in := readers.Get().(*reader)
	defer readers.Put(in)
	for !t.spoilt {
		a, ok := in.read(t.socketLink)
		if !ok {
			return true
		}
		t.take(a)
	}
	return false
}

// close implements link, with TLS's own word that this is the end.
func (t *tlsLink) close() { _ = t.conn.Close() }
