package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/material"
	"github.com/edgeref/edgeref/wire/ident"
)

func materialModule(s *server, c *catalog.Catalog) api.Module {
	return api.Materials(api.MaterialServices{
		Materials: material.New(material.Options{DB: s.db, IDs: s.ids, Audit: s.audit, Now: s.clock.Now}), Catalog: c,
		LinksURL: func() string { return "https://go.example" }, PublicURL: "https://core.example",
	})
}

func TestMaterials(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		affiliate, err := ident.Parse(ident.Affiliate, sh.affiliate.ID)
		if err != nil {
			t.Fatal(err)
		}
		s.bearer = s.signIn(7, nil, access.RoleAdmin)
		m := s.upload()
		var banner, text, draft api.Material
		create := func(body map[string]any) answer { return s.do("POST", "/api/v1/materials", body) }
		create(map[string]any{"kind": "banner", "name": `A "square"`, "media_id": m.ID, "active": true, "position": 2}).want(http.StatusCreated).into(&banner)
		create(map[string]any{"kind": "email", "name": "Mail", "subject": "{name} says", "content": "See {link}", "program_id": sh.program.ID, "active": true, "position": 1}).
			want(http.StatusCreated).into(&text)
		create(map[string]any{"kind": "text", "name": "Draft", "content": "x"}).want(http.StatusCreated).into(&draft)
		create(map[string]any{"kind": "text", "name": "Nothing"}).want(http.StatusUnprocessableEntity, "validation_failed")
		if banner.Width != 20 || banner.MediaPath != m.Path {
			t.Errorf("%+v", banner)
		}
		s.do("DELETE", "/api/v1/site/media/"+m.ID, nil).want(http.StatusConflict, "media_in_use")
		var all struct{ Items []api.Material }
		s.do("GET", "/api/v1/materials", nil).want(http.StatusOK).into(&all)
		if len(all.Items) != 3 || all.Items[0].ID != draft.ID {
			t.Errorf("%+v", all)
		}

		s.bearer = s.signIn(8, func(p *access.Principal) { p.AffiliateID = affiliate }, access.RoleAffiliate)
		var own struct{ Items []api.OwnMaterial }
		s.do("GET", "/api/v1/me/affiliate/materials", nil).want(http.StatusOK).into(&own)
		if len(own.Items) != 2 || own.Items[0].Content != "See {link}" || own.Items[1].HTML != "" || own.Items[1].MediaURL != "https://core.example"+m.Path {
			t.Errorf("without a link: %+v", own)
		}
		s.do("GET", "/api/v1/me/affiliate/materials?link_id="+sh.link.ID, nil).want(http.StatusOK).into(&own)
		link := "https://go.example/" + sh.link.Slug
		if own.Items[0].Content != "See "+link || own.Items[0].Subject != sh.affiliate.Name+" says" ||
			!strings.HasPrefix(own.Items[1].HTML, `<a href="`+link+`"><img src="https://core.example/site/media/`) || !strings.Contains(own.Items[1].HTML, `alt="A &#34;square&#34;"`) {
			t.Errorf("with a link: %+v", own)
		}
		s.do("POST", "/api/v1/materials", map[string]any{"kind": "text", "name": "x", "content": "x"}).want(http.StatusForbidden, "forbidden")
		// Another's link is none.
		s.bearer = s.signIn(9, func(p *access.Principal) { p.AffiliateID = s.otherAffiliate() }, access.RoleAffiliate)
		s.do("GET", "/api/v1/me/affiliate/materials?link_id="+sh.link.ID, nil).want(http.StatusNotFound, "not_found")

		s.bearer = s.signIn(10, nil, access.RoleAdmin)
		s.do("PATCH", "/api/v1/materials/"+banner.ID, map[string]any{"active": false, "program_id": sh.program.ID}).want(http.StatusOK).into(&banner)
		if banner.Active || banner.ProgramID != sh.program.ID || banner.MediaID != m.ID {
			t.Errorf("%+v", banner)
		}
		s.do("DELETE", "/api/v1/materials/"+banner.ID, nil).want(http.StatusNoContent)
		s.do("GET", "/api/v1/materials/"+banner.ID, nil).want(http.StatusNotFound, "not_found")
		if log := s.auditLog("?object=" + banner.ID); len(log) != 3 || log[0].Action != "material.delete" {
			t.Errorf("%+v", log)
		}
	})
}

// otherAffiliate makes an affiliate without anything.
func (s *server) otherAffiliate() int64 {
	s.t.Helper()
	bearer := s.bearer
	s.bearer = adminSecret
	var made api.Affiliate
	s.do("POST", "/api/v1/affiliates", map[string]any{"name": "Other", "email": "other@example.com"}).want(http.StatusCreated).into(&made)
	s.bearer = bearer
	id, err := ident.Parse(ident.Affiliate, made.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}
