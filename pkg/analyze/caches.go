package analyze

import (
	"fmt"
	"math"

	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// templateTokens is what a server's chat template puts before our first word at most: role marks and a default system
// message, some 30 tokens for Llama 3 with its dates and some 80 for gpt-oss with its channels. It is common to all
// requests of all runs, and no nonce can stand before it.
const templateTokens = 128

// cacheFold sums, over the successful requests whose server says what it took from its cache, what it took and what it
// could have taken.
type cacheFold struct {
	requests        int
	counted, cached int64 // prompt tokens by the server's count
	asked           int64 // by the workload's
	// stale is at least how many of the workload's own tokens came from the cache although nothing in the block had brought
	// them there. A word of ours is a token or more: where fewer tokens were computed than words were new, some were held.
	stale int64
}

func (c *cacheFold) add(s *measure.Sample) {
	if s.InputTokens == nil || s.CachedInput == nil {
		return
	}
	input, cached := int64(*s.InputTokens), int64(*s.CachedInput)
	asked, cacheable := int64(s.AskedInput), int64(s.Cacheable)
	c.requests++
	c.counted += input
	c.cached += cached
	c.asked += asked
	if asked <= input { // else the two do not count alike
		c.stale += max(0, asked-cacheable-(input-cached))
	}
}

// share is the part of the prompt tokens that came from the cache; nil where no server said.
func (c *cacheFold) share() *float64 {
	if c.counted == 0 {
		return nil
	}
	return new(float64(c.cached) / float64(c.counted))
}

// accidental reports whether more came from the cache than the block's own requests, of which that share was cacheable,
// and a chat template explain.
func (c *cacheFold) accidental(cacheable float64) bool {
	beyond := float64(c.cached) - cacheable*float64(c.counted) - templateTokens*float64(c.requests)
	return beyond > cachedShare*float64(c.counted) || float64(c.stale) > cachedShare*float64(c.asked)
}

// cache holds what the server took from its prefix cache against what the requests of the block let an unlimited one take.
// A server caches whole blocks of tokens and may forget, so that it can take a little less; it can take more only by what
// the scenario does not know of. Who is what the block's requests are called; they talk where they are turns of
// conversations.
func (a *audit) cache(b *SentBlock, who string, p *workload.Prompts, talks bool) {
	if b.CacheableShare == nil || b.CountedInput == nil {
		return
	}
	expected := *b.CacheableShare
	switch got := b.CachedShare; {
	case got != nil && a.repeated[who]:
		// Rows that came again are no accident, and were said to be there.
	case got != nil && b.caches.accidental(expected):
		verdict, explained := Suspect, "every prompt is unique"
		switch {
		case talks:
			explained = fmt.Sprintf("the conversations so far explain %.0f%%", 100*expected)
		case p.Shares():
			explained = fmt.Sprintf("what its requests share explains %.0f%%", 100*expected)
		}
		if !p.Nonces() { // then another approach, block or run may have brought them
			verdict = Valid
		}
		a.add(verdict, "cache_hits", "%s: the server took %.0f%% of the prompt tokens from its cache, and %s: it was warm from something else, and TTFT looks better than it is", who, 100**got, explained)
	case expected == 0:
	case got == nil:
		a.add(Valid, "prefix_share", "%s: the server does not say what it took from a prefix cache: whether the %.0f%% of the prompt tokens that could come from one did cannot be told", who, 100*expected)
	case *got < expected-cachedShare:
		why := "it has no prefix cache"
		if *got > 0 {
			why = "its cache is small, or keeps whole blocks only"
		}
		a.add(Valid, "prefix_share", "%s: the server took %.0f%% of the prompt tokens from its cache, and an unlimited one would take %.0f%%: %s; or requests came before what they share was computed; or its template and tokenizer make other tokens of an answer than were generated", who, 100**got, 100*expected, why)
	}
}

// spent says when the rows of a dataset were sent again although a cache may know them. A row is one request, or one
// conversation.
func (a *audit) spent(m *measure.Manifest) {
	if len(m.Scenario.Mix) == 0 {
		arrivals := m.Schedule.Arrivals
		if !m.Schedule.OpenLoop {
			arrivals = math.MaxInt
		}
		a.spentBy(m, &m.Scenario.Prompts, m.Datasets, "", arrivals)
	}
	files := m.Datasets
	for i := range min(len(m.Scenario.Mix), len(m.Schedule.Classes)) {
		c := &m.Scenario.Mix[i]
		a.spentBy(m, &c.Prompts, files, ", class "+c.Name, m.Schedule.Classes[i].Arrivals)
		for _, has := range []bool{c.Prompts.Dataset != nil, c.Prompts.Shared != nil && c.Prompts.Shared.Documents != nil} {
			if has && len(files) > 0 {
				files = files[1:]
			}
		}
	}
	a.about = ""
}

// spentBy is spent for the prompts of a scenario or of a traffic class, whose files come first, and of which a block sends
// at most so many rows.
func (a *audit) spentBy(m *measure.Manifest, p *workload.Prompts, files []workload.DatasetFacts, class string, arrivals int) {
	if p.Dataset == nil || len(files) == 0 || !p.Shares() {
		return
	}
	rows := files[0].Used
	for _, b := range m.Blocks {
		n := min(b.Attempts, arrivals) // later turns of conversations are attempts too
		if n <= rows || class != "" && b.State != measure.Complete {
			continue // how far a class got in a block that was cut short is not known
		}
		why := "with prompts.cache: " + p.Cache
		if !p.Common() {
			why = "behind the same shared text"
		}
		a.about = b.Approach
		a.repeated[b.Approach+class] = true
		a.add(Valid, "dataset_spent", "%s%s: the dataset was spent: its %d rows were sent %.3g times over, and %s a row that comes again can be answered from a cache; how much of that is to be expected cannot be told: %s",
			b.Approach, class, rows, float64(n)/float64(rows), why, p.SpentRemedy())
	}
}
