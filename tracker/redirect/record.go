package redirect

import (
	"strings"
	"unsafe"

	"github.com/valyala/fasthttp"

	"github.com/edgeref/edgeref/tracker/visitor"
	"github.com/edgeref/edgeref/wire/click"
)

// work is what one request needs: pooled, so that requests do not allocate. Its record's texts are views of the request
// and of text, so nothing of it is kept once the handler returns.
type work struct {
	record   click.Record
	to       string // the page asked for by "to", decoded; "" if none
	query    []parameter
	text     []byte // decoded texts
	encoded  []byte
	location []byte
	cookie   []byte
}

// Buffers that have grown beyond this (bytes) go back to the garbage collector instead of the pool.
const maxPooled = 64 << 10

func newWork() any {
	return &work{query: make([]parameter, 0, 16), text: make([]byte, 0, 2048), encoded: make([]byte, 0, 4096), location: make([]byte, 0, 2048), cookie: make([]byte, 0, 256)}
}

// poolable forgets the request, and reports whether w is small enough to keep.
func (w *work) poolable() bool {
	w.record, w.to = click.Record{}, ""
	clear(w.query)
	w.query = w.query[:0]
	w.text, w.encoded, w.location, w.cookie = w.text[:0], w.encoded[:0], w.location[:0], w.cookie[:0]
	return cap(w.text)+cap(w.encoded)+cap(w.location)+cap(w.query)*int(unsafe.Sizeof(parameter{})) <= maxPooled
}

// keep returns what was appended to w.text since it had n bytes.
func (w *work) keep(n int) string { return view(w.text[n:]) }

// decoded is the cleaned text of a parameter's value.
func (w *work) decoded(p *parameter) string {
	raw := p.value
	if p.marks&(markEscape|markPlus|markNotText) == 0 {
		return raw[:min(len(raw), maxText)]
	}
	n := len(w.text)
	w.text = decode(w.text, raw)
	w.text = w.text[:n+len(clean(w.text[n:]))]
	return w.keep(n)
}

// cleaned is the cleaned text of part of a header.
func (w *work) cleaned(s string) string {
	var m marks
	for i := range len(s) {
		m |= byteMarks[s[i]]
	}
	if m&markNotText == 0 {
		return s[:min(len(s), maxText)]
	}
	n := len(w.text)
	w.text = append(w.text, s...)
	w.text = w.text[:n+len(clean(w.text[n:]))]
	return w.keep(n)
}

// readQuery takes the query apart, and from it what a click keeps. The first of several parameters of one name counts.
func (w *work) readQuery(query string) {
	for query != "" {
		var p parameter
		p, query = nextParameter(query)
		w.query = append(w.query, p)
		name := p.name
		if p.nameMarks&markEscape != 0 {
			n := len(w.text)
			w.text = decode(w.text, name)
			name = w.keep(n)
		}
		if name == "to" && w.to == "" {
			n := len(w.text)
			w.text = decode(w.text, p.value)
			w.to = w.keep(n)
			continue
		}
		if f := field(&w.record, name); f != nil && *f == "" {
			*f = w.decoded(&p)
		}
	}
}

func field(r *click.Record, name string) *string {
	switch name {
	case "sub1":
		return &r.Sub[0]
	case "sub2":
		return &r.Sub[1]
	case "sub3":
		return &r.Sub[2]
	case "sub4":
		return &r.Sub[3]
	case "sub5":
		return &r.Sub[4]
	case "gclid":
		return &r.GCLID
	case "fbclid":
		return &r.FBCLID
	case "ttclid":
		return &r.TTCLID
	case "msclkid":
		return &r.MSCLKID
	case "utm_source":
		return &r.UTMSource
	case "utm_medium":
		return &r.UTMMedium
	case "utm_campaign":
		return &r.UTMCampaign
	case "utm_term":
		return &r.UTMTerm
	case "utm_content":
		return &r.UTMContent
	}
	return nil
}

// Headers of trusted peers, as fasthttp spells them.
const (
	headerClient  = "Cf-Connecting-Ip"
	headerCountry = "Cf-Ipcountry"
)

// peek returns a header's value as a view. name must be spelled as fasthttp spells it: nothing is normalised here,
// which is a tenth of the time of a redirect otherwise.
func peek(h *fasthttp.RequestHeader, name string) string {
	return view(h.PeekCanonical(raw(name)))
}

// readHeader takes from the header what a click keeps; c is the client it came from.
func (w *work) readHeader(h *fasthttp.RequestHeader, c visitor.Client) {
	r := &w.record
	agent := view(h.UserAgent())
	r.UserAgent = agent[:min(len(agent), visitor.MaxAgent)]
	r.ReferrerHost, r.ReferrerPath = w.referrer(view(h.Referer()))
	r.Language = w.language(peek(h, fasthttp.HeaderAcceptLanguage))
	if c.Trusted {
		r.Country = country(peek(h, headerCountry))
	}
	n := len(w.text)
	w.text = click.AppendNetwork(w.text, c.Addr)
	r.Network = w.keep(n)
	switch {
	case prefetch(h):
		r.Bot = click.BotPrefetch
	case h.IsHead():
		r.Bot = click.BotHead
	}
}

func prefetch(h *fasthttp.RequestHeader) bool {
	// Sec-Purpose is a list: "prefetch;prerender" is one too. X-Moz is Firefox's older form.
	return strings.HasPrefix(peek(h, "Sec-Purpose"), "prefetch") ||
		strings.EqualFold(peek(h, "Purpose"), "prefetch") ||
		strings.EqualFold(peek(h, "X-Moz"), "prefetch")
}

// referrer is the host (lower case, without port) and the path (without query) of a Referer header; both are empty
// where it is not a URL with a host.
func (w *work) referrer(s string) (host, path string) {
	colon := strings.IndexByte(s, ':')
	if colon <= 0 || !strings.HasPrefix(s[colon:], "://") || hostEnd(s) < colon {
		return "", ""
	}
	host = s[colon+len("://"):]
	if slash := hostEnd(host); slash < len(host) {
		host, path = host[:slash], host[slash:]
	}
	if path != "" {
		if end := strings.IndexByte(path, '?'); end >= 0 {
			path = path[:end]
		}
		if end := strings.IndexByte(path, '#'); end >= 0 {
			path = path[:end]
		}
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host = host[:colon]
	}
	if host == "" {
		return "", ""
	}
	return w.lower(w.cleaned(host)), w.cleaned(path)
}

// hostEnd is the index of the first byte of s that ends a URL's host.
func hostEnd(s string) int {
	for i := range len(s) {
		if c := s[i]; c == '/' || c == '?' || c == '#' {
			return i
		}
	}
	return len(s)
}

// lower is s with ASCII letters in lower case.
func (w *work) lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			n := len(w.text)
			w.text = append(w.text, s...)
			for j := n + i; j < len(w.text); j++ {
				if c := w.text[j]; c >= 'A' && c <= 'Z' {
					w.text[j] = c + 'a' - 'A'
				}
			}
			return w.keep(n)
		}
	}
	return s
}

// language is the primary subtag of the first range of an Accept-Language header, in lower case.
func (w *work) language(s string) string {
	s = strings.TrimLeft(s, " \t")
	n := len(w.text)
	for i := range len(s) {
		c := s[i] | 0x20
		if c < 'a' || c > 'z' {
			break
		}
		w.text = append(w.text, c)
	}
	// RFC 5646: 2 to 8 letters.
	if length := len(w.text) - n; length < 2 || length > 8 {
		w.text = w.text[:n]
	}
	return w.keep(n)
}

// country is s if it has the form of Cloudflare's country codes, else "".
func country(s string) string {
	if len(s) != 2 {
		return ""
	}
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return ""
		}
	}
	return s
}
