package endpoint

import (
	"io"
	"testing"
)

func init() {
	event := func(json string) string { return "data: " + json + "\n\n" }
	samples[Triton] = sample{
		mime: "text/event-stream",
		text: func(piece string) string {
			return event(`{"model_name":"m","model_version":"1","text_output":"` + piece + `"}`)
		},
		failure:        []string{event(`{"error":"overloaded"}`), event(`{"error":{"message":"overloaded"}}`)},
		harmless:       []string{event(`{"error":null,"text_output":""}`), event(`{"text_output":null}`), event(`{"something":"new"}`)},
		document:       `{"model_name":"m","model_version":"1","text_output":"Hello"}`,
		failedDocument: `{"error":"overloaded"}`,
		usage:          [4]int{-1, -1, -1, -1},
		comment:        ":\n\n",
	}
}

// A backend may send all of the text with each event.
func TestTritonTexts(t *testing.T) {
	s := samples[Triton]
	s.approach.API = Triton
	p := s.play(t, headOf(200, s.mime), one([]string{s.text("Hel"), s.text("Hello"), s.text("Hello"), s.text("Hello!")}), io.EOF, true)
	if v := p.verdict(OK, "Hello!", 3); v != "" {
		t.Error(v)
	}
	p = s.play(t, headOf(200, s.mime), nil, io.EOF, true)
	if v := p.verdict(Empty, "", 0); v != "" {
		t.Errorf("a stream without an event: %s", v)
	}
}

func TestTritonNeedsAModel(t *testing.T) {
	if _, err := Open(Config{Approach: approachOf(Triton), Epoch: epoch()}); err == nil {
		t.Error("opened without a model")
	}
}
