package endpoint

import (
	"io"
	"testing"
)

// A count is a number that can be one; a word is a string, whatever its escapes.
func TestScalars(t *testing.T) {
	for in, want := range map[string]number{`12`: {12, true}, `0`: {0, true}, `1e3`: {1000, true}, decimal(maxCount): {maxCount, true},
		`-1`: {}, `99999999999999999999`: {}, `1e300`: {}, `null`: {}, `"12"`: {}, `[1]`: {}, ``: {}} {
		if got := (&jsonScan{b: []byte(in)}).number(); got != want {
			t.Errorf("%s is %+v, want %+v", in, got, want)
		}
	}
	for in, want := range map[string]string{`"ping"`: "ping", `"p\u0069ng"`: "ping", `""`: "", `null`: "", `12`: "", `["a"]`: "", `"`: ""} {
		if got := (&jsonScan{b: []byte(in)}).word(); string(got) != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
}

// A key in disguise is the key, in every API.
func TestEscapedKeys(t *testing.T) {
	for name, event := range map[string]string{
		AnthropicMessages: `{"typ\u0065":"content_block_delta","delta":{"type":"text_delta","te\u0078t":"Hello"}}`,
		Gemini:            `{"candidates":[{"content":{"parts":[{"te\u0078t":"Hello"}]}}]}`,
		OpenAIChat:        `{"choices":[{"d\u0065lta":{"content":"Hello"}}]}`,
		OpenAICompletions: `{"choices":[{"te\u0078t":"Hello"}]}`,
		OpenAIResponses:   `{"type":"response.output_text.delta","d\u0065lta":"Hello"}`,
	} {
		s := samples[name]
		s.approach.API = name
		u := s.ending([]string{"data: " + event + "\n\n"})
		p := s.play(t, headOf(200, s.mime), one(u), io.EOF, true)
		if v := p.verdict(OK, "Hello", 1); v != "" {
			t.Errorf("%s: %s", name, v)
		}
	}
}
