package oracle

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/infbench/infbench/internal/memnet"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/workload"
)

// The same host, model and credentials for both clients.
const (
	bedrockURL   = "http://bedrock-runtime.us-east-1.amazonaws.com"
	bedrockModel = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-v1:0"
)

var bedrockKeys = map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG", "AWS_SESSION_TOKEN": "a+session/token="}

// bedrockServer answers each request with the same bytes, and keeps what it was sent.
type bedrockServer struct {
	l     *memnet.Listener
	s     *http.Server
	heads []http.Header
	uris  []string
	body  []string
}

func startBedrock(answer []byte) *bedrockServer {
	b := &bedrockServer{l: memnet.Listen()}
	b.s = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Set("Host", r.Host)
		b.heads, b.uris, b.body = append(b.heads, r.Header), append(b.uris, r.RequestURI), append(b.body, string(body))
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		for piece := range slices.Chunk(answer, 37) {
			w.Write(piece)
			w.(http.Flusher).Flush()
		}
	})}
	go b.s.Serve(b.l)
	return b
}

func (b *bedrockServer) stop() {
	b.s.Close()
	b.l.Close()
}

// message encodes a message with the SDK's own encoder.
func message(t *testing.T, kind, name, payload string) []byte {
	t.Helper()
	m := eventstream.Message{Payload: []byte(payload)}
	m.Headers.Set(":message-type", eventstream.StringValue(kind))
	m.Headers.Set(":"+kind+"-type", eventstream.StringValue(name))
	m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
	m.Headers.Set("x-time", eventstream.TimestampValue(time.UnixMilli(1)))
	m.Headers.Set("x-number", eventstream.Int32Value(7))
	m.Headers.Set("x-true", eventstream.BoolValue(true))
	var out bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type converse struct {
	understood
	failed string
}

func converseBySDK(t *testing.T, b *bedrockServer) (c converse) {
	t.Helper()
	client := bedrockruntime.New(bedrockruntime.Options{Region: "us-east-1", BaseEndpoint: aws.String(bedrockURL), RetryMaxAttempts: 1,
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: b.l.Dial, DisableCompression: true, DisableKeepAlives: true}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: bedrockKeys["AWS_ACCESS_KEY_ID"], SecretAccessKey: bedrockKeys["AWS_SECRET_ACCESS_KEY"], SessionToken: bedrockKeys["AWS_SESSION_TOKEN"]}, nil
		})},
		// what ours sends too, and so signs
		bedrockruntime.WithAPIOptions(smithyhttp.SetHeaderValue("Accept-Encoding", "identity"), smithyhttp.SetHeaderValue("Accept", "application/vnd.amazon.eventstream")))
	out, err := client.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String(bedrockModel),
		Messages:        []types.Message{{Role: "user", Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Say hi."}}}},
		System:          []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "Be brief."}},
		InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(16)}})
	if err != nil {
		t.Fatalf("the SDK's request failed: %v", err)
	}
	stream := out.GetStream()
	defer stream.Close()
	for e := range stream.Events() {
		switch e := e.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			switch d := e.Value.Delta.(type) {
			case *types.ContentBlockDeltaMemberText:
				c.text += d.Value
			case *types.ContentBlockDeltaMemberToolUse:
				c.tools++
			}
		case *types.ConverseStreamOutputMemberContentBlockStart:
			if _, ok := e.Value.Start.(*types.ContentBlockStartMemberToolUse); ok {
				c.tools++
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			c.finish = string(e.Value.StopReason)
		case *types.ConverseStreamOutputMemberMetadata:
			u := e.Value.Usage
			c.cached = int64(aws.ToInt32(u.CacheReadInputTokens))
			c.input = int64(aws.ToInt32(u.InputTokens)) + c.cached + int64(aws.ToInt32(u.CacheWriteInputTokens))
			c.output = int64(aws.ToInt32(u.OutputTokens))
		}
	}
	var known interface{ ErrorMessage() string }
	if err := stream.Err(); errors.As(err, &known) {
		c.failed = known.ErrorMessage()
	} else if err != nil {
		c.failed = err.Error()
	}
	return c
}

// converseByUs asks the same, with the header fields that the SDK sent beside its own signature.
func converseByUs(t *testing.T, b *bedrockServer, header http.Header) (c converse) {
	t.Helper()
	extra := map[string]string{}
	for name := range header {
		switch name {
		case "Authorization", "X-Amz-Date", "X-Amz-Security-Token", "Content-Length", "User-Agent", "Host", "Connection":
		default:
			extra[name] = header.Get(name)
		}
	}
	e, err := endpoint.Open(endpoint.Config{Approach: workload.Approach{API: endpoint.BedrockConverse, URL: bedrockURL, Model: bedrockModel, Headers: extra},
		Epoch: time.Now(), KeepText: true, Dial: b.l.Dial, LookupEnv: func(name string) (string, bool) { v, ok := bedrockKeys[name]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var tools counter
	r := e.Do(t.Context(), &workload.Request{MaxTokens: 16, Messages: []workload.Message{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "Say hi."}}}, &tools)
	value := func(n *int) int64 {
		if n == nil {
			return 0
		}
		return int64(*n)
	}
	c.text, c.finish, c.tools = r.Text, r.Finish, tools.tools
	c.input, c.cached, c.output = value(r.Usage.Input), value(r.Usage.CachedInput), value(r.Usage.Output)
	if r.Class != endpoint.OK {
		c.failed = r.Error
	}
	return c
}

// The same bytes mean the same to Amazon's SDK and to us, and the same request at the same time has the same signature.
func TestSameAsTheBedrockSDK(t *testing.T) {
	event := func(name, payload string) []byte { return message(t, "event", name, payload) }
	start := event("messageStart", `{"role":"assistant","p":"abcdefghij"}`)
	stop := event("messageStop", `{"stopReason":"max_tokens","p":"ab"}`)
	usage := event("metadata", `{"usage":{"inputTokens":11,"outputTokens":7,"totalTokens":118,"cacheReadInputTokens":90,"cacheWriteInputTokens":10},"metrics":{"latencyMs":432},"p":"abc"}`)
	text := func(s string) []byte {
		return event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"`+s+`"},"p":"abcdefghijklmnopqrstuvwxyz"}`)
	}
	for name, parts := range map[string][][]byte{
		"text": {start, text("Hi"), text(`, \u00e9t\u00e9 \ud83d\ude00 \"quoted\"`), event("contentBlockStop", `{"contentBlockIndex":0}`), stop, usage},
		"reasoning and tool": {start, event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}`),
			event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}}`), event("contentBlockStop", `{"contentBlockIndex":0}`),
			event("contentBlockStart", `{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t","name":"f"}}}`),
			event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"a\":1}"}}}`), event("contentBlockStop", `{"contentBlockIndex":1}`),
			event("messageStop", `{"stopReason":"tool_use"}`), usage},
		"exception": {start, text("Hi"), message(t, "exception", "throttlingException", `{"message":"too many of you"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := startBedrock(bytes.Join(parts, nil))
				sdk := converseBySDK(t, b)
				us := converseByUs(t, b, b.heads[0])
				if sdk.failed != "" && strings.Contains(us.failed, sdk.failed) {
					us.failed = sdk.failed
				}
				if sdk != us || us.text == "" && us.tools == 0 {
					t.Errorf("\n sdk %+v\n  us %+v", sdk, us)
				}
				if b.uris[0] != b.uris[1] || b.body[0] != b.body[1] {
					t.Errorf("\n sdk %s %s\n  us %s %s", b.uris[0], b.body[0], b.uris[1], b.body[1])
				}
				for _, head := range b.heads {
					delete(head, "User-Agent")
					delete(head, "Connection")
				}
				if !maps.EqualFunc(b.heads[0], b.heads[1], slices.Equal) {
					t.Errorf("\n sdk %v\n  us %v", b.heads[0], b.heads[1])
				}
				if !strings.HasPrefix(b.heads[1].Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20000101/us-east-1/bedrock/aws4_request, ") {
					t.Errorf("not signed: %v", b.heads[1])
				}
				b.stop()
				synctest.Wait()
			})
		})
	}
}
