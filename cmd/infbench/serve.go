package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infbench/infbench/pkg/simulate"
	"github.com/infbench/infbench/pkg/workload"
)

func (a *app) serveCommand() *cobra.Command {
	var addr, profile, scenario, approach string
	var seed uint64
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve a simulated endpoint of known truth",
		Long: `Serve starts a server whose timing follows a model with a known truth: queue, prefill, decode and cache are what its parameters
say, whatever this machine is. It speaks OpenAI chat completions and responses, Anthropic messages, Gemini and Ollama. It
tells its truth per request on /truth, and publishes vLLM-like /metrics.
It is for trying infbench and for testing it; its figures say nothing about real hardware.`,
		Example: `  infbench serve --profile self-hosted --addr 127.0.0.1:8000
  infbench serve --scenario scenarios/quickstart.yaml --approach edge`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sim, err := simulationOf(profile, scenario, approach)
			if err != nil {
				return fail(exitUsage, err)
			}
			stop, ctx := watchInterrupts(cmd.Context(), a.stderr)
			defer stop.release()
			server, err := simulate.Start(ctx, sim, simulate.Options{Seed: seed, Addr: addr})
			if err != nil {
				return fail(exitIO, err)
			}
			root := strings.TrimSuffix(server.URL, "/v1")
			fmt.Fprintf(a.stdout, "Simulated endpoint at %s (Ctrl-C ends it)\nFor anthropic-messages and ollama: %s, for gemini: %s/v1beta\n", server.URL, root, root)
			select {
			case <-stop.first:
			case <-ctx.Done():
			}
			server.Stop()
			return nil
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&addr, "addr", "127.0.0.1:8000", "`address` to listen on")
	fs.StringVar(&profile, "profile", "self-hosted", "named `profile` of the model")
	fs.StringVar(&scenario, "scenario", "", "take the model from an approach of this `scenario` instead")
	fs.StringVar(&approach, "approach", "", "`name` of that approach")
	fs.Uint64Var(&seed, "seed", 1, "`seed` of the model's random draws")
	cmd.MarkFlagsRequiredTogether("scenario", "approach")
	cmd.MarkFlagsMutuallyExclusive("scenario", "profile")
	return cmd
}

// simulationOf is the model that the flags name.
func simulationOf(profile, path, approach string) (workload.Simulation, error) {
	if path == "" {
		sim, ok := simulate.Profile(profile)
		if !ok {
			return sim, fmt.Errorf("no profile %q: there are %v", profile, simulate.Profiles())
		}
		return sim, nil
	}
	s, err := workload.Load(path)
	if err != nil {
		return workload.Simulation{}, err
	}
	for _, a := range s.Approaches {
		if a.Name == approach {
			if a.Simulate == nil {
				return workload.Simulation{}, fmt.Errorf("%s: approach %s is a real endpoint (%s), not a simulated one", path, approach, a.URL)
			}
			return *a.Simulate, nil
		}
	}
	return workload.Simulation{}, fmt.Errorf("%s has no approach %q", path, approach)
}
