package replay

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/edgeref/edgeref/wire/conversion"
)

// draw is a number that depends on its arguments alone: every run of one log does the same things.
func draw(what string, parts ...any) uint64 {
	h := fnv.New64a()
	h.Write([]byte(what))
	for _, p := range parts {
		h.Write([]byte{0})
		switch p := p.(type) {
		case int:
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(p)))
		case string:
			h.Write([]byte(p))
		default:
			panic(fmt.Sprintf("BUG: draw from a %T", p))
		}
	}
	// FNV's low bits are weak where the input is short: finish with the mixer of MurmurHash3.
	v := h.Sum64()
	v = (v ^ v>>33) * 0xff51afd7ed558ccd
	v = (v ^ v>>33) * 0xc4ceb9fe1a85ec53
	return v ^ v>>33
}

// pick chooses one of the values.
func pick[T any](d uint64, values []T) T { return values[d%uint64(len(values))] }

// linkKey groups requested paths: the first two segments, so that one link stands for one part of the site.
func linkKey(path string) string {
	segments := strings.SplitN(strings.Trim(path, "/"), "/", 3)
	key := strings.Join(segments[:min(len(segments), 2)], "/")
	if key == "" {
		return "home"
	}
	return key
}

// slug makes a slug of a link's key that no other run and no other link has.
func slug(run, key string, index int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "rp-%s-%d", run, index)
	dash := true
	for _, c := range []byte(strings.ToLower(key)) {
		if b.Len() >= 60 {
			break
		}
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			if dash {
				b.WriteByte('-')
			}
			b.WriteByte(c)
			dash = false
			continue
		}
		dash = true
	}
	return b.String()
}

// request is what the tracker is sent for one line.
type request struct {
	Line      int
	Link      int // index into world.Links
	Method    string
	Addr      netip.Addr
	UserAgent string
	Referrer  string
	Country   string // CF-IPCountry
	Languages string // Accept-Language
	Prefetch  string // name of the header that says so; empty: none
	Params    url.Values
}

// newRequest derives the request of line n. Only method, address, user agent and referrer are the log's; the rest is drawn.
func (w *world) newRequest(n int, l *logLine) request {
	r := request{
		Line:      n,
		Link:      w.linkOf(linkKey(l.path())),
		Method:    "GET",
		Addr:      l.Addr,
		UserAgent: cleanHeader(l.UserAgent),
		Referrer:  cleanHeader(l.Referrer),
		Params:    url.Values{},
	}
	if l.Method == http.MethodHead {
		r.Method = "HEAD"
	}
	if !r.Addr.IsValid() {
		r.Addr = addrOfName(l.Host)
	}
	client := r.Addr.String()
	r.Country = pick(draw("country", client), countries())
	r.Languages = pick(draw("language", client), languages()).Header
	switch draw("prefetch", n) % 200 {
	case 0:
		r.Prefetch = "Sec-Purpose"
	case 1:
		r.Prefetch = "Purpose"
	}
	w.setParams(&r)
	return r
}

// setParams gives every click its own gclid (as advertising networks do), by which it can be found again, and some of
// them sub ids and campaign parameters, with characters that must survive encoding.
func (w *world) setParams(r *request) {
	n := r.Line
	r.Params.Set("gclid", w.gclid(n))
	if draw("sub1", n)%10 < 7 {
		r.Params.Set("sub1", "s"+strconv.Itoa(int(draw("sub1 value", n)%12)))
	}
	if draw("sub2", n)%10 < 2 {
		r.Params.Set("sub2", "ad "+strconv.Itoa(int(draw("sub2 value", n)%500)))
	}
	if draw("utm", n)%10 < 4 {
		r.Params.Set("utm_source", pick(draw("utm source", n), []string{"newsletter", "instagram", "you tube", "a&b=c", "zürich", "वेब", "100%+"}))
		r.Params.Set("utm_medium", pick(draw("utm medium", n), []string{"email", "cpc", "social"}))
		r.Params.Set("utm_campaign", "launch-"+strconv.Itoa(int(draw("utm campaign", n)%5)))
	}
	if draw("fbclid", n)%10 == 0 {
		r.Params.Set("fbclid", "fb"+strconv.Itoa(n))
	}
}

func (w *world) gclid(n int) string { return w.Run + "-" + strconv.Itoa(n) }

func countries() []string {
	return []string{"IN", "IN", "IN", "IN", "US", "GB", "DE", "BR", "NP", "AE", "XX", "T1", ""}
}

// language is a header and what must be recorded of it.
type language struct{ Header, Recorded string }

func languages() []language {
	return []language{
		{"en-US,en;q=0.9", "en"}, {"en", "en"}, {"hi-IN,hi;q=0.9,en;q=0.8", "hi"}, {"de", "de"},
		{"pt-BR", "pt"}, {"zh-Hans-CN, zh;q=0.5", "zh"}, {"EN-gb;q=1", "en"}, {"", ""},
	}
}

// cleanHeader makes a logged value fit to be sent: no control characters, no space around it. Bytes that are not UTF-8
// are sent as they are.
func cleanHeader(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = ' '
		}
	}
	return strings.Trim(string(b), " ")
}

// addrOfName stands for a client that was logged by name: an address of the range for documentation.
func addrOfName(name string) netip.Addr {
	var b [16]byte
	copy(b[:], []byte{0x20, 0x01, 0x0d, 0xb8})
	binary.BigEndian.PutUint64(b[8:], draw("name", name))
	return netip.AddrFrom16(b)
}

// step is one conversion event that a line's click leads to.
type step struct {
	Line, Seq int
	Type      conversion.Type
	Txn, Ref  string
	Minor     int64 // amount in minor units of the program's currency; 0: none is sent
	Pixel     bool  // sent by the visitor's browser instead of by the merchant's server
	NoClick   bool  // names the program instead of the click
}

// steps draws what line n's click leads to: nothing for most. share is in permille.
func (w *world) steps(n, link, share int) []step {
	if int(draw("converts", n)%1000) >= share {
		return nil
	}
	p := &w.Programs[w.Links[link].Program]
	txn := func(kind string) string { return w.Run + "-" + strconv.Itoa(n) + "-" + kind }
	amount := p.MinAmount + int64(draw("amount", n)%uint64(p.MaxAmount-p.MinAmount))
	part := amount/3 + int64(draw("part", n)%uint64(amount/3))
	sale := step{Type: conversion.Sale, Txn: txn("sale"), Minor: amount}
	lead := step{Type: conversion.Lead, Txn: txn("lead")}
	refund := func(kind string, minor int64) step {
		return step{Type: conversion.Refund, Txn: txn(kind), Ref: sale.Txn, Minor: minor}
	}
	var out []step
	switch d := draw("kind", n) % 100; {
	case d < 40:
		out = []step{sale}
	case d < 52:
		out = []step{lead}
	case d < 56:
		out = []step{lead, sale}
	case d < 62:
		out = []step{sale, sale} // sent twice
	case d < 66:
		out = []step{lead, lead}
	case d < 71:
		other := sale
		other.Minor++
		out = []step{sale, other, sale} // a conflict, and the first again
	case d < 77:
		out = []step{sale, refund("refund", 0)} // all that is left
	case d < 82:
		out = []step{sale, refund("refund", part)}
	case d < 86:
		out = []step{sale, refund("refund1", part), refund("refund2", 0)}
	case d < 89:
		out = []step{refund("refund", part), sale} // the refund overtakes its sale
	case d < 92:
		out = []step{sale, refund("refund", part), refund("refund", part)}
	case d < 94:
		out = []step{lead, {Type: conversion.Rejected, Txn: txn("void"), Ref: lead.Txn}}
	case d < 96:
		out = []step{sale, {Type: conversion.Rejected, Txn: txn("void"), Ref: sale.Txn}}
	default:
		lead.Pixel = p.Browser != "off"
		out = []step{lead}
	}
	for i := range out {
		out[i].Line, out[i].Seq = n, i
		out[i].NoClick = out[i].Ref != "" && draw("names the click", n)%2 == 0
	}
	return out
}

// maxText is the longest text that is kept of a click, in bytes.
const maxText = 255

// referrer splits a Referer header as it must be recorded: host without port, path without query; neither where there
// is no host.
func referrer(header string) (host, path string) {
	scheme, rest, ok := strings.Cut(header, "://")
	if !ok || scheme == "" || strings.ContainsAny(scheme, "/?#") {
		return "", ""
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		rest, path = rest[:slash], rest[slash:]
	}
	host = rest[strings.LastIndexByte(rest, '@')+1:]
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host = host[:colon]
	}
	if host == "" {
		return "", ""
	}
	return lower(cleanText(host)), cleanText(path)
}

// lower folds the letters A to Z, as in a host's name.
func lower(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		return c
	}, s)
}

// cleanText is a text as it is kept: bytes that are not UTF-8 and control characters become question marks, what is too
// long is cut at a character.
func cleanText(s string) string {
	var b strings.Builder
	for s != "" {
		c, size := utf8.DecodeRuneInString(s)
		text := s[:size]
		if c < ' ' || c == 0x7f || c == utf8.RuneError && size == 1 {
			text = "?"
		}
		if b.Len()+len(text) > maxText {
			break
		}
		b.WriteString(text)
		s = s[size:]
	}
	return b.String()
}
