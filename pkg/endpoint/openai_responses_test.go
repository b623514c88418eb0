package endpoint

import (
	"fmt"
	"io"
	"testing"
)

// responsesSays is one event of the responses API, whose name stands twice. Numbers are left out: the table puts events
// where it wants.
func responsesSays(name, fields string) string {
	return fmt.Sprintf("event: %s\ndata: {\"type\":%q%s}\n\n", name, name, fields)
}

func responsesDelta(of, piece string) string {
	return responsesSays("response."+of+".delta", `,"item_id":"i","output_index":0,"content_index":0,"delta":"`+piece+`","logprobs":[]`)
}

func init() {
	const usage = `"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":1},"total_tokens":11}`
	samples[OpenAIResponses] = sample{
		mime:      "text/event-stream",
		text:      func(piece string) string { return responsesDelta("output_text", piece) },
		reasoning: func(piece string) string { return responsesDelta("reasoning_text", piece) },
		tool: func(piece string) string {
			return responsesSays("response.output_item.added", `,"output_index":0,"item":{"type":"function_call","name":"`+piece+`","arguments":""}`)
		},
		first: []string{responsesSays("response.created", `,"response":{"id":"r","status":"in_progress","error":null,"output":[],"usage":null}`),
			responsesSays("response.in_progress", `,"response":{"id":"r","status":"in_progress"}`),
			responsesSays("response.output_item.added", `,"output_index":0,"item":{"type":"message","content":[]}`),
			responsesSays("response.content_part.added", `,"part":{"type":"output_text","text":""}`)},
		last: []string{responsesSays("response.output_text.done", `,"text":"the whole text again"`),
			responsesSays("response.output_item.done", `,"item":{"type":"message","content":[{"type":"output_text","text":"the whole text again"}]}`)},
		noUsage:  []string{responsesSays("response.completed", `,"response":{"status":"completed","usage":null}`)}, // what follows is not read
		terminal: responsesSays("response.completed", `,"response":{"status":"completed","error":null,"incomplete_details":null,"output":[{"type":"message","content":[{"type":"output_text","text":"and again"}]}],`+usage+`}`),
		failure: []string{responsesSays("error", `,"code":"server_error","message":"overloaded","param":null`),
			responsesSays("error", `,"error":{"type":"server_error","message":"overloaded"}`),
			responsesSays("response.failed", `,"response":{"status":"failed","error":{"code":"server_error","message":"overloaded"}}`),
			`data: {"error":{"message":"overloaded"}}` + "\n\n", "event: error\ndata: overloaded\n\n"},
		harmless: []string{responsesSays("response.in_progress", `,"error":null`), responsesDelta("output_text", ""), responsesDelta("something_new", "no"),
			responsesSays("response.reasoning_text.done", `,"text":"no"`), responsesSays("something_new", `,"delta":"no"`), responsesSays("keepalive", ""),
			doneEvent},
		document:       `{"object":"response","status":"completed","error":null,"output":[{"type":"reasoning","summary":[]},{"type":"message","content":[{"type":"output_text","text":"Hel"},{"type":"refusal","refusal":"lo"}]}],` + usage + `}`,
		failedDocument: `{"error":{"message":"overloaded","code":"server_error"}}`,
		finish:         "completed",
		usage:          [4]int{9, 4, 2, 1},
		comment:        ": keep-alive\n\n",
	}
}

// An answer that was ended by the limit that was asked for is a good one, and says why it ended.
func TestIncompleteResponse(t *testing.T) {
	s := samples[OpenAIResponses]
	s.approach.API = OpenAIResponses
	for reason, why := range map[string]string{"max_output_tokens": `{"reason":"max_output_tokens"}`, "incomplete": "null"} {
		end := responsesSays("response.incomplete", `,"response":{"status":"incomplete","error":null,"incomplete_details":`+why+`}`)
		p := s.play(t, headOf(200, s.mime), one(append(s.first, s.text("Hello"), end)), io.EOF, true)
		if v := p.verdict(OK, "Hello", 1); v != "" || p.Finish != reason {
			t.Errorf("%s: %s, finish reason %q", why, v, p.Finish)
		}
	}
}

// Each gap in the numbers of events counts once, and fails nothing.
func TestGapInResponses(t *testing.T) {
	s := samples[OpenAIResponses]
	s.approach.API = OpenAIResponses
	numbered := func(n int) string {
		return responsesSays("response.output_text.delta", fmt.Sprintf(`,"delta":"x","sequence_number":%d`, n))
	}
	for _, c := range []struct {
		numbers []int
		gaps    int
	}{{[]int{4, 5, 6}, 0}, {[]int{0, 1, 4, 5}, 1}, {[]int{0, 2, 4}, 2}, {[]int{0, 0, 0}, 0}, {[]int{7, 0, 1}, 0}} {
		var u []string
		for _, n := range c.numbers {
			u = append(u, numbered(n))
		}
		p := s.play(t, headOf(200, s.mime), one(append(u, s.terminal)), io.EOF, true)
		if p.Class != OK || p.UnknownEvents != c.gaps {
			t.Errorf("%v: %s with %d events counted, want %d", c.numbers, p.Class, p.UnknownEvents, c.gaps)
		}
	}
}
