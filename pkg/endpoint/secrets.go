package endpoint

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/workload"
)

// secretWords are what must not stand in a record, longest first: one may be a part of another.
type secretWords []string

// A secret shorter than this is a word, such as "true", that stands in texts of all kinds. A key is one at any length.
const shortestSecret = 8

// secretsOf lists those of an approach: its key, the values of headers that look like a secret or come from the environment
// and their parts, secrets in the URL's query, and what else the API has.
func secretsOf(cfg *Config, header http.Header, more []string) secretWords {
	var found secretWords
	if cfg.Key != "" {
		found = append(found, cfg.Key)
	}
	a := &cfg.Approach
	fromEnv := map[string]bool{}
	for _, name := range a.EnvHeaders {
		fromEnv[http.CanonicalHeaderKey(name)] = true
	}
	for name, values := range header {
		if fromEnv[name] || suspicious(name) {
			found.addParts(values[0])
		}
	}
	if u, err := url.Parse(a.URL); err == nil {
		for pair := range strings.SplitSeq(u.RawQuery, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if plain, err := url.QueryUnescape(name); err == nil && (suspicious(plain) || workload.IsSecretName(plain)) {
				found.add(value)
			}
		}
	}
	return append(found, more...).spellings()
}

// suspicious is wider than what a scenario refuses: to cover too much of an error costs nothing.
func suspicious(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"auth", "key", "token", "secret", "cookie", "session", "passw", "sig", "cred"}, func(sign string) bool { return strings.Contains(name, sign) })
}

func (s *secretWords) add(value string) {
	if len(value) >= shortestSecret {
		*s = append(*s, value)
	}
}

// addParts adds a header's value and what it is made of: the token behind a scheme, the value of each cookie.
func (s *secretWords) addParts(value string) {
	s.add(value)
	for _, part := range strings.FieldsFunc(value, func(c rune) bool { return c == ' ' || c == ';' || c == ',' }) {
		s.add(part)
		if _, inner, ok := strings.Cut(part, "="); ok {
			s.add(inner)
		}
	}
}

// spellings adds to each secret the ways in which an error body or a URL may write it.
func (s secretWords) spellings() secretWords {
	var all secretWords
	for _, secret := range s {
		if len(secret) < 4 {
			continue // it stands in every other word
		}
		all = append(all, secret, url.QueryEscape(secret), url.PathEscape(secret))
		if plain, err := url.QueryUnescape(secret); err == nil && len(plain) >= shortestSecret {
			all = append(all, plain)
		}
		if quoted, err := json.Marshal(secret); err == nil { // with escapes for HTML, as many servers write
			inner := string(quoted[1 : len(quoted)-1])
			all = append(all, inner, strings.ReplaceAll(inner, "/", `\/`))
		}
		all = append(all, strings.ReplaceAll(secret, "/", `\/`))
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(all)
}

// cover makes a text fit for the record.
func (s secretWords) cover(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, "[key]")
	}
	return text
}
