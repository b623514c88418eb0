//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/infbench/infbench/internal/scripted"
	"github.com/infbench/infbench/internal/selftest"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// The clients that are written in Go. Each drives a load and says when each event with text came, by the wall clock.
var clients = map[string]func(ctx context.Context, at server, l load) ([]scripted.Served, error){
	"infbench": func(ctx context.Context, at server, l load) ([]scripted.Served, error) {
		return infbench(ctx, at, l, false)
	},
	"reference": func(ctx context.Context, at server, l load) ([]scripted.Served, error) {
		return infbench(ctx, at, l, true)
	},
	"plain-go": plainGo,
}

// server is where a client finds the scripted server, and what it trusts there.
type server struct {
	url   string
	roots *x509.CertPool
}

// infbench is the whole way of a run: the runner, the client, the recorder and the record on disk.
func infbench(ctx context.Context, at server, l load, reference bool) ([]scripted.Served, error) {
	dir, err := os.MkdirTemp("", "infbench-compare-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	span := workload.Duration(l.span())
	s := &workload.Scenario{Name: "compare", Phases: workload.Phases{Measure: span, Drain: workload.Duration(time.Minute)}}
	w, err := measure.Create(filepath.Join(dir, "run"), &measure.Manifest{Started: time.Now(), Scenario: s})
	if err != nil {
		return nil, err
	}
	epoch := time.Now()
	e, err := endpoint.Open(endpoint.Config{Approach: workload.Approach{URL: at.url, Model: "m"}, Epoch: epoch, RootCAs: at.roots, Reference: reference})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	tap := &selftest.Tap{Endpoint: e, Epoch: epoch, First: l.first, Seen: make([]scripted.Served, l.streams+l.storm)}
	for i := range tap.Seen {
		tap.Seen[i].Writes = make([]int64, 0, l.events)
	}
	err = (&measure.Runner{Writer: w}).Run(ctx, measure.Block{Approach: "a", Endpoint: tap, Epoch: epoch, Phases: s.Phases,
		Times: l.times(), Request: func(i int) workload.Request {
			return workload.Request{Index: i, Messages: []workload.Message{{Role: "user", Content: l.script(i).Prompt()}}}
		}})
	if err = errors.Join(err, w.Close(measure.Complete, "", time.Now()), tap.Err()); err != nil {
		return nil, err
	}
	return tap.Seen, nil
}

// plainGo is what one writes in an afternoon: net/http, a scanner, encoding/json.
func plainGo(ctx context.Context, at server, l load) ([]scripted.Served, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.streams, TLSClientConfig: &tls.Config{RootCAs: at.roots}}}
	served := make([]scripted.Served, l.streams)
	failed := make([]error, l.streams)
	var wg sync.WaitGroup
	for i := range served {
		wg.Go(func() { failed[i] = plainStream(ctx, client, at.url, l.script(i), &served[i]) })
	}
	wg.Wait()
	return served, errors.Join(failed...)
}

func plainStream(ctx context.Context, client *http.Client, url string, s scripted.Script, out *scripted.Served) error {
	body, err := json.Marshal(map[string]any{"model": "m", "stream": true, "messages": []any{map[string]string{"role": "user", "content": s.Prompt()}}})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	out.Index, out.Received = s.Index, time.Now().UnixNano()
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok || text == "[DONE]" {
			continue
		}
		var chunk struct {
			Choices []struct {
				Delta struct {
					Content string `json:"content"`
				} `json:"delta"`
			} `json:"choices"`
		}
		if err := json.Unmarshal([]byte(text), &chunk); err != nil {
			return err
		}
		if len(chunk.Choices) > 0 && chunk.Choices[0].Delta.Content != "" {
			out.Writes = append(out.Writes, time.Now().UnixNano())
		}
	}
	return lines.Err()
}

// writeLog writes what a client saw in the format of the server's log.
func writeLog(w io.Writer, served []scripted.Served) error {
	for i := range served {
		served[i].Due = make([]int64, len(served[i].Writes))
	}
	return scripted.WriteLog(w, served)
}
