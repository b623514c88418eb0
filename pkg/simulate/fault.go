package simulate

import (
	"github.com/infbench/infbench/internal/stat"
	"github.com/infbench/infbench/pkg/workload"
)

// The kinds of faults. Each is also the outcome of the request that it hit, stall apart, which hits everybody.
const (
	faultStall      = "stall"       // the whole server stands still at At for For
	faultHTTP500    = "http_500"    // status 500 at once
	faultHTTP503    = "http_503"    // status 503 at once
	faultErrorBody  = "error_body"  // status 200 with an error object for a body, at once
	faultHang       = "hang"        // the head of a response and then nothing, holding no slot
	faultEmpty      = "empty"       // a complete answer without a token, after the prefill
	faultErrorEvent = "error_event" // half the answer, then an error event and [DONE]
	faultTruncate   = "truncate"    // half the answer, then a clean end without [DONE]
	faultMalformed  = "malformed"   // half the answer, then an event that is not JSON
	faultReset      = "reset"       // half the answer, then a connection reset
)

// requestFaults are the kinds that hit single requests.
var requestFaults = []string{faultHTTP500, faultHTTP503, faultErrorEvent, faultErrorBody, faultTruncate, faultMalformed,
	faultEmpty, faultHang, faultReset}

// drawFault decides which fault, if any, hits request number seq: at most one, each with its own probability.
func drawFault(faults []workload.Fault, seed, seq uint64) string {
	if len(faults) == 0 {
		return ""
	}
	u := stat.Keyed(seed, "fault", seq).Float64()
	for _, f := range faults {
		if f.Kind == faultStall {
			continue
		}
		if u < f.Probability {
			return f.Kind
		}
		u -= f.Probability
	}
	return ""
}

// immediate reports a fault that answers before the queue.
func immediate(fault string) bool {
	return fault == faultHTTP500 || fault == faultHTTP503 || fault == faultErrorBody || fault == faultHang
}

// tokensUntil is how many of n tokens are made before a fault ends the answer.
func tokensUntil(fault string, n int) int {
	switch fault {
	case faultEmpty:
		return 0
	case faultErrorEvent, faultTruncate, faultMalformed, faultReset:
		return (n + 1) / 2
	}
	return n
}
