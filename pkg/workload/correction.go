package workload

import "math"

// Correction is how a target counts a prompt: Overhead + Ratio times the workload's own tokens. It is measured before a
// block and fixed then, so that the block's requests stay a pure function of the seed, the index, the nonce and it.
type Correction struct {
	// Overhead is what the target adds to every prompt, in its tokens: its template, and what else it puts around the text.
	Overhead float64 `json:"overhead"`
	// Ratio is how many of the target's tokens one of the workload's own makes. Positive.
	Ratio float64 `json:"ratio"`
}

// whole is how many of the workload's own tokens a prompt has that the target counts as so many.
func (c *Correction) whole(tokens int) int {
	if c == nil {
		return tokens
	}
	return c.part(float64(tokens) - c.Overhead)
}

// share is the same for a part of a prompt, to which the target adds nothing.
func (c *Correction) share(tokens int) int {
	if c == nil {
		return tokens
	}
	return c.part(float64(tokens))
}

func (c *Correction) part(tokens float64) int {
	return int(min(max(math.Round(tokens/c.Ratio), 0), longest))
}

// Least is the shortest prompt that the target can be sent, as it counts: one token of the workload's own, where there is no
// system message beside it. What is asked to be shorter is sent as long as this.
func (c Correction) Least() int { return int(math.Ceil(c.Overhead + c.Ratio)) }

// Corrected is the source with prompts of another length: a target that counts as c says counts as many tokens as were
// asked for. What a request asks for stays the same, and so do its words, up to where the shorter of two texts ends.
func (s *Source) Corrected(c Correction) *Source {
	t := *s
	t.correction = &c
	return &t
}

// Calibration makes a prompt to see how a target counts, of about so many of the workload's own tokens; how many it has is
// its InputTokens. It has the system message that all prompts have, and shares its words with no request of the schedule.
// k tells prompts apart.
func (s *Source) Calibration(k, tokens int, nonce Nonce) (Request, error) {
	req := Request{Index: k, CacheAllowed: s.prompts.Shares()}
	own := max(1, tokens-s.system)
	var lead string
	if s.prompts.Nonces() {
		lead = s.drawn(s.stream("calibration nonce", nonce), k, NonceWords, "")
	}
	s.converse(&req, lead, func(lead string) string { return s.drawn("calibration text", k, own, lead) })
	var err error
	req.InputTokens, err = s.countAll(req.Messages)
	return req, err
}

// CalibrationLengths are n lengths for prompts of a calibration, ascending: evenly spaced in proportion from half of the
// shortest prompt that the scenario asks for up to the longest, since a target need not take longer ones.
func (s *Source) CalibrationLengths(sched *Schedule, n int) []int {
	shortest, longest := s.lengthBounds(sched, func(_, input int) int { return input })
	low := max(1, shortest/2)
	return spaced(low, max(longest, low+1), n) // one length alone says nothing of what a target adds to all
}

// lengthBounds are the smallest figure that of makes of a request and its prompt's length, and the longest prompt.
func (s *Source) lengthBounds(sched *Schedule, of func(i, input int) int) (least, longest int) {
	requests := 1000 // of a closed loop, whose number nobody knows
	if sched != nil && sched.Open {
		requests = min(len(sched.Times), looked)
	}
	least, longest = math.MaxInt, 1
	for i := range requests {
		input, _ := s.Lengths(i)
		least, longest = min(least, of(i, input)), max(longest, input)
	}
	return least, longest
}
