// Infbench is a load-testing and latency benchmark harness for streaming LLM inference endpoints.
// Run "infbench help" for its commands.
package main

import (
	"context"
	"os"
)

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
