package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/infbench/infbench/pkg/measure"
)

// progress shows a run while it goes on: a bar per block on a terminal, a plain line every few seconds elsewhere.
type progress interface {
	begin(block, blocks int, approach string)
	show(measure.Live)
	end()
}

// newProgress chooses by what w is.
func newProgress(w io.Writer, quiet bool) progress {
	if quiet {
		return noProgress{}
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &barProgress{w: w}
	}
	return &lineProgress{w: w}
}

type noProgress struct{}

func (noProgress) begin(int, int, string) {}
func (noProgress) show(measure.Live)      {}
func (noProgress) end()                   {}

// position is where a block is in the run, and what is left of the run.
type position struct {
	block, blocks int
	approach      string
}

// eta is the time left of all blocks, drains not counted: they end when the last answer does.
func (p position) eta(l measure.Live) time.Duration {
	left := max(0, l.Horizon-l.Elapsed) + time.Duration(p.blocks-p.block)*l.Horizon
	return left.Round(time.Second)
}

// status is the line of figures.
func status(l measure.Live) string {
	s := fmt.Sprintf("offered %.1f/s  sent %.1f/s  in flight %d  TTFT p50 %s p99 %s  errors %d",
		l.OfferedRate, l.DeliveredRate, l.InFlight, short(l.TTFTP50), short(l.TTFTP99), l.Errors)
	if l.Draining {
		s += "  draining"
	}
	return s
}

func short(s measure.Stamp) string {
	d, ok := s.Get()
	switch {
	case !ok:
		return "-"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// lineProgress prints a line every few seconds.
type lineProgress struct {
	w    io.Writer
	pos  position
	last time.Duration
}

const lineEvery = 5 * time.Second

func (p *lineProgress) begin(block, blocks int, approach string) {
	p.pos, p.last = position{block, blocks, approach}, 0
	fmt.Fprintf(p.w, "[%d/%d] %s\n", block, blocks, approach)
}

func (p *lineProgress) show(l measure.Live) {
	if l.Elapsed-p.last < lineEvery {
		return
	}
	p.last = l.Elapsed
	fmt.Fprintf(p.w, "[%d/%d] %s  %.0f/%.0fs  %s  ETA %s\n", p.pos.block, p.pos.blocks, p.pos.approach,
		min(l.Elapsed, l.Horizon).Seconds(), l.Horizon.Seconds(), status(l), p.pos.eta(l))
}

func (p *lineProgress) end() {}

// barProgress draws one bar per block.
type barProgress struct {
	w   io.Writer
	pos position
	bar *progressbar.ProgressBar
}

func (p *barProgress) begin(block, blocks int, approach string) {
	p.pos, p.bar = position{block, blocks, approach}, nil
}

func (p *barProgress) show(l measure.Live) {
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(int64(l.Horizon), progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetWidth(16), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetTheme(progressbar.ThemeUnicode), progressbar.OptionSetRenderBlankState(true),
			progressbar.OptionShowDescriptionAtLineEnd())
	}
	p.bar.Describe(fmt.Sprintf("[%d/%d] %s  %s  ETA %s", p.pos.block, p.pos.blocks, p.pos.approach, status(l), p.pos.eta(l)))
	_ = p.bar.Set64(int64(max(0, min(l.Elapsed, l.Horizon)))) // a terminal that went away must not stop a run
}

func (p *barProgress) end() {
	if p.bar != nil {
		_ = p.bar.Exit()
		fmt.Fprintln(p.w)
	}
}
