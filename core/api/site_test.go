package api_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gocloud.dev/blob/memblob"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/site"
)

// siteModules are the site and what else pages are told of.
func siteModules(s *server) []api.Module {
	bucket := memblob.OpenBucket(nil)
	s.t.Cleanup(func() { bucket.Close() })
	health := systemService(s)
	return []api.Module{
		api.Site(site.New(site.Options{DB: s.db, IDs: s.ids, Bucket: bucket, Audit: s.audit, Now: s.clock.Now})),
		materialModule(s, s.self.Catalog), api.System(health), liveModule(s), api.Business(s.db, health),
		api.Settings(api.SettingList{File: "edgeref.yaml", Sections: []api.SettingSection{{Name: "core", Settings: []api.Setting{
			{Name: "core.listen", Value: "127.0.0.1:8081", Source: "file", IsSet: true}, {Name: "core.admin_token", Secret: true, IsSet: true, Source: "environment"},
		}}}}),
	}
}

func onePicture(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 20, 10))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (s *server) upload() (m api.SiteMedia) {
	s.t.Helper()
	s.do("POST", "/api/v1/site/media?file_name=hero.png", onePicture(s.t), "Content-Type", "application/octet-stream").want(http.StatusCreated).into(&m)
	return m
}

func TestSite(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.bearer = s.signIn(7, nil, access.RoleAdmin)
		var now api.SiteView
		s.do("GET", "/api/v1/site", nil).want(http.StatusOK).into(&now)
		if now.Revision != 0 || now.Name == "" || now.Accent == "" || now.UpdatedAt != nil {
			t.Fatalf("defaults: %+v", now)
		}
		m := s.upload()
		if m.Width != 20 || m.ContentType != "image/png" || m.Path != "/site/media/"+m.ID {
			t.Errorf("%+v", m)
		}
		var product api.Product
		s.do("POST", "/api/v1/products", map[string]any{"slug": "sales", "name": "Sales", "description": "# Twelve lessons", "image_id": m.ID}).want(http.StatusCreated).into(&product)
		if product.ImageID != m.ID || product.ImagePath != m.Path {
			t.Errorf("%+v", product)
		}
		edit := api.SiteRequest{Revision: now.Revision, SiteTexts: now.SiteTexts}
		edit.Name, edit.HeroImageID, edit.FeaturedIDs, edit.Terms = "Grow", m.ID, []string{product.ID}, strings.Repeat("Terms. ", 10_000)
		s.do("PUT", "/api/v1/site", edit).want(http.StatusOK).into(&now)
		if now.Revision != 1 || now.HeroImagePath != m.Path || now.FeaturedIDs[0] != product.ID || now.UpdatedBy != "per_0000000000007" || now.Terms != edit.Terms {
			t.Errorf("saved: %.300v", now)
		}
		edit.Name = "Too late"
		s.do("PUT", "/api/v1/site", edit).want(http.StatusConflict, "site_changed")
		edit.Revision, edit.Accent = 1, "#ffff00"
		bad := s.do("PUT", "/api/v1/site", edit).want(http.StatusUnprocessableEntity, "validation_failed")
		if !strings.Contains(string(bad.body), "body.accent") || !strings.Contains(string(bad.body), "contrast") {
			t.Errorf("%s", bad.body)
		}
		edit.Accent, edit.FeaturedIDs = "#1b5fc1", []string{"prd_0000000000001"}
		s.do("PUT", "/api/v1/site", edit).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("GET", "/api/v1/site/revisions/1", nil).want(http.StatusOK).into(&now)
		s.do("GET", "/api/v1/site/revisions/2", nil).want(http.StatusNotFound, "not_found")
		log := s.auditLog("?object=site")
		if len(log) != 1 || log[0].Action != "site.update" || !strings.Contains(string(log[0].After), `"name":"Grow"`) || !strings.Contains(string(log[0].After), "70000 bytes") {
			t.Errorf("log: %+v", log)
		}
		s.isUsed(m, "the picture of the landing page", api.MediaUse{Place: "hero"}, api.MediaUse{Place: "product", ID: product.ID, Name: product.Name})
		s.do("PATCH", "/api/v1/products/"+product.ID, map[string]any{"image_id": ""}).want(http.StatusOK).into(&product)
		if product.ImageID != "" {
			t.Errorf("%+v", product)
		}
		other := s.upload()
		s.do("PATCH", "/api/v1/products/"+product.ID, map[string]any{"image_id": other.ID}).want(http.StatusOK)
		s.isUsed(other, fmt.Sprintf("the product %q", product.Name), api.MediaUse{Place: "product", ID: product.ID, Name: product.Name})
		s.do("PATCH", "/api/v1/products/"+product.ID, map[string]any{"image_id": "", "description": "See ![it](" + other.Path + ")."}).want(http.StatusOK)
		s.isUsed(other, fmt.Sprintf("the product %q", product.Name), api.MediaUse{Place: "product", ID: product.ID, Name: product.Name})
		s.do("PATCH", "/api/v1/products/"+product.ID, map[string]any{"description": ""}).want(http.StatusOK)
		s.do("DELETE", "/api/v1/site/media/"+other.ID, nil).want(http.StatusNoContent)
		s.do("PATCH", "/api/v1/products/"+product.ID, map[string]any{"image_id": other.ID}).want(http.StatusUnprocessableEntity, "validation_failed")
		var list struct{ Items []api.SiteMedia }
		s.do("GET", "/api/v1/site/media", nil).want(http.StatusOK).into(&list)
		s.do("GET", "/api/v1/site/media/"+m.ID, nil).want(http.StatusOK)
		if len(list.Items) != 1 || list.Items[0].ID != m.ID {
			t.Errorf("%+v", list)
		}
	})
}

func TestSiteIsForThoseWhoRunIt(t *testing.T) {
	s := sqliteServer(t)
	s.do("POST", "/api/v1/site/media?file_name=x.png", "<svg onload=alert(1)>", "Content-Type", "application/octet-stream").want(http.StatusUnprocessableEntity, "file_refused")
	s.do("POST", "/api/v1/site/media?file_name=..%2Fx.png", onePicture(t), "Content-Type", "application/octet-stream").want(http.StatusUnprocessableEntity, "validation_failed")
	s.do("POST", "/api/v1/site/media?file_name=x.png", strings.Repeat("x", site.MaxMediaBytes+1), "Content-Type", "application/octet-stream").want(http.StatusRequestEntityTooLarge)
	var shown api.MarkdownView
	s.do("POST", "/api/v1/markdown", map[string]any{"text": "# A\n<script>b</script>"}).want(http.StatusOK).into(&shown)
	if shown.HTML != "<h2>A</h2>\n\n" {
		t.Errorf("%q", shown.HTML)
	}
	s.bearer = s.signIn(8, nil, access.RoleSupport)
	s.do("GET", "/api/v1/settings", nil).want(http.StatusForbidden, "forbidden")
	s.bearer = ""
	s.do("PUT", "/api/v1/site", map[string]any{}).want(http.StatusUnauthorized, "unauthenticated")
	var brand api.SiteBrand
	s.do("GET", "/api/v1/site/brand", nil).want(http.StatusOK).into(&brand)
	if brand.Accent == "" || brand.Name == "" {
		t.Errorf("%+v", brand)
	}
}

func TestSettings(t *testing.T) {
	s := sqliteServer(t)
	var list api.SettingList
	s.do("GET", "/api/v1/settings", nil).want(http.StatusOK).into(&list)
	if len(list.Sections) != 1 || list.Sections[0].Settings[1].Value != "" || !list.Sections[0].Settings[1].IsSet {
		t.Errorf("%+v", list)
	}
}

// isUsed expects that a file cannot be deleted, because it is shown there and nowhere else.
func (s *server) isUsed(m api.SiteMedia, words string, places ...api.MediaUse) {
	s.t.Helper()
	refused := s.do("DELETE", "/api/v1/site/media/"+m.ID, nil).want(http.StatusConflict, "media_in_use")
	var p api.Problem
	if refused.into(&p); !strings.Contains(p.Detail, words) {
		s.t.Errorf("refused: %q", p.Detail)
	}
	var found api.SiteMediaDetail
	s.do("GET", "/api/v1/site/media/"+m.ID, nil).want(http.StatusOK).into(&found)
	if found.ID != m.ID || !slices.Equal(found.UsedBy, places) {
		s.t.Errorf("used by %+v, want %+v", found.UsedBy, places)
	}
}
