package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/infbench/infbench/pkg/workload"
)

// scenarioFlags are the flags that change a scenario, shared by every command that reads one.
type scenarioFlags struct {
	set      []string
	only     string
	duration string
	rate     string
	seed     string
	blocks   string
}

func (f *scenarioFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringArrayVar(&f.set, "set", nil, "override a field of the scenario: `path=value`, such as approaches[edge].simulate.slots=2 (repeatable)")
	fs.StringVar(&f.only, "only", "", "run only these approaches: `NAME[,NAME...]`")
	fs.StringVar(&f.duration, "duration", "", "override phases.measure: `30s`, 5m; steps of the shape that begin later are left out")
	fs.StringVar(&f.rate, "rate", "", "override arrivals.rate: `4/s`, 240/min")
	fs.StringVar(&f.seed, "seed", "", "override `seed`")
	fs.StringVar(&f.blocks, "blocks", "", "override blocks: drive every approach this `number` of times, in rounds")
	fs.SortFlags = false
}

// load reads the scenario with the flags applied, and tells on stderr what in it is no mistake but seldom meant.
func (f *scenarioFlags) load(path string, stderr io.Writer) (*workload.Scenario, error) {
	s, err := workload.Load(path, f.overrides()...)
	if err != nil {
		return nil, fail(exitUsage, err)
	}
	for i := range s.Approaches {
		if name := s.Approaches[i].UnsentKey(); name != "" {
			fmt.Fprintf(stderr, "Approach %s: no key is sent to a URL of your own: write key_env: %s\n", s.Approaches[i].Name, name)
		}
	}
	return s, nil
}

// overrides are the flags as changes of the scenario. Their mistakes are reported with those of the file.
func (f *scenarioFlags) overrides() []workload.Override {
	var out []workload.Override
	for _, text := range f.set {
		out = append(out, workload.OverrideSet(text))
	}
	for _, o := range []struct {
		value string
		make  func(string) workload.Override
	}{{f.only, workload.OverrideOnly}, {f.duration, workload.OverrideDuration}, {f.rate, workload.OverrideRate}, {f.seed, workload.OverrideSeed}, {f.blocks, workload.OverrideBlocks}} {
		if o.value != "" {
			out = append(out, o.make(o.value))
		}
	}
	return out
}
