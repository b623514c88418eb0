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

// promptOf is the prompt of an API that takes one text: the messages as they are, with an empty line between them. No
// template is put around them and no role is named, so that a prompt of one message is sent to the letter.
func promptOf(messages []workload.Message) string {
	texts := make([]string, len(messages))
	for i, m := range messages {
		texts[i] = m.Content
	}
	return strings.Join(texts, "\n\n")
}
