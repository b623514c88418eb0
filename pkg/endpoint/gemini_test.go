package endpoint

import (
	"io"
	"strings"
	"testing"
	"time"
)

func geminiEvent(fields string) string { return "data: {" + fields + "}\r\n\r\n" }

func geminiPart(part string) string {
	return geminiEvent(`"candidates":[{"content":{"role":"model","parts":[` + part + `]},"index":0}],"modelVersion":"m"`)
}

func init() {
	const end = `"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0}]`
	const usage = `"usageMetadata":{"promptTokenCount":9,"cachedContentTokenCount":4,"candidatesTokenCount":1,"thoughtsTokenCount":1,"totalTokenCount":11}`
	samples[Gemini] = sample{
		mime:      "text/event-stream",
		text:      func(piece string) string { return geminiPart(`{"text":"` + piece + `"}`) },
		reasoning: func(piece string) string { return geminiPart(`{"thought":true,"text":"` + piece + `"}`) },
		tool:      func(piece string) string { return geminiPart(`{"functionCall":{"name":"` + piece + `","args":{}}}`) },
		last:      []string{geminiEvent(end + "," + usage)},
		noUsage:   []string{geminiEvent(end)},
		failure: []string{geminiEvent(`"error":{"code":503,"status":"UNAVAILABLE","message":"overloaded"}`),
			geminiEvent(`"promptFeedback":{"blockReason":"OTHER","blockReasonMessage":"overloaded"}`)},
		harmless: []string{geminiEvent(`"error":null,"candidates":[{"content":{"parts":[{"text":""}]}}]`), geminiEvent(`"usageMetadata":{"promptTokenCount":9}`),
			geminiPart(`{"text":"","thoughtSignature":"c2ln"}`), geminiPart(`{"codeExecutionResult":{"output":"1"}}`), geminiEvent(`"candidates":[{"index":0}]`),
			geminiEvent(`"promptFeedback":{"safetyRatings":[]}`), geminiEvent(`"something":"new"`), doneEvent},
		document:       `{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"Hel"},{"text":"lo"}]},"finishReason":"STOP"}],` + usage + `}`,
		failedDocument: `{"error":{"code":503,"status":"UNAVAILABLE","message":"overloaded"}}`,
		finish:         "STOP",
		usage:          [4]int{9, 4, 2, 1},
		comment:        ": keep-alive\n\n",
	}
}

// What is generated is what is in the total and was not in the prompt, wherever thoughts are counted; without a total,
// they are outside of candidates.
func TestGeminiUsage(t *testing.T) {
	s := samples[Gemini]
	s.approach.API = Gemini
	for _, c := range []struct {
		usage         string
		input, output int
	}{
		{`"promptTokenCount":9,"candidatesTokenCount":5,"thoughtsTokenCount":3,"totalTokenCount":17`, 9, 8},
		{`"promptTokenCount":9,"candidatesTokenCount":8,"thoughtsTokenCount":3,"totalTokenCount":17`, 9, 8},
		{`"promptTokenCount":9,"candidatesTokenCount":5,"thoughtsTokenCount":3`, 9, 8},
		{`"promptTokenCount":9,"toolUsePromptTokenCount":2,"candidatesTokenCount":5,"totalTokenCount":16`, 11, 5},
	} {
		last := geminiEvent(`"candidates":[{"finishReason":"STOP"}],"usageMetadata":{` + c.usage + `}`)
		p := s.play(t, headOf(200, s.mime), one([]string{s.text("Hello"), last}), io.EOF, true)
		if u := p.Usage; p.Class != OK || u.Input == nil || *u.Input != c.input || u.Output == nil || *u.Output != c.output {
			t.Errorf("%s: %+v", c.usage, p.Result)
		}
	}
}

// Counts that run along tell how many tokens each event holds.
func TestGeminiTokensPerEvent(t *testing.T) {
	s := samples[Gemini]
	s.approach.API = Gemini
	event := func(usage string) string {
		return geminiEvent(`"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9` + usage + `}`)
	}
	p := s.play(t, headOf(200, s.mime), one([]string{event(`,"candidatesTokenCount":2`), event(`,"candidatesTokenCount":20`), event(""), event(`,"candidatesTokenCount":50`)}), io.EOF, true)
	var tokens []int
	for _, e := range p.seen.all {
		if e.Kind == Answer {
			tokens = append(tokens, e.Tokens)
		}
	}
	if len(tokens) != 4 || tokens[0] != 2 || tokens[1] != 18 || tokens[2] != 0 || tokens[3] != 0 {
		t.Errorf("tokens %v", tokens)
	}
}

// The reasons of an answer that is none are kept: a blocked prompt, and one blocked while it was written.
func TestGeminiBlocked(t *testing.T) {
	s := samples[Gemini]
	s.approach.API = Gemini
	p := s.play(t, headOf(200, s.mime), one([]string{geminiEvent(`"promptFeedback":{"blockReason":"SAFETY"}`)}), io.EOF, true)
	if p.Class != StreamError || !strings.HasSuffix(p.Error, "the prompt was blocked: SAFETY") {
		t.Errorf("%s: %s", p.Class, p.Error)
	}
	p = s.play(t, headOf(200, s.mime), one([]string{geminiEvent(`"candidates":[{"finishReason":"PROHIBITED_CONTENT"}]`)}), io.EOF, true)
	if p.Class != Empty || !strings.Contains(p.Error, "PROHIBITED_CONTENT") {
		t.Errorf("%s: %s", p.Class, p.Error)
	}
}

// Several parts of one event are one event.
func TestGeminiParts(t *testing.T) {
	s := samples[Gemini]
	s.approach.API = Gemini
	u := []string{geminiPart(`{"text":"hm","thought":true},{"text":"Hel"},{"text":"lo"},{"functionCall":{"name":"f"}}`), s.last[0]}
	p := s.play(t, headOf(200, s.mime), one(u), io.EOF, true)
	if v := p.verdict(OK, "Hello", 1); v != "" {
		t.Error(v)
	}
}

// Without alt=sse a stream is one array: a proxy that drops the query makes it so.
func TestGeminiArray(t *testing.T) {
	s := samples[Gemini]
	s.approach.API = Gemini
	play := func(document string) played {
		return s.play(t, headOf(200, "application/json"), one([]string{document}), io.EOF, true)
	}
	if p := play("[" + s.document + "," + s.document + "]"); p.Class != Malformed || !strings.Contains(p.Error, "one JSON document") {
		t.Errorf("%s: %s", p.Class, p.Error)
	}
	if p := play("[" + s.failedDocument + "]"); p.Class != StreamError || !strings.Contains(p.Error, "overloaded") {
		t.Errorf("%s: %s", p.Class, p.Error)
	}
}

// A refusal for the rate names its wait in the body.
func TestGeminiRetryAfter(t *testing.T) {
	s := samples[Gemini]
	s.approach.API = Gemini
	body := `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"quota","details":[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"21.5s"}]}}`
	p := s.play(t, headOf(429, "application/json"), one([]string{body}), io.EOF, true)
	if p.Class != RateLimited || p.RetryAfter != 21500*time.Millisecond {
		t.Errorf("%+v", p.Result)
	}
}
