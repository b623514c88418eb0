package scripted

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"time"

	"github.com/infbench/infbench/internal/rawnet"
)

// certificate makes a certificate of this machine that signs itself. Its key is gone with the process.
func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, DNSNames: []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// patience is how long a handshake may take.
const patience = 10 * time.Second

// below is what lies under the TLS of a connection: the socket while hands are shaken, then what the loop reads. A
// handshake reads record by record, and so nothing beyond its end: the request stays in the socket, for the loop to read
// with the kernel's stamp.
type below struct {
	net.Conn
	shaking bool
	head    [5]byte // of the record under way (RFC 8446, section 5.1)
	seen    int     // of head
	left    int     // of the record's body
}

func (b *below) Read(p []byte) (int, error) {
	switch {
	case !b.shaking:
		return b.Conn.Read(p)
	case b.left > 0:
		n, err := b.Conn.Read(p[:min(len(p), b.left)])
		b.left -= n
		return n, err
	}
	n, err := b.Conn.Read(p[:min(len(p), len(b.head)-b.seen)])
	if b.seen += copy(b.head[b.seen:], p[:n]); b.seen == len(b.head) {
		b.seen, b.left = 0, int(b.head[3])<<8|int(b.head[4])
	}
	return n, err
}

// shake shakes hands with a client, and then gives the connection to the loop.
func (s *Server) shake(c net.Conn) {
	b := &below{Conn: c, shaking: true}
	t := tls.Server(b, s.tls)
	_ = c.SetDeadline(time.Now().Add(patience))
	if t.Handshake() != nil {
		c.Close()
		return
	}
	s.hand(c, func(fd int) *conn {
		under := rawnet.NewConn(fd)
		b.Conn, b.shaking = under, false
		return &conn{fd: fd, tls: t, under: under}
	})
}
