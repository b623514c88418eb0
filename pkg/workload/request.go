package workload

// Request is what one arrival asks. It is a pure function of the scenario, the index and the nonce.
type Request struct {
	Index int
	// Class is the traffic class of the request; empty without a mix.
	Class    string
	Messages []Message
	// InputTokens is the prompt length that was asked for, by the workload's own estimate; 0 where a dataset does
	// not say. The server's count is in the record beside it.
	InputTokens int
	// MaxTokens is the output length that was asked for; 0 leaves it to the server.
	MaxTokens int
	// Cacheable is how many of the prompt's tokens an earlier request of the block has brought into a prefix cache, if
	// that is unlimited and was empty before (prompts.shared, or the prefix blocks of a trace).
	Cacheable int
	// Turn is which turn of its conversation the request is, from 1, and Turns how many there are to be; 0 without sessions.
	Turn, Turns int
	// Context is how many of the prompt's tokens are the conversation before this turn: by the server's count of the turn
	// before, where there is one.
	Context int
	// Patience is how long its user waits.
	Patience Waits
	// CacheAllowed: the prompt may begin as others do, and what it has in common with them may come from a cache.
	CacheAllowed bool
}

// Message is one chat message.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}
