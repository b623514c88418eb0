package endpoint

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/workload"
)

func TestOpenErrors(t *testing.T) {
	good := func() Config {
		return Config{Approach: workload.Approach{URL: "https://host/v1"}, Epoch: time.Now()}
	}
	if _, err := Open(good()); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*Config)
		text   string
	}{
		{"unknown API", func(c *Config) { c.Approach.API = "smoke-signals" }, `"smoke-signals" is not known`},
		{"no URL", func(c *Config) { c.Approach.URL = "" }, "want http://"},
		{"no scheme", func(c *Config) { c.Approach.URL = "host/v1" }, "want http://"},
		{"no host", func(c *Config) { c.Approach.URL = "https:///v1" }, "want http://"},
		{"another scheme", func(c *Config) { c.Approach.URL = "ftp://host/v1" }, "want http://"},
		{"not a URL", func(c *Config) { c.Approach.URL = "https://host:port/v1" }, "invalid port"},
		{"password in the URL", func(c *Config) { c.Approach.URL = "https://me:pass@host/v1" }, "key_env"},
		{"whole path", func(c *Config) { c.Approach.URL = "https://host/v1/chat/completions/" }, "without /chat/completions"},
		{"version twice", func(c *Config) { c.Approach.API = AnthropicMessages }, "without /v1: infbench adds /v1/messages"},
		{"no model where it is part of the URL", func(c *Config) { c.Approach.API = Gemini }, "model: name one"},
		{"key with a line end", func(c *Config) { c.Key = "sk-secret\n" }, "Authorization"},
		{"header name", func(c *Config) { c.Approach.Headers = map[string]string{"X Team": "a"} }, "X Team"},
		{"header value", func(c *Config) { c.Approach.Headers = map[string]string{"X-Team": "a\r\nB: c"} }, "X-Team"},
		{"a header that asks for second attempts", func(c *Config) { c.Approach.Headers = map[string]string{"idempotency-key": "k"} }, "unseen"},
		{"reuse", func(c *Config) { c.Approach.Connections.Reuse = "sometimes" }, "keep-alive and never"},
		{"stream in the body", func(c *Config) { c.Approach.Body = map[string]any{"stream": false} }, "stream: false"},
		{"body that is no JSON", func(c *Config) { c.Approach.Body = map[string]any{"x": func() {}} }, "body"},
		{"no epoch", func(c *Config) { c.Epoch = time.Time{} }, "epoch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := good()
			tt.change(&c)
			e, err := Open(c)
			if err == nil || !strings.Contains(err.Error(), tt.text) || e != nil {
				t.Fatalf("endpoint %v, error %v, want %q", e, err, tt.text)
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "pass@") {
				t.Errorf("a secret in %v", err)
			}
		})
	}
}

func TestTargetURL(t *testing.T) {
	for base, want := range map[string]string{
		"https://h/v1":  "https://h/v1/chat/completions",
		"https://h/v1/": "https://h/v1/chat/completions",
		"http://h:8080": "http://h:8080/chat/completions",
		"https://h/openai/deployments/d?api-version=1": "https://h/openai/deployments/d/chat/completions?api-version=1",
		"https://h/a%2Fb#x":                            "https://h/a%2Fb/chat/completions",
	} {
		got, err := targetURL(base, "/chat/completions")
		if got.String() != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", base, got, err, want)
		}
		if line := got.RequestURI(); !strings.HasPrefix(line, "/") { // what is written into the request
			t.Errorf("%s: asks for %s", base, line)
		}
	}
}

func TestMerge(t *testing.T) {
	object := func(s string) (m map[string]any) {
		if err := json.Unmarshal([]byte(s), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	// the examples of RFC 7396, appendix A, that are objects, and ours
	for _, tt := range []struct{ object, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"stream_options":{"include_usage":true}}`, `{"stream_options":{"continuous_usage_stats":true}}`, `{"stream_options":{"include_usage":true,"continuous_usage_stats":true}}`},
	} {
		o := object(tt.object)
		if got := merge(o, object(tt.patch)); !reflect.DeepEqual(got, object(tt.want)) {
			t.Errorf("%s with %s: %v, want %s", tt.object, tt.patch, got, tt.want)
		}
		if !reflect.DeepEqual(o, object(tt.object)) {
			t.Errorf("%s was changed to %v", tt.object, o)
		}
	}
}

// A field of the scenario's body stands over ours, also where it removes it.
func TestBodyOverrides(t *testing.T) {
	open := func(a workload.Approach) *remote {
		a.URL, a.Model = "http://h/v1", "m"
		e, err := Open(Config{Approach: a, Epoch: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return e.(*remote)
	}
	messages := `"messages":[{"role":"user","content":"say <hi> & \"bye\""}]`
	for _, tt := range []struct {
		a    workload.Approach
		max  int
		want string
	}{
		{workload.Approach{}, 7, `{"max_completion_tokens":7,` + messages + `,"model":"m","stream":true,"stream_options":{"include_usage":true}}`},
		{workload.Approach{}, 0, `{` + messages + `,"model":"m","stream":true,"stream_options":{"include_usage":true}}`},
		{workload.Approach{MaxTokensField: "max_tokens", Body: map[string]any{"model": nil, "stream_options": nil}}, 7, `{"max_tokens":7,` + messages + `,"stream":true}`},
		{workload.Approach{Body: map[string]any{"max_completion_tokens": nil, "messages": []string{}, "stream_options": nil}}, 7, `{"messages":[],"model":"m","stream":true}`},
		{workload.Approach{Body: map[string]any{"max_completion_tokens": 99, "messages": nil, "stream_options": nil}}, 7, `{"max_completion_tokens":99,"model":"m","stream":true}`},
	} {
		req := testRequest
		req.MaxTokens = tt.max
		for range 2 { // the second time as the first: nothing is changed by use
			if got, err := open(tt.a).encode(&req); string(got) != tt.want || err != nil {
				t.Errorf("%s, %v\nwant %s", got, err, tt.want)
			}
		}
	}
}

// What a server says back is in every file of a record: no secret of a request may be, however the server spells it.
func TestSecretsStayOut(t *testing.T) {
	header := http.Header{"Api-Key": {"azure-key-1"}, "Authorization": {"Bearer oauth-abcdef"}, "X-Auth-Mode": {"none"},
		"Cookie": {"session=abcdef123456; theme=dark"}, "X-Vault": {"from-the-environment"}, "X-Team": {"search-team"}}
	a := workload.Approach{URL: "https://h/v1?api_key=query%2Fsecret&version=2024-10-21", EnvHeaders: []string{"x-vault"}}
	c := &client{secrets: secretsOf(&Config{Approach: a, Key: "wJalr/UtnF+EMI"}, header, []string{"proxy-pass"})}
	for said, want := range map[string]string{
		"keys wJalr/UtnF+EMI, azure-key-1 and oauth-abcdef; mode none, Bearer": "keys [key], [key] and [key]; mode none, Bearer",
		`{"reason":"bad key wJalr\/UtnF+EMI"}`:                                 `{"reason":"bad key [key]"}`,
		"redirected to /v1?key=wJalr%2FUtnF%2BEMI":                             "redirected to /v1?key=[key]",
		"bad cookie session=abcdef123456; theme=dark":                          "bad cookie [key]",
		"no session abcdef123456":                                              "no session [key]",
		"moved to http://h/v1?api_key=query%2Fsecret&version=2024-10-21":       "moved to http://h/v1?api_key=[key]&version=2024-10-21",
		"unknown key query/secret":                                             "unknown key [key]",
		"vault says from-the-environment, proxy-pass":                          "vault says [key], [key]",
		"team search-team is over its limit":                                   "team search-team is over its limit",
	} {
		if got := c.words(said); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", said, got, want)
		}
	}
}

func TestHostHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var host string
		r, _ := call(t, workload.Approach{Headers: map[string]string{"host": "models.example"}}, []step{{0, sseHead + chunked(content("a")+doneEvent) + lastChunk}},
			func(req *http.Request, _ []byte) { host = req.Host })
		if r.Class != OK || host != "models.example" {
			t.Errorf("%s %s, host %q", r.Class, r.Error, host)
		}
	})
}

// A kept connection that the server closed is not used for a request that could then fail: net/http notices before it
// writes. A connection that dies after the request was read is a failure and not tried again.
func TestOneAttempt(t *testing.T) {
	for name, dieAt := range map[string]int{"between requests": 0, "in the second request": 2} {
		synctest.Test(t, func(t *testing.T) {
			l := memnet.Listen()
			requests := 0
			serve := func(c net.Conn) {
				defer c.Close()
				buf := make([]byte, 1<<16)
				for {
					if _, err := c.Read(buf); err != nil {
						return
					}
					if requests++; requests == dieAt {
						return
					}
					io.WriteString(c, sseHead+chunked(content("a")+doneEvent)+lastChunk)
					if dieAt == 0 {
						return
					}
				}
			}
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go serve(c)
				}
			}()
			e, err := Open(Config{Approach: workload.Approach{URL: "http://mem/v1"}, Epoch: time.Now(), Dial: l.Dial})
			if err != nil {
				t.Fatal(err)
			}
			var got []Class
			for range 3 {
				r := e.Do(t.Context(), &testRequest, &events{})
				got = append(got, r.Class)
				synctest.Wait()
			}
			want := []Class{OK, OK, OK}
			if dieAt == 2 {
				want[1] = Truncated
			}
			if !reflect.DeepEqual(got, want) || requests != 3 {
				t.Errorf("%s: %v with %d requests seen, want %v and 3", name, got, requests, want)
			}
			e.Close()
			l.Close()
		})
	}
}

// Many requests at once over one endpoint keep their own events, and in virtual time their exact stamps.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		var serial atomic.Int64
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			n := time.Duration(strings.Count(string(body), "x"))
			serial.Add(1)
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			for range 5 {
				time.Sleep(n * time.Millisecond)
				io.WriteString(w, content("a"))
				w.(http.Flusher).Flush()
			}
			io.WriteString(w, doneEvent)
		})}
		go srv.Serve(l)
		e, err := Open(Config{Approach: workload.Approach{URL: "http://mem/v1"}, Epoch: time.Now(), Dial: l.Dial})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := 1; i <= 60; i++ {
			wg.Go(func() {
				time.Sleep(time.Duration(i%7) * time.Millisecond)
				req := workload.Request{Messages: []workload.Message{{Role: "user", Content: strings.Repeat("x", i)}}}
				obs := &events{}
				r := e.Do(t.Context(), &req, obs)
				gap := time.Duration(i) * time.Millisecond
				sent, _ := obs.first(Sent)
				if r.Class != OK || obs.count(Answer) != 5 {
					t.Errorf("%s %s, %d answers", r.Class, r.Error, obs.count(Answer))
					return
				}
				at := sent.At
				for _, ev := range obs.all {
					if ev.Kind != Answer {
						continue
					}
					if at += gap; ev.At != at {
						t.Errorf("request %d: answer at %s, want %s", i, ev.At, at)
					}
				}
			})
		}
		wg.Wait()
		if serial.Load() != 60 {
			t.Errorf("%d requests seen", serial.Load())
		}
		e.Close()
		srv.Close()
		synctest.Wait()
	})
}

func TestPlainText(t *testing.T) {
	for in, want := range map[string]string{
		`"a\u00e9\n"`: "aé\n",
		`[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"a"},{"type":"text","text":"\"b"}]`: `a"b`,
		`17`: "17",
		``:   "",
	} {
		if got := plainText([]byte(in)); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// The context that is cancelled while the connection is being made ends the request at once, with its cause.
func TestCancelWhileDialling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		e, err := Open(Config{Approach: workload.Approach{URL: "http://mem/v1"}, Epoch: time.Now(), Dial: func(context.Context, string, string) (net.Conn, error) {
			<-stuck // a dialler that does not even listen to its context
			return nil, io.EOF
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(ErrUnfinished) })
		start := time.Now()
		obs := &events{}
		r := e.Do(ctx, &testRequest, obs)
		if r.Class != Unfinished || time.Since(start) != time.Second || !r.NewConnection || obs.count(ConnectStart) != 1 || obs.count(Connected) != 0 {
			t.Errorf("%+v after %s, events %v", r, time.Since(start), obs.all)
		}
		close(stuck)
		synctest.Wait()
	})
}

// A key goes into the header that the scenario names, and nowhere else.
func TestKeyHeader(t *testing.T) {
	for header, want := range map[string]map[string]string{
		"":        {"Authorization": "Bearer sk-secret", "Api-Key": ""},
		"api-key": {"Authorization": "", "Api-Key": "sk-secret"},
	} {
		e, err := Open(Config{Approach: workload.Approach{URL: "http://h/v1", KeyHeader: header}, Key: "sk-secret", Epoch: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range want {
			if got := e.(*remote).header.Get(name); got != value {
				t.Errorf("key_header %q: %s is %q, want %q", header, name, got, value)
			}
		}
	}
}
