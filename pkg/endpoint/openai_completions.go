package endpoint

import "github.com/infbench/infbench/pkg/workload"

// OpenAICompletions is the name of the OpenAI completions API in a scenario.
const OpenAICompletions = "openai-completions"

// openAICompletions is POST {url}/completions (wire-formats.md 3.2): the chat completions of a model without roles. Its
// prompt is the contents of the messages with an empty line between them; its chunks are chat's with
// choices[].text in place of a delta.
func openAICompletions(cfg *Config) (*api, error) {
	a := &cfg.Approach
	stream := a.Streaming()
	return &api{path: "/completions", header: bearer(cfg.Key), manner: openAIStream,
		dialect: func(res *Result) dialect { return &chat{res: res, parsed: chatChunk{prose: true}} },
		body: func(req *workload.Request) map[string]any {
			fields := map[string]any{"model": a.Model, "stream": stream, "prompt": promptOf(req.Messages)}
			if stream {
				fields["stream_options"] = map[string]any{"include_usage": true}
			}
			if req.MaxTokens > 0 {
				fields["max_tokens"] = req.MaxTokens
			}
			return fields
		}}, nil
}
