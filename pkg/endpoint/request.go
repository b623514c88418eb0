package endpoint

import (
	"bytes"
	"encoding/json"
	"maps"
)

// merge lays patch over a JSON object as RFC 7396 (JSON merge patch) says: null removes a field, an object is merged
// into an object, anything else replaces. Neither argument is changed.
func merge(object, patch map[string]any) map[string]any {
	merged := maps.Clone(object)
	if merged == nil {
		merged = map[string]any{}
	}
	for name, value := range patch {
		if value == nil {
			delete(merged, name)
			continue
		}
		if inner, ok := value.(map[string]any); ok {
			of, _ := merged[name].(map[string]any)
			value = merge(of, inner)
		}
		merged[name] = value
	}
	return merged
}

// encode writes JSON as most clients do, without escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
