package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/infbench/infbench/internal/telemetry"
	"github.com/infbench/infbench/pkg/endpoint"
	"github.com/infbench/infbench/pkg/measure"
	"github.com/infbench/infbench/pkg/workload"
)

// telemetry opens what reads the server's own figures beside a block; nil where the approach wants none. Call over at the
// end of the block.
func (t *target) telemetry() (of *measure.Telemetry, over func(), err error) {
	s, pages, err := endpoint.OpenTelemetry(t.config)
	if err != nil {
		return nil, nil, fmt.Errorf("approach %s: telemetry: %w", t.config.Approach.Name, err)
	}
	if s == nil {
		return nil, func() {}, nil
	}
	return &measure.Telemetry{Scraper: s, Every: t.config.Approach.Telemetry.Every(), Pages: pages}, s.Close, nil
}

// tryTelemetry looks once whether an approach's metrics page answers, and says what it has. A run goes on without: its
// figures are the client's.
func (a *app) tryTelemetry(ctx context.Context, s *workload.Scenario, ap workload.Approach) error {
	if ap.Telemetry == nil || ap.Simulate != nil {
		return nil
	}
	cfg, err := a.config(s, ap)
	if err != nil {
		return err
	}
	scraper, pages, err := endpoint.OpenTelemetry(cfg)
	if err != nil {
		return fmt.Errorf("approach %s: telemetry: %w", ap.Name, err)
	}
	defer scraper.Close()
	at := strings.Join(pages, ", ")
	if _, err := scraper.Scrape(ctx); err != nil {
		fmt.Fprintf(a.stderr, "Approach %s: no telemetry from %s: %v. The run goes on, and looks again every %s.\n", ap.Name, at, err, ap.Telemetry.Every())
		return nil
	}
	f := scraper.Found()
	server, _ := telemetry.ServerOf(f.Server)
	text := fmt.Sprintf("Approach %s: telemetry of %s at %s: %d of %d quantities", ap.Name, server.Title, at, len(f.Reads), len(f.Reads)+len(f.Lacks))
	if len(f.Lacks) > 0 {
		text += ", none of " + strings.Join(f.Lacks, ", ")
	}
	fmt.Fprintln(a.stderr, text+".")
	return nil
}
