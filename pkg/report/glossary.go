package report

// term is one word of the report and what it means.
type term struct{ word, meaning string }

// glossary defines every metric that a report shows. The words are those of the design, so that no two forms of a
// report can mean different things by them.
var glossary = []term{
	{"scheduled", "when the arrival process says that a request arrives, decided before the run. Every headline latency starts here, so a slow server cannot hide its slowness by holding back the next request."},
	{"attempt", "one scheduled request of the measure phase, whatever came of it. There are no hidden retries."},
	{"TTFT", "time to first token: first generated token minus scheduled time. What a user feels."},
	{"service TTFT", "first token minus the time the last request byte was sent. What the server did; without the client's own delay."},
	{"TTFVT", "time to first visible token: like TTFT, to the first text that the user reads, not reasoning."},
	{"send delay", "sent minus scheduled: generator lag, waiting for a connection, and writing the request. The harness's own queue."},
	{"server queue", "time in the server's queue as the server reports it. Never guessed."},
	{"TTFT excess", "service TTFT minus what the same prompt takes at light load (requests sent one at a time before the block). It is the inferred queue where the evidence speaks for one; else how much of it is waiting cannot be told."},
	{"queueing delay", "send delay plus the server's queue. Reported: the server said so. Inferred: the TTFT excess stands in. Send delay only: the server reports nothing, so its own queue is not in the figure."},
	{"chunk gap", "time between successive network reads that carried generated text."},
	{"ITL", "inter-token latency: a chunk gap divided by the tokens in the chunk, counted once per token. Derived where a chunk held more than one token, or a read more than one chunk: the division is then an assumption."},
	{"TPOT", "time per output token of one request: (last token − first token) / (output tokens − 1). Undefined for fewer than two tokens."},
	{"stall", "the longest chunk gap of a request."},
	{"E2E", "end of the answer minus scheduled time."},
	{"goodput", "requests that succeeded and met every request limit, over all attempts. Errors, truncated answers and timeouts are misses."},
	{"offered and delivered rate", "scheduled arrivals per second, and requests sent per second. Where they differ, the client did not keep the schedule."},
	{"CV of the gaps, IDC", "how uneven arrivals are. CV: standard deviation over mean of the times between them; 0 evenly spaced, 1 Poisson, more is burstier. IDC: variance over mean of the counts in bins of 1, 10 or 60 s; 1 is Poisson at a constant rate. Both rise with bursts, IDC with spikes and waves too."},
	{"p95", "the value that 95% do not exceed. Of TTFT, service TTFT, TTFVT, TPOT, stall and E2E it is over all attempts: a failed one counts as slower than every value. Shown only where at least ten samples lie beyond it. Percentiles are never averaged."},
	{"tokens from", "usage: counted by the server. chunks: counted as stream events. mixed: both occurred."},
	{"open loop, closed loop", "open: arrivals do not wait for answers, as real users do not. closed: a fixed number of users, each waiting for an answer before the next request; slow answers then hold back the load, so its latencies cannot be compared with an open-loop run."},
	{"validity", "whether the measurement itself can be trusted: valid, suspect or invalid. It says nothing about the approaches."},
	{"pass, fail, cannot tell", "the verdicts on an SLO objective. Cannot tell: too few samples to decide either way."},
}
