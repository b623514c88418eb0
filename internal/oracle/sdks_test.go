package oracle

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// sdk asks "hi", after the system's "be brief", for 100 tokens of model m by an official client, and says what it made of
// the answer. An error is the client's, or what it hands out as one.
type sdk struct {
	base   string // what the scenario's URL has behind the host
	stream func(ctx context.Context, url string) (understood, error)
	whole  func(ctx context.Context, url string) (understood, error)
}

var sdks = map[string]sdk{}

const key = "sk-secret"

// asked is what a request says, apart from the forms in which an API takes the same thing.
type asked struct{ target, key, version, fields string }

func askedBy(r *http.Request) asked {
	var body map[string]json.RawMessage
	b, _ := io.ReadAll(r.Body)
	json.Unmarshal(b, &body)
	h := r.Header
	return asked{target: r.Method + " " + r.URL.RequestURI(), key: h.Get("Authorization") + h.Get("X-Api-Key") + h.Get("X-Goog-Api-Key"),
		version: h.Get("Anthropic-Version"), fields: strings.Join(slices.Sorted(maps.Keys(body)), " ")}
}

// withoutStream takes a field away whose default the SDKs leave out and we write: stream: false.
func withoutStream(a asked) asked {
	a.fields = strings.TrimSpace(strings.ReplaceAll(" "+a.fields+" ", " stream ", " "))
	return a
}

// replay serves the bytes of a file in many small pieces and keeps what was asked for.
func replay(t *testing.T, file string) (url string, requests *[]asked) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	requests = new([]asked)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*requests = append(*requests, askedBy(r))
		w.Header().Set("Content-Type", "text/event-stream")
		if strings.HasSuffix(file, ".json") {
			w.Header().Set("Content-Type", "application/json")
		}
		for i := range b {
			w.Write(b[i : i+1])
			if b[i] == '\n' || i%37 == 0 {
				w.(http.Flusher).Flush()
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, requests
}

// ours is what our client understood.
func ours(t *testing.T, api, url string, stream bool) (understood, endpoint.Result) {
	t.Helper()
	e, err := endpoint.Open(endpoint.Config{Approach: workload.Approach{API: api, URL: url + sdks[api].base, Model: "m", Stream: &stream},
		Key: key, Epoch: time.Now(), KeepText: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var c counter
	r := e.Do(t.Context(), &workload.Request{Messages: []workload.Message{{Role: "system", Content: "be brief"}, {Role: "user", Content: "hi"}}, MaxTokens: 100}, &c)
	value := func(n *int) int64 {
		if n == nil {
			return 0
		}
		return int64(*n)
	}
	u := understood{text: r.Text, finish: r.Finish, input: value(r.Usage.Input), cached: value(r.Usage.CachedInput),
		output: value(r.Usage.Output), reasoning: value(r.Usage.Reasoning), tools: c.tools}
	return u, r
}

// The official client of each API and ours ask the same and understand the same: text, tool calls, usage, finish reason
// and failures. Where a stream is cut, the official ones report success; we do not.
func TestSameAsTheSDKs(t *testing.T) {
	for api, sdk := range sdks {
		files, err := filepath.Glob("../../pkg/endpoint/testdata/streams/" + api + "/*")
		if err != nil || len(files) < 4 {
			t.Fatalf("%s: %d answers: %v", api, len(files), err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
			t.Run(api+"/"+filepath.Base(file), func(t *testing.T) {
				stream := filepath.Ext(file) == ".sse"
				ask := sdk.stream
				if !stream {
					ask = sdk.whole
				}
				url, requests := replay(t, file)
				want, failed := ask(t.Context(), url)
				got, r := ours(t, api, url, stream)
				if len(*requests) != 2 || withoutStream((*requests)[0]) != withoutStream((*requests)[1]) {
					t.Errorf("asked\n %+v", *requests)
				}
				switch {
				case name == "cut":
					if failed != nil || r.Class != endpoint.Truncated || got.text != want.text || got.text == "" {
						t.Errorf("\n sdk %+v, %v\n  us %+v, %s: %s", want, failed, got, r.Class, r.Error)
					}
				case strings.HasPrefix(name, "error"), name == "blocked":
					if failed == nil || r.Class != endpoint.StreamError || got.text != want.text {
						t.Errorf("\n sdk %+v, %v\n  us %+v, %s: %s", want, failed, got, r.Class, r.Error)
					}
					for _, words := range []string{"Overloaded", "PROHIBITED_CONTENT"} {
						if failed != nil && strings.Contains(failed.Error(), words) != strings.Contains(r.Error, words) {
							t.Errorf("the SDK says %q, we %q", failed, r.Error)
						}
					}
				case failed != nil || r.Class != endpoint.OK:
					t.Errorf("the SDK's error: %v; ours: %s: %s", failed, r.Class, r.Error)
				case got != want:
					t.Errorf("\n sdk %+v\n  us %+v", want, got)
				case got.text == "" && got.tools == 0 || got.output == 0 || got.finish == "":
					t.Errorf("nothing was understood: %+v", got)
				case r.UnknownEvents != 0:
					t.Errorf("%d events were not understood", r.UnknownEvents)
				}
			})
		}
	}
}
