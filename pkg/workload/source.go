package workload

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/infbench/infbench/internal/stat"
)

// NonceWords is the length of the nonce that starts every unique prompt: 8 of 2048 words are 88 bits, and 8 of the 1,034 that
// are whole tokens of the encoding with the fewest are 80.
const NonceWords = 8

// Nonce says for whom in a run a prompt is made, so that no approach and no block finds another's prompt in a prefix cache.
// That no run finds another's is up to Source.SetRun.
type Nonce struct {
	Approach string
	Block    int
}

// Source makes the requests of a scenario. Each is a pure function of the seed, the run's nonce, its index and the nonce,
// whatever was made before. A Source is safe for concurrent use.
type Source struct {
	seed    uint64
	run     string // see SetRun
	prompts Prompts
	rows    []datasetRow
	order   []int // of the rows
	files   []DatasetFacts
	trace   []Replayed
	clamped int
	// blockTokens is how many tokens a block of a trace's rows stands for.
	blockTokens int
	shared      *sharing // nil: no request begins with a shared text
	prefixes    []int32  // see cacheablePrefixes
	sessions    *Sessions
	patience    *Patience
	mix         *sourceMix // of a mix: all else is then in the sources of its classes

	tokenizer  *tokenizer     // nil: a word is taken for a token
	counts     []atomic.Int32 // of the rows, alone and behind a shared text, in the tokenizer's tokens; 0: not counted yet
	system     int            // tokens of the system message and its nonce, where they are part of the asked length
	correction *Correction    // nil: the target is taken to count as the workload does
}

// NewSource prepares the prompts of a scenario: it reads a dataset, and takes a trace's lengths from its schedule.
func NewSource(s *Scenario, sched *Schedule) (*Source, error) {
	if len(s.Mix) > 0 {
		return newMixedSource(s, sched)
	}
	if err := checkSessions(s); err != nil {
		return nil, err
	}
	src := &Source{seed: s.Seed, prompts: s.Prompts, sessions: s.Sessions, patience: s.Patience}
	p := &s.Prompts
	var err error
	if src.tokenizer, err = tokenizerOf(p.Tokenizer); err != nil {
		return nil, err
	}
	if src.system, err = src.systemTokens(); err != nil {
		return nil, err
	}
	switch {
	case p.Dataset != nil:
		wanted := *p.Dataset
		if s.Sessions != nil {
			wanted.Turns = "first" // the others follow, one by one
		}
		data, err := readDataset(&wanted, s.Dir)
		if err != nil {
			return nil, err
		}
		src.files, src.rows, src.order = []DatasetFacts{data.facts}, data.rows, stat.Keyed(s.Seed, "dataset", 0).Perm(len(data.rows))
		src.counts = make([]atomic.Int32, 2*len(data.rows))
	case p.Trace != nil:
		if sched.Trace == nil {
			return nil, fmt.Errorf("prompts.trace takes lengths from the arrival trace: arrivals.shape.trace is missing")
		}
		src.trace, src.blockTokens = sched.Trace.Arrivals, sched.Trace.BlockTokens
		for _, a := range src.trace {
			if a.InputTokens == 0 || a.OutputTokens == 0 {
				return nil, fmt.Errorf("prompts.trace takes lengths from %s, which does not record them (row %d): use synthetic or dataset", sched.Trace.Path, a.Row+1)
			}
			if clamp(a.InputTokens, p.Trace.MaxInput) != a.InputTokens || clamp(a.OutputTokens, p.Trace.MaxOutput) != a.OutputTokens {
				src.clamped++
			}
		}
		src.prefixes = src.cacheablePrefixes()
	case p.Synthetic == nil:
		return nil, fmt.Errorf("prompts: give one of synthetic, dataset and trace")
	}
	if p.Shared != nil && p.Trace == nil {
		own := func(index int) int {
			n, _ := src.own(index)
			if src.rows != nil && p.Nonces() {
				n -= NonceWords // which stands only before the rows that share nothing
			}
			return n
		}
		if src.shared, err = newSharing(s, sched, src.tokenizer, own); err != nil {
			return nil, err
		}
		if d := src.shared.documents; d != nil {
			src.files = append(src.files, d.facts)
		}
	}
	return src, nil
}

// Datasets are what became of the files that prompts come from; of a mix, those of all classes.
func (s *Source) Datasets() []DatasetFacts {
	files := s.files
	for _, c := range s.Classes() {
		files = append(files, c.Datasets()...)
	}
	return files
}

// Clamped is how many of a trace's requests had a length cut to the scenario's limits; of a mix, those of all classes.
func (s *Source) Clamped() int { return s.clamped }

func clamp(n, limit int) int {
	if limit > 0 {
		return min(n, limit)
	}
	return n
}

// Lengths is what request index asks for, in tokens, without building its text. The prompt of a dataset row is counted
// with its nonce, by the scenario's tokenizer or else in words; an output of 0 is left to the server.
func (s *Source) Lengths(index int) (input, output int) {
	if s.mix != nil {
		s, index = s.mix.route(index)
	}
	input, output = s.own(index)
	if s.rows == nil {
		input += s.system
	}
	return input + s.SharedTokens(index), output
}

// SharedTexts is how many texts there are that requests begin with.
func (s *Source) SharedTexts() int {
	if s.shared == nil {
		return 0
	}
	return len(s.shared.lengths)
}

// SharedTokens is how many of the prompt tokens of request index are a text that it shares with others; 0 where it
// stands alone.
func (s *Source) SharedTokens(index int) int {
	if s.mix != nil {
		s, index = s.mix.route(index)
	}
	if s.shared == nil {
		return 0
	}
	if g, ok := s.shared.group(index); ok {
		return s.shared.lengths[g]
	}
	return 0
}

// Cacheable is how many prompt tokens of request index an earlier request of its block has brought into a prefix cache
// that is unlimited and was empty before. Where the scenario cannot tell (Prompts.Predictable) it is 0.
func (s *Source) Cacheable(index int) int {
	if s.mix != nil {
		s, index = s.mix.route(index)
	}
	switch {
	case s.shared != nil:
		return s.shared.cacheable(index)
	case s.prefixes != nil:
		return int(s.prefixes[index])
	}
	return 0
}

// own is Lengths without what a request shares.
func (s *Source) own(index int) (input, output int) {
	switch {
	case s.rows != nil:
		row := s.row(index)
		if input = row.words; s.tokenizer != nil {
			input = s.rowTokens(index)
		}
		if s.prompts.Nonces() && !s.shares(index) {
			input += NonceWords
		}
		return input, s.rowOutput(row, index)
	case s.trace != nil:
		a := s.trace[index]
		return clamp(a.InputTokens, s.prompts.Trace.MaxInput), clamp(a.OutputTokens, s.prompts.Trace.MaxOutput)
	}
	syn := s.prompts.Synthetic
	r := stat.Keyed(s.seed, "lengths", uint64(index))
	if len(syn.Pairs) > 0 {
		p := syn.Pairs[r.IntN(len(syn.Pairs))]
		return p[0], p[1]
	}
	// Parse has made sure of the distributions; a Scenario built by hand without them asks for one token.
	input, output = 1, 1
	if syn.Input != nil {
		input, _ = syn.Input.draw(r)
	}
	if syn.Output != nil {
		output, _ = syn.Output.draw(r)
	}
	return input, output
}

// shares reports whether a request begins with a shared text.
func (s *Source) shares(index int) bool {
	if s.shared == nil {
		return false
	}
	_, ok := s.shared.group(index)
	return ok
}

func (s *Source) row(index int) *datasetRow { return &s.rows[s.order[index%len(s.order)]] }

func (s *Source) rowOutput(row *datasetRow, index int) int {
	return s.rowAnswer(row, row.answer(), s.prompts.Dataset.Output, stat.Keyed(s.seed, "lengths", uint64(index)))
}

// rowAnswer is the length that a row asks for an answer: its own, the recorded one, a drawn one, or none.
func (s *Source) rowAnswer(row *datasetRow, recorded int, drawn *Lengths, r *stat.Rand) int {
	switch {
	case row.maxTokens > 0:
		return row.maxTokens
	case recorded > 0 && s.prompts.Dataset.RecordedOutput:
		return min(recorded, longest)
	}
	if drawn == nil {
		drawn = s.prompts.Dataset.Output
	}
	if drawn == nil {
		return 0
	}
	n, _ := drawn.draw(r)
	return n
}

// Request makes request index; with sessions, the first turn of its conversation. But where a cache is allowed, the prompt
// starts with a nonce of NonceWords words, which is part of the asked length (a shorter prompt is all nonce); it stands at
// the very start, so that no prefix of one prompt is another's.
func (s *Source) Request(index int, nonce Nonce) Request {
	if s.mix != nil {
		return s.mix.request(index, nonce)
	}
	req := Request{Index: index, CacheAllowed: s.prompts.Shares(), Cacheable: s.Cacheable(index)}
	req.InputTokens, req.MaxTokens = s.Lengths(index)
	s.begin(&req)
	if s.shared != nil {
		if g, ok := s.shared.group(index); ok {
			if s.rows != nil {
				var b strings.Builder
				s.shared.text(&b, g, s.shared.lengths[g], s.sharedStream(nonce))
				s.fromRow(&req, s.row(index), b.String()+"\n")
				return req
			}
			req.Messages = []Message{{Role: "user", Content: s.behind(g, index, nonce)}}
			return req
		}
	}
	lead := s.lead(index, nonce)
	if s.rows != nil {
		s.fromRow(&req, s.row(index), lead)
		return req
	}
	n := max(1, s.correction.whole(req.InputTokens)-s.system)
	s.converse(&req, lead, func(lead string) string {
		if blocks := s.blocks(index); blocks != nil {
			return s.blockText(index, n, blocks, lead)
		}
		return s.text(index, n, lead)
	})
	return req
}

// converse fills a request with the scenario's system message, if it has one, and what the user says. The nonce must come
// before anything that requests share.
func (s *Source) converse(req *Request, lead string, user func(lead string) string) {
	if s.prompts.System != "" {
		req.Messages = append(req.Messages, s.systemMessage(lead))
		lead = ""
	}
	req.Messages = append(req.Messages, Message{Role: "user", Content: user(lead)})
}

func (s *Source) systemMessage(lead string) Message {
	return Message{Role: "system", Content: strings.TrimSpace(lead + " " + s.prompts.System)}
}

// behind is a shared text, and the request's own behind it.
func (s *Source) behind(g, index int, nonce Nonce) string {
	var b strings.Builder
	own, _ := s.own(index)
	shared := s.shared.lengths[g]
	own = s.correction.whole(shared + own)
	shared = max(1, s.correction.share(shared))
	own = max(1, own-shared)
	b.Grow((shared + own) * 8)
	s.shared.text(&b, g, shared, s.sharedStream(nonce))
	b.WriteString(s.tokenizer.joint() + s.text(index, own, ""))
	return b.String()
}

// sharedStream names the random numbers of the nonces of shared texts; it is empty where they have none.
func (s *Source) sharedStream(nonce Nonce) string {
	if !s.prompts.Nonces() {
		return ""
	}
	return s.stream("shared nonce", nonce)
}

// text is n tokens: the lead, and then the words that every approach gets for this index.
func (s *Source) text(index, n int, lead string) string { return s.drawn("text", index, n, lead) }

// drawn is n tokens: the lead, and then words of a stream of random numbers.
func (s *Source) drawn(stream string, index, n int, lead string) string {
	var b strings.Builder
	b.Grow(n * 8)
	lead, leading := firstWords(lead, n)
	b.WriteString(lead)
	s.tokenizer.appendTokens(&b, stat.Keyed(s.seed, stream, uint64(index)), n-leading)
	return b.String()
}

// appendWords adds n random words, with a blank before each but the first of the text.
func appendWords(b *strings.Builder, r *stat.Rand, n int) {
	words := Words()
	for bits, left := uint64(0), 0; n > 0; n-- {
		if left == 0 { // five words of 11 bits from one draw
			bits, left = r.Uint64(), 5
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(words[bits%uint64(len(words))])
		bits >>= 11
		left--
	}
}

// systemTokens is how many tokens the system message has, its nonce included: part of the asked length where tokens are
// counted, by us or by the target. A scenario that counts words leaves it out.
func (s *Source) systemTokens() (int, error) {
	p := &s.prompts
	if p.System == "" || s.tokenizer == nil && !p.Calibrates() {
		return 0, nil
	}
	lead := s.lead(0, Nonce{}) // any is as long as another
	return s.countAll([]Message{s.systemMessage(lead)})
}

// rowTokens is how many tokens the row of request index has, behind what stands before it: a nonce, a shared text or
// nothing; 0 where they cannot be counted. They are counted when they are first asked for: a dataset may have far more rows
// than a run has requests.
func (s *Source) rowTokens(index int) int {
	k := s.order[index%len(s.order)]
	lead, own, kept := s.lead(index, Nonce{}), 0, &s.counts[2*k] // any nonce is as long as another
	switch {
	case s.shares(index):
		lead, kept = "\n", &s.counts[2*k+1] // the end of a shared text
	case lead != "":
		own = NonceWords
	}
	if n := kept.Load(); n > 0 {
		return int(n)
	}
	var req Request
	s.fromRow(&req, &s.rows[k], lead)
	n, err := s.countAll(req.Messages)
	if err != nil {
		return 0
	}
	n = max(n-own, 0)
	kept.Store(int32(min(n, math.MaxInt32)))
	return n
}

// fromRow fills a request from a dataset row, the nonce before its first message's text.
func (s *Source) fromRow(req *Request, row *datasetRow, lead string) {
	req.Messages = slices.Clone(row.prompt())
	if s.prompts.System != "" {
		req.Messages = append([]Message{{Role: "system", Content: s.prompts.System}}, req.Messages...)
	}
	if lead != "" {
		req.Messages[0].Content = lead + "\n" + req.Messages[0].Content
	}
}
