package endpoint

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// awsFrames splits a stream into the messages of Amazon's event stream encoding (application/vnd.amazon.eventstream):
//
//	length of the message | length of its headers | CRC-32 of these 8 bytes | headers | payload | CRC-32 of all before
//
// each a big-endian 32-bit word but for headers and payload. A message's time is that of the network read that brought its
// last byte. There is no allocation per message, apart from growing to the largest.
type awsFrames struct{ window }

func newAWSFrames(src stampedSource) framer { return &awsFrames{window{src: src}} }

const (
	awsPrelude = 12
	awsTrailer = 4
)

// next implements framer.
func (a *awsFrames) next(f *frame) error {
	for {
		b := a.buf[a.start:a.end]
		size, err := awsSize(b)
		if err != nil {
			return err
		}
		if size > 0 && len(b) >= size {
			last := a.start + size - 1
			a.start += size
			*f = frame{}
			f.at, f.read = a.src.readOf(a.base + int64(last))
			return f.message(b[:size])
		}
		if _, err := a.fill(); err != nil {
			return err
		}
	}
}

// cut implements framer.
func (a *awsFrames) cut() bool { return a.start < a.end }

// awsSize is the length of the message that begins with b; 0 while too little of it has come to tell.
func awsSize(b []byte) (int, error) {
	if len(b) < awsPrelude {
		return 0, nil
	}
	total, headers := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	switch {
	case crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]):
		return 0, awsMalformed("the checksum of a message's head is wrong")
	case total > maxEvent:
		return 0, errTooLarge
	case uint64(total) < uint64(headers)+awsPrelude+awsTrailer:
		return 0, awsMalformed("a message of %d bytes cannot hold %d bytes of headers", total, headers)
	}
	return int(total), nil
}

func awsMalformed(format string, args ...any) error {
	return fmt.Errorf("malformed event stream: "+format, args...)
}

// message fills f with a whole message.
func (f *frame) message(b []byte) error {
	end := len(b) - awsTrailer
	if crc32.ChecksumIEEE(b[:end]) != binary.BigEndian.Uint32(b[end:]) {
		return awsMalformed("the checksum of a message is wrong")
	}
	payload := awsPrelude + int(binary.BigEndian.Uint32(b[4:]))
	f.data = b[payload:end]
	var kind, event, exception, code, words []byte
	for h := b[awsPrelude:payload]; len(h) > 0; {
		name, value, rest, ok := awsHeader(h)
		if !ok {
			return awsMalformed("the headers of a message break off")
		}
		h = rest
		switch string(name) { // does not allocate
		case ":message-type":
			kind = value
		case ":event-type":
			event = value
		case ":exception-type":
			exception = value
		case ":error-code":
			code = value
		case ":error-message":
			words = value
		}
	}
	switch string(kind) {
	case "exception": // one that the API defines
		f.failed, f.event = true, exception
	case "error": // any other
		f.failed, f.event, f.data = true, code, words
	default:
		f.event = event
	}
	return nil
}

// awsHeader takes the first header of h. The value of one that is no text is what its bytes are.
func awsHeader(h []byte) (name, value, rest []byte, ok bool) {
	if name, h, ok = awsTake(h[1:], int(h[0])); !ok || len(h) == 0 {
		return nil, nil, nil, false
	}
	kind := h[0]
	h = h[1:]
	size := 0
	switch kind {
	case 0, 1: // true, false
	case 2: // a byte
		size = 1
	case 3: // integers of 16, 32 and 64 bits
		size = 2
	case 4:
		size = 4
	case 5, 8: // and a time
		size = 8
	case 6, 7: // bytes, text
		if len(h) < 2 {
			return nil, nil, nil, false
		}
		size = int(binary.BigEndian.Uint16(h))
		h = h[2:]
	case 9: // a UUID
		size = 16
	default:
		return nil, nil, nil, false
	}
	value, rest, ok = awsTake(h, size)
	return name, value, rest, ok
}

func awsTake(b []byte, n int) (taken, rest []byte, ok bool) {
	if n > len(b) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}
