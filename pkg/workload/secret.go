package workload

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// covered stands where a secret was.
const covered = "REDACTED"

// keyForm finds what looks like an API key or a token in any text: the prefixes that providers give their keys, bearer
// tokens and JSON web tokens.
var keyForm = regexp.MustCompile(`\bsk-[\w\-]{4,}` +
	`|\b(?:sk|pk|rk|gsk|xai|hf|r8|nvapi|pplx|fw|tgp|ghp)[-_][\w\-.]{12,}` +
	`|\bAKIA[A-Z0-9]{12,}|\bAIza[\w\-]{20,}|\bya29\.[\w\-]{12,}|\beyJ[\w\-.]{12,}` +
	`|(?i:\b(?:bearer|basic))\s+[\w\-.~+/=]{6,}`)

// userinfo finds the password of a URL in any text, or the token that stands alone in its place.
var userinfo = regexp.MustCompile(`(://(?:[^/\s@:]*:)?)([^/\s@]+)@`)

// namedValue finds a name with what stands between it and its value: in a line of YAML, in a URL or in an override.
var namedValue = regexp.MustCompile(`([\w\-.]+)["'\]]?\s*[:=]\s*["']?`)

// stars covers a secret. Lengths stay as they are, so that a marker below a line still points at the same place.
func stars(secret string) string {
	if strings.Contains(secret, "${") {
		return secret // the name of a variable is no secret
	}
	return strings.Repeat("*", utf8.RuneCountInString(secret))
}

// cover puts stars over the known secrets in a text, and over what looks like one.
func cover(s string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) < 4 {
			continue // it stands in every other word
		}
		s = strings.ReplaceAll(s, secret, stars(secret))
	}
	s = keyForm.ReplaceAllStringFunc(s, stars)
	return userinfo.ReplaceAllStringFunc(s, func(found string) string {
		m := userinfo.FindStringSubmatch(found)
		return m[1] + stars(m[2]) + "@"
	})
}

// coverSource covers a text that is, or quotes, what somebody wrote: there a name says what follows it.
func coverSource(s string, secrets []string) string {
	s = cover(s, secrets)
	var b strings.Builder
	done := 0
	for _, at := range namedValue.FindAllStringSubmatchIndex(s, -1) {
		name, begin := s[at[2]:at[3]], at[1]
		if begin < done {
			continue // in a value that is covered
		}
		value := s[begin:]
		if end := strings.IndexAny(value, "\"'&,}\n"); end >= 0 {
			value = value[:end]
		}
		value = strings.TrimRight(value, " \t")
		if len(value) >= 4 && (IsSecretName(name) || name == "key_env" && looksLikeKey(value)) {
			b.WriteString(s[done:begin] + stars(value))
			done = begin + len(value)
		}
	}
	return b.String() + s[done:]
}

// IsSecretName reports whether a header, a query parameter or a field of a body with this name usually holds a secret.
func IsSecretName(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return c == '-' || c == '_' || c == '.' })
	if len(words) == 0 {
		return false
	}
	last, before := words[len(words)-1], ""
	if len(words) > 1 {
		before = words[len(words)-2]
	}
	switch last {
	case "authorization", "auth", "apikey", "secret", "password", "passwd", "pwd", "signature", "sig", "cookie", "credential", "credentials":
		return true
	case "key": // but not prompt_cache_key or idempotency-key
		return slices.Contains([]string{"", "api", "access", "subscription", "secret", "private", "functions"}, before)
	case "token": // but not eos_token
		return slices.Contains([]string{"", "x", "access", "auth", "api", "bearer", "refresh", "id", "session", "security", "vault"}, before)
	}
	return false
}

// refuseSecrets reports keys that stand in the scenario itself, and returns them. It looks at the text as it is written,
// before any variable is put in.
func refuseSecrets(approach strict.Place) (found []string) {
	refuse := func(p strict.Place, secret, problem, remedy string) {
		p.Mistake(problem, remedy)
		found = append(found, secret)
	}
	for _, name := range approach.Keys() {
		if p := approach.Field(name); name == "key" || IsSecretName(name) {
			refuse(p, p.Text(), "a key has no place in a file", "write key_env: NAME, the environment variable that holds it")
		}
	}
	keyEnv := approach.Field("key_env")
	switch text := keyEnv.Text(); {
	case strings.HasPrefix(text, "$"):
		keyEnv.Mistake(fmt.Sprintf("%s is not a name", strict.Quote(text)), "key_env takes the bare name: "+strings.Trim(text, "${}"))
	case looksLikeKey(text):
		refuse(keyEnv, text, "the key itself stands in the file", "write the NAME of the environment variable that holds it, such as OPENAI_API_KEY, and revoke the key: it was written down")
	}
	telemetry := approach.Field("telemetry")
	pages := []strict.Place{telemetry.Field("url")}
	for i := range telemetry.Field("urls").Len() {
		pages = append(pages, telemetry.Field("urls").Item(i))
	}
	for _, h := range []struct {
		headers strict.Place
		remedy  string
	}{{approach.Field("headers"), "use key_env: NAME for the API key, or %s: ${NAME} for another"}, {telemetry.Field("headers"), "put it in an environment variable: %s: ${NAME}"}} {
		for _, name := range h.headers.Keys() {
			p := h.headers.Field(name)
			text := p.Text()
			if !strings.Contains(text, "${") && (IsSecretName(name) && text != "" || keyForm.MatchString(text)) {
				refuse(p, text, "a secret stands in the file", fmt.Sprintf(h.remedy, name))
			}
		}
	}
	found = append(found, refuseInBody(approach.Field("body"))...)
	found = append(found, refuseInBody(approach.Field("generic").Field("body"))...)
	u := approach.Field("url")
	for _, p := range append([]strict.Place{u, approach.Field("connections").Field("proxy")}, pages...) {
		if m := userinfo.FindStringSubmatch(p.Text()); m != nil && !strings.Contains(m[2], "${") {
			refuse(p, m[2], "a password or a token stands in the file", "put it in an environment variable: ${NAME}")
		}
	}
	for _, u := range append([]strict.Place{u}, pages...) {
		_, query, _ := strings.Cut(u.Text(), "?")
		for _, pair := range strings.Split(query, "&") {
			if name, value, _ := strings.Cut(pair, "="); IsSecretName(name) && value != "" && !strings.Contains(value, "${") {
				refuse(u, value, "a secret stands in the file", fmt.Sprintf("put it in an environment variable: %s=${NAME}", name))
			}
		}
	}
	return found
}

// refuseInBody reports keys that stand in a group of the body, at any depth.
func refuseInBody(p strict.Place) (found []string) {
	for _, name := range p.Keys() {
		field := p.Field(name)
		if text := field.Text(); text != "" && (IsSecretName(name) || keyForm.MatchString(text)) {
			field.Mistake("a secret stands in the file", "use key_env: NAME for the API key, and a header, as ${NAME}, for another")
			found = append(found, text)
		}
		found = append(found, refuseInBody(field)...)
		for i := range field.Len() {
			found = append(found, refuseInBody(field.Item(i))...)
		}
	}
	return found
}

// looksLikeKey reports whether what should be the name of a variable is rather a key.
func looksLikeKey(s string) bool {
	long := len(s) >= 20 && strings.ContainsAny(s, "0123456789") && strings.ToUpper(s) != s
	return long || keyForm.MatchString(s)
}

// Redacted is a deep copy without secrets: the password of URLs, the values of query parameters, headers and fields of
// the body that usually hold a secret or look like one, and every header that an environment variable is part of.
func (s *Scenario) Redacted() *Scenario {
	c := clone(*s)
	for i := range c.Approaches {
		a := &c.Approaches[i]
		a.URL = RedactURL(a.URL)
		a.Connections.Proxy = redactProxy(a.Connections.Proxy)
		for name, value := range a.Headers {
			if IsSecretName(name) || keyForm.MatchString(value) || slices.Contains(a.EnvHeaders, name) {
				a.Headers[name] = covered
			}
		}
		a.Telemetry.redact()
		redactBody("body", a.Body)
		if a.Generic != nil {
			redactBody("body", a.Generic.Body)
		}
	}
	return &c
}

// redactProxy covers what stands before the host of a proxy. A password that holds a slash or a hash makes it no URL, or
// another one than was meant; a proxy has no path in which an @ could stand.
func redactProxy(s string) string {
	scheme, rest, found := strings.Cut(s, "://")
	at := strings.LastIndexByte(rest, '@')
	if !found || at < 0 {
		return s
	}
	user, _, named := strings.Cut(rest[:at], ":")
	if !named {
		return scheme + "://" + covered + rest[at:] // a token alone
	}
	return scheme + "://" + user + ":" + covered + rest[at:]
}

// RedactURL covers the password and the secret-looking parameters of a URL.
func RedactURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return userinfo.ReplaceAllString(s, "${1}"+covered+"@")
	}
	if u.User != nil {
		if _, has := u.User.Password(); has {
			u.User = url.UserPassword(u.User.Username(), covered)
		} else {
			u.User = url.User(covered) // a token alone
		}
	}
	pairs := strings.Split(u.RawQuery, "&")
	for i, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil && found && (IsSecretName(plain) || keyForm.MatchString(value)) {
			pairs[i] = name + "=" + covered
		}
	}
	u.RawQuery = strings.Join(pairs, "&")
	return u.String()
}

// redactBody covers secrets in a value of a body, in place where it is a group or a list. name is the field that holds
// it.
func redactBody(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			v[name] = redactBody(name, value)
		}
	case []any:
		for i, value := range v {
			v[i] = redactBody(name, value)
		}
	case string:
		if IsSecretName(name) && v != "" || keyForm.MatchString(v) {
			return covered
		}
	}
	return v
}
