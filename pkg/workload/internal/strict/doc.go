// Package strict reads YAML into Go structs and reports every mistake, each at its place, with what to write instead.
//
// A Document is a tree of nodes that know where they stand: in a line of the file, or in a flag that changed it.
// Decode fills structs from it by their yaml tags, and holds them to their jsonschema tags (required, default, enum,
// minimum, ...), which are the same that the JSON Schema of the types is made from. What needs more knowledge is
// checked by the caller, who reports at a Place. Nothing stops at the first mistake, and nothing is guessed: an unknown
// key, a key that stands twice, a value of another type and an empty value are all mistakes.
package strict
