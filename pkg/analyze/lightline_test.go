package analyze

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
)

// lightRow is an answered request of a light-load phase: so many prompt tokens, a service TTFT, and a head after a time.
func lightRow(tokens int, ttft, head time.Duration) *measure.Sample {
	return &measure.Sample{Phase: measure.LightLoad, Class: endpoint.OK, Scheduled: measure.At(0), Sent: measure.At(0), Headers: measure.At(head),
		FirstToken: measure.At(ttft), InputTokens: &tokens, AskedInput: tokens}
}

// lightRows are 24 requests of eight lengths, whose TTFT is what ttft says of their tokens, times noise.
func lightRows(seed uint64, sigma float64, ttft func(tokens float64) float64) (rows []*measure.Sample) {
	r := stat.Keyed(seed, "light rows", 0)
	for i := range 24 {
		tokens := 32 << (i % 8)
		rows = append(rows, lightRow(tokens, time.Duration(1e9*ttft(float64(tokens))*r.Lognormal(1, sigma)), 12*time.Millisecond))
	}
	return rows
}

func straight(tokens float64) float64 { return 0.1 + 2e-4*tokens }
func bent(tokens float64) float64     { return 0.1 + 1e-4*tokens + 1e-7*tokens*tokens }

// TestLightLine: the planted line is found with its interval and the round trip, though one request in twelve stood still for
// seconds.
func TestLightLine(t *testing.T) {
	rows := lightRows(1, 0.02, straight)
	rows[3].FirstToken, rows[17].FirstToken = measure.At(5*time.Second), measure.At(9*time.Second)
	l := &LightLine{Requests: len(rows)}
	l.draw(rows, 1e-4)
	if l.Problem != "" || l.N != 24 || math.Abs(l.Base/0.1-1) > 0.05 || math.Abs(l.PerToken/2e-4-1) > 0.05 || l.Squared != 0 || l.From != 32 || l.To != 4096 {
		t.Fatalf("%+v", l)
	}
	if l.PerTokenLow > 2e-4 || l.PerTokenHigh < 2e-4 || l.PerTokenHigh-l.PerTokenLow > 4e-5 {
		t.Errorf("slope %g to %g", l.PerTokenLow, l.PerTokenHigh)
	}
	if l.Network == nil || *l.Network != 0.012 || l.NetworkBy != "first byte" || l.Residual > 0.01 {
		t.Errorf("network %v by %s, residual %g", l.Network, l.NetworkBy, l.Residual)
	}
	if v, ok := l.at(1000); !ok || math.Abs(v/0.3-1) > 0.03 {
		t.Errorf("at 1000 tokens %g", v)
	}
	if _, ok := l.at(1.6 * 4096); ok {
		t.Error("it reaches beyond what was measured")
	}
}

// TestLightLineBends: a quadratic term is found where there is one, and in noise alone hardly ever.
func TestLightLineBends(t *testing.T) {
	for seed := range uint64(100) {
		l := &LightLine{}
		l.draw(lightRows(seed, 0.02, bent), 1e-4)
		if v, ok := l.at(3000); l.Squared == 0 || !ok || math.Abs(v/bent(3000)-1) > 0.08 {
			t.Errorf("seed %d: squared %g, at 3000 %g, want %g", seed, l.Squared, v, bent(3000))
		}
	}
	wrong := 0
	for seed := range uint64(400) {
		l := &LightLine{}
		l.draw(lightRows(seed, 0.05, straight), 1e-4)
		if l.Squared != 0 {
			wrong++
		}
	}
	if wrong > 12 {
		t.Errorf("a straight line bends in %d of 400 trials", wrong)
	}
}

// TestLightLineProblems: what is no line says so, and says nothing else.
func TestLightLineProblems(t *testing.T) {
	failed := lightRows(1, 0, straight)
	for _, s := range failed[5:] {
		s.Class = endpoint.HTTPStatus
	}
	for name, c := range map[string]struct {
		rows []*measure.Sample
		want string
	}{
		"none":    {nil, "0 of 24 requests had a first token"},
		"failed":  {failed, "5 of 24 requests had a first token"},
		"alike":   {lightRows(1, 0.1, straight)[:0:0], "a line needs 8"},
		"falling": {lightRows(1, 0, func(tokens float64) float64 { return 2 - 3e-4*tokens }), "longer prompts were answered sooner"},
	} {
		l := &LightLine{Requests: 24}
		l.draw(c.rows, 1e-4)
		if _, ok := l.at(100); ok || !strings.Contains(l.Problem, c.want) {
			t.Errorf("%s: %q", name, l.Problem)
		}
	}
	same := lightRows(1, 0.1, straight)
	for _, s := range same {
		*s.InputTokens = 100
	}
	l := &LightLine{}
	if l.draw(same, 1e-4); !strings.Contains(l.Problem, "1 different lengths") {
		t.Errorf("%q", l.Problem)
	}
}

// TestLightLineNetwork: a head that comes with the first token, or later for a longer prompt, is no round trip; then the time to
// open a connection is one, and without that none is known.
func TestLightLineNetwork(t *testing.T) {
	for name, c := range map[string]struct {
		head    func(ttft time.Duration) time.Duration
		connect measure.Stamp
		by      string
	}{
		"with the token": {func(d time.Duration) time.Duration { return d }, measure.At(3 * time.Millisecond), "connect"},
		"growing":        {func(d time.Duration) time.Duration { return d / 2 }, measure.At(3 * time.Millisecond), "connect"},
		"unknown":        {func(d time.Duration) time.Duration { return d }, measure.Stamp{}, ""},
		"at once":        {func(time.Duration) time.Duration { return 5 * time.Millisecond }, measure.At(time.Millisecond), "first byte"},
	} {
		rows := lightRows(1, 0.02, straight)
		for _, s := range rows {
			d, _ := s.FirstToken.Get()
			s.Headers = measure.At(c.head(d))
		}
		rows[0].SetUpTCP = c.connect
		l := &LightLine{}
		if l.draw(rows, 1e-4); l.NetworkBy != c.by || (l.Network == nil) != (c.by == "") {
			t.Errorf("%s: %v by %q", name, l.Network, l.NetworkBy)
		}
	}
}

// TestUncached: cached tokens are left out; where a cache may have held some and nobody says how many, it is not known.
func TestUncached(t *testing.T) {
	n, cached := 100, 60
	for name, c := range map[string]struct {
		tokens string
		sample measure.Sample
		shared bool
		want   float64
		ok     bool
	}{
		"usage":           {"usage", measure.Sample{InputTokens: &n, CachedInput: &cached}, true, 40, true},
		"no cache report": {"usage", measure.Sample{InputTokens: &n}, false, 100, true},
		"shared, mute":    {"usage", measure.Sample{InputTokens: &n}, true, 0, false},
		"no usage":        {"usage", measure.Sample{AskedInput: 90}, false, 0, false},
		"asked":           {"asked", measure.Sample{AskedInput: 90, InputTokens: &n}, false, 90, true},
		"asked, shared":   {"asked", measure.Sample{AskedInput: 90}, true, 0, false},
	} {
		l := &LightLine{Tokens: c.tokens}
		if got, ok := l.uncached(&c.sample, c.shared); got != c.want || ok != c.ok {
			t.Errorf("%s: %g, %v", name, got, ok)
		}
	}
}

// TestLightLineWithoutLine: what is missing is absent from summary.json, and no 0.
func TestLightLineWithoutLine(t *testing.T) {
	l := &LightLine{Block: 2, Requests: 24}
	l.draw(nil, 1e-4)
	b, err := json.Marshal(l)
	if want := `{"block":2,"requests":24,"n":0,"problem":"0 of 24 requests had a first token, and a line needs 8"}`; err != nil || string(b) != want {
		t.Errorf("%s, %v", b, err)
	}
}
