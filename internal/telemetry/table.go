// Package telemetry reads what inference servers publish of themselves: Prometheus pages, under each server's own names, as
// quantities in infbench's words. It knows no schedule and no statistics.
//
// What is read, and under which names, is data: servers.yaml.
package telemetry

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// The kinds of quantities.
const (
	Gauge   = "gauge"   // a level at the moment of the scrape
	Counter = "counter" // what only grows
	Time    = "time"    // seconds that only grow, and the number of requests behind them
)

// The quantities that figures are made of.
const (
	RequestsRunning    = "requests_running"
	RequestsWaiting    = "requests_waiting"
	RouterWaiting      = "router_waiting"
	KVCacheUsage       = "kv_cache_usage"
	Acceptance         = "acceptance"
	RequestsFinished   = "requests_finished"
	InputTokens        = "input_tokens"
	OutputTokens       = "output_tokens"
	PrefixCacheQueries = "prefix_cache_queries"
	PrefixCacheHits    = "prefix_cache_hits"
	Preemptions        = "preemptions"
	DraftedTokens      = "drafted_tokens"
	AcceptedTokens     = "accepted_tokens"
	ServerQueue        = "server_queue"
	Prefill            = "prefill"
	Decode             = "decode"
	TTFT               = "ttft"
	E2E                = "e2e"
)

// CountOf is the name of the value that counts the requests behind a time.
func CountOf(quantity string) string { return quantity + "_count" }

// Quantity is something that servers publish, in infbench's words.
type Quantity struct {
	Name    string `yaml:"name"`
	Kind    string `yaml:"kind"`    // Gauge, Counter or Time
	Unit    string `yaml:"unit"`    // requests, tokens, seconds or ratio
	Combine string `yaml:"combine"` // of the series of several engines: sum (also where empty) or max
	Means   string `yaml:"means"`
}

// Server is what one kind of server publishes.
type Server struct {
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	Page  string `yaml:"page"` // where it usually is, below the server's root
	Note  string `yaml:"note"`
	Reads []Read `yaml:"reads"`
}

// Read is where a server publishes a quantity.
type Read struct {
	Quantity string   `yaml:"quantity"`
	Metrics  []string `yaml:"metrics"` // the first that is on the page is read
	Add      []string `yaml:"add"`     // or: all that are on the page are added up
	Part     string   `yaml:"part"`    // sum or count of a histogram, for a counter
	Scale    float64  `yaml:"scale"`   // to the quantity's unit; 0: 1
	Count    string   `yaml:"count"`   // the counter of requests behind a time that is no histogram
}

//go:embed servers.yaml
var source []byte

var table = mustTable(source)

type tableFile struct {
	Quantities []Quantity `yaml:"quantities"`
	Servers    []Server   `yaml:"servers"`
}

func mustTable(text []byte) tableFile {
	var t tableFile
	if err := yaml.UnmarshalWithOptions(text, &t, yaml.Strict()); err != nil {
		panic(fmt.Sprintf("internal/telemetry/servers.yaml: %v", err)) // it is part of the program, and a test reads it
	}
	return t
}

// Quantities are all quantities, in the order in which they are shown.
func Quantities() []Quantity { return slices.Clone(table.Quantities) }

// Servers are the servers whose names are known.
func Servers() []Server { return slices.Clone(table.Servers) }

// QuantityOf is the quantity of this name, and whether there is one.
func QuantityOf(name string) (Quantity, bool) {
	i := slices.IndexFunc(table.Quantities, func(q Quantity) bool { return q.Name == name })
	if i < 0 {
		return Quantity{}, false
	}
	return table.Quantities[i], true
}

// ServerOf is the server of this name, and whether there is one.
func ServerOf(name string) (Server, bool) {
	i := slices.IndexFunc(table.Servers, func(s Server) bool { return s.Name == name })
	if i < 0 {
		return Server{}, false
	}
	return table.Servers[i], true
}

// metricRef is NAME or NAME{label=value} taken apart.
type metricRef struct{ name, label, value string }

func parseRef(s string) metricRef {
	name, rest, labelled := strings.Cut(s, "{")
	if !labelled {
		return metricRef{name: s}
	}
	label, value, _ := strings.Cut(strings.TrimSuffix(rest, "}"), "=")
	return metricRef{name: name, label: label, value: value}
}
