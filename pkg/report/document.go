package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infbench/infbench/pkg/analyze"
)

// document is what a report says, before it is written in one form or another.
type document struct {
	title    string   // scenario, and simulated where so
	badges   []badge  // state, loop, validity
	subtitle string   // what was sent
	identity string   // what would make it again
	verdict  string   // of validity
	headline string   // what the verdict means
	reasons  []reason // why
	slo      []string // which approaches hold it
	table    table
	sloTable table
	notes    []string
	details  []detail
	// judgements explain the SLO verdicts that are not plain from a figure.
	judgements []judgement
	// sent is the workload as sent, beside what was asked; without columns where the record does not hold it.
	sent        table
	sentClasses table // the same by traffic class
	sentNotes   []string
	// server is what the servers said of themselves; without columns where they were not asked.
	server      table
	serverNotes []string
	turns       table // of conversations; without columns where there are none
	ladder      table // where TTFT goes; without columns where that is not known
	ladderNotes []string
	// classes are the traffic classes of each approach side by side; none without a mix.
	classes    []classTable
	classNotes []string
	method     []fact
	glossary   []term
}

type badge struct {
	text string
	tone tone
}

// reason is one reason of the validity verdict.
type reason struct {
	verdict string // suspect, invalid or note
	code    string
	text    string
}

// fact is one line of "how it was measured".
type fact struct{ name, value string }

func newDocument(a *analyze.Analysis) *document {
	s := a.Summary
	d := &document{title: s.Scenario.Name, verdict: s.Validity.Verdict, table: comparison(s), sloTable: sloTable(a), slo: sloSentences(s),
		method: method(a), glossary: glossary, sent: sentTable(s), turns: turnsTable(s), server: serverTable(s), serverNotes: serverNotes(s)}
	if d.title == "" {
		d.title = "unnamed scenario"
	}
	if d.verdict == "" {
		d.verdict = "not judged"
	}
	d.badges = badges(s)
	d.subtitle, d.identity, d.judgements = subtitle(s), identity(s), judgements(s)
	d.headline = headline(s)
	for _, r := range s.Validity.Reasons {
		v := r.Verdict
		if v == analyze.Valid {
			v = "note"
		}
		d.reasons = append(d.reasons, reason{verdict: v, code: r.Code, text: r.Text})
	}
	d.sentNotes, d.sentClasses, d.classes = sentNotes(s, d.sent), sentClasses(s), classTables(s)
	d.classNotes = classNotes(d.classes)
	d.ladder, d.ladderNotes = ladderTable(s), ladderNotes(s)
	d.notes = legendNotes(d.table, d.sloTable)
	for i := range s.Approaches {
		d.details = append(d.details, newDetail(a, i))
	}
	return d
}

// headline is the validity verdict in a sentence. An approach that was not measured does not take the others along.
func headline(s *analyze.Summary) string {
	switch s.Validity.Verdict {
	case analyze.Valid:
		return "The measurement can be trusted."
	case analyze.Suspect:
		return "Read the figures with the reasons below in mind."
	case analyze.Invalid:
		var lost []string
		for _, a := range s.Approaches {
			if a.Validity == analyze.Invalid {
				lost = append(lost, a.Name)
			}
		}
		if len(lost) > 0 && len(lost) < len(s.Approaches) {
			return "Draw no conclusion about " + strings.Join(lost, ", ") + " from this run; the others were measured."
		}
		return "Draw no conclusion about the approaches from this run."
	}
	return ""
}

// badges are what must be read before any figure.
func badges(s *analyze.Summary) []badge {
	var b []badge
	if simulated(s) {
		b = append(b, badge{"simulated", unsure})
	}
	state := s.Run.State
	if state == "" {
		state = "state unknown"
	}
	t := unsure
	if state == "complete" {
		t = plain
	}
	b = append(b, badge{state, t})
	loop := badge{"closed loop", unsure}
	switch {
	case s.Schedule.OpenLoop && hasSessions(s):
		loop = badge{"partly open: conversations", plain}
	case s.Schedule.OpenLoop:
		loop = badge{"open loop", plain}
	}
	b = append(b, loop)
	switch s.Validity.Verdict {
	case analyze.Suspect:
		b = append(b, badge{analyze.Suspect, unsure})
	case analyze.Invalid:
		b = append(b, badge{analyze.Invalid, bad})
	}
	return b
}

func subtitle(s *analyze.Summary) string {
	what := " scheduled arrivals"
	if hasSessions(s) {
		what += " (first turns of conversations and single requests)"
		if !slices.ContainsFunc(s.Approaches, func(p analyze.ApproachSummary) bool { return len(p.Classes) > 0 }) {
			what = " conversations scheduled"
		}
	}
	parts := []string{count(int64(s.Schedule.Arrivals)) + what}
	if s.Schedule.Rate > 0 {
		parts = append(parts, "mean "+perSecond(s.Schedule.Rate))
	}
	if s.Schedule.CV != nil {
		parts = append(parts, "CV "+number(*s.Schedule.CV))
	}
	if n := rounds(s); n > 1 {
		parts[0] += " in the first round"
		parts = append(parts, fmt.Sprintf("%d rounds of blocks", n))
	}
	return strings.Join(parts, " · ")
}

// rounds is how many rounds of blocks were begun; 1 where the record does not say.
func rounds(s *analyze.Summary) int {
	n := 1
	if s.Workload != nil {
		for i := range s.Workload.Sent {
			n = max(n, s.Workload.Sent[i].Round+1)
		}
	}
	return n
}

func identity(s *analyze.Summary) string {
	var parts []string
	if s.Run.ID != "" {
		parts = append(parts, "run "+s.Run.ID)
	}
	parts = append(parts, fmt.Sprintf("seed %d", s.Scenario.Seed))
	if h := s.Schedule.SHA256; h != "" {
		parts = append(parts, "schedule "+h[:min(12, len(h))])
	}
	return strings.Join(parts, " · ")
}

// method says how it was measured.
func method(a *analyze.Analysis) []fact {
	s := a.Summary
	f := []fact{
		{"run", orAbsent(s.Run.ID)},
		{"started", s.Run.Started.UTC().Format("2006-01-02 15:04:05 UTC")},
		{"state", orAbsent(s.Run.State)},
		{"scenario", orAbsent(strings.Join(nonEmpty(s.Scenario.Name, s.Scenario.Digest), ", "))},
		{"seed", fmt.Sprint(s.Scenario.Seed)},
		{"loop", loopText(s)},
		{"schedule", fmt.Sprintf("%s arrivals, SHA-256 %s", count(int64(s.Schedule.Arrivals)), orAbsent(s.Schedule.SHA256))},
		{"rate and burstiness", fmt.Sprintf("mean %s, coefficient of variation of the gaps %s (Poisson: about 1)", perSecond(s.Schedule.Rate), optional(s.Schedule.CV, number))},
	}
	if s.Run.Nonce != "" {
		f = append(f, fact{"nonce of the prompts", s.Run.Nonce + ": this run's own, so that no later run finds its prompts in a cache (--nonce sends them again)"})
	}
	if s.Run.Started.IsZero() {
		f[1].value = absent
	}
	if sc := a.Scenario; sc != nil {
		if sc.Description != "" {
			f = append(f, fact{"about", sc.Description})
		}
		if len(sc.Mix) > 0 {
			f = append(f, fact{"arrivals", describeCommon(sc)})
			f = append(f, classFacts(sc)...)
		} else {
			f = append(f, fact{"arrivals", describeArrivals(sc.Arrivals)}, fact{"prompts", describePrompts(sc.Prompts)})
		}
		if sc.Sessions != nil {
			f = append(f, fact{"conversations", describeSessions(sc.Sessions)})
		}
		if sc.Patience != nil {
			f = append(f, fact{"patience", describePatience(sc.Patience)})
		}
		if sc.Phases.LightLoad != nil {
			f = append(f, fact{"light load", describeLightLoad(sc)})
		}
		f = append(append(f, datasetFacts(s.Datasets)...),
			fact{"phases", fmt.Sprintf("warm-up %s (not counted), measure %s, drain up to %s", span(sc.Phases.Warmup.D()), span(sc.Phases.Measure.D()), span(sc.Phases.Drain.D()))},
			fact{"request limits", describeLimits(sc.SLO.Request)})
	}
	f = append(f, fact{"tool", orAbsent(toolName(s.Run.Tool))}, fact{"machine", orAbsent(s.Run.Machine)})
	return append(f, clientFacts(s.Client)...)
}

// loopText says what decides when a request is sent.
func loopText(s *analyze.Summary) string {
	switch {
	case !s.Schedule.OpenLoop:
		return "closed: a fixed number of users, each waiting for its answer; latency holds back the load"
	case hasSessions(s):
		return "partly open: every conversation begins when the schedule says, whatever the server does; a later turn waits for the answer before it, so slow answers hold it back (with about 5 turns and fewer such traffic acts like an open loop, with 10 and more like a closed one; Schroeder et al., NSDI 2006)"
	}
	return "open: every request is sent when the schedule says, whatever the server does"
}

// toolName is the tool with its version: a record may hold the version alone.
func toolName(version string) string {
	if version == "" || strings.HasPrefix(version, "infbench") {
		return version
	}
	return "infbench " + version
}

// clientFacts is the load generator's own health.
func clientFacts(c analyze.ClientInfo) []fact {
	if c.CPUSeconds == 0 && c.SendLag == nil {
		return []fact{{"client", "its health was not recorded"}}
	}
	facts := []fact{{"client lag", spread(c.SendLag) + ": how late the generator itself started requests"}}
	switch {
	case len(c.Stamps) == 0:
	case c.ReadLag == nil:
		facts = append(facts, fact{"arrivals", "stamped by the client's clock after each read: what it was late by is inside"})
	default:
		facts = append(facts, fact{"read lag", spread(c.ReadLag) + ": how late the client read what had arrived; the kernel stamps arrivals, so it is in no latency"})
	}
	facts = append(facts, fact{"noise floor", noiseFloor(c)})
	facts = append(facts, fact{"client CPU", fmt.Sprintf("%s s for %s events, %s µs per event", number(c.CPUSeconds), count(c.Events), optional(c.CPUUsPerEvent, number)) + clientCores(c)},
		fact{"client memory", "peak " + mebibytes(c.MaxRSSBytes)},
		fact{"client pauses", "longest GC pause " + optional(c.GCPauseMax, Seconds) + ", scheduler latency p99 " + optional(c.SchedLatencyP99, Seconds)})
	if c.StallMax != nil {
		facts = append(facts, fact{"client stalls", fmt.Sprintf("a heartbeat of 1 ms was late by %s (p99), %s (max); %s s in stalls of 10 ms and more; %s s of waiting for a core",
			optional(c.StallP99, Seconds), optional(c.StallMax, Seconds), number(c.StalledSeconds), number(c.CoreWaitSeconds))})
	}
	if l := c.Limits; l != nil && l.Files > 0 {
		facts = append(facts, fact{"client limits", fmt.Sprintf("%s of %s file descriptors, %s TCP sockets of the machine for %s local ports", count(int64(c.FilesMax)), count(int64(l.Files)), count(int64(c.SocketsMax)), count(int64(l.Ports)))})
	}
	return facts
}

// clientCores says how much of its cores the client used at most.
func clientCores(c analyze.ClientInfo) string {
	l := c.Limits
	if l == nil || c.CPUShareMax == 0 {
		return ""
	}
	s := fmt.Sprintf("; at most %.0f%% of %s cores in any 5 s", 100*c.CPUShareMax, number(l.Cores))
	if l.Quota > 0 {
		s += " (a quota)"
	}
	return s
}

// noiseFloor is what the instrument itself is off by.
func noiseFloor(c analyze.ClientInfo) string {
	f := c.NoiseFloor
	if f == nil {
		return "not measured on this machine: infbench selftest does it"
	}
	return fmt.Sprintf("a TTFT is off by at most %s and a gap by %s (p99), proven up to %s events/s in %s streams by infbench selftest on %s",
		Seconds(f.TTFT), Seconds(f.Gap), count(int64(f.EventsPerSecond)), count(int64(f.Streams)), f.When.Format("2 January 2006"))
}

// spread is a distribution in a few words.
func spread(q *analyze.Quantiles) string {
	if q == nil {
		return absent
	}
	var parts []string
	for _, stat := range []string{"p50", "p99", "max"} {
		parts = append(parts, stat+" "+statCell(q, stat).text)
	}
	return strings.Join(parts, ", ") + " (n " + count(q.N) + ")"
}
