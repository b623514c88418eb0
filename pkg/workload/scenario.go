package workload

// Scenario is one experiment: who calls, what they ask, whom they ask and what is good enough.
// Parse reads it from YAML; every field of the file format is a field here.
type Scenario struct {
	// Name is what the run directory is called after: small letters, digits and hyphens.
	Name string `yaml:"name" json:"name" jsonschema:"required,pattern=^[a-z0-9][a-z0-9-]*$,hint=use a-z 0-9 and - only,example=chat-spike"`
	// Description is a line about the scenario, for people.
	Description string `yaml:"description,omitempty" json:"description,omitempty"`
	// Seed decides every arrival and every prompt; all approaches get the same ones.
	Seed   uint64 `yaml:"seed" json:"seed" jsonschema:"minimum=1,default=1"`
	Phases Phases `yaml:"phases" json:"phases" jsonschema:"required"`
	// Arrivals says when requests come: either open-loop (a shape and a burst family, or a preset that stands for both), or
	// closed-loop. Beside mix they are the common arrivals, divided among the classes with a weight.
	Arrivals Arrivals `yaml:"arrivals" json:"arrivals,omitzero" jsonschema:"requiredUnless=mix"`
	// Prompts says what is asked: exactly one of synthetic, dataset and trace. With mix each class has its own.
	Prompts Prompts `yaml:"prompts" json:"prompts,omitzero" jsonschema:"requiredUnless=mix"`
	// Mix are the traffic classes, where there is more than one kind of traffic: each has prompts and limits of its own, and is
	// reported apart and together with the others.
	Mix []TrafficClass `yaml:"mix,omitempty" json:"mix,omitempty" jsonschema:"minItems=1"`
	// Sessions makes every arrival the first turn of a conversation. With mix each class has its own.
	Sessions *Sessions `yaml:"sessions,omitempty" json:"sessions,omitempty"`
	// Patience lets users leave who wait for too long. With mix it is that of the classes without their own.
	Patience *Patience `yaml:"patience,omitempty" json:"patience,omitempty"`
	// Blocks is how often every approach is driven through the measure phase: in rounds of blocks, one for each approach, in an
	// order drawn anew for each round; once without it. A comparison takes blocks as its samples, since requests of one block are
	// not independent.
	Blocks     int        `yaml:"blocks,omitempty" json:"blocks,omitempty" jsonschema:"minimum=1,maximum=1000"`
	Approaches []Approach `yaml:"approaches" json:"approaches" jsonschema:"required,minItems=1"`
	SLO        SLO        `yaml:"slo,omitempty" json:"slo,omitzero"`
	Output     Output     `yaml:"output,omitempty" json:"output,omitzero"`

	// Dir is the folder of the scenario file: relative paths in the scenario (traces, datasets) start there.
	Dir string `yaml:"-" json:"-"`
}

// Phases cuts the time line of one block. A request belongs to the phase that holds its scheduled time.
// The block's time 0 is the start of the warm-up.
type Phases struct {
	Warmup  Duration `yaml:"warmup,omitempty" json:"warmup"`
	Measure Duration `yaml:"measure" json:"measure" jsonschema:"required,exclusiveMinimum=0,example=30s"`
	// Drain is how long after the last scheduled arrival an unfinished request may go on. What is unfinished then
	// is cancelled and recorded as a miss.
	Drain Duration `yaml:"drain" json:"drain" jsonschema:"default=30s"`
	// Cooldown is the rest between two blocks, in which nothing is sent.
	Cooldown Duration `yaml:"cooldown,omitempty" json:"cooldown,omitempty"`
	// LightLoad sends requests one after the other before each block, to see what a first token takes where nobody waits. It is off
	// without this: they cost what requests cost.
	LightLoad *LightLoad `yaml:"light_load,omitempty" json:"light_load,omitempty"`
}

// LightLoad is the phase before a block's time 0 that finds the endpoint's TTFT at light load by the length of the prompt: what
// TTFT excess and an inferred queueing delay are held against. Its requests are in no other figure.
type LightLoad struct {
	// Requests are sent one at a time, with prompts of up to eight lengths, evenly spaced in proportion over those of the
	// scenario, in a random order, for an answer of one token.
	Requests int `yaml:"requests" json:"requests" jsonschema:"minimum=8,maximum=10000,default=24,example=24"`
}

// Horizon is when the schedule ends, counted from the block's time 0.
func (p Phases) Horizon() Duration { return p.Warmup + p.Measure }

// Arrivals says when requests come. Either open-loop (a shape and a burst family, or a preset that stands for both),
// or closed-loop, never both.
type Arrivals struct {
	// Preset names a shape and a burst family: steady (Poisson), bursty (gamma gaps of CV 2), spike (three times the rate in
	// the middle fifth of the measure phase), on-off (on for 17 s, off for 43 s on average, as code assistants are), ramp
	// (from 10% to 120% of the rate) or diurnal (a day in the measure phase: the rate swings by 25%). What Shape and Burst
	// say wins over it.
	Preset string `yaml:"preset,omitempty" json:"preset,omitempty" jsonschema:"enum=steady,enum=bursty,enum=spike,enum=on-off,enum=ramp,enum=diurnal"`
	// Rate is the base rate of the shape, in requests per second.
	Rate       Rate        `yaml:"rate,omitempty" json:"rate,omitempty" jsonschema:"exclusiveMinimum=0,example=4/s"`
	Shape      *Shape      `yaml:"shape,omitempty" json:"shape,omitempty"`
	Burst      *Burst      `yaml:"burst,omitempty" json:"burst,omitempty"`
	ClosedLoop *ClosedLoop `yaml:"closed_loop,omitempty" json:"closed_loop,omitempty"`
}

// Shape is the rate over time. Exactly one field is set. Times inside a shape start at the measure phase; the warm-up
// before it runs at the shape's first rate (a trace instead spends its own first seconds as warm-up).
type Shape struct {
	Constant *ConstantShape `yaml:"constant,omitempty" json:"constant,omitempty"`
	Steps    []Step         `yaml:"steps,omitempty" json:"steps,omitempty" jsonschema:"minItems=1"`
	Spike    *Spike         `yaml:"spike,omitempty" json:"spike,omitempty"`
	Ramp     *Ramp          `yaml:"ramp,omitempty" json:"ramp,omitempty"`
	Diurnal  *Diurnal       `yaml:"diurnal,omitempty" json:"diurnal,omitempty"`
	Curve    *RateCurve     `yaml:"curve,omitempty" json:"curve,omitempty"`
	Trace    *Trace         `yaml:"trace,omitempty" json:"trace,omitempty"`
}

// ConstantShape holds the base rate.
type ConstantShape struct{}

// Step holds Rate for a while. The last step holds until the horizon.
type Step struct {
	For  Duration `yaml:"for" json:"for" jsonschema:"exclusiveMinimum=0,example=30s"`
	Rate Rate     `yaml:"rate" json:"rate" jsonschema:"required,example=4/s"`
}

// Spike multiplies the base rate by Factor during [At, At+For), with linear edges of length Edge inside that window.
type Spike struct {
	At     Duration `yaml:"at" json:"at" jsonschema:"required,example=10s"`
	For    Duration `yaml:"for" json:"for" jsonschema:"required,exclusiveMinimum=0,example=5s"`
	Factor float64  `yaml:"factor" json:"factor" jsonschema:"required,minimum=0,example=3"`
	Edge   Duration `yaml:"edge,omitempty" json:"edge,omitempty"`
}

// Ramp goes linearly from one rate to another over the measure phase.
type Ramp struct {
	From Rate `yaml:"from" json:"from" jsonschema:"required,example=1/s"`
	To   Rate `yaml:"to" json:"to" jsonschema:"required,example=10/s"`
}

// Diurnal is the base rate times 1 + Amplitude*sin(2*pi*(t-Phase)/Period), 0 <= Amplitude < 1.
type Diurnal struct {
	Period    Duration `yaml:"period" json:"period" jsonschema:"required,exclusiveMinimum=0,example=10m"`
	Amplitude float64  `yaml:"amplitude" json:"amplitude" jsonschema:"required,minimum=0,exclusiveMaximum=1,example=0.5"`
	Phase     Duration `yaml:"phase,omitempty" json:"phase,omitempty"`
}

// Trace replays recorded arrivals at their recorded times.
type Trace struct {
	Path string `yaml:"path" json:"path" jsonschema:"required,minLength=1,example=traces/conv.csv"`
	// Format is what the file is: azure (Azure LLM inference, 2023 and 2024), burstgpt, mooncake, bailian (Qwen-Bailian),
	// servegen (a client's chunk-*-trace.csv, or a folder or pattern of them), or csv and jsonl with columns. Default: what its
	// first line shows.
	Format  string        `yaml:"format,omitempty" json:"format,omitempty" jsonschema:"enum=azure,enum=burstgpt,enum=mooncake,enum=bailian,enum=servegen,enum=csv,enum=jsonl"`
	Columns *TraceColumns `yaml:"columns,omitempty" json:"columns,omitempty"`
	// From skips the trace's first part.
	From Duration `yaml:"from,omitempty" json:"from,omitempty"`
	// Window replays a part of the trace that is found by what it holds.
	Window *TraceWindow `yaml:"window,omitempty" json:"window,omitempty"`
	// Dequantise spreads time stamps that are recorded in steps (Mooncake: 3 s) evenly over the step, by the seed.
	Dequantise bool `yaml:"dequantise,omitempty" json:"dequantise,omitempty"`
	// Speed replays faster (2 = twice the rate; burst lengths shrink relative to service times). Default 1.
	Speed float64 `yaml:"speed,omitempty" json:"speed,omitempty" jsonschema:"minimum=0.001,maximum=1000,default=1"`
	// Thin keeps each session, or each request where the trace has no sessions, with this probability (0 < Thin <= 1), keyed by
	// the seed. Default 1.
	Thin float64 `yaml:"thin,omitempty" json:"thin,omitempty" jsonschema:"exclusiveMinimum=0,maximum=1,default=1"`
	// Superpose sends this many copies, each shifted in time around the end of the block to its start, by the seed. What a copy's
	// prompts share they share with that copy's alone. Default 1.
	Superpose int `yaml:"superpose,omitempty" json:"superpose,omitempty" jsonschema:"minimum=1,maximum=1000"`
}

// TraceColumns says which columns of a CSV file, or keys of a JSONL file, hold what.
type TraceColumns struct {
	Time string `yaml:"time" json:"time" jsonschema:"required,minLength=1,example=timestamp"`
	// Unit is of the times: s (default), ms, us or ns from any origin, or rfc3339.
	Unit string `yaml:"unit,omitempty" json:"unit,omitempty" jsonschema:"enum=s,enum=ms,enum=us,enum=ns,enum=rfc3339,default=s"`
	// Input and Output are the lengths in tokens. Without them the trace gives arrivals alone.
	Input  string `yaml:"input,omitempty" json:"input,omitempty" jsonschema:"minLength=1,example=prompt_tokens"`
	Output string `yaml:"output,omitempty" json:"output,omitempty" jsonschema:"minLength=1,example=completion_tokens"`
	// Session is what the requests of one conversation have in common.
	Session string `yaml:"session,omitempty" json:"session,omitempty" jsonschema:"minLength=1"`
}

// TraceWindow is a part of a trace.
type TraceWindow struct {
	// Busiest is the stretch of this length, in recorded time, that holds the most arrivals.
	Busiest Duration `yaml:"busiest" json:"busiest" jsonschema:"required,exclusiveMinimum=0,example=10m"`
}

// Burst is the family of the gaps between arrivals, with unit mean before the shape stretches them.
// Exactly one field is set.
type Burst struct {
	Constant *ConstantBurst `yaml:"constant,omitempty" json:"constant,omitempty"`
	Poisson  *PoissonBurst  `yaml:"poisson,omitempty" json:"poisson,omitempty"`
	Gamma    *CVBurst       `yaml:"gamma,omitempty" json:"gamma,omitempty"`
	Weibull  *CVBurst       `yaml:"weibull,omitempty" json:"weibull,omitempty"`
	OnOff    *OnOff         `yaml:"on_off,omitempty" json:"on_off,omitempty"`
}

// ConstantBurst spaces arrivals evenly.
type ConstantBurst struct{}

// PoissonBurst has exponential gaps.
type PoissonBurst struct{}

// CVBurst is a family chosen by the coefficient of variation of its gaps.
type CVBurst struct {
	CV float64 `yaml:"cv" json:"cv" jsonschema:"required,minimum=0.01,maximum=100,example=2"`
}

// OnOff is an interrupted Poisson process: exponential on and off periods with these means at the base rate, no
// arrivals while off, and a mean rate equal to the shape's.
type OnOff struct {
	On  Duration `yaml:"on" json:"on" jsonschema:"required,exclusiveMinimum=0,example=2s"`
	Off Duration `yaml:"off" json:"off" jsonschema:"required,exclusiveMinimum=0,example=8s"`
}

// ClosedLoop is a fixed number of users, each sending its next request Think after the last reply ended. Latency then
// throttles arrivals, so such a run is labelled everywhere.
type ClosedLoop struct {
	Users int      `yaml:"users" json:"users" jsonschema:"required,minimum=1,maximum=100000,example=8"`
	Think Duration `yaml:"think,omitempty" json:"think,omitempty"`
}

// Prompts says what is asked. Exactly one of Synthetic, Dataset and Trace is set.
type Prompts struct {
	Synthetic *Synthetic `yaml:"synthetic,omitempty" json:"synthetic,omitempty"`
	Dataset   *Dataset   `yaml:"dataset,omitempty" json:"dataset,omitempty"`
	// Trace takes the lengths of the arrival trace, row by row; only with a trace shape.
	Trace *TraceLengths `yaml:"trace,omitempty" json:"trace,omitempty"`
	// Shared lets synthetic prompts and those of a dataset begin with texts that several requests share.
	Shared *Shared `yaml:"shared,omitempty" json:"shared,omitempty"`
	// Cache is unique (default: every prompt starts with a nonce of its own, so that no prefix cache answers by
	// accident; a shared text with one of its run, approach and block), cold (requests share what they have in common,
	// shared texts, a system message, prefix blocks of a trace, repeated rows, but find nothing of another approach, block
	// or run), warm (as cold, and the warm-up sends each shared text once) or allowed (prompts are sent as they are).
	Cache string `yaml:"cache,omitempty" json:"cache,omitempty" jsonschema:"enum=unique,enum=cold,enum=warm,enum=allowed,default=unique"`
	// System is a system message before every prompt, after the nonce.
	System string `yaml:"system,omitempty" json:"system,omitempty"`
	// Tokenizer is what tokens of a prompt are counted in: words (default: a word is taken for a token), or an encoding of
	// tiktoken's. Text is then built to exactly that many tokens of it, and rows of a dataset are counted in them.
	Tokenizer string `yaml:"tokenizer,omitempty" json:"tokenizer,omitempty" jsonschema:"enum=words,enum=o200k_base,enum=cl100k_base,enum=p50k_base,enum=r50k_base,example=o200k_base"`
	// Calibrate lets an asked length be what the target itself counts, its chat template included: tokenize asks the
	// target's tokenizer before each block (vLLM, llama.cpp), usage sends it a few requests and reads their usage report.
	// none (default): the scenario's own count.
	Calibrate string `yaml:"calibrate,omitempty" json:"calibrate,omitempty" jsonschema:"enum=none,enum=tokenize,enum=usage,example=usage"`
}

// Calibrates reports whether prompts are as long as their target counts.
func (p *Prompts) Calibrates() bool { return p.Calibrate != "" && p.Calibrate != "none" }

// Synthetic makes text of a target length in tokens. Either Input and Output, or Pairs.
type Synthetic struct {
	Input  *Lengths `yaml:"input,omitempty" json:"input,omitempty"`
	Output *Lengths `yaml:"output,omitempty" json:"output,omitempty"`
	// Pairs are empirical (input, output) lengths, drawn together with equal probability.
	Pairs [][2]int `yaml:"pairs,omitempty" json:"pairs,omitempty" jsonschema:"minItems=1"`
}

// Shared is what requests have in common at their beginning: system prompts, documents, blocks of examples. Each of so
// many groups has a text of its own, and a request of the group has it before its own text, whose length it adds to.
type Shared struct {
	// Groups is how many texts there are. Of documents it uses this many pieces; without it all.
	Groups int `yaml:"groups" json:"groups,omitempty" jsonschema:"minimum=1,maximum=1000000,example=20"`
	// Zipf is how uneven their popularity is: the k-th gets a part proportional to 1/k^Zipf. 0 makes them alike.
	Zipf float64 `yaml:"zipf" json:"zipf" jsonschema:"minimum=0,maximum=10,default=1"`
	// Tokens is the length of a group's text, drawn once for each. Documents have lengths of their own.
	Tokens *Lengths `yaml:"tokens" json:"tokens,omitempty"`
	// Documents takes the texts from files.
	Documents *Documents `yaml:"documents,omitempty" json:"documents,omitempty"`
	// Share is how much of all prompt tokens a server with an unlimited prefix cache need not compute: as many requests
	// begin with a shared text as that takes. Without it all do.
	Share float64 `yaml:"share,omitempty" json:"share,omitempty" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1,example=0.6"`
	// Warm sends each text once in the warm-up, so that the measure phase finds all of them in the cache.
	Warm bool `yaml:"warm,omitempty" json:"warm,omitempty"`
}

// Documents are files of text that prompts begin with, as those of a search do that hands its findings to a model. A group's text
// is a piece of a document, or several.
type Documents struct {
	// Path is a folder of .txt and .md files (compressed or not), a pattern such as docs/*.rst, or a file.
	Path string `yaml:"path" json:"path" jsonschema:"required,minLength=1,example=docs"`
	// Chunk cuts each document into pieces of this many tokens, by the workload's own count. Without it a document is one piece.
	Chunk int `yaml:"chunk,omitempty" json:"chunk,omitempty" jsonschema:"minimum=1,maximum=10000000,example=400"`
	// PerPrompt is how many pieces a group's text consists of: one of its own, and behind it others, always the same. Default 1.
	PerPrompt int `yaml:"per_prompt,omitempty" json:"per_prompt,omitempty" jsonschema:"minimum=1,maximum=1000,example=4"`
}

// Lengths is a distribution of token counts. Exactly one field is set.
type Lengths struct {
	Fixed     *int       `yaml:"fixed,omitempty" json:"fixed,omitempty" jsonschema:"minimum=1,maximum=10000000"`
	Uniform   *Uniform   `yaml:"uniform,omitempty" json:"uniform,omitempty"`
	Lognormal *Lognormal `yaml:"lognormal,omitempty" json:"lognormal,omitempty"`
	// Empirical draws one of these values, each with equal probability.
	Empirical []int `yaml:"empirical,omitempty" json:"empirical,omitempty" jsonschema:"minItems=1,minimum=1,maximum=10000000"`
}

// Uniform is uniform over the integers Min..Max, both included.
type Uniform struct {
	Min int `yaml:"min" json:"min" jsonschema:"required,minimum=1,maximum=10000000,example=16"`
	Max int `yaml:"max" json:"max" jsonschema:"required,minimum=1,maximum=10000000,example=48"`
}

// Lognormal has the given median and the given standard deviation of the logarithm, clamped to [Min, Max].
type Lognormal struct {
	Median float64 `yaml:"median" json:"median" jsonschema:"required,exclusiveMinimum=0,maximum=10000000,example=200"`
	Sigma  float64 `yaml:"sigma" json:"sigma" jsonschema:"required,minimum=0,maximum=10,example=0.8"`
	Min    int     `yaml:"min,omitempty" json:"min,omitempty" jsonschema:"minimum=1,maximum=10000000"`
	Max    int     `yaml:"max,omitempty" json:"max,omitempty" jsonschema:"minimum=1,maximum=10000000"`
}

// Dataset is where prompts come from that were written by people: files of rows. A row's conversation is sent up to its
// last user message, or its first; the answer that was recorded after it is not sent. Rows are used in the order of a
// seeded shuffle, again from the start when spent.
type Dataset struct {
	// Path is a file, a pattern such as data/*.jsonl, or a folder.
	Path string `yaml:"path" json:"path" jsonschema:"required,minLength=1,example=prompts.jsonl"`
	// Format is what a row holds: prompts ({"prompt"}), messages (OpenAI's {"messages": [{"role", "content"}]}), sharegpt
	// ({"conversations": [{"from", "value"}]}), alpaca ({"instruction", "input", "output"}), text (each line is a prompt) or csv.
	// JSON, JSONL, parquet, gzip and zstd are known by their first bytes. Default: what the first row shows.
	Format string `yaml:"format,omitempty" json:"format,omitempty" jsonschema:"enum=prompts,enum=messages,enum=sharegpt,enum=alpaca,enum=text,enum=csv"`
	// Columns name what a format does not know by itself.
	Columns *DatasetColumns `yaml:"columns,omitempty" json:"columns,omitempty"`
	// Turns says how much of a conversation is the prompt: its first user message (the default of sharegpt), or all up to its last
	// one, with the recorded answers in between (the default of the others). A system message is part of both.
	Turns string `yaml:"turns,omitempty" json:"turns,omitempty" jsonschema:"enum=first,enum=all"`
	// Limit uses the first rows of the files that can be used, and no more.
	Limit int `yaml:"limit,omitempty" json:"limit,omitempty" jsonschema:"minimum=1,maximum=100000000"`
	// MaxInput leaves rows with a longer prompt out, in tokens by the workload's own count, without the nonce.
	MaxInput int `yaml:"max_input,omitempty" json:"max_input,omitempty" jsonschema:"minimum=1,maximum=10000000"`
	// RecordedOutput asks for as many tokens as the recorded answer has words, where a row has no max_tokens. Rows without an
	// answer get Output, and are left out where there is none.
	RecordedOutput bool `yaml:"recorded_output,omitempty" json:"recorded_output,omitempty"`
	// Output is the length to ask for where a row has no max_tokens.
	Output *Lengths `yaml:"output,omitempty" json:"output,omitempty"`
}

// DatasetColumns name the columns, or keys, of a dataset. In JSON a name may be a path: data.question.
type DatasetColumns struct {
	// Prompt is the text of the one message of the user.
	Prompt string `yaml:"prompt,omitempty" json:"prompt,omitempty" jsonschema:"minLength=1,example=question"`
	// Messages is a list of {"role", "content"} or {"from", "value"}.
	Messages string `yaml:"messages,omitempty" json:"messages,omitempty" jsonschema:"minLength=1,example=dialog"`
	// System is a system message.
	System string `yaml:"system,omitempty" json:"system,omitempty" jsonschema:"minLength=1,example=instructions"`
	// Output is the recorded answer, or its length in tokens.
	Output string `yaml:"output,omitempty" json:"output,omitempty" jsonschema:"minLength=1,example=answer"`
}

// TraceLengths takes input and output lengths from the arrival trace, clamped where a limit is set (clamped requests
// are counted in the record).
type TraceLengths struct {
	MaxInput  int `yaml:"max_input,omitempty" json:"max_input,omitempty" jsonschema:"minimum=1,maximum=10000000"`
	MaxOutput int `yaml:"max_output,omitempty" json:"max_output,omitempty" jsonschema:"minimum=1,maximum=10000000"`
}

// Output says where the record goes and what it keeps.
type Output struct {
	// Dir is the folder that holds run directories. Default "results", below the working directory.
	Dir string `yaml:"dir,omitempty" json:"dir,omitempty" jsonschema:"minLength=1,default=results"`
	// KeepText stores prompts and answers in the record. Off unless asked for.
	KeepText bool `yaml:"keep_text,omitempty" json:"keep_text,omitempty"`
}
