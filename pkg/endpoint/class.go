package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

// classify names a failure of the transport. sent tells whether the request was on the wire.
func classify(ctx context.Context, err error, sent bool) (Class, string) {
	if ctx.Err() != nil {
		return classOfCause(context.Cause(ctx))
	}
	var dial *dialError
	if errors.As(err, &dial) {
		return dial.class, plain(dial.err)
	}
	var alert tls.AlertError
	var record tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &alert), errors.As(err, &record), errors.As(err, &cert), errors.As(err, &authority):
		return TLSFailed, plain(err)
	case errors.Is(err, errTooLarge):
		return Malformed, plain(err)
	case strings.Contains(err.Error(), "malformed"), strings.Contains(err.Error(), "invalid"):
		return Malformed, plain(err)
	case !sent:
		return ConnectFailed, plain(err)
	}
	return Truncated, cut(err)
}

// classOfCause turns the cause of a cancelled context into a class.
func classOfCause(cause error) (Class, string) {
	var t *timeoutError
	switch {
	case errors.As(cause, &t):
		return t.class, t.text
	case errors.Is(cause, ErrUnfinished):
		return Unfinished, ErrUnfinished.Error()
	}
	return Cancelled, ErrCancelled.Error()
}

// cut says in words how a connection ended under a request.
func cut(err error) string {
	var op *net.OpError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the connection was closed in the middle of the answer"
	case errors.As(err, &op):
		return "the connection broke in the middle of the answer: " + plain(op.Err)
	case errors.Is(err, http.ErrBodyReadAfterClose):
		return "the connection was closed in the middle of the answer"
	}
	return "the connection broke: " + plain(err)
}

// plain is an error in one line of bounded length.
func plain(err error) string { return short(err.Error()) }

// maxMessage bounds what a server's words may take in the record.
const maxMessage = 300

func short(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "..."
}
