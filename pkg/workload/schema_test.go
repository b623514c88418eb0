package workload

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	reflector "github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaFiles are the embedded schema, and its copy that editors find beside the scenarios.
var schemaFiles = []string{"scenario.schema.json", "../../scenarios/scenario.schema.json"}

// TestSchemaIsCurrent: the schema is what the types, their tags and their comments say, in both of its places.
func TestSchemaIsCurrent(t *testing.T) {
	want := makeSchema(t)
	for _, name := range schemaFiles {
		if *update {
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the types say (%v): look at go test ./pkg/workload -run TestSchemaIsCurrent -update; git diff", name, err)
		}
	}
	if *update {
		return // what is embedded is the file before
	}
	if got, err := JSONSchema(); err != nil || !bytes.Equal(got, want) {
		t.Errorf("JSONSchema gives something else than its file: %v", err)
	}
}

// The texts that Duration, Rate and Objective read. What can only be computed, such as an overflow, stays for Parse.
const (
	numberForm   = `([0-9]+\.?[0-9]*|\.[0-9]+)`
	durationForm = `\+?(` + numberForm + `(ns|us|µs|μs|ms|s|m|h))+`
	rateForm     = `[ \t]*\+?` + numberForm + `([eE][+-]?[0-9]+)?[ \t]*/[ \t]*(s|min|h)[ \t]*`
	shareForm    = `\+?` + numberForm + `([eE][+-]?[0-9]+)?[ \t]*%`
)

func objectivePattern() string {
	var latencies []string
	for _, m := range Metrics() {
		latencies = append(latencies, string(m))
	}
	statistics := regexp.QuoteMeta(strings.Join(objectiveStats, "|"))
	statistics = strings.ReplaceAll(statistics, `\|`, "|")
	return `^[ \t]*(` + strings.Join([]string{
		`(` + strings.Join(latencies, "|") + `)[ \t]+(` + statistics + `)[ \t]*<=?[ \t]*` + durationForm,
		`goodput[ \t]*>=?[ \t]*` + shareForm,
		`error_rate[ \t]*<=?[ \t]*` + shareForm,
		`goodput_rate[ \t]*>=?` + rateForm,
	}, "|") + `)[ \t]*$`
}

// mapType gives the types that are texts in the file their form.
func mapType(t reflect.Type) *reflector.Schema {
	switch t {
	case reflect.TypeFor[Duration]():
		return &reflector.Schema{Type: "string", Pattern: "^" + durationForm + "$"}
	case reflect.TypeFor[Rate]():
		return &reflector.Schema{Type: "string", Pattern: "^" + rateForm + "$"}
	case reflect.TypeFor[Objective]():
		return &reflector.Schema{Type: "string", Pattern: objectivePattern(), Description: "METRIC STATISTIC OPERATOR VALUE for a latency, METRIC OPERATOR VALUE for goodput, error_rate and goodput_rate.",
			Examples: []any{"ttft p95 <= 800ms", "goodput >= 95%", "error_rate <= 1%", "goodput_rate >= 5/s"}}
	}
	return nil
}

// makeSchema makes the schema of scenario files.
func makeSchema(t *testing.T) []byte {
	t.Helper()
	r := &reflector.Reflector{Anonymous: true, ExpandedStruct: true, RequiredFromJSONSchemaTags: true, FieldNameTag: "yaml", Mapper: mapType}
	if err := r.AddGoComments("github.com/infbench/infbench/pkg/workload", ".", reflector.WithFullComment()); err != nil {
		t.Fatal(err)
	}
	structs := structsBelow(reflect.TypeFor[Scenario](), map[reflect.Type]bool{})
	for _, s := range structs {
		speakOfFile(s, r.CommentMap)
	}
	for _, s := range structs {
		borrow(s, r.CommentMap)
	}
	root := r.Reflect(&Scenario{})
	root.ID, root.Title = "scenario.schema.json", "infbench scenario"
	root.Description = "One experiment of infbench: who calls, what they ask, whom they ask and what is good enough."
	def := func(s reflect.Type) *reflector.Schema {
		if s == reflect.TypeFor[Scenario]() {
			return root
		}
		return root.Definitions[s.Name()]
	}
	for _, s := range structs {
		positive(s, def(s))
	}
	together(root.Definitions)
	root.OneOf = []*reflector.Schema{{Required: []string{"arrivals", "prompts"}}, {Required: []string{"mix"}}}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	// Only HTML has to be protected from these, and <= is for people.
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(text))
	return []byte(plain + "\n")
}

// structsBelow lists the groups that a type consists of, itself included, but not those that are texts in the file.
func structsBelow(t reflect.Type, seen map[reflect.Type]bool) []reflect.Type {
	if t = groupOf(t); t == nil || seen[t] {
		return nil
	}
	seen[t] = true
	all := []reflect.Type{t}
	for i := range t.NumField() {
		all = append(all, structsBelow(t.Field(i).Type, seen)...)
	}
	return all
}

// speakOfFile makes of a struct's comments what a writer of scenarios reads: no line ends, and fields by their names in
// the file.
func speakOfFile(t reflect.Type, comments map[string]string) {
	path := t.PkgPath() + "." + t.Name()
	speak := func(key string) {
		text := strings.Join(strings.Fields(comments[key]), " ")
		for i := range t.NumField() {
			f := t.Field(i)
			word := `\b` + f.Name + `\b`
			if strings.ToUpper(f.Name) == f.Name {
				word = "^" + word // elsewhere it is a word of the language: the URL, the API key
			}
			text = regexp.MustCompile(word).ReplaceAllString(text, "`"+nameInFile(f)+"`")
		}
		comments[key] = text
	}
	speak(path)
	for i := range t.NumField() {
		speak(path + "." + t.Field(i).Name)
	}
}

// borrow gives a field without a comment that of the group it is, or else of the group it belongs to.
func borrow(t reflect.Type, comments map[string]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		path := t.PkgPath() + "." + t.Name()
		key := path + "." + f.Name
		if comments[key] != "" {
			continue
		}
		comments[key] = comments[path]
		if of := groupOf(f.Type); of != nil {
			comments[key] = comments[of.PkgPath()+"."+of.Name()]
			if f.Type.Kind() != reflect.Slice { // that holds several
				comments[key] = "`" + nameInFile(f) + "`" + strings.TrimPrefix(comments[key], of.Name())
			}
		}
	}
}

func nameInFile(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// groupOf is the struct type that a type is, points to or lists; nil for any other.
func groupOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || mapType(t) != nil {
		return nil
	}
	return t
}

// positive forbids zero where a tag does and the value is a text: it holds another digit then.
func positive(t reflect.Type, s *reflector.Schema) {
	for i := range t.NumField() {
		f := t.Field(i)
		if mapType(f.Type) != nil && strings.Contains(f.Tag.Get("jsonschema"), "exclusiveMinimum=0") {
			property, _ := s.Properties.Get(nameInFile(f))
			property.Not = &reflector.Schema{Pattern: "^[^1-9]*$"}
		}
	}
}

// together adds how fields go together, as far as an editor can help with it.
func together(defs reflector.Definitions) {
	one, two := uint64(1), uint64(2)
	for _, name := range []string{"Shape", "Burst", "Lengths"} {
		defs[name].MinProperties, defs[name].MaxProperties = &one, &one
	}
	oneOf := func(def string, fields ...string) {
		for _, f := range fields {
			defs[def].OneOf = append(defs[def].OneOf, &reflector.Schema{Required: []string{f}})
		}
	}
	oneOf("Prompts", "synthetic", "dataset", "trace")
	oneOf("Approach", "url", "simulate")
	oneOf("GenericDone", "data", "path")
	oneOf("TrafficClass", "weight", "arrivals")
	defs["Synthetic"].OneOf = []*reflector.Schema{
		{Required: []string{"input", "output"}, MaxProperties: &two},
		{Required: []string{"pairs"}, MaxProperties: &one},
	}
	defs["Arrivals"].DependentSchemas = map[string]*reflector.Schema{"closed_loop": {MaxProperties: &one}}
	url, _ := defs["Approach"].Properties.Get("url")
	url.Pattern = `^[hH][tT][tT][pP][sS]?://|\$\{`
	pairs, _ := defs["Synthetic"].Properties.Get("pairs")
	pairs.Items.Items.Minimum, pairs.Items.Items.Maximum = "1", "10000000"
}

// compileSchema makes a validator of the embedded schema, by an implementation that knows nothing of how it was made.
func compileSchema(t testing.TB) *validator.Schema {
	t.Helper()
	text, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := validator.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := validator.NewCompiler()
	c.DefaultDraft(validator.Draft4) // so that the schema's own $schema has to say which it is
	if err := c.AddResource("scenario.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("scenario.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// schemaRefuses is what the schema has against a YAML text.
func schemaRefuses(t testing.TB, schema *validator.Schema, text []byte) error {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		return err
	}
	v, err := validator.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		return err // .nan and .inf are no JSON
	}
	return schema.Validate(v)
}

// TestSchemaAcceptsScenarios: every scenario that is shipped passes. FuzzParse holds the schema to whatever Parse takes.
func TestSchemaAcceptsScenarios(t *testing.T) {
	schema := compileSchema(t)
	files, err := filepath.Glob("../../scenarios/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := schemaRefuses(t, schema, text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// beyondSchema are the mistakes that the schema cannot tell: what only several fields together show, or the environment.
var beyondSchema = map[string]bool{
	"cache-cold-beside-warm":          true,
	"telemetry-no-url":                true,
	"telemetry-replica-twice":         true,
	"telemetry-secret":                true,
	"telemetry-simulated":             true,
	"telemetry-url-and-urls":          true,
	"cache-warm-closed-loop":          true,
	"cache-warm-without-shared":       true,
	"cache-warm-without-warmup":       true,
	"connections-prewarm-unused":      true,
	"approach-api-max-tokens-field":   true,
	"approach-api-simulated":          true,
	"api-simulated":                   true,
	"api-without-max-tokens-field":    true,
	"approach-name-twice":             true,
	"approach-stream-in-body":         true,
	"calibrate-dataset":               true,
	"calibrate-documents":             true,
	"duration-too-long":               true,
	"environment-name":                true,
	"dataset-columns-beside-text":     true,
	"dataset-columns-two":             true,
	"dataset-messages-in-csv":         true,
	"environment-open":                true,
	"environment-unset":               true,
	"environment-unset-in-header":     true,
	"fault-probabilities":             true,
	"fault-stall-probability":         true,
	"fault-stall-without-length":      true,
	"fault-without-probability":       true,
	"generic-beside-api":              true,
	"generic-done-equals":             true,
	"generic-json-path":               true,
	"generic-missing":                 true,
	"generic-path-model":              true,
	"generic-placeholder":             true,
	"generic-without-prompt":          true,
	"header-line-end":                 true,
	"header-name":                     true,
	"key-in-body":                     true,
	"key-in-generic-body":             true,
	"key-in-header":                   true,
	"key-in-query":                    true,
	"key-in-url":                      true,
	"lengths-lognormal-reversed":      true,
	"lengths-uniform-reversed":        true,
	"number-out-of-its-type":          true,
	"objective-zero":                  true,
	"mix-sessions":                    true,
	"patience-empty":                  true,
	"ramp-idle":                       true,
	"rate-beside-steps":               true,
	"rate-missing":                    true,
	"sessions-closed-loop":            true,
	"sessions-dataset":                true,
	"sessions-trace":                  true,
	"sessions-values":                 true,
	"shared-documents-and-tokens":     true,
	"shared-missing":                  true,
	"shared-tokens-reversed":          true,
	"shared-warm-closed-loop":         true,
	"shared-warm-without-warmup":      true,
	"shared-with-trace":               true,
	"shared-with-system":              true,
	"mix-arrivals-of-nobody":          true,
	"mix-closed-loop":                 true,
	"mix-common-closed-loop":          true,
	"mix-name-twice":                  true,
	"mix-weight-of-nothing":           true,
	"simulation-empty":                true,
	"simulation-service-beside-model": true,
	"simulation-zero":                 true,
	"simulation-zero-beside-profile":  true,
	"spike-edge":                      true,
	"spike-outside":                   true,
	"steps-idle":                      true,
	"steps-late":                      true,
	"steps-order":                     true,
	"trace-columns-beside":            true,
	"trace-columns-missing":           true,
	"trace-prompts-without-trace":     true,
	"trace-window-and-from":           true,
	"trace-with-rate":                 true,
	"transport":                       true,
	"triton-without-model":            true,
	"url-fragment":                    true,
	"url-of-one-call":                 true,
	"url-port":                        true,
	"url-without-host":                true,
}

// TestSchemaRefusesMistakes: every other wrong scenario is refused by the schema too, if its YAML is right.
func TestSchemaRefusesMistakes(t *testing.T) {
	schema := compileSchema(t)
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no mistakes: %v", err)
	}
	known := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if strings.HasPrefix(name, "yaml-") {
			continue
		}
		refused := schemaRefuses(t, schema, text) != nil
		if beyondSchema[name] {
			known++
		}
		if refused == beyondSchema[name] {
			t.Errorf("%s: refused %t, beyond the schema %t", name, refused, beyondSchema[name])
		}
	}
	if known != len(beyondSchema) {
		t.Errorf("%d of beyondSchema are there, want %d", known, len(beyondSchema))
	}
}
