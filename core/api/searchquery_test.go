package api

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/link"
)

const someClick = "FF5Ssn76V--0kSw87nylZas1RFzTV08-0V8l2xu-3Z-3-FVOzfGpO5teNaVC"

func TestParseSearch(t *testing.T) {
	for text, want := range map[string]searchQuery{
		"":                                      {},
		"Ann@Example.COM":                       {email: "ann@example.com"},
		"ann@ example.com":                      {},
		"Ann  Example ":                         {words: "Ann Example", number: "ANN EXAMPLE", txn: "Ann Example"},
		"x":                                     {slug: "x", number: "X", txn: "x"},
		"INV/26-27/000042":                      {slug: "000042", number: "INV/26-27/000042", txn: "INV/26-27/000042", words: "INV/26-27/000042"},
		"ord_0000000000007":                     {prefix: ident.Order, id: 7},
		"ORD_000000000000G":                     {prefix: ident.Order, id: 16},
		"ses_0000000000007":                     {slug: "ses_0000000000007", number: "SES_0000000000007", txn: "ses_0000000000007", words: "ses_0000000000007"},
		"ord_0000000000000":                     {slug: "ord_0000000000000", number: "ORD_0000000000000", txn: "ord_0000000000000", words: "ord_0000000000000"},
		"https://go.example":                    {},
		"https://go.example/a/spring-sale/?x=1": {slug: "spring-sale"},
		"http://[::1":                           {number: "HTTP://[::1", txn: "http://[::1", words: "http://[::1"},
	} {
		if got := parseSearch(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	for _, text := range []string{someClick, " " + someClick + "\n", "https://x.example/?a=b&cid=" + someClick + "#f"} {
		if got := parseSearch(text); got.click.String() != someClick {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// Whatever somebody pastes, what is looked for is text of a bounded length.
func FuzzParseSearch(f *testing.F) {
	for _, text := range []string{
		"ann@example.com", "ord_0000000000007", someClick, "https://go.example/spring?click_id=" + someClick, "INV/26-27/000042", "\xff\x00", "a_b", "_", "://", strings.Repeat("@", 400),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q := parseSearch(text)
		if len(q.email) > 3*maxQueryEmail || len(q.number) > 3*maxQueryNumber || len(q.txn) > maxQueryTxn || len(q.words) > maxQueryTxn || len(q.slug) > link.MaxSlug {
			t.Errorf("too long: %+v", q)
		}
		for _, part := range []string{q.email, q.number, q.txn, q.words, q.slug} {
			if !utf8.ValidString(part) || strings.ContainsRune(part, 0) {
				t.Errorf("not text: %q", part)
			}
		}
		if q.id < 0 || q.id != 0 && (q.prefix == "" || q.txn != "" || q.email != "") {
			t.Errorf("%+v", q)
		}
		if again := parseSearch(text); again != q {
			t.Errorf("%+v, then %+v", q, again)
		}
	})
}
