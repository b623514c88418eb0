package endpoint

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample is how one API writes an answer: the row of its table of conformance. Every unit is whole with what ends it (the
// blank line of an event, the line end of JSON lines, a frame). What an API does not have is empty.
type sample struct {
	approach workload.Approach // without a URL
	mime     string            // of a stream
	text     func(piece string) string
	// reasoning and tool are units with generated text that is no answer.
	reasoning, tool func(piece string) string
	first           []string // before the text: roles, pings
	last            []string // after the text: finish reason and usage, without the terminal unit
	noUsage         []string // last, of a server that reports no usage
	terminal        string   // "": the end of the body is the end
	failure         []string // forms of an error in the middle of a stream
	harmless        []string // units that look like an error or like text and are neither, and unknown ones
	document        string   // the answer "Hello" in one piece, with the same usage; "": the API has none
	head            []string // more lines in the head of that answer
	failedDocument  string   // 200 with an error in one piece
	finish          string   // of last
	usage           [4]int   // input, cached, output, reasoning; -1 where it does not tell
	binary          bool     // units are not lines of text
	comment         string   // a keep-alive that is no event
}

// samples has a row for each API.
var samples = map[string]sample{}

// played is what came of an answer.
type played struct {
	Result
	seen events
}

// play pushes the network reads of a response through the endpoint of a sample. end is how the connection ends after
// them, nil: it does not.
func (s *sample) play(t *testing.T, head string, reads [][]byte, end error, stream bool) played {
	t.Helper()
	a := s.approach
	a.URL, a.Model, a.Stream = cmp.Or(a.URL, "http://mem/base"), cmp.Or(a.Model, "m"), &stream
	e, err := Open(Config{Approach: a, Key: "sk-secret", Epoch: time.Now(), KeepText: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	api := e.(*remote)
	ctx, clocks := startDeadlines(context.Background(), limits{total: time.Hour})
	defer clocks.stop()
	var p played
	r := &reply{ctx: ctx, call: &attempt{clocks: clocks, obs: &p.seen, judge: func(x *exchange) answer {
		return &response{exchange: x, dialect: api.dialect(&x.res), manner: api.manner, streamed: stream, keepText: true}
	}}}
	over := false
	push := func(a arrival) {
		if !over {
			over = r.take(a)
		}
	}
	number := uint32(1)
	push(arrival{bytes: []byte(head), number: number, kernel: true})
	for _, b := range reads {
		number++
		push(arrival{bytes: b, at: time.Duration(number), number: number, kernel: true})
	}
	if end != nil {
		push(arrival{err: end, number: number, kernel: true})
		if !over {
			t.Fatal("the connection is at its end, and the answer is not over")
		}
	}
	p.Result = r.result()
	return p
}

// headOf is the head of a response whose body ends with the connection.
func headOf(status int, mime string, more ...string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s\r\n", status, http.StatusText(status), mime, strings.Join(append(more, ""), "\r\n"))
}

// units is a whole stream with these pieces of text.
func (s *sample) units(pieces ...string) []string {
	u := slices.Clone(s.first)
	for _, p := range pieces {
		u = append(u, s.text(p))
	}
	return s.ending(u)
}

func (s *sample) ending(u []string) []string {
	u = append(slices.Clip(u), s.last...)
	if s.terminal != "" {
		u = append(u, s.terminal)
	}
	return u
}

// one puts each unit into a network read of its own.
func one(units []string) (reads [][]byte) {
	for _, u := range units {
		reads = append(reads, []byte(u))
	}
	return reads
}

// cut puts n bytes into each network read.
func cut(units []string, n int) [][]byte {
	return slices.Collect(slices.Chunk([]byte(strings.Join(units, "")), n))
}

// verdict is what is wrong with a played answer, "" if nothing is.
func (p *played) verdict(class Class, text string, generated int) string {
	got := 0
	for _, e := range p.seen.all {
		if e.Kind.Generated() {
			got++
		}
	}
	switch {
	case p.Class != class:
		return fmt.Sprintf("class %s (%s), want %s", p.Class, p.Error, class)
	case p.Text != text:
		return fmt.Sprintf("text %.80q, want %.80q", p.Text, text)
	case generated >= 0 && got != generated:
		return fmt.Sprintf("%d events with text, want %d: %+v", got, generated, p.seen.all)
	}
	return ""
}

// counts compares usage and the finish reason.
func (p *played) counts(s *sample) string {
	for i, v := range []*int{p.Usage.Input, p.Usage.CachedInput, p.Usage.Output, p.Usage.Reasoning} {
		name := []string{"input", "cached input", "output", "reasoning"}[i]
		switch want := s.usage[i]; {
		case want < 0 && v != nil:
			return fmt.Sprintf("%s %d, which the server does not tell", name, *v)
		case want >= 0 && (v == nil || *v != want):
			return fmt.Sprintf("%s is not %d", name, want)
		}
	}
	if p.Finish != s.finish {
		return fmt.Sprintf("finish reason %q, want %q", p.Finish, s.finish)
	}
	return ""
}

// conformance is one column of the table: what is wrong, "" if nothing is; skipped where the API has no such thing.
type conformance struct {
	name, about string
	check       func(t *testing.T, s *sample) string
}

const absent = "–"

// conformances are the acceptance list of wire-formats.md section 8.
var conformances = []conformance{
	{"one unit per read", "text, usage and finish reason of a plain stream", func(t *testing.T, s *sample) string {
		p := s.play(t, headOf(200, s.mime), one(s.units("Hel", "lo")), io.EOF, true)
		return cmp.Or(p.verdict(OK, "Hello", 2), p.counts(s), p.clocks())
	}},
	{"one byte per read", "every split of every unit", func(t *testing.T, s *sample) string {
		p := s.play(t, headOf(200, s.mime), cut(s.units("Hel", "lo"), 1), io.EOF, true)
		return cmp.Or(p.verdict(OK, "Hello", 2), p.counts(s))
	}},
	{"all in one read", "a buffering proxy: the events share one read number", func(t *testing.T, s *sample) string {
		p := s.play(t, headOf(200, s.mime), cut(s.units("Hel", "lo"), 1<<20), io.EOF, true)
		reads := map[uint32]bool{}
		for _, e := range p.seen.all {
			if e.Kind.Generated() {
				reads[e.Read] = true
			}
		}
		if len(reads) != 1 {
			return fmt.Sprintf("%d read numbers", len(reads))
		}
		return cmp.Or(p.verdict(OK, "Hello", 2), p.counts(s))
	}},
	{"CRLF", "line ends of another kind", func(t *testing.T, s *sample) string {
		if s.binary {
			return absent
		}
		p := s.play(t, headOf(200, s.mime), [][]byte{[]byte(strings.ReplaceAll(strings.Join(s.units("Hel", "lo"), ""), "\n", "\r\n"))}, io.EOF, true)
		return cmp.Or(p.verdict(OK, "Hello", 2), p.counts(s))
	}},
	{"byte order mark", "before the first event", func(t *testing.T, s *sample) string {
		if s.mime != "text/event-stream" {
			return absent
		}
		p := s.play(t, headOf(200, s.mime), one(append([]string{"\xef\xbb\xbf"}, s.units("Hel", "lo")...)), io.EOF, true)
		return cmp.Or(p.verdict(OK, "Hello", 2), p.counts(s))
	}},
	{"keep-alives", "comments between all units count as no event", func(t *testing.T, s *sample) string {
		if s.comment == "" {
			return absent
		}
		var u []string
		for _, unit := range s.units("Hel", "lo") {
			u = append(u, s.comment, unit)
		}
		p := s.play(t, headOf(200, s.mime), one(u), io.EOF, true)
		if n := p.seen.count(Comment); n != len(u)/2 {
			return fmt.Sprintf("%d comments, want %d", n, len(u)/2)
		}
		return cmp.Or(p.verdict(OK, "Hello", 2), p.counts(s))
	}},
	{"5 MiB event", "larger than any buffer", func(t *testing.T, s *sample) string {
		big := strings.Repeat("x", 5<<20)
		p := s.play(t, headOf(200, s.mime), cut(s.units("a", big), 64<<10), io.EOF, true)
		return cmp.Or(p.verdict(OK, "a"+big, 2), p.counts(s))
	}},
	{"endless event", "memory is bounded, with a clear error", func(t *testing.T, s *sample) string {
		unit := s.text(strings.Repeat("x", maxEvent+1<<20))
		p := s.play(t, headOf(200, s.mime), cut([]string{unit}, 1<<20), io.EOF, true)
		if !strings.Contains(p.Error, "larger than") {
			return "error " + p.Error
		}
		return p.verdict(Malformed, "", 0)
	}},
	{"harmless units", "\"error\": null, pings, empty text, unknown events", func(t *testing.T, s *sample) string {
		u := slices.Clone(s.first)
		u = append(append(u, s.harmless...), s.text("Hel"))
		u = append(append(u, s.harmless...), s.text("lo"))
		p := s.play(t, headOf(200, s.mime), one(s.ending(u)), io.EOF, true)
		return cmp.Or(p.verdict(OK, "Hello", 2), p.counts(s))
	}},
	{"reasoning first", "first token before first visible token", func(t *testing.T, s *sample) string {
		if s.reasoning == nil {
			return absent
		}
		u := append(slices.Clone(s.first), s.reasoning("hm"), s.text("Hello"))
		p := s.play(t, headOf(200, s.mime), one(s.ending(u)), io.EOF, true)
		if r, a := p.seen.count(Reasoning), p.seen.count(Answer); r != 1 || a != 1 {
			return fmt.Sprintf("%d reasoning and %d answer events", r, a)
		}
		return p.verdict(OK, "Hello", 2)
	}},
	{"tool call only", "a token that is no visible one", func(t *testing.T, s *sample) string {
		if s.tool == nil {
			return absent
		}
		p := s.play(t, headOf(200, s.mime), one(s.ending(append(slices.Clone(s.first), s.tool("f")))), io.EOF, true)
		if n := p.seen.count(Tool); n != 1 {
			return fmt.Sprintf("%d tool events", n)
		}
		return p.verdict(OK, "", 1)
	}},
	{"no usage", "a success whose tokens are not told", func(t *testing.T, s *sample) string {
		u := append(append(slices.Clone(s.first), s.text("Hel"), s.text("lo")), s.noUsage...)
		if s.terminal != "" {
			u = append(u, s.terminal)
		}
		p := s.play(t, headOf(200, s.mime), one(u), io.EOF, true)
		if p.Usage.Output != nil {
			return fmt.Sprintf("output %d out of nothing", *p.Usage.Output)
		}
		return p.verdict(OK, "Hello", 2)
	}},
	{"no text", "a complete answer without a token is empty", func(t *testing.T, s *sample) string {
		p := s.play(t, headOf(200, s.mime), one(s.units()), io.EOF, true)
		return p.verdict(Empty, "", 0)
	}},
	{"cut between events", "a clean end before the terminal unit is truncated", func(t *testing.T, s *sample) string {
		if s.terminal == "" && len(s.last) == 0 {
			return absent // nothing says that the answer is whole
		}
		u := s.units("Hel", "lo")
		for n := range len(s.first) + 2 + 1 { // before any of last
			p := s.play(t, headOf(200, s.mime), one(u[:n]), io.EOF, true)
			if v := p.verdict(Truncated, p.Text, -1); v != "" {
				return fmt.Sprintf("after %d units: %s", n, v)
			}
		}
		return ""
	}},
	{"cut inside an event", "is truncated at every byte of a unit", func(t *testing.T, s *sample) string {
		unit := strings.TrimRight(s.text("lo"), "\r\n")
		if s.binary {
			unit = s.text("lo")
		}
		for n := 1; n < len(unit); n++ {
			u := append(append(slices.Clone(s.first), s.text("Hel")), unit[:n])
			p := s.play(t, headOf(200, s.mime), one(u), io.EOF, true)
			if v := p.verdict(Truncated, "Hel", 1); v != "" {
				return fmt.Sprintf("after byte %d: %s", n, v)
			}
		}
		return ""
	}},
	{"reset", "the connection is reset after the first token", func(t *testing.T, s *sample) string {
		p := s.play(t, headOf(200, s.mime), one(append(slices.Clone(s.first), s.text("Hel"))), syscall.ECONNRESET, true)
		return p.verdict(Truncated, "Hel", 1)
	}},
	{"error after tokens", "is an error under 200, also when the stream then ends well", func(t *testing.T, s *sample) string {
		for _, failure := range s.failure {
			u := append(append(slices.Clone(s.first), s.text("Hel")), failure)
			for _, more := range [][]string{nil, s.ending(nil)} {
				p := s.play(t, headOf(200, s.mime), one(append(slices.Clip(u), more...)), io.EOF, true)
				if v := p.verdict(StreamError, "Hel", 1); v != "" {
					return fmt.Sprintf("%q: %s", failure, v)
				}
				if !strings.Contains(p.Error, "overloaded") {
					return fmt.Sprintf("%q: the server's words are lost: %s", failure, p.Error)
				}
			}
		}
		return ""
	}},
	{"garbage", "an event that breaks the grammar is malformed", func(t *testing.T, s *sample) string {
		garbage := strings.Replace(s.text("lo"), "{", "}", 1)
		if s.binary {
			b := []byte(s.text("lo"))
			b[len(b)-1] ^= 1
			garbage = string(b)
		}
		p := s.play(t, headOf(200, s.mime), one(append(append(slices.Clone(s.first), s.text("Hel")), garbage)), io.EOF, true)
		return p.verdict(Malformed, "Hel", 1)
	}},
	{"gzip", "compression that was not asked for is malformed", func(t *testing.T, s *sample) string {
		p := s.play(t, headOf(200, s.mime, "Content-Encoding: gzip"), one([]string{"\x1f\x8b"}), io.EOF, true)
		return p.verdict(Malformed, "", 0)
	}},
	{"wrong type", "a page in place of a stream is malformed", func(t *testing.T, s *sample) string {
		p := s.play(t, headOf(200, "text/html"), one([]string{"<html>"}), io.EOF, true)
		return p.verdict(Malformed, "", 0)
	}},
	{"JSON error under 200", "one document with an error where a stream was asked for", func(t *testing.T, s *sample) string {
		if s.failedDocument == "" {
			return absent
		}
		p := s.play(t, headOf(200, "application/json"), one([]string{s.failedDocument}), io.EOF, true)
		if !strings.Contains(p.Error, "overloaded") {
			return "the server's words are lost: " + p.Error
		}
		return p.verdict(StreamError, "", 0)
	}},
	{"429, 503, 529", "status, words and Retry-After of a refusal", func(t *testing.T, s *sample) string {
		for _, c := range []struct {
			status int
			after  string
			want   time.Duration
			class  Class
		}{{429, "Retry-After: 2", 2 * time.Second, RateLimited}, {429, "Retry-After-Ms: 1500", 1500 * time.Millisecond, RateLimited},
			{503, "Retry-After: 0.5", 500 * time.Millisecond, HTTPStatus}, {529, "X-None: 1", 0, HTTPStatus}} {
			p := s.play(t, headOf(c.status, "application/json", c.after), one([]string{cmp.Or(s.failedDocument, `{"message":"overloaded"}`)}), io.EOF, true)
			if v := p.verdict(c.class, "", 0); v != "" || p.RetryAfter != c.want || p.Status != c.status || !strings.Contains(p.Error, "overloaded") {
				return fmt.Sprintf("%d: %s %+v", c.status, v, p.Result)
			}
		}
		return ""
	}},
	{"in one piece", "stream: false, with usage and finish reason", func(t *testing.T, s *sample) string {
		if s.document == "" {
			return absent
		}
		p := s.play(t, headOf(200, "application/json", s.head...), one([]string{s.document}), io.EOF, false)
		if v := cmp.Or(p.verdict(OK, "Hello", 1), p.counts(s)); v != "" {
			return v
		}
		p = s.play(t, headOf(200, "application/json"), one([]string{s.failedDocument}), io.EOF, false)
		return p.verdict(StreamError, "", 0)
	}},
}

// clocks checks that a plain stream's events carry the reads that brought them.
func (p *played) clocks() string {
	last := uint32(0)
	for _, e := range p.seen.all {
		if e.Read < last || e.Kind != Headers && e.At != time.Duration(e.Read) {
			return fmt.Sprintf("event %+v is not that of its read", e)
		}
		last = e.Read
	}
	if _, ok := p.seen.first(Done); !ok {
		return "the end was not told"
	}
	return ""
}

// TestConformance checks every API against the acceptance list, and that the table in the docs says what it found.
func TestConformance(t *testing.T) {
	var doc bytes.Buffer
	doc.WriteString("<!-- written by `go test ./pkg/endpoint -run Conformance -update` -->\n\n")
	names := APIs()
	fmt.Fprintf(&doc, "| case | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	for _, c := range conformances {
		fmt.Fprintf(&doc, "| **%s**: %s |", c.name, c.about)
		for _, name := range names {
			s, ok := samples[name]
			if !ok {
				t.Fatalf("%s has no row of conformance", name)
			}
			s.approach.API = name
			found := c.check(t, &s)
			if found != "" && found != absent {
				t.Errorf("%s: %s: %s", name, c.name, found)
			}
			fmt.Fprintf(&doc, " %s |", cmp.Or(found, "ok"))
		}
		doc.WriteString("\n")
	}
	t.Logf("\n%s", doc.String())
	path := filepath.Join("..", "..", "docs", "conformance.md")
	if *update {
		if err := os.WriteFile(path, doc.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || !bytes.Equal(want, doc.Bytes()) {
		t.Errorf("%s does not say this (%v); look at the difference, then run with -update", path, err)
	}
}

// FuzzAnswer holds every API against any body: what comes of it does not depend on how the network cuts it, and nothing
// makes a reader panic or run away.
func FuzzAnswer(f *testing.F) {
	for _, name := range APIs() {
		s := samples[name]
		f.Add(name, true, []byte(strings.Join(s.units("Hel", "lo"), "")))
		f.Add(name, false, []byte(s.document))
		for _, unit := range slices.Concat(s.failure, s.harmless) {
			f.Add(name, true, []byte(strings.Join(s.first, "")+s.text("a")+unit+s.terminal))
		}
	}
	f.Fuzz(func(t *testing.T, name string, stream bool, body []byte) {
		s, ok := samples[name]
		if !ok || len(body) > 64<<10 {
			t.Skip()
		}
		s.approach.API = name
		head := headOf(200, s.mime)
		whole := s.play(t, head, [][]byte{body}, io.EOF, stream)
		single := s.play(t, head, slices.Collect(slices.Chunk(body, 1)), io.EOF, stream)
		if whole.Class == "" || whole.Class != OK && whole.Error == "" {
			t.Errorf("class %q without words", whole.Class)
		}
		if !reflect.DeepEqual(whole.Result, single.Result) {
			t.Errorf("in one read\n%+v, byte by byte\n%+v", whole.Result, single.Result)
		}
		kinds := func(p played) (k []Kind) {
			for _, e := range p.seen.all {
				k = append(k, e.Kind)
			}
			return k
		}
		if !slices.Equal(kinds(whole), kinds(single)) {
			t.Errorf("in one read %v, byte by byte %v", kinds(whole), kinds(single))
		}
	})
}
