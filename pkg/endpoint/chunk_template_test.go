package endpoint

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

// meaning is what a chunk says, free of the bytes that it aliases.
func meaning(c *chatChunk) any {
	return []any{c.kind, string(c.text), c.ids, string(c.finish), c.known, string(c.err), string(c.usage), string(c.timings), string(c.metrics), string(c.groq)}
}

// sameByTemplate learns from one event and reads the next both ways.
func sameByTemplate(t *testing.T, first, second []byte) (matched bool) {
	t.Helper()
	var c, slow, fast chatChunk
	var tmpl chunkTemplate
	if !parseChatChunk(first, &c) {
		return false
	}
	tmpl.learn(first, &c)
	if !tmpl.match(second, &fast) {
		return false
	}
	if !parseChatChunk(second, &slow) || !reflect.DeepEqual(meaning(&fast), meaning(&slow)) {
		t.Errorf("after\n%s\nthe template makes of\n%s\n%+v, the parser\n%+v", first, second, meaning(&fast), meaning(&slow))
	}
	return true
}

func TestChunkTemplate(t *testing.T) {
	chunk := func(text string) string {
		return `{"id":"x","choices":[{"index":0,"delta":{"content":"` + text + `"},"finish_reason":null}]}`
	}
	tests := []struct {
		name, first, second string
		match               bool
	}{
		{"another text", chunk("a"), chunk(" longer"), true},
		{"the same text", chunk("a"), chunk("a"), true},
		{"beyond ASCII", chunk("a"), chunk("é世"), true},
		{"an empty text is no token", chunk("a"), chunk(""), false},
		{"an escape", chunk("a"), chunk(`\n`), false},
		{"learned from an escape", chunk(`\"`), chunk("b"), true},
		{"a quote that ends the text", chunk("a"), chunk(`","role":"b`), false},
		{"another id", chunk("a"), strings.Replace(chunk("b"), `"x"`, `"y"`, 1), false},
		{"a finish reason", chunk("a"), strings.Replace(chunk("b"), "null", `"stop"`, 1), false},
		{"learned from a finish reason", strings.Replace(chunk("b"), "null", `"stop"`, 1), strings.Replace(chunk("c"), "null", `"stop"`, 1), false},
		{"learned from a role", `{"choices":[{"delta":{"role":"assistant","content":""}}]}`, `{"choices":[{"delta":{"role":"assistant","content":"a"}}]}`, false},
		{"learned from usage", `{"choices":[{"delta":{"content":"a"}}],"usage":{"completion_tokens":1}}`, `{"choices":[{"delta":{"content":"b"}}],"usage":{"completion_tokens":1}}`, false},
		{"reasoning beside it", `{"choices":[{"delta":{"reasoning":"r","content":"a"}}]}`, `{"choices":[{"delta":{"reasoning":"r","content":"b"}}]}`, true},
		{"learned from a key with an escape", `{"id":"x","choices":[{"delta":{"content":"hi"}}],"a\/b":1}`, `{"id":"x","choices":[{"delta":{"content":"ho"}}],"a\/b":1}`, true},
		{"a list of parts", `{"choices":[{"delta":{"content":[{"text":"a"}]}}]}`, `{"choices":[{"delta":{"content":[{"text":"b"}]}}]}`, false},
		{"shorter than what surrounds the text", chunk("a"), `{"id":"x","choices":[{"index":0,"delta":{"content":"}`, false},
	}
	for _, tt := range tests {
		if got := sameByTemplate(t, []byte(tt.first), []byte(tt.second)); got != tt.match {
			t.Errorf("%s: matched %v, want %v", tt.name, got, tt.match)
		}
	}
}

// Keys with escapes are read beside the event: what is learned is still a part of it.
func TestEscapedKeysInAStream(t *testing.T) {
	obs := &events{}
	r := benchReply(obs)
	for range 3 {
		event := `data: {"id":"x","choices":[{"delta":{"content":"hi"}}],"a\/b":1}` + "\n\n"
		r.take(arrival{bytes: []byte(chunked(event)), number: 2, kernel: true})
	}
	if obs.count(Answer) != 3 {
		t.Errorf("%d answers", obs.count(Answer))
	}
}

// The answer in one piece is stamped by its last byte, not by what ends the connection or the chunks after it.
func TestTheEndOfADocumentIsItsLastByte(t *testing.T) {
	const body = `{"choices":[{"message":{"content":"x"}}]}`
	for name, parts := range map[string][3]string{
		"up to the end of the connection": {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", body, ""},
		"chunked":                         {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", chunked(body), lastChunk},
	} {
		obs := &events{}
		ctx, clocks := startDeadlines(t.Context(), limits{total: time.Hour})
		defer clocks.stop()
		r := &reply{ctx: ctx, call: &attempt{clocks: clocks, obs: obs, judge: chatJudge(false, false)}}
		over := false
		for i, part := range parts {
			a := arrival{bytes: []byte(part), at: time.Duration(i) * time.Second, number: uint32(i)}
			if part == "" {
				a.err = io.EOF
			}
			over = r.take(a)
		}
		answer, _ := obs.first(Answer)
		if !over || answer.At != time.Second || answer.Read != 1 {
			t.Errorf("%s: over %v, answer %+v", name, over, answer)
		}
	}
}

// Whatever the two events are, the template reads the second as the parser does, or leaves it alone.
func FuzzChunkTemplate(f *testing.F) {
	f.Add([]byte(`{"choices":[{"delta":{"content":"a"}}]}`), []byte("b"), 33)
	f.Add([]byte(`{"a":"\u0022","choices":[{"delta":{"content":"a","refusal":"b"}}]}`), []byte(`b","c":"`), 47)
	f.Fuzz(func(t *testing.T, first, text []byte, at int) {
		if at < 0 || at > len(first) {
			return
		}
		// as a slice of a larger buffer, which is what the reader hands over
		buffer := append(append([]byte("data: "), first...), "\n\n tail"...)
		event := buffer[6 : 6+len(first)]
		second := bytes.Join([][]byte{first[:at], text, first[at:]}, nil)
		sameByTemplate(t, event, second)
	})
}
