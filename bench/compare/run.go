//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/infbench/infbench/internal/scripted"
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("compare", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var l load
	l.register(fs)
	rounds := fs.Int("rounds", 7, "turns of each client")
	names := fs.String("clients", "c-kernel,c-clock,infbench,plain-go", "which clients, in turns: c-kernel, c-clock, infbench, reference, plain-go, and the last three with -tls behind")
	secure := fs.Bool("tls", false, "compare infbench with itself over TLS: short for -clients infbench,infbench-tls")
	client := fs.String("client", "", "be this client (compare starts itself so)")
	url := fs.String("url", "", "where the client's server is")
	authority := fs.String("authority", "", "the certificate that the client trusts, in base64")
	out := fs.String("out", "", "where the client writes its log")
	profile := fs.String("cpuprofile", "", "with -client: write a CPU profile to this `file`")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if *secure {
		*names = "infbench,infbench" + overTLS
	}
	roots, err := scripted.Roots(*authority)
	switch {
	case err != nil:
	case *client != "":
		err = profiled(*profile, func() error { return beClient(ctx, *client, server{*url, roots}, *out, l, stdout) })
	case l.storm > 0:
		err = weather(ctx, l, *rounds, strings.Split(*names, ","), stdout, stderr)
	default:
		err = compare(ctx, l, *rounds, strings.Split(*names, ","), stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "compare:", err)
		return 1
	}
	return 0
}

// profiled runs f under a CPU profile, if one is asked for.
func profiled(path string, f func() error) error {
	if path == "" {
		return f()
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return errors.Join(err, out.Close())
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, out.Close())
}

// spent is what a client says at its end.
type spent struct {
	Events     int64   `json:"events"`
	CPUSeconds float64 `json:"cpu_seconds"`
	MaxRSSKiB  int64   `json:"max_rss_kib"`
}

// overTLS ends the name of a client whose server speaks TLS.
const overTLS = "-tls"

func beClient(ctx context.Context, name string, at server, out string, l load, stdout io.Writer) error {
	drive := clients[strings.TrimSuffix(name, overTLS)]
	if drive == nil {
		return fmt.Errorf("no client %q", name)
	}
	served, err := drive(ctx, at, l)
	if err != nil {
		return err
	}
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return err
	}
	s := spent{CPUSeconds: time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds(), MaxRSSKiB: maxRSS()}
	for i := range served {
		s.Events += int64(len(served[i].Writes))
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := errors.Join(writeLog(f, served), f.Close()); err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(s)
}

// maxRSS is the most memory that this process had, in KiB. The kernel's ru_maxrss counts its parent's before the exec too.
func maxRSS() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kib int64
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, _ = fmt.Sscan(v, &kib)
		}
	}
	return kib
}

// compare drives every client in turns and prints the table.
func compare(ctx context.Context, l load, rounds int, names []string, stdout, stderr io.Writer) error {
	w, err := newWorkshop(ctx, stderr)
	if err != nil {
		return err
	}
	defer w.close()
	table := newTable(l, names)
	for round := range rounds {
		for _, name := range names {
			t, err := w.turn(ctx, name, l)
			if err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, name, err)
			}
			r, err := judge(t)
			if err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, name, err)
			}
			table.add(name, r)
			fmt.Fprintf(stderr, "round %d/%d %-12s %s\n", round+1, rounds, name, r)
		}
	}
	return table.print(stdout)
}
