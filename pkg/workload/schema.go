package workload

import "embed"

// The schema is made from the types and their comments by TestSchemaIsCurrent -update, and committed: a binary has no
// comments to make it from.
//
//go:embed scenario.schema.json
var schemaFile embed.FS

// JSONSchema is the JSON Schema of scenario files (draft 2020-12). Editors check and complete scenarios with it where
// the first line of the file names it. It refuses nothing that Parse takes; Parse alone knows most of how fields go
// together.
func JSONSchema() ([]byte, error) { return schemaFile.ReadFile("scenario.schema.json") }
