package workload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// hidden is a secret with nothing about it that a form could find.
const hidden = "opensesame1234"

// withSecrets is a scenario whose secrets come from the environment, as they should.
func withSecrets(t *testing.T, secret string) *Scenario {
	t.Helper()
	const text = `name: demo
phases: {measure: 30s}
arrivals: {rate: 4/s}
prompts: {synthetic: {pairs: [[1, 2]]}}
approaches:
  - name: one
    url: https://me:${SECRET}@example.org/v1?api_key=${SECRET}&version=2&sig=${SECRET}
    headers: {Authorization: "Bearer ${SECRET}", X-Tenant: "${SECRET}", X-Plain: plain}
    body: {temperature: 0, user: somebody}
  - name: two
    url: https://${SECRET}@example.org/v1
`
	s, err := parseWith(lookup(map[string]string{"SECRET": secret}), []byte(text), "demo.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRedacted: no secret is in the copy, everything else is, and the original keeps what it needs for sending.
func TestRedacted(t *testing.T) {
	s := withSecrets(t, hidden)
	s.Approaches[0].Body = map[string]any{ // as only a program can give it: Parse refuses these in a file
		"api_key": hidden, "temperature": 0.5, "eos_token": "</s>", "user": "sk-" + hidden,
		"tools": []any{map[string]any{"password": hidden, "name": "search"}, "Bearer " + hidden},
	}
	s.Approaches[0].Generic = &Generic{Path: "/a", Body: map[string]any{"user": map[string]any{"api_key": hidden}, "q": "<prompt>"}}
	before, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s.Redacted())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), hidden) {
		t.Errorf("a secret: %s", text)
	}
	for _, kept := range []string{`https://me:REDACTED@example.org/v1?api_key=REDACTED`, `version=2`, `"X-Plain":"plain"`, `"temperature":0.5`, `"eos_token":"\u003c/s\u003e"`, `"name":"search"`} {
		if !strings.Contains(strings.ReplaceAll(string(text), `\u0026`, "&"), kept) {
			t.Errorf("%s is gone: %s", kept, text)
		}
	}
	if after, err := json.Marshal(s); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the original has changed:\n%s\n%s", before, after)
	}
	if s.Approaches[0].Headers["Authorization"] != "Bearer "+hidden {
		t.Error("the original has lost its header")
	}
}

// TestDigestKnowsNoSecret: another key is the same experiment.
func TestDigestKnowsNoSecret(t *testing.T) {
	if withSecrets(t, hidden).Digest() != withSecrets(t, "another-secret").Digest() {
		t.Error("the digest depends on a secret")
	}
}

// TestErrorsShowNoSecret: wherever a secret stands in a file that is wrong, it is not shown; and beside another mistake,
// and in a file that is no YAML.
func TestErrorsShowNoSecret(t *testing.T) {
	base := strings.Replace(small, "    levers: {model: small}\n", "%s", 1)
	lines := []string{
		"    key: opensesame1234\n",
		"    api_key: 'opensesame1234'\n",
		"    apikey: opensesame1234 # of mine\n",
		"    token: {value: opensesame1234}\n",
		"    headers: {Authorization: opensesame1234}\n",
		"    headers: {Authorization: Token opensesame1234}\n",
		"    headers:\n      x-api-key: \"opensesame1234\"\n",
		"    headers: {X-Auth-Token: opensesame1234, Cookie: a=opensesame1234}\n",
		"    headers: {X-Any: Bearer opensesame1234}\n",
		"    body: {api_key: opensesame1234}\n",
		"    body: {nested: [{password: opensesame1234}]}\n",
		"    key_env: sk-opensesame1234\n",
		"    key_env: opensesame1234OPENSESAME\n",
		"    model: sk-opensesame1234\n    seed: 1\n",
		"    levers: {key: opensesame1234}\n    seed: 1\n",
	}
	flags := []string{
		"approaches[0].url=https://me:opensesame1234@example.org/v1",
		"approaches[0].url=https://opensesame1234@example.org/v1",
		"approaches[0].url=ftp://opensesame1234@example.org/v1",
		"approaches[0].url=ftp://me:opensesame1234@example.org/v1",
		"approaches[0].url=https://example.org/v1?api_key=opensesame1234",
		"approaches[0].url=example.org/v1?token=opensesame1234",
		"approaches[0].headers.Authorization=opensesame1234",
		"approaches[0].key=opensesame1234",
		"approaches[0].body.api_key=opensesame1234",
	}
	check := func(name, text string, overrides ...Override) {
		t.Helper()
		_, err := Parse([]byte(text), "demo.yaml", overrides...)
		if err == nil {
			t.Errorf("%s: accepted", name)
			return
		}
		if strings.Contains(err.Error(), "opensesame") {
			t.Errorf("%s: %v", name, err)
		}
		var all ScenarioErrors
		if !errors.As(err, &all) {
			t.Fatalf("%s: %T", name, err)
		}
		for _, e := range all {
			if strings.Contains(fmt.Sprintf("%+v", *e), "opensesame") {
				t.Errorf("%s: %+v", name, *e)
			}
		}
	}
	for _, line := range lines {
		text := fmt.Sprintf(base, line)
		check(line, text)
		check(line+"and no unit", strings.Replace(text, "30s", "30", 1))
		check(line+"and no YAML after it", strings.Replace(text, line, strings.TrimSuffix(line, "\n")+" : [\n", 1))
		check(line+"in one line with a mistake", strings.Replace(text, line, strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "opensesame1234", "opensesame1234}")+"\n", 1))
	}
	for _, flag := range flags {
		check(flag, small, OverrideSet(flag))
	}
}

func TestSecretNames(t *testing.T) {
	for name, want := range map[string]bool{
		"Authorization": true, "Proxy-Authorization": true, "x-api-key": true, "api_key": true, "apikey": true, "key": true, "X-Auth-Token": true,
		"access_token": true, "token": true, "Set-Cookie": true, "client_secret": true, "X-Amz-Security-Token": true, "Ocp-Apim-Subscription-Key": true, "X-Goog-Signature": true,
		"eos_token": false, "max_tokens": false, "prompt_cache_key": false, "Idempotency-Key": false, "prefill_per_token": false, "keyword": false, "tokenizer": false,
		"model": false, "": false, "-": false, "key_env": false, "first_token": false,
	} {
		if got := IsSecretName(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}

// TestCoverKeepsLengths: the marker under a covered line still points at its place.
func TestCoverKeepsLengths(t *testing.T) {
	for _, text := range []string{"key: opensesame1234 é", "url: https://me:öffne@host", "a ${KEY} api_key: ${KEY}", "Bearer abcdefgh, sk-abcdefgh", "plain: text"} {
		got := coverSource(text, []string{"host"})
		if len([]rune(got)) != len([]rune(text)) {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := coverSource("a: ${KEY}, api_key: ${KEY}", nil); strings.Contains(got, "*") {
		t.Errorf("the name of a variable is covered: %s", got)
	}
}

// TestClone: a copy shares nothing with the original, at any depth.
func TestClone(t *testing.T) {
	s := withSecrets(t, hidden)
	s.Approaches[0].Simulate = &Simulation{Faults: []Fault{{Kind: "hang"}}}
	s.Approaches[0].Body["list"] = []any{map[string]any{"a": []any{"b"}}}
	s.Prompts.Synthetic.Pairs = append(s.Prompts.Synthetic.Pairs, [2]int{3, 4})
	c := clone(*s)
	if !reflect.DeepEqual(c, *s) {
		t.Fatalf("not equal: %+v, %+v", c, *s)
	}
	shared(t, "scenario", reflect.ValueOf(*s), reflect.ValueOf(c))
}

// shared reports memory that two equal values have in common.
func shared(t *testing.T, path string, a, b reflect.Value) {
	t.Helper()
	switch a.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if a.IsNil() {
			return
		}
		if a.Pointer() == b.Pointer() && !(a.Kind() == reflect.Pointer && a.Type().Elem().Size() == 0) {
			t.Errorf("%s is shared", path)
		}
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !a.IsNil() {
			shared(t, path, a.Elem(), b.Elem())
		}
	case reflect.Struct:
		for i := range a.NumField() {
			shared(t, path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	case reflect.Slice, reflect.Array:
		for i := range a.Len() {
			shared(t, fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i))
		}
	case reflect.Map:
		for _, key := range a.MapKeys() {
			shared(t, path+"."+key.String(), a.MapIndex(key), b.MapIndex(key))
		}
	}
}

// The password of a proxy comes out of the environment and stands in no record.
func TestPasswordOfAProxy(t *testing.T) {
	text := strings.Replace(small, "levers:", "connections: {proxy: 'http://user:${SECRET}@proxy:3128'}\n    levers:", 1)
	s, err := parseWith(lookup(map[string]string{"SECRET": "hunter22"}), []byte(text), "demo.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Approaches[0].Connections.Proxy; got != "http://user:hunter22@proxy:3128" {
		t.Errorf("proxy %s", got)
	}
	if got := s.Redacted().Approaches[0].Connections.Proxy; got != "http://user:REDACTED@proxy:3128" {
		t.Errorf("in the record: %s", got)
	}
}

// A password with a slash or a hash makes the proxy no URL: the error does not show it either.
func TestPasswordThatIsNotEncoded(t *testing.T) {
	for _, password := range []string{"s3cr/et#1", "12/ab?c", "a@b:c"} {
		text := strings.Replace(small, "levers:", "connections: {proxy: 'http://u:${SECRET}@127.0.0.1:9'}\n    levers:", 1)
		s, err := parseWith(lookup(map[string]string{"SECRET": password}), []byte(text), "demo.yaml", nil)
		said := fmt.Sprint(err)
		if err == nil {
			said = s.Redacted().Approaches[0].Connections.Proxy
		}
		if strings.Contains(said, password) || strings.Contains(said, password[:4]) || err != nil && !strings.Contains(said, "percent-encode") {
			t.Errorf("%s: %s", password, said)
		}
	}
}
