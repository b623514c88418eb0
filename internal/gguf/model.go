// Package gguf writes small language models with random weights as GGUF files (version 3), which llama.cpp loads.
//
// They are for load tests: the text is gibberish, but the way through the server (tokenizer, prefill, KV cache, batching,
// sampling, stream) is the real one, and its speed is that of any model of the same shape. Every word of a given list
// is exactly one token where a blank stands before it, so that a prompt of n words has a known number of tokens.
//
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
package gguf

import (
	"bufio"
	"fmt"
	"io"
	"math"
)

// headDim is the size of an attention head; two query heads share one head of keys and values.
const headDim = 64

// Model is a model of the llama architecture with 16-bit weights. The same Model is the same file to the byte on every
// machine.
type Model struct {
	Name    string
	Layers  int
	Dim     int      // of the embedding: a multiple of 64
	Context int      // the longest prompt and answer together, in tokens
	Words   []string // one token each after a blank; of letters only
	Seed    uint64   // of the weights
}

// Size is how large a model is.
type Size struct {
	Tokens     int // in the vocabulary
	Parameters int
	Bytes      int64
}

// Write writes the model to w as a GGUF file. The weights are made while they are written.
func (m *Model) Write(w io.Writer) (Size, error) {
	if m.Layers < 1 || m.Dim < headDim || m.Dim%headDim != 0 || m.Context < 1 {
		return Size{}, fmt.Errorf("gguf: %d layers of dimension %d with a context of %d: give at least one layer, a multiple of %d and at least one token", m.Layers, m.Dim, m.Context, headDim)
	}
	v, err := newVocabulary(m.Words)
	if err != nil {
		return Size{}, err
	}
	tensors := m.tensors(v)
	size := Size{Tokens: len(v.tokens)}
	b := bufio.NewWriterSize(w, 1<<16)
	n, err := b.Write(padded(header(m.metadata(v), tensors)))
	size.Bytes = int64(n)
	if err != nil {
		return size, fmt.Errorf("gguf: %w", err)
	}
	rng := random(m.Seed)
	for _, t := range tensors {
		if err := t.write(b, &rng); err != nil {
			return size, fmt.Errorf("gguf: tensor %s: %w", t.name, err)
		}
		size.Parameters += t.params()
		size.Bytes += align(t.bytes())
	}
	if err := b.Flush(); err != nil {
		return size, fmt.Errorf("gguf: %w", err)
	}
	return size, nil
}

func (m *Model) heads() int   { return m.Dim / headDim }
func (m *Model) kvHeads() int { return max(1, m.heads()/2) }

// feedForward is the inner size of a layer's second half: 11/4 of the dimension, as in the first llama.
func (m *Model) feedForward() int { return m.Dim / 4 * 11 }

// chatTemplate is that of Llama 3, but for the blank before the content: with it the first word of a message is one
// token too, and a conversation has a fixed number of tokens more than words.
const chatTemplate = "{{ bos_token }}{% for m in messages %}" + headerStart + "{{ m['role'] }}" + headerEnd + "\n\n {{ m['content'] }}" + endOfTurn + "{% endfor %}" +
	"{% if add_generation_prompt %}" + headerStart + "assistant" + headerEnd + "\n\n{% endif %}"

func (m *Model) metadata(v *vocabulary) []field {
	u := func(n int) uint32 { return uint32(n) }
	return []field{
		{"general.architecture", "llama"},
		{"general.name", m.Name},
		{"general.file_type", u(1)}, // mostly F16
		{"general.quantization_version", u(2)},
		{"llama.block_count", u(m.Layers)},
		{"llama.context_length", u(m.Context)},
		{"llama.embedding_length", u(m.Dim)},
		{"llama.feed_forward_length", u(m.feedForward())},
		{"llama.attention.head_count", u(m.heads())},
		{"llama.attention.head_count_kv", u(m.kvHeads())},
		{"llama.attention.layer_norm_rms_epsilon", float32(1e-5)},
		{"llama.rope.dimension_count", u(headDim)},
		{"llama.rope.freq_base", float32(10_000)},
		{"llama.vocab_size", u(len(v.tokens))},
		{"tokenizer.ggml.model", "gpt2"},
		{"tokenizer.ggml.pre", "llama-bpe"},
		{"tokenizer.ggml.tokens", v.tokens},
		{"tokenizer.ggml.token_type", v.types()},
		{"tokenizer.ggml.merges", v.merges},
		{"tokenizer.ggml.bos_token_id", u(v.id(beginOfText))},
		{"tokenizer.ggml.eos_token_id", u(v.id(endOfTurn))},
		{"tokenizer.ggml.add_bos_token", false}, // the chat template writes it
		{"tokenizer.chat_template", chatTemplate},
	}
}

// tensors lists the weights in the order of the file. A matrix has the variance 1/columns, which keeps the activations'
// size from layer to layer.
func (m *Model) tensors(v *vocabulary) []tensor {
	keep := func(name string, rows, cols int) tensor {
		return tensor{name: name, rows: rows, cols: cols, live: rows, deviation: 1 / math.Sqrt(float64(cols))}
	}
	norm := func(name string) tensor { return tensor{name: name, cols: m.Dim} }
	embedding := keep("token_embd.weight", len(v.tokens), m.Dim)
	embedding.deviation = 1
	list := []tensor{embedding}
	for i := range m.Layers {
		block := fmt.Sprintf("blk.%d.", i)
		list = append(list,
			norm(block+"attn_norm.weight"),
			keep(block+"attn_q.weight", m.Dim, m.Dim),
			keep(block+"attn_k.weight", m.kvHeads()*headDim, m.Dim),
			keep(block+"attn_v.weight", m.kvHeads()*headDim, m.Dim),
			keep(block+"attn_output.weight", m.Dim, m.Dim),
			norm(block+"ffn_norm.weight"),
			keep(block+"ffn_gate.weight", m.feedForward(), m.Dim),
			keep(block+"ffn_up.weight", m.feedForward(), m.Dim),
			keep(block+"ffn_down.weight", m.Dim, m.feedForward()))
	}
	output := keep("output.weight", len(v.tokens), m.Dim)
	output.live = v.ordinary // a special token's logit is 0: it comes about as often as any other
	return append(list, norm("output_norm.weight"), output)
}
