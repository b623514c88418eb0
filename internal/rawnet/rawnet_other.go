//go:build !(linux && (amd64 || arm64))

package rawnet

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// Supported reports whether this platform has what the package does.
const Supported = false

// Take is not supported here.
func Take(net.Conn) (int, error) { return -1, errors.ErrUnsupported }

// Connect is not supported here.
func Connect(netip.AddrPort) (fd int, pending bool, err error) {
	return -1, false, errors.ErrUnsupported
}

// ConnectError is not supported here.
func ConnectError(int) error { return errors.ErrUnsupported }

// Stamp is not supported here.
func Stamp(int) error { return errors.ErrUnsupported }

// StampAll is not supported here.
func StampAll() (fd int, err error) { return -1, errors.ErrUnsupported }

// Close does nothing here.
func Close(int) {}

// Shutdown does nothing here.
func Shutdown(int) {}

// Send is not supported here.
func Send(int, []byte) (int, error) { return 0, errors.ErrUnsupported }

// Idle is not supported here.
func Idle(int) bool { return false }

// WaitWritable is not supported here.
func WaitWritable(int, time.Duration) (readable bool, err error) {
	return false, errors.ErrUnsupported
}

// Receiver reads nothing here.
type Receiver struct{}

// Recv is not supported here.
func (r *Receiver) Recv(int, []byte) (n int, stamp int64, err error) {
	return 0, 0, errors.ErrUnsupported
}

// Poller watches nothing here.
type Poller struct{}

// NewPoller is not supported here.
func NewPoller() (*Poller, error) { return nil, errors.ErrUnsupported }

// Add is not supported here.
func (p *Poller) Add(int, int64) error { return errors.ErrUnsupported }

// AddWritable is not supported here.
func (p *Poller) AddWritable(int, int64) error { return errors.ErrUnsupported }

// Nest is not supported here.
func (p *Poller) Nest(*Poller, int64) error { return errors.ErrUnsupported }

// Remove does nothing here.
func (p *Poller) Remove(int) {}

// Wake does nothing here.
func (p *Poller) Wake() {}

// Wait is not supported here.
func (p *Poller) Wait(time.Duration, func(int64)) error { return errors.ErrUnsupported }

// WaitSome is not supported here.
func (p *Poller) WaitSome(time.Duration, int, func(int64)) error { return errors.ErrUnsupported }

// Close does nothing here.
func (p *Poller) Close() {}
