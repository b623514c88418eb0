package gguf

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"testing"
)

// file is what a reader of the format finds in a file. It is written from the specification and shares nothing with the
// writer.
type file struct {
	meta    map[string]any
	keys    []string
	tensors []tensorInfo
	start   int64 // of the tensors' data
	data    []byte
}

type tensorInfo struct {
	name   string
	dims   []uint64
	kind   uint32
	offset uint64
}

func (i tensorInfo) count() int {
	n := 1
	for _, d := range i.dims {
		n *= int(d)
	}
	return n
}

func (i tensorInfo) size() int64 {
	width := map[uint32]int64{0: 4, 1: 2}[i.kind]
	return width * int64(i.count())
}

type reader struct {
	data []byte
	pos  int
}

func (r *reader) take(n int) []byte {
	if n < 0 || r.pos+n > len(r.data) {
		panic(io.ErrUnexpectedEOF)
	}
	r.pos += n
	return r.data[r.pos-n : r.pos]
}

func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *reader) str() string { return string(r.take(int(r.u64()))) }

func (r *reader) value(kind uint32) any {
	switch kind {
	case 4:
		return r.u32()
	case 5:
		return int32(r.u32())
	case 6:
		return math.Float32frombits(r.u32())
	case 7:
		return r.take(1)[0] != 0
	case 8:
		return r.str()
	case 9:
		elem, n := r.u32(), r.u64()
		list := make([]any, 0, n)
		for range n {
			list = append(list, r.value(elem))
		}
		return list
	}
	panic(fmt.Sprintf("value type %d", kind))
}

func readFile(t *testing.T, data []byte) *file {
	t.Helper()
	defer func() {
		if e := recover(); e != nil {
			t.Fatalf("not a GGUF file: %v", e)
		}
	}()
	r := &reader{data: data}
	if magic, version := string(r.take(4)), r.u32(); magic != "GGUF" || version != 3 {
		t.Fatalf("%q version %d", magic, version)
	}
	f := &file{meta: map[string]any{}, data: data}
	tensors, fields := r.u64(), r.u64()
	for range fields {
		key := r.str()
		f.keys = append(f.keys, key)
		f.meta[key] = r.value(r.u32())
	}
	for range tensors {
		info := tensorInfo{name: r.str(), dims: make([]uint64, r.u32())}
		for i := range info.dims {
			info.dims[i] = r.u64()
		}
		info.kind, info.offset = r.u32(), r.u64()
		f.tensors = append(f.tensors, info)
	}
	f.start = int64((r.pos + 31) / 32 * 32)
	return f
}

// numbers is a tensor's data.
func (f *file) numbers(info tensorInfo) []float64 {
	b := f.data[f.start+int64(info.offset):][:info.size()]
	list := make([]float64, info.count())
	for i := range list {
		if info.kind == 0 {
			list[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])))
		} else {
			list[i] = fromHalf(binary.LittleEndian.Uint16(b[2*i:]))
		}
	}
	return list
}

// fromHalf is the value of a finite 16-bit float.
func fromHalf(h uint16) float64 {
	exponent, fraction := int(h>>10&31), float64(h&1023)
	x := math.Ldexp(fraction, -24)
	if exponent > 0 {
		x = math.Ldexp(1024+fraction, exponent-25)
	}
	return math.Copysign(x, float64(1-2*int(h>>15)))
}
