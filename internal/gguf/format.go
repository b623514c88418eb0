package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// alignment is where every tensor starts, counted from the end of the header; the format's default.
const alignment = 32

func align(n int64) int64 { return (n + alignment - 1) / alignment * alignment }

// padded fills b up with zeros to the next tensor's start.
func padded(b []byte) []byte { return append(b, make([]byte, align(int64(len(b)))-int64(len(b)))...) }

// Types of metadata values and of tensors, by their numbers in the format.
const (
	typeU32    = 4
	typeI32    = 5
	typeF32    = 6
	typeBool   = 7
	typeString = 8
	typeArray  = 9

	tensorF32 = 0
	tensorF16 = 1
)

var le = binary.LittleEndian

// field is one entry of the metadata. Its value is a uint32, float32, bool, string, []string or []int32.
type field struct {
	key   string
	value any
}

// header is everything before the tensors' data, without the padding.
func header(meta []field, tensors []tensor) []byte {
	b := []byte("GGUF")
	b = le.AppendUint32(b, 3)
	b = le.AppendUint64(b, uint64(len(tensors)))
	b = le.AppendUint64(b, uint64(len(meta)))
	for _, f := range meta {
		b = appendValue(appendString(b, f.key), f.value)
	}
	offset := int64(0)
	for _, t := range tensors {
		b = t.appendInfo(b, offset)
		offset += align(t.bytes())
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(le.AppendUint64(b, uint64(len(s))), s...)
}

func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case uint32:
		return le.AppendUint32(le.AppendUint32(b, typeU32), v)
	case float32:
		return le.AppendUint32(le.AppendUint32(b, typeF32), math.Float32bits(v))
	case bool:
		b = le.AppendUint32(b, typeBool)
		if v {
			return append(b, 1)
		}
		return append(b, 0)
	case string:
		return appendString(le.AppendUint32(b, typeString), v)
	case []string:
		b = appendArray(b, typeString, len(v))
		for _, s := range v {
			b = appendString(b, s)
		}
		return b
	case []int32:
		b = appendArray(b, typeI32, len(v))
		for _, n := range v {
			b = le.AppendUint32(b, uint32(n))
		}
		return b
	}
	panic(fmt.Sprintf("gguf: no metadata type for %T", value)) // every field is written in this package
}

func appendArray(b []byte, elem uint32, n int) []byte {
	b = le.AppendUint32(b, typeArray)
	b = le.AppendUint32(b, elem)
	return le.AppendUint64(b, uint64(n))
}
