package endpoint

import (
	"strings"

	"github.com/infbench/infbench/pkg/workload"
)

// splitSystem parts what the system says from the conversation, for APIs that take the two apart. Several system
// messages are joined by an empty line, wherever they stand. developer is OpenAI's newer name of the role.
func splitSystem(messages []workload.Message) (system string, turns []workload.Message) {
	var words []string
	turns = make([]workload.Message, 0, len(messages)) // never null in JSON
	for _, m := range messages {
		if m.Role == "system" || m.Role == "developer" {
			words = append(words, m.Content)
		} else {
			turns = append(turns, m)
		}
	}
	return strings.Join(words, "\n\n"), turns
}
