package scripted

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Serve is the life of a server in a process of its own: it prints its URL, waits for the end of its input, and prints
// the log.
func Serve(stdin io.Reader, stdout io.Writer) error { return serve(Start, stdin, stdout) }

// ServeTLS is Serve with TLS: behind the URL stands the certificate to trust.
func ServeTLS(stdin io.Reader, stdout io.Writer) error { return serve(StartTLS, stdin, stdout) }

func serve(start func(addr string) (*Server, error), stdin io.Reader, stdout io.Writer) error {
	s, err := start("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer s.Stop()
	if _, err := fmt.Fprintln(stdout, s.URL, base64.StdEncoding.EncodeToString(s.Authority)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, stdin); err != nil {
		return err
	}
	return WriteLog(stdout, s.Log())
}

// Process is a server in a process of its own, so that its cost is not the client's.
type Process struct {
	URL string
	// Authority is the certificate to trust, in base64; empty without TLS.
	Authority string

	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Reader
}

// Spawn starts a program that does nothing but Serve. Cancelling ctx kills it.
func Spawn(ctx context.Context, stderr io.Writer, program string, args ...string) (*Process, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, in: in, out: bufio.NewReader(out)}
	line, err := p.out.ReadString('\n')
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("the scripted server did not start: %w", errors.Join(err, cmd.Wait()))
	}
	p.URL, p.Authority, _ = strings.Cut(strings.TrimSpace(line), " ")
	return p, nil
}

// Roots is the pool of a certificate in base64, nil of an empty text.
func Roots(authority string) (*x509.CertPool, error) {
	if authority == "" {
		return nil, nil
	}
	der, err := base64.StdEncoding.DecodeString(authority)
	if err != nil {
		return nil, fmt.Errorf("the certificate to trust: %w", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("the certificate to trust: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return pool, nil
}

// Finish ends the server and returns its log.
func (p *Process) Finish() ([]Served, error) {
	err := p.in.Close()
	log, rerr := ReadLog(p.out)
	return log, errors.Join(err, rerr, p.cmd.Wait())
}
