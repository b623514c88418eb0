package endpoint

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func init() {
	event := func(json string) string { return "data: " + json + "\n\n" }
	const meta = `"meta_info":{"id":"r","finish_reason":{"type":"length","length":2},"prompt_tokens":9,"completion_tokens":2,"cached_tokens":4,"reasoning_tokens":1,"e2e_latency":0.25,"queue_time":0.04}`
	samples[SGLang] = sample{
		mime: "text/event-stream",
		text: func(piece string) string {
			return event(`{"text":"` + piece + `","meta_info":{"id":"r","finish_reason":null,"prompt_tokens":9}}`)
		},
		last:     []string{event(`{"text":"",` + meta + `}`)},
		noUsage:  []string{event(`{"text":"","meta_info":{"finish_reason":{"type":"stop"}}}`)},
		terminal: doneEvent,
		failure:  []string{event(`{"error":{"message":"overloaded"}}`), event(`{"text":"","meta_info":{"finish_reason":{"type":"abort","message":"overloaded","status_code":503}}}`)},
		harmless: []string{event(`{"text":"","error":null,"meta_info":{"finish_reason":null}}`), event(`{"something":"new"}`), event(`{"text":null,"meta_info":null}`)},
		document: `{"text":"Hello","output_ids":[1,2],` + meta + `}`, failedDocument: `{"error":{"message":"overloaded"}}`,
		finish:  "length",
		usage:   [4]int{9, 4, 2, 1},
		comment: ": keep-alive\n\n",
	}
}

// sglangStream writes texts in one of the two ways; tokens are the running counts. With ids, their list is as the text
// is.
func sglangStream(whole, ids bool, texts []string, tokens []int) (units []string) {
	before, text := 0, ""
	for i, piece := range texts {
		text += piece
		shown, n := piece, tokens[i]-before
		if whole {
			shown, n = text, tokens[i]
		}
		before = tokens[i]
		list := ""
		if ids {
			list = `"output_ids":[` + strings.TrimSuffix(strings.Repeat("7,", n), ",") + `],`
		}
		units = append(units, fmt.Sprintf("data: {\"text\":\"%s\",%s\"meta_info\":{\"id\":\"r\",\"finish_reason\":null,\"completion_tokens\":%d}}\n\n", shown, list, tokens[i]))
	}
	return units
}

// Texts that grow and texts in pieces are told apart, and give the same answer and the same tokens.
func TestSGLangTexts(t *testing.T) {
	s := samples[SGLang]
	s.approach.API = SGLang
	for _, c := range []struct {
		name   string
		texts  []string
		tokens []int
		want   []int
		blind  bool // only the ids can tell
	}{
		{"plain", []string{"Hel", "lo", " world"}, []int{1, 2, 5}, []int{1, 1, 3}, false},
		{"escapes", []string{"a\\n", "\\\"b", "é"}, []int{1, 2, 3}, []int{1, 1, 1}, false},
		{"a token without text", []string{"a", "", "b"}, []int{1, 2, 3}, []int{1, 2}, false},
		{"the first token without text", []string{"", "a", "b"}, []int{1, 2, 3}, []int{2, 1}, false},
		{"an event without a token", []string{"a", "b", "", "c"}, []int{1, 2, 2, 3}, []int{1, 1, 1}, false},
		{"a text without a token", []string{"a", "b", "c", "d"}, []int{1, 2, 2, 3}, []int{1, 1, 1}, false},
		{"one piece that begins with the last", []string{"a", "ab", "c"}, []int{1, 2, 3}, []int{1, 1, 1}, true},
		{"the same piece again", []string{"ha", "ha", "!"}, []int{1, 2, 3}, []int{1, 1, 1}, true},
	} {
		for _, form := range []struct{ whole, ids bool }{{true, false}, {true, true}, {false, false}, {false, true}} {
			if c.blind && !form.ids && !form.whole {
				continue
			}
			units := append(sglangStream(form.whole, form.ids, c.texts, c.tokens), doneEvent)
			text := unquote([]byte(`"` + strings.Join(c.texts, "") + `"`))
			p := s.play(t, headOf(200, s.mime), one(units), io.EOF, true)
			if got := p.tokensOf(); p.Class != OK || p.Text != text || !slices.Equal(got, c.want) {
				t.Errorf("%s, %+v: %s %q, tokens %v, want %v", c.name, form, p.Class, p.Text, got, c.want)
			}
		}
	}
}

// A stop word that is taken back, and half a character that is replaced, bring no text twice.
func TestGrowingTextThatShrinks(t *testing.T) {
	var p progress
	var text strings.Builder
	for _, s := range []string{`"a"`, `"ab"`, `"ab\ufffd"`, `"abé"`, `"abé</s"`, `"abé"`, `""`, `"abé"`} {
		text.WriteString(plainText(p.of([]byte(s))))
	}
	if got := text.String(); got != "abé</s" {
		t.Errorf("%q", got)
	}
	p, text = progress{}, strings.Builder{} // pieces that look like a growing text at first
	for _, s := range []string{`"a"`, `"ab"`, `"c"`, `"ab"`, `"d"`} {
		text.WriteString(plainText(p.of([]byte(s))))
	}
	if got := text.String(); got != "abcabd" {
		t.Errorf("%q", got)
	}
}

func TestSGLangTimes(t *testing.T) {
	s := samples[SGLang]
	s.approach.API = SGLang
	p := s.play(t, headOf(200, s.mime), one(s.units("a")), io.EOF, true)
	checkTimes(t, p.Server, "SGLang meta_info", times{queue: 40 * time.Millisecond, prefill: -1, decode: -1, total: 250 * time.Millisecond})
}

// A server without a tokenizer (--skip-tokenizer-init) sends ids and no text.
func TestSGLangWithoutText(t *testing.T) {
	s := samples[SGLang]
	s.approach.API = SGLang
	event := func(tokens int, rest string) string {
		return fmt.Sprintf("data: {\"output_ids\":[7],\"meta_info\":{\"completion_tokens\":%d%s}}\n\n", tokens, rest)
	}
	p := s.play(t, headOf(200, s.mime), one([]string{event(1, ""), event(1, ""), event(3, `,"finish_reason":{"type":"length"}`), doneEvent}), io.EOF, true)
	if got, want := p.tokensOf(), []int{1, 2}; p.Class != OK || !slices.Equal(got, want) || *p.Usage.Output != 3 {
		t.Errorf("%s, tokens %v, want %v: %+v", p.Class, got, want, p.Result)
	}
	p = s.play(t, headOf(200, "application/json"), one([]string{`{"output_ids":[7,8],"meta_info":{"completion_tokens":2,"finish_reason":{"type":"length"}}}`}), io.EOF, false)
	if v := p.verdict(OK, "", 1); v != "" {
		t.Error(v)
	}
}
