package oracle

import (
	"context"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/infbench/infbench/pkg/endpoint"
)

func init() {
	params := openai.CompletionNewParams{Model: "m", MaxTokens: openai.Int(100), Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("be brief\n\nhi")}}
	client := func(url string) openai.Client {
		return openai.NewClient(option.WithBaseURL(url+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0))
	}
	sdks[endpoint.OpenAICompletions] = sdk{
		base: "/v1",
		stream: func(ctx context.Context, url string) (u understood, err error) {
			streamed := params
			streamed.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
			c := client(url)
			stream := c.Completions.NewStreaming(ctx, streamed)
			for stream.Next() {
				chunk := stream.Current()
				u.completion(&chunk)
			}
			return u, stream.Err()
		},
		whole: func(ctx context.Context, url string) (u understood, err error) {
			c := client(url)
			r, err := c.Completions.New(ctx, params)
			if err != nil {
				return u, err
			}
			u.completion(r)
			return u, nil
		},
	}
}

// completion adds a chunk of a stream, or a whole completion.
func (u *understood) completion(c *openai.Completion) {
	if c.Usage.TotalTokens > 0 {
		u.input, u.cached = c.Usage.PromptTokens, c.Usage.PromptTokensDetails.CachedTokens
		u.output, u.reasoning = c.Usage.CompletionTokens, c.Usage.CompletionTokensDetails.ReasoningTokens
	}
	for _, choice := range c.Choices {
		u.text += choice.Text
		if choice.FinishReason != "" {
			u.finish = string(choice.FinishReason)
		}
	}
}
