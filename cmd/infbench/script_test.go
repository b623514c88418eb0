package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the scripts' golden output")

func TestMain(m *testing.M) {
	if os.Getenv("INFBENCH_TEST_STUCK") != "" {
		stuck()
	}
	testscript.Main(m, map[string]func(){
		"infbench": func() { os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the program as a user would. Each script says what it shows.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			nightly, err := filepath.Abs("../../examples/nightly")
			env.Setenv("NIGHTLY", nightly)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"waitrows": waitRows,
		},
	})
}

// waitRows waits until the request log of the only run below a folder holds some bytes, so that a script can interrupt
// a run that is under way. It gives up after a minute.
func waitRows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitrows FOLDER")
	}
	for range 600 {
		logs, _ := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*", "requests.jsonl.zst"))
		if len(logs) == 1 {
			if info, err := os.Stat(logs[0]); err == nil && info.Size() > 1000 {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("no rows below %s within a minute", args[0])
}

// The help of every command ends in a line, names an example where it takes an argument, and fits a terminal.
func TestHelp(t *testing.T) {
	for _, c := range (&app{}).root().Commands() {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short help %q", c.Name(), c.Short)
		}
		if strings.Contains(c.Use, " ") && c.Example == "" {
			t.Errorf("%s takes arguments and gives no example", c.Name())
		}
	}
}
