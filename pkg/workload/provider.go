package workload

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// provider is what is known of a vendor or of a server: what an approach that names it need not say. Everything that an
// approach does say wins.
type provider struct {
	// bases are the base URLs by API; the first API is the default. An empty base must be given.
	bases []providerBase
	// example is a base to be filled in, where there is none.
	example   string
	keyEnv    string
	keyHeader string // empty: the API's own
	maxTokens string // field of the OpenAI chat API
	body      map[string]any
	needModel bool
}

type providerBase struct{ api, url string }

// oldMaxTokens is the field that OpenAI itself has given up and most others still want.
const oldMaxTokens = "max_tokens"

// providers by name. Base URLs and headers are those of the vendors' own documentation and SDKs;
// docs/providers.md lists them.
var providers = map[string]provider{
	"openai": {keyEnv: "OPENAI_API_KEY", needModel: true,
		bases: []providerBase{{"openai-chat", "https://api.openai.com/v1"}, {"openai-responses", "https://api.openai.com/v1"}, {"openai-completions", "https://api.openai.com/v1"}}},
	"azure": {keyEnv: "AZURE_OPENAI_API_KEY", keyHeader: "api-key", needModel: true, example: "https://RESOURCE.openai.azure.com/openai/v1",
		bases: []providerBase{{"openai-chat", ""}, {"openai-responses", ""}}},
	"anthropic": {keyEnv: "ANTHROPIC_API_KEY", needModel: true, bases: []providerBase{{"anthropic-messages", "https://api.anthropic.com"}}},
	"gemini": {keyEnv: "GEMINI_API_KEY", needModel: true, maxTokens: oldMaxTokens,
		bases: []providerBase{{"gemini", "https://generativelanguage.googleapis.com/v1beta"}, {"openai-chat", "https://generativelanguage.googleapis.com/v1beta/openai"}}},
	"bedrock": {needModel: true, example: "https://bedrock-runtime.REGION.amazonaws.com", bases: []providerBase{{"bedrock-converse", ""}}},
	"groq":    {keyEnv: "GROQ_API_KEY", needModel: true, bases: []providerBase{{"openai-chat", "https://api.groq.com/openai/v1"}}},
	"together": {keyEnv: "TOGETHER_API_KEY", needModel: true, maxTokens: oldMaxTokens,
		bases: []providerBase{{"openai-chat", "https://api.together.xyz/v1"}, {"openai-completions", "https://api.together.xyz/v1"}}},
	"fireworks": {keyEnv: "FIREWORKS_API_KEY", needModel: true, maxTokens: oldMaxTokens, body: map[string]any{"perf_metrics_in_response": true},
		bases: []providerBase{{"openai-chat", "https://api.fireworks.ai/inference/v1"}, {"openai-completions", "https://api.fireworks.ai/inference/v1"}}},
	"deepseek": {keyEnv: "DEEPSEEK_API_KEY", needModel: true, maxTokens: oldMaxTokens, bases: []providerBase{{"openai-chat", "https://api.deepseek.com"}}},
	// Mistral reports usage without being asked.
	"mistral": {keyEnv: "MISTRAL_API_KEY", needModel: true, maxTokens: oldMaxTokens, body: map[string]any{"stream_options": nil},
		bases: []providerBase{{"openai-chat", "https://api.mistral.ai/v1"}}},
	"openrouter": {keyEnv: "OPENROUTER_API_KEY", needModel: true, maxTokens: oldMaxTokens, body: map[string]any{"usage": map[string]any{"include": true}},
		bases: []providerBase{{"openai-chat", "https://openrouter.ai/api/v1"}, {"openai-completions", "https://openrouter.ai/api/v1"}}},
	"vllm": {needModel: true, maxTokens: oldMaxTokens,
		bases: []providerBase{{"openai-chat", "http://127.0.0.1:8000/v1"}, {"openai-completions", "http://127.0.0.1:8000/v1"}, {"openai-responses", "http://127.0.0.1:8000/v1"}, {"anthropic-messages", "http://127.0.0.1:8000"}}},
	"sglang": {maxTokens: oldMaxTokens,
		bases: []providerBase{{"openai-chat", "http://127.0.0.1:30000/v1"}, {"openai-completions", "http://127.0.0.1:30000/v1"}, {"sglang", "http://127.0.0.1:30000"}}},
	"tgi": {maxTokens: oldMaxTokens, bases: []providerBase{{"openai-chat", "http://127.0.0.1:8080/v1"}, {"tgi", "http://127.0.0.1:8080"}}},
	"llamacpp": {maxTokens: oldMaxTokens,
		bases: []providerBase{{"openai-chat", "http://127.0.0.1:8080/v1"}, {"openai-completions", "http://127.0.0.1:8080/v1"}, {"openai-responses", "http://127.0.0.1:8080/v1"}, {"anthropic-messages", "http://127.0.0.1:8080"}, {"llamacpp", "http://127.0.0.1:8080"}}},
	"ollama": {needModel: true, maxTokens: oldMaxTokens,
		bases: []providerBase{{"ollama-chat", "http://127.0.0.1:11434"}, {"ollama-generate", "http://127.0.0.1:11434"}, {"openai-chat", "http://127.0.0.1:11434/v1"}, {"openai-completions", "http://127.0.0.1:11434/v1"}}},
	"nim": {needModel: true, maxTokens: oldMaxTokens, bases: []providerBase{{"openai-chat", "http://127.0.0.1:8000/v1"}, {"openai-completions", "http://127.0.0.1:8000/v1"}}},
}

// Providers lists the names of the providers.
func Providers() []string { return slices.Sorted(maps.Keys(providers)) }

// adopt fills what the approach leaves to its provider.
func (a *Approach) adopt(p strict.Place) {
	known, ok := providers[a.Provider]
	if !ok {
		return // none, or one whose name was refused
	}
	if !p.Field("api").Present() {
		a.API = known.bases[0].api
	}
	base, speaks := known.base(a.API)
	switch {
	case a.Simulate != nil: // the embedded endpoint speaks the provider's API, and wants no key
	case !speaks && a.URL == "":
		if at := p.Field("api"); at.Sound() {
			at.Mistake(fmt.Sprintf("%s does not speak it, as far as infbench knows", a.Provider), fmt.Sprintf("use one of %s, or give the url too", known.apis()))
		}
	case a.URL == "" && base == "":
		p.Field("url").Mistake("missing", fmt.Sprintf("%s has a URL for each customer: write url: %s", a.Provider, known.example))
	case a.URL == "":
		a.URL = base
		if a.KeyEnv == "" {
			a.KeyEnv = known.keyEnv
		}
	case a.KeyEnv == "" && base == "": // the customer's own URL of a vendor
		a.KeyEnv = known.keyEnv
	}
	if a.KeyHeader == "" && a.Simulate == nil {
		a.KeyHeader = known.keyHeader
	}
	if known.maxTokens != "" && a.API == "openai-chat" && !p.Field("max_tokens_field").Present() {
		a.MaxTokensField = known.maxTokens
	}
	if known.needModel && a.Model == "" && a.Simulate == nil && !p.Field("model").Present() {
		p.Field("model").Mistake("missing", fmt.Sprintf("%s serves many models: name one", a.Provider))
	}
	if a.Simulate == nil {
		a.Body = under(a.Body, known.body)
	}
}

// UnsentKey names the environment variable that holds the key of the approach's provider, where nothing is sent of it: a
// vendor's key goes to the vendor alone, unless key_env says otherwise. It is empty where there is no such key, and where
// the approach sends a secret of its own.
func (a *Approach) UnsentKey() string {
	if a.Simulate != nil || a.KeyEnv != "" {
		return ""
	}
	names := slices.Collect(maps.Keys(a.Headers))
	if u, err := url.Parse(a.URL); err == nil {
		names = slices.AppendSeq(names, maps.Keys(u.Query()))
	}
	if slices.ContainsFunc(names, IsSecretName) {
		return ""
	}
	return providers[a.Provider].keyEnv
}

func (k *provider) base(api string) (url string, ok bool) {
	for _, b := range k.bases {
		if b.api == api {
			return b.url, true
		}
	}
	return "", false
}

func (k *provider) apis() string {
	var names []string
	for _, b := range k.bases {
		names = append(names, b.api)
	}
	return strings.Join(names, ", ")
}

// under lays ours below theirs, object by object: what theirs says wins, a null too.
func under(theirs, ours map[string]any) map[string]any {
	if len(ours) == 0 {
		return theirs
	}
	out := maps.Clone(ours)
	for name, v := range theirs {
		inner, isObject := v.(map[string]any)
		of, both := out[name].(map[string]any)
		if isObject && both {
			v = under(inner, of)
		}
		out[name] = v
	}
	return out
}
