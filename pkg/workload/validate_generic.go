package workload

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// selfHosted are the native APIs of servers that one runs oneself.
var selfHosted = []string{"generic", "llamacpp", "ollama-chat", "ollama-generate", "sglang", "tgi", "triton"}

// validateAPI holds the fields of an approach against its API.
func validateAPI(a *Approach, p strict.Place) {
	api, generic := p.Field("api"), p.Field("generic")
	if api.Present() && !api.Sound() {
		return
	}
	name := a.API
	if name == "" {
		name = "openai-chat"
	}
	switch {
	case name == "generic" && !generic.Present():
		generic.Mistake("missing", "describe the API, such as {path: /generate, body: {prompt: <prompt>}, text: text}")
	case name == "generic":
		validateGeneric(a, generic)
	case generic.Present():
		generic.Mistake("without effect beside api: "+name, "write api: generic, or remove it")
	}
	if slices.Contains(selfHosted, name) {
		if a.MaxTokensField != "max_completion_tokens" { // the default stands in every record
			excluded(p, "api: "+name, "remove it: this API has a name of its own for the output length", "max_tokens_field")
		}
		if simulate := p.Field("simulate"); simulate.Present() {
			simulate.Mistake("the simulated endpoint does not speak "+name, "remove api, or write the url of a real one")
		}
	}
	if model := p.Field("model"); name == "triton" && !model.Present() {
		model.Mistake("missing", "name the model: it is a part of Triton's URL")
	}
}

func validateGeneric(a *Approach, p strict.Place) {
	g := a.Generic
	if g == nil {
		return
	}
	if path := p.Field("path"); path.Sound() {
		validatePathOf(a, path)
	}
	if body := p.Field("body"); body.Sound() {
		if texts := validateBody(body); !strings.Contains(texts, PlacePrompt) && !strings.Contains(texts, PlaceMessages) {
			body.Mistake("no request would carry its prompt", "write <prompt> or <messages> where it belongs, such as {prompt: <prompt>}")
		}
	}
	for _, field := range []string{"text", "reasoning", "tokens", "input_tokens", "cached_tokens", "output_tokens", "finish", "error"} {
		validateJSONPath(p.Field(field))
	}
	done := p.Field("done")
	switch exactlyOne(done, "say how the last event is known", "data", "path") {
	case "data":
		excluded(done, "data", "remove it: it says what stands at done.path", "equals")
	case "path":
		validateJSONPath(done.Field("path"))
		if equals := done.Field("equals"); equals.Present() && equals.Text() == "" {
			equals.Mistake("nothing to compare with", "write a text, a number, true or false, or remove it")
		}
	}
}

// validatePathOf: the model is all that a path can take in.
func validatePathOf(a *Approach, p strict.Place) {
	path := a.Generic.Path
	if strings.Contains(path, PlaceModel) && a.Model == "" {
		p.Mistake("<model> stands for a model that is missing", "name the model in the field model of the approach")
	}
	for _, place := range []string{PlacePrompt, PlaceMessages, PlaceMaxTokens, PlaceStream} {
		if strings.Contains(path, place) {
			p.Mistake(place+" cannot stand in a path", "only <model> can; write it into the body")
		}
	}
}

// validateBody looks for placeholders in all texts below a place, and returns the texts.
func validateBody(p strict.Place) (texts string) {
	for _, key := range p.Keys() {
		texts += validateBody(p.Field(key))
	}
	for i := range p.Len() {
		texts += validateBody(p.Item(i))
	}
	validatePlaces(p)
	return texts + p.Text() + "\n"
}

var placeholder = regexp.MustCompile(`^<[A-Za-z_ -]+>$`)

// validatePlaces reports a text that looks like a placeholder and is none, and one that stands where it has no meaning.
// Other texts in angle brackets are a model's own, such as <think>.
func validatePlaces(p strict.Place) {
	places := []string{PlacePrompt, PlaceMessages, PlaceMaxTokens, PlaceModel, PlaceStream}
	text := p.Text()
	for _, whole := range []string{PlaceMessages, PlaceStream} {
		if text != whole && strings.Contains(text, whole) {
			p.Mistake(fmt.Sprintf("%s is no text, and cannot be a part of one", whole), "let it be the whole value, or write <prompt>")
			return
		}
	}
	if !placeholder.MatchString(text) || slices.Contains(places, text) {
		return
	}
	const none = "\x00"
	if meant := strict.DidYouMean(text, places, none); !strings.HasPrefix(meant, none) {
		p.Mistake(strict.Quote(text)+" is no placeholder", meant)
	}
}

var bracketed = regexp.MustCompile(`\[(\d+)\]`)

// validateJSONPath reports a path in the language of JSONPath or jq, which gjson would take for a name.
func validateJSONPath(p strict.Place) {
	text := p.Text()
	plain := strings.TrimPrefix(strings.TrimPrefix(text, "$"), ".")
	plain = strings.ReplaceAll(bracketed.ReplaceAllString(plain, ".$1"), "[*]", ".#")
	if p.Sound() && plain != text {
		p.Mistake(strict.Quote(text)+" is a path in another language", fmt.Sprintf("write `%s`: names and positions with points between them", strings.TrimPrefix(plain, ".")))
	}
}
