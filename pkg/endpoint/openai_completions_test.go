package endpoint

func init() {
	finished := `data: {"choices":[{"index":0,"text":"","finish_reason":"stop"}]}` + "\n\n"
	samples[OpenAICompletions] = sample{
		mime: "text/event-stream",
		text: func(piece string) string {
			return `data: {"id":"c","object":"text_completion","choices":[{"index":0,"text":"` + piece + `","logprobs":null,"finish_reason":null}]}` + "\n\n"
		},
		last: []string{finished,
			`data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":1}}}` + "\n\n"},
		noUsage:  []string{finished},
		terminal: doneEvent,
		failure:  []string{`data: {"error":{"message":"overloaded","code":503}}` + "\n\n", `data: {"error":"overloaded"}` + "\n\n"},
		harmless: []string{`data: {"error":null,"choices":[{"index":0,"text":""}]}` + "\n\n", `data: {"choices":[]}` + "\n\n",
			`data: {"choices":[{"index":0,"text":null}]}` + "\n\n", `data: {"something":"new"}` + "\n\n"},
		document:       `{"choices":[{"index":0,"text":"Hello","finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":1}}}`,
		failedDocument: `{"error":{"message":"overloaded"}}`,
		finish:         "stop",
		usage:          [4]int{9, 4, 2, 1},
		comment:        ": keep-alive\n\n",
	}
}
