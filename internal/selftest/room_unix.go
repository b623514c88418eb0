//go:build unix

package selftest

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// room is n integers outside Go's heap, all touched: a tap fills them while the memory of the client is measured, which
// they must neither be part of nor give the garbage collector more room for.
func room(n int) (words []int64, free func(), err error) {
	b, err := unix.Mmap(-1, 0, max(n, 1)*8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, fmt.Errorf("get memory for %d stamps: %w", n, err)
	}
	words = unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(b))), n)
	for i := range words {
		words[i] = 1
	}
	return words, func() { _ = unix.Munmap(b) }, nil
}
