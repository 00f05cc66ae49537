package api_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/kyc"
	"github.com/edgeref/edgeref/core/secret"
)

func kycModule(s *server, ring *secret.Ring) api.Module {
	bucket, err := kyc.OpenBucket(s.t.Context(), "", s.t.TempDir())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = bucket.Close() })
	return api.KYC(kyc.New(kyc.Options{DB: s.db, IDs: s.ids, Bucket: bucket, Ring: ring, Audit: s.audit, Now: s.clock.Now, MaxBytes: 50_000}))
}

func TestKYCDocuments(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		p := s.payee()
		s.fresh()
		var picture bytes.Buffer
		if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 20, 10))); err != nil {
			t.Fatal(err)
		}
		var d api.KYCDocument
		ask := map[string]any{"country": "IN", "kind": "pan_card", "file_name": "pan.png"}
		s.as(p.self).do("POST", "/api/v1/me/affiliate/kyc-documents", ask).want(http.StatusCreated).into(&d)
		own := "/api/v1/me/affiliate/kyc-documents/" + d.ID
		s.do("PUT", own+"/content", "<html>", "Content-Type", "image/png").want(http.StatusUnprocessableEntity, "file_refused")
		s.do("PUT", own+"/content", strings.Repeat("x", 50_001), "Content-Type", "image/png").want(http.StatusRequestEntityTooLarge, "body_too_large")
		s.do("PUT", own+"/content", picture.String(), "Content-Type", "image/jpeg").want(http.StatusUnprocessableEntity, "file_refused")
		s.do("PUT", own+"/content", picture.String(), "Content-Type", "image/png").want(http.StatusOK).into(&d)
		if d.State != kyc.Submitted || d.ContentType != "image/png" || d.Size != int64(picture.Len()) {
			t.Errorf("sent %+v", d)
		}
		s.do("POST", "/api/v1/me/affiliate/kyc-documents", map[string]any{"country": "IN", "kind": "pan_card", "file_name": "../x"}).want(http.StatusUnprocessableEntity, "validation_failed")
		stranger := s.signIn(50, func(p *access.Principal) { p.AffiliateID = 1 }, access.RoleAffiliate)
		s.as(stranger).do("PUT", own+"/content", picture.String(), "Content-Type", "image/png").want(http.StatusNotFound, "not_found")
		var list api.List[api.KYCDocument]
		s.do("GET", "/api/v1/me/affiliate/kyc-documents", nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 0 {
			t.Errorf("a stranger sees %+v", list)
		}

		one := "/api/v1/kyc-documents/" + d.ID
		s.as(p.finance).do("GET", "/api/v1/kyc-documents?state=submitted&affiliate_id="+p.affiliate.ID, nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 1 || list.Items[0].ID != d.ID {
			t.Errorf("list %+v", list)
		}
		var link api.KYCLink
		s.do("POST", one+"/link", nil).want(http.StatusOK).into(&link)
		s.bearer = ""
		file := s.do("GET", link.Path, nil).want(http.StatusOK)
		if _, err := png.Decode(bytes.NewReader(file.body)); err != nil || file.header.Get("Content-Type") != "image/png" ||
			file.header.Get("Content-Disposition") != "attachment; filename=pan.png" || !strings.HasPrefix(file.header.Get("Content-Security-Policy"), "sandbox") ||
			file.header.Get("X-Content-Type-Options") != "nosniff" || file.header.Get("Cache-Control") != "no-store" {
			t.Errorf("file %v, %v", file.header, err)
		}
		s.do("GET", link.Path+"x", nil).want(http.StatusNotFound, "not_found")
		s.clock.add(3 * time.Minute)
		s.do("GET", link.Path, nil).want(http.StatusNotFound, "not_found")
		s.as(adminSecret).do("POST", one+"/review", map[string]any{"accept": true}).want(http.StatusForbidden, "person_required")
		s.as(p.finance).do("POST", one+"/review", map[string]any{"accept": false}).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("POST", one+"/review", map[string]any{"accept": true}).want(http.StatusOK).into(&d)
		if d.State != kyc.Accepted || d.ReviewedBy == "" {
			t.Errorf("reviewed %+v", d)
		}
		s.do("GET", one, nil).want(http.StatusOK).into(&d)
		s.as(p.self).do("PUT", own+"/content", picture.String(), "Content-Type", "image/png").want(http.StatusConflict, "kyc_state")
		s.do("GET", "/api/v1/me/affiliate/kyc-documents", nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 1 || list.Items[0].ReviewedBy != "" {
			t.Errorf("own %+v", list)
		}
	})
}
