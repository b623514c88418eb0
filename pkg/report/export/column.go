package export

import (
	"time"

	"github.com/infbench/infbench/pkg/measure"
)

// kind is the type of a column.
type kind int

const (
	integer kind = iota // 64 bits, signed
	text                // UTF-8
	flag                // true or false
)

// cell is one value of a column's kind; the zero value is missing.
type cell struct {
	known bool
	n     int64
	s     string
	b     bool
}

// column is one column of the tables with one row per request. Its name is the field's name in the record, and names stay as
// they are: columns are only ever added.
type column struct {
	name string
	kind kind
	// required: no row is without it.
	required bool
	get      func(s *measure.Sample) cell
}

// columns are all fields of a row, in the order of the record, but rate_limits, which is a list. Times are nanoseconds since
// the block's time 0.
var columns = []column{
	{"i", integer, true, func(s *measure.Sample) cell { return number(s.Index) }},
	{"approach", text, true, func(s *measure.Sample) cell { return cell{known: true, s: s.Approach} }},
	{"block", integer, true, func(s *measure.Sample) cell { return number(s.Block) }},
	{"phase", text, true, func(s *measure.Sample) cell { return cell{known: true, s: string(s.Phase)} }},
	word("traffic_class", func(s *measure.Sample) string { return s.TrafficClass }),

	stamp("scheduled", func(s *measure.Sample) measure.Stamp { return s.Scheduled }),
	stamp("dispatched", func(s *measure.Sample) measure.Stamp { return s.Dispatched }),
	stamp("connect_start", func(s *measure.Sample) measure.Stamp { return s.ConnectStart }),
	stamp("connected", func(s *measure.Sample) measure.Stamp { return s.Connected }),
	stamp("sent", func(s *measure.Sample) measure.Stamp { return s.Sent }),
	stamp("headers", func(s *measure.Sample) measure.Stamp { return s.Headers }),
	stamp("first_event", func(s *measure.Sample) measure.Stamp { return s.FirstEvent }),
	stamp("first_token", func(s *measure.Sample) measure.Stamp { return s.FirstToken }),
	stamp("first_visible", func(s *measure.Sample) measure.Stamp { return s.FirstVisible }),
	stamp("last_token", func(s *measure.Sample) measure.Stamp { return s.LastToken }),
	stamp("done", func(s *measure.Sample) measure.Stamp { return s.Done }),

	{"class", text, true, func(s *measure.Sample) cell { return cell{known: true, s: string(s.Class)} }},
	word("error", func(s *measure.Sample) string { return s.Error }),
	positive("status", func(s *measure.Sample) int { return s.Status }),
	word("finish", func(s *measure.Sample) string { return s.Finish }),
	{"retry_after", integer, false, func(s *measure.Sample) cell { return duration(s.RetryAfter) }},
	word("protocol", func(s *measure.Sample) string { return s.Protocol }),
	word("request_id", func(s *measure.Sample) string { return s.RequestID }),

	count("events", func(s *measure.Sample) int { return s.Events }),
	count("chunks", func(s *measure.Sample) int { return s.Chunks }),
	count("reads", func(s *measure.Sample) int { return s.Reads }),
	count("comments", func(s *measure.Sample) int { return s.Comments }),
	count("unknown_events", func(s *measure.Sample) int { return s.UnknownEvents }),
	{"reasoning_seen", flag, true, func(s *measure.Sample) cell { return cell{known: true, b: s.ReasoningSeen} }},
	stamp("max_gap", func(s *measure.Sample) measure.Stamp { return s.MaxGap }),

	positive("asked_input", func(s *measure.Sample) int { return s.AskedInput }),
	positive("asked_output", func(s *measure.Sample) int { return s.AskedOutput }),
	count("cacheable_tokens", func(s *measure.Sample) int { return s.Cacheable }),
	positive("turn", func(s *measure.Sample) int { return s.Turn }),
	positive("turns", func(s *measure.Sample) int { return s.Turns }),
	stamp("think", func(s *measure.Sample) measure.Stamp { return s.Think }),
	{"context_tokens", integer, false, func(s *measure.Sample) cell {
		if s.Turn == 0 {
			return cell{} // a request that is no turn has no conversation before it
		}
		return number(s.Context)
	}},
	word("session_end", func(s *measure.Sample) string { return string(s.SessionEnd) }),

	optional("input_tokens", func(s *measure.Sample) *int { return s.InputTokens }),
	optional("cached_input_tokens", func(s *measure.Sample) *int { return s.CachedInput }),
	optional("output_tokens", func(s *measure.Sample) *int { return s.OutputTokens }),
	optional("reasoning_tokens", func(s *measure.Sample) *int { return s.Reasoning }),
	word("basis", func(s *measure.Sample) string { return s.Basis }),

	word("server_source", func(s *measure.Sample) string { return s.ServerSource }),
	stamp("server_queue", func(s *measure.Sample) measure.Stamp { return s.ServerQueue }),
	stamp("server_prefill", func(s *measure.Sample) measure.Stamp { return s.ServerPrefill }),
	stamp("server_decode", func(s *measure.Sample) measure.Stamp { return s.ServerDecode }),
	stamp("server_total", func(s *measure.Sample) measure.Stamp { return s.ServerTotal }),

	word("prompt", func(s *measure.Sample) string { return string(s.Prompt) }), // JSON
	word("answer", func(s *measure.Sample) string { return s.Answer }),
	word("stamps", func(s *measure.Sample) string { return s.Stamps }),

	stamp("setup_dns", func(s *measure.Sample) measure.Stamp { return s.SetUpDNS }),
	stamp("setup_tcp", func(s *measure.Sample) measure.Stamp { return s.SetUpTCP }),
	stamp("setup_proxy", func(s *measure.Sample) measure.Stamp { return s.SetUpProxy }),
	stamp("setup_tls", func(s *measure.Sample) measure.Stamp { return s.SetUpTLS }),
}

func number(n int) cell { return cell{known: true, n: int64(n)} }

func duration(d time.Duration) cell { return cell{known: d != 0, n: int64(d)} }

// stamp is a column of nanoseconds that may be missing.
func stamp(name string, get func(*measure.Sample) measure.Stamp) column {
	return column{name, integer, false, func(s *measure.Sample) cell {
		d, ok := get(s).Get()
		return cell{known: ok, n: int64(d)}
	}}
}

// word is a column of text, in which empty is missing.
func word(name string, get func(*measure.Sample) string) column {
	return column{name, text, false, func(s *measure.Sample) cell {
		v := get(s)
		return cell{known: v != "", s: v}
	}}
}

// count is a column of what was counted in every request: 0 is a value.
func count(name string, get func(*measure.Sample) int) column {
	return column{name, integer, true, func(s *measure.Sample) cell { return number(get(s)) }}
}

// positive is a column in which the record has 0 for missing: no request has a status of 0.
func positive(name string, get func(*measure.Sample) int) column {
	return column{name, integer, false, func(s *measure.Sample) cell {
		v := get(s)
		return cell{known: v != 0, n: int64(v)}
	}}
}

func optional(name string, get func(*measure.Sample) *int) column {
	return column{name, integer, false, func(s *measure.Sample) cell {
		if v := get(s); v != nil {
			return number(*v)
		}
		return cell{}
	}}
}
