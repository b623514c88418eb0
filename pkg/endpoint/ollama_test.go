package endpoint

import (
	"io"
	"testing"
	"time"
)

// ollamaFigures is the end of a last line.
const ollamaFigures = `"done":true,"done_reason":"length","total_duration":5000000000,"load_duration":3000000,"prompt_eval_count":9,"prompt_eval_duration":130000000,"eval_count":2,"eval_duration":4500000000}`

// ollamaSample is the row of one of the two APIs; wrap puts a text field, "text" or "thinking", into its place.
func ollamaSample(wrap func(field, value string) string) sample {
	line := func(field, value string) string {
		return `{"model":"m","created_at":"2026-01-01T00:00:00Z",` + wrap(field, value) + `,"done":false}` + "\n"
	}
	return sample{
		mime:      "application/x-ndjson",
		text:      func(piece string) string { return line("text", `"`+piece+`"`) },
		reasoning: func(piece string) string { return line("thinking", `"`+piece+`"`) },
		tool: func(piece string) string {
			return line("tool_calls", `[{"function":{"name":"`+piece+`","arguments":{}}}]`)
		},
		last:    []string{`{"model":"m",` + wrap("text", `""`) + "," + ollamaFigures + "\n"},
		noUsage: []string{`{"model":"m",` + wrap("text", `""`) + `,"done":true,"done_reason":"length"}` + "\n"},
		failure: []string{`{"error":"overloaded"}` + "\n", `{"error":{"message":"overloaded"}}` + "\n", `{"\u0065rror":"overloaded"}` + "\n"},
		harmless: []string{line("text", `""`), `{"error":null,"done":false}` + "\n", `{"something":"new"}` + "\n", line("thinking", `""`),
			line("tool_calls", "[]")},
		document:       `{"model":"m",` + wrap("text", `"Hello"`) + "," + ollamaFigures,
		failedDocument: `{"error":"overloaded"}`,
		finish:         "length",
		usage:          [4]int{9, -1, 2, -1},
		comment:        "\n",
	}
}

func init() {
	samples[OllamaChat] = ollamaSample(func(field, value string) string {
		if field == "text" {
			return `"message":{"role":"assistant","content":` + value + `}`
		}
		return `"message":{"role":"assistant","content":"","` + field + `":` + value + `}`
	})
	samples[OllamaGenerate] = ollamaSample(func(field, value string) string {
		if field == "text" {
			return `"response":` + value
		}
		return `"response":"","` + field + `":` + value
	})
}

// The durations are nanoseconds. What neither prefill nor decode explains was waiting; a field that the server leaves
// out is not known.
func TestOllamaDurations(t *testing.T) {
	s := samples[OllamaChat]
	s.approach.API = OllamaChat
	text := s.text("a")
	p := s.play(t, headOf(200, s.mime), one([]string{text, s.last[0]}), io.EOF, true)
	checkTimes(t, p.Server, "Ollama durations", times{queue: 370 * time.Millisecond, prefill: 130 * time.Millisecond, decode: 4500 * time.Millisecond, total: 5 * time.Second})

	cached := `{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":1000,"eval_count":3,"eval_duration":900}` + "\n"
	p = s.play(t, headOf(200, s.mime), one([]string{text, cached}), io.EOF, true)
	if p.Class != OK || p.Usage.Input != nil || p.Usage.Output == nil || *p.Usage.Output != 3 {
		t.Errorf("without a prompt count: %+v", p.Result)
	}
	checkTimes(t, p.Server, "Ollama durations", times{queue: -1, prefill: -1, decode: 900, total: 1000})
}

// Some gateways call the lines JSON; an answer that was not asked for as one still is one.
func TestLinesUnderOtherTypes(t *testing.T) {
	s := samples[OllamaGenerate]
	s.approach.API = OllamaGenerate
	for _, mime := range []string{"application/json; charset=utf-8", "application/jsonl", "application/ndjson"} {
		p := s.play(t, headOf(200, mime), one(s.units("Hel", "lo")), io.EOF, true)
		if v := p.verdict(OK, "Hello", 2); v != "" {
			t.Errorf("%s: %s", mime, v)
		}
	}
}

// times are what a server says of itself; -1: it does not.
type times struct{ queue, prefill, decode, total time.Duration }

func checkTimes(t *testing.T, got ServerTiming, source string, want times) {
	t.Helper()
	if got.Source != source {
		t.Errorf("source %q, want %q", got.Source, source)
	}
	for _, c := range []struct {
		name string
		got  *time.Duration
		want time.Duration
	}{{"queue", got.Queue, want.queue}, {"prefill", got.Prefill, want.prefill}, {"decode", got.Decode, want.decode}, {"total", got.Total, want.total}} {
		switch {
		case c.want < 0 && c.got != nil:
			t.Errorf("%s %s, which the server does not tell", c.name, *c.got)
		case c.want >= 0 && (c.got == nil || *c.got != c.want):
			t.Errorf("%s is not %s: %+v", c.name, c.want, got)
		}
	}
}
