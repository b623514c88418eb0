// Serve is a scripted server as a process of its own, for bench/compare.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/infbench/infbench/internal/scripted"
)

func main() { os.Exit(run(os.Stdin, os.Stdout, os.Stderr)) }

func run(stdin io.Reader, stdout, stderr io.Writer) int {
	if err := scripted.Serve(stdin, stdout); err != nil {
		fmt.Fprintln(stderr, "serve:", err)
		return 1
	}
	return 0
}
