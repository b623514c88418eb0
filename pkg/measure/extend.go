package measure

import (
	"fmt"
	"time"
)

// Extension is one growth of a run: it was given more rounds of blocks than it was begun with.
type Extension struct {
	From    int       `json:"from"` // rounds of blocks before, 1 or more
	To      int       `json:"to"`   // and since
	At      time.Time `json:"at"`
	Tool    Tool      `json:"tool"`
	Machine Machine   `json:"machine"`
}

// Extend opens a run directory to go on with the run as Resume does, with more rounds of blocks than it was begun with. The
// manifest says so from then on, whatever becomes of the new rounds: a gate that looks at the run again spends its error by it.
//
// It fails where blocks is not more than the run has, and where the files of the record are not those that the run has written.
func Extend(dir string, blocks int, at time.Time) (*Writer, error) {
	return goOn(dir, func(m *Manifest) error {
		if m.Scenario == nil {
			return fmt.Errorf("%s: the manifest holds no scenario", dir)
		}
		from := m.Scenario.Rounds()
		if blocks <= from {
			return fmt.Errorf("%s has %d rounds of blocks, and cannot grow to %d", dir, from, blocks)
		}
		if from == 1 && len(m.Rounds) == 0 { // a run of one round keeps it in the manifest itself
			s := &m.Schedule
			m.Rounds = []RoundRecord{{Seed: m.Scenario.Seed, SHA256: s.SHA256, Arrivals: s.Arrivals, Rate: s.Rate, CV: s.CV, Asked: m.Asked, AskedClasses: m.AskedClasses}}
		}
		m.Scenario = m.Scenario.WithBlocks(blocks)
		m.Digest = m.Scenario.Digest()
		m.Extended = append(m.Extended, Extension{From: from, To: blocks, At: at, Tool: ThisTool(), Machine: ThisMachine()})
		return nil
	})
}
