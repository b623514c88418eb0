package endpoint

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// BedrockConverse is the name of Amazon Bedrock's Converse API in a scenario.
const BedrockConverse = "bedrock-converse"

// bedrockConverse is POST {url}/model/{model}/converse-stream of Amazon Bedrock (wire-formats.md 3.12), and /converse
// where nothing is streamed. Requests carry a Bedrock API key where the approach names one, else a signature.
func bedrockConverse(cfg *Config) (*api, error) {
	a := &cfg.Approach
	if a.Model == "" {
		return nil, errors.New("model: missing: name it in the approach, since it is part of the URL of a call")
	}
	out := &api{path: "/model/" + awsEscape(a.Model) + "/converse", header: bearer(cfg.Key), manner: converseStream,
		dialect: func(res *Result) dialect { return &converse{res: res} }, body: converseBody}
	if a.Streaming() {
		out.path += "-stream"
	}
	for name := range a.Headers {
		if http.CanonicalHeaderKey(name) == "Authorization" {
			return out, nil
		}
	}
	if cfg.Key != "" {
		return out, nil
	}
	var err error
	out.sign, out.secrets, err = awsSigner(cfg, "bedrock")
	return out, err
}

var converseStream = &manner{mime: "application/vnd.amazon.eventstream", framer: newAWSFrames, terminal: "metadata"}

// awsEscape writes a segment of a path as Amazon's SDKs do: everything but letters, digits and -._~ is escaped, the colon
// of a model's version too, and the slash of an ARN.
func awsEscape(segment string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(segment) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + hex[c>>4:c>>4+1] + hex[c&15:c&15+1])
		}
	}
	return b.String()
}

// converseBody is what a request asks. What the system says stands apart.
func converseBody(req *workload.Request) map[string]any {
	messages, system := []any{}, []any{}
	for _, m := range req.Messages {
		text := []any{map[string]any{"text": m.Content}}
		if m.Role == "system" {
			system = append(system, text...)
		} else {
			messages = append(messages, map[string]any{"role": m.Role, "content": text})
		}
	}
	body := map[string]any{"messages": messages}
	if len(system) > 0 {
		body["system"] = system
	}
	if req.MaxTokens > 0 {
		body["inferenceConfig"] = map[string]any{"maxTokens": req.MaxTokens}
	}
	return body
}

// converse reads Converse answers.
type converse struct{ res *Result }

// event implements dialect.
func (c *converse) event(f *frame, s *said) {
	if f.failed {
		words := string(f.event)
		if len(f.data) > 0 {
			words += ": " + errorMessage(f.data)
		}
		s.fail(words)
		return
	}
	ok := true
	switch string(f.event) { // does not allocate
	case "contentBlockDelta", "contentBlockStart":
		ok = conversePiece(f.data, s)
	case "messageStart", "contentBlockStop":
		ok = gjson.ValidBytes(f.data)
	case "messageStop":
		ok = gjson.ValidBytes(f.data)
		s.finish = gjson.GetBytes(f.data, "stopReason").Str
	case "metadata": // the last one, not messageStop
		ok = gjson.ValidBytes(f.data)
		c.report(f.data)
		s.end = true
	default:
		s.unknown = true
	}
	if !ok {
		s.garble("is no JSON object")
	}
}

// conversePiece finds what a delta, or the start of a block, holds: a text, or a tool's name. Reasoning that is redacted was
// generated all the same, as in anthropic-messages. Padding (p), citations and signatures are nothing generated. It reports false where that is no JSON object.
func conversePiece(b []byte, s *said) bool {
	j := jsonScan{b: b}
	if !j.enter('{') {
		return false
	}
	for k := j.key(); k != nil; k = j.key() {
		if string(k) != "delta" && string(k) != "start" || !j.enter('{') {
			j.value()
			continue
		}
		for k := j.key(); k != nil; k = j.key() {
			switch string(k) {
			case "text":
				if v := j.value(); isText(v) {
					s.kind, s.text = Answer, v
				}
			case "reasoningContent":
				if j.holds("text", "redactedContent") && s.kind == Other {
					s.kind = Reasoning
				}
			case "toolUse":
				if j.holds("input", "name") && s.kind == Other {
					s.kind = Tool
				}
			default:
				j.value()
			}
		}
	}
	return j.end()
}

// holds reads a value and reports whether it is an object in which one of two fields is a text.
func (s *jsonScan) holds(one, other string) (found bool) {
	if !s.enter('{') {
		s.value()
		return false
	}
	for k := s.key(); k != nil; k = s.key() {
		v := s.value()
		found = found || (string(k) == one || string(k) == other) && isText(v)
	}
	return found
}

// report takes usage and the server's time, which are the same in a stream and in one piece.
func (c *converse) report(b []byte) {
	u, said := &c.res.Usage, gjson.GetBytes(b, "usage")
	var written *int
	setCount(&u.Output, said.Get("outputTokens"))
	setCount(&u.CachedInput, said.Get("cacheReadInputTokens"))
	setCount(&written, said.Get("cacheWriteInputTokens"))
	if setCount(&u.Input, said.Get("inputTokens")) { // which leaves out what the cache read or wrote
		for _, more := range []*int{u.CachedInput, written} {
			if more != nil {
				*u.Input += *more
			}
		}
	}
	setTime(&c.res.Server.Total, gjson.GetBytes(b, "metrics.latencyMs"), time.Millisecond)
	if c.res.Server.Total != nil {
		c.res.Server.Source = "Bedrock metrics"
	}
}

// whole implements dialect.
func (c *converse) whole(b []byte, s *said) {
	root := gjson.ParseBytes(b)
	message := root.Get("output.message")
	if !message.IsObject() {
		s.fail(errorMessage(b))
		return
	}
	c.report(b)
	s.finish = root.Get("stopReason").Str
	for _, part := range message.Get("content").Array() {
		switch {
		case part.Get("text").Str != "":
			s.kind = Answer
		case s.kind != Answer && (part.Get("reasoningContent.reasoningText.text").Str != "" || part.Get("reasoningContent.redactedContent").Str != ""):
			s.kind = Reasoning
		case part.Get("toolUse").IsObject() && s.kind == Other:
			s.kind = Tool
		}
	}
	s.text = []byte(message.Get("content").Raw)
}
