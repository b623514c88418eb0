package analyze

import (
	"flag"
	"strings"
	"testing"
)

// FullExperiment tells whether the experiments run at their full length, minutes in all, which is where they are asked for by
// name (go test ./pkg/analyze -run Experiment -v, as .ci/run does). Among all tests they are short: that they still run.
func FullExperiment() bool {
	return !testing.Short() && !underRace && strings.Contains(flag.Lookup("test.run").Value.String(), "Experiment")
}
