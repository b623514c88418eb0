package workload

// Generic describes an API that is none of the others by its name: what is sent, and where in its answers things stand.
// Places are paths of gjson: choices.0.delta.content is the content of the delta of the first choice.
type Generic struct {
	// Framing is how the events of a stream are told apart: sse (default: server-sent events with JSON as their data) or
	// ndjson (a line of JSON is an event).
	Framing string `yaml:"framing" json:"framing" jsonschema:"enum=sse,enum=ndjson,default=sse"`
	// Path is put behind the URL. <model> in it is the approach's model.
	Path string `yaml:"path" json:"path" jsonschema:"required,pattern=^/[^?#]*$,hint=begin it with / and write a query into the url,example=/generate"`
	// Body is the JSON body of a request. In its texts <prompt> is the prompt, <model> the model, and <max_tokens> the
	// output length. A text that is nothing but <messages>, <max_tokens> or <stream> becomes the list of messages, the
	// number (a field without one is left out) or true or false. The approach's own body is merged into it.
	Body map[string]any `yaml:"body" json:"body" jsonschema:"required"`
	// Text is where an event has the text that the user reads.
	Text string `yaml:"text" json:"text" jsonschema:"required,minLength=1,example=choices.0.text"`
	// Reasoning is where it has the text that the user does not read.
	Reasoning string `yaml:"reasoning,omitempty" json:"reasoning,omitempty" jsonschema:"minLength=1"`
	// Cumulative says that each event has all of the text so far, and not the next piece.
	Cumulative bool `yaml:"cumulative,omitempty" json:"cumulative,omitempty"`
	// Tokens is where an event says how many tokens there are: a number is that of the answer so far, a list has one entry
	// for each token of the event.
	Tokens string `yaml:"tokens,omitempty" json:"tokens,omitempty" jsonschema:"minLength=1"`
	// InputTokens is where the number of all prompt tokens stands, cached ones included.
	InputTokens string `yaml:"input_tokens,omitempty" json:"input_tokens,omitempty" jsonschema:"minLength=1,example=usage.prompt_tokens"`
	// CachedTokens is where the number of those stands that came from a cache.
	CachedTokens string `yaml:"cached_tokens,omitempty" json:"cached_tokens,omitempty" jsonschema:"minLength=1"`
	// OutputTokens is where the number of all generated tokens stands, reasoning included.
	OutputTokens string `yaml:"output_tokens,omitempty" json:"output_tokens,omitempty" jsonschema:"minLength=1,example=usage.completion_tokens"`
	// Finish is where the reason stands for which the answer ended.
	Finish string `yaml:"finish,omitempty" json:"finish,omitempty" jsonschema:"minLength=1"`
	// Done is how the last event is known. Without it the answer ends with the response, after a finish reason if Finish
	// says where one stands.
	Done *GenericDone `yaml:"done,omitempty" json:"done,omitempty"`
	// Error is where an event, or an answer in one piece, has an error. Default error.
	Error string `yaml:"error" json:"error" jsonschema:"minLength=1,default=error"`
}

// GenericDone is how the last event of a stream is known: by its Data, or by what stands at a Path.
type GenericDone struct {
	// Data is the whole of its data, which need be no JSON.
	Data string `yaml:"data,omitempty" json:"data,omitempty" jsonschema:"minLength=1,example=[DONE]"`
	// Path is where something stands only then: anything but null, false and the empty text, or what Equals says.
	Path string `yaml:"path,omitempty" json:"path,omitempty" jsonschema:"minLength=1,example=done"`
	// Equals is what stands there: a text, a number, true or false.
	Equals any `yaml:"equals,omitempty" json:"equals,omitempty"`
}

// The placeholders in the body of a generic API.
const (
	PlacePrompt    = "<prompt>"
	PlaceMessages  = "<messages>"
	PlaceMaxTokens = "<max_tokens>"
	PlaceModel     = "<model>"
	PlaceStream    = "<stream>"
)
