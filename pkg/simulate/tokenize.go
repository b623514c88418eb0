package simulate

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/infbench/infbench/pkg/workload"
)

// templateToken stands for a token of the template in a prompt that it was put around.
const templateToken = "<|t|>"

// tokenizeRequest is what vLLM and llama.cpp understand of a request for tokens, and for a prompt with its template.
type tokenizeRequest struct {
	Prompt   *string       `json:"prompt"`   // vLLM
	Messages []chatMessage `json:"messages"` // vLLM, and /apply-template of llama.cpp
	Content  string        `json:"content"`  // llama.cpp
}

func (r *tokenizeRequest) texts() []string {
	var texts []string
	for _, m := range r.Messages {
		texts = append(texts, m.Content...)
	}
	return texts
}

// tokenize counts a prompt as the simulated server would: in llama.cpp's form where it reports as that does, else in vLLM's.
// Like /metrics it answers at once.
func (s *Server) tokenize(w http.ResponseWriter, r *http.Request) {
	var req tokenizeRequest
	if !readTokenize(w, r, &req) {
		return
	}
	if s.sim.Report == reportLlamaCPP {
		n := countTemplated(&s.sim, req.Content)
		writeJSON(w, http.StatusOK, map[string]any{"tokens": make([]int, n)})
		return
	}
	sim, texts := s.sim, req.texts()
	switch {
	case req.Prompt != nil: // no template around it
		sim.TemplateTokens, texts = 0, []string{*req.Prompt}
	case len(texts) == 0:
		openAIChat.refuse(w, http.StatusBadRequest, "invalid_request_error", "neither prompt nor messages")
		return
	}
	h := newPromptHash(&sim)
	for _, text := range texts {
		h.write(text)
	}
	writeJSON(w, http.StatusOK, map[string]any{"count": h.tokens, "max_model_len": maxBody, "tokens": make([]int, h.tokens), "token_strs": nil})
}

// applyTemplate gives a prompt with its template, as llama.cpp does.
func (s *Server) applyTemplate(w http.ResponseWriter, r *http.Request) {
	var req tokenizeRequest
	if s.sim.Report != reportLlamaCPP {
		openAIChat.refuse(w, http.StatusNotFound, "invalid_request_error", "there is no /apply-template here")
		return
	}
	if !readTokenize(w, r, &req) {
		return
	}
	prompt := strings.Repeat(templateToken+" ", s.sim.TemplateTokens) + strings.Join(req.texts(), "\n")
	writeJSON(w, http.StatusOK, map[string]any{"prompt": prompt})
}

func readTokenize(w http.ResponseWriter, r *http.Request, req *tokenizeRequest) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(body, req)
	}
	if err != nil {
		openAIChat.refuse(w, http.StatusBadRequest, "invalid_request_error", "the body is not a request for tokens: "+err.Error())
	}
	return err == nil
}

// countTemplated counts a text whose first words may be tokens of the template.
func countTemplated(sim *workload.Simulation, text string) int {
	bare := *sim
	bare.TemplateTokens = 0
	for strings.HasPrefix(text, templateToken+" ") {
		text = text[len(templateToken)+1:]
		bare.TemplateTokens++
	}
	h := newPromptHash(&bare)
	h.write(text)
	return h.tokens
}
