// Serve is a scripted server as a process of its own, for bench/compare; with the argument "tls" it speaks TLS.
package main

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/infbench/infbench/internal/scripted"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	serve := scripted.Serve
	if slices.Contains(args, "tls") {
		serve = scripted.ServeTLS
	}
	if err := serve(stdin, stdout); err != nil {
		fmt.Fprintln(stderr, "serve:", err)
		return 1
	}
	return 0
}
