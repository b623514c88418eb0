package stat

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// TestPortable holds the bits of every function and sampler against a file that is the same on every machine:
// scripts/test-portable runs it as 386, arm64 and amd64 with fused multiply-add. One unit in the last place of one of
// the 20,000 values of a line changes its digest.
func TestPortable(t *testing.T) {
	uniform := func(lo, hi float64) func(*Rand) float64 {
		return func(r *Rand) float64 { return lo + float64((hi-lo)*r.Float64()) }
	}
	of := func(f func(float64) float64, argument func(*Rand) float64) func(*Rand) float64 {
		return func(r *Rand) float64 { return f(argument(r)) }
	}
	spread := func(r *Rand) float64 { return math.Ldexp(0.5+r.Float64(), r.IntN(2000)-1000) }
	lines := []struct {
		name string
		draw func(*Rand) float64
	}{
		{"uint64", func(r *Rand) float64 { return math.Float64frombits(r.Uint64()) }},
		{"float64", (*Rand).Float64},
		{"intn", func(r *Rand) float64 { return float64(r.IntN(1_000_003)) }},
		{"log", of(Log, spread)},
		{"log near 1", of(Log, uniform(0.5, 2))},
		{"exp", of(Exp, uniform(-740, 709))},
		{"sin", of(SinTurns, uniform(-3, 3))},
		{"cos", of(CosTurns, uniform(-3, 3))},
		{"log gamma", of(LogGamma, uniform(0, 40))},
		{"pow", func(r *Rand) float64 { return Pow(r.Exp(), 3*r.Normal()) }},
		{"exponential", (*Rand).Exp},
		{"normal", (*Rand).Normal},
		{"lognormal", func(r *Rand) float64 { return r.Lognormal(300, 1.3) }},
		{"gamma 0.06", func(r *Rand) float64 { return r.Gamma(0.06) }},
		{"gamma 4", func(r *Rand) float64 { return r.Gamma(4) }},
		{"weibull 0.5", func(r *Rand) float64 { return r.Weibull(0.5) }},
		{"weibull 2", func(r *Rand) float64 { return r.Weibull(2) }},
		{"perm", func(r *Rand) float64 { return float64(r.Perm(7)[3]) }},
	}
	var got strings.Builder
	for _, line := range lines {
		h := sha256.New()
		r := Keyed(2026, line.name, 11)
		var b [8]byte
		for range 20_000 {
			binary.LittleEndian.PutUint64(b[:], math.Float64bits(line.draw(r)))
			h.Write(b[:])
		}
		fmt.Fprintf(&got, "%s  %s\n", hex.EncodeToString(h.Sum(nil)), line.name)
	}
	path := filepath.Join("testdata", "portable.sha256")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wants := strings.Split(string(want), "\n")
	for i, g := range strings.Split(got.String(), "\n") {
		if i >= len(wants) || g != wants[i] {
			t.Errorf("line %d of %s differs: got\n%s", i+1, path, g)
		}
	}
}
