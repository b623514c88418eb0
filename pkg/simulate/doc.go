// Package simulate is an inference server whose timing follows a model with a known truth: an OpenAI-compatible
// http.Handler that computes when every token is due, writes it then, and says afterwards what it did.
//
// # The model
//
// A request that the handler has read at time R arrives at R + Network/2. It passes the rate limit and the faults,
// then waits in one FIFO queue until one of Slots is free. Its prefill takes
//
//	(Overhead + PrefillPerToken * uncached prompt tokens) / Speed
//
// on its own slot, slowing nobody (as with prefill on separate devices, or chunked so finely that decoding hides it),
// and its end yields the first token. Then the request joins the batch at the next step boundary, at once where no
// step is under way. A step takes
//
//	(DecodeStep + DecodePerSequence * (batch - 1)) / Speed
//
// with the batch as it was when the step began; its end yields TokensPerStep tokens for every sequence in it: after
// its j-th step a sequence has 1 + floor(j * TokensPerStep) tokens. The last token frees the slot, and the next in the
// queue is admitted in the same instant. Every byte is due at the client Network/2 after the model made it.
//
// With a Service time the request holds its slot for one drawn time S instead, and its token i of n comes at S*i/n:
// a queue that queueing theory has closed forms for.
//
// A stall stops the model's clock: everything that was under way takes that much longer, whatever arrives meanwhile
// waits, and bytes already on the network still arrive.
//
// The model is a pure state machine (model.go) that never reads a clock. One goroutine (loop.go) moves it along with
// absolute deadlines from package time, so that in a testing/synctest bubble it runs exactly, and in real time an error
// never accumulates.
package simulate
