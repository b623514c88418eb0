//go:build unix

// Compare measures what clients cost and how far off they are: the C epoll reader of bench/epoll_reader.c, a plain Go
// client, and infbench, one after the other in turns against one scripted server in a process of its own. It prints the
// table of docs/instrument.md.
//
//	go run ./bench/compare -streams 500 -gap 20ms -events 250 -rounds 7
//
// It needs Linux, a C compiler (cc) and Go.
package main

import (
	"context"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
