package catalog_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/link"
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a catalogue with a clock of its own.
type world struct {
	*catalog.Catalog
	t     *testing.T
	db    *db.DB
	clock *clock
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, db: d, clock: &clock{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}}
	w.Catalog = w.open(catalog.Options{})
	return w
}

// open returns a catalogue of the same database and clock, as another core would have.
func (w *world) open(opts catalog.Options) *catalog.Catalog {
	w.t.Helper()
	opts.DB, opts.IDs, opts.Now = w.db, newid.New(w.clock.Now), w.clock.Now
	c, err := catalog.New(w.t.Context(), opts)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func fields() catalog.ProgramFields {
	return catalog.ProgramFields{
		Name: "Courses", Currency: "INR", AttributionWindowDays: 30, AttributionModel: catalog.LastClick, HoldDays: 30,
		AllowedHosts: []string{"shop.example", "*.Shop.example", "shop.example:8443"}, FallbackURL: "https://shop.example/gone",
		ClickParam: "click_id", BrowserConversions: link.BrowserOff,
	}
}

func (w *world) program() catalog.Program {
	w.t.Helper()
	p, err := w.CreateProgram(w.t.Context(), fields())
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) affiliate() catalog.Affiliate {
	w.t.Helper()
	a, err := w.CreateAffiliate(w.t.Context(), "Ann", "ann@example.com")
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) link(a catalog.Affiliate, p catalog.Program, slug string) catalog.Link {
	w.t.Helper()
	l, err := w.CreateLink(w.t.Context(), catalog.NewLink{
		AffiliateID: a.ID, ProgramID: p.ID, Slug: slug, Destination: "https://shop.example/?c={click_id}",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// clear removes all that is in the catalogue; revisions go on.
func (w *world) clear() {
	w.t.Helper()
	err := w.db.InTx(w.t.Context(), func(tx *db.Tx) error {
		for _, table := range []string{"links", "programs", "affiliates"} {
			if _, err := tx.Exec(w.t.Context(), "DELETE FROM "+table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestProgramLife(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		made := w.program()
		want := fields()
		want.AllowedHosts = []string{"shop.example", "*.shop.example", "shop.example:8443"}
		if diff := cmp.Diff(want, made.ProgramFields); diff != "" {
			t.Errorf("fields (-want +got):\n%s", diff)
		}
		if !strings.HasPrefix(made.Secret, "pbs_") || made.PreviousSecret != "" || made.Status != link.Active {
			t.Errorf("program %+v", made)
		}
		read, err := w.Program(ctx, made.ID)
		if diff := cmp.Diff(made, read); err != nil || diff != "" {
			t.Errorf("%v (-made +read):\n%s", err, diff)
		}
		w.clock.add(time.Second)
		name, hosts, state := "Trainings", []string{}, link.Disabled
		changed, err := w.UpdateProgram(ctx, made.ID, catalog.ProgramPatch{Name: &name, AllowedHosts: &hosts, Status: &state})
		if err != nil || changed.Name != name || len(changed.AllowedHosts) != 0 || changed.HoldDays != 30 || changed.Status != state {
			t.Errorf("changed %+v, %v", changed, err)
		}
		if changed.UpdatedAt != made.UpdatedAt+1000 || changed.Rev <= made.Rev || changed.Secret != made.Secret {
			t.Errorf("changed %+v after %+v", changed, made)
		}
		first, err := w.RotateSecret(ctx, made.ID)
		if err != nil || first.Secret == made.Secret || first.PreviousSecret != made.Secret {
			t.Errorf("rotated %+v, %v", first, err)
		}
		second, err := w.RotateSecret(ctx, made.ID)
		if err != nil || second.PreviousSecret != first.Secret {
			t.Errorf("rotated again %+v, %v", second, err)
		}
		if _, err := w.Program(ctx, 1); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("unknown program: %v", err)
		}
	})
}

func TestInvalidPrograms(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	long := strings.Repeat("x", 300)
	for field, spoil := range map[string]func(*catalog.ProgramFields){
		"name":                    func(f *catalog.ProgramFields) { f.Name = " " },
		"currency":                func(f *catalog.ProgramFields) { f.Currency = "inr" },
		"attribution_window_days": func(f *catalog.ProgramFields) { f.AttributionWindowDays = 0 },
		"attribution_model":       func(f *catalog.ProgramFields) { f.AttributionModel = "first" },
		"hold_days":               func(f *catalog.ProgramFields) { f.HoldDays = -1 },
		"allowed_hosts":           func(f *catalog.ProgramFields) { f.AllowedHosts = []string{"ok.example", "https://no.example"} },
		"fallback_url":            func(f *catalog.ProgramFields) { f.FallbackURL = "javascript:alert(1)" },
		"click_param":             func(f *catalog.ProgramFields) { f.ClickParam = "a&b" },
		"browser_conversions":     func(f *catalog.ProgramFields) { f.BrowserConversions = "some" },
	} {
		f := fields()
		spoil(&f)
		_, err := w.CreateProgram(t.Context(), f)
		wantInvalid(t, err, field)
	}
	f := fields()
	f.Name, f.Currency, f.HoldDays = long, "XXX", 10_000
	_, err := w.CreateProgram(t.Context(), f)
	wantInvalid(t, err, "name", "currency", "hold_days")
	if list, err := w.Programs(t.Context(), 0, 10); err != nil || len(list) != 0 {
		t.Errorf("%d programs, %v", len(list), err)
	}
}

func wantInvalid(t *testing.T, err error, fields ...string) {
	t.Helper()
	var invalid *catalog.InvalidError
	if !errors.As(err, &invalid) {
		t.Errorf("%v: error %v, want an InvalidError", fields, err)
		return
	}
	var got []string
	for _, f := range invalid.Fields {
		got = append(got, f.Field)
	}
	if diff := cmp.Diff(fields, got); diff != "" {
		t.Errorf("fields at fault (-want +got):\n%s", diff)
	}
}

func TestAffiliateLife(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		made := w.affiliate()
		email, status := "ann@example.org", catalog.Suspended
		changed, err := w.UpdateAffiliate(ctx, made.ID, catalog.AffiliatePatch{Email: &email, Status: &status})
		if err != nil || changed.Name != "Ann" || changed.Email != email || changed.Status != status {
			t.Errorf("changed %+v, %v", changed, err)
		}
		read, err := w.Affiliate(ctx, made.ID)
		if diff := cmp.Diff(changed, read); err != nil || diff != "" {
			t.Errorf("%v (-changed +read):\n%s", err, diff)
		}
		if _, err := w.UpdateAffiliate(ctx, 1, catalog.AffiliatePatch{}); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("unknown affiliate: %v", err)
		}
		bad := catalog.Status("gone")
		_, err = w.UpdateAffiliate(ctx, made.ID, catalog.AffiliatePatch{Status: &bad})
		wantInvalid(t, err, "status")
		for _, c := range [][2]string{{"", "a@example.com"}, {"A\x00", "a@example.com"}} {
			_, err := w.CreateAffiliate(ctx, c[0], c[1])
			wantInvalid(t, err, "name")
		}
		for _, email := range []string{"", "a", "a@b", "Ann <a@example.com>", "a@example.com, b@example.com"} {
			_, err := w.CreateAffiliate(ctx, "Ann", email)
			wantInvalid(t, err, "email")
		}
	})
}

func TestLinkLife(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a, p := w.affiliate(), w.program()
		made := w.link(a, p, "Spring-Sale_2026.~x")
		read, err := w.Link(ctx, made.ID)
		if diff := cmp.Diff(made, read); err != nil || diff != "" {
			t.Errorf("%v (-made +read):\n%s", err, diff)
		}
		_, err = w.CreateLink(ctx, catalog.NewLink{AffiliateID: a.ID, ProgramID: p.ID, Slug: made.Slug, Destination: "https://shop.example/"})
		if !errors.Is(err, catalog.ErrSlugTaken) {
			t.Errorf("same slug: %v", err)
		}
		other := w.link(a, p, strings.ToLower(made.Slug)) // slugs tell cases apart
		destination, expires := "https://shop.example/{slug}", w.clock.Now().UnixMilli()+1
		changed, err := w.UpdateLink(ctx, made.ID, catalog.LinkPatch{Destination: &destination, ExpiresAt: &expires})
		if err != nil || changed.Destination != destination || changed.ExpiresAt != expires || changed.Rev <= other.Rev {
			t.Errorf("changed %+v, %v", changed, err)
		}
		_, err = w.CreateLink(ctx, catalog.NewLink{AffiliateID: 7, ProgramID: 8, Destination: "https://shop.example/"})
		wantInvalid(t, err, "affiliate_id", "program_id")
		list, err := w.Links(ctx, catalog.LinkFilter{AffiliateID: a.ID, ProgramID: p.ID}, 0, 10)
		if err != nil || len(list) != 2 || list[0].ID != other.ID {
			t.Errorf("list %+v, %v", list, err)
		}
		list, err = w.Links(ctx, catalog.LinkFilter{AffiliateID: a.ID}, other.ID, 10)
		if err != nil || len(list) != 1 || list[0].ID != made.ID {
			t.Errorf("list before the second %+v, %v", list, err)
		}
		if list, err := w.Links(ctx, catalog.LinkFilter{ProgramID: 8}, 0, 10); err != nil || len(list) != 0 {
			t.Errorf("list of another program %+v, %v", list, err)
		}
	})
}

func TestGeneratedSlugs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, p := w.affiliate(), w.program()
		seen := map[string]bool{}
		for range 50 {
			l := w.link(a, p, "")
			if len(l.Slug) != 7 || strings.Trim(l.Slug, "23456789abcdefghjkmnpqrstuvwxyz") != "" || seen[l.Slug] {
				t.Errorf("slug %q", l.Slug)
			}
			seen[l.Slug] = true
		}
	})
}

func TestInvalidSlugs(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	a, p := w.affiliate(), w.program()
	for _, slug := range []string{
		"a/b", "a b", "ä", "a%20", "\x00", strings.Repeat("a", 65), "a?b",
		"postback", "PostBack", "pixel.gif", "t.js", "robots.txt", "favicon.ico", ".well-known", ".well-known-x", ".", "..",
	} {
		_, err := w.CreateLink(t.Context(), catalog.NewLink{AffiliateID: a.ID, ProgramID: p.ID, Slug: slug, Destination: "https://shop.example/"})
		wantInvalid(t, err, "slug")
	}
}

func TestDestinations(t *testing.T) {
	good := []string{
		"https://shop.example", "http://shop.example:8080/a?b=c#d", "https://shop.example/{sub1}/{slug}?c={click_id}&l={link_id}",
		"https://xn--mnchen-3ya.example/", "https://192.0.2.1/", "HTTPS://Shop.Example/", "https://shop.example/ü",
	}
	bad := []string{
		"", "shop.example", "//shop.example/", "/path", "ftp://shop.example/", "javascript:alert(1)", "https://", "https:///path",
		"https://user@shop.example/", "https://user:pass@shop.example/", "https://shop.example:0/", "https://shop.example:/",
		"https://shop.example:99999/", "https://shop.example/a b", "https://shop.example\\@evil.example/", "https://shop.example/\n",
		"https://{sub1}.example/", "https://shop.example/{sub6}", "https://shop.example/{", "https://shop.example/{}", "https://[::1]/",
		"https://münchen.example/", "https://0x7f.1/", "https://127.1/", "https://1.2.3.4.5/", "https://.example/", "https://a..example/",
		"https://shop.example/\xff", "https://shop.example/" + strings.Repeat("x", 2048), "https:shop.example",
	}
	for _, s := range good {
		if reason := catalog.CheckURL(s); reason != "" {
			t.Errorf("%q %s", s, reason)
		}
	}
	for _, s := range bad {
		if catalog.CheckURL(s) == "" {
			t.Errorf("%q is taken for good", s)
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{"https://shop.example/{click_id}?a=b#c", "http://a:80", "https://user@host/", "https://h/{x", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if catalog.CheckURL(s) != "" {
			return
		}
		lower := strings.ToLower(s)
		if !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") {
			t.Fatalf("%q does not begin with http(s)://", s)
		}
		authority, _, _ := strings.Cut(s[strings.Index(s, "//")+2:], "/")
		authority, _, _ = strings.Cut(authority, "?")
		authority, _, _ = strings.Cut(authority, "#")
		if authority == "" || strings.ContainsAny(authority, "@{}\\ [") {
			t.Fatalf("%q has authority %q", s, authority)
		}
	})
}
