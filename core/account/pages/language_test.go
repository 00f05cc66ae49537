package pages_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/oauth"
	"github.com/edgeref/edgeref/core/account/pages"
	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/locale/pseudo"
	"github.com/edgeref/edgeref/wire/ident"
)

// A language that lacks a word shows a hole; one that forgets a value shows nonsense.
func TestTextIsWhole(t *testing.T) {
	for _, text := range pages.Languages() {
		for _, problem := range append(pseudo.Holes(text), pseudo.Compare(text, pages.English())...) {
			t.Errorf("%s: %s", text.Tag, problem)
		}
	}
}

// tour looks at the pages in all of their states.
type tour struct {
	*site
	seen []page
}

func (v *tour) look(p page) page {
	v.seen = append(v.seen, p)
	return p
}

// In a language that nobody speaks, every word of every page comes from its texts, and every text is on some page.
func TestEveryWordIsATextAndUsed(t *testing.T) {
	text := pages.English()
	texts := pseudo.Of(text)
	s := newSite(t, dbtest.SQLite(t), func(o *pages.Options) {
		o.Demo, o.Site = true, "12"
		o.Speak(text)
	})
	v := &tour{site: s}
	v.signUps()
	v.signIns()
	v.programs()
	v.refusals()
	shown := v.problems(text)
	for _, p := range v.seen {
		visible, err := pseudo.Visible(p.body)
		if err != nil {
			t.Fatal(err)
		}
		if len(visible) < 10 {
			t.Errorf("%s: %d, %q", p.url, p.status, p.body)
		}
		for _, words := range pseudo.Foreign(visible, "lea@example.com", "newer@example.com", "other.example", "Ann Example", "webhooks:write") {
			t.Errorf("%s (%d): %q is in no catalogue", p.url, p.status, words)
		}
		shown = append(shown, visible...)
	}
	for _, name := range texts.Unused(shown) {
		t.Errorf("%s is on no page", name)
	}
}

// signUps are the ways to an account and to another password or address.
func (v *tour) signUps() {
	ctx, b := v.t.Context(), v.browser()
	v.look(b.get("/account/sign-up?sponsor=" + ident.Format(ident.Affiliate, 1_234_567)))
	form := v.look(b.get("/account/sign-up"))
	for _, name := range []string{"", strings.Repeat("1", 300), "\x01"} {
		v.look(b.submit(form, "name", name, "email", "newer@example.com"))
	}
	v.look(b.submit(form, "name", "1", "email", "2"))
	v.look(b.submit(form, "name", "1", "email", "newer@example.com"))
	v.process()
	choose := v.look(b.get(v.mails.links["newer@example.com"]))
	for _, tried := range []string{"1", strings.Repeat("1a", 101), "12345678901\x01", "abcabcabcabc", "Password123!", "newer12345"} {
		v.look(b.submit(choose, "password", tried, "again", tried))
	}
	v.look(b.submit(choose, "password", goodPassword, "again", "1"))
	v.look(b.submit(choose, "password", goodPassword, "again", goodPassword))
	v.look(b.get(v.mails.links["newer@example.com"])) // used
	forgot := v.look(b.get("/account/forgot"))
	v.look(b.submit(forgot, "email", "1"))
	v.look(b.submit(forgot, "email", "newer@example.com"))
	v.process()
	v.look(b.submit(v.look(b.get(v.mails.links["newer@example.com"])), "password", goodPassword, "again", goodPassword))
	p, err := account.PersonByEmail(ctx, v.db, "newer@example.com")
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.accounts.RequestEmail(ctx, p.ID, "lea@example.com", goodPassword); err != nil {
		v.t.Fatal(err)
	}
	v.process()
	v.look(b.submit(v.look(b.get(v.mails.links["lea@example.com"]))))
}

func (v *tour) process() {
	v.t.Helper()
	if err := v.accounts.ProcessRequests(v.t.Context()); err != nil {
		v.t.Fatal(err)
	}
}

// signIns are the ways in and out.
func (v *tour) signIns() {
	b := v.browser()
	form := v.look(b.get("/account/sign-in"))
	v.look(b.submit(form, "email", "lea@example.com", "password", "1"))
	v.look(b.submit(form, "email", "lea@example.com", "password", goodPassword))
	v.look(b.submit(v.look(b.get("/account/sign-out"))))
	p := v.person("fin@example.com", access.RoleFinance)
	e, err := v.accounts.BeginEnrolment(v.t.Context(), p.ID, goodPassword)
	if err != nil {
		v.t.Fatal(err)
	}
	who, err := v.oauth.Authenticate(v.t.Context(), v.signedIn(p.Email).Access)
	if err != nil {
		v.t.Fatal(err)
	}
	if _, err := v.accounts.ConfirmEnrolment(v.t.Context(), p.ID, who.SessionID, codeAt(v.t, e.Secret, v.clock.Now())); err != nil {
		v.t.Fatal(err)
	}
	asked := v.look(b.submit(b.get("/account/sign-in"), "email", p.Email, "password", goodPassword))
	v.look(b.submit(asked, "code", "000000"))
}

// programs are those that want to act for somebody: known and unknown, with all that can be asked for.
func (v *tour) programs() {
	scopes := []access.Scope{access.Me, access.AffiliateSelf, access.LearnerSelf, access.Admin, access.WebhooksWrite}
	c, _, err := v.oauth.CreateClient(v.t.Context(), oauth.Client{Name: "34", RedirectURIs: []string{"https://other.example/cb"}, Scopes: scopes, Confidential: true})
	if err != nil {
		v.t.Fatal(err)
	}
	names := []string{"openid", "profile", "email", "offline_access"}
	for _, scope := range scopes {
		names = append(names, string(scope))
	}
	b := v.browser()
	form := b.get(v.authorizeURL(c.ID, "https://other.example/cb", "scope", strings.Join(names, " ")))
	v.look(b.submit(form, "email", "lea@example.com", "password", goodPassword))
	v.look(v.browser().get("/account/continue?request=" + form.url.Query().Get("request")))
}

// refusals are forms that are not looked at, and paths that there are not.
func (v *tour) refusals() {
	b := v.browser()
	v.look(b.get("/account/nothing"))
	form := b.get("/account/sign-in")
	v.look(b.post("/account/sign-in", nil))
	v.look(b.post("/account/sign-in", nil, "Sec-Fetch-Site", "cross-site"))
	v.look(b.post("/account/sign-in", url.Values{"email": {strings.Repeat("1", 20<<10)}}))
	v.address = netip.MustParseAddr("203.0.113.9")
	last := page{}
	for range 61 {
		last = b.submit(form)
	}
	if last.status != http.StatusTooManyRequests {
		v.t.Errorf("after 61 forms: %d", last.status)
	}
	v.look(last)
}

// problems are what can go wrong, also what no form of this test can cause.
func (v *tour) problems(text *pages.Text) []string {
	var out []string
	for _, tt := range []struct {
		err    error
		status int
	}{
		{&account.InvalidError{Field: "affiliate", Reason: account.ReasonAffiliate}, 422}, {&account.InvalidError{Field: "email", Reason: "is another reason"}, 422},
		{&account.TooManyError{Wait: time.Second}, 429}, {&account.TooManyError{Wait: 61 * time.Second}, 429}, {&account.TooManyError{Wait: 3 * time.Hour}, 429},
		{account.ErrSuspended, 403}, {account.ErrTaken, 409}, {account.ErrCrowded, 503}, {password.ErrBusy, 503}, {errors.New("the database is away"), 500},
	} {
		status, words := v.pages.Problem(text, fmt.Errorf("try: %w", tt.err))
		if status != tt.status || len(pseudo.Foreign([]string{words})) != 0 {
			v.t.Errorf("%v: %d, %q", tt.err, status, words)
		}
		out = append(out, words)
	}
	return out
}

// How long to wait is said as people do.
func TestWait(t *testing.T) {
	s := newSite(t, dbtest.SQLite(t))
	for wait, want := range map[time.Duration]string{
		0: "in a minute", time.Minute: "in a minute", time.Minute + 1: "in 2 minutes", 90 * time.Minute: "in 90 minutes", 91 * time.Minute: "in 2 hours", 24 * time.Hour: "in 24 hours",
	} {
		if _, got := s.pages.Problem(pages.English(), &account.TooManyError{Wait: wait}); got != "Too many attempts. Try again "+want+"." {
			t.Errorf("%v: %q", wait, got)
		}
	}
}

// The pages speak what the browser asks for, else what the business speaks, else the first language.
func TestLanguageOfTheReader(t *testing.T) {
	hindi := pages.English()
	hindi.Tag, hindi.SignIn = language.MustParse("hi"), "साइन इन"
	brand := pages.Brand{Name: "12"}
	s := newSite(t, dbtest.SQLite(t), func(o *pages.Options) {
		o.Brand = func(context.Context) pages.Brand { return brand }
		o.Speak(pages.English(), hindi)
	})
	for _, tt := range []struct{ accept, business, lang string }{
		{"", "", "en-IN"}, {"hi-IN,hi;q=0.9,en;q=0.8", "en-IN", "hi"}, {"en-US,hi;q=0.5", "hi", "en-IN"}, {"ja", "hi-IN", "hi"}, {"ja", "", "en-IN"}, {"", "hi", "hi"},
		{"*", "", "en-IN"}, {strings.Repeat("hi,", 3000), "en-IN", "hi"}, {";;q=", "hi", "hi"},
	} {
		brand.Locale = tt.business
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/account/sign-in", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Language", tt.accept)
		p := s.browser().do(r)
		if !strings.Contains(p.body, fmt.Sprintf(`<html lang="%s">`, tt.lang)) || strings.Contains(p.body, "साइन इन") != (tt.lang == "hi") {
			t.Errorf("%.40q of a business that speaks %q: %.100s", tt.accept, tt.business, p.body)
		}
	}
}
