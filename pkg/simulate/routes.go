package simulate

import (
	"encoding/json"
	"net/http"
)

func (s *Server) routes() {
	for pattern, l := range map[string]*language{
		"POST /v1/chat/completions":  openAIChat,
		"POST /v1/responses":         openAIResponses,
		"POST /v1/messages":          anthropicMessages,
		"POST /v1beta/models/{call}": gemini, // {model}:streamGenerateContent or {model}:generateContent
		"POST /api/chat":             ollamaChat,
		"POST /api/generate":         ollamaGenerate,
	} {
		s.mux.HandleFunc(pattern, s.serve(l))
	}
	s.mux.HandleFunc("POST /tokenize", s.tokenize)
	s.mux.HandleFunc("POST /apply-template", s.applyTemplate)
	s.mux.HandleFunc("GET /v1/models", s.models)
	s.mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	s.mux.HandleFunc("GET /metrics", s.metrics)
	s.mux.HandleFunc("GET /truth", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jsonl")
		_ = writeTruth(w, s.Truth()) // the client left: nobody to tell
	})
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		openAIChat.refuse(w, http.StatusNotFound, "invalid_request_error", "there is no "+r.Method+" "+r.URL.Path+
			" here: there are POST /v1/chat/completions, /v1/responses, /v1/messages, /v1beta/models/{model}:streamGenerateContent, /api/chat, /api/generate and /tokenize, GET /v1/models, /health, /metrics and /truth")
	})
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": []any{
		map[string]any{"id": s.opts.Model, "object": "model", "created": s.created, "owned_by": "infbench simulation"}}})
}

// metrics, like /health and /truth, answers at once, even during a stall: it is how one looks into the simulation, not
// a part of it.
func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) {
	var m metrics
	var running, waiting int
	s.loop.do(func(model *model) { m, running, waiting = model.metrics.clone(), model.busy, model.queued })
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m.write(w, s.opts.Model, running, waiting)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client left: nobody to tell
}

// openAIError is an error as the OpenAI API shapes it.
func openAIError(_ int, kind, message string) any {
	return map[string]any{"error": map[string]any{"message": message, "type": kind, "param": nil, "code": nil}}
}
