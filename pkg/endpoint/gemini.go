package endpoint

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// Gemini is the name of the Gemini API in a scenario.
const Gemini = "gemini"

// gemini is POST {url}/models/{model}:streamGenerateContent?alt=sse (wire-formats.md 3.5); generateContent for an answer
// in one piece. Without alt=sse a stream would be one growing JSON array.
func gemini(cfg *Config) (*api, error) {
	a := &cfg.Approach
	if a.Model == "" {
		return nil, errors.New("model: name one: it is part of this API's URL")
	}
	folder, name, found := strings.Cut(a.Model, "/")
	if !found || folder != "models" && folder != "tunedModels" {
		folder, name = "models", a.Model
	}
	path := "/" + folder + "/" + url.PathEscape(name) + ":generateContent"
	if a.Streaming() {
		path = "/" + folder + "/" + url.PathEscape(name) + ":streamGenerateContent?alt=sse"
	}
	header := http.Header{}
	if cfg.Key != "" {
		header.Set("X-Goog-Api-Key", cfg.Key)
	}
	return &api{path: path, header: header, manner: &manner{mime: "text/event-stream", framer: sse, openEnded: true},
		dialect: func(res *Result) dialect { return &generated{res: res} },
		body:    geminiBody}, nil
}

// geminiBody is the body of a request; model and stream stand in the URL.
func geminiBody(req *workload.Request) map[string]any {
	said := func(text string) []map[string]any { return []map[string]any{{"text": text}} }
	system, turns := splitSystem(req.Messages)
	contents := make([]map[string]any, len(turns))
	for i, m := range turns {
		role := "user"
		if m.Role == "assistant" {
			role = "model"
		}
		contents[i] = map[string]any{"role": role, "parts": said(m.Content)}
	}
	fields := map[string]any{"contents": contents}
	if system != "" {
		fields["systemInstruction"] = map[string]any{"parts": said(system)}
	}
	if req.MaxTokens > 0 {
		fields["generationConfig"] = map[string]any{"maxOutputTokens": req.MaxTokens}
	}
	return fields
}

// generated reads what Gemini generated.
type generated struct {
	res     *Result
	running runningCount
	parsed  geminiChunk // the event under way; here, so that it is not allocated anew
}

// event implements dialect. A [DONE] does not belong to this API; gateways to it send one all the same, and it says
// nothing.
func (g *generated) event(f *frame, s *said) {
	c := &g.parsed
	switch ok := c.parse(f.data); {
	case string(f.event) == "error":
		s.fail(errorMessage(f.data))
	case !ok && isDone(f.data):
	case !ok:
		s.garble("is no JSON object")
	default:
		g.take(c, s)
	}
}

// take takes an event, or an answer in one piece: they have the same form.
func (g *generated) take(c *geminiChunk, s *said) {
	if c.err != nil {
		s.fail(errorMessage(c.err))
		return
	}
	if why := gjson.GetBytes(c.feedback, "blockReason").Str; why != "" && why != "BLOCKED_REASON_UNSPECIFIED" {
		s.fail(strings.TrimSuffix("the prompt was blocked: "+why+": "+gjson.GetBytes(c.feedback, "blockReasonMessage").Str, ": "))
		return
	}
	s.unknown = !c.known
	s.kind, s.text, s.finish = c.kind, c.text.list(), string(c.finish)
	c.usage.put(&g.res.Usage)
	if s.kind.Generated() {
		total := c.usage.output()
		s.tokens = g.running.grown(total.n, total.told)
	}
}

// whole implements dialect. A server or proxy that dropped alt=sse answers with an array of the events.
func (g *generated) whole(b []byte, s *said) {
	chunks := []gjson.Result{gjson.ParseBytes(b)}
	if chunks[0].IsArray() {
		chunks = chunks[0].Array()
	}
	for _, chunk := range chunks {
		c := &geminiChunk{}
		if !c.parse([]byte(chunk.Raw)) {
			s.garble("is no JSON object")
			return
		}
		kind := s.kind
		g.take(c, s)
		s.kind = foremost(kind, s.kind)
	}
}
