//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/infbench/infbench/internal/scripted"
)

// workshop has the programs that turns need.
type workshop struct {
	dir    string
	self   string
	serve  string // the scripted server
	reader string // the C reader; built when it is first asked for
	stderr io.Writer
}

func newWorkshop(ctx context.Context, stderr io.Writer) (*workshop, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "infbench-compare-")
	if err != nil {
		return nil, err
	}
	w := &workshop{dir: dir, self: self, serve: filepath.Join(dir, "serve"), stderr: stderr}
	if err := w.command(ctx, "go", "build", "-o", w.serve, "./internal/scripted/serve"); err != nil {
		w.close()
		return nil, fmt.Errorf("build the scripted server (run from the project's root): %w", err)
	}
	return w, nil
}

func (w *workshop) close() { os.RemoveAll(w.dir) }

func (w *workshop) command(ctx context.Context, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Stderr = w.stderr
	return c.Run()
}

// turnLog is what came of one client against a fresh server.
type turnLog struct {
	spent       spent
	truth, seen []scripted.Served
}

// turn is one client against a fresh server.
func (w *workshop) turn(ctx context.Context, name string, l load) (*turnLog, error) {
	var how []string
	if strings.HasSuffix(name, overTLS) {
		how = append(how, "tls")
	}
	s, err := scripted.Spawn(ctx, w.stderr, w.serve, how...)
	if err != nil {
		return nil, err
	}
	log := filepath.Join(w.dir, "client.log")
	argv, err := w.client(ctx, name, s, l, log)
	if err != nil {
		_, ferr := s.Finish()
		return nil, errors.Join(err, ferr)
	}
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Stderr = w.stderr
	told, cerr := c.Output()
	t := &turnLog{}
	t.truth, err = s.Finish()
	if err := errors.Join(cerr, err); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(told, &t.spent); err != nil {
		return nil, err
	}
	t.seen, err = readLog(log)
	return t, err
}

// client is the command of a client.
func (w *workshop) client(ctx context.Context, name string, s *scripted.Process, l load, log string) ([]string, error) {
	mode, inC := strings.CutPrefix(name, "c-")
	if !inC {
		return append([]string{w.self, "-client", name, "-url", s.URL, "-authority", s.Authority, "-out", log}, l.flags()...), nil
	}
	if w.reader == "" {
		reader := filepath.Join(w.dir, "epoll_reader")
		if err := w.command(ctx, "cc", "-O2", "-o", reader, "bench/epoll_reader.c"); err != nil {
			return nil, fmt.Errorf("build the C reader (run from the project's root, with a C compiler): %w", err)
		}
		w.reader = reader
	}
	port := s.URL[strings.LastIndexByte(s.URL, ':')+1 : strings.LastIndexByte(s.URL, '/')]
	return append(append([]string{w.reader, port}, l.args()...), mode, log, fmt.Sprint(l.first)), nil
}

func readLog(path string) ([]scripted.Served, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return scripted.ReadLog(f)
}
