package workload

import (
	"math"
	"slices"

	"github.com/infbench/infbench/internal/stat"
)

// lightLengths is how many lengths the prompts of a light-load phase have: a line needs few, its curvature some.
const lightLengths = 8

// LightLoad makes the requests of a light-load phase, in the order in which they are sent. Their lengths run from half of the
// shortest part of a prompt that no earlier request has brought into a prefix cache up to the longest prompt, evenly spaced in
// proportion. Each begins with a nonce of its own and shares its words with no request of the schedule, so that no cache answers;
// salt keeps it from what another run has sent. Each asks for one token.
func (s *Source) LightLoad(sched *Schedule, n int, salt string, nonce Nonce) ([]Request, error) {
	lengths := s.lightLengths(sched, min(n, lightLengths))
	text := s
	if s.mix != nil {
		text = s.Classes()[0]
	}
	lead := text.stream("light load nonce", nonce) + " " + salt
	requests := make([]Request, 0, n)
	for k := range n {
		req, err := text.lightRequest(k, lengths[k%len(lengths)], lead)
		if err != nil {
			return nil, err
		}
		requests = append(requests, req)
	}
	ordered := make([]Request, n)
	for to, from := range stat.Keyed(s.seed, text.stream("light load order", nonce), 0).Perm(n) {
		ordered[to] = requests[from]
		ordered[to].Index = to
	}
	return ordered, nil
}

func (s *Source) lightRequest(k, tokens int, stream string) (Request, error) {
	req := Request{Index: k, MaxTokens: 1}
	own := max(NonceWords+1, s.correction.whole(tokens)-s.system)
	s.converse(&req, s.drawn(stream, k, NonceWords, ""), func(lead string) string { return s.drawn("light load text", k, own, lead) })
	var err error
	req.InputTokens, err = s.countAll(req.Messages)
	return req, err
}

// lightLengths are n lengths, ascending; fewer where some would be the same.
func (s *Source) lightLengths(sched *Schedule, n int) []int {
	shortest, longest := s.lengthBounds(sched, func(i, input int) int { return max(1, input-s.Cacheable(i)) })
	low := max(NonceWords+1, shortest/2)
	return spaced(low, max(longest, 2*low), n)
}

// spaced are n whole numbers from low to high, evenly spaced in proportion, without repetition.
func spaced(low, high, n int) []int {
	numbers := make([]int, n)
	for k := range numbers {
		part := float64(k) / float64(max(n-1, 1))
		numbers[k] = int(math.Round(float64(low) * stat.Pow(float64(high)/float64(low), part)))
	}
	return slices.Compact(numbers)
}
