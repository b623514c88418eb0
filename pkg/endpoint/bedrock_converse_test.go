package endpoint

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// awsMessage is a message of the event stream encoding, by the letter of its description.
func awsMessage(payload string, headers ...string) string {
	var h []byte
	for i := 0; i < len(headers); i += 2 {
		h = append(append(h, byte(len(headers[i]))), headers[i]...)
		h = binary.BigEndian.AppendUint16(append(h, 7), uint16(len(headers[i+1])))
		h = append(h, headers[i+1]...)
	}
	return awsRaw(string(h), payload)
}

func awsRaw(headers, payload string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(headers)+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(headers)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, headers...), payload...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
}

func converseEvent(name, payload string) string {
	return awsMessage(payload, ":event-type", name, ":content-type", "application/json", ":message-type", "event")
}

func converseDelta(delta string) string {
	return converseEvent("contentBlockDelta", `{"contentBlockIndex":0,"delta":`+delta+`,"p":"abcdefghijklmn"}`)
}

func converseException(name, payload string) string {
	return awsMessage(payload, ":exception-type", name, ":content-type", "application/json", ":message-type", "exception")
}

const converseMetadata = `{"metrics":{"latencyMs":1234},"p":"ab","usage":{"inputTokens":3,"cacheReadInputTokens":4,"cacheWriteInputTokens":2,"outputTokens":2,"totalTokens":11}}`

func init() {
	stop := converseEvent("messageStop", `{"p":"abc","stopReason":"end_turn"}`)
	blockStop := converseEvent("contentBlockStop", `{"contentBlockIndex":0}`)
	samples[BedrockConverse] = sample{
		mime:      "application/vnd.amazon.eventstream",
		text:      func(piece string) string { return converseDelta(`{"text":"` + piece + `"}`) },
		reasoning: func(piece string) string { return converseDelta(`{"reasoningContent":{"text":"` + piece + `"}}`) },
		tool: func(piece string) string {
			return converseEvent("contentBlockStart", `{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t","name":"`+piece+`"}}}`)
		},
		first:   []string{converseEvent("messageStart", `{"p":"abcd","role":"assistant"}`)},
		last:    []string{blockStop, stop, converseEvent("metadata", converseMetadata)},
		noUsage: []string{blockStop, stop, converseEvent("metadata", `{"metrics":{"latencyMs":1234}}`)},
		failure: []string{converseException("modelStreamErrorException", `{"message":"overloaded","originalStatusCode":424}`),
			converseException("throttlingException", `{"message":"overloaded"}`),
			awsMessage("", ":message-type", "error", ":error-code", "InternalError", ":error-message", "overloaded")},
		harmless: []string{converseDelta(`{"text":""}`), converseDelta(`{"reasoningContent":{"signature":"c2ln"}}`), converseDelta(`{"reasoningContent":{"redactedContent":""}}`),
			converseDelta(`{"toolUse":{"input":""}}`), converseDelta(`{"citation":{"title":"text"}}`), converseEvent("initial-response", `{}`),
			converseEvent("contentBlockStart", `{"start":{},"contentBlockIndex":0}`), converseEvent("somethingNew", `{"error":"overloaded"}`)},
		document:       `{"metrics":{"latencyMs":1234},"output":{"message":{"content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},{"text":"Hel"},{"text":"lo"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":3,"cacheReadInputTokens":4,"cacheWriteInputTokens":2,"outputTokens":2}}`,
		failedDocument: `{"message":"overloaded"}`,
		finish:         "end_turn",
		usage:          [4]int{9, 4, 2, -1},
		binary:         true,
	}
}

// The forms of an answer that the table of conformance does not have.
func TestConverse(t *testing.T) {
	s := samples[BedrockConverse]
	s.approach.API = BedrockConverse
	play := func(units ...string) played {
		return s.play(t, headOf(200, s.mime), one(units), io.EOF, true)
	}
	p := play(s.units("Hi")...)
	if total := p.Server.Total; total == nil || *total != 1234*time.Millisecond || p.Server.Source != "Bedrock metrics" || p.Server.Prefill != nil {
		t.Errorf("%+v", p.Server)
	}
	if p = play(s.ending([]string{converseDelta(`{"toolUse":{"input":"{\"a\""}}`)})...); p.seen.count(Tool) != 1 || p.Class != OK {
		t.Errorf("a tool's input: %+v", p)
	}
	// Redacted reasoning was generated, in a stream and in one piece.
	if p = play(s.ending([]string{converseDelta(`{"reasoningContent":{"redactedContent":"c2ln"}}`)})...); p.seen.count(Reasoning) != 1 || p.Class != OK {
		t.Errorf("redacted reasoning: %+v", p)
	}
	redacted := said{}
	(&converse{res: &Result{}}).whole([]byte(`{"output":{"message":{"content":[{"reasoningContent":{"redactedContent":"c2ln"}}]}}}`), &redacted)
	if redacted.kind != Reasoning {
		t.Errorf("redacted reasoning in one piece: %+v", redacted)
	}
	if p = play(s.ending([]string{converseDelta(`{"te\u0078t":"H\u0069"}`)})...); p.Text != "Hi" {
		t.Errorf("escapes: %+v", p)
	}
	for name, unit := range map[string]string{
		"no JSON":                 converseDelta(`{"text":`),
		"no object":               converseEvent("contentBlockDelta", `7`),
		"no JSON in the usage":    converseEvent("metadata", `{`),
		"checksum of the head":    "\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"headers longer than all": badHead(16, 8),
		"shorter than its head":   badHead(8, 0),
		"headers that break off":  awsRaw("\x05:ab", ""),
		"a header without type":   awsRaw("\x01a", ""),
		"a type that is none":     awsRaw("\x01a\x0a", ""),
		"a value that breaks off": awsRaw("\x01a\x07\x00\x09b", ""),
	} {
		if p = play(append(s.units("Hi")[:2], unit)...); p.Class != Malformed || p.Text != "Hi" {
			t.Errorf("%s: %s %q", name, p.Class, p.Error)
		}
	}
	// headers of every type, and none that is known
	all := "\x01a\x00\x01b\x01\x01c\x02x\x01d\x03xx\x01e\x04xxxx\x01f\x05xxxxxxxx\x01g\x06\x00\x01x\x01h\x08xxxxxxxx\x01i\x09xxxxxxxxxxxxxxxx"
	if p = play(append([]string{awsRaw(all, "")}, s.units("Hi")...)...); p.Class != OK || p.UnknownEvents != 1 {
		t.Errorf("headers of every type: %+v", p)
	}
}

// badHead is a head with a good checksum and these lengths.
func badHead(total, headers uint32) string {
	b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, total), headers)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))) + "\x00\x00\x00\x00"
}

// What a request looks like: the path with the model in it, the system apart, a key or a signature.
func TestConverseRequest(t *testing.T) {
	type asked struct {
		*http.Request
		body string
	}
	requests := make(chan asked, 1)
	var got asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		requests <- asked{r, string(b)}
		w.Header().Set("X-Amzn-Requestid", "id-of-amazon")
		http.Error(w, `{"message":"The security token included in the request is invalid."}`, http.StatusForbidden)
	}))
	defer server.Close()
	request := &workload.Request{MaxTokens: 5, Messages: []workload.Message{{Role: "system", Content: "be brief"}, {Role: "user", Content: "hi"}}}
	env := map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI", "AWS_SESSION_TOKEN": "session-token"}
	ask := func(change func(*Config)) Result {
		e := onLoopback(t, server.URL, func(c *Config) {
			c.Approach.API, c.Approach.Model, c.Approach.Region = BedrockConverse, "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.m-v1:0", "eu-west-1"
			c.LookupEnv = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
			change(c)
		})
		r := e.Do(t.Context(), request, &events{})
		got = <-requests
		return r
	}
	for _, reference := range []bool{false, true} {
		r := ask(func(c *Config) { c.Reference = reference })
		if r.Class != HTTPStatus || r.Status != 403 || r.RequestID != "id-of-amazon" || !strings.Contains(r.Error, "security token") {
			t.Errorf("%+v", r)
		}
		if want := "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Feu.m-v1%3A0/converse-stream"; got.RequestURI != want {
			t.Errorf("asked for %s", got.RequestURI)
		}
		if want := `{"inferenceConfig":{"maxTokens":5},"messages":[{"content":[{"text":"hi"}],"role":"user"}],"system":[{"text":"be brief"}]}`; got.body != want {
			t.Errorf("body %s", got.body)
		}
		auth := got.Header.Get("Authorization")
		if !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(auth, "/eu-west-1/bedrock/aws4_request, SignedHeaders=") ||
			got.Header.Get("X-Amz-Security-Token") != "session-token" || got.Header.Get("Accept") != "application/vnd.amazon.eventstream" {
			t.Errorf("%v", got.Header)
		}
	}
	stream := false
	if ask(func(c *Config) { c.Key, c.Approach.Stream = "bedrock-api-key", &stream }); got.Header.Get("Authorization") != "Bearer bedrock-api-key" || !strings.HasSuffix(got.RequestURI, "/converse") {
		t.Errorf("%s %v", got.RequestURI, got.Header)
	}
	if ask(func(c *Config) { c.Approach.Headers = map[string]string{"authorization": "Custom x"} }); !reflect.DeepEqual(got.Header["Authorization"], []string{"Custom x"}) {
		t.Errorf("%v", got.Header)
	}
}

func TestConverseOpenErrors(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	for want, cfg := range map[string]Config{
		"model: missing":          {Approach: workload.Approach{URL: "http://h"}},
		"region: missing":         {Approach: workload.Approach{URL: "http://bedrock-runtime.us-east-1.example.com", Model: "m"}},
		"key_env: no credentials": {Approach: workload.Approach{URL: "https://bedrock-runtime.us-east-1.amazonaws.com", Model: "m"}},
	} {
		cfg.Approach.API, cfg.Epoch, cfg.LookupEnv = BedrockConverse, time.Now(), none
		if _, err := Open(cfg); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	env := map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "two\nlines"}
	cfg := Config{Approach: workload.Approach{API: BedrockConverse, URL: "https://bedrock-runtime.us-east-1.amazonaws.com", Model: "m"}, Epoch: time.Now(),
		LookupEnv: func(name string) (string, bool) { return env[name], true }}
	if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), "hold a space") || strings.Contains(err.Error(), "lines") {
		t.Errorf("%v", err)
	}
	for url, want := range map[string]string{
		"https://bedrock-runtime.us-east-1.amazonaws.com":                            "us-east-1",
		"https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com":                   "us-gov-west-1",
		"https://bedrock-runtime.cn-north-1.amazonaws.com.cn":                        "cn-north-1",
		"https://vpce-0a1b-2c3d.bedrock-runtime.eu-central-1.vpce.amazonaws.com/any": "eu-central-1",
	} {
		if got, err := awsRegion(&Config{Approach: workload.Approach{URL: url}}); got != want || err != nil {
			t.Errorf("%s: %s %v", url, got, err)
		}
	}
}

// An event costs no allocation.
func TestConverseEventsAllocateNothing(t *testing.T) {
	e := &counting{}
	c := &attempt{obs: e, clocks: &deadlines{}}
	x := &exchange{ctx: t.Context(), clocks: c.clocks, obs: e}
	r := &response{exchange: x, dialect: &converse{res: &x.res}, manner: converseStream, streamed: true, generated: true}
	unit := []byte(converseDelta(`{"text":"Hi"}`) + converseDelta(`{"reasoningContent":{"text":"hm"}}`))
	src := &again{b: unit}
	frames := newAWSFrames(src)
	var f frame
	if n := testing.AllocsPerRun(1000, func() {
		if err := frames.next(&f); err != nil || !r.frame(&f) {
			t.Fatal(err)
		}
	}); n != 0 || e.n < 1000 {
		t.Errorf("%v allocations per event, %d events", n, e.n)
	}
}

// again is a stream of the same bytes without end.
type again struct {
	b  []byte
	at int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.b[a.at:])
	a.at = (a.at + n) % len(a.b)
	return n, nil
}

func (*again) readOf(int64) (time.Duration, uint32) { return 0, 0 }

func BenchmarkConverseEvent(b *testing.B) {
	e := &counting{}
	x := &exchange{ctx: b.Context(), clocks: &deadlines{}, obs: e}
	r := &response{exchange: x, dialect: &converse{res: &x.res}, manner: converseStream, streamed: true, generated: true}
	frames := newAWSFrames(&again{b: []byte(converseDelta(`{"text":"Hi"}`))})
	var f frame
	b.ReportAllocs()
	for b.Loop() {
		if err := frames.next(&f); err != nil || !r.frame(&f) {
			b.Fatal(err)
		}
	}
}

// FuzzConverse holds Converse's events against any payload in a sound frame, which a fuzzer would hardly make itself.
func FuzzConverse(f *testing.F) {
	for _, name := range []string{"contentBlockDelta", "contentBlockStart", "messageStart", "messageStop", "metadata", "none"} {
		for _, payload := range []string{`{"delta":{"text":"Hi"}}`, `{"start":{"toolUse":{"name":"f"}}}`, `{"delta":{"reasoningContent":{"text":"hm"},"text":""}}`, converseMetadata, `{"stopReason":"x"}`} {
			f.Add(name, payload, "\x01a\x07\x00\x01b")
		}
	}
	f.Fuzz(func(t *testing.T, name, payload, headers string) {
		if len(name) > 255 || len(payload) > 64<<10 || len(headers) > 64<<10 {
			t.Skip()
		}
		s := samples[BedrockConverse]
		s.approach.API = BedrockConverse
		body := s.first[0] + awsRaw(headers, payload) + converseEvent(name, payload) + converseEvent("metadata", converseMetadata)
		whole := s.play(t, headOf(200, s.mime), [][]byte{[]byte(body)}, io.EOF, true)
		single := s.play(t, headOf(200, s.mime), cut([]string{body}, 1), io.EOF, true)
		if !reflect.DeepEqual(whole.Result, single.Result) {
			t.Errorf("in one read\n%+v, byte by byte\n%+v", whole.Result, single.Result)
		}
	})
}
