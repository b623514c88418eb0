package measure

import "testing"

// TestVisible: what goes into the next prompt is the answer without the reasoning, and it is not known where a server that
// streams reasoning does not count it apart.
func TestVisible(t *testing.T) {
	for name, c := range map[string]struct {
		output, reasoning *int
		streamed          bool // reasoning was
		want              *int
	}{
		"nothing counted":                          {nil, nil, false, nil},
		"nothing but the reasoning counted":        {nil, new(3), true, nil},
		"an answer alone":                          {new(10), nil, false, new(10)},
		"reasoning counted, and not streamed":      {new(10), new(4), false, new(6)},
		"reasoning counted and streamed":           {new(10), new(4), true, new(6)},
		"reasoning streamed, counted together":     {new(10), nil, true, nil},
		"reasoning of none":                        {new(10), new(0), true, new(10)},
		"nothing but reasoning":                    {new(10), new(10), true, new(0)},
		"more reasoning than there is of anything": {new(10), new(12), true, new(0)},
	} {
		got := visible(&Sample{OutputTokens: c.output, Reasoning: c.reasoning, ReasoningSeen: c.streamed})
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: %v, want %v", name, read(got), read(c.want))
		}
	}
}

func read(v *int) any {
	if v == nil {
		return "unknown"
	}
	return *v
}
