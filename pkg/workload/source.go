package workload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infbench/infbench/internal/stat"
)

// NonceWords is the length of the nonce that starts every unique prompt: 8 of 2048 words are 88 bits.
const NonceWords = 8

// Nonce says for whom a prompt is made, so that no approach and no block finds another's prompt in a prefix cache.
type Nonce struct {
	Approach string
	Block    int
}

// Source makes the requests of a scenario. Each is a pure function of the seed, its index and the nonce, whatever was
// made before. A Source is safe for concurrent use.
type Source struct {
	seed    uint64
	prompts Prompts
	rows    []datasetRow
	order   []int // of the rows
	files   []DatasetFacts
	trace   []Replayed
	clamped int
	// blockTokens is how many tokens a block of a trace's rows stands for.
	blockTokens int
	shared      *sharing // nil: no request shares anything
}

// NewSource prepares the prompts of a scenario: it reads a dataset, and takes a trace's lengths from its schedule.
func NewSource(s *Scenario, sched *Schedule) (*Source, error) {
	src := &Source{seed: s.Seed, prompts: s.Prompts}
	p := &s.Prompts
	switch {
	case p.Dataset != nil:
		data, err := readDataset(p.Dataset, s.Dir)
		if err != nil {
			return nil, err
		}
		src.files, src.rows, src.order = []DatasetFacts{data.facts}, data.rows, stat.Keyed(s.Seed, "dataset", 0).Perm(len(data.rows))
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
	case p.Synthetic == nil:
		return nil, fmt.Errorf("prompts: give one of synthetic, dataset and trace")
	}
	if p.Shared != nil && p.Trace == nil {
		own := func(index int) int {
			n, _ := src.own(index)
			if src.rows != nil && src.unique() {
				n -= NonceWords // which stands only before the rows that share nothing
			}
			return n
		}
		var err error
		if src.shared, err = newSharing(s, sched, own); err != nil {
			return nil, err
		}
		if d := src.shared.documents; d != nil {
			src.files = append(src.files, d.facts)
		}
	}
	return src, nil
}

// Datasets are what became of the files that prompts come from.
func (s *Source) Datasets() []DatasetFacts { return s.files }

// Clamped is how many of a trace's requests had a length cut to the scenario's limits.
func (s *Source) Clamped() int { return s.clamped }

func clamp(n, limit int) int {
	if limit > 0 {
		return min(n, limit)
	}
	return n
}

// Lengths is what request index asks for, in tokens, without building its text. The prompt of a dataset row is counted
// in words, with its nonce; an output of 0 is left to the server.
func (s *Source) Lengths(index int) (input, output int) {
	input, output = s.own(index)
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
	if s.shared == nil {
		return 0
	}
	return s.shared.cacheable(index)
}

// Predictable reports whether the prompts tell what a prefix cache can do for them: the rows of a dataset, documents, and a
// system message that all requests have, may share what nobody has counted, unless a nonce stands before them.
func (p *Prompts) Predictable() bool {
	return p.Cache != "allowed" || p.Dataset == nil && p.System == "" && (p.Shared == nil || p.Shared.Documents == nil)
}

// own is Lengths without what a request shares.
func (s *Source) own(index int) (input, output int) {
	switch {
	case s.rows != nil:
		row := s.row(index)
		if input = row.words; s.unique() && !s.shares(index) {
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

// unique reports whether every prompt starts with a nonce.
func (s *Source) unique() bool { return s.prompts.Cache != "allowed" }

func (s *Source) row(index int) *datasetRow { return &s.rows[s.order[index%len(s.order)]] }

func (s *Source) rowOutput(row *datasetRow, index int) int {
	if row.maxTokens > 0 {
		return row.maxTokens
	}
	if n := row.answer(); n > 0 && s.prompts.Dataset.RecordedOutput {
		return min(n, longest)
	}
	if s.prompts.Dataset.Output == nil {
		return 0
	}
	n, _ := s.prompts.Dataset.Output.draw(stat.Keyed(s.seed, "lengths", uint64(index)))
	return n
}

// Request makes request index. A unique prompt starts with a nonce of NonceWords words, which is part of the asked
// length (a shorter prompt is all nonce); it stands at the very start, so that no prefix of one prompt is another's.
func (s *Source) Request(index int, nonce Nonce) Request {
	req := Request{Index: index, CacheAllowed: !s.unique()}
	req.InputTokens, req.MaxTokens = s.Lengths(index)
	if s.shared != nil {
		if g, ok := s.shared.group(index); ok {
			req.Cacheable = s.shared.cacheable(index)
			if s.rows != nil {
				var b strings.Builder
				s.shared.text(&b, g, s.unique(), nonce)
				s.fromRow(&req, s.row(index), b.String()+"\n")
				return req
			}
			req.Messages = []Message{{Role: "user", Content: s.behind(g, index, nonce)}}
			return req
		}
	}
	var lead string
	if s.unique() {
		lead = s.nonce(index, nonce)
	}
	if s.rows != nil {
		s.fromRow(&req, s.row(index), lead)
		return req
	}
	if sys := s.prompts.System; sys != "" {
		// The nonce must come before anything that requests share.
		req.Messages = append(req.Messages, Message{Role: "system", Content: strings.TrimSpace(lead + " " + sys)})
		lead = ""
	}
	var text string
	if blocks := s.blocks(index); blocks != nil {
		text = s.blockText(index, req.InputTokens, blocks)
	} else {
		text = s.text(index, req.InputTokens, lead)
	}
	req.Messages = append(req.Messages, Message{Role: "user", Content: text})
	return req
}

// behind is a shared text, and the request's own behind it.
func (s *Source) behind(g, index int, nonce Nonce) string {
	var b strings.Builder
	own, _ := s.own(index)
	b.Grow((s.shared.lengths[g] + own) * 8)
	s.shared.text(&b, g, s.unique(), nonce)
	b.WriteString("\n\n" + s.text(index, own, ""))
	return b.String()
}

// nonce is NonceWords words drawn for this request alone.
func (s *Source) nonce(index int, n Nonce) string {
	var b strings.Builder
	r := stat.Keyed(s.seed, fmt.Sprintf("nonce %s %d", n.Approach, n.Block), uint64(index))
	appendWords(&b, r, NonceWords)
	return b.String()
}

// text is n words: the lead, and then the words that every approach gets for this index.
func (s *Source) text(index, n int, lead string) string {
	var b strings.Builder
	b.Grow(n * 8)
	if lead != "" {
		words := strings.Fields(lead)
		words = words[:min(len(words), n)]
		b.WriteString(strings.Join(words, " "))
		n -= len(words)
	}
	appendWords(&b, stat.Keyed(s.seed, "text", uint64(index)), n)
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
