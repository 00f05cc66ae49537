package material_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/material"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/site"
)

func TestMaterials(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		now := func() time.Time { return time.Unix(1_800_000_000, 0) }
		ids := newid.New(now)
		bucket := memblob.OpenBucket(nil)
		defer bucket.Close()
		pages := site.New(site.Options{DB: d, IDs: ids, Bucket: bucket, Now: now})
		s := material.New(material.Options{DB: d, IDs: ids, Audit: audit.New(audit.Options{DB: d, IDs: ids}), Now: now})
		links, err := catalog.New(ctx, catalog.Options{DB: d, IDs: ids, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		p, err := links.CreateProgram(ctx, catalog.ProgramFields{Name: "Courses", Currency: "INR", AttributionWindowDays: 30, AttributionModel: "last_click", ClickParam: "click_id", BrowserConversions: "off", AllowedHosts: []string{"shop.example"}})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 300, 250))); err != nil {
			t.Fatal(err)
		}
		picture, err := pages.Upload(ctx, "square.png", b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		banner, err := s.Create(ctx, material.Material{Kind: material.Banner, Name: "Square", MediaID: picture.ID, Active: true, Position: 5})
		if err != nil || banner.Media.Width != 300 {
			t.Fatalf("%+v, %v", banner, err)
		}
		text, err := s.Create(ctx, material.Material{Kind: material.Text, Name: "Post", Content: "नमस्ते {link}", ProgramID: p.ID, Active: true, Position: 1})
		if err != nil {
			t.Fatal(err)
		}
		hidden, err := s.Create(ctx, material.Material{Kind: material.Landing, Name: "Page", URL: "https://shop.example/c", ProgramID: p.ID})
		if err != nil {
			t.Fatal(err)
		}
		for field, m := range map[string]material.Material{
			"kind":       {Kind: "video", Name: "x"},
			"name":       {Kind: material.Text, Content: "x"},
			"content":    {Kind: material.Text, Name: "x"},
			"subject":    {Kind: material.Email, Name: "x", Content: "y"},
			"media_id":   {Kind: material.Banner, Name: "x", MediaID: 77},
			"url":        {Kind: material.Landing, Name: "x", URL: "javascript:alert(1)"},
			"program_id": {Kind: material.Text, Name: "x", Content: "y", ProgramID: 77},
		} {
			if _, err := s.Create(ctx, m); !isInvalid(err, field) {
				t.Errorf("%s: %v", field, err)
			}
		}
		if _, err := s.Create(ctx, material.Material{Kind: material.Landing, Name: "x", URL: "https://other.example", ProgramID: p.ID}); !isInvalid(err, "url") {
			t.Errorf("a page elsewhere: %v", err)
		}
		if _, err := s.Create(ctx, material.Material{Kind: material.Text, Name: "x", Content: "y", URL: "https://shop.example"}); !isInvalid(err, "url") {
			t.Errorf("a text with a URL: %v", err)
		}
		if got, err := s.List(ctx, material.Filter{Active: true}); err != nil || len(got) != 2 || got[0].ID != text.ID || got[1].Media.FileName != "square.png" {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := s.List(ctx, material.Filter{ProgramID: p.ID + 1}); err != nil || len(got) != 1 || got[0].ID != banner.ID {
			t.Errorf("of another program: %+v, %v", got, err)
		}
		if got, err := s.List(ctx, material.Filter{ProgramID: p.ID, Kind: material.Landing}); err != nil || len(got) != 1 || got[0].ID != hidden.ID {
			t.Errorf("of the program: %+v, %v", got, err)
		}
		yes, last := true, int64(9)
		if got, err := s.Update(ctx, hidden.ID, material.Change{Active: &yes, Position: &last}); err != nil || !got.Active || got.URL != hidden.URL {
			t.Errorf("%+v, %v", got, err)
		}
		none := ""
		if _, err := s.Update(ctx, text.ID, material.Change{Content: &none}); !isInvalid(err, "content") {
			t.Errorf("emptied: %v", err)
		}
		var used *site.InUseError
		if err := pages.DeleteMedia(ctx, picture.ID); !errors.As(err, &used) || len(used.Uses) != 1 || used.Uses[0] != (site.Use{Place: site.PlaceMaterial, ID: banner.ID, Name: banner.Name}) {
			t.Errorf("its picture: %v", err)
		}
		if err := s.Delete(ctx, banner.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(ctx, banner.ID); !errors.Is(err, material.ErrNotFound) {
			t.Error(err)
		}
		if err := pages.DeleteMedia(ctx, picture.ID); err != nil {
			t.Error(err)
		}
		var entries int
		if err := d.QueryRow(ctx, "SELECT COUNT(*) FROM audit_log WHERE action LIKE 'material.%'").Scan(&entries); err != nil || entries != 5 {
			t.Errorf("%d entries, %v", entries, err)
		}
	})
}

func isInvalid(err error, field string) bool {
	in, ok := errors.AsType[*material.InvalidError](err)
	return ok && in.Field == field
}

func TestFill(t *testing.T) {
	for _, tt := range []struct{ text, link, name, want string }{
		{"{name}: {link} {link}", "https://go.example/x", "Ann", "Ann: https://go.example/x https://go.example/x"},
		{"{link}", "", "Ann", "{link}"},
		{"{link}", "https://go.example/{name}", "Ann", "https://go.example/{name}"},
		{"no more", "l", "n", "no more"},
	} {
		if got := material.Fill(tt.text, tt.link, tt.name); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func FuzzFill(f *testing.F) {
	f.Add("{link} {name}", "l", "n")
	f.Fuzz(func(t *testing.T, text, link, name string) {
		got := material.Fill(text, link, name)
		if !strings.Contains(text, "{link}") && !strings.Contains(text, "{name}") && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}
