package endpoint

func init() {
	samples[OpenAIChat] = sample{
		mime:  "text/event-stream",
		text:  content,
		first: []string{roleEvent},
		reasoning: func(piece string) string {
			return `data: {"choices":[{"delta":{"reasoning_content":"` + piece + `"}}]}` + "\n\n"
		},
		tool: func(piece string) string {
			return `data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"` + piece + `","arguments":""}}]}}]}` + "\n\n"
		},
		last: []string{finishEvent,
			`data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":1}}}` + "\n\n"},
		noUsage:  []string{finishEvent},
		terminal: doneEvent,
		failure: []string{`data: {"error":{"message":"overloaded","code":503}}` + "\n\n", `data: {"error":"overloaded"}` + "\n\n",
			`data: {"object":"error","message":"overloaded"}` + "\n\n", "event: error\ndata: {\"message\":\"overloaded\"}\n\n"},
		harmless: []string{`data: {"error":null,"choices":[{"delta":{"content":""}}]}` + "\n\n", `data: {"choices":[],"prompt_filter_results":[]}` + "\n\n",
			`data: {"choices":[{"delta":{"content":null}}]}` + "\n\n", `data: {"something":"new"}` + "\n\n"},
		document:       `{"choices":[{"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":1}}}`,
		failedDocument: `{"error":{"message":"overloaded"}}`,
		finish:         "stop",
		usage:          [4]int{9, 4, 2, 1},
		comment:        ": keep-alive\n\n",
	}
}
