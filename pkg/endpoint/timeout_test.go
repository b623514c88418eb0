package endpoint

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infbench/infbench/pkg/workload"
)

// Which clock is named must not depend on the order in which the runtime fires timers.
func TestDeadlinesThatPassTogether(t *testing.T) {
	second := workload.Duration(time.Second)
	silent := []step{{time.Hour, ""}}
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			r, _ := call(t, workload.Approach{Timeouts: workload.Timeouts{FirstToken: second, Idle: second, Total: second}}, silent, nil)
			if r.Class != TimeoutFirstToken {
				t.Fatalf("%s %q, want the first token's clock", r.Class, r.Error)
			}
		})
	}
}

// Bytes that net/http holds back until their chunk is whole are signs of life too.
func TestIdleCountsEveryByteOfTheNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := []step{{0, sseHead}, {0, "40\r\n"}}
		for i := range 40 {
			steps = append(steps, step{time.Second, content("a")[i : i+1]})
		}
		steps = append(steps, step{time.Hour, ""})
		start := time.Now()
		r, _ := callBy(t, false, workload.Approach{Timeouts: workload.Timeouts{Idle: workload.Duration(2 * time.Second)}}, steps, nil)
		if r.Class != TimeoutIdle || time.Since(start) != 42*time.Second || !strings.Contains(r.Error, "2s") {
			t.Errorf("%s %q after %s, want idle 2 s after the 40th byte", r.Class, r.Error, time.Since(start))
		}
	})
}

// An answer in one piece may take longer than the default limits of a stream's first token and of silence.
func TestAnswerInOnePieceMayTakeLong(t *testing.T) {
	whole := func(after time.Duration) []step {
		body := `{"choices":[{"message":{"content":"x"}}]}`
		return []step{{after, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + decimal(len(body)) + "\r\n\r\n" + body}}
	}
	no := false
	tests := []struct {
		name     string
		timeouts workload.Timeouts
		after    time.Duration
		class    Class
	}{
		{"two minutes", workload.Timeouts{}, 2 * time.Minute, OK},
		{"longer than the total", workload.Timeouts{}, 301 * time.Second, TimeoutTotal},
		{"a limit of its own", workload.Timeouts{FirstToken: workload.Duration(10 * time.Second)}, 20 * time.Second, TimeoutFirstToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if r, _ := call(t, workload.Approach{Stream: &no, Timeouts: tt.timeouts}, whole(tt.after), nil); r.Class != tt.class {
					t.Errorf("%s %q, want %s", r.Class, r.Error, tt.class)
				}
			})
		})
	}
}

// The defaults are those that workload.Timeouts documents.
func TestDefaultLimits(t *testing.T) {
	if l := limitsOf(workload.Timeouts{}, true); l != (limits{time.Minute, time.Minute, 5 * time.Minute}) || defaultConnect != 10*time.Second {
		t.Errorf("%+v", l)
	}
}

// A server that answers before it has read the whole request must not have its tokens' clock started afterwards.
func TestTokenBeforeTheRequestIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, d := startDeadlines(t.Context(), limits{firstToken: time.Second, total: time.Minute})
		d.token()
		d.sent(&stampedConn{epoch: time.Now()})
		time.Sleep(10 * time.Second)
		if ctx.Err() != nil {
			t.Errorf("cancelled: %v", ctx.Err())
		}
		d.stop()
		d.sent(&stampedConn{epoch: time.Now()}) // a late callback of net/http
		d.linger()
	})
}
