package workload

// Scenario is one experiment: who calls, what they ask, whom they ask and what is good enough.
// Parse reads it from YAML; every field of the file format is a field here.
type Scenario struct {
	Name        string     `yaml:"name" json:"name"`
	Description string     `yaml:"description,omitempty" json:"description,omitempty"`
	Seed        uint64     `yaml:"seed,omitempty" json:"seed"`
	Phases      Phases     `yaml:"phases" json:"phases"`
	Arrivals    Arrivals   `yaml:"arrivals" json:"arrivals"`
	Prompts     Prompts    `yaml:"prompts" json:"prompts"`
	Approaches  []Approach `yaml:"approaches" json:"approaches"`
	SLO         SLO        `yaml:"slo,omitempty" json:"slo,omitzero"`
	Output      Output     `yaml:"output,omitempty" json:"output,omitzero"`

	// Dir is the folder of the scenario file: relative paths in the scenario (traces, datasets) start there.
	Dir string `yaml:"-" json:"-"`
}

// Phases cuts the time line of one block. A request belongs to the phase that holds its scheduled time.
// The block's time 0 is the start of the warm-up.
type Phases struct {
	Warmup  Duration `yaml:"warmup,omitempty" json:"warmup"`
	Measure Duration `yaml:"measure" json:"measure"`
	// Drain is how long after the last scheduled arrival an unfinished request may go on. What is unfinished then
	// is cancelled and recorded as a miss.
	Drain Duration `yaml:"drain,omitempty" json:"drain"`
}

// Horizon is when the schedule ends, counted from the block's time 0.
func (p Phases) Horizon() Duration { return p.Warmup + p.Measure }

// Arrivals says when requests come. Either open-loop (a shape and a burst family, or a preset that stands for both),
// or closed-loop, never both.
type Arrivals struct {
	// Preset names a shape and a burst family: steady, bursty or spike. What Shape and Burst say wins over it.
	Preset string `yaml:"preset,omitempty" json:"preset,omitempty"`
	// Rate is the base rate of the shape, in requests per second.
	Rate       Rate        `yaml:"rate,omitempty" json:"rate,omitempty"`
	Shape      *Shape      `yaml:"shape,omitempty" json:"shape,omitempty"`
	Burst      *Burst      `yaml:"burst,omitempty" json:"burst,omitempty"`
	ClosedLoop *ClosedLoop `yaml:"closed_loop,omitempty" json:"closed_loop,omitempty"`
}

// Shape is the rate over time. Exactly one field is set. Times inside a shape start at the measure phase; the warm-up
// before it runs at the shape's first rate (a trace instead spends its own first seconds as warm-up).
type Shape struct {
	Constant *ConstantShape `yaml:"constant,omitempty" json:"constant,omitempty"`
	Steps    []Step         `yaml:"steps,omitempty" json:"steps,omitempty"`
	Spike    *Spike         `yaml:"spike,omitempty" json:"spike,omitempty"`
	Ramp     *Ramp          `yaml:"ramp,omitempty" json:"ramp,omitempty"`
	Diurnal  *Diurnal       `yaml:"diurnal,omitempty" json:"diurnal,omitempty"`
	Trace    *Trace         `yaml:"trace,omitempty" json:"trace,omitempty"`
}

// ConstantShape holds the base rate.
type ConstantShape struct{}

// Step holds Rate for a while. The last step holds until the horizon.
type Step struct {
	For  Duration `yaml:"for" json:"for"`
	Rate Rate     `yaml:"rate" json:"rate"`
}

// Spike multiplies the base rate by Factor during [At, At+For), with linear edges of length Edge inside that window.
type Spike struct {
	At     Duration `yaml:"at" json:"at"`
	For    Duration `yaml:"for" json:"for"`
	Factor float64  `yaml:"factor" json:"factor"`
	Edge   Duration `yaml:"edge,omitempty" json:"edge,omitempty"`
}

// Ramp goes linearly from one rate to another over the measure phase.
type Ramp struct {
	From Rate `yaml:"from" json:"from"`
	To   Rate `yaml:"to" json:"to"`
}

// Diurnal is the base rate times 1 + Amplitude*sin(2*pi*(t-Phase)/Period), 0 <= Amplitude < 1.
type Diurnal struct {
	Period    Duration `yaml:"period" json:"period"`
	Amplitude float64  `yaml:"amplitude" json:"amplitude"`
	Phase     Duration `yaml:"phase,omitempty" json:"phase,omitempty"`
}

// Trace replays recorded arrivals at their recorded times. Format is azure (the columns of the Azure LLM inference
// traces of 2023 and 2024).
type Trace struct {
	Path   string `yaml:"path" json:"path"`
	Format string `yaml:"format,omitempty" json:"format,omitempty"`
	// From skips the trace's first part.
	From Duration `yaml:"from,omitempty" json:"from,omitempty"`
	// Speed replays faster (2 = twice the rate; burst lengths shrink relative to service times). Default 1.
	Speed float64 `yaml:"speed,omitempty" json:"speed,omitempty"`
	// Thin keeps each arrival with this probability (0 < Thin <= 1), keyed by seed and row. Default 1.
	Thin float64 `yaml:"thin,omitempty" json:"thin,omitempty"`
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
	CV float64 `yaml:"cv" json:"cv"`
}

// OnOff is an interrupted Poisson process: exponential on and off periods with these means at the base rate, no
// arrivals while off, and a mean rate equal to the shape's.
type OnOff struct {
	On  Duration `yaml:"on" json:"on"`
	Off Duration `yaml:"off" json:"off"`
}

// ClosedLoop is a fixed number of users, each sending its next request Think after the last reply ended. Latency then
// throttles arrivals, so such a run is labelled everywhere.
type ClosedLoop struct {
	Users int      `yaml:"users" json:"users"`
	Think Duration `yaml:"think,omitempty" json:"think,omitempty"`
}

// Prompts says what is asked. Exactly one of Synthetic, Dataset and Trace is set.
type Prompts struct {
	Synthetic *Synthetic `yaml:"synthetic,omitempty" json:"synthetic,omitempty"`
	Dataset   *Dataset   `yaml:"dataset,omitempty" json:"dataset,omitempty"`
	// Trace takes the lengths of the arrival trace, row by row; only with a trace shape.
	Trace *TraceLengths `yaml:"trace,omitempty" json:"trace,omitempty"`
	// Cache is unique (default: every prompt starts with a nonce of its own, so that no prefix cache answers by
	// accident) or allowed (prompts are sent as they are).
	Cache string `yaml:"cache,omitempty" json:"cache,omitempty"`
	// System is a system message before every prompt, after the nonce.
	System string `yaml:"system,omitempty" json:"system,omitempty"`
}

// Synthetic makes text of a target length in tokens. Either Input and Output, or Pairs.
type Synthetic struct {
	Input  *Lengths `yaml:"input,omitempty" json:"input,omitempty"`
	Output *Lengths `yaml:"output,omitempty" json:"output,omitempty"`
	// Pairs are empirical (input, output) lengths, drawn together with equal probability.
	Pairs [][2]int `yaml:"pairs,omitempty" json:"pairs,omitempty"`
}

// Lengths is a distribution of token counts. Exactly one field is set.
type Lengths struct {
	Fixed     *int       `yaml:"fixed,omitempty" json:"fixed,omitempty"`
	Uniform   *Uniform   `yaml:"uniform,omitempty" json:"uniform,omitempty"`
	Lognormal *Lognormal `yaml:"lognormal,omitempty" json:"lognormal,omitempty"`
	// Empirical draws one of these values, each with equal probability.
	Empirical []int `yaml:"empirical,omitempty" json:"empirical,omitempty"`
}

// Uniform is uniform over the integers Min..Max, both included.
type Uniform struct {
	Min int `yaml:"min" json:"min"`
	Max int `yaml:"max" json:"max"`
}

// Lognormal has the given median and the given standard deviation of the logarithm, clamped to [Min, Max].
type Lognormal struct {
	Median float64 `yaml:"median" json:"median"`
	Sigma  float64 `yaml:"sigma" json:"sigma"`
	Min    int     `yaml:"min,omitempty" json:"min,omitempty"`
	Max    int     `yaml:"max,omitempty" json:"max,omitempty"`
}

// Dataset reads prompts from a JSONL file: {"prompt": "..."} or {"messages": [{"role","content"}...]}, with an
// optional "max_tokens". Rows are used in the order of a seeded shuffle, again from the start when spent.
type Dataset struct {
	Path string `yaml:"path" json:"path"`
	// Output is the length to ask for where a row has no max_tokens.
	Output *Lengths `yaml:"output,omitempty" json:"output,omitempty"`
}

// TraceLengths takes input and output lengths from the arrival trace, clamped where a limit is set (clamped requests
// are counted in the record).
type TraceLengths struct {
	MaxInput  int `yaml:"max_input,omitempty" json:"max_input,omitempty"`
	MaxOutput int `yaml:"max_output,omitempty" json:"max_output,omitempty"`
}

// Output says where the record goes and what it keeps.
type Output struct {
	// Dir is the folder that holds run directories. Default "results", below the working directory.
	Dir string `yaml:"dir,omitempty" json:"dir,omitempty"`
	// KeepText stores prompts and answers in the record. Off unless asked for.
	KeepText bool `yaml:"keep_text,omitempty" json:"keep_text,omitempty"`
}
