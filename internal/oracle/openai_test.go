// Package oracle compares our clients with the official SDKs on the same bytes. It is a module of its own, so that the
// SDKs are no dependencies of infbench.
package oracle

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// understood is what a client made of a stream.
type understood struct {
	text, finish                            string
	input, cached, output, reasoning, tools int64
}

// bySDK reads the stream with the official client.
func bySDK(t *testing.T, url string) understood {
	t.Helper()
	client := openai.NewClient(option.WithBaseURL(url+"/v1"), option.WithAPIKey("k"), option.WithMaxRetries(0))
	stream := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{Model: "m",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hi")}})
	var u understood
	var text strings.Builder
	for stream.Next() {
		chunk := stream.Current()
		if chunk.Usage.TotalTokens > 0 {
			u.input, u.output = chunk.Usage.PromptTokens, chunk.Usage.CompletionTokens
			u.cached = chunk.Usage.PromptTokensDetails.CachedTokens
			u.reasoning = chunk.Usage.CompletionTokensDetails.ReasoningTokens
		}
		if len(chunk.Choices) == 0 {
			continue
		}
		text.WriteString(chunk.Choices[0].Delta.Content)
		u.tools += int64(len(chunk.Choices[0].Delta.ToolCalls))
		if f := chunk.Choices[0].FinishReason; f != "" {
			u.finish = f
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatalf("the SDK refused the stream: %v", err)
	}
	u.text = text.String()
	return u
}

type counter struct{ tools int64 }

func (c *counter) Observe(e endpoint.Event) {
	if e.Kind == endpoint.Tool {
		c.tools++
	}
}

// byUs reads it with ours.
func byUs(t *testing.T, url string) understood {
	t.Helper()
	e, err := endpoint.Open(endpoint.Config{Approach: workload.Approach{URL: url + "/v1", Model: "m"}, Epoch: time.Now(), KeepText: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var c counter
	r := e.Do(t.Context(), &workload.Request{Messages: []workload.Message{{Role: "user", Content: "hi"}}}, &c)
	if r.Class != endpoint.OK {
		t.Fatalf("we refused the stream: %s: %s", r.Class, r.Error)
	}
	value := func(n *int) int64 {
		if n == nil {
			return 0
		}
		return int64(*n)
	}
	return understood{text: r.Text, finish: r.Finish, input: value(r.Usage.Input), cached: value(r.Usage.CachedInput),
		output: value(r.Usage.Output), reasoning: value(r.Usage.Reasoning), tools: c.tools}
}

func TestSameAsTheSDK(t *testing.T) {
	files, err := filepath.Glob("../../pkg/endpoint/testdata/streams/*.sse")
	if err != nil || len(files) == 0 {
		t.Fatalf("no streams: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "text/event-stream")
				for i := range b { // in many small pieces
					w.Write(b[i : i+1])
					if b[i] == '\n' || i%37 == 0 {
						w.(http.Flusher).Flush()
					}
				}
			}))
			defer s.Close()
			sdk, us := bySDK(t, s.URL), byUs(t, s.URL)
			if sdk != us {
				t.Errorf("\n sdk %+v\n  us %+v", sdk, us)
			}
			if us.text == "" && us.tools == 0 || us.output == 0 {
				t.Errorf("nothing was understood: %+v", us)
			}
		})
	}
}
