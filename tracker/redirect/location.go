package redirect

import (
	"strings"

	"github.com/edgeref/edgeref/tracker/hosts"
	"github.com/edgeref/edgeref/wire/click"
)

// appendLocation appends where a click through t leads. id is the text of its Click ID, "" where it has none; query is
// the visitor's. It returns the number of the visitor's parameters that were dropped.
func (t *Target) appendLocation(dst []byte, r *click.Record, id string, query []parameter) ([]byte, int) {
	d := &t.destination
	dst = append(dst, d.base...)
	dst = appendPath(dst, d.path, r, id)
	sep := byte('?')
	if len(d.query) > 0 {
		dst = appendPieces(append(dst, '?'), d.query, r, id)
		sep = '&'
	}
	if !d.clickID {
		dst, sep = t.appendClick(dst, id, sep)
	}
	dst, dropped := appendVisitor(dst, query, t.clickName, d.names, sep)
	if len(d.fragment) > 0 {
		dst = appendPieces(append(dst, '#'), d.fragment, r, id)
	}
	return dst, dropped
}

func (t *Target) appendClick(dst []byte, id string, sep byte) ([]byte, byte) {
	if id == "" {
		return dst, sep
	}
	dst = append(dst, sep)
	dst = append(dst, t.clickParam...)
	dst = append(dst, '=')
	return append(dst, id...), '&'
}

// deepLink reads the visitor's wish for another page (decoded) and reports whether the program allows it.
func (t *Target) deepLink(to string) (hosts.URL, bool) {
	if len(to) > maxLocation {
		return hosts.URL{}, false
	}
	u, err := hosts.Parse(to)
	if err != nil || !t.allowed.Allows(u) || !wellEncoded(u.Rest) {
		return hosts.URL{}, false
	}
	return u, true
}

// appendDeepLink is appendLocation to a page that the visitor asked for. Like other parameters of the visitor's, those
// in the page's own query cannot carry the click parameter's name.
func (t *Target) appendDeepLink(dst []byte, u hosts.URL, id string, query []parameter) ([]byte, int) {
	dst = append(append(dst, u.Scheme...), "://"...)
	dst = append(dst, u.Host...)
	if u.Port != "" {
		dst = append(append(dst, ':'), u.Port...)
	}
	rest, fragment, hasFragment := strings.Cut(u.Rest, "#")
	path, own, _ := strings.Cut(rest, "?")
	if path == "" {
		path = "/"
	}
	dst = appendURL(dst, path)
	sep := byte('?')
	for own != "" {
		var p parameter
		p, own = nextParameter(own)
		if p.text != "" && !p.named(t.clickName) {
			dst = p.append(append(dst, sep))
			sep = '&'
		}
	}
	dst, sep = t.appendClick(dst, id, sep)
	dst, dropped := appendVisitor(dst, query, t.clickName, nil, sep)
	if hasFragment {
		dst = appendURL(append(dst, '#'), fragment)
	}
	return dst, dropped
}
