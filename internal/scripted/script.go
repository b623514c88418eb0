// Package scripted is a server whose every event is due at an instant that the request itself asks for, built to cost
// little and to be late seldom: the known truth that infbench's own error is measured against (infbench selftest).
//
// It speaks just enough of OpenAI's chat completions to be streamed by the real client: a role event when the request
// has arrived, one event with text per write, and at last the finish reason, the usage and [DONE]. Of every request it
// keeps when the kernel received it and when each event was handed to the kernel. One loop over an epoll set does it
// all; it needs what internal/rawnet needs.
package scripted

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// Script says when the events of one answer are due.
type Script struct {
	// Index names the request in the log.
	Index int
	// TTFT is the time from the request's arrival to its first event with text.
	TTFT time.Duration
	// Gap is the mean time between events with text.
	Gap time.Duration
	// Events is the number of events with text, at least 1.
	Events int
	// Jitter spreads each gap uniformly over Gap*(1-Jitter) .. Gap*(1+Jitter), 0 to 1.
	Jitter float64
}

// scriptMark begins the text of a prompt that carries a script.
const scriptMark = "script "

// Prompt is the text to ask with: the script in microseconds.
func (s Script) Prompt() string {
	return fmt.Sprintf("%s%d %d %d %d %d ", scriptMark, s.Index, s.TTFT.Microseconds(), s.Gap.Microseconds(), s.Events, int(s.Jitter*100))
}

// parseScript finds the script in a request's body.
func parseScript(body []byte) (Script, error) {
	_, rest, ok := bytes.Cut(body, []byte(scriptMark))
	if !ok {
		return Script{}, fmt.Errorf("no script in the prompt: want %q with five numbers", scriptMark)
	}
	var v [5]int
	for i := range v {
		word, after, _ := bytes.Cut(rest, []byte(" "))
		n, err := strconv.Atoi(string(word))
		if err != nil || n < 0 {
			return Script{}, fmt.Errorf("number %d of the script is %q", i+1, word)
		}
		v[i], rest = n, after
	}
	us := func(n int) time.Duration { return time.Duration(n) * time.Microsecond }
	s := Script{Index: v[0], TTFT: us(v[1]), Gap: us(v[2]), Events: v[3], Jitter: float64(min(v[4], 100)) / 100}
	if s.Events < 1 {
		return s, fmt.Errorf("the script asks for %d events: want at least 1", s.Events)
	}
	return s, nil
}
