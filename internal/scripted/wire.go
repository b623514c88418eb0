package scripted

import "fmt"

// wire renders answers as vLLM writes them: about 200 bytes an event, each in a chunk of its own.
type wire struct{ buf []byte }

const response = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"

const (
	chunkHead = `{"id":"chatcmpl-0123456789abcdef0123456789abcdef","object":"chat.completion.chunk","created":1700000000,"model":"scripted","choices":[`
	roleDelta = `{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}`
	endDelta  = `{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}]}`
)

var words = []string{" the", " queue", " was", " never", " the", " model", ",", " and", " no", " one", " had", " measured", " it", "."}

// head is the response head and the role event.
func (w *wire) head() []byte {
	w.buf = append(w.buf[:0], response...)
	w.chunk(func() { w.data(chunkHead + roleDelta) })
	return w.buf
}

// event is the k-th event with text; the last of n brings the end of the answer with it.
func (w *wire) event(k int, last bool, n int) []byte {
	w.buf = w.buf[:0]
	w.chunk(func() {
		w.buf = append(w.buf, "data: "+chunkHead+`{"index":0,"delta":{"content":"`...)
		w.buf = append(w.buf, words[k%len(words)]...)
		w.buf = append(w.buf, `"},"logprobs":null,"finish_reason":null}]}`+"\n\n"...)
	})
	if last {
		w.chunk(func() {
			w.data(chunkHead + endDelta)
			w.data(chunkHead + fmt.Sprintf(`],"usage":{"prompt_tokens":1,"completion_tokens":%d,"total_tokens":%d}}`, n, n+1))
			w.data("[DONE]")
		})
		w.buf = append(w.buf, "0\r\n\r\n"...)
	}
	return w.buf
}

func (w *wire) data(s string) { w.buf = append(append(append(w.buf, "data: "...), s...), "\n\n"...) }

// chunk puts what body appends into one chunk.
func (w *wire) chunk(body func()) {
	const hex = "0123456789abcdef"
	at := len(w.buf)
	w.buf = append(w.buf, "0000\r\n"...) // leading zeros are allowed (RFC 9112, section 7.1)
	from := len(w.buf)
	body()
	n := len(w.buf) - from
	for i := 3; i >= 0; i-- {
		w.buf[at+i] = hex[n&15]
		n >>= 4
	}
	w.buf = append(w.buf, "\r\n"...)
}
