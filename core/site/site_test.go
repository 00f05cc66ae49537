package site_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/picture"
	"github.com/edgeref/edgeref/core/site"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func open(t *testing.T, d *db.DB, at *clock) *site.Service {
	t.Helper()
	bucket := memblob.OpenBucket(nil)
	t.Cleanup(func() { bucket.Close() })
	return openOn(d, at, bucket)
}

func openOn(d *db.DB, at *clock, bucket *blob.Bucket) *site.Service {
	ids := newid.New(at.now)
	return site.New(site.Options{DB: d, IDs: ids, Bucket: bucket, Audit: audit.New(audit.Options{DB: d, IDs: ids}), Now: at.now})
}

func aPNG(t *testing.T, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSettingsAreSavedAndShownByAllCores(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		at := &clock{at: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)}
		here, there := open(t, d, at), open(t, d, at)
		ctx := t.Context()
		for _, s := range []*site.Service{here, there} {
			if v, err := s.Get(ctx); err != nil || v.Revision != 0 || v.Name != "Edgeref" || v.HTML.Text == "" {
				t.Fatalf("defaults: %+v, %v", v, err)
			}
		}
		want := site.Defaults()
		want.Name, want.Text, want.Terms, want.Accent = "Grow", "**Now**", "# Terms\n\n<script>x</script>नियम", "#0b6b3a"
		saved, err := here.Put(ctx, want)
		if err != nil || saved.Revision != 1 || saved.UpdatedAt != at.now().UnixMilli() {
			t.Fatalf("save: %+v, %v", saved, err)
		}
		if v, err := here.Get(ctx); err != nil || v.Name != "Grow" || v.HTML.Text != "<p><strong>Now</strong></p>\n" || strings.Contains(string(v.HTML.Terms), "script") {
			t.Errorf("here: %+v, %v", v, err)
		}
		if v, _ := there.Get(ctx); v.Revision != 0 {
			t.Errorf("another core asks the database for every page")
		}
		at.pass(time.Second)
		if v, err := there.Get(ctx); err != nil || v.Name != "Grow" || v.Terms != want.Terms || v.Revision != 1 {
			t.Errorf("there: %+v, %v", v, err)
		}
		// Both edit revision 1; the second is told.
		want.Revision, want.Name = 1, "First"
		if _, err := there.Put(ctx, want); err != nil {
			t.Fatal(err)
		}
		want.Name = "Second"
		if _, err := here.Put(ctx, want); !errors.Is(err, site.ErrConflict) {
			t.Errorf("a concurrent edit: %v", err)
		}
		want.Revision = 9
		if _, err := here.Put(ctx, want); !errors.Is(err, site.ErrConflict) {
			t.Errorf("a revision that is not there: %v", err)
		}
		if old, err := here.Revision(ctx, 1); err != nil || old.Name != "Grow" {
			t.Errorf("what was: %+v, %v", old, err)
		}
		var entries int
		if err := d.QueryRow(ctx, "SELECT COUNT(*) FROM audit_log WHERE action = 'site.update'").Scan(&entries); err != nil || entries != 2 {
			t.Errorf("%d audit entries, %v", entries, err)
		}
	})
}

// Of many who save at once, one does, whatever the database.
func TestOneOfManySavesWins(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, &clock{at: time.Unix(1_800_000_000, 0)})
		results := make(chan error, 8)
		for i := range cap(results) {
			go func() {
				v := site.Defaults()
				v.Name = fmt.Sprint("site ", i)
				_, err := s.Put(context.WithoutCancel(t.Context()), v)
				results <- err
			}()
		}
		won := 0
		for range cap(results) {
			switch err := <-results; {
			case err == nil:
				won++
			case !errors.Is(err, site.ErrConflict):
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d saved", won)
		}
	})
}

func TestSettingsAreShownWhileTheDatabaseIsGone(t *testing.T) {
	d := dbtest.SQLite(t)
	at := &clock{at: time.Unix(1_800_000_000, 0)}
	s := open(t, d, at)
	if _, err := s.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.Close()
	at.pass(time.Hour)
	if v, err := s.Get(t.Context()); err != nil || v.Name == "" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	s := open(t, dbtest.SQLite(t), &clock{at: time.Unix(1_800_000_000, 0)})
	for _, tt := range []struct {
		field  string
		change func(*site.Settings)
	}{
		{"name", func(v *site.Settings) { v.Name = " " }},
		{"name", func(v *site.Settings) { v.Name = strings.Repeat("n", site.MaxName+1) }},
		{"headline", func(v *site.Settings) { v.Headline = "two\nlines" }},
		{"text", func(v *site.Settings) { v.Text = "\xff" }},
		{"terms", func(v *site.Settings) { v.Terms = strings.Repeat("x", site.MaxLegal+1) }},
		{"support_email", func(v *site.Settings) { v.SupportEmail = "Help <help@example.com>" }},
		{"accent", func(v *site.Settings) { v.Accent = "red" }},
		{"accent", func(v *site.Settings) { v.Accent = "#ffff00" }},
		{"accent", func(v *site.Settings) { v.Accent = "#1b5fc1;" }},
		{"locale", func(v *site.Settings) { v.Locale = "en_IN" }},
		{"locale", func(v *site.Settings) { v.Locale = "" }},
		{"hero_image_id", func(v *site.Settings) { v.HeroImage = 7 }},
		{"featured_product_ids", func(v *site.Settings) { v.Featured = []int64{7} }},
		{"featured_product_ids", func(v *site.Settings) { v.Featured = []int64{7, 7} }},
	} {
		v := site.Defaults()
		tt.change(&v)
		_, err := s.Put(t.Context(), v)
		in, ok := errors.AsType[*site.InvalidError](err)
		if !ok || in.Fields[0].Field != tt.field {
			t.Errorf("%s: %v", tt.field, err)
		}
	}
}

func TestMedia(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, &clock{at: time.Unix(1_800_000_000, 0)})
		ctx := t.Context()
		m, err := s.Upload(ctx, "hero.png", aPNG(t, 40, 30))
		if err != nil || m.ContentType != picture.PNG || m.Width != 40 || m.Height != 30 {
			t.Fatalf("%+v, %v", m, err)
		}
		for name, data := range map[string][]byte{"html": []byte("<html>"), "svg": []byte("<svg/>"), "png with something behind": append(aPNG(t, 4, 4), "<script>"...)} {
			if _, err := s.Upload(ctx, "x.png", data); !isRefused(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := s.Upload(ctx, "../x.png", aPNG(t, 4, 4)); err == nil {
			t.Error("a path was taken for a name")
		}
		if _, err := s.Upload(ctx, "x.png", make([]byte, site.MaxMediaBytes+1)); !errors.Is(err, site.ErrTooLarge) {
			t.Error(err)
		}
		v := site.Defaults()
		v.HeroImage = m.ID
		if _, err := s.Put(ctx, v); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteMedia(ctx, m.ID); !isUsed(err, "the picture of the landing page") {
			t.Errorf("delete what is in use: %v", err)
		}
		other, err := s.Upload(ctx, "other.png", aPNG(t, 4, 4))
		if err != nil {
			t.Fatal(err)
		}
		if list, err := s.MediaList(ctx, 0, 10); err != nil || len(list) != 2 || list[0].ID != other.ID {
			t.Errorf("%+v, %v", list, err)
		}
		if err := s.DeleteMedia(ctx, other.ID); err != nil {
			t.Error(err)
		}
		if err := s.DeleteMedia(ctx, other.ID); !errors.Is(err, site.ErrNotFound) {
			t.Error(err)
		}
	})
}

func isRefused(err error) bool {
	_, ok := errors.AsType[*picture.RefusedError](err)
	return ok
}

func TestServeMedia(t *testing.T) {
	s := open(t, dbtest.SQLite(t), &clock{at: time.Unix(1_800_000_000, 0)})
	m, err := s.Upload(t.Context(), "hero.png", aPNG(t, 40, 30))
	if err != nil {
		t.Fatal(err)
	}
	paper, err := s.Upload(t.Context(), "Broschüre.pdf", []byte("%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\nxref\n0 1\ntrailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"))
	if err != nil {
		t.Fatal(err)
	}
	get := func(method, path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w
	}
	w := get("GET", m.Path())
	h := w.Header()
	if w.Code != 200 || h.Get("Content-Type") != "image/png" || h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("X-Content-Type-Options") != "nosniff" ||
		int64(w.Body.Len()) != m.Size {
		t.Errorf("%d %v, %d bytes", w.Code, h, w.Body.Len())
	}
	for _, tt := range []struct {
		method, path string
		header       []string
		want         int
	}{
		{"HEAD", m.Path(), nil, 200},
		{"GET", m.Path(), []string{"If-None-Match", h.Get("ETag")}, 304},
		{"GET", m.Path(), []string{"Range", "bytes=0-9"}, 206},
		{"POST", m.Path(), nil, 405},
		{"GET", site.MediaPath + "med_0000000000001", nil, 404},
		{"GET", site.MediaPath + "kyc_0000000000001", nil, 404},
		{"GET", site.MediaPath + "..%2Fkyc", nil, 404},
		{"GET", site.MediaPath, nil, 404},
	} {
		if got := get(tt.method, tt.path, tt.header...); got.Code != tt.want {
			t.Errorf("%s %s: %d", tt.method, tt.path, got.Code)
		} else if tt.want == 404 && got.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept: %v", tt.path, got.Header())
		}
	}
	if w := get("GET", paper.Path()); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func FuzzContrast(f *testing.F) {
	for _, seed := range []string{"#000000", "#ffffff", "#1b5fc1", "#12345", "123456#", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, colour string) {
		ratio, ok := site.ContrastWithWhite(colour)
		if ok && (ratio < 1 || ratio > 21.001 || len(colour) != 7) {
			t.Errorf("%q: %f", colour, ratio)
		}
	})
}

// isUsed reports whether a file was not deleted because exactly these places show it.
func isUsed(err error, places ...string) bool {
	used, ok := errors.AsType[*site.InUseError](err)
	if !ok || len(used.Uses) != len(places) {
		return false
	}
	for i, u := range used.Uses {
		if u.String() != places[i] || !strings.Contains(err.Error(), places[i]) {
			return false
		}
	}
	return true
}
