package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infbench/infbench/internal/telemetry"
	"github.com/infbench/infbench/pkg/analyze"
)

// hasServer reports a run that read some server's own figures, or tried to.
func hasServer(s *analyze.Summary) bool {
	return slices.ContainsFunc(s.Approaches, func(p analyze.ApproachSummary) bool { return p.Server != nil })
}

// serverTitle is what the section is called.
const serverTitle = "Server"

// serverTable is what the servers said of themselves; without columns where none was asked.
func serverTable(s *analyze.Summary) table {
	if !hasServer(s) {
		return table{}
	}
	b := tableBuilder{s}
	var t table
	for _, p := range s.Approaches {
		t.columns = append(t.columns, p.Name)
	}
	spent := group{title: "Where its time went", note: "mean per request, by the server's own clock, from the start of the measure phase to the last answer", rows: []row{
		b.serverMean("queue", telemetry.ServerQueue), b.serverMean("prefill", telemetry.Prefill), b.serverMean("decode", telemetry.Decode), b.serverMean("TTFT at the server", telemetry.TTFT)}}
	client := b.ofServer("service TTFT here", func(v *analyze.ServerSummary) cell { return checkCell(v, analyze.CheckTTFT) })
	client.minor = true
	spent.rows = append(spent.rows, client)
	levels := group{title: "How full it was", note: "mean and largest at the scrapes of the measure phase", rows: []row{
		b.serverLevel("running", telemetry.RequestsRunning, number), b.serverLevel("waiting", telemetry.RequestsWaiting, number),
		b.serverLevel("waiting in the router", telemetry.RouterWaiting, number)}}
	flight := b.ofServer("in flight here, mean", func(v *analyze.ServerSummary) cell { return checkCell(v, analyze.CheckLittle) })
	flight.minor = true
	levels.rows = append(levels.rows, flight, b.serverLevel("KV cache", telemetry.KVCacheUsage, percent))
	counted := group{title: "What it counted", note: "over the same time as its means", rows: []row{
		b.serverCount("requests ended", telemetry.RequestsFinished), b.serverCount("prompt tokens", telemetry.InputTokens), b.serverCount("generated tokens", telemetry.OutputTokens),
		b.ofServer("prefix cache hits", func(v *analyze.ServerSummary) cell { return text(optional(v.CacheHitRatio, percent)) }),
		b.serverCount("preemptions", telemetry.Preemptions),
		b.ofServer("drafts accepted", func(v *analyze.ServerSummary) cell { return text(optional(v.Acceptance, percent)) })}}
	read := group{title: "What was read", rows: []row{
		b.ofServer("names of", func(v *analyze.ServerSummary) cell { return text(orAbsent(serverName(v))) }),
		b.ofServer("scrapes", func(v *analyze.ServerSummary) cell {
			if v.Failed > 0 {
				return cell{text: fmt.Sprintf("%s (%s failed)", count(int64(v.Scrapes)), count(int64(v.Failed))), tone: unsure}
			}
			return text(count(int64(v.Scrapes)))
		})}}
	t.groups = []group{spent, levels, counted, read}
	return known(t)
}

func serverName(v *analyze.ServerSummary) string {
	s, _ := telemetry.ServerOf(v.Server)
	return s.Title
}

// ofServer makes a row with one cell per approach.
func (b tableBuilder) ofServer(label string, cellOf func(v *analyze.ServerSummary) cell) row {
	return b.each(label, func(p *analyze.ApproachSummary) cell {
		if p.Server == nil {
			return text(absent)
		}
		return cellOf(p.Server)
	})
}

func (b tableBuilder) serverMean(label, quantity string) row {
	return b.ofServer(label, func(v *analyze.ServerSummary) cell {
		mean, ok := v.Means[quantity]
		if !ok {
			return text(absent)
		}
		return text(Seconds(mean))
	})
}

func (b tableBuilder) serverLevel(label, quantity string, write func(float64) string) row {
	return b.ofServer(label, func(v *analyze.ServerSummary) cell {
		l, ok := v.Levels[quantity]
		if !ok {
			return text(absent)
		}
		return text(write(l.Mean) + " / " + write(l.Max))
	})
}

func (b tableBuilder) serverCount(label, quantity string) row {
	return b.ofServer(label, func(v *analyze.ServerSummary) cell {
		n, ok := v.Deltas[quantity]
		if !ok {
			return text(absent)
		}
		return text(count(int64(n + 0.5)))
	})
}

// checkCell is the client's side of a check, marked where it differs.
func checkCell(v *analyze.ServerSummary, code string) cell {
	i := slices.IndexFunc(v.Checks, func(c analyze.ServerCheck) bool { return c.Code == code })
	if i < 0 || v.Checks[i].Client == nil {
		return text(absent)
	}
	c := v.Checks[i]
	t := number(*c.Client)
	if code == analyze.CheckTTFT {
		t = Seconds(*c.Client)
	}
	if c.Verdict == analyze.Differs {
		return cell{text: t + " (differs)", tone: unsure, why: c.Text}
	}
	return text(t)
}

// serverNotes say where client and server disagree, and what is missing.
func serverNotes(s *analyze.Summary) []string {
	var notes []string
	for _, p := range s.Approaches {
		v := p.Server
		if v == nil {
			continue
		}
		add := func(format string, args ...any) { notes = append(notes, p.Name+": "+fmt.Sprintf(format, args...)) }
		for _, c := range v.Checks {
			if c.Verdict == analyze.Differs {
				add("client and server disagree by more than %.0f%%: %s. %s", 100*analyze.ServerTolerance, c.Text, likely(c.Place))
			}
		}
		for _, problem := range v.Problems {
			add("%d of %d scrapes of %s failed: %s.", problem.N, v.Scrapes, strings.Join(v.Pages, ", "), strings.TrimSuffix(problem.Text, "."))
		}
		if v.Partial && v.Server != "" {
			add("a scrape at an end of the measure phase is missing: the counters cover %s.", Seconds(v.Seconds))
		}
		if len(v.Resets) > 0 {
			add("the server began to count anew meanwhile (%s): it was restarted, or several servers share the address. What was counted before is kept, what it counted between the last scrape and the restart is lost.", quantityNames(v.Resets))
		}
		if len(v.Lacks) > 0 {
			add("%s does not show %s here: another version, or options that are off.", serverName(v), quantityNames(v.Lacks))
		}
		if len(v.PerClient) > 0 {
			add("the server keeps no count of requests, so %s is shared out over those that ended here.", quantityNames(v.PerClient))
		}
		if len(v.Models) > 1 && len(v.Labels) == 0 {
			add("the page is of several models (%s), added up; telemetry.labels chooses one.", strings.Join(v.Models, ", "))
		}
	}
	return notes
}

// likely says where a difference most likely lies.
func likely(place string) string {
	switch place {
	case "network":
		return "The network's round trips are enough to explain it."
	case "gateway":
		return "Most likely requests wait in a gateway or in the server's HTTP layer, before the engine counts them."
	case "proxy buffering":
		return "Most likely a proxy holds the stream back until the answer is whole."
	case "client":
		return "Most likely the client itself is late: see its health."
	case "other load":
		return "Others use this server too."
	case "other replicas":
		return "Other servers answer too."
	}
	return "Most likely it lies in " + place + "."
}

// quantityNames are quantities as the tables write them.
func quantityNames(names []string) string {
	var out []string
	for _, n := range names {
		switch n {
		case telemetry.TTFT, telemetry.E2E:
			out = append(out, strings.ToUpper(n))
		default:
			out = append(out, strings.NewReplacer("kv_", "KV ", "_", " ").Replace(n))
		}
	}
	return strings.Join(out, ", ")
}
