package api

import (
	"net/url"
	"strings"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/link"
)

// Limits of a text that is searched for, in bytes.
const (
	maxQuery       = 2048 // a whole address of a page
	maxQueryEmail  = 254
	maxQueryNumber = 24
	maxQueryTxn    = 255
	minQueryWords  = 2
)

// searchQuery is a text as it is understood. More than one field may be set: a text may be a slug as well as the number of an
// order. Zero fields are not looked for.
type searchQuery struct {
	email  string   // or how one begins, in lower case
	prefix string   // kind of the identifier
	id     int64    // 0: it is no identifier
	click  click.ID // as it stands there; nobody has verified it
	slug   string
	number string // of an order or a document, in upper case
	txn    string // of a conversion, or a gateway's name of a payment or refund
	words  string // how a name begins
}

// parseSearch understands a text. It takes anything.
func parseSearch(text string) (q searchQuery) {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	text = strings.ReplaceAll(text, "\x00", "")
	if text == "" || len(text) > maxQuery {
		return q
	}
	if address, ok := parseAddress(text); ok {
		q.click, q.slug = clickOf(address), slugOf(address.Path)
		return q
	}
	if prefix, rest, ok := strings.Cut(text, "_"); ok {
		// People write in capitals what they read out.
		if id, err := ident.Parse(strings.ToLower(prefix), strings.ToLower(prefix)+"_"+rest); err == nil && id > 0 && knownPrefix(strings.ToLower(prefix)) {
			q.prefix, q.id = strings.ToLower(prefix), id
			return q
		}
	}
	if id, err := click.ParseID(text); err == nil {
		q.click = id
		return q
	}
	if strings.Contains(text, "@") {
		if len(text) <= maxQueryEmail && !strings.Contains(text, " ") {
			q.email = strings.ToLower(text)
		}
		return q
	}
	q.slug = slugOf(text)
	if len(text) <= maxQueryNumber {
		q.number = strings.ToUpper(text)
	}
	if len(text) <= maxQueryTxn {
		q.txn = text
		if len(text) >= minQueryWords {
			q.words = text
		}
	}
	return q
}

// parseAddress reads the address of a page.
func parseAddress(text string) (*url.URL, bool) {
	if !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") {
		return nil, false
	}
	u, err := url.Parse(text)
	return u, err == nil
}

// clickOf is the first Click ID in the query of an address; programs name the parameter as they like. Zero: there is none.
func clickOf(u *url.URL) click.ID {
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		_, value, _ := strings.Cut(part, "=")
		if id, err := click.ParseID(value); err == nil {
			return id
		}
	}
	return click.ID{}
}

// slugOf is the slug that a path ends with, or "".
func slugOf(path string) string {
	slug := strings.Trim(path, "/")
	slug = slug[strings.LastIndexByte(slug, '/')+1:]
	if slug == "" || len(slug) > link.MaxSlug {
		return ""
	}
	for _, c := range []byte(slug) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("._~-", rune(c)) {
			return ""
		}
	}
	return slug
}

// knownPrefix reports whether there is something to look up by identifiers of a kind.
func knownPrefix(prefix string) bool {
	_, ok := lookups()[prefix]
	return ok
}
