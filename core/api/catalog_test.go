package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/api"
)

func (s *server) program() api.ProgramWithSecret {
	s.t.Helper()
	var p api.ProgramWithSecret
	s.do("POST", "/api/v1/programs", map[string]any{"name": "Courses", "currency": "INR", "allowed_hosts": []string{"shop.example"}}).
		want(http.StatusCreated).into(&p)
	return p
}

func (s *server) affiliate() api.Affiliate {
	s.t.Helper()
	var a api.Affiliate
	s.do("POST", "/api/v1/affiliates", map[string]any{"name": "Ann", "email": "ann@example.com"}).want(http.StatusCreated).into(&a)
	return a
}

func (s *server) link(a api.Affiliate, p api.ProgramWithSecret) api.Link {
	s.t.Helper()
	var l api.Link
	s.do("POST", "/api/v1/links", map[string]any{"affiliate_id": a.ID, "program_id": p.ID, "destination": "https://shop.example/"}).
		want(http.StatusCreated).into(&l)
	return l
}

func TestPrograms(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		made := s.program()
		if made.PostbackSecret == "" || made.AttributionWindowDays != 30 || made.AttributionModel != "last_click" || made.HoldDays != 30 ||
			made.ClickParam != "click_id" || made.BrowserConversions != "off" || made.Status != "active" ||
			made.CreatedAt != "2026-05-01T12:00:00.000Z" || !strings.HasPrefix(made.ID, "prg_") {
			t.Errorf("program made with defaults: %+v", made)
		}
		read := s.do("GET", "/api/v1/programs/"+made.ID, nil).want(http.StatusOK)
		if strings.Contains(string(read.body), "secret") {
			t.Errorf("a read shows the secret: %s", read.body)
		}
		var p api.Program
		s.do("PATCH", "/api/v1/programs/"+made.ID, `{"hold_days":0,"allowed_hosts":[],"currency":""}`).want(http.StatusOK).into(&p)
		if p.HoldDays != 0 || len(p.AllowedHosts) != 0 || p.Currency != "" || p.Name != "Courses" {
			t.Errorf("changed program: %+v", p)
		}
		var zero api.ProgramWithSecret
		s.do("POST", "/api/v1/programs", `{"name":"No hold","hold_days":0}`).want(http.StatusCreated).into(&zero)
		if zero.HoldDays != 0 {
			t.Errorf("hold of 0 days became %d", zero.HoldDays)
		}
		var rotated api.ProgramWithSecret
		s.do("POST", "/api/v1/programs/"+made.ID+"/postback-secret", nil).want(http.StatusOK).into(&rotated)
		if rotated.PostbackSecret == "" || rotated.PostbackSecret == made.PostbackSecret {
			t.Errorf("rotated secret %q", rotated.PostbackSecret)
		}
		unknown := "/api/v1/programs/prg_0000000000001"
		s.do("GET", unknown, nil).want(http.StatusNotFound, "not_found")
		s.do("PATCH", unknown, `{}`).want(http.StatusNotFound, "not_found")
		s.do("POST", unknown+"/postback-secret", nil).want(http.StatusNotFound, "not_found")
	})
}

func TestAffiliates(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		made := s.affiliate()
		var a api.Affiliate
		s.do("PATCH", "/api/v1/affiliates/"+made.ID, `{"status":"suspended"}`).want(http.StatusOK).into(&a)
		if a.Status != "suspended" || a.Email != made.Email {
			t.Errorf("changed %+v", a)
		}
		s.do("GET", "/api/v1/affiliates/"+made.ID, nil).want(http.StatusOK).into(&a)
		if a.Status != "suspended" {
			t.Errorf("read %+v", a)
		}
		s.do("PATCH", "/api/v1/affiliates/"+made.ID, `{"status":"gone"}`).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("POST", "/api/v1/affiliates", `{"name":"Ann","email":"nobody"}`).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("GET", "/api/v1/affiliates/"+strings.Replace(made.ID, "aff_", "prg_", 1), nil).want(http.StatusNotFound, "not_found")
	})
}

func TestLinks(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		a, p := s.affiliate(), s.program()
		made := s.link(a, p)
		if len(made.Slug) != 7 || made.ExpiresAt != nil || made.AffiliateID != a.ID || made.ProgramID != p.ID {
			t.Errorf("link %+v", made)
		}
		patch := func(body string) (l api.Link) {
			s.do("PATCH", "/api/v1/links/"+made.ID, body).want(http.StatusOK).into(&l)
			return l
		}
		if l := patch(`{"expires_at":"2026-12-31T18:29:59+05:30","status":"disabled"}`); l.ExpiresAt == nil || *l.ExpiresAt != "2026-12-31T12:59:59.000Z" || l.Status != "disabled" {
			t.Errorf("changed %+v", l)
		}
		if l := patch(`{"destination":"https://shop.example/{sub1}"}`); l.ExpiresAt == nil {
			t.Error("an absent expires_at removed it")
		}
		if l := patch(`{"expires_at":null}`); l.ExpiresAt != nil || l.Destination != "https://shop.example/{sub1}" {
			t.Errorf("changed %+v", l)
		}
		taken := map[string]any{"affiliate_id": a.ID, "program_id": p.ID, "destination": "https://shop.example/", "slug": made.Slug}
		s.do("POST", "/api/v1/links", taken).want(http.StatusConflict, "slug_taken")
		for _, c := range []struct{ field, value, location string }{
			{"affiliate_id", p.ID, "body.affiliate_id"},
			{"affiliate_id", "aff_0000000000001", "body.affiliate_id"},
			{"program_id", "prg_000000000000!", "body.program_id"},
			{"slug", "robots.txt", "body.slug"},
			{"destination", "https://shop.example/{evil}", "body.destination"},
			{"expires_at", "tomorrow", "body.expires_at"},
		} {
			body := map[string]any{"affiliate_id": a.ID, "program_id": p.ID, "destination": "https://shop.example/", c.field: c.value}
			var problem api.Problem
			s.do("POST", "/api/v1/links", body).want(http.StatusUnprocessableEntity, "validation_failed").into(&problem)
			if len(problem.Errors) != 1 || problem.Errors[0].Location != c.location {
				t.Errorf("%s %q: %+v", c.field, c.value, problem.Errors)
			}
		}
	})
}

func TestListsGoThroughAllPages(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		a, p := s.affiliate(), s.program()
		other := s.affiliate()
		want := map[string]bool{}
		for range 5 {
			want[s.link(a, p).ID] = true
			s.link(other, p)
		}
		path, cursor, last := "/api/v1/links?limit=2&affiliate_id="+a.ID, "", "lnk_ZZZZZZZZZZZZZ"
		for pages := 1; ; pages++ {
			var list api.List[api.Link]
			s.do("GET", path+"&cursor="+cursor, nil).want(http.StatusOK).into(&list)
			for _, l := range list.Items {
				if !want[l.ID] || l.ID >= last {
					t.Errorf("link %s after %s", l.ID, last)
				}
				delete(want, l.ID)
				last = l.ID
			}
			if cursor = list.NextCursor; cursor == "" {
				if pages != 3 || len(want) != 0 {
					t.Errorf("%d pages, %d links missing", pages, len(want))
				}
				break
			}
		}
		empty := s.do("GET", "/api/v1/tokens?limit=200", nil).want(http.StatusOK)
		if empty.get("next_cursor") != "" {
			t.Errorf("a list of one page has a cursor: %s", empty.body)
		}
	})
}

func TestBadCursors(t *testing.T) {
	s := sqliteServer(t)
	a, p := s.affiliate(), s.program()
	s.link(a, p)
	s.link(a, p)
	cursor := s.do("GET", "/api/v1/links?limit=1", nil).want(http.StatusOK).get("next_cursor").(string)
	for _, path := range []string{"programs", "affiliates", "tokens"} {
		s.do("GET", "/api/v1/"+path+"?cursor="+cursor, nil).want(http.StatusBadRequest, "invalid_cursor") // of another list
	}
	for _, bad := range []string{"x", cursor[1:], cursor + "A", "bG5rOi0x", "bG5rOjA", "bG5rOnh4", "%00", "%ff%fe"} {
		s.do("GET", "/api/v1/links?cursor="+bad, nil).want(http.StatusBadRequest, "invalid_cursor")
	}
	s.do("GET", "/api/v1/links?cursor="+strings.Repeat("A", 600), nil).want(http.StatusUnprocessableEntity, "validation_failed")
	for _, limit := range []string{"0", "201", "-1", "x"} {
		s.do("GET", "/api/v1/links?limit="+limit, nil).want(http.StatusUnprocessableEntity, "validation_failed")
	}
	s.do("GET", "/api/v1/links?afiliate_id="+a.ID, nil).want(http.StatusUnprocessableEntity, "validation_failed") // misspelt
}
