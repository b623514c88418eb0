package endpoint

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestChatChunk(t *testing.T) {
	tests := []struct {
		name, in string
		kind     Kind
		finish   string
		isErr    bool
		unknown  bool
	}{
		{"role only", `{"choices":[{"delta":{"role":"assistant","content":""}}]}`, Other, "", false, false},
		{"role and null content (llama.cpp)", `{"choices":[{"delta":{"role":"assistant","content":null}}]}`, Other, "", false, false},
		{"role in every delta (TGI, Ollama)", `{"choices":[{"delta":{"role":"assistant","content":" a"}}]}`, Answer, "", false, false},
		{"content", `{"choices":[{"delta":{"content":"Hi"}}],"usage":null}`, Answer, "", false, false},
		{"content that is an escaped quote", `{"choices":[{"delta":{"content":"\""}}]}`, Answer, "", false, false},
		{"content that ends in a backslash", `{"choices":[{"delta":{"content":"\\"}}]}`, Answer, "", false, false},
		{"content that looks like JSON", `{"choices":[{"delta":{"content":"\"error\":{}}]"}}]}`, Answer, "", false, false},
		{"content list (Mistral)", `{"choices":[{"delta":{"content":[{"type":"text","text":"a"}]}}]}`, Answer, "", false, false},
		{"content list of thinking (Mistral)", `{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}}]}`, Reasoning, "", false, false},
		{"content list of thinking and text", `{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"a"}]}}]}`, Answer, "", false, false},
		{"content list of empty text", `{"choices":[{"delta":{"content":[{"type":"text","text":""}]}}]}`, Other, "", false, false},
		{"empty content list", `{"choices":[{"delta":{"content":[]}}]}`, Other, "", false, false},
		{"refusal", `{"choices":[{"delta":{"refusal":"no"}}]}`, Answer, "", false, false},
		{"reasoning (vLLM)", `{"choices":[{"delta":{"reasoning":"hm"}}]}`, Reasoning, "", false, false},
		{"reasoning_content (DeepSeek)", `{"choices":[{"delta":{"reasoning_content":"hm","content":null}}]}`, Reasoning, "", false, false},
		{"both names of reasoning", `{"choices":[{"delta":{"reasoning":"hm","reasoning_content":"hm","content":""}}]}`, Reasoning, "", false, false},
		{"reasoning_details beside it (OpenRouter)", `{"choices":[{"delta":{"reasoning":"hm","reasoning_details":[{"text":"hm"}]}}]}`, Reasoning, "", false, false},
		{"tool call, name first", `{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}}]}`, Tool, "", false, false},
		{"tool call, arguments", `{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a"}}]}}]}`, Tool, "", false, false},
		{"tool call with nothing in it", `{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":""}}]}}]}`, Other, "", false, false},
		{"custom tool", `{"choices":[{"delta":{"tool_calls":[{"index":0,"type":"custom","custom":{"input":"x"}}]}}]}`, Tool, "", false, false},
		{"old function call", `{"choices":[{"delta":{"function_call":{"name":"f"}}}]}`, Tool, "", false, false},
		{"reasoning beside a tool call", `{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f"}}],"reasoning":"hm"}}]}`, Reasoning, "", false, false},
		{"answer beside reasoning", `{"choices":[{"delta":{"content":"x","reasoning":"hm"}}]}`, Answer, "", false, false},
		{"escaped keys", `{"choices":[{"\u0064elta":{"c\u006fntent":"x"}}]}`, Answer, "", false, false},
		{"escaped error key", `{"err\u006fr":{"message":"x"}}`, Other, "", true, true},
		{"null tool calls", `{"choices":[{"delta":{"content":"x","tool_calls":null}}]}`, Answer, "", false, false},
		{"finish", `{"choices":[{"delta":{},"finish_reason":"length"}]}`, Other, "length", false, false},
		{"empty finish reason (Together)", `{"choices":[{"delta":{"content":"x"},"finish_reason":""}]}`, Answer, "", false, false},
		{"usage only", `{"choices":[],"usage":{"completion_tokens":3}}`, Other, "", false, false},
		{"filter results first (Azure)", `{"choices":[],"model":"","id":"","prompt_filter_results":[{"prompt_index":0}]}`, Other, "", false, false},
		{"progress (llama.cpp)", `{"choices":[{"delta":{"role":"assistant","content":null}}],"prompt_progress":{"total":9}}`, Other, "", false, false},
		{"content inside logprobs is no token", `{"choices":[{"logprobs":{"content":[{"token":"x"}]},"delta":{"content":""}}]}`, Other, "", false, false},
		{"second choice is not ours", `{"choices":[{"index":0,"delta":{}},{"index":1,"delta":{"content":"x"}}]}`, Other, "", false, false},
		{"error", `{"error":{"message":"boom"}}`, Other, "", true, true},
		{"error as a string (TGI)", `{"error":"boom","error_type":"overloaded"}`, Other, "", true, true},
		{"empty error", `{"error":"","choices":[{"delta":{"content":"x"}}]}`, Answer, "", false, false},
		{"false error", `{"error":false,"choices":[{"delta":{"content":"x"}}]}`, Answer, "", false, false},
		{"error by type", `{"type":"error","message":"x"}`, Other, "", true, true},
		{"finish reason outside (Together)", `{"choices":[{"delta":{}}],"finish_reason":"eos"}`, Other, "eos", false, false},
		{"null error", `{"error":null,"choices":[{"delta":{"content":"x"}}]}`, Answer, "", false, false},
		{"obfuscation", `{"choices":[{"delta":{"content":"x"}}],"obfuscation":"a9"}`, Answer, "", false, false},
		{"unknown", `{"ping":1}`, Other, "", false, true},
		{"spaces everywhere", " { \"choices\" : [ { \"delta\" : { \"content\" : \"x\" } } ] } ", Answer, "", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c chatChunk
			if !parseChatChunk([]byte(tt.in), &c) {
				t.Fatal("refused")
			}
			if c.kind != tt.kind || unquote(c.finish) != tt.finish || (c.err != nil) != tt.isErr || c.known == tt.unknown {
				t.Errorf("kind %d finish %s err %s known %v", c.kind, c.finish, c.err, c.known)
			}
		})
	}
	for _, bad := range []string{``, `null`, `[]`, `"x"`, `{`, `{"choices":[`, `{"choices":[{"delta":{"content":"x}}]}`, `{"a" 1}`, `{"a":}`, `{"a":1}}`, `{"a":1} x`, `{"a":1,}`, `{,"a":1}`, `{"a":1 "b":2}`, `{"choices":[,]}`, `{"choices":[{}{}]}`, `{"choices":[{},]}`, `{"choices":[{"delta":{"content":"x",}}]}`, `{"error":{}`, `not json`} {
		var c chatChunk
		if parseChatChunk([]byte(bad), &c) {
			t.Errorf("accepted %q", bad)
		}
	}
}

// Every JSON object is accepted, and what is found is what encoding/json finds.
func FuzzChatChunk(f *testing.F) {
	f.Add([]byte(`{"choices":[{"delta":{"content":"a\"b"},"finish_reason":"stop"}],"usage":{"completion_tokens":1}}`))
	for _, s := range []string{`{"error":null,"choices":[]}`, `{"choices":[{"delta":{"reasoning":"\\","content":null}}],"type":"error"}`, `{"choices":[{"delta":{"c\u006fntent":"x"}}]}`,
		`{"error":"x","object":"error"}`, `{"choices":[{"delta":{"content":"<\n\"","role":"assistant"}},1]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var c chatChunk
		ok := parseChatChunk(in, &c)
		var object map[string]json.RawMessage
		if json.Unmarshal(in, &object) != nil || object == nil {
			return
		}
		if !ok {
			t.Fatalf("refused %q", in)
		}
		if !plainKeys(in) {
			return
		}
		if kind, text, fails := slowChunk(object); c.kind != kind || kind == Answer && plainText(c.text) != text || (c.err != nil) != fails {
			t.Errorf("%q: kind %d %q error %s, by encoding/json %d %q error %v", in, c.kind, plainText(c.text), c.err, kind, text, fails)
		}
	})
}

// slowChunk classifies by encoding/json. It knows deltas whose texts are strings.
func slowChunk(object map[string]json.RawMessage) (kind Kind, text string, fails bool) {
	value := func(raw json.RawMessage) (v any) {
		json.Unmarshal(raw, &v)
		return v
	}
	e := value(object["error"])
	fails = e != nil && e != "" && e != false || value(object["object"]) == "error" || value(object["type"]) == "error"
	kind = Other
	choices, _ := value(object["choices"]).([]any)
	if len(choices) == 0 {
		return kind, "", fails
	}
	choice, _ := choices[0].(map[string]any)
	delta, _ := choice["delta"].(map[string]any)
	if s, _ := delta["reasoning"].(string); s != "" {
		kind = Reasoning
	}
	if s, _ := delta["content"].(string); s != "" {
		kind, text = Answer, s
	}
	return kind, text, fails
}

// plainKeys reports a text in which each of the keys that slowChunk knows stands at most once, with a string for the
// texts, and none of the others that say something: which of repeated keys counts is left open by JSON.
func plainKeys(in []byte) bool {
	for _, k := range []string{"choices", "delta", "content", "reasoning", "error", "object", "type"} {
		if bytes.Count(in, []byte(k)) > 1 {
			return false
		}
	}
	for _, k := range []string{"refusal", "tool_calls", "function_call", "error_type", "x_groq", "\\u"} {
		if bytes.Contains(in, []byte(k)) {
			return false
		}
	}
	for _, k := range []string{"content", "reasoning"} {
		if _, after, found := bytes.Cut(in, []byte(`"`+k+`":`)); found && !bytes.HasPrefix(after, []byte(`"`)) && !bytes.HasPrefix(after, []byte("null")) {
			return false
		} else if !found && bytes.Contains(in, []byte(k)) {
			return false
		}
	}
	return true
}
