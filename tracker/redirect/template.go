package redirect

import (
	"errors"
	"fmt"
	"strings"

	"github.com/edgeref/edgeref/tracker/hosts"
	"github.com/edgeref/edgeref/wire/click"
)

// errDestination is wrapped by every error of parsing a destination.
var errDestination = errors.New("destination cannot be redirected to")

// macro is a part of a destination that differs from click to click.
type macro uint8

const (
	fixed macro = iota // no macro: the piece is its text
	macroClickID
	macroSub1
	macroSub2
	macroSub3
	macroSub4
	macroSub5
	macroCountry
)

// piece is a fixed text or a macro.
type piece struct {
	macro macro
	text  string
}

// template is a destination, taken apart. Its host is fixed: no macro can reach it.
type template struct {
	base     string // scheme, host and port
	path     []piece
	query    []piece
	fragment []piece
	names    []string // canonical names of the query's parameters
	clickID  bool     // {click_id} is in it somewhere
}

// fixedMacros are the macros whose values a link determines.
type fixedMacros struct{ affiliateID, linkID, programID, slug string }

// parseTemplate compiles a destination. click is the canonical name of the click parameter: a parameter of that name
// is left out unless it carries {click_id} itself. Braces that are no macro are part of the text, and so are {sub1} to
// {sub5} in a parameter's name.
func parseTemplate(destination, click string, values fixedMacros) (template, error) {
	u, err := hosts.Parse(destination)
	if err != nil {
		return template{}, fmt.Errorf("%w: %w", errDestination, err)
	}
	t := template{base: base(u)}
	rest, fragment, _ := strings.Cut(u.Rest, "#")
	path, query, _ := strings.Cut(rest, "?")
	if path == "" {
		path = "/"
	}
	t.path = values.pieces(nil, path)
	for query != "" {
		var p parameter
		p, query = nextParameter(query)
		if p.text == "" || p.named(click) && !strings.Contains(p.text, "{click_id}") {
			continue
		}
		if len(t.query) > 0 {
			t.query = append(t.query, piece{text: "&"})
		}
		// A visitor's text must not become a name: it could be the click parameter's.
		pair := strings.ReplaceAll(p.name, "{sub", "%7Bsub") + p.text[len(p.name):]
		t.query = values.pieces(t.query, pair)
		t.names = append(t.names, canonical(p.name))
	}
	t.fragment = values.pieces(nil, fragment)
	for _, part := range [][]piece{t.path, t.query, t.fragment} {
		for _, p := range part {
			t.clickID = t.clickID || p.macro == macroClickID
		}
	}
	return t, nil
}

func base(u hosts.URL) string {
	if u.Port == "" {
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + "://" + u.Host + ":" + u.Port
}

// pieces appends the pieces of s to dst, with fixed text made safe for a URL.
func (v fixedMacros) pieces(dst []piece, s string) []piece {
	var text []byte
	for s != "" {
		name, n := macroAt(s)
		if n == 0 {
			next := strings.IndexByte(s[1:], '{') + 1
			if next == 0 {
				next = len(s)
			}
			text, s = appendURL(text, s[:next]), s[next:]
			continue
		}
		s = s[n:]
		if m := clickMacro(name); m != fixed {
			if len(text) > 0 {
				dst, text = append(dst, piece{text: string(text)}), nil
			}
			dst = append(dst, piece{macro: m})
			continue
		}
		text = appendValue(text, v.value(name))
	}
	if len(text) > 0 {
		dst = append(dst, piece{text: string(text)})
	}
	return dst
}

// macroAt returns the name of the macro that s begins with and the length it takes; 0 if there is none.
func macroAt(s string) (string, int) {
	end := strings.IndexByte(s, '}')
	if s[0] != '{' || end < 0 {
		return "", 0
	}
	switch name := s[1:end]; name {
	case "click_id", "sub1", "sub2", "sub3", "sub4", "sub5", "country", "affiliate_id", "link_id", "program_id", "slug":
		return name, end + 1
	}
	return "", 0
}

func clickMacro(name string) macro {
	switch name {
	case "click_id":
		return macroClickID
	case "sub1", "sub2", "sub3", "sub4", "sub5":
		return macroSub1 + macro(name[3]-'1')
	case "country":
		return macroCountry
	}
	return fixed
}

func (v fixedMacros) value(name string) string {
	switch name {
	case "affiliate_id":
		return v.affiliateID
	case "link_id":
		return v.linkID
	case "program_id":
		return v.programID
	}
	return v.slug
}

// appendPieces appends pieces with the values of a click. id is the text of its Click ID, "" where it has none.
func appendPieces(dst []byte, pieces []piece, r *click.Record, id string) []byte {
	for i := range pieces {
		switch p := &pieces[i]; p.macro {
		case fixed:
			dst = append(dst, p.text...)
		case macroClickID:
			dst = append(dst, id...)
		case macroCountry:
			dst = appendValue(dst, r.Country)
		default:
			dst = appendValue(dst, r.Sub[p.macro-macroSub1])
		}
	}
	return dst
}

// appendPath is appendPieces for a path, where a value of dots alone is left out: it could lead out of its folder.
func appendPath(dst []byte, pieces []piece, r *click.Record, id string) []byte {
	for i := range pieces {
		if p := &pieces[i]; p.macro >= macroSub1 && p.macro <= macroSub5 && strings.Trim(r.Sub[p.macro-macroSub1], ".") == "" {
			continue
		}
		dst = appendPieces(dst, pieces[i:i+1], r, id)
	}
	return dst
}
