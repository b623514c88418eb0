package workload

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/infbench/infbench/internal/stat"
)

// sharing says which requests begin with a shared text, and with which: a pure function of the seed and the index.
type sharing struct {
	seed    uint64
	tokens  *tokenizer
	zipf    []float64 // the groups' weights, summed up
	lengths []int     // tokens of each group's text
	// member is the probability with which a request begins with a shared text.
	member float64
	// warm is how many requests at the start of the schedule take one group each, in turn.
	warm int
	// first is each group's first request; never where none was found.
	first []int
	// alone is the length of the nonce that stands before a dataset's row where no shared text does.
	alone int
	// documents are the groups' texts where they come from files; nil: they are synthetic.
	documents *documents
}

// never is the index of no request.
const never = math.MaxInt

// The requests that the probability is fitted to, and those of a closed loop, whose number nobody knows, that are looked
// at for the first one of each group.
const (
	fitted = 1 << 18
	looked = 1 << 16
)

// newSharing draws the groups, and finds the probability that reaches the scenario's share. own is what a request asks
// for behind the shared text, in tokens.
func newSharing(sc *Scenario, sched *Schedule, tokens *tokenizer, own func(index int) int) (*sharing, error) {
	c := sc.Prompts.Shared
	var files *documents
	groups := c.Groups
	switch {
	case c.Documents != nil:
		var err error
		if files, err = readDocuments(sc); err != nil {
			return nil, err
		}
		groups = len(files.texts)
	case c.Groups < 1 || c.Tokens == nil: // Parse has made sure of them
		return nil, fmt.Errorf("prompts.shared: give groups and tokens, such as {groups: 20, tokens: {fixed: 500}}, or documents")
	}
	s := &sharing{seed: sc.Seed, tokens: tokens, member: 1, zipf: make([]float64, groups), lengths: make([]int, groups), first: make([]int, groups), documents: files}
	if sc.Prompts.Dataset != nil && sc.Prompts.Nonces() {
		s.alone = NonceWords
	}
	sum := 0.0
	for g := range s.zipf {
		sum += float64(stat.Pow(float64(g+1), -c.Zipf))
		s.zipf[g], s.first[g] = sum, never
		if files != nil {
			n, err := files.length(g, sc.Prompts.Nonces(), tokens)
			if err != nil {
				return nil, err
			}
			s.lengths[g] = n
			continue
		}
		n, err := c.Tokens.draw(stat.Keyed(s.seed, "shared length", uint64(g)))
		if err != nil {
			return nil, fmt.Errorf("prompts.shared.tokens: %w", err)
		}
		s.lengths[g] = n
	}
	n, warmup := looked, 0
	if sched != nil && sched.Open {
		n, warmup = len(sched.Times), len(sched.between(0, sched.Phases.Warmup.D()))
	}
	if sc.Prompts.Warm() {
		if warmup < groups {
			field := "prompts.shared.warm"
			if !c.Warm {
				field = "prompts.cache: warm"
			}
			return nil, fmt.Errorf("%s: the warm-up has %d requests, and each of %d groups is to be sent once in it: lengthen phases.warmup, or use fewer groups", field, warmup, groups)
		}
		s.warm = groups
	}
	if err := s.fit(c.Share, warmup, min(n, warmup+fitted), own); err != nil {
		return nil, err
	}
	s.find(n)
	return s, nil
}

// group is the group of a request; not ok where the request stands alone.
func (s *sharing) group(index int) (g int, ok bool) {
	if index < s.warm {
		return index, true
	}
	member, g := s.draw(index)
	return g, member < s.member
}

// draw gives a request's two numbers: the request begins with the group's text if member is below the probability.
func (s *sharing) draw(index int) (member float64, g int) {
	r := stat.Keyed(s.seed, "shared", uint64(index))
	member = r.Float64()
	at := float64(r.Float64() * s.zipf[len(s.zipf)-1])
	return member, min(sort.SearchFloat64s(s.zipf, at), len(s.zipf)-1)
}

// find notes the first request of each group among n.
func (s *sharing) find(n int) {
	missing := len(s.first)
	for i := 0; i < n && missing > 0; i++ {
		if g, ok := s.group(i); ok && s.first[g] == never {
			s.first[g] = i
			missing--
		}
	}
}

// cacheable is how many tokens of a request an earlier one has brought into an unlimited prefix cache.
func (s *sharing) cacheable(index int) int {
	if g, ok := s.group(index); ok && s.first[g] < index {
		return s.lengths[g]
	}
	return 0
}

// fit finds the probability with which the cacheable share of the requests from..n-1 is the wanted one; 0 wants the most.
// The share grows with it, since every further member adds more to what can come from a cache than to what cannot, but
// for the first of each group.
func (s *sharing) fit(want float64, from, n int, own func(index int) int) error {
	if want == 0 {
		return nil
	}
	type request struct {
		member     float64
		group, own int
	}
	requests := make([]request, n)
	for i := range requests {
		member, g := s.draw(i)
		requests[i] = request{member, g, own(i)}
		if i < s.warm {
			requests[i].member, requests[i].group = 0, i
		}
	}
	share := func(member float64) float64 {
		seen := make([]bool, len(s.lengths))
		var cached, all int64
		for i, r := range requests {
			tokens := r.own
			if r.member >= member {
				tokens += s.alone
			} else {
				tokens += s.lengths[r.group]
				if seen[r.group] && i >= from {
					cached += int64(s.lengths[r.group])
				}
				seen[r.group] = true
			}
			if i >= from {
				all += int64(tokens)
			}
		}
		return float64(cached) / float64(max(all, 1))
	}
	if most := share(1); most < want {
		return fmt.Errorf("prompts.shared.share: %.4g cannot be reached: when every request begins with a shared text, %.4g of the prompt tokens can come from a cache: lengthen shared.tokens, shorten synthetic.input, or use fewer groups", want, most)
	}
	low, high := 0.0, 1.0
	for range 30 { // far finer than one request of 2^18
		if middle := (low + high) / 2; share(middle) < want {
			low = middle
		} else {
			high = middle
		}
	}
	s.member = high
	return nil
}

// text is the shared text of a group, so many tokens long. Where prompts are unique it begins with a nonce of this stream,
// the same for all requests of one approach and block, so that none of them finds another's text in a prefix cache.
func (s *sharing) text(b *strings.Builder, g, left int, stream string) {
	if stream != "" {
		nonce := min(left, NonceWords)
		s.tokens.appendTokens(b, stat.Keyed(s.seed, stream, uint64(g)), nonce)
		left -= nonce
	}
	if s.documents != nil {
		if stream != "" {
			b.WriteByte('\n')
		}
		b.WriteString(s.documents.texts[g])
		return
	}
	s.tokens.appendTokens(b, stat.Keyed(s.seed, "shared text", uint64(g)), left)
}
