package simulate

import (
	"math"
	"slices"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// sharing is egalitarian processor sharing among prefills: each goes at one part in as many requests as hold a slot. Between two
// instants of the model nobody gets or gives up a slot, so that all of them go evenly there.
type sharing struct {
	jobs  []*job        // in prefill, in the order of their slots
	since time.Duration // machine time up to which their progress is known
	end   time.Duration // when the first of them is done
}

// beginPrefill computes a prompt, alone or beside others.
func (m *model) beginPrefill(at time.Duration, j *job) {
	d := m.prefill(j.input - j.cached)
	if m.PrefillNoise > 0 {
		d = time.Duration(math.Round(float64(d) * stat.Keyed(m.seed, "prefill", j.seq).Lognormal(1, m.PrefillNoise)))
	}
	if !m.ProcessorSharing {
		m.events.push(event{at: at + d, kind: evPrefilled, job: j})
		return
	}
	j.left = d
	m.sharing.jobs = append(m.sharing.jobs, j)
}

// before reports whether a prefill's end is the next thing to happen.
func (s *sharing) before(m *model) bool {
	return len(s.jobs) > 0 && (!m.stepping || s.end <= m.stepEnd) && (len(m.events.items) == 0 || s.end <= m.events.items[0].at)
}

// progress brings the prefills up to an instant, before anything else happens at it, and ends those that are done.
func (m *model) progress(at time.Duration) {
	s := &m.sharing
	if len(s.jobs) > 0 {
		each := (at - s.since) / time.Duration(m.busy)
		var done []*job
		s.jobs = slices.DeleteFunc(s.jobs, func(j *job) bool {
			if j.left -= each; j.left <= 0 && j.state == jobPrefill {
				done = append(done, j)
			}
			return j.left <= 0 || j.state != jobPrefill
		})
		for _, j := range done {
			m.prefilled(j)
		}
		if len(done) > 0 {
			m.admit(at)
		}
	}
	s.since = at
}

// share says when the next prefill will be done, after all else has happened at an instant.
func (m *model) share(at time.Duration) {
	s := &m.sharing
	s.jobs = slices.DeleteFunc(s.jobs, func(j *job) bool { return j.state != jobPrefill }) // its client left
	least := time.Duration(math.MaxInt64)
	for _, j := range s.jobs {
		least = min(least, j.left)
	}
	if len(s.jobs) > 0 {
		s.end = at + least*time.Duration(m.busy)
	}
}
