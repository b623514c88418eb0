package workload

import (
	"strings"
	"testing"
)

// lookup is an environment for tests.
func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

// TestEnvironment: ${NAME} is replaced in URLs and headers, and nowhere else.
func TestEnvironment(t *testing.T) {
	const text = `name: demo
description: about ${HOST}
phases: {measure: 30s}
arrivals: {rate: 4/s}
prompts:
  system: Say ${HOST}
  synthetic: {pairs: [[1, 2]]}
approaches:
  - name: one
    url: http://${HOST}:${PORT}/v1
    model: ${HOST}
    headers: {X-Host: "a ${HOST} b", X-Plain: $HOST, X-Twice: "${NESTED}"}
    body: {user: "${HOST}"}
    levers: {host: "${HOST}"}
`
	s, err := parseWith(lookup(map[string]string{"HOST": "127.0.0.1", "PORT": "8000", "NESTED": "${HOST}"}), []byte(text), "demo.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	a := s.Approaches[0]
	for _, c := range []struct{ where, got, want string }{
		{"url", a.URL, "http://127.0.0.1:8000/v1"},
		{"header", a.Headers["X-Host"], "a 127.0.0.1 b"},
		{"header without braces", a.Headers["X-Plain"], "$HOST"},
		{"variable in a variable", a.Headers["X-Twice"], "${HOST}"},
		{"description", s.Description, "about ${HOST}"},
		{"system", s.Prompts.System, "Say ${HOST}"},
		{"model", a.Model, "${HOST}"},
		{"body", a.Body["user"].(string), "${HOST}"},
		{"levers", a.Levers["host"], "${HOST}"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.where, c.got, c.want)
		}
	}
	if got := strings.Join(a.EnvHeaders, " "); got != "X-Host X-Twice" {
		t.Errorf("headers from the environment: %s", got)
	}
}

// TestEnvironmentOfAnOverride: a variable in a flag is replaced too.
func TestEnvironmentOfAnOverride(t *testing.T) {
	s, err := parseWith(lookup(map[string]string{"HOST": "127.0.0.1"}), []byte(small), "demo.yaml", sets("approaches[0].url=http://${HOST}/v1"))
	if err != nil || s.Approaches[0].URL != "http://127.0.0.1/v1" {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestEmptyVariable: a variable that is set to nothing is as good as unset, and said so.
func TestEmptyVariable(t *testing.T) {
	_, err := parseWith(lookup(map[string]string{"HOST": " "}), []byte(small), "demo.yaml", sets("approaches[0].url=http://${HOST}/v1"))
	if err == nil || !strings.Contains(err.Error(), "the environment variable HOST is empty\n      set it: export HOST=...") {
		t.Errorf("got %v", err)
	}
}

func TestKey(t *testing.T) {
	env := lookup(map[string]string{"KEY": " sk-abcdefgh\n", "EMPTY": " ", "ODD": "Bearer sk-abcdefgh"})
	for _, c := range []struct{ variable, want, problem string }{
		{"", "", ""},
		{"KEY", "sk-abcdefgh", ""},
		{"UNSET", "", "key_env: the environment variable UNSET is not set: export UNSET=... with the API key"},
		{"EMPTY", "", "key_env: the environment variable EMPTY is not set: export EMPTY=... with the API key"},
		{"ODD", "", "key_env: the environment variable ODD holds a space or a character that no API key has: set it to the key alone"},
	} {
		got, err := Approach{Name: "one", KeyEnv: c.variable}.Key(env)
		if got != c.want || (err == nil) != (c.problem == "") || err != nil && err.Error() != c.problem {
			t.Errorf("%s: %q, %v", c.variable, got, err)
		}
	}
}
