// Mkmodel writes a small random-weight model for llama.cpp, whose vocabulary has infbench's prompt words:
//
//	go run ./internal/gguf/mkmodel --output small.gguf
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/infbench/infbench/internal/gguf"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program: 0 when the model is written, 1 when it cannot be, 2 for wrong flags.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("mkmodel", flag.ContinueOnError)
	flags.SetOutput(stderr)
	output := flags.String("output", "", "the file to write (required)")
	words := flags.String("words", "pkg/workload/words.txt", "a file of words, each of which becomes one token")
	model := gguf.Model{}
	flags.StringVar(&model.Name, "name", "random-llama", "the model's name")
	flags.IntVar(&model.Layers, "layers", 4, "layers")
	flags.IntVar(&model.Dim, "dim", 384, "size of the embedding, a multiple of 64")
	flags.IntVar(&model.Context, "context", 8192, "longest prompt and answer together, in tokens")
	flags.Uint64Var(&model.Seed, "seed", 1, "seed of the weights")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if *output == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "mkmodel: give --output FILE and nothing but flags; --help lists them")
		return 2
	}
	text, err := os.ReadFile(*words)
	if err != nil {
		fmt.Fprintf(stderr, "mkmodel: the words: %v\n", err)
		return 1
	}
	model.Words = strings.Fields(string(text))
	size, err := create(*output, &model)
	if err != nil {
		fmt.Fprintf(stderr, "mkmodel: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "%s: %d tokens, %.1f million parameters, %.1f MB\n", *output, size.Tokens, float64(size.Parameters)/1e6, float64(size.Bytes)/1e6)
	return 0
}

// create writes the model beside its place and moves it there when it is whole.
func create(path string, model *gguf.Model) (gguf.Size, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return gguf.Size{}, err
	}
	defer os.Remove(f.Name()) // nothing is left there when all went well
	size, err := model.Write(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return gguf.Size{}, err
	}
	return size, os.Rename(f.Name(), path)
}
