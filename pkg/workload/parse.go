package workload

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// Load reads a scenario file. Relative paths in the scenario start at its folder, those set by an override too. The files
// that an approach names are looked at; Parse, which knows no folder, does not.
func Load(path string, overrides ...Override) (*Scenario, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the scenario: %w", err)
	}
	defer f.Close()
	// One byte more than Parse takes is enough for it to refuse the file, however large that is.
	data, err := io.ReadAll(io.LimitReader(f, strict.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the scenario: %w", err)
	}
	return parseIn(filepath.Dir(path), os.LookupEnv, data, path, overrides)
}

// Parse reads a scenario from YAML, changed by the overrides in their order, with every default filled in and ${ENV}
// expanded in URLs and headers. name is what errors call the file.
//
// The language is strict: an unknown or repeated field, a value of another type, a number without its unit, an
// impossible or contradictory value and a missing field are errors. All of them are reported in one go, as a
// ScenarioErrors.
func Parse(data []byte, name string, overrides ...Override) (*Scenario, error) {
	return parseWith(os.LookupEnv, data, name, overrides)
}

// parseWith is Parse with an environment.
func parseWith(lookup func(string) (string, bool), data []byte, name string, overrides []Override) (*Scenario, error) {
	return parseIn("", lookup, data, name, overrides)
}

// parseIn is Parse with an environment and the folder of the scenario; without one, no file is looked at.
func parseIn(dir string, lookup func(string) (string, bool), data []byte, name string, overrides []Override) (*Scenario, error) {
	doc := strict.Read(bytes.Clone(data))
	for _, o := range overrides {
		o.apply(doc)
	}
	approaches := doc.At("approaches")
	var secrets []string
	envHeaders, scrapeHeaders := make([][]string, approaches.Len()), make([][]string, approaches.Len())
	for i := range envHeaders {
		secrets = append(secrets, refuseSecrets(approaches.Item(i))...)
		envHeaders[i] = expandApproach(approaches.Item(i), lookup)
		scrapeHeaders[i] = expandTelemetry(approaches.Item(i).Field("telemetry"), lookup)
	}
	s := &Scenario{Dir: dir}
	doc.Decode(s)
	for i := range s.Approaches {
		s.Approaches[i].EnvHeaders = envHeaders[i]
		if t := s.Approaches[i].Telemetry; t != nil {
			t.EnvHeaders = scrapeHeaders[i]
		}
		s.Approaches[i].adopt(approaches.Item(i))
		s.Approaches[i].forget(approaches.Item(i))
	}
	if slices.ContainsFunc(overrides, func(o Override) bool { return o.cut }) {
		s.cutSteps()
	}
	validate(s, doc.At(""))
	if dir != "" {
		validateFiles(s, approaches)
	}
	if err := scenarioErrors(doc, name, secrets); err != nil {
		return nil, err
	}
	return s, nil
}
