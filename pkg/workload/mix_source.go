package workload

// sourceMix has a source for each class of a mix.
type sourceMix struct {
	names   []string
	classes []*Source
	members []Member
}

// newMixedSource prepares the prompts of every class.
func newMixedSource(s *Scenario, sched *Schedule) (*Source, error) {
	m := &sourceMix{members: sched.Mix.Members}
	src := &Source{seed: s.Seed, mix: m}
	for i := range s.Mix {
		c := &s.Mix[i]
		one, err := NewSource(s.ofClass(c), sched.Mix.Classes[i].Schedule)
		if err != nil {
			return nil, inClass(c, ofMix(i, err))
		}
		m.names, m.classes = append(m.names, c.Name), append(m.classes, one)
		src.clamped += one.clamped
	}
	return src, nil
}

// route finds the source of request index, and which of its requests it is.
func (m *sourceMix) route(index int) (*Source, int) {
	at := m.members[index]
	return m.classes[at.Class], int(at.Index)
}

func (m *sourceMix) request(index int, nonce Nonce) Request {
	one, i := m.route(index)
	req := one.Request(i, nonce)
	req.Index, req.Class = index, m.names[m.members[index].Class]
	return req
}

// follow is Source.Follow of the request's class.
func (m *sourceMix) follow(prev *Request, reply Reply) (Request, Duration, SessionEnd) {
	one, i := m.route(prev.Index)
	own := *prev
	own.Index = i
	next, think, end := one.Follow(&own, reply)
	next.Index, next.Class = prev.Index, prev.Class
	return next, think, end
}

// ClassOf is the traffic class of request index; empty without a mix.
func (s *Source) ClassOf(index int) string {
	if s.mix == nil {
		return ""
	}
	return s.mix.names[s.mix.members[index].Class]
}

// Classes are the sources of a mix's classes, in the order of the scenario, each with the class's own indices; nil without a
// mix.
func (s *Source) Classes() []*Source {
	if s.mix == nil {
		return nil
	}
	return s.mix.classes
}

// ClassTraffic is what is asked of one traffic class.
type ClassTraffic struct {
	Class string `json:"class"`
	Traffic
}

// AskedByClass is Asked for each class of a mix, in the order of the scenario; nil without a mix.
func (s *Source) AskedByClass(sched *Schedule) []ClassTraffic {
	if s.mix == nil {
		return nil
	}
	var all []ClassTraffic
	for i, one := range s.mix.classes {
		all = append(all, ClassTraffic{s.mix.names[i], *one.Asked(sched.Mix.Classes[i].Schedule)})
	}
	return all
}
