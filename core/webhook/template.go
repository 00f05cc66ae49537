package webhook

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Macros lists what a postback's URL may hold in braces.
func Macros() []string {
	return []string{"event", "event_id", "conversion_id", "txn_id", "type", "amount", "currency", "commission", "commission_currency", "commission_id", "click_id", "link_id", "program_id"}
}

// onlyInQuery are macros whose values others choose freely: in a path, ".." would lead elsewhere.
func onlyInQuery() []string { return []string{"txn_id"} }

// template is a URL with macros: fixed text and names in turn.
type template struct {
	parts []part
}

type part struct {
	text  string // fixed, or the name of a macro
	macro bool
	query bool // where the macro stands
}

// parseTemplate reads and checks a postback's URL. Scheme, host and port hold no macro, so no value can change where
// it leads.
func parseTemplate(g *guard, text string) (template, error) {
	var t template
	var plain strings.Builder // the same with harmless values
	rest := text
	for rest != "" {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			i = len(rest)
		}
		if i > 0 {
			t.parts = append(t.parts, part{text: rest[:i]})
			plain.WriteString(rest[:i])
			rest = rest[i:]
			continue
		}
		end := strings.IndexByte(rest, '}')
		if rest[0] == '}' || end < 0 {
			return template{}, errors.New("has a brace without its other half; write a brace as %7B or %7D")
		}
		name := rest[1:end]
		if !slices.Contains(Macros(), name) {
			return template{}, fmt.Errorf("has an unknown macro; there are {%s}", strings.Join(Macros(), "}, {"))
		}
		before := plain.String()
		query := strings.Contains(before, "?")
		switch scheme, behind, ok := strings.Cut(before, "://"); {
		case !ok || scheme == "" || !strings.ContainsAny(behind, "/?"):
			return template{}, errors.New("has a macro before the path")
		case !query && slices.Contains(onlyInQuery(), name):
			return template{}, fmt.Errorf("has {%s} in the path; it may stand behind the ? only", name)
		}
		t.parts = append(t.parts, part{text: name, macro: true, query: query})
		plain.WriteString("x")
		rest = rest[end+1:]
	}
	if _, err := g.checkURL(plain.String()); err != nil {
		return template{}, err
	}
	return t, nil
}

// expand puts values in, each escaped for where it stands. A macro without a value is empty.
func (t template) expand(values map[string]string) string {
	var b strings.Builder
	for _, p := range t.parts {
		switch {
		case !p.macro:
			b.WriteString(p.text)
		case p.query:
			b.WriteString(url.QueryEscape(values[p.text]))
		default:
			b.WriteString(url.PathEscape(values[p.text]))
		}
	}
	return b.String()
}
