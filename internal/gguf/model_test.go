package gguf

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
)

func tiny() *Model {
	return &Model{Name: "tiny", Layers: 2, Dim: 128, Context: 256, Words: []string{"able", "about", "zoo"}, Seed: 7}
}

func write(t *testing.T, m *Model) ([]byte, Size) {
	t.Helper()
	var b bytes.Buffer
	size, err := m.Write(&b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), size
}

func TestFileReadsBack(t *testing.T) {
	m := tiny()
	data, size := write(t, m)
	f := readFile(t, data)
	v, _ := newVocabulary(m.Words)
	for key, want := range map[string]any{
		"general.architecture": "llama", "general.name": "tiny", "general.file_type": uint32(1),
		"llama.block_count": uint32(2), "llama.context_length": uint32(256), "llama.embedding_length": uint32(128), "llama.feed_forward_length": uint32(352),
		"llama.attention.head_count": uint32(2), "llama.attention.head_count_kv": uint32(1), "llama.rope.dimension_count": uint32(64),
		"llama.attention.layer_norm_rms_epsilon": float32(1e-5), "llama.vocab_size": uint32(len(v.tokens)),
		"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.add_bos_token": false, "tokenizer.chat_template": chatTemplate,
	} {
		if f.meta[key] != want {
			t.Errorf("%s is %v, want %v", key, f.meta[key], want)
		}
	}
	tokens, types := f.meta["tokenizer.ggml.tokens"].([]any), f.meta["tokenizer.ggml.token_type"].([]any)
	if len(tokens) != len(types) || len(tokens) != size.Tokens || len(f.meta["tokenizer.ggml.merges"].([]any)) != len(v.merges) {
		t.Errorf("%d tokens with %d types; %d said", len(tokens), len(types), size.Tokens)
	}
	for key, want := range map[string]string{"bos": "<|begin_of_text|>", "eos": "<|eot_id|>"} {
		id := f.meta["tokenizer.ggml."+key+"_token_id"].(uint32)
		if tokens[id] != want || types[id] != int32(3) {
			t.Errorf("%s is token %d, %q of type %v", key, id, tokens[id], types[id])
		}
	}
	if slices.Sort(f.keys); len(slices.Compact(f.keys)) != len(f.meta) {
		t.Error("a key is there twice")
	}
}

func TestTensors(t *testing.T) {
	m := tiny()
	data, size := write(t, m)
	f := readFile(t, data)
	vocab := uint64(size.Tokens)
	shapes := map[string][]uint64{"token_embd.weight": {128, vocab}, "output.weight": {128, vocab}, "output_norm.weight": {128}}
	for i := range m.Layers {
		for name, dims := range map[string][]uint64{
			"attn_norm": {128}, "attn_q": {128, 128}, "attn_k": {128, 64}, "attn_v": {128, 64}, "attn_output": {128, 128},
			"ffn_norm": {128}, "ffn_gate": {128, 352}, "ffn_up": {128, 352}, "ffn_down": {352, 128},
		} {
			shapes[fmt.Sprintf("blk.%d.%s.weight", i, name)] = dims
		}
	}
	end, params := int64(0), 0
	for _, info := range f.tensors {
		if !slices.Equal(info.dims, shapes[info.name]) {
			t.Errorf("%s has the shape %v, want %v", info.name, info.dims, shapes[info.name])
		}
		delete(shapes, info.name)
		if int64(info.offset) != end {
			t.Errorf("%s starts at %d, the one before it ends at %d", info.name, info.offset, end)
		}
		end = (int64(info.offset) + info.size() + 31) / 32 * 32
		params += info.count()
		checkNumbers(t, f, info)
	}
	if len(shapes) > 0 {
		t.Errorf("missing: %v", shapes)
	}
	if f.start+end != int64(len(data)) || size.Bytes != int64(len(data)) || size.Parameters != params {
		t.Errorf("%d bytes, the tensors end at %d; %d parameters; said: %+v", len(data), f.start+end, params, size)
	}
}

// checkNumbers: a norm is all ones, a matrix is random with the variance 1/columns (1 in the embedding).
func checkNumbers(t *testing.T, f *file, info tensorInfo) {
	t.Helper()
	list := f.numbers(info)
	if len(info.dims) == 1 {
		if info.kind != 0 || slices.Min(list) != 1 || slices.Max(list) != 1 {
			t.Errorf("%s is not all ones", info.name)
		}
		return
	}
	if info.name == "output.weight" {
		tokens := f.meta["tokenizer.ggml.token_type"].([]any)
		live := slices.Index(tokens, any(int32(3))) * int(info.dims[0])
		if slices.ContainsFunc(list[live:], func(x float64) bool { return x != 0 }) {
			t.Error("a special token's output is not 0")
		}
		list = list[:live]
	}
	want := 1.0
	if info.name != "token_embd.weight" {
		want /= float64(info.dims[0])
	}
	n, sum, squares := float64(len(list)), 0.0, 0.0
	for _, x := range list {
		sum += x
		squares += x * x
	}
	// within five standard errors: sqrt(var/n) for the mean, and for the variance at most that of a normal law, var*sqrt(2/n)
	if mean := sum / n; math.Abs(mean) > 5*math.Sqrt(want/n) {
		t.Errorf("%s has the mean %g", info.name, mean)
	}
	if variance := squares / n; math.Abs(variance-want) > 5*want*math.Sqrt(2/n) {
		t.Errorf("%s has the variance %g, want %g", info.name, variance, want)
	}
}

// The same model is the same file everywhere: what a committed result was measured on can be made again.
func TestGolden(t *testing.T) {
	const want = "984a4c4e79c0acc1b95c8219121ebf796ce201a063208e99e78f35c1380d6202"
	data, _ := write(t, tiny())
	if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != want {
		t.Errorf("SHA-256 %s, want %s", got, want)
	}
	other := tiny()
	other.Seed++
	if again, _ := write(t, other); len(again) != len(data) || bytes.Equal(again, data) {
		t.Error("another seed must give other weights, of the same size")
	}
}

// Every finite 16-bit number is itself, and what lies between two of them goes to the nearer one, from the middle to the
// even one.
func TestHalf(t *testing.T) {
	check := func(x float32, want uint16) {
		if half(x) != want || half(-x) != want|0x8000 {
			t.Fatalf("%g is %#04x and %g is %#04x, want %#04x", x, half(x), -x, half(-x), want)
		}
	}
	for h := range uint16(0x7bff) {
		middle := float32((fromHalf(h) + fromHalf(h+1)) / 2)
		check(float32(fromHalf(h)), h)
		check(math.Nextafter32(middle, 0), h)
		check(middle, h+h&1)
		check(math.Nextafter32(middle, 1e6), h+1)
	}
	check(65504, 0x7bff)
}

// SplitMix64 from the state 1234567, as its authors' program prints it.
func TestRandom(t *testing.T) {
	r := random(1234567)
	for _, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		if got := r.next(); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
}

func TestModelsThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*Model){
		"no layers": func(m *Model) { m.Layers = 0 }, "no dimension": func(m *Model) { m.Dim = 0 }, "an odd dimension": func(m *Model) { m.Dim = 100 },
		"no context": func(m *Model) { m.Context = 0 }, "no word": func(m *Model) { m.Words = []string{"a b"} },
	} {
		m := tiny()
		change(m)
		var b bytes.Buffer
		if _, err := m.Write(&b); err == nil || b.Len() > 0 {
			t.Errorf("%s: %v, %d bytes written", name, err, b.Len())
		}
	}
}

// limited takes so many bytes and then fails, like a full disk.
type limited int

var errFull = errors.New("disk full")

func (l *limited) Write(b []byte) (int, error) {
	n := min(len(b), int(*l))
	*l -= limited(n)
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

func TestWriteErrors(t *testing.T) {
	data, _ := write(t, tiny())
	for _, room := range []int{0, 10, 70_000, len(data) / 2, len(data) - 1} {
		l := limited(room)
		if _, err := tiny().Write(&l); !errors.Is(err, errFull) {
			t.Errorf("room for %d of %d bytes: %v", room, len(data), err)
		}
	}
	l := limited(len(data))
	if _, err := tiny().Write(&l); err != nil {
		t.Error(err)
	}
}
