// Package rawnet is the part of a socket's life that must not depend on our scheduler: an epoll set, reads that carry
// the kernel's own receive stamp (SO_TIMESTAMPNS), and writes, as plain system calls on descriptors that the Go
// runtime's poller knows nothing of.
//
// net.Conn wakes a goroutine per read and stamps when that goroutine runs. One loop over an epoll set takes many reads
// per wake-up, and a kernel stamp says when the bytes came, however late the read is. Supported tells where this
// works: Linux on 64-bit processors. Elsewhere every function fails with errors.ErrUnsupported, and callers stay with
// net.Conn.
package rawnet
