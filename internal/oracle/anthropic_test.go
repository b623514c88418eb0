package oracle

import (
	"context"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/infbench/infbench/pkg/endpoint"
)

func init() {
	params := anthropic.MessageNewParams{Model: "m", MaxTokens: 100, System: []anthropic.TextBlockParam{{Text: "be brief"}},
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hi"))}}
	client := func(url string) anthropic.Client {
		return anthropic.NewClient(option.WithBaseURL(url), option.WithAPIKey(key), option.WithMaxRetries(0))
	}
	sdks[endpoint.AnthropicMessages] = sdk{
		stream: func(ctx context.Context, url string) (understood, error) {
			c := client(url)
			stream := c.Messages.NewStreaming(ctx, params)
			var m anthropic.Message
			tools := int64(0)
			for stream.Next() {
				event := stream.Current()
				if event.ContentBlock.Type == "tool_use" || event.Delta.PartialJSON != "" {
					tools++
				}
				if err := m.Accumulate(event); err != nil {
					return understood{}, err
				}
			}
			u := anthropicMessage(&m)
			u.tools = tools
			return u, stream.Err()
		},
		whole: func(ctx context.Context, url string) (understood, error) {
			c := client(url)
			m, err := c.Messages.New(ctx, params)
			if err != nil {
				return understood{}, err
			}
			return anthropicMessage(m), nil
		},
	}
}

// anthropicMessage adds the three parts of the prompt up, as we do.
func anthropicMessage(m *anthropic.Message) understood {
	var text strings.Builder
	for _, block := range m.Content {
		if block.Type == "text" {
			text.WriteString(block.Text)
		}
	}
	u := m.Usage
	return understood{text: text.String(), finish: string(m.StopReason), input: u.InputTokens + u.CacheReadInputTokens + u.CacheCreationInputTokens,
		cached: u.CacheReadInputTokens, output: u.OutputTokens, reasoning: u.OutputTokensDetails.ThinkingTokens}
}
