package simulate

import (
	"encoding/json"
	"strconv"
)

const doneEvent = "data: [DONE]\n\n"

// vocabulary is the words of every answer. A word is a token.
var vocabulary = [...]string{"the", "queue", "grows", "when", "arrivals", "come", "faster", "than", "service", "and", "every",
	"token", "waits", "its", "turn", "in", "a", "batch", "until", "one", "slot", "is", "free", "again", "then", "time", "moves",
	"on", "as", "before", "with", "less"}

// word is token i of an answer; 7 is coprime to the vocabulary's size, so that all words come round.
func word(i int) int { return i * 7 % len(vocabulary) }

// chunkWriter writes the events of one answer, in the shape in which vLLM does.
type chunkWriter struct {
	call   *call
	prefix []byte // of every chunk, up to its choices
	buf    []byte
}

// begin gives an empty buffer.
func (w *chunkWriter) begin(c *call) []byte {
	if w.call == nil {
		w.call = c
		w.prefix = append(w.prefix, `data: `...)
		w.prefix = w.object(w.prefix, "chat.completion.chunk")
	}
	return w.buf[:0]
}

// object opens an object with what all of an answer's objects have.
func (w *chunkWriter) object(b []byte, kind string) []byte {
	b = append(b, `{"id":"chatcmpl-`...)
	b = append(b, w.call.id...)
	b = append(b, `","object":"`+kind+`","created":`...)
	b = strconv.AppendInt(b, w.call.received.Unix(), 10)
	b = append(b, `,"model":`...)
	name, err := json.Marshal(w.call.req.Model)
	if err != nil {
		name = []byte(`""`) // a string can always be encoded
	}
	return append(b, name...)
}

// close ends a chunk, with the running usage where it was asked for. It keeps the buffer.
func (w *chunkWriter) close(b []byte, tokens int) []byte {
	if w.call.req.StreamOptions.ContinuousUsageStats {
		b = w.usage(b, tokens)
	}
	w.buf = append(b, "}\n\n"...)
	return w.buf
}

// role is the first chunk. It holds no token.
func (w *chunkWriter) role(b []byte) []byte {
	b = append(b, w.prefix...)
	b = append(b, `,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]`...)
	return w.close(b, 0)
}

// content is the chunk of tokens from..to-1.
func (w *chunkWriter) content(b []byte, from, to int) []byte {
	b = append(b, w.prefix...)
	b = append(b, `,"choices":[{"index":0,"delta":{"content":"`...)
	b = text(b, from, to)
	b = append(b, `"},"logprobs":null,"finish_reason":null`...)
	if w.call.req.ReturnTokenIDs {
		b = append(b, `,"token_ids":[`...)
		for i := from; i < to; i++ {
			if i > from {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(word(i)), 10)
		}
		b = append(b, ']')
	}
	return w.close(append(b, `}]`...), to)
}

// text is the words of tokens from..to-1, each but the answer's first after a space.
func text(b []byte, from, to int) []byte {
	for i := from; i < to; i++ {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, vocabulary[word(i)]...)
	}
	return b
}

// finish is the chunk with the finish reason and, where it was asked for, the one with the usage.
func (w *chunkWriter) finish(b []byte) []byte {
	n := w.call.truth.OutputTokens
	b = append(b, w.prefix...)
	b = append(b, `,"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"`...)
	b = append(b, w.call.job.finish...)
	b = append(b, `"}]`...)
	if !w.call.req.StreamOptions.IncludeUsage {
		return w.close(w.call.report(b), n)
	}
	b = w.close(b, n)
	b = append(b, w.prefix...)
	b = append(b, `,"choices":[]`...)
	b = w.usage(b, n)
	w.buf = append(w.call.report(b), "}\n\n"...)
	return w.buf
}

// usage is the usage member. Cached tokens are counted in prompt_tokens too.
func (w *chunkWriter) usage(b []byte, output int) []byte {
	t := &w.call.truth
	b = append(b, `,"usage":{"prompt_tokens":`...)
	b = strconv.AppendInt(b, int64(t.InputTokens), 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, int64(t.InputTokens+output), 10)
	b = append(b, `,"completion_tokens":`...)
	b = strconv.AppendInt(b, int64(output), 10)
	b = append(b, `,"prompt_tokens_details":{"cached_tokens":`...)
	b = strconv.AppendInt(b, int64(t.CachedTokens), 10)
	return append(b, `}}`...)
}

// whole is an answer in one piece.
func (w *chunkWriter) whole(c *call) []byte {
	b := w.begin(c)
	b = w.object(b, "chat.completion")
	b = append(b, `,"choices":[{"index":0,"message":{"role":"assistant","content":"`...)
	b = text(b, 0, c.truth.OutputTokens)
	b = append(b, `"},"logprobs":null,"finish_reason":"`...)
	b = append(b, c.job.finish...)
	b = append(b, `"}]`...)
	b = w.usage(b, c.truth.OutputTokens)
	return append(c.report(b), '}')
}
