package selftest

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// columns are the table's, with what each says of a rung.
var columns = []struct {
	head string
	cell func(*Rung) string
}{
	{"streams", func(r *Rung) string { return fmt.Sprint(r.Streams) }},
	{"events/s", func(r *Rung) string { return fmt.Sprintf("%.0f", r.Achieved) }},
	{"CPU us/event", func(r *Rung) string { return fmt.Sprintf("%.1f", r.CPUPerEvent) }},
	{"TTFT error p50", func(r *Rung) string { return ms(r.TTFTError.P50) }},
	{"p99", func(r *Rung) string { return ms(r.TTFTError.P99) }},
	{"max", func(r *Rung) string { return ms(r.TTFTError.Max) }},
	{"gap error p50", func(r *Rung) string { return ms(r.GapError.P50) }},
	{"p99", func(r *Rung) string { return ms(r.GapError.P99) }},
	{"max", func(r *Rung) string { return ms(r.GapError.Max) }},
	{"dispatch lag p99", func(r *Rung) string { return ms(r.DispatchLag.P99) }},
	{"send lag p99", func(r *Rung) string { return ms(r.SendLag.P99) }},
	{"read lag p99", func(r *Rung) string { return ms(r.ReadLag.P99) }},
	{"merged reads", func(r *Rung) string { return fmt.Sprintf("%.2f%%", 100*r.Coalesced) }},
	{"allocs/event", func(r *Rung) string { return fmt.Sprintf("%.2f", r.AllocsPerEvent) }},
	{"KiB/stream", func(r *Rung) string { return kib(r.Memory.Resident) }},
	{"heap", func(r *Rung) string { return kib(r.Memory.Heap) }},
	{"stacks", func(r *Rung) string { return kib(r.Memory.Stacks) }},
	{"server lag p99", func(r *Rung) string { return ms(r.ServerLag.P99) }},
	{"", func(r *Rung) string { return verdict(r) }},
}

func ms(seconds float64) string { return fmt.Sprintf("%.3f", seconds*1e3) }

func kib(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/1024) }

func verdict(r *Rung) string {
	switch {
	case r.Proven && !r.held():
		return "proven; the server could not keep up"
	case r.Proven:
		return "proven"
	case !r.held():
		return "the server could not keep up"
	}
	return "not proven"
}

// Table writes the rungs, one a line, and what they prove. All times are in milliseconds.
func (r *Report) Table(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	var heads []string
	for _, c := range columns {
		heads = append(heads, c.head)
	}
	fmt.Fprintln(tw, strings.Join(heads, "\t")+"\t")
	for _, rung := range r.Rungs {
		var cells []string
		for _, c := range columns {
			cells = append(cells, c.cell(rung))
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t")+"\t")
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nTimes in ms, against when the server wrote; Proven: TTFT error p99 below %v, gap error p99 below %v.\n%s\n",
		TTFTLimit, GapLimit, r.Conclusion())
	return err
}

// Conclusion says what is proven.
func (r *Report) Conclusion() string {
	f := r.Floor
	if f == nil {
		return "Nothing is proven on this machine: its own error is larger than the limits even at the lowest level. Measure from another."
	}
	text := fmt.Sprintf("Proven up to %.0f events/s in %d streams: there a TTFT is off by at most %s ms and a gap by %s ms (p99).", f.EventsPerSecond, f.Streams, ms(f.TTFT), ms(f.Gap))
	if !r.Enough {
		text += fmt.Sprintf(" That is less than the %.0f events/s that a machine for measuring should prove.", float64(EnoughRate))
	}
	return text
}

// Remaining estimates how long a ladder takes.
func Remaining(levels []Level) (d time.Duration) {
	for _, l := range levels {
		d += l.Over + l.Span + time.Second
	}
	return d
}
