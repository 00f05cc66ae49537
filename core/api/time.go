package api

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

const timeLayout = "2006-01-02T15:04:05.000Z"

// Time is RFC 3339 in UTC, to the millisecond.
type Time string

// Schema implements huma.SchemaProvider.
func (Time) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Examples: []any{"2026-05-01T12:30:00.000Z"}}
}

// timeOf is a time in Unix ms.
func timeOf(ms int64) Time { return Time(time.UnixMilli(ms).UTC().Format(timeLayout)) }

// timeOrNil is timeOf, or nil for 0.
func timeOrNil(ms int64) *Time {
	if ms == 0 {
		return nil
	}
	t := timeOf(ms)
	return &t
}

// parseTime reads a time into Unix ms; location is as in "body.expires_at".
func parseTime(location string, t Time) (int64, error) {
	parsed, err := time.Parse(time.RFC3339, string(t))
	if err != nil || parsed.UnixMilli() <= 0 {
		return 0, invalid(location, "must be a time after 1970 like 2026-05-01T12:30:00Z")
	}
	return parsed.UnixMilli(), nil
}

// Nullable is a field of a PATCH that may be absent (leave it), null (remove it) or a value.
type Nullable[T any] struct {
	Sent  bool
	Value *T // nil: null
}

// UnmarshalJSON implements json.Unmarshaler; it is not called where the field is absent.
func (n *Nullable[T]) UnmarshalJSON(b []byte) error {
	n.Sent = true
	return json.Unmarshal(b, &n.Value)
}

// Schema implements huma.SchemaProvider.
func (Nullable[T]) Schema(r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[T](), true, "")
	s.Nullable = true
	return &s
}
