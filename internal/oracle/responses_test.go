package oracle

import (
	"cmp"
	"context"
	"errors"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"github.com/infbench/infbench/pkg/endpoint"
)

func init() {
	role := func(r responses.EasyInputMessageRole, text string) responses.ResponseInputItemUnionParam {
		return responses.ResponseInputItemParamOfMessage(text, r)
	}
	params := responses.ResponseNewParams{Model: "m", MaxOutputTokens: openai.Int(100), Store: openai.Bool(false),
		Input: responses.ResponseNewParamsInputUnion{OfInputItemList: []responses.ResponseInputItemUnionParam{role("system", "be brief"), role("user", "hi")}}}
	client := func(url string) openai.Client {
		return openai.NewClient(option.WithBaseURL(url+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0))
	}
	sdks[endpoint.OpenAIResponses] = sdk{
		base: "/v1",
		stream: func(ctx context.Context, url string) (u understood, err error) {
			c := client(url)
			stream := c.Responses.NewStreaming(ctx, params)
			pieces, tools := "", int64(0)
			for stream.Next() {
				switch e := stream.Current(); e.Type {
				case "response.output_text.delta", "response.refusal.delta":
					pieces += e.Delta
				case "response.function_call_arguments.delta":
					tools++
				case "response.output_item.added":
					if e.Item.Type == "function_call" {
						tools++
					}
				case "response.completed", "response.incomplete":
					u = wholeResponse(&e.Response)
				case "response.failed":
					return understood{text: pieces}, errors.New(e.Response.Error.Message)
				case "error":
					return understood{text: pieces}, errors.New(e.Message)
				}
			}
			u.text, u.tools = cmp.Or(u.text, pieces), tools
			return u, stream.Err()
		},
		whole: func(ctx context.Context, url string) (u understood, err error) {
			c := client(url)
			r, err := c.Responses.New(ctx, params)
			if err != nil {
				return u, err
			}
			return wholeResponse(r), nil
		},
	}
}

// wholeResponse reads a whole response, as the last event of a stream has one too: its text is another way to that of the
// deltas. A refusal is none of its output text.
func wholeResponse(r *responses.Response) understood {
	return understood{text: r.OutputText(), finish: cmp.Or(r.IncompleteDetails.Reason, string(r.Status)),
		input: r.Usage.InputTokens, cached: r.Usage.InputTokensDetails.CachedTokens,
		output: r.Usage.OutputTokens, reasoning: r.Usage.OutputTokensDetails.ReasoningTokens}
}
