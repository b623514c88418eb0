package simulate

import "strconv"

const doneEvent = "data: [DONE]\n\n"

// openAIChat is the chat completions API.
var openAIChat = &language{parse: parseChat, shape: openAIError}

// chatWriter writes the events of one answer, in the shape in which vLLM does.
type chatWriter struct {
	call   *call
	req    *chatRequest
	prefix []byte // of every chunk, up to its choices
}

func newChatWriter(c *call, r *chatRequest) *chatWriter {
	w := &chatWriter{call: c, req: r}
	w.prefix = w.object([]byte("data: "), "chat.completion.chunk")
	return w
}

func (w *chatWriter) mime() string { return sseMime }

// object opens an object with what all of an answer's objects have.
func (w *chatWriter) object(b []byte, kind string) []byte {
	b = append(b, `{"id":"chatcmpl-`...)
	b = append(b, w.call.id...)
	b = append(b, `","object":"`+kind+`","created":`...)
	b = strconv.AppendInt(b, w.call.received.Unix(), 10)
	b = append(b, `,"model":`...)
	return appendString(b, w.req.Model)
}

// chunk ends a chunk, with the running usage where it was asked for.
func (w *chatWriter) chunk(b []byte, tokens int) []byte {
	if w.req.StreamOptions.ContinuousUsageStats {
		b = w.usage(b, tokens)
	}
	return append(b, "}\n\n"...)
}

// open writes the first chunk. It holds no token.
func (w *chatWriter) open(b []byte) []byte {
	b = append(b, w.prefix...)
	b = append(b, `,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]`...)
	return w.chunk(b, 0)
}

// tokens writes the chunk of tokens from..to-1.
func (w *chatWriter) tokens(b []byte, from, to int) []byte {
	b = append(b, w.prefix...)
	b = append(b, `,"choices":[{"index":0,"delta":{"content":"`...)
	b = text(b, from, to)
	b = append(b, `"},"logprobs":null,"finish_reason":null`...)
	if w.req.ReturnTokenIDs {
		b = append(b, `,"token_ids":[`...)
		for i := from; i < to; i++ {
			if i > from {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(word(i)), 10)
		}
		b = append(b, ']')
	}
	return w.chunk(append(b, `}]`...), to)
}

// close writes the chunk with the finish reason and, where it was asked for, the one with the usage.
func (w *chatWriter) close(b []byte) []byte {
	n := w.call.truth.OutputTokens
	b = append(b, w.prefix...)
	b = append(b, `,"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"`...)
	b = append(b, w.call.job.finish...)
	b = append(b, `"}]`...)
	if !w.req.StreamOptions.IncludeUsage {
		return append(w.chunk(w.call.report(b), n), doneEvent...)
	}
	b = w.chunk(b, n)
	b = append(b, w.prefix...)
	b = append(b, `,"choices":[]`...)
	b = w.usage(b, n)
	return append(w.call.report(b), "}\n\n"+doneEvent...)
}

// fail writes an error as vLLM does: the stream then ends as if nothing had been.
func (w *chatWriter) fail(b []byte, message string) []byte {
	b = append(b, `data: {"error":{"message":`...)
	b = appendString(b, message)
	return append(b, `,"type":"server_error","param":null,"code":500}}`+"\n\n"+doneEvent...)
}

func (w *chatWriter) garble(b []byte) []byte {
	b = append(b, `data: {"id":"`...)
	b = append(b, w.call.id...)
	return append(b, `","choices":[{"index":0,"delta":{"content":"brok`+"\n\n"...)
}

// usage is the usage member. Cached tokens are counted in prompt_tokens too.
func (w *chatWriter) usage(b []byte, output int) []byte {
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

// whole writes an answer in one piece.
func (w *chatWriter) whole(b []byte) []byte {
	c := w.call
	b = w.object(b, "chat.completion")
	b = append(b, `,"choices":[{"index":0,"message":{"role":"assistant","content":"`...)
	b = text(b, 0, c.truth.OutputTokens)
	b = append(b, `"},"logprobs":null,"finish_reason":"`...)
	b = append(b, c.job.finish...)
	b = append(b, `"}]`...)
	b = w.usage(b, c.truth.OutputTokens)
	return append(c.report(b), '}')
}
