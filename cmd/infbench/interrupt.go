package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// interrupts turns Ctrl-C (and SIGTERM) into an orderly end: the first closes first, the second cancels the context. The
// third is the system's again, and ends the process: whatever hangs then, nobody is locked in.
type interrupts struct {
	first  chan struct{}
	seen   atomic.Int32
	signal chan os.Signal
	cancel context.CancelCauseFunc
	over   chan struct{}
}

var errInterrupted = errors.New("stopped at once by a second signal")

func watchInterrupts(ctx context.Context, stderr io.Writer) (*interrupts, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	i := &interrupts{first: make(chan struct{}), signal: make(chan os.Signal, 2), cancel: cancel, over: make(chan struct{})}
	signal.Notify(i.signal, os.Interrupt, syscall.SIGTERM)
	go func() {
		for {
			select {
			case <-i.signal:
			case <-i.over:
				return
			}
			if i.seen.Add(1) == 1 {
				fmt.Fprintln(stderr, "\nStopping: nothing more is sent, what is in flight may end. Press Ctrl-C again to stop at once.")
				close(i.first)
				continue
			}
			signal.Stop(i.signal)
			cancel(errInterrupted)
			return
		}
	}()
	return i, ctx
}

// count is the number of signals so far.
func (i *interrupts) count() int { return int(i.seen.Load()) }

// release gives the signals back.
func (i *interrupts) release() {
	signal.Stop(i.signal)
	close(i.over)
	i.cancel(nil)
}
