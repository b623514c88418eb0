// Package infbench holds no code of its own: this file guards the layout of the module.
package infbench

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/infbench/infbench/"

// layers names, for each package, the packages of ours that it may import (design: data flows one way).
var layers = map[string][]string{
	"internal/stat":      {},
	"internal/memnet":    {},
	"internal/telemetry": {},
	"pkg/workload":       {"internal/stat"},
	"pkg/simulate":       {"pkg/workload", "internal/stat"},
	"pkg/endpoint":       {"pkg/workload", "internal/stat", "internal/telemetry", "internal/rawnet"},
	"pkg/measure":        {"pkg/endpoint", "pkg/workload", "internal/stat", "internal/telemetry", "internal/rawnet"},
	"pkg/analyze":        {"pkg/measure", "pkg/endpoint", "pkg/workload", "internal/stat", "internal/telemetry", "internal/rawnet"},
	"pkg/report":         {"pkg/analyze", "pkg/measure", "pkg/endpoint", "pkg/workload", "internal/stat", "internal/telemetry", "internal/rawnet"},
	"pkg/report/export":  {"pkg/analyze", "pkg/measure", "pkg/endpoint", "pkg/workload", "internal/stat", "internal/telemetry", "internal/rawnet"},
	"internal/selftest":  {"pkg/measure", "pkg/endpoint", "pkg/workload", "internal/stat", "internal/scripted", "internal/telemetry", "internal/rawnet"},
	"cmd/infbench":       {"pkg", "internal"},
	"internal/gguf":      {},
	"internal/rawnet":    {},
	"internal/scripted":  {"internal/rawnet"},
	"bench/compare":      {"pkg", "internal"},
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return strings.Fields(string(out))
}

func TestImportDirection(t *testing.T) {
	for pkg, allowed := range layers {
		for _, dep := range goList(t, "-deps", "./"+pkg) {
			name, ours := strings.CutPrefix(dep, module)
			if !ours || name == pkg || strings.HasPrefix(name, pkg+"/internal/") {
				continue
			}
			if !slices.ContainsFunc(allowed, func(a string) bool { return name == a || strings.HasPrefix(name, a+"/") }) {
				t.Errorf("%s depends on %s: data flows one way (AGENTS.md)", pkg, name)
			}
		}
	}
}

// Every package is named in layers, so that a new one cannot slip past.
func TestEveryPackageHasALayer(t *testing.T) {
	for _, dep := range goList(t, "./...") {
		name, ours := strings.CutPrefix(dep, module)
		if !ours {
			continue // the root, which is this test
		}
		known := false
		for pkg := range layers {
			known = known || name == pkg || strings.HasPrefix(name, pkg+"/")
		}
		if !known {
			t.Errorf("%s has no place in the layout: name it in layers, with what it may import", name)
		}
	}
}
