package api_test

import (
	"net/http"
	"testing"

	"github.com/edgeref/edgeref/core/api"
)

func TestNames(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		p, a := s.program(), s.affiliate()
		l := s.link(a, p)
		s.do("PATCH", "/api/v1/affiliates/"+a.ID, `{"status":"suspended"}`).want(http.StatusOK)
		var got api.List[api.Name]
		s.do("GET", "/api/v1/names?id="+l.ID+"&id="+a.ID+"&id=aff_0000000000001&id="+p.ID+"&id="+a.ID, nil).want(http.StatusOK).into(&got)
		want := []api.Name{{ID: l.ID, Name: l.Slug, Status: "active"}, {ID: a.ID, Name: "Ann", Status: "suspended"}, {ID: p.ID, Name: "Courses", Status: "active"}}
		if len(got.Items) != len(want) {
			t.Fatalf("names %+v, want %+v", got.Items, want)
		}
		for i := range want {
			if got.Items[i] != want[i] {
				t.Errorf("name %d is %+v, want %+v", i, got.Items[i], want[i])
			}
		}
		for _, bad := range []string{"", "?id=", "?id=per_01J8Z0QK5T2VG", "?id=aff_x", "?id=aff"} {
			s.do("GET", "/api/v1/names"+bad, nil).want(http.StatusUnprocessableEntity, "validation_failed")
		}
	})
}
