// Package pseudo is for tests: it makes a language that nobody speaks out of one that there is, so that a page rendered in it
// shows which of its words come from nowhere, and which texts nothing uses.
package pseudo

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// verbs stand for values, as in %s, %[2]s, %d and %%.
const verbs = `%(?:\[\d+\])?[sd%]`

// Widen replaces the Latin letters of a text by their full-width forms; verbs and what keep matches stay.
func Widen(text, keep string) string {
	out, rest := "", text
	for _, m := range regexp.MustCompile(keep).FindAllStringIndex(text, -1) {
		from := len(text) - len(rest)
		out += widen(text[from:m[0]]) + text[m[0]:m[1]]
		rest = text[m[1]:]
	}
	return out + widen(rest)
}

func widen(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '!' && r <= '~' && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r - '!' + '！'
		}
		return r
	}, text)
}

// Texts are the texts of a language, each under its name and with a mark that stands nowhere else.
type Texts map[string]string

// Of makes a catalogue pseudo: every string below the struct that it points to is widened and marked. Maps and slices are
// made anew, so that what they were taken from stays as it is.
func Of(catalogue any) Texts {
	t := Texts{}
	walk(reflect.ValueOf(catalogue).Elem(), "", func(name, text string) string {
		t[name] = "［" + widen(fmt.Sprint(len(t))) + "］"
		return Widen(text, verbs) + t[name]
	})
	return t
}

// walk puts what change makes of it into the place of each string that is not empty.
func walk(v reflect.Value, name string, change func(name, text string) string) {
	switch v.Kind() {
	case reflect.String:
		if v.String() != "" {
			v.SetString(change(name, v.String()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				walk(v.Field(i), strings.TrimPrefix(name+"."+f.Name, "."), change)
			}
		}
	case reflect.Slice:
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		for i := range fresh.Len() {
			walk(fresh.Index(i), fmt.Sprintf("%s[%d]", name, i), change)
		}
		v.Set(fresh)
	case reflect.Map:
		fresh := reflect.MakeMap(v.Type())
		for _, key := range v.MapKeys() {
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(v.MapIndex(key))
			walk(value, fmt.Sprintf("%s[%v]", name, key), change)
			fresh.SetMapIndex(key, value)
		}
		v.Set(fresh)
	default: // what is no text
	}
}

// Unused are the names of the texts whose mark is in none of the pages, sorted.
func (t Texts) Unused(pages []string) []string {
	var out []string
	for name, mark := range t {
		if !slices.ContainsFunc(pages, func(page string) bool { return strings.Contains(page, mark) }) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Visible is what a document shows or reads out: its text, its title, and the attributes that hold words.
func Visible(document string) ([]string, error) {
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		return nil, err
	}
	var out []string
	for n := range root.Descendants() {
		switch {
		case n.Type == html.TextNode && n.Parent.DataAtom != atom.Style && n.Parent.DataAtom != atom.Script:
			out = append(out, n.Data)
		case n.Type == html.ElementNode:
			for _, a := range n.Attr {
				if worded(n, a.Key) {
					out = append(out, a.Val)
				}
			}
		}
	}
	return out, nil
}

// worded reports whether an attribute holds words for people.
func worded(n *html.Node, key string) bool {
	switch key {
	case "title", "alt", "placeholder", "label", "aria-label", "aria-description", "aria-roledescription", "aria-valuetext":
		return true
	case "value":
		return n.DataAtom == atom.Input && slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "type" && (a.Val == "submit" || a.Val == "button") })
	case "content":
		return n.DataAtom == atom.Meta && slices.ContainsFunc(n.Attr, func(a html.Attribute) bool {
			return a.Key == "name" && a.Val == "description" || a.Key == "property" && (a.Val == "og:title" || a.Val == "og:description")
		})
	}
	return false
}

// Foreign are the texts that hold Latin letters which no pseudo language has, after the values that the test knows of are
// taken out: words from a template or from code.
func Foreign(texts []string, known ...string) []string {
	// Longer ones first: one may be a part of another.
	known = slices.Clone(known)
	slices.SortFunc(known, func(a, b string) int { return len(b) - len(a) })
	var out []string
	for _, text := range texts {
		rest := text
		for _, k := range known {
			rest = strings.ReplaceAll(rest, k, "")
		}
		if strings.ContainsFunc(rest, func(r rune) bool { return r < unicode.MaxASCII && unicode.IsLetter(r) }) {
			out = append(out, strings.Join(strings.Fields(text), " "))
		}
	}
	return out
}

// Verbs are the values that a text takes, sorted and each once: another language must take the same ones. %s is the first, the
// next the second.
func Verbs(text string) []string {
	var out []string
	next := 1
	for _, m := range regexp.MustCompile(`%(?:\[(\d+)\])?([sd%])`).FindAllStringSubmatch(text, -1) {
		if m[2] == "%" {
			continue
		}
		if m[1] == "" {
			m[1] = fmt.Sprint(next)
			next++
		} else {
			_, _ = fmt.Sscan(m[1], &next)
			next++
		}
		out = append(out, m[1]+m[2])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Holes are the names of the fields of a catalogue that are not set, sorted. Of the forms of a plural only Other must be.
func Holes(catalogue any) []string {
	var out []string
	v := reflect.ValueOf(catalogue).Elem()
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if f.IsZero() || (f.Kind() == reflect.Slice || f.Kind() == reflect.Map) && f.Len() == 0 {
			out = append(out, name)
		} else if f.Kind() == reflect.Struct && f.FieldByName("Other").IsValid() && f.FieldByName("Other").IsZero() {
			out = append(out, name+".Other")
		}
	}
	slices.Sort(out)
	return out
}

// Compare says how a catalogue differs from another in what every language has in common: the keys of its maps, and the values
// that its texts take.
func Compare(catalogue, with any) []string {
	mine, theirs := flat(catalogue), flat(with)
	var out []string
	for name, want := range theirs {
		have, ok := mine[name]
		switch {
		case !ok && strings.Contains(name, "["):
			out = append(out, name+" is not set")
		case ok && !slices.Equal(Verbs(have), Verbs(want)):
			out = append(out, fmt.Sprintf("%s takes %v, not %v", name, Verbs(have), Verbs(want)))
		}
	}
	slices.Sort(out)
	return out
}

func flat(catalogue any) map[string]string {
	out := map[string]string{}
	walk(reflect.ValueOf(catalogue).Elem(), "", func(name, text string) string {
		out[name] = text
		return text
	})
	return out
}
