package sandbox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/locale/pseudo"
	"github.com/edgeref/edgeref/wire/money"
)

// A language that lacks a word shows a hole; one that forgets a value shows nonsense.
func TestTextIsWhole(t *testing.T) {
	for _, text := range languages() {
		for _, problem := range append(pseudo.Holes(text), pseudo.Compare(text, english())...) {
			t.Errorf("%s: %s", text.Tag, problem)
		}
	}
}

// In a language that nobody speaks, every word of the page comes from its texts, and every text is on it in some state.
func TestEveryWordIsATextAndUsed(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	text := english()
	texts := pseudo.Of(text)
	var err error
	if f.page, err = newPage([]*Text{text}); err != nil {
		t.Fatal(err)
	}
	var shown []string
	look := func(body string) {
		t.Helper()
		visible, err := pseudo.Visible(body)
		if err != nil || len(visible) < 5 {
			t.Fatalf("%v, %q", err, body)
		}
		for _, words := range pseudo.Foreign(visible, `Selling <b>"boldly"</b>`, "ord_") {
			t.Errorf("%q is in no catalogue", words)
		}
		shown = append(shown, visible...)
	}
	get := func(address string) {
		t.Helper()
		_, body := f.get(address)
		look(body)
	}
	post := func(address, body, site string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", site)
		got := httptest.NewRecorder()
		f.Handler().ServeHTTP(got, r)
		look(got.Body.String())
	}
	_, page := f.begin()
	get(page)
	for _, done := range []string{"failed", "refunded", "disputed", "won", "lost"} {
		get(page + "?done=" + done)
	}
	post(page, "action=pay", "cross-site")
	post(page, "action=%zz", "same-origin")
	post(page, "action=won", "same-origin")
	get(f.public + PagePath + "sbx_0")
	for _, ending := range []string{"won", "lost"} {
		_, page = f.begin()
		for _, action := range []string{"pay", "dispute", ending, "refund"} {
			f.press(page, action, "", http.StatusSeeOther)
			get(page)
		}
	}
	_, page = f.begin()
	f.press(page, "later", "", http.StatusSeeOther)
	get(page)
	_, page = f.begin()
	f.press(page, "pay", "", http.StatusSeeOther)
	if err := f.refundPart(strings.TrimPrefix(page, f.public+PagePath)); err != nil {
		t.Fatal(err)
	}
	get(page)
	_, page = f.begin()
	f.millis.Add(expires.Milliseconds() + 1)
	get(page)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, page, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	got := httptest.NewRecorder()
	f.Handler().ServeHTTP(got, r)
	look(got.Body.String())
	for _, name := range texts.Unused(shown) {
		t.Errorf("%s is never on the page", name)
	}
}

// refundPart refunds a rupee of a payment.
func (f *fixture) refundPart(ref string) error {
	ctx := f.t.Context()
	return f.db.InTx(ctx, func(tx *db.Tx) error {
		list, err := f.read(ctx, tx, "ref = ?", ref)
		if err != nil {
			return err
		}
		_, err = f.refund(ctx, tx, list[0], "part", money.Amount{Minor: 100, Currency: "INR"})
		return err
	})
}
