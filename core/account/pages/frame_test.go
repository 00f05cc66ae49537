package pages_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/account/pages"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/wire/ident"
)

// The pages look like what they belong to, also after that has changed.
func TestFrame(t *testing.T) {
	s := newSite(t, dbtest.SQLite(t))
	brand := pages.Brand{Name: "Riverbank"}
	p, err := pages.New(pages.Options{
		Accounts: s.accounts, OAuth: s.oauth, Now: s.clock.Now, Demo: true, Address: func(*http.Request) netip.Addr { return s.address },
		Brand: func(context.Context) pages.Brand { return brand },
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) *httptest.ResponseRecorder {
		got := httptest.NewRecorder()
		p.ServeHTTP(got, httptest.NewRequest(http.MethodGet, path, nil))
		return got
	}
	sheetOf := regexp.MustCompile(`/account/styles/style-[0-9a-f]+\.css`)
	page := get("/account/sign-in")
	sheet := sheetOf.FindString(page.Body.String())
	for _, want := range []string{"<title>Sign in – Riverbank</title>", "Demo data", `href="/products"`, `href="/affiliates"`, `href="/legal/terms"`} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("lacks %q", want)
		}
	}
	if got := get(sheet); got.Code != http.StatusOK || got.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || !strings.Contains(got.Body.String(), "--accent: #1f4fd8") {
		t.Errorf("%s: %d %v", sheet, got.Code, got.Header())
	}
	brand = pages.Brand{Name: "Riverside", Accent: "#0b6b45"}
	page = get("/account/sign-in")
	if now := sheetOf.FindString(page.Body.String()); now == sheet || !strings.Contains(page.Body.String(), "Riverside") || !strings.Contains(get(now).Body.String(), "--accent: #0b6b45") {
		t.Errorf("still %s", now)
	}
	if got := get(sheet); got.Code != http.StatusOK || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("the older sheet: %d %v", got.Code, got.Header())
	}
}

// Whoever was brought by an affiliate is told so, and the application names them.
func TestSponsored(t *testing.T) {
	s := newSite(t, dbtest.SQLite(t))
	for path, want := range map[string]bool{"/account/sign-up": false, "/account/sign-up?sponsor=aff_0G": false, "/account/sign-up?sponsor=" + ident.Format(ident.Affiliate, 1_234_567): true} {
		if got := strings.Contains(s.browser().get(path).body, "You were invited"); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}
