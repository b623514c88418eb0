package workload

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

func validateApproach(a *Approach, p strict.Place) {
	if _, known := providers[a.Provider]; known && len(present(p, "url", "simulate")) == 0 {
		validateRest(a, p) // the provider's own URL, or its absence, is dealt with
		return
	}
	switch exactlyOne(p, "say where requests go", "url", "simulate") {
	case "url":
		validateURL(a.URL, p.Field("url"))
		validateTransport(a, p)
	case "simulate":
		validateSimulation(a.Simulate, p.Field("simulate"))
		api, provider, speaks := p.Field("api"), p.Field("provider"), strings.Join(simulated, ", ")
		switch {
		case slices.Contains(simulated, a.API):
		case api.Sound():
			api.Mistake("a simulated endpoint does not speak "+a.API, "use one of "+speaks+", or give a url")
		case !api.Present() && provider.Sound(): // the reader wrote no api
			provider.Mistake(fmt.Sprintf("%s cannot be simulated: its API is %s, which a simulated endpoint does not speak", a.Provider, a.API),
				"name another provider, or add api: with one of "+speaks+"; or give a url in place of simulate")
		}
		const remedy = "remove it: the simulated endpoint is called over HTTP/1.1 on this machine"
		excluded(p, "simulate", remedy, "tls")
		excluded(p.Field("connections"), "simulate", remedy, "protocol", "proxy", "unix_socket")
	}
	validateRest(a, p)
}

// simulated are the APIs that package simulate speaks.
var simulated = []string{"anthropic-messages", "gemini", "ollama-chat", "ollama-generate", "openai-chat", "openai-responses"}

// validateRest looks at all but where requests go.
func validateRest(a *Approach, p strict.Place) {
	if p.Field("api").Sound() && a.API != "openai-chat" {
		excluded(p, "api: "+a.API, "remove it: only openai-chat has two names for the output length", "max_tokens_field")
	}
	validateAPI(a, p)
	validateTelemetry(a.Telemetry, p)
	headers := p.Field("headers")
	for _, name := range headers.Keys() {
		validateHeader(name, a.Headers[name], headers.Field(name))
	}
	if a.Connections.Reuse == "never" {
		excluded(p.Field("connections"), "reuse: never", "remove it: every request makes a connection of its own; or remove reuse: never", "prewarm")
	}
	body := p.Field("body")
	if stream := body.Field("stream"); stream.Present() {
		stream.Mistake("not here: infbench must know how to read the answer", "use the field "+p.Path()+".stream")
	}
}

// validateURL checks the base URL. Passwords in it are not shown.
func validateURL(s string, p strict.Place) {
	if !p.Sound() {
		return
	}
	shown := strict.Quote(RedactURL(s))
	scheme, rest, found := strings.Cut(RedactURL(s), "://")
	if !found {
		p.Mistake(shown+" does not begin with http:// or https://", fmt.Sprintf("did you mean `http://%s`?", scheme))
		return
	}
	u, err := url.Parse(s)
	switch {
	case scheme != "http" && scheme != "https":
		p.Mistake(shown+" does not begin with http:// or https://", fmt.Sprintf("did you mean `https://%s`?", rest))
	case err != nil:
		p.Mistake(shown+" is no URL", "write the base that its SDKs take, such as https://api.openai.com/v1")
	case u.Hostname() == "":
		p.Mistake(shown+" names no host", "write the base that its SDKs take, such as http://127.0.0.1:8000/v1")
	case u.Fragment != "":
		p.Mistake(shown+" has a fragment", "remove # and what follows it")
	case strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/chat/completions"):
		p.Mistake(shown+" is the URL of one call", "write the base: infbench adds /chat/completions")
	}
}

// validateHeader holds a header to RFC 9110, sections 5.1 and 5.5. The value is not shown: it may be a secret.
func validateHeader(name, value string, p strict.Place) {
	const others = "!#$%&'*+-.^_`|~"
	bad := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(others, c))
	}
	control := func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }
	switch {
	case name == "" || strings.ContainsFunc(name, bad):
		p.Mistake(fmt.Sprintf("%s is no name for a header", strict.Quote(name)), "use letters, digits and hyphens")
	case strings.ContainsFunc(value, control):
		p.Mistake("a line end or another control character in it", "write it in one line")
	}
}

// The fields of a simulation that a service time replaces.
var modelFields = []string{"overhead", "prefill_per_token", "decode_step", "decode_per_sequence", "tokens_per_step"}

func validateSimulation(s *Simulation, p strict.Place) {
	if s == nil {
		return
	}
	if p.Field("service").Present() {
		excluded(p, "service", "remove it: the service time replaces the model; or remove service", modelFields...)
	}
	if !p.Field("profile").Present() {
		if p.Sound() && s.Overhead == 0 && s.PrefillPerToken == 0 && s.DecodeStep == 0 && s.Service == nil {
			p.Mistake("a server that takes no time", "add `profile: self-hosted`, or at least `slots: 8` and `decode_step: 20ms`")
		}
	} else {
		for name, zero := range map[string]bool{"network": s.Network == 0, "overhead": s.Overhead == 0, "prefill_per_token": s.PrefillPerToken == 0,
			"decode_step": s.DecodeStep == 0, "decode_per_sequence": s.DecodePerSequence == 0, "queue_limit": s.QueueLimit == 0,
			"prefix_cache_tokens": s.PrefixCacheTokens == 0} {
			if at := p.Field(name); at.Sound() && zero {
				at.Mistake(at.Text()+" would leave it to the profile", "give a small value above 0, or leave the profile out and set every field")
			}
		}
	}
	validateFaults(s.Faults, p.Field("faults"))
}

func validateFaults(faults []Fault, p strict.Place) {
	var sum float64
	for i, f := range faults {
		at := p.Item(i)
		if !at.Field("kind").Sound() {
			continue
		}
		if f.Kind == "stall" {
			excluded(at, "kind: stall", "remove it: a stall hits everybody, at its time", "probability")
			if !at.Field("for").Present() {
				at.Field("for").Mistake("missing", "say when the stall begins and how long it is: {kind: stall, at: 10s, for: 2s}")
			}
			continue
		}
		excluded(at, "kind: "+f.Kind, "remove it: only a stall has a time; other faults hit requests with their probability", "at", "for")
		if !at.Field("probability").Present() {
			at.Field("probability").Mistake("missing", fmt.Sprintf("say how many requests it hits: {kind: %s, probability: 0.01}", f.Kind))
		}
		if sum += f.Probability; sum > 1+1e-9 {
			at.Field("probability").Mistake(fmt.Sprintf("the probabilities add up to %s: a request meets one fault at most", formatFloat(math.Round(1000*sum)/1000)), "let them add up to at most 1")
		}
	}
}
