package strict

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The limits of a document. The YAML parser's time grows with the square of these, and its stack with the depth.
const (
	MaxBytes = 256 << 10
	maxKeys  = 4_000
	maxItems = 20_000
	maxDepth = 64      // of brackets within brackets
	maxNodes = 100_000 // with the copies that aliases make
)

// Read reads a document. Without YAML that can be read, Decode finds nothing more to report.
func Read(data []byte) *Document {
	d := new(Document)
	src := strings.TrimPrefix(string(data), "\ufeff")
	d.lines = strings.Split(strings.ReplaceAll(src, "\r\n", "\n"), "\n")
	start := position{line: 1, column: 1}
	switch {
	case len(data) > MaxBytes:
		d.report(start, "", fmt.Sprintf("the file is larger than %d KiB", MaxBytes>>10), "keep long lists in a dataset or a trace of their own")
		return d
	case !utf8.ValidString(src):
		d.report(d.invalidByte(), "", "a byte here is no UTF-8 text", "save the file as UTF-8")
		return d
	}
	if file := d.parse(src, position{}); file != nil {
		d.convert(file)
	}
	if d.root == nil && len(d.mistakes) == 0 {
		d.report(start, "", "the file holds nothing", "begin with a line such as name: my-scenario")
	}
	return d
}

func (d *Document) invalidByte() position {
	for i, line := range d.lines {
		if !utf8.ValidString(line) {
			before := strings.IndexRune(line, utf8.RuneError) // an invalid byte, too
			return position{line: i + 1, column: utf8.RuneCountInString(line[:before]) + 1}
		}
	}
	return position{line: 1, column: 1}
}

// unprintable reports a character that YAML 1.2 does not allow in a document (section 5.1), such as a NUL.
func unprintable(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff
}

// control finds a character that is not allowed. at carries the flag if the text comes from one.
func (d *Document) control(src string, at position) (position, rune, bool) {
	i := strings.IndexFunc(src, unprintable)
	if i < 0 {
		return at, 0, false
	}
	found, _ := utf8.DecodeRuneInString(src[i:])
	if at.flag == "" {
		before := src[:i]
		start := strings.LastIndexByte(before, '\n') + 1
		at = position{line: strings.Count(before, "\n") + 1, column: utf8.RuneCountInString(before[start:]) + 1}
	}
	return at, found, true
}

// parse makes the AST. at carries the flag if the text comes from one.
func (d *Document) parse(src string, at position) *ast.File {
	if pos, found, ok := d.control(src, at); ok {
		d.report(pos, "", fmt.Sprintf("the character %U is no part of a text", found), "remove it: an editor that shows invisible characters finds it")
		return nil
	}
	tokens := lexer.Tokenize(src)
	if tk := excess(tokens); tk != nil {
		d.report(d.place(tk, at), "", "this is nested too deeply or too long", "keep long lists in a dataset or a trace of their own")
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err == nil {
		return file
	}
	var syntax yaml.Error
	if !errors.As(err, &syntax) || syntax.GetToken() == nil {
		d.report(at, "", "this is no YAML: "+err.Error(), syntaxRemedy("", ""))
		return nil
	}
	pos := d.place(syntax.GetToken(), at)
	d.report(pos, "", "this is no YAML: "+strings.ReplaceAll(syntax.GetMessage(), "\t", `\t`), syntaxRemedy(syntax.GetMessage(), d.line(pos.line)))
	return nil
}

// excess finds the token at which a document passes the limits.
func excess(tokens token.Tokens) *token.Token {
	var keys, items, depth int
	for _, tk := range tokens {
		switch tk.Type {
		case token.MappingValueType, token.MappingKeyType, token.AnchorType, token.TagType:
			keys++
		case token.SequenceEntryType, token.CollectEntryType:
			items++
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		if keys > maxKeys || items > maxItems || depth > maxDepth {
			return tk
		}
	}
	return nil
}

// place is where a token stands. The parser's numbers are held within the file, so that they can be shown.
func (d *Document) place(tk *token.Token, at position) position {
	if at.flag != "" || tk == nil || tk.Position == nil {
		return at
	}
	line := min(max(tk.Position.Line, 1), len(d.lines))
	return position{line: line, column: min(max(tk.Position.Column, 1), utf8.RuneCountInString(d.line(line))+1)}
}

// syntaxRemedy says what usually causes what the YAML parser complains about.
func syntaxRemedy(message, line string) string {
	switch {
	case strings.Contains(message, "\t") || strings.Contains(message, "tab character"):
		return "indent with spaces, never with tabs"
	case strings.Contains(line, "${") && strings.ContainsAny(message, "{}[],"):
		return `put a text that holds { or } in quotes: url: "${URL}/v1"`
	case strings.Contains(message, "mapping value is not allowed"):
		return `a line holds one "name: value", and the fields of one group begin in the same column; put a text that holds ": " in quotes`
	case strings.Contains(message, "could not find end character"):
		return "close the quote"
	case strings.Contains(message, "must be specified") || strings.Contains(message, "could not find flow"):
		return "close every bracket, in the lines above too; put a text that holds a bracket or a comma in quotes"
	case strings.Contains(message, "is not allowed in this context"):
		return "the fields of one group begin in the same column, and nothing follows a quoted text or a closing bracket"
	case strings.Contains(message, "reserved character") || strings.Contains(message, "directive value"):
		return "put a text with a special first character in quotes"
	case strings.Contains(message, "unexpected key name") || strings.Contains(message, "non-map value"):
		return `write "name: value", with a blank after the colon`
	}
	return "look at this line and the one above: a wrong indentation, an open quote or an open bracket"
}

// convert makes the tree of the only document in the file.
func (d *Document) convert(file *ast.File) {
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case doc.Body.Type() == ast.DirectiveType:
		case body != nil:
			d.report(d.place(doc.Start, position{}), "", "a second document begins here", "keep one scenario in a file, without a line of ---")
			return
		default:
			body = doc.Body
		}
	}
	if body != nil {
		c := &converter{doc: d, anchors: map[string]*node{}, budget: maxNodes}
		if root := c.node(body, ""); c.budget >= 0 {
			d.root = root
		}
	}
}

// converter makes nodes of the AST: aliases become copies, merge keys what they stand for.
type converter struct {
	doc     *Document
	anchors map[string]*node
	budget  int
	at      position // carries the flag if the text comes from one
}

// node converts one value. path is only for messages.
func (c *converter) node(n ast.Node, path string) *node {
	if n == nil {
		return &node{position: c.at}
	}
	at := c.doc.place(n.GetToken(), c.at)
	if c.budget--; c.budget < 0 {
		c.doc.report(at, "", "aliases make this document too large", "write less with aliases")
		return &node{position: at}
	}
	scalar := func(k kind, text string, value any) *node {
		return &node{kind: k, position: at, text: text, value: value}
	}
	switch n := n.(type) {
	case *ast.StringNode:
		made := scalar(text, n.Value, n.Value)
		made.quoted = n.Token.Type == token.DoubleQuoteType || n.Token.Type == token.SingleQuoteType
		if !made.quoted {
			made.readNumber() // the parser takes 1e-7 for a text
		}
		return made
	case *ast.LiteralNode:
		value := ""
		if n.Value != nil {
			value = n.Value.Value
		}
		return scalar(text, value, value)
	case *ast.IntegerNode, *ast.FloatNode:
		made := scalar(text, n.GetToken().Value, n.GetToken().Value)
		if !made.readNumber() {
			c.doc.report(at, path, made.text+" can be read in more than one way", "write a decimal number without leading zeros and without _; or put a text in quotes")
		}
		return made
	case *ast.InfinityNode:
		return scalar(float, n.Token.Value, n.Value)
	case *ast.NanNode:
		return scalar(float, n.Token.Value, n.GetValue())
	case *ast.BoolNode:
		return scalar(boolean, n.Token.Value, n.Value)
	case *ast.NullNode:
		return scalar(null, "", nil)
	case *ast.MappingNode:
		return c.mapping(n.Values, at, path)
	case *ast.MappingValueNode:
		return c.mapping([]*ast.MappingValueNode{n}, at, path)
	case *ast.SequenceNode:
		list := &node{kind: sequence, position: at}
		for i, v := range n.Values {
			list.items = append(list.items, item{i, c.node(v, fmt.Sprintf("%s[%d]", path, i))})
		}
		return list
	case *ast.AnchorNode:
		value := c.node(n.Value, path)
		c.anchors[n.Name.GetToken().Value] = value
		return value
	case *ast.AliasNode:
		return c.alias(n, at, path)
	}
	c.doc.report(at, path, fmt.Sprintf("%s has no meaning here", strings.TrimSpace(n.GetToken().Value)),
		`write plain values, lists and groups; put a text with a special first character in quotes`)
	return scalar(null, "", nil)
}

// alias copies what an alias stands for.
func (c *converter) alias(n *ast.AliasNode, at position, path string) *node {
	name := n.Value.GetToken().Value
	original, ok := c.anchors[name]
	if !ok {
		var names []string
		for name := range c.anchors {
			names = append(names, name)
		}
		slices.Sort(names)
		remedy := "write the value out, or put &" + name + " before the one that it should repeat"
		if len(names) > 0 {
			remedy = DidYouMean(name, names, "the anchors are")
		}
		c.doc.report(at, path, "there is no anchor &"+name+" before this line", remedy)
		return &node{position: at}
	}
	return c.copy(original, at)
}

// copy copies a tree, as far as the budget reaches; at is where the alias stands.
func (c *converter) copy(n *node, at position) *node {
	if c.budget--; c.budget < 0 {
		c.doc.report(at, "", "aliases make this document too large", "write less with aliases")
		return &node{position: at}
	}
	same := *n
	same.entries, same.items = nil, nil
	for _, e := range n.entries {
		e.value = c.copy(e.value, at)
		same.entries = append(same.entries, e)
	}
	for _, i := range n.items {
		i.value = c.copy(i.value, at)
		same.items = append(same.items, i)
	}
	return &same
}

// mapping converts a mapping; its own position is its first key's, or its bracket's.
func (c *converter) mapping(values []*ast.MappingValueNode, at position, path string) *node {
	m := &node{kind: mapping, position: at}
	var merged []*node
	for i, v := range values {
		key, ok := c.key(v.Key)
		if i == 0 && at.flag == "" && (at.line > key.line || at.line == key.line && at.column > key.column) {
			m.position = key.position // a block mapping's token is its first colon
		}
		field := join(path, key.key)
		switch {
		case !ok:
			c.doc.report(key.position, field, "this cannot be a key", "write a plain word before the colon")
			continue
		case v.Key.IsMergeKey():
			merged = append(merged, c.merged(v.Value, path)...)
			continue
		}
		if first := m.find(key.key); first != nil {
			c.doc.report(key.position, field, "twice in one group", fmt.Sprintf("it stands in line %d already: keep one of them", first.line))
			continue
		}
		key.value = c.node(v.Value, field)
		m.entries = append(m.entries, key)
	}
	for _, from := range merged {
		for _, e := range from.entries {
			if m.find(e.key) == nil {
				m.entries = append(m.entries, e)
			}
		}
	}
	return m
}

// merged is what stands behind a merge key: a mapping, or a list of them.
func (c *converter) merged(v ast.Node, path string) []*node {
	n := c.node(v, path)
	switch n.kind {
	case mapping:
		return []*node{n}
	case sequence:
		var all []*node
		for _, i := range n.items {
			if i.value.kind == mapping {
				all = append(all, i.value)
			}
		}
		if len(all) == len(n.items) {
			return all
		}
	}
	c.doc.report(c.doc.place(v.GetToken(), c.at), join(path, "<<"), "<< merges groups of fields only", "name an anchor that stands before a group, such as <<: *common")
	return nil
}

// key reads the key of an entry; ok is false for a list or a group, which cannot be one.
func (c *converter) key(k ast.MapKeyNode) (e entry, ok bool) {
	var n ast.Node = k
	if explicit, is := n.(*ast.MappingKeyNode); is {
		n = explicit.Value
	}
	if n == nil {
		return entry{position: c.doc.place(k.GetToken(), c.at)}, false
	}
	tk := n.GetToken()
	e.position = c.doc.place(tk, c.at)
	switch n := n.(type) {
	case *ast.StringNode:
		e.key = n.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.MergeKeyNode:
		e.key = tk.Value
	default:
		return e, false
	}
	return e, true
}

// join adds a key to a path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
