// Serve runs a scripted server as a process of its own, for bench/compare: it prints its address, and at the end of
// standard input writes its log to the file named.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/infbench/infbench/internal/scripted"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) != 1 {
		fmt.Fprintln(stderr, "usage: serve LOGFILE")
		return 2
	}
	if err := serve(args[0], stdin, stdout); err != nil {
		fmt.Fprintln(stderr, "serve:", err)
		return 1
	}
	return 0
}

func serve(path string, stdin io.Reader, stdout io.Writer) error {
	s, err := scripted.Start("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer s.Stop()
	fmt.Fprintln(stdout, s.URL)
	if _, err := io.Copy(io.Discard, stdin); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := scripted.WriteLog(f, s.Log()); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
