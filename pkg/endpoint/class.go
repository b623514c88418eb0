package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
)

// classify names a failure of the transport: connected tells whether there was a connection, where how far the answer
// had come.
func classify(ctx context.Context, err error, connected bool, where string) (Class, string) {
	if ctx.Err() != nil {
		return classOfCause(context.Cause(ctx))
	}
	var dial *dialError
	if errors.As(err, &dial) {
		return dial.class, dial.Error()
	}
	var alert tls.AlertError
	var record tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	var op *net.OpError
	switch {
	case errors.As(err, &alert), errors.As(err, &record), errors.As(err, &cert):
		return TLSFailed, err.Error()
	case errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"): // how crypto/tls reports an alert
		return TLSFailed, op.Error()
	case op != nil && connected:
		return Truncated, "the connection broke " + where + ": " + op.Err.Error()
	case !connected:
		return ConnectFailed, err.Error()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return Truncated, "the connection was closed " + where
	case errors.Is(err, errTooLarge), breaksGrammar(err):
		return Malformed, err.Error()
	}
	return Truncated, "the connection broke " + where + ": " + err.Error()
}

// breaksGrammar reports what net/http refuses in a response; it has no types for that.
func breaksGrammar(err error) bool {
	for _, sign := range []string{"malformed", "invalid", "chunk", "suspicious", "unsupported", "too long", "too large", "bad Content-Length", "exceeded"} {
		if strings.Contains(err.Error(), sign) {
			return true
		}
	}
	return false
}

// classOfCause turns the cause of a cancelled context into a class.
func classOfCause(cause error) (Class, string) {
	var t *timeoutError
	switch {
	case errors.As(cause, &t):
		return t.class, t.text
	case errors.Is(cause, ErrUnfinished):
		return Unfinished, ErrUnfinished.Error()
	case errors.Is(cause, ErrAbandoned):
		return Abandoned, cause.Error()
	}
	return Cancelled, ErrCancelled.Error()
}

// maxMessage bounds what a server's words may take in the record.
const maxMessage = 300

func short(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "..."
}
