package simulate

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/infbench/infbench/pkg/workload"
)

func (r *rig) post(path, body string) (int, map[string]json.RawMessage) {
	r.t.Helper()
	resp, err := r.client.Post("http://sim"+path, "application/json", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(b, &fields)
	return resp.StatusCode, fields
}

// TestTokenize: /tokenize counts what a request with the same prompt is charged for, in the form of either server, and by
// the ratio and the template that the simulation was given.
func TestTokenize(t *testing.T) {
	for _, report := range []string{reportVLLM, reportLlamaCPP} {
		for _, c := range []struct {
			perWord  float64
			template int
			words    int
			want     int
		}{{0, 0, 10, 10}, {1.3, 7, 10, 20}, {1.3, 7, 1, 8}, {0.5, 20, 31, 35}, {3, 0, 40, 120}} {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, workload.Simulation{DecodeStep: milli(1), TokensPerWord: c.perWord, TemplateTokens: c.template, Report: report}, Options{})
				text := prompt("word", c.words)
				if got := r.ask(t.Context(), "one", text, 1); got.usage == nil || got.usage.Prompt != c.want {
					t.Errorf("usage %+v, want %d", got.usage, c.want)
				}
				messages := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":%q}]}`, text)
				if report == reportVLLM {
					_, answer := r.post("/tokenize", messages)
					if string(answer["count"]) != fmt.Sprint(c.want) {
						t.Errorf("count %s, want %d", answer["count"], c.want)
					}
					_, answer = r.post("/tokenize", fmt.Sprintf(`{"model":"m","prompt":%q}`, text))
					if string(answer["count"]) != fmt.Sprint(c.want-c.template) {
						t.Errorf("without a template: count %s, want %d", answer["count"], c.want-c.template)
					}
					if status, _ := r.post("/apply-template", messages); status != http.StatusNotFound {
						t.Errorf("/apply-template: status %d", status)
					}
					return
				}
				_, answer := r.post("/apply-template", messages)
				_, answer = r.post("/tokenize", fmt.Sprintf(`{"content":%s,"add_special":true}`, answer["prompt"]))
				var tokens []int
				if err := json.Unmarshal(answer["tokens"], &tokens); err != nil || len(tokens) != c.want || answer["count"] != nil {
					t.Errorf("%d tokens, want %d (%v)", len(tokens), c.want, err)
				}
			})
		}
	}
}

// TestTokenizeMistakes: what cannot be counted is refused.
func TestTokenizeMistakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{DecodeStep: milli(1)}, Options{})
		for _, body := range []string{"", "[]", "{}", `{"messages": 3}`} {
			if status, answer := r.post("/tokenize", body); status != http.StatusBadRequest || answer["error"] == nil {
				t.Errorf("%q: status %d, %v", body, status, answer)
			}
		}
	})
	for _, sim := range []workload.Simulation{{TokensPerWord: -1}, {TemplateTokens: -1}} {
		if _, err := Resolve(sim); err == nil {
			t.Errorf("%+v is taken", sim)
		}
	}
}

// TestTemplateIsCached: with a prefix cache the template's whole blocks are found in it by every prompt but the first.
func TestTemplateIsCached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workload.Simulation{DecodeStep: milli(1), TemplateTokens: 40, TokensPerWord: 1.5, PrefixCacheTokens: 1000}, Options{})
		for i, want := range []int{0, 32, 32} {
			got := r.ask(t.Context(), fmt.Sprint(i), prompt(fmt.Sprint("word", i), 30), 1)
			if got.usage == nil || got.usage.Details.Cached != want || got.usage.Prompt != 85 {
				t.Errorf("request %d: %+v, want %d cached of 85", i, got.usage, want)
			}
		}
		if got := r.ask(t.Context(), "again", prompt("word2", 30), 1); got.usage == nil || got.usage.Details.Cached != 80 {
			t.Errorf("again: %+v", got.usage)
		}
	})
}
