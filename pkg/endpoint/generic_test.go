package endpoint

import (
	"io"
	"slices"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

func approachOf(api string) workload.Approach { return workload.Approach{API: api, URL: "http://mem"} }

func epoch() time.Time { return time.Now() }

func init() {
	event := func(json string) string { return "data: " + json + "\n\n" }
	samples[Generic] = sample{
		approach: workload.Approach{Generic: &workload.Generic{Path: "/ask", Body: map[string]any{"q": "<prompt>"},
			Text: "out.0.piece", Reasoning: "out.0.thought", InputTokens: "count.in", CachedTokens: "count.hit", OutputTokens: "count.out",
			Finish: "why", Done: &workload.GenericDone{Data: "[END]"}, Error: "error"}},
		mime:           "text/event-stream",
		text:           func(piece string) string { return event(`{"out":[{"piece":"` + piece + `"}]}`) },
		reasoning:      func(piece string) string { return event(`{"out":[{"thought":"` + piece + `"}]}`) },
		last:           []string{event(`{"why":"length","count":{"in":9,"hit":4,"out":2}}`)},
		noUsage:        []string{event(`{"why":"length"}`)},
		terminal:       event("[END]"),
		failure:        []string{event(`{"error":{"message":"overloaded"}}`), event(`{"error":"overloaded"}`), "event: error\n" + event(`{"message":"overloaded"}`)},
		harmless:       []string{event(`{"error":null,"out":[{"piece":""}]}`), event(`{"something":"new"}`), event(`{"out":[{"piece":null}]}`), event(`[]`)},
		document:       `{"out":[{"piece":"Hello"}],"why":"length","count":{"in":9,"hit":4,"out":2}}`,
		failedDocument: `{"error":{"message":"overloaded"}}`,
		finish:         "length",
		usage:          [4]int{9, 4, 2, -1},
		comment:        ": keep-alive\n\n",
	}
}

// The ways in which an endpoint can say how far it is and that it is done.
func TestGenericForms(t *testing.T) {
	for _, c := range []struct {
		name    string
		generic workload.Generic
		mime    string
		body    string
		class   Class
		text    string
		tokens  []int
		unknown int
	}{
		{"lines, growing text, running count, done by content",
			workload.Generic{Framing: "ndjson", Text: "t", Cumulative: true, Tokens: "n", Done: &workload.GenericDone{Path: "state", Equals: "over"}},
			"application/x-ndjson", `{"t":"a","n":1}` + "\n" + `{"t":"ab","n":4}` + "\n" + `{"t":"ab","state":"over","n":4}`, OK, "ab", []int{1, 3}, 0},
		{"ids in a list, done by a number",
			workload.Generic{Text: "t", Tokens: "ids", Done: &workload.GenericDone{Path: "left", Equals: int64(0)}},
			"text/event-stream", "data: {\"t\":\"a\",\"ids\":[5,6],\"left\":1}\n\ndata: {\"t\":\"\",\"ids\":[7],\"left\":1}\n\ndata: {\"t\":\"b\",\"ids\":[8],\"left\":0}\n\n", OK, "ab", []int{2, 2}, 0},
		{"done by a field that is there", workload.Generic{Text: "t", Done: &workload.GenericDone{Path: "done"}},
			"text/event-stream", "data: {\"t\":\"a\",\"done\":false}\n\ndata: {\"done\":true}\n\n", OK, "a", []int{0}, 1},
		{"not done", workload.Generic{Text: "t", Done: &workload.GenericDone{Path: "done"}}, "text/event-stream", "data: {\"t\":\"a\",\"done\":false}\n\n", Truncated, "a", []int{0}, 0},
		{"done with the response", workload.Generic{Text: "t"}, "text/event-stream", "data: {\"t\":\"a\"}\n\n", OK, "a", []int{0}, 0},
		{"no finish reason where there should be one", workload.Generic{Text: "t", Finish: "f"}, "text/event-stream", "data: {\"t\":\"a\",\"f\":null}\n\n", Truncated, "a", []int{0}, 0},
		{"a finish reason", workload.Generic{Text: "t", Finish: "f"}, "text/event-stream", "data: {\"t\":\"a\"}\n\ndata: {\"f\":\"stop\"}\n\n", OK, "a", []int{0}, 0},
		{"an error elsewhere", workload.Generic{Text: "t", Error: "status.failure"}, "text/event-stream", "data: {\"t\":\"a\",\"error\":1}\n\ndata: {\"status\":{\"failure\":\"x\"}}\n\n", StreamError, "a", []int{0}, 0},
		{"a list of parts", workload.Generic{Text: "parts"}, "text/event-stream", "data: {\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}]}\n\n", OK, "ab", []int{0}, 0},
	} {
		c.generic.Path, c.generic.Body = "/ask", map[string]any{"q": "<prompt>"}
		s := sample{approach: workload.Approach{API: Generic, Generic: &c.generic}}
		p := s.play(t, headOf(200, c.mime), one([]string{c.body}), io.EOF, true)
		if p.Class != c.class || p.Text != c.text || !slices.Equal(p.tokensOf(), c.tokens) || p.UnknownEvents != c.unknown {
			t.Errorf("%s: %s (%s) %q, tokens %v, %d unknown", c.name, p.Class, p.Error, p.Text, p.tokensOf(), p.UnknownEvents)
		}
	}
}
