package analyze

import (
	"fmt"
	"strings"

	"github.com/infbench/infbench/pkg/endpoint"
)

// allLeft reports that nothing was answered because users left: most of them, after their requests went out. That is an
// endpoint too slow for their patience, not one that is down.
func (f *fold) allLeft() bool {
	return f.ok == 0 && f.sent > 0 && 2*f.classes[endpoint.Abandoned] > f.attempts
}

// unanswered says what became of attempts of which none was answered.
func (f *fold) unanswered() string {
	switch n := f.classes[endpoint.Abandoned]; n {
	case 0:
		return fmt.Sprintf("all %d attempts failed", f.attempts)
	case f.attempts:
		return fmt.Sprintf("of all %d attempts the users left before the answer was there", f.attempts)
	default:
		return fmt.Sprintf("of %d attempts the users left before the answer was there, and the other %d failed", n, f.attempts-n)
	}
}

// left says that nobody waited for an answer. Every attempt is a miss, which objectives are judged by.
func (a *audit) left(f *fold) {
	a.add(Suspect, "all_left", "%s: %s: nobody was served, and no latency of an answer was measured. The endpoint is up, but slower than the scenario's patience: lower the rate, or let users wait longer (patience)", f.name, f.unanswered())
}

// silentClasses names the traffic classes of a mix that got no answer at all, while others did.
func (a *audit) silentClasses(f *fold) {
	var silent []string
	for _, c := range f.mix {
		if c.attempts > 0 && c.ok == 0 {
			silent = append(silent, fmt.Sprintf("class %s (%s%s)", c.name, c.unanswered(), c.example()))
		}
	}
	if len(silent) > 0 {
		a.add(Suspect, "class_failed", "%s: no request was answered of %s: figures of all requests together are those of the other classes", f.name, strings.Join(silent, ", and none of "))
	}
}

// example is an error of the most frequent kind, as the end of a clause; empty where users left.
func (f *fold) example() string {
	var most endpoint.Class
	for class, n := range f.classes {
		if m := f.classes[most]; n > m || n == m && class < most {
			most = class
		}
	}
	if text := f.examples[most]; text != "" && most != endpoint.Abandoned {
		return ": " + text
	}
	return ""
}
