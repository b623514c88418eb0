package measure

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"
)

// Tick is one line of timeline.jsonl, about one a second. Counts are since the block's time 0.
type Tick struct {
	T        time.Duration `json:"t"` // ns since the block's time 0
	Approach string        `json:"approach"`
	Block    int           `json:"block"`
	Offered  int64         `json:"offered"`
	Sent     int64         `json:"sent"`
	Done     int64         `json:"done"`
	Errors   int64         `json:"errors"`
	InFlight int64         `json:"in_flight"`
	// Events counts the events of the streams that were read.
	Events int64 `json:"events"`
	// LagMax is the largest dispatch lag of the tick, ns.
	LagMax time.Duration `json:"lag_max"`
	Health
	// Server are the looks at the server's own figures since the tick before, where the scenario asks for them.
	Server []Scrape `json:"server,omitempty"`
}

// tickLog appends ticks.
type tickLog struct {
	f   *os.File
	enc *json.Encoder
}

func newTickLog(path string) (*tickLog, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the timeline: %w", err)
	}
	return &tickLog{f: f, enc: json.NewEncoder(f)}, nil
}

func (l *tickLog) write(t *Tick) error { return l.enc.Encode(t) }

func (l *tickLog) close() error { return errors.Join(l.f.Sync(), l.f.Close()) }

// readTicks yields the whole lines of a timeline.
func readTicks(path string) iter.Seq2[*Tick, error] {
	return func(yield func(*Tick, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(nil, fmt.Errorf("open the timeline: %w", err))
			return
		}
		defer f.Close()
		whole, err := wholeLines(f)
		if err != nil {
			yield(nil, fmt.Errorf("read %s: %w", path, err))
			return
		}
		r := bufio.NewScanner(whole)
		for r.Scan() {
			t := &Tick{}
			if err := json.Unmarshal(r.Bytes(), t); err != nil {
				yield(nil, fmt.Errorf("read %s: %w", path, err))
				return
			}
			if !yield(t, nil) {
				return
			}
		}
		if err := r.Err(); err != nil {
			yield(nil, fmt.Errorf("read %s: %w", path, err))
		}
	}
}
