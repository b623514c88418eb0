package measure

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/endpoint"
)

func sampleRow(i int) *Sample {
	n := 10 + i
	return &Sample{Index: i, Approach: "a", Phase: Measure, Scheduled: At(time.Duration(i) * time.Millisecond),
		Sent: At(time.Duration(i)*time.Millisecond + 50), FirstToken: At(time.Second), Class: endpoint.OK, OutputTokens: &n}
}

func TestMissingIsNeverZero(t *testing.T) {
	b, err := json.Marshal(&Sample{Scheduled: At(0), Class: endpoint.ConnectFailed})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `"scheduled":0`) {
		t.Errorf("a stamp at 0 is lost: %s", b)
	}
	if strings.Contains(string(b), "first_token") || strings.Contains(string(b), "output_tokens") {
		t.Errorf("a missing value is written: %s", b)
	}
	var s Sample
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	if !s.Scheduled.Known() || s.FirstToken.Known() || s.OutputTokens != nil {
		t.Errorf("read back as %+v", s)
	}
	if err := json.Unmarshal([]byte(`{"sent":"soon"}`), &s); err == nil {
		t.Error("a stamp that is no number was accepted")
	}
}

// What a refusal tells of the server's limits is in its row, and in no other.
func TestRateLimitsInARow(t *testing.T) {
	none := int64(0)
	for limits, want := range map[*endpoint.RateLimit]string{nil: "", {Of: "requests", Remaining: &none}: `"rate_limits":[{"of":"requests","remaining":0}]`} {
		res := endpoint.Result{Class: endpoint.RateLimited}
		if limits != nil {
			res.RateLimits = []endpoint.RateLimit{*limits}
		}
		r := recorder{sample: &Sample{}, count: &counters{}}
		r.finish(&res)
		b, err := json.Marshal(r.sample)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), want) || strings.Contains(string(b), "rate_limits") != (want != "") {
			t.Errorf("%s, want %s", b, want)
		}
	}
}

// Whatever the moment at which the writer dies, every flushed row is read back, and the end is named.
func TestTornRowsKeepEveryFlushedRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), rowsFile)
	w, err := newRowWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	const flushed = 200
	for i := range flushed {
		if err := w.write(sampleRow(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	safe, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if err := w.write(sampleRow(flushed + i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := int(safe.Size()); cut <= len(whole); cut++ {
		if err := os.WriteFile(path, whole[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		n := 0
		var last error
		for s, err := range readRows(path) {
			if last = err; err != nil {
				break
			}
			if s.Index != n {
				t.Fatalf("cut at %d: row %d has index %d", cut, n, s.Index)
			}
			n++
		}
		if n < flushed || last != nil && !errors.Is(last, ErrTorn) {
			t.Fatalf("cut at %d of %d: %d rows, error %v", cut, len(whole), n, last)
		}
	}
}

func TestRowErrorsNameTheRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), rowsFile)
	w, err := newRowWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.z.Write([]byte("{\"i\":1}\n{nonsense}\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range readRows(path) {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "row 2") {
		t.Errorf("error %v, want one that names row 2", last)
	}
}
