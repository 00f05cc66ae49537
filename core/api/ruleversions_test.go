package api_test

import (
	"net/http"
	"testing"

	"github.com/edgeref/edgeref/core/api"
)

func TestRuleVersions(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		p := s.program()
		var rule api.Rule
		s.do("POST", "/api/v1/commission-rules", map[string]any{"program_id": p.ID, "on": "sale", "percent_bp": 5000}).want(http.StatusCreated).into(&rule)
		s.do("PATCH", "/api/v1/commission-rules/"+rule.ID, map[string]any{"percent_bp": 6000, "months": 12}).want(http.StatusOK)
		var got api.List[api.Rule]
		s.do("GET", "/api/v1/commission-rules/"+rule.ID+"/versions", nil).want(http.StatusOK).into(&got)
		if len(got.Items) != 2 || got.Items[0].Version != 2 || *got.Items[0].PercentBP != 6000 || got.Items[0].Months != 12 ||
			got.Items[1].Version != 1 || *got.Items[1].PercentBP != 5000 || got.Items[1].Months != 0 {
			t.Errorf("versions %+v", got.Items)
		}
		s.do("GET", "/api/v1/commission-rules/rul_0000000000001/versions", nil).want(http.StatusNotFound, "not_found")
	})
}
