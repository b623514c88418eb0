package workload

import (
	"errors"
	"slices"
	"strings"
)

// datasetRow is a row that can be sent. Its texts are held once, and those of answers only where they are sent again.
type datasetRow struct {
	// messages are the conversation up to its last user message.
	messages []Message
	sent     int   // how many of them are the prompt
	answers  []int // tokens of the recorded answer to each user message; 0: none was recorded
	// maxTokens is what the row itself asks for; 0: it does not say.
	maxTokens int
	words     int // of the prompt
}

// datasetTurn is one message of the user, and how long the answer was that was recorded for it.
type datasetTurn struct {
	user        string
	answerWords int // 0: none was recorded
}

// prompt is what is sent of a row that stands alone. It is the row's own: do not change it.
func (r *datasetRow) prompt() []Message { return r.messages[:r.sent] }

// answer is the length of the answer that was recorded after the prompt; 0: none was.
func (r *datasetRow) answer() int {
	users := 0
	for _, m := range r.prompt() {
		if m.Role == "user" {
			users++
		}
	}
	return r.answers[users-1]
}

// system is what stands before the first message of the user, or nothing.
func (r *datasetRow) system() string {
	var parts []string
	for _, m := range r.messages {
		if m.Role == "user" {
			break
		}
		parts = append(parts, m.Content)
	}
	return strings.Join(parts, "\n\n")
}

// turns are all messages of the user in their order, however much of the row is its prompt: what a session plays.
func (r *datasetRow) turns() []datasetTurn {
	turns := make([]datasetTurn, 0, len(r.answers))
	for _, m := range r.messages {
		if m.Role == "user" {
			turns = append(turns, datasetTurn{m.Content, r.answers[len(turns)]})
		}
	}
	return turns
}

// rawRow is a row as its file has it, in the columns of a format. What a row does not have is empty.
type rawRow struct {
	texts     [dataColumns]string
	has       [dataColumns]bool // whether the row has the column, and more in it than a null
	null      bool              // whether it has one with a null, or no message, in it
	messages  []rawMessage
	answer    int // tokens of the recorded answer where the file has no text but a number
	maxTokens int // 1..longest; 0: not given
}

// rawMessage is a message with the role that its file calls it by.
type rawMessage struct {
	role, content string
	other         bool // it holds something that is no text: an image, a call of a tool
}

func (r *rawRow) reset() { *r = rawRow{messages: r.messages[:0]} }

// noMessages notes that the list of messages is empty.
func (r *rawRow) noMessages() {
	r.has[messagesColumn] = len(r.messages) > 0
	r.null = r.null || len(r.messages) == 0
}

// The roles that files use, and what is sent. An empty one is never sent: the tools' own messages.
var dataRoles = map[string]string{
	"user": "user", "human": "user",
	"assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "bing": "assistant", "bard": "assistant", "model": "assistant",
	"system": "system", "developer": "developer",
	"tool": "", "function": "", "function_call": "", "tool_call": "", "observation": "", "function_response": "", "tool_response": "",
}

// rowBuilder makes of a raw row what is sent, or says why it cannot be.
type rowBuilder struct {
	dataset *Dataset
	first   bool      // only the first message of the user is the prompt
	single  bool      // a row that has a prompt and messages sends the prompt
	talk    []Message // of the last row, for its memory
}

func (b *rowBuilder) build(raw *rawRow) (row datasetRow, drop string, err error) {
	row.maxTokens = raw.maxTokens
	switch {
	case raw.has[messagesColumn] && !(b.single && raw.has[promptColumn]):
		drop = b.conversation(&row, raw)
	case raw.has[promptColumn]:
		b.question(&row, raw)
	case raw.null:
		drop = DropEmptyPrompt
	default:
		return row, "", errors.New("neither prompt nor messages: want " + rowForm)
	}
	if drop == "" {
		drop = b.unusable(&row)
	}
	return row, drop, nil
}

// rowForm is what a row looks like.
const rowForm = `{"prompt": "..."} or {"messages": [{"role": "user", "content": "..."}]}`

// question is a row of a single one: an instruction, and what it is about.
func (b *rowBuilder) question(row *datasetRow, raw *rawRow) {
	if system := raw.texts[systemColumn]; !blank(system) {
		row.messages = append(row.messages, Message{"system", system})
	}
	prompt := raw.texts[promptColumn]
	if about := raw.texts[inputColumn]; !blank(about) {
		prompt += "\n\n" + about
	}
	row.messages = append(row.messages, Message{"user", prompt})
	row.sent = len(row.messages)
	row.answers = []int{max(raw.answer, countWords(raw.texts[answerColumn]))}
}

// conversation is a row of messages.
func (b *rowBuilder) conversation(row *datasetRow, raw *rawRow) (drop string) {
	all := b.talk[:0]
	if system := raw.texts[systemColumn]; !blank(system) {
		all = append(all, Message{"system", system})
	}
	last := 0 // how many messages there are up to the last one of the user
talk:
	for i := range raw.messages {
		m := &raw.messages[i]
		role, known := dataRoles[strings.ToLower(m.role)]
		text := m.content
		switch {
		case !known:
			return DropRole
		case m.other || role == "":
			return DropNotText
		case role == "assistant" && len(row.answers) == 0:
			return DropAssistant
		case role == "assistant":
			row.answers[len(row.answers)-1] += countWords(text)
			if b.first {
				text = "" // it is never sent
			}
		case role == "user" && b.first && row.sent > 0 && blank(text):
			break talk // a session ends before a message with nothing in it
		case role == "user":
			row.answers = append(row.answers, 0)
		case blank(text):
			continue // a system message that says nothing
		}
		all = append(all, Message{role, text})
		if role == "user" {
			last = len(all)
			if row.sent == 0 || !b.first {
				row.sent = last
			}
		}
	}
	b.talk = all
	if last == 0 {
		return DropNoUser
	}
	row.messages = slices.Clone(all[:last])
	for i := range row.messages { // the texts are parts of their whole row, which is not to be held
		row.messages[i].Content = strings.Clone(row.messages[i].Content)
	}
	return ""
}

// unusable counts the words of a row that is complete, and says why it is left out.
func (b *rowBuilder) unusable(row *datasetRow) (drop string) {
	for _, m := range row.prompt() {
		n := countWords(m.Content)
		if n == 0 {
			return DropEmptyPrompt
		}
		row.words += n
	}
	switch d := b.dataset; {
	case d.RecordedOutput && d.Output == nil && row.maxTokens == 0 && row.answer() == 0:
		return DropNoAnswer
	case d.MaxInput > 0 && row.words > d.MaxInput:
		return DropLong
	}
	return ""
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// countWords is len(strings.Fields(s)) without making them.
func countWords(s string) int {
	n := 0
	for range strings.FieldsSeq(s) {
		n++
	}
	return n
}
