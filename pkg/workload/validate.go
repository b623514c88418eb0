package workload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// maxPhase bounds each phase. It keeps sums of times far from overflow.
const maxPhase = 30 * 24 * time.Hour

// validate reports what the fields of a scenario say together. Each field by itself is held to its type and its
// jsonschema tag by strict.Decode before. A check looks at fields that are sound only: one mistake, one report.
func validate(s *Scenario, root strict.Place) {
	phases := root.Field("phases")
	limit(phases.Field("warmup"), s.Phases.Warmup, maxPhase)
	limit(phases.Field("measure"), s.Phases.Measure, maxPhase)
	limit(phases.Field("drain"), s.Phases.Drain, maxPhase)
	limit(phases.Field("cooldown"), s.Phases.Cooldown, maxPhase)
	validateArrivals(&s.Arrivals, root.Field("arrivals"), phases, s.Phases)
	if root.Field("mix").Present() {
		validateMix(s, root)
	} else {
		prompts, arrivals := root.Field("prompts"), root.Field("arrivals")
		validatePrompts(&s.Prompts, prompts, arrivals)
		validateShared(&s.Prompts, prompts)
		validateCache(s, &s.Prompts, root, prompts, arrivals)
		validateSessions(s.Sessions, &s.Prompts, root.Field("sessions"), arrivals)
	}
	validatePatience(s.Patience, root.Field("patience"))
	names := map[string]int{}
	for i := range s.Approaches {
		p := root.Field("approaches").Item(i)
		name := p.Field("name")
		if first, twice := names[s.Approaches[i].Name]; twice && name.Sound() {
			name.Mistake(fmt.Sprintf("%s is the name of two approaches", strict.Quote(s.Approaches[i].Name)),
				fmt.Sprintf("give each its own; %s has it already", root.Field("approaches").Item(first).Path()))
		} else {
			names[s.Approaches[i].Name] = i
		}
		validateApproach(&s.Approaches[i], p)
	}
}

// limit reports a duration above a bound.
func limit(p strict.Place, d Duration, bound time.Duration) {
	if p.Sound() && d.D() > bound {
		p.Mistake(fmt.Sprintf("%s is too long", p.Text()), fmt.Sprintf("give at most %s", Duration(bound)))
	}
}

// present lists which of these fields a group has, in the order of the document.
func present(p strict.Place, fields ...string) []string {
	return slices.DeleteFunc(p.Keys(), func(key string) bool { return !slices.Contains(fields, key) })
}

// exactlyOne reports a group that has none of these fields, or more than one; it returns the only one.
func exactlyOne(p strict.Place, remedy string, fields ...string) string {
	if !p.Present() {
		return ""
	}
	found := present(p, fields...)
	switch {
	case len(found) == 1:
		return found[0]
	case len(found) > 1:
		p.Field(found[1]).Mistake("stands beside "+strings.Join(append(found[:1:1], found[2:]...), " and "),
			"keep exactly one of "+strings.Join(fields, ", "))
	case p.Sound(): // what stands there instead is reported
		p.Mistake("has none of "+strings.Join(fields, ", "), remedy+": give exactly one of them")
	}
	return ""
}

// excluded reports fields that have no meaning beside another.
func excluded(p strict.Place, beside, remedy string, fields ...string) {
	for _, f := range present(p, fields...) {
		p.Field(f).Mistake("without effect beside "+beside, remedy)
	}
}

func validateArrivals(a *Arrivals, p, phases strict.Place, lengths Phases) {
	if !p.Present() {
		return
	}
	if p.Field("closed_loop").Present() {
		excluded(p, "closed_loop", "remove it: in a closed loop the replies decide when requests come; or remove closed_loop",
			"preset", "rate", "shape", "burst")
		return
	}
	shape, burst := p.Field("shape"), p.Field("burst")
	kind := exactlyOne(shape, "name a shape", "constant", "steps", "spike", "ramp", "diurnal", "curve", "trace")
	family := exactlyOne(burst, "name a family", "constant", "poisson", "gamma", "weibull", "on_off")
	rate := p.Field("rate")
	switch {
	case kind == "trace":
		excluded(p, "shape.trace", "remove it: a trace is replayed at its own times; shape.trace.speed and thin change them", "preset", "rate", "burst")
	case kind == "steps" || kind == "ramp":
		if family != "on_off" { // there the base rate gives the periods their length
			excluded(p, "shape."+kind, "remove it: this shape has its own rates", "rate")
		}
	case !rate.Present() && p.Sound() && kind != "curve":
		rate.Mistake("missing", "add it, such as `rate: 4/s`")
	}
	if kind == "" || !shape.Field(kind).Sound() || !phases.Field("measure").Sound() {
		return
	}
	switch measure := lengths.Measure; kind {
	case "trace":
		validateTrace(a.Shape.Trace, shape.Field("trace"))
	case "spike":
		validateSpike(a.Shape.Spike, shape.Field("spike"), measure)
	case "steps":
		validateSteps(a.Shape.Steps, shape.Field("steps"), measure)
	case "ramp":
		if a.Shape.Ramp.From == 0 && a.Shape.Ramp.To == 0 {
			shape.Field("ramp").Mistake("runs from 0/s to 0/s: nothing would be sent", "give at least one positive rate")
		}
	}
}

func validateTrace(t *Trace, p strict.Place) {
	generic := t.Format == "csv" || t.Format == "jsonl"
	switch columns := p.Field("columns"); {
	case columns.Present() && !generic:
		columns.Mistake("without effect beside format "+cmp.Or(t.Format, "by content"), "write `format: csv` or `format: jsonl`, or remove columns")
	case generic && !columns.Present() && p.Sound():
		columns.Mistake("missing", "name the columns, such as `columns: {time: ts, input: in, output: out, unit: s}`")
	}
	if p.Field("window").Present() {
		excluded(p, "window", "keep one of them: the window says where the trace begins", "from")
	}
}

func validateSpike(s *Spike, p strict.Place, measure Duration) {
	switch {
	case s.At > measure || s.For > measure-s.At:
		at := "at"
		if s.At < measure {
			at = "for"
		}
		p.Field(at).Mistake(fmt.Sprintf("the spike from %s for %s ends after the measure phase of %s", s.At, s.For, measure),
			"times in a shape are counted from the start of the measure phase: move the spike, or lengthen phases.measure")
	case s.Edge > s.For/2:
		p.Field("edge").Mistake(fmt.Sprintf("two edges of %s do not fit into %s", s.Edge, s.For), fmt.Sprintf("give at most %s", s.For/2))
	}
}

func validateSteps(steps []Step, p strict.Place, measure Duration) {
	var begin Duration
	var most Rate
	for i, s := range steps {
		most = max(most, s.Rate)
		if begin >= measure {
			p.Item(i).Mistake(fmt.Sprintf("begins at %s, after the measure phase of %s", begin, measure), "remove this step, or lengthen phases.measure")
			return
		}
		if last := i == len(steps)-1; !last && !p.Item(i).Field("for").Present() {
			p.Item(i).Field("for").Mistake("missing", "add it, such as `for: 30s`: only the last step may leave it out")
			return
		}
		begin += min(s.For, measure)
	}
	if most == 0 {
		p.Mistake("all rates are 0/s: nothing would be sent", "give at least one positive rate")
	}
}

func validatePrompts(prompts *Prompts, p, arrivals strict.Place) {
	kind := exactlyOne(p, "say what is asked", "synthetic", "dataset", "trace")
	switch {
	case kind == "synthetic" && prompts.Synthetic != nil:
		synthetic := p.Field("synthetic")
		input, output := synthetic.Field("input"), synthetic.Field("output")
		if synthetic.Field("pairs").Present() {
			excluded(synthetic, "pairs", "keep either pairs, or input and output", "input", "output")
			for i := range prompts.Synthetic.Pairs {
				validatePair(prompts.Synthetic.Pairs[i], synthetic.Field("pairs").Item(i))
			}
			return
		}
		for _, l := range []strict.Place{input, output} {
			if !l.Present() && synthetic.Sound() {
				l.Mistake("missing", "give input and output, such as {uniform: {min: 16, max: 48}}, or pairs")
			}
		}
		validateLengths(prompts.Synthetic.Input, input)
		validateLengths(prompts.Synthetic.Output, output)
	case kind == "dataset" && prompts.Dataset != nil:
		if calibrate := p.Field("calibrate"); prompts.Calibrates() && calibrate.Sound() {
			calibrate.Mistake("without effect beside dataset", "remove it: a row is sent as it stands, whatever its length; or use synthetic or trace")
		}
		validateDataset(prompts.Dataset, p.Field("dataset"))
	case kind == "trace":
		if trace := arrivals.Field("shape").Field("trace"); !trace.Present() {
			p.Field("trace").Mistake("needs the trace whose lengths it takes", "add arrivals.shape.trace, or use synthetic or dataset")
		}
	}
}

// validateShared reports what a shared text does not go with.
func validateShared(asked *Prompts, prompts strict.Place) {
	p := prompts.Field("shared")
	if asked.Shared == nil || !p.Present() {
		return
	}
	validateSharedTexts(asked.Shared, p)
	if calibrate := prompts.Field("calibrate"); p.Field("documents").Present() && asked.Dataset == nil && asked.Calibrates() && calibrate.Sound() {
		calibrate.Mistake("without effect on shared.documents", "remove it: a document is sent as it stands, whatever its length; or let shared.tokens say how long the texts are")
	}
	if prompts.Field("trace").Present() {
		p.Mistake("goes with synthetic prompts and datasets, not with trace", "use prompts.synthetic or prompts.dataset, or remove shared")
		return
	}
	excluded(prompts, "shared", "remove it: a shared text stands where a system message would; or remove shared", "system")
}

// validateCache reports a cache that cannot be as cold or as warm as it is to be.
func validateCache(s *Scenario, p *Prompts, root, prompts, arrivals strict.Place) {
	cache, warm := prompts.Field("cache"), prompts.Field("shared").Field("warm")
	asked := p.Shared != nil && p.Shared.Warm
	switch {
	case p.Cache == cacheWarm && !prompts.Field("shared").Present() && cache.Sound():
		cache.Mistake("there is nothing that the warm-up could send", "add prompts.shared, or write `cache: cold`")
		return
	case p.Cache == cacheCold && asked && warm.Sound():
		warm.Mistake("stands beside cache: cold", "remove it, or write `cache: warm`")
		return
	case !asked:
		warm = cache
	}
	if !p.Warm() || !warm.Sound() {
		return
	}
	switch {
	case arrivals.Field("closed_loop").Present():
		warm.Mistake("needs a schedule, and a closed loop has none", "remove it, or use an open loop")
	case s.Phases.Warmup == 0 && root.Field("phases").Sound():
		warm.Mistake("needs a warm-up to send the texts in", "add phases.warmup, long enough for one request of each group")
	}
}

func validatePair(pair [2]int, p strict.Place) {
	if !p.Sound() {
		return
	}
	for i, n := range pair {
		if n < 1 || n > longest {
			p.Item(i).Mistake(fmt.Sprintf("%d is out of range", n), fmt.Sprintf("give [input, output], each 1 to %d tokens", longest))
		}
	}
}

func validateLengths(l *Lengths, p strict.Place) {
	kind := exactlyOne(p, "give a length", "fixed", "uniform", "lognormal", "empirical")
	if kind == "" || !p.Sound() {
		return
	}
	at := p.Field(kind)
	switch kind {
	case "uniform":
		if l.Uniform.Min > l.Uniform.Max {
			at.Field("max").Mistake(fmt.Sprintf("%d is less than min, which is %d", l.Uniform.Max, l.Uniform.Min), "give max a value of min or more")
		}
	case "lognormal":
		if l.Lognormal.Max != 0 && l.Lognormal.Min > l.Lognormal.Max {
			at.Field("max").Mistake(fmt.Sprintf("%d is less than min, which is %d", l.Lognormal.Max, l.Lognormal.Min), "give max a value of min or more")
		}
	}
}
