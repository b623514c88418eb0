//go:build linux && (amd64 || arm64)

package rawnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Supported reports whether this platform has what the package does.
const Supported = true

// Take makes the connection's socket ours: it returns a descriptor of its own for it, non-blocking, and closes c, so
// that the runtime's poller forgets it. The caller closes the descriptor with Close.
func Take(c net.Conn) (int, error) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return -1, errors.ErrUnsupported
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	cerr := raw.Control(func(theirs uintptr) {
		fd, err = unix.FcntlInt(theirs, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err = errors.Join(cerr, err); err != nil {
		return -1, fmt.Errorf("duplicate the socket: %w", err)
	}
	c.Close()
	return fd, nil
}

// Connect begins a TCP connection without waiting for it. pending tells that it is under way: the socket can be written
// to when it is over, and ConnectError says how.
func Connect(to netip.AddrPort) (fd int, pending bool, err error) {
	var addr unix.Sockaddr
	family := unix.AF_INET6
	if ip := to.Addr().Unmap(); ip.Is4() {
		family, addr = unix.AF_INET, &unix.SockaddrInet4{Port: int(to.Port()), Addr: ip.As4()}
	} else {
		a := &unix.SockaddrInet6{Port: int(to.Port()), Addr: ip.As16()}
		if zone := ip.Zone(); zone != "" {
			i, err := net.InterfaceByName(zone)
			if err != nil {
				return -1, false, err
			}
			a.ZoneId = uint32(i.Index)
		}
		addr = a
	}
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, false, os.NewSyscallError("socket", err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // as net.Dial does; it cannot fail on a fresh socket
	err = unix.Connect(fd, addr)
	if errors.Is(err, unix.EINPROGRESS) {
		err = unix.Connect(fd, addr) // a server on this machine has answered meanwhile: there is nothing to wait for
	}
	switch {
	case err == nil:
		return fd, false, nil
	case errors.Is(err, unix.EALREADY):
		return fd, true, nil
	}
	unix.Close(fd)
	return -1, false, os.NewSyscallError("connect", err)
}

// ConnectError is how a pending connection ended: nil when it was made.
func ConnectError(fd int) error {
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = os.NewSyscallError("connect", syscall.Errno(code))
	}
	return err
}

// Stamp asks the kernel for a receive stamp with every read.
func Stamp(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
}

// StampAll makes the kernel stamp packets until the descriptor is closed. It stamps while any socket wants it, but begins
// a moment after the first one has asked (a kernel thread patches the code), so that the first answers of a first
// connection would have no stamps.
func StampAll() (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err := Stamp(fd); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("setsockopt", err)
	}
	return fd, nil
}

// Close closes a descriptor.
func Close(fd int) { _ = unix.Close(fd) }

// Shutdown ends the connection in both directions: whoever waits for it is told by the kernel.
func Shutdown(fd int) { _ = unix.Shutdown(fd, unix.SHUT_RDWR) }

// Send writes what the socket takes without waiting, and returns syscall.EAGAIN where that is nothing.
func Send(fd int, p []byte) (int, error) {
	for {
		n, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, 0, 0)
		switch e {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, e
		}
	}
}

// Idle reports whether an idle connection is still of use: open, and without bytes that nobody asked for.
func Idle(fd int) bool {
	var b [1]byte
	_, _, err := unix.Recvfrom(fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return errors.Is(err, unix.EAGAIN)
}

// WaitWritable blocks until the socket takes bytes again or has some to read (or its end), or for the time given at most.
func WaitWritable(fd int, limit time.Duration) (readable bool, err error) {
	set := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT | unix.POLLIN | unix.POLLRDHUP}}
	_, err = unix.Poll(set, int(limit.Milliseconds()))
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return set[0].Revents&^unix.POLLOUT != 0, err
}

// Receiver reads with receive stamps. It is used by one goroutine at a time.
type Receiver struct {
	msg     unix.Msghdr
	iov     unix.Iovec
	control [64]byte
}

// Recv reads once without waiting: n is 0 with a nil error at the end of the stream, and syscall.EAGAIN says that there
// is nothing to read. stamp is when the kernel received the last of the bytes, by the wall clock in nanoseconds since
// 1970, or 0 where it has none.
func (r *Receiver) Recv(fd int, p []byte) (n int, stamp int64, err error) {
	r.iov.Base = unsafe.SliceData(p)
	r.iov.SetLen(len(p))
	r.msg.Iov = &r.iov
	r.msg.SetIovlen(1)
	r.msg.Control = &r.control[0]
	for {
		r.msg.SetControllen(len(r.control))
		got, _, e := syscall.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.msg)), unix.MSG_DONTWAIT)
		switch e {
		case 0:
			return int(got), r.stamp(), nil
		case syscall.EINTR:
		default:
			return 0, 0, e
		}
	}
}

// stamp finds the receive stamp among the control messages of the last read.
func (r *Receiver) stamp() int64 {
	const head = unix.SizeofCmsghdr
	left := r.control[:min(int(r.msg.Controllen), len(r.control))]
	for len(left) >= head {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&left[0]))
		size := int(h.Len)
		if size < head || size > len(left) {
			return 0
		}
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPNS && size >= head+16 {
			ts := (*unix.Timespec)(unsafe.Pointer(&left[head]))
			return ts.Nano()
		}
		left = left[min((size+7)&^7, len(left)):]
	}
	return 0
}

// Poller is an epoll set. Add and Remove may be called from any goroutine, Wait from one at a time.
type Poller struct {
	fd     int
	wake   int // an eventfd
	events [256]unix.EpollEvent
}

// NewPoller makes an empty set.
func NewPoller() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an epoll set: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: -1, Pad: -1})
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("make an epoll set: %w", err)
	}
	return &Poller{fd: fd, wake: wake}, nil
}

// Add watches a descriptor for bytes and for its end, until Remove or until it is closed. key comes back with its
// events; it must not be negative.
func (p *Poller) Add(fd int, key int64) error {
	return p.add(fd, unix.EPOLLIN|unix.EPOLLRDHUP, key)
}

// AddWritable watches a descriptor until it can be written to, or is in error.
func (p *Poller) AddWritable(fd int, key int64) error { return p.add(fd, unix.EPOLLOUT, key) }

// Nest watches another set: key comes back while that one has something ready.
func (p *Poller) Nest(inner *Poller, key int64) error { return p.add(inner.fd, unix.EPOLLIN, key) }

// add keeps the key in the 64 bits that the kernel gives back.
func (p *Poller) add(fd int, events uint32, key int64) error {
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(key), Pad: int32(key >> 32)})
}

// Remove stops watching.
func (p *Poller) Remove(fd int) { _ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, fd, nil) }

// Wake makes the Wait that is under way, or the next, return.
func (p *Poller) Wake() {
	one := [8]byte{1}
	_, _ = unix.Write(p.wake, one[:])
}

// Wait blocks until something can be read, Wake is called or the time is over (forever where it is negative), and
// calls ready with each key.
func (p *Poller) Wait(limit time.Duration, ready func(key int64)) error {
	return p.WaitSome(limit, len(p.events), ready)
}

// WaitSome is Wait for a few keys at most; the others' turn comes with the next call.
func (p *Poller) WaitSome(limit time.Duration, most int, ready func(key int64)) error {
	n, err := p.wait(limit, min(most, len(p.events)))
	if err != nil {
		return err
	}
	for i := range n {
		key := int64(p.events[i].Pad)<<32 | int64(uint32(p.events[i].Fd))
		if key < 0 {
			var b [8]byte
			_, _ = unix.Read(p.wake, b[:])
			continue
		}
		ready(key)
	}
	return nil
}

// wait is epoll_pwait2, whose limit is exact, or epoll_wait in milliseconds where the kernel is older than 5.11.
func (p *Poller) wait(limit time.Duration, most int) (int, error) {
	var ts *unix.Timespec
	if limit >= 0 {
		t := unix.NsecToTimespec(int64(limit))
		ts = &t
	}
	n, _, e := syscall.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(most), uintptr(unsafe.Pointer(ts)), 0, 0)
	switch e {
	case 0:
		return int(n), nil
	case syscall.EINTR:
		return 0, nil
	case syscall.ENOSYS, syscall.EPERM: // old kernels; old seccomp profiles, which refuse what they do not know
		ms := -1
		if limit >= 0 {
			ms = int((limit + time.Millisecond - 1) / time.Millisecond)
		}
		got, err := unix.EpollWait(p.fd, p.events[:most], ms)
		if errors.Is(err, unix.EINTR) {
			return 0, nil
		}
		return got, err
	}
	return 0, e
}

// Close frees the set. No other call may be under way.
func (p *Poller) Close() {
	unix.Close(p.wake)
	unix.Close(p.fd)
}
