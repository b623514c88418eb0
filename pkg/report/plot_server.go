package report

import (
	"strings"

	"github.com/infbench/infbench/internal/telemetry"
	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/report/internal/figure"
)

// serverPlot is what the servers said of themselves over time, below what the client had in flight.
func serverPlot(a *analyze.Analysis) sketch {
	s := sketch{name: "server-over-time", figure: &figure.Figure{Title: "What the server says, over time"},
		caption: "The client's requests in flight, and what the server's own metrics page said at each scrape: requests that it works on, requests that wait in its queue, and how much of its KV cache is in use. " +
			"Running that stays level while waiting grows is a full server: the wait is queueing, not the model. In flight that grows while neither does is a queue before the server. " +
			"A line breaks where scrapes failed; a server that does not publish a figure has no line."}
	x := timeAxis(a, true)
	x.Title = strings.TrimPrefix(x.Title, "scheduled ")
	var flight []curveOverTime
	read := map[string][]curveOverTime{}
	for i := range a.Summary.Approaches {
		series := seriesOf(a, i)
		if len(series.Server) == 0 {
			continue
		}
		flight = append(flight, curveOverTime{approach: i, bins: series.InFlight})
		for name, bins := range series.Server {
			read[name] = append(read[name], curveOverTime{approach: i, bins: bins, width: series.ServerWidth})
		}
		s.figure.Legend = append(s.figure.Legend, figure.Entry{Label: a.Summary.Approaches[i].Name, Swatch: figure.Swatch{Line: approachStroke(i)}})
	}
	if len(read) == 0 {
		s.figure.Rows = noData("no data: no scrape of a server's metrics page succeeded")
		return s
	}
	s.figure.Legend = append(s.figure.Legend, bandEntries(a, x)...)
	whole := func(v float64) string { return thousands(figure.Short(v)) }
	share := func(v float64) string { return figure.Short(100*v) + "%" }
	rows := []struct {
		heading, what string
		curves        []curveOverTime
		name          func(float64) string
		floor         float64
	}{
		{"in flight at the client", "requests", flight, whole, 1},
		{"running", "requests", read[telemetry.RequestsRunning], whole, 1},
		{"waiting", "requests", read[telemetry.RequestsWaiting], whole, 1},
		{"KV cache in use", "share", read[telemetry.KVCacheUsage], share, 0.01},
	}
	for _, r := range rows {
		if len(r.curves) == 0 {
			continue
		}
		p := overTimePanel(a, r.curves, r.heading, r.what, unlabelled(x), r.name, r.floor)
		s.figure.Rows = append(s.figure.Rows, figure.Row{Height: 120, Panels: []*figure.Panel{p}})
	}
	last := &s.figure.Rows[len(s.figure.Rows)-1]
	last.Height, last.Panels[0].X = 160, x
	return s
}
