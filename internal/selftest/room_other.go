//go:build !unix

package selftest

// room is n integers.
func room(n int) (words []int64, free func(), err error) { return make([]int64, n), func() {}, nil }
