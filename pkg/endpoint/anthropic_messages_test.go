package endpoint

import "fmt"

// anthropicEvent is one event of Anthropic's, whose name stands twice.
func anthropicEvent(name, fields string) string {
	return fmt.Sprintf("event: %s\ndata: {\"type\":%q%s}\n\n", name, name, fields)
}

func anthropicDelta(delta string) string {
	return anthropicEvent("content_block_delta", `,"index":0,"delta":`+delta)
}

func init() {
	samples[AnthropicMessages] = sample{
		mime: "text/event-stream",
		text: func(piece string) string { return anthropicDelta(`{"type":"text_delta","text":"` + piece + `"}`) },
		reasoning: func(piece string) string {
			return anthropicDelta(`{"type":"thinking_delta","thinking":"` + piece + `"}`)
		},
		tool: func(piece string) string {
			return anthropicEvent("content_block_start", `,"index":0,"content_block":{"type":"tool_use","id":"t","name":"`+piece+`","input":{}}`)
		},
		first: []string{anthropicEvent("message_start", `,"message":{"id":"msg_1","role":"assistant","content":[],"usage":{"input_tokens":3,"cache_read_input_tokens":4,"cache_creation_input_tokens":2,"output_tokens":1}}`),
			anthropicEvent("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`)},
		last: []string{anthropicEvent("content_block_stop", `,"index":0`),
			anthropicEvent("message_delta", `,"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2,"output_tokens_details":{"thinking_tokens":1}}`)},
		noUsage:  []string{anthropicEvent("message_delta", `,"delta":{"stop_reason":"end_turn"}`)},
		terminal: anthropicEvent("message_stop", ""),
		failure: []string{anthropicEvent("error", `,"error":{"type":"overloaded_error","message":"overloaded"}`),
			"event: error\ndata: overloaded\n\n", `data: {"type":"error","message":"overloaded"}` + "\n\n", `data: {"error":"overloaded"}` + "\n\n"},
		harmless: []string{anthropicEvent("ping", ""), anthropicEvent("ping", `,"error":null`), anthropicDelta(`{"type":"text_delta","text":""}`),
			anthropicDelta(`{"type":"input_json_delta","partial_json":""}`), anthropicDelta(`{"type":"signature_delta","signature":"c2ln"}`),
			anthropicDelta(`{"type":"something_delta","text":"new"}`), anthropicEvent("something_new", `,"delta":{"type":"text_delta","text":"no"}`),
			anthropicEvent("content_block_start", `,"index":1,"content_block":{"type":"web_search_tool_result","tool_use_id":"t","content":[]}`)},
		document:       `{"type":"message","role":"assistant","content":[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"cache_read_input_tokens":4,"cache_creation_input_tokens":2,"output_tokens":2,"output_tokens_details":{"thinking_tokens":1}}}`,
		failedDocument: `{"type":"error","error":{"type":"overloaded_error","message":"overloaded"}}`,
		finish:         "end_turn",
		usage:          [4]int{9, 4, 2, 1},
		comment:        ": keep-alive\n\n",
	}
}
