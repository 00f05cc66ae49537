package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// envPrefix begins the name of every variable that is a setting.
const envPrefix = "EDGEREF_"

// Setting is one leaf of a Config.
type Setting struct {
	Path    string // "tracker.listen"
	Env     string // "EDGEREF_TRACKER_LISTEN"
	Flag    string // "tracker-listen"
	Default string
	Unit    string
	Help    string
	Secret  bool

	source string // where the value came from: default, file, environment, flag
	value  reflect.Value
}

// Set parses text into the setting's field. The error names the setting.
func (s *Setting) Set(text string) error {
	if err := setValue(s.value, text); err != nil {
		if s.Secret {
			text = "(hidden)"
		}
		return fmt.Errorf("setting %s: %q is not valid: %w%s", s.Path, text, err, s.hint())
	}
	return nil
}

func (s *Setting) hint() string {
	if s.Unit == "" {
		return ""
	}
	return " (want: " + s.Unit + ")"
}

// Text is the value as Set reads it.
func (s *Setting) Text() string { return textOf(s.value) }

// Type names the kind of value, for the help text.
func (s *Setting) Type() string {
	if s.Unit != "" {
		return s.Unit
	}
	return s.value.Kind().String()
}

// Source says where the value came from: default, file, environment or flag.
func (s *Setting) Source() string { return s.source }

// Settings returns every leaf of c in the order of the struct. They point into c.
func Settings(c *Config) []*Setting {
	return appendSettings(nil, reflect.ValueOf(c).Elem(), "")
}

func appendSettings(list []*Setting, v reflect.Value, prefix string) []*Setting {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		path := prefix + snake(field.Name)
		if field.Type.Kind() == reflect.Struct {
			list = appendSettings(list, v.Field(i), path+".")
			continue
		}
		s := &Setting{
			Path: path, Default: field.Tag.Get("default"), Unit: field.Tag.Get("unit"), Help: field.Tag.Get("help"),
			Secret: field.Tag.Get("secret") == "true", Env: field.Tag.Get("env"),
			Flag: strings.NewReplacer(".", "-", "_", "-").Replace(path), source: "default", value: v.Field(i),
		}
		if s.Env == "" {
			s.Env = envPrefix + strings.ToUpper(strings.NewReplacer(".", "_").Replace(path))
		}
		list = append(list, s)
	}
	return list
}

// snake turns a field name into a key: CoreURL -> core_url, LinkTTL -> link_ttl, ClickHouse -> clickhouse.
func snake(name string) string {
	if name == "ClickHouse" {
		return "clickhouse"
	}
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		boundary := i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if boundary {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func setValue(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch p := v.Addr().Interface().(type) {
	case *string:
		*p = text
	case *bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("not true or false")
		}
		*p = b
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("not a whole number")
		}
		*p = n
	case *time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("not a duration such as 250ms or 1m30s")
		}
		*p = d
	case *[]string:
		*p = nil
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				*p = append(*p, item)
			}
		}
	default:
		panic(fmt.Sprintf("BUG: setting of type %s", v.Type()))
	}
	return nil
}

func textOf(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case []string:
		return strings.Join(x, ",")
	case fmt.Stringer:
		return x.String()
	default:
		return fmt.Sprint(x)
	}
}

// Size is a number of bytes, written with a binary unit ("64MiB") or bare.
type Size int64

var _ encoding.TextUnmarshaler = (*Size)(nil)

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(b []byte) error {
	text, shift := string(b), 0
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			text, shift = rest, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 || n > (1<<62)>>shift {
		return fmt.Errorf("not a size such as 64MiB or 4GiB")
	}
	*s = Size(n << shift)
	return nil
}

// String is the shortest form that UnmarshalText reads back.
func (s Size) String() string {
	n, unit := int64(s), ""
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if n == 0 || n%1024 != 0 {
			break
		}
		n, unit = n/1024, u
	}
	return strconv.FormatInt(n, 10) + unit
}
