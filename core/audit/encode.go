package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// hidden stands where a member was named like a secret.
const hidden = "(hidden)"

// encode returns the JSON of a value, "" for nil, and 1 if it was too large to keep.
func encode(v any) (text string, cut int, err error) {
	if v == nil {
		return "", 0, nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "", 0, err
	}
	// Numbers are kept as they are written: an int64 must not pass through a float.
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return "", 0, err
	}
	if tree == nil {
		return "", 0, nil
	}
	if b, err := json.Marshal(blank(tree)); err != nil {
		return "", 0, err
	} else if len(b) <= MaxValue {
		return string(b), 0, nil
	}
	sum := sha256.Sum256(raw)
	return fmt.Sprintf(`{"oversized_bytes":%d,"sha256":%q}`, len(raw), hex.EncodeToString(sum[:])), 1, nil
}

// blank hides the members of objects that are named like secrets.
func blank(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if s, isText := member.(string); isText && s != "" && secretName(name) {
				v[name] = hidden
				continue
			}
			v[name] = blank(member)
		}
	case []any:
		for i := range v {
			v[i] = blank(v[i])
		}
	}
	return v
}

func secretName(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "secret") || strings.Contains(name, "password") || strings.Contains(name, "passphrase") ||
		name == "token" || strings.HasSuffix(name, "_token") || strings.HasSuffix(name, "recovery_code") || name == "private_key"
}
