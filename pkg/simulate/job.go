package simulate

import "time"

// job is one request inside the model. Times are real and count from the server's start. The model owns it until its
// last emission was delivered or it was cancelled.
type job struct {
	seq    uint64
	input  int        // prompt tokens
	prompt promptHash // with the keys of the prompt's whole blocks; empty where there is no cache
	output int        // tokens that were asked for
	target int        // tokens until the answer ends: output, or fewer where a fault cuts it
	finish string     // finish reason of a whole answer
	fault  string
	out    *stream // nil for a background tenant

	state   jobState
	stage   jobState // the furthest that it came before it was done
	outcome string   // as Truth.Outcome
	retry   time.Duration

	service  time.Duration // the drawn service time, where the simulation has one
	left     time.Duration // of a prefill that shares the processor
	cached   int
	produced int
	steps    int

	arrived     time.Duration
	admitted    time.Duration
	prefillDone time.Duration // when the first token was made
	last        time.Duration // when the latest token was made
}

// The finish reasons of the OpenAI API that the simulation gives.
const (
	finishLength = "length" // the output length was asked for
	finishStop   = "stop"   // it was drawn
)

type jobState uint8

const (
	jobComing jobState = iota // on the network
	jobQueued
	jobPrefill // on its slot, before the first token
	jobDecode  // on its slot, with tokens
	jobDone
)

// emission is what the client should see next, and when.
type emission struct {
	due  time.Duration // at the client, since the server's start
	kind emissionKind
	upTo int  // tokens made so far
	last bool // nothing follows
}

type emissionKind uint8

const (
	emitHead   emissionKind = iota // the response's head
	emitReject                     // an answer without the queue: the job's outcome says which
	emitTokens                     // tokens up to upTo; with last, the end of the answer
)

// delivery is an emission on its way to its request's writer.
type delivery struct {
	job *job
	emission
}

// fifo is a queue that reuses its room.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int  { return len(q.items) - q.head }
func (q *fifo[T]) push(v T)  { q.items = append(q.items, v) }
func (q *fifo[T]) first() *T { return &q.items[q.head] }

func (q *fifo[T]) pop() T {
	var zero T
	v := q.items[q.head]
	q.items[q.head] = zero
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	} else if q.head >= 1024 && q.head*2 >= len(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return v
}
