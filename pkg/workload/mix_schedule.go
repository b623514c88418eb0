package workload

import (
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"strings"
	"time"

	"github.com/infbench/infbench/internal/stat"
)

// MixSchedule is what a schedule has beside its times where the scenario is a mix of traffic classes.
type MixSchedule struct {
	// Members say whose each arrival is, parallel to the Times of the whole.
	Members []Member
	// Classes are the scenario's, in its order.
	Classes []ClassSchedule
	// Common are the arrivals that the classes with a weight divide among them; nil where every class has its own.
	Common *Schedule
}

// Member is the place of an arrival in its class.
type Member struct {
	Class int32 // among MixSchedule.Classes
	Index int32 // among the class's own arrivals
}

// ClassSchedule is one class's part of a mix. Its Times are among those of the whole, in the same order.
type ClassSchedule struct {
	Name string
	*Schedule
	// Share is the class's part of the common arrivals, 0..1; 0 where it has its own.
	Share float64
}

// mixed computes the schedule of a mix: that of each class by itself, and then all of them in the order of time.
func mixed(s *Scenario) (*Schedule, error) {
	m := &MixSchedule{}
	var total float64
	for i := range s.Mix {
		c := &s.Mix[i]
		if (c.Arrivals == nil) != (c.Weight > 0) { // Parse has made sure of it
			return nil, inClass(c, fmt.Errorf("give exactly one of a positive weight and arrivals"))
		}
		if c.Arrivals == nil {
			total += c.Weight
		}
	}
	if total > 0 {
		common := *s
		common.Mix, common.Prompts = nil, commonPrompts(s)
		var err error
		if m.Common, err = NewSchedule(&common); err != nil {
			return nil, err
		}
		if !m.Common.Open {
			return nil, fmt.Errorf("arrivals.closed_loop: classes cannot divide a closed loop: give open-loop arrivals")
		}
	}
	owners := s.divide(m.Common)
	for i := range s.Mix {
		c := &s.Mix[i]
		part := ClassSchedule{Name: c.Name}
		if c.Arrivals != nil {
			var err error
			if part.Schedule, err = NewSchedule(s.ofClass(c)); err != nil {
				return nil, inClass(c, ofMix(i, err))
			}
			if !part.Open {
				return nil, inClass(c, fmt.Errorf("arrivals.closed_loop: a class needs open-loop arrivals"))
			}
		} else {
			part.Share = c.Weight / total
			part.Schedule = m.Common.part(owners, int32(i), part.Share)
			if from := s.Phases.Warmup.D(); len(part.between(from, s.Phases.Horizon().D())) == 0 {
				return nil, inClass(c, fmt.Errorf("none of the common arrivals of the measure phase falls to the class: raise its weight, raise arrivals.rate or lengthen phases.measure"))
			}
		}
		m.Classes = append(m.Classes, part)
	}
	return m.merge(s.Phases)
}

// commonPrompts tells the replay of a common trace whether a class takes prompts from it.
func commonPrompts(s *Scenario) Prompts {
	for i := range s.Mix {
		if c := &s.Mix[i]; c.Arrivals == nil && c.Prompts.Trace != nil {
			return Prompts{Trace: c.Prompts.Trace}
		}
	}
	return Prompts{}
}

// divide gives each of the common arrivals to a class with a weight. The classes race: each draws an exponential time at the
// rate of its weight, and the first one wins, with probability weight / sum of the weights. Each draw is keyed by the class's
// name, so that a further class only takes arrivals from the others, and moves none between them.
func (s *Scenario) divide(common *Schedule) []int32 {
	if common == nil {
		return nil
	}
	owners := make([]int32, len(common.Times))
	for k := range owners {
		least := math.Inf(1)
		for i := range s.Mix {
			c := &s.Mix[i]
			if c.Arrivals != nil {
				continue
			}
			if at := stat.Keyed(s.Seed, "mix "+c.Name, uint64(k)).Exp() / c.Weight; at < least {
				least, owners[k] = at, int32(i)
			}
		}
	}
	return owners
}

// part is what falls to one owner.
func (s *Schedule) part(owners []int32, owner int32, share float64) *Schedule {
	p := &Schedule{Open: true, Phases: s.Phases, curve: s.curve, share: share, windows: s.windows}
	p.text = fmt.Sprintf("%.4g%% of %s", 100*share, s.text)
	if s.Trace != nil {
		t := *s.Trace
		t.Arrivals = nil
		p.Trace = &t
	}
	for k, o := range owners {
		if o != owner {
			continue
		}
		p.Times = append(p.Times, s.Times[k])
		if p.Trace != nil {
			p.Trace.Arrivals = append(p.Trace.Arrivals, s.Trace.Arrivals[k])
		}
	}
	return p
}

// merge puts the arrivals of all classes in the order of time; at the same time the earlier class comes first.
func (m *MixSchedule) merge(phases Phases) (*Schedule, error) {
	n := 0
	for _, c := range m.Classes {
		n += len(c.Times)
	}
	if n > maxArrivals {
		return nil, fmt.Errorf("mix: the classes have %d arrivals together, and at most %d are possible: lower the rates or shorten phases.measure", n, maxArrivals)
	}
	s := &Schedule{Open: true, Phases: phases, Times: make([]time.Duration, 0, n), Mix: m}
	m.Members = make([]Member, 0, n)
	next := make([]int, len(m.Classes))
	for range n {
		first := -1
		for c := range m.Classes {
			if next[c] < len(m.Classes[c].Times) && (first < 0 || m.Classes[c].Times[next[c]] < m.Classes[first].Times[next[first]]) {
				first = c
			}
		}
		s.Times = append(s.Times, m.Classes[first].Times[next[first]])
		m.Members = append(m.Members, Member{int32(first), int32(next[first])})
		next[first]++
	}
	s.windows, s.text = m.windows(), m.String()
	return s, nil
}

// windows are those of the common arrivals, and those of the classes with their names.
func (m *MixSchedule) windows() []Window {
	var all []Window
	if m.Common != nil {
		all = append(all, m.Common.windows...)
	}
	for _, c := range m.Classes {
		if c.Share > 0 {
			continue
		}
		for _, w := range c.windows {
			w.Name = c.Name + " " + w.Name
			all = append(all, w)
		}
	}
	return all
}

// String says in words what the mix is.
func (m *MixSchedule) String() string {
	var weighted, parts []string
	for _, c := range m.Classes {
		if c.Share > 0 {
			weighted = append(weighted, c.Name)
		} else {
			parts = append(parts, c.Name+" "+c.text)
		}
	}
	if m.Common != nil {
		parts = append([]string{fmt.Sprintf("%s divided among %s", m.Common.text, strings.Join(weighted, ", "))}, parts...)
	}
	return fmt.Sprintf("mix of %d classes: %s", len(m.Classes), strings.Join(parts, "; "))
}

// rate is the sum of the classes' rates.
func (m *MixSchedule) rate(t time.Duration) float64 {
	sum := 0.0
	if m.Common != nil {
		sum = m.Common.Rate(t)
	}
	for _, c := range m.Classes {
		if c.Share == 0 {
			sum += c.Rate(t)
		}
	}
	return sum
}

// hash adds whose each arrival is: the classes' indices as 32-bit numbers, least significant byte first, in the order of the
// arrivals, and then their names, each with a zero byte behind it.
func (m *MixSchedule) hash(h hash.Hash) {
	buf := make([]byte, 0, 8<<10)
	for i, member := range m.Members {
		buf = binary.LittleEndian.AppendUint32(buf, uint32(member.Class))
		if len(buf) == cap(buf) || i == len(m.Members)-1 {
			h.Write(buf)
			buf = buf[:0]
		}
	}
	for _, c := range m.Classes {
		h.Write(append([]byte(c.Name), 0))
	}
}
