package telemetry

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reading is what one look at a server's pages gave.
type Reading struct {
	// Values by quantity; of a time also the count, under CountOf. Counters and times never fall, even where the server began
	// anew: what they had before is kept. What a page does not have is absent.
	Values map[string]float64
	// Resets are the counters and times that had fallen since the last reading, sorted.
	Resets []string
}

// Found says what a server publishes, as far as it was seen.
type Found struct {
	Server string            `json:"server"`           // its name in the table
	Reads  map[string]string `json:"reads,omitempty"`  // the metric behind each quantity
	Lacks  []string          `json:"lacks,omitempty"`  // quantities that this kind of server has under known names, and this one has not
	Never  []string          `json:"never,omitempty"`  // quantities that this kind of server does not publish
	Models []string          `json:"models,omitempty"` // that the series are about
	Labels map[string]string `json:"labels,omitempty"` // that the series were chosen by
}

// reader turns pages into readings. It is used by one goroutine.
type reader struct {
	server *Server // nil until it is known
	labels map[string]string
	model  string // of the approach
	chosen map[string]string
	models map[string]bool
	last   map[string]float64 // of each series of what only grows
	total  map[string]float64 // grown so far, by value
	begun  bool
}

func newReader(server, model string, labels map[string]string) (*reader, error) {
	r := &reader{labels: maps.Clone(labels), model: model, chosen: map[string]string{}, models: map[string]bool{}, last: map[string]float64{}, total: map[string]float64{}}
	if server != "" {
		s, ok := ServerOf(server)
		if !ok {
			return nil, fmt.Errorf("telemetry.server %q is not known", server)
		}
		r.server = &s
	}
	return r, nil
}

// modelLabels are the labels that name a model.
var modelLabels = []string{"model_name", "model"}

// read reads the pages of all replicas as one server.
func (r *reader) read(pages []page) (Reading, error) {
	if err := r.recognise(pages); err != nil {
		return Reading{}, err
	}
	if !r.begun {
		r.chooseModel(pages)
	}
	out := Reading{Values: map[string]float64{}}
	reset := map[string]bool{}
	for _, read := range r.server.Reads {
		q, _ := QuantityOf(read.Quantity)
		if q.Kind == Gauge {
			r.gauge(pages, q, read, out.Values)
			continue
		}
		r.growing(pages, q, read, out.Values, reset)
	}
	r.begun = true
	out.Resets = slices.Sorted(maps.Keys(reset))
	if len(out.Values) == 0 {
		return Reading{}, fmt.Errorf("the page has none of the names of %s%s", r.server.Title, r.chosenBy())
	}
	return out, nil
}

func (r *reader) chosenBy() string {
	if len(r.labels) == 0 {
		return ""
	}
	return fmt.Sprintf(" with the labels %v", r.labels)
}

// fewest is how many of a server's quantities a page must have to be taken for its: one name alone may be anybody's.
const fewest = 2

// recognise takes the server whose names the pages have most of.
func (r *reader) recognise(pages []page) error {
	if r.server != nil {
		return nil
	}
	best, most := -1, fewest-1
	for i, s := range table.Servers {
		n := 0
		for _, read := range s.Reads {
			for _, name := range slices.Concat(read.Metrics, read.Add) {
				if _, all := anyPage(pages, parseRef(name), read.mainPart(pages, name)); len(all) > 0 {
					n++
					break
				}
			}
		}
		if n > most {
			best, most = i, n
		}
	}
	if best < 0 {
		var names []string
		for _, s := range table.Servers {
			names = append(names, s.Title)
		}
		return fmt.Errorf("the page has not the names of any server that is known (%s)", strings.Join(names, ", "))
	}
	s := table.Servers[best]
	r.server = &s
	return nil
}

// mainPart is the part that shows whether a metric is there.
func (d *Read) mainPart(pages []page, name string) string {
	q, _ := QuantityOf(d.Quantity)
	if q.Kind == Time {
		if _, all := anyPage(pages, parseRef(name), partSum); len(all) > 0 {
			return partSum
		}
		return partValue
	}
	return d.Part
}

// anyPage gathers the series of all pages; a replica's are its own.
func anyPage(pages []page, ref metricRef, part string) (found string, all []scalar) {
	for i, p := range pages {
		name, some := p.scalars(ref, part)
		if len(some) == 0 {
			continue
		}
		found = name
		for _, s := range some {
			s.key = fmt.Sprint(i) + "\x00" + s.key
			all = append(all, s)
		}
	}
	return found, all
}

// chooseModel looks whether the page is of several models, and takes the approach's own where it is one of them.
func (r *reader) chooseModel(pages []page) {
	label := map[string]string{} // by model
	for _, read := range r.server.Reads {
		for _, name := range slices.Concat(read.Metrics, read.Add) {
			_, all := anyPage(pages, parseRef(name), read.mainPart(pages, name))
			for _, s := range all {
				for _, l := range modelLabels {
					if v := s.labels[l]; v != "" {
						r.models[v], label[v] = true, l
					}
				}
			}
		}
	}
	if len(r.labels) == 0 && len(r.models) > 1 && r.models[r.model] {
		r.labels = map[string]string{label[r.model]: r.model}
	}
}

// wanted keeps the series with the right labels.
func (r *reader) wanted(all []scalar) []scalar {
	return slices.DeleteFunc(all, func(s scalar) bool {
		for k, v := range r.labels {
			if s.labels[k] != v {
				return true
			}
		}
		return false
	})
}

// series are those of a read, of the metric that was read before or else of the first that is there.
func (r *reader) series(pages []page, read Read, metrics []string, part string) []scalar {
	for _, m := range metrics {
		if before := r.chosen[read.Quantity]; before != "" && len(read.Add) == 0 && before != m && slices.Contains(metrics, before) {
			continue
		}
		_, all := anyPage(pages, parseRef(m), part)
		if all = r.wanted(all); len(all) > 0 {
			r.chosen[read.Quantity] = m
			return all
		}
	}
	return nil
}

func scaled(v, scale float64) float64 {
	if scale == 0 {
		return v
	}
	return v * scale
}

func (r *reader) gauge(pages []page, q Quantity, read Read, out map[string]float64) {
	all := r.series(pages, read, read.Metrics, read.Part)
	for i, s := range all {
		v := scaled(s.v, read.Scale)
		switch {
		case i == 0:
			out[q.Name] = v
		case q.Combine == "max":
			out[q.Name] = max(out[q.Name], v)
		default:
			out[q.Name] += v
		}
	}
}

// growing reads a counter or a time.
func (r *reader) growing(pages []page, q Quantity, read Read, out map[string]float64, reset map[string]bool) {
	for _, name := range read.Add {
		r.grow(q.Name, q.Name, r.series(pages, read, []string{name}, partValue), read.Scale, out, reset)
	}
	if len(read.Add) > 0 {
		if r.chosen[read.Quantity] != "" {
			r.chosen[read.Quantity] = strings.Join(read.Add, " + ")
		}
		return
	}
	if q.Kind == Counter {
		r.grow(q.Name, q.Name, r.series(pages, read, read.Metrics, read.Part), read.Scale, out, reset)
		return
	}
	if sums := r.series(pages, read, read.Metrics, partSum); len(sums) > 0 {
		r.grow(q.Name, q.Name, sums, read.Scale, out, reset)
		r.grow(CountOf(q.Name), q.Name, r.series(pages, read, read.Metrics, partCount), 1, out, reset)
		return
	}
	r.grow(q.Name, q.Name, r.series(pages, read, read.Metrics, partValue), read.Scale, out, reset)
	if read.Count != "" {
		_, counts := anyPage(pages, parseRef(read.Count), partValue)
		r.grow(CountOf(q.Name), q.Name, r.wanted(counts), 1, out, reset)
	}
}

// grow adds what each series has grown by since the last reading. A series that has fallen began anew, at 0; so did one that
// was not there before, since a server makes many of its series when it first has something to count.
func (r *reader) grow(name, quantity string, all []scalar, scale float64, out map[string]float64, reset map[string]bool) {
	if len(all) == 0 {
		return
	}
	for _, s := range all {
		key := name + "\x00" + s.key
		before := r.last[key]
		if s.v < 0 {
			continue // no counter is that
		}
		if s.v < before {
			reset[quantity] = true
			before = 0
		}
		r.total[name] += scaled(s.v-before, scale)
		r.last[key] = s.v
	}
	out[name] = r.total[name]
}

// found is what is known of the server so far.
func (r *reader) found() Found {
	if r.server == nil {
		return Found{}
	}
	f := Found{Server: r.server.Name, Reads: map[string]string{}, Models: slices.Sorted(maps.Keys(r.models)), Labels: r.labels}
	has := map[string]bool{}
	for _, read := range r.server.Reads {
		has[read.Quantity] = true
		if m := r.chosen[read.Quantity]; m != "" {
			f.Reads[read.Quantity] = m
		} else {
			f.Lacks = append(f.Lacks, read.Quantity)
		}
	}
	for _, q := range table.Quantities {
		if !has[q.Name] {
			f.Never = append(f.Never, q.Name)
		}
	}
	return f
}
