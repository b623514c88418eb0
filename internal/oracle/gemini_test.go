package oracle

import (
	"context"
	"errors"

	"google.golang.org/genai"

	"github.com/infbench/infbench/pkg/endpoint"
)

func init() {
	config := &genai.GenerateContentConfig{MaxOutputTokens: 100, SystemInstruction: genai.NewContentFromText("be brief", "")}
	client := func(ctx context.Context, url string) (*genai.Client, error) {
		return genai.NewClient(ctx, &genai.ClientConfig{APIKey: key, Backend: genai.BackendGeminiAPI,
			HTTPOptions: genai.HTTPOptions{BaseURL: url, APIVersion: "v1beta"}})
	}
	sdks[endpoint.Gemini] = sdk{
		base: "/v1beta",
		stream: func(ctx context.Context, url string) (u understood, err error) {
			c, err := client(ctx, url)
			if err != nil {
				return u, err
			}
			for r, err := range c.Models.GenerateContentStream(ctx, "m", genai.Text("hi"), config) {
				if err != nil {
					return u, err
				}
				if err := u.add(r); err != nil {
					return u, err
				}
			}
			return u, nil
		},
		whole: func(ctx context.Context, url string) (u understood, err error) {
			c, err := client(ctx, url)
			if err != nil {
				return u, err
			}
			r, err := c.Models.GenerateContent(ctx, "m", genai.Text("hi"), config)
			if err != nil {
				return u, err
			}
			return u, u.add(r)
		},
	}
}

// add adds one event, by the convention that Google documents: thoughts are outside of candidates, what the cache served
// is inside of the prompt.
func (u *understood) add(r *genai.GenerateContentResponse) error {
	if f := r.PromptFeedback; f != nil && f.BlockReason != "" {
		return errors.New(string(f.BlockReason))
	}
	if m := r.UsageMetadata; m != nil {
		u.input, u.cached = int64(m.PromptTokenCount+m.ToolUsePromptTokenCount), int64(m.CachedContentTokenCount)
		u.output, u.reasoning = int64(m.CandidatesTokenCount+m.ThoughtsTokenCount), int64(m.ThoughtsTokenCount)
	}
	if len(r.Candidates) == 0 {
		return nil
	}
	if f := r.Candidates[0].FinishReason; f != "" {
		u.finish = string(f)
	}
	if r.Candidates[0].Content == nil {
		return nil
	}
	called := false
	for _, p := range r.Candidates[0].Content.Parts {
		if !p.Thought {
			u.text += p.Text
		}
		called = called || p.FunctionCall != nil
	}
	if called {
		u.tools++
	}
	return nil
}
