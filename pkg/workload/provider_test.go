package workload

import (
	"cmp"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// approachOf parses a scenario with one approach.
func approachOf(t *testing.T, approach string) (Approach, error) {
	t.Helper()
	s, err := Parse([]byte("name: x\nphases: {measure: 1s}\narrivals: {rate: 1/s}\nprompts: {synthetic: {input: {fixed: 1}, output: {fixed: 1}}}\napproaches:\n  - "+approach+"\n"), "x.yaml")
	if err != nil {
		return Approach{}, err
	}
	return s.Approaches[0], nil
}

func TestProviderFillsWhatIsLeftOut(t *testing.T) {
	for text, want := range map[string]Approach{
		"{name: a, provider: openai, model: m}":                                            {API: "openai-chat", URL: "https://api.openai.com/v1", KeyEnv: "OPENAI_API_KEY", MaxTokensField: "max_completion_tokens"},
		"{name: a, provider: openai, model: m, api: openai-responses}":                     {API: "openai-responses", URL: "https://api.openai.com/v1", KeyEnv: "OPENAI_API_KEY"},
		"{name: a, provider: groq, model: m, key_env: MINE, max_tokens_field: max_tokens}": {API: "openai-chat", URL: "https://api.groq.com/openai/v1", KeyEnv: "MINE", MaxTokensField: "max_tokens"},
		"{name: a, provider: azure, model: m, url: https://r.openai.azure.com/openai/v1}":  {API: "openai-chat", URL: "https://r.openai.azure.com/openai/v1", KeyEnv: "AZURE_OPENAI_API_KEY", KeyHeader: "api-key", MaxTokensField: "max_completion_tokens"},
		"{name: a, provider: vllm, model: m, url: http://gpu:9000/v1}":                     {API: "openai-chat", URL: "http://gpu:9000/v1", MaxTokensField: "max_tokens"},
		// A vendor's key is sent to nobody else.
		"{name: a, provider: openai, model: m, url: https://gateway.example/v1}": {API: "openai-chat", URL: "https://gateway.example/v1", MaxTokensField: "max_completion_tokens"},
		"{name: a, provider: mistral, model: m, body: {temperature: 0}}":         {API: "openai-chat", URL: "https://api.mistral.ai/v1", KeyEnv: "MISTRAL_API_KEY", MaxTokensField: "max_tokens", Body: map[string]any{"stream_options": nil, "temperature": int64(0)}},
		"{name: a, provider: openrouter, model: m, body: {usage: {more: true}}}": {API: "openai-chat", URL: "https://openrouter.ai/api/v1", KeyEnv: "OPENROUTER_API_KEY", MaxTokensField: "max_tokens", Body: map[string]any{"usage": map[string]any{"include": true, "more": true}}},
	} {
		a, err := approachOf(t, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := Approach{API: a.API, URL: a.URL, KeyEnv: a.KeyEnv, KeyHeader: a.KeyHeader, MaxTokensField: a.MaxTokensField, Body: a.Body}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v", text, got, want)
		}
	}
}

// An embedded endpoint speaks the provider's API and wants neither key nor model.
func TestProviderOfASimulatedEndpoint(t *testing.T) {
	a, err := approachOf(t, "{name: a, provider: openai, simulate: {profile: edge}}")
	if err != nil || a.API != "openai-chat" || a.URL != "" || a.KeyEnv != "" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestProviderMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"{name: a, provider: azure, model: m}":                    "write url: https://RESOURCE.openai.azure.com/openai/v1",
		"{name: a, api: tgi, simulate: {profile: edge}}":          "a simulated endpoint does not speak tgi",
		"{name: a, provider: bedrock, simulate: {profile: edge}}": "bedrock cannot be simulated: its API is bedrock-converse",
		"{name: a, provider: openai}":                             "openai serves many models: name one",
		"{name: a, provider: opnai, model: m, url: http://h/v1}":  "did you mean `openai`?",
		"{name: a, provider: groq, model: m, api: tgi}":           "use one of openai-chat, or give the url too",
	} {
		if _, err := approachOf(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// A key that is sent to nobody is named; a secret of the scenario's own is taken for one.
func TestUnsentKey(t *testing.T) {
	t.Setenv("MINE", "secret-of-mine")
	for text, want := range map[string]string{
		"{name: a, provider: openai, model: m, url: https://gateway.example/v1}":                                            "OPENAI_API_KEY",
		"{name: a, provider: openai, model: m, url: https://gateway.example/v1, headers: {X-Team: a}}":                      "OPENAI_API_KEY",
		"{name: a, provider: openai, model: m, url: https://gateway.example/v1, key_env: MINE}":                             "",
		"{name: a, provider: openai, model: m, url: https://gateway.example/v1, headers: {authorization: 'Token ${MINE}'}}": "",
		"{name: a, provider: gemini, model: m, url: 'https://gateway.example/v1?key=${MINE}'}":                              "",
		"{name: a, provider: openai, model: m}":                                                                             "",
		"{name: a, provider: vllm, model: m, url: http://gpu:9000/v1}":                                                      "",
		"{name: a, url: http://gpu:9000/v1, model: m}":                                                                      "",
		"{name: a, provider: azure, model: m, url: https://r.openai.azure.com/openai/v1}":                                   "",
		"{name: a, provider: openai, simulate: {profile: edge}}":                                                            "",
	} {
		if a, err := approachOf(t, text); err != nil || a.UnsentKey() != want {
			t.Errorf("%s: %q, %v", text, a.UnsentKey(), err)
		}
	}
}

// The table of providers in the docs is the one in the code.
func TestProvidersInTheDocs(t *testing.T) {
	var b strings.Builder
	b.WriteString("<!-- written by `go test ./pkg/workload -run ProvidersInTheDocs -update` -->\n\n| provider | APIs, the default first | URL | key in | sent as |\n|---|---|---|---|---|\n")
	for _, name := range Providers() {
		p := providers[name]
		var apis, urls []string
		for _, base := range p.bases {
			apis = append(apis, "`"+base.api+"`")
			if url := "`" + cmp.Or(base.url, p.example) + "`"; !slices.Contains(urls, url) {
				urls = append(urls, url)
			}
		}
		key, header := "none", "–"
		if p.keyEnv != "" {
			key, header = "`"+p.keyEnv+"`", cmp.Or(p.keyHeader, "the API's header")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", name, strings.Join(apis, ", "), strings.Join(urls, ", "), key, header)
	}
	var real []string
	for _, name := range Providers() {
		if !slices.Contains(simulated, providers[name].bases[0].api) {
			real = append(real, "`"+name+"`")
		}
	}
	fmt.Fprintf(&b, "\nEach can be tried on a simulated endpoint (`simulate:` in place of `url:`), but for %s, whose API those do not speak.\n", strings.Join(real, ", "))
	b.WriteString(`
A vendor's key is sent to the vendor alone: an approach with a ` + "`url`" + ` of its own (a gateway, a proxy of one's own) sends no key, unless
` + "`key_env`" + ` names its variable or a header holds it (` + "`headers: {Authorization: Bearer ${NAME}}`" + `). ` + "`infbench run` and `infbench preview`" + ` say so.
The exception is ` + "`azure`" + `, whose URL is each customer's own.
`)
	golden(t, filepath.Join("..", "..", "docs", "providers.md"), b.String())
}

// The schema lists every provider, and each has a base or says how one looks.
func TestProvidersAreWhole(t *testing.T) {
	field, _ := reflect.TypeFor[Approach]().FieldByName("Provider")
	var listed []string
	for part := range strings.SplitSeq(field.Tag.Get("jsonschema"), ",") {
		if name, ok := strings.CutPrefix(part, "enum="); ok {
			listed = append(listed, name)
		}
	}
	if !slices.Equal(listed, Providers()) {
		t.Errorf("the schema lists %v, there are %v", listed, Providers())
	}
	for name, p := range providers {
		for _, b := range p.bases {
			if b.url == "" && p.example == "" {
				t.Errorf("%s has neither a base nor an example for %s", name, b.api)
			}
		}
	}
}
