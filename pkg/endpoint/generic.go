package endpoint

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/infbench/infbench/pkg/workload"
)

// Generic is the name of the API that a scenario describes itself (workload.Generic).
const Generic = "generic"

// genericAPI is POST {url}{generic.path}.
func genericAPI(cfg *Config) (*api, error) {
	a := &cfg.Approach
	g := a.Generic
	if g == nil || g.Path == "" || g.Text == "" {
		return nil, errors.New("generic is missing, or its path or text: they describe the API")
	}
	return &api{path: strings.ReplaceAll(g.Path, workload.PlaceModel, url.PathEscape(a.Model)), header: bearer(cfg.Key), manner: genericManner(g),
		dialect: func(res *Result) dialect { return newGeneric(g, res) },
		body: func(req *workload.Request) map[string]any {
			f := filler{model: a.Model, stream: a.Streaming(), req: req, prompt: promptOf(req.Messages)}
			body, _ := f.fill(g.Body)
			return body.(map[string]any)
		}}, nil
}

func genericManner(g *workload.Generic) *manner {
	m := &manner{mime: "text/event-stream", framer: sse}
	if g.Framing == "ndjson" {
		m = jsonLines("")
	}
	switch d := g.Done; {
	case d == nil:
		m.openEnded, m.bare = true, g.Finish == ""
	case d.Data != "":
		m.terminal = d.Data
	case d.Equals != nil:
		m.terminal = fmt.Sprintf("an event whose %s is %v", d.Path, d.Equals)
	default:
		m.terminal = "an event with " + d.Path
	}
	return m
}

// filler puts what a request asks into a body.
type filler struct {
	model, prompt string
	stream        bool
	req           *workload.Request
}

// fill is a copy of a part of the body without placeholders; keep is false for a field that the request leaves out.
func (f *filler) fill(v any) (filled any, keep bool) {
	switch v := v.(type) {
	case map[string]any:
		group := map[string]any{}
		for name, value := range v {
			if value, keep := f.fill(value); keep {
				group[name] = value
			}
		}
		return group, true
	case []any:
		list := []any{}
		for _, value := range v {
			if value, keep := f.fill(value); keep {
				list = append(list, value)
			}
		}
		return list, true
	case string:
		return f.text(v)
	}
	return v, true
}

func (f *filler) text(s string) (any, bool) {
	switch s {
	case workload.PlaceMessages:
		return f.req.Messages, true
	case workload.PlaceStream:
		return f.stream, true
	case workload.PlaceMaxTokens:
		return f.req.MaxTokens, f.req.MaxTokens > 0
	}
	return strings.NewReplacer(workload.PlacePrompt, f.prompt, workload.PlaceModel, f.model,
		workload.PlaceMaxTokens, fmt.Sprint(f.req.MaxTokens)).Replace(s), true
}

// generic reads events by the places that a scenario names.
type generic struct {
	*workload.Generic
	res             *Result
	counted         tally
	pending         int // tokens since the last text
	text, reasoning progress
}

func newGeneric(g *workload.Generic, res *Result) *generic {
	d := &generic{Generic: g, res: res}
	d.text.decide(g.Cumulative)
	d.reasoning.decide(g.Cumulative)
	return d
}

// event implements dialect. It copies the event once: a path of gjson may need anything of it.
func (g *generic) event(f *frame, s *said) {
	data := bytes.TrimSpace(f.data)
	switch {
	case g.Done != nil && g.Done.Data != "" && string(data) == g.Done.Data:
		s.end = true
	case string(f.event) == "error":
		s.fail(errorMessage(data))
	case !gjson.ValidBytes(data):
		s.garble("is no JSON")
	default:
		root := gjson.ParseBytes(data)
		if g.take(root, s); !s.failed && g.Done != nil && g.Done.Path != "" {
			s.end = g.last(root)
		}
	}
}

// last reports the event by whose content the end is known.
func (g *generic) last(root gjson.Result) bool {
	v := root.Get(g.Done.Path)
	if g.Done.Equals != nil {
		return v.Exists() && v.String() == fmt.Sprint(g.Done.Equals)
	}
	return v.Exists() && v.Type != gjson.False && v.Type != gjson.Null && v.Raw != `""`
}

// whole implements dialect.
func (g *generic) whole(b []byte, s *said) { g.take(gjson.ParseBytes(b), s) }

func (g *generic) take(root gjson.Result, s *said) {
	if v := g.at(root, cmp.Or(g.Error, "error")); isError(v) {
		s.fail(errorMessage(v))
		return
	}
	n, counted, told := g.tokens(root)
	g.pending += n
	text, reasoning := g.at(root, g.Text), g.at(root, g.Reasoning)
	s.unknown = text == nil && reasoning == nil && !told
	if piece := g.text.of(text); piece != nil && (!counted || g.pending > 0) {
		s.kind, s.text = Answer, piece
	} else if s.text = piece; g.reasoning.of(reasoning) != nil {
		s.kind = Reasoning
	}
	if s.kind.Generated() {
		s.tokens, g.pending = g.pending, 0
	}
	if finish := root.Get(g.Finish); g.Finish != "" && finish.Exists() && finish.Type != gjson.Null {
		s.finish, s.unknown = finish.String(), false
	}
	g.usage(root, s)
}

// at is the JSON of what stands at a place; nil where nothing does.
func (g *generic) at(root gjson.Result, path string) []byte {
	if path == "" {
		return nil
	}
	if v := root.Get(path); v.Exists() {
		return []byte(v.Raw)
	}
	return nil
}

// tokens is how many tokens an event has; counted is false where it does not say.
func (g *generic) tokens(root gjson.Result) (n int, counted, told bool) {
	if g.Tokens == "" {
		return 0, false, false
	}
	v := root.Get(g.Tokens)
	if v.IsArray() {
		return len(v.Array()), true, true
	}
	n, counted = g.counted.next(v.Raw)
	return n, counted, counted
}

func (g *generic) usage(root gjson.Result, s *said) {
	u := &g.res.Usage
	for _, c := range []struct {
		path string
		dst  **int
	}{{g.InputTokens, &u.Input}, {g.CachedTokens, &u.CachedInput}, {g.OutputTokens, &u.Output}} {
		if c.path != "" && setCount(c.dst, root.Get(c.path)) {
			s.unknown = false
		}
	}
}
