package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/api"
)

// Whom an affiliate brought is a list like all others, with what he earned by each; others' earnings are not in it.
func TestDownline(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh, sponsor := s.sponsored()
		s.do("POST", "/api/v1/conversions", sh.sale("o-1", 10_000)).want(http.StatusCreated)
		s.do("POST", "/api/v1/conversions", sh.sale("o-2", 20_000)).want(http.StatusCreated)
		s.do("POST", "/api/v1/conversions", map[string]any{
			"program_id": sh.program.ID, "type": "refund", "txn_id": "r-1", "ref_txn_id": "o-1", "amount": map[string]any{"minor": 10_000, "currency": "INR"},
		}).want(http.StatusCreated)
		below := s.affiliateNamed("Below")
		s.do("PATCH", "/api/v1/affiliates/"+below.ID, map[string]any{"sponsor_id": sh.affiliate.ID}).want(http.StatusOK)
		beside := s.affiliateNamed("Beside")
		s.do("PATCH", "/api/v1/affiliates/"+beside.ID, map[string]any{"sponsor_id": sponsor.ID}).want(http.StatusOK)

		s.bearer = s.asAffiliate(8, sponsor.ID)
		own := func(query string) (names string, next string) {
			t.Helper()
			var list api.List[api.OwnDownlineMember]
			s.do("GET", mine+"/downline"+query, nil).want(http.StatusOK).into(&list)
			for _, m := range list.Items {
				names += fmt.Sprintf("%s%d<%s:%d%v ", m.Name, m.Depth, m.SponsorName, m.Commissions, m.Earned)
			}
			return names, list.NextCursor
		}
		// Of 70 % a tenth; the first sale was taken back whole.
		const all = "Beside1<Sponsor:0[] Below2<Ann:0[] Ann1<Sponsor:2[14.00 INR] "
		if got, next := own(""); got != all || next != "" {
			t.Errorf("all: %q, then %q", got, next)
		}
		first, next := own("?limit=2")
		if rest, end := own("?limit=2&cursor=" + next); first+rest != all || next == "" || end != "" {
			t.Errorf("two pages: %q and %q, then %q", first, rest, end)
		}
		if got, _ := own("?level=2"); !strings.HasPrefix(got, "Below2") || strings.Contains(got, "Ann1") {
			t.Errorf("level 2: %q", got)
		}
		s.do("GET", mine+"/downline?level=11", nil).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("GET", mine+"/downline?cursor=x", nil).want(http.StatusBadRequest, "invalid_cursor")

		// Ann sees who is below her, not beside or above her, and nothing of what her own sales earned.
		s.bearer = s.asAffiliate(7, sh.affiliate.ID)
		if got, _ := own(""); got != "Below1<Ann:0[] " {
			t.Errorf("Ann's: %q", got)
		}
		s.do("GET", "/api/v1/affiliates/"+sponsor.ID+"/downline", nil).want(http.StatusForbidden, "forbidden")

		s.bearer = adminSecret
		var list api.List[api.DownlineMember]
		s.do("GET", "/api/v1/affiliates/"+sponsor.ID+"/downline?limit=1", nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 1 || list.Items[0].ID != beside.ID || list.NextCursor == "" {
			t.Errorf("downline %+v", list)
		}
		s.do("GET", "/api/v1/affiliates/aff_0000000000001/downline", nil).want(http.StatusNotFound, "not_found")
	})
}
