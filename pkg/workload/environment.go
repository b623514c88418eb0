package workload

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// variable is ${NAME}, or the beginning of one.
var variable = regexp.MustCompile(`\$\{([^}]*)(\}?)`)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expandApproach replaces ${NAME} in the URLs and the headers of an approach by environment variables, and returns which
// headers had one.
func expandApproach(p strict.Place, lookup func(string) (string, bool)) (headers []string) {
	expand(p.Field("url"), lookup)
	expand(p.Field("connections").Field("proxy"), lookup)
	for _, name := range p.Field("headers").Keys() {
		if header := p.Field("headers").Field(name); variable.MatchString(header.Text()) {
			expand(header, lookup)
			headers = append(headers, name)
		}
	}
	return headers
}

// expand replaces the variables in one field. Any other $ stays as it is, and so does what a variable holds.
func expand(p strict.Place, lookup func(string) (string, bool)) {
	sound := true
	expanded := variable.ReplaceAllStringFunc(p.Text(), func(found string) string {
		parts := variable.FindStringSubmatch(found)
		name, closed := parts[1], parts[2] != ""
		value, set := lookup(name)
		switch {
		case !closed:
			p.Mistake(fmt.Sprintf("%s has no end", strict.Quote(found)), "close the bracket: ${NAME}")
		case !variableName.MatchString(name):
			p.Mistake(fmt.Sprintf("%s names no environment variable", strict.Quote(found)), "write ${NAME} with letters, digits and _")
		case !set:
			p.Mistake(fmt.Sprintf("the environment variable %s is not set", name), fmt.Sprintf("set it: export %s=...", name))
		case strings.TrimSpace(value) == "":
			p.Mistake(fmt.Sprintf("the environment variable %s is empty", name), fmt.Sprintf("set it: export %s=...", name))
		default:
			return value
		}
		sound = false
		return found
	})
	if sound && expanded != p.Text() {
		p.Replace(expanded)
	}
}

// Key reads the approach's API key from the environment variable that key_env names; it is empty without key_env.
// lookup is os.LookupEnv outside of tests. The error, a FieldError, names the variable, never what it holds.
func (a Approach) Key(lookup func(string) (string, bool)) (string, error) {
	if a.KeyEnv == "" {
		return "", nil
	}
	key, set := lookup(a.KeyEnv)
	key = strings.TrimSpace(key)
	switch {
	case !set || key == "":
		return "", &FieldError{"key_env", fmt.Sprintf("the environment variable %s is not set", a.KeyEnv), fmt.Sprintf("export %s=... with the API key", a.KeyEnv)}
	case strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }):
		return "", &FieldError{"key_env", fmt.Sprintf("the environment variable %s holds a space or a character that no API key has", a.KeyEnv), "set it to the key alone"}
	}
	return key, nil
}
