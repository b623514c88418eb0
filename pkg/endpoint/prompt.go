package endpoint

import (
	"strings"

	"github.com/infbench/infbench/pkg/workload"
)

// promptOf is the prompt of an API that takes one text: the messages as they are, with an empty line between them. No
// template is put around them and no role is named, so that a prompt of one message is sent to the letter.
func promptOf(messages []workload.Message) string {
	texts := make([]string, len(messages))
	for i, m := range messages {
		texts[i] = m.Content
	}
	return strings.Join(texts, "\n\n")
}
