package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/api"
)

func (s *server) outlook() api.PayoutOutlook {
	s.t.Helper()
	var list api.List[api.PayoutOutlook]
	s.do("GET", mine+"/payout-outlook", nil).want(http.StatusOK).into(&list)
	if len(list.Items) != 1 {
		s.t.Fatalf("outlook %+v", list.Items)
	}
	return list.Items[0]
}

func codes(o api.PayoutOutlook) (out []string) {
	for _, r := range o.Reasons {
		out = append(out, r.Code)
	}
	return out
}

// What stands against the next payout goes away one after the other.
func TestPayoutOutlook(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		p := s.payee()
		var none api.List[api.PayoutOutlook]
		s.as(p.self).do("GET", mine+"/payout-outlook", nil).want(http.StatusOK).into(&none)
		if len(none.Items) != 0 {
			t.Errorf("before anything: %+v", none.Items)
		}
		s.as(adminSecret).do("POST", "/api/v1/conversions", p.sale("order-1", 40_000)).want(http.StatusCreated)
		o := s.as(p.self).outlook()
		if o.Pending.Minor != 30_000 || o.NextReleaseAt == nil || !slices.Contains(codes(o), "on_hold") || o.Minimum.Minor != 50_000 {
			t.Errorf("on hold: %+v", o)
		}
		s.earn(p, "order-2", 20_000)
		if o = s.as(p.self).outlook(); o.Gross.Minor != 45_000 || !slices.Contains(codes(o), "below_minimum") || !slices.Contains(codes(o), "method_missing") || o.NextReleaseAt != nil {
			t.Errorf("below the minimum: %+v", o)
		}
		p.click = testKeyring(t).Mint(s.clock.Now().Add(-time.Minute), 1, p.click.LinkID(), p.click.AffiliateID())
		s.earn(p, "order-3", 20_000)
		s.as(p.self).do("POST", mine+"/payout-methods", map[string]any{"currency": "INR", "kind": "bank_in", "holder": "Ann", "account": account, "ifsc": "HDFC0001234"}).
			want(http.StatusCreated)
		if o = s.outlook(); !slices.Contains(codes(o), "method_frozen") || o.FrozenUntil == nil || o.Ready || !strings.HasSuffix(o.Account, "6789") || o.Country != "IN" {
			t.Errorf("frozen: %+v", o)
		}
		s.clock.add(73 * time.Hour)
		s.fresh()
		if o = s.outlook(); slices.Contains(codes(o), "method_frozen") || slices.Contains(codes(o), "below_minimum") {
			t.Errorf("later: %+v", o)
		}
		for _, r := range o.Reasons {
			if strings.Contains(r.Detail, "verify") {
				t.Errorf("tells what is not the affiliate's to do: %+v", r)
			}
		}
		var need api.KYCRequirements
		s.do("GET", mine+"/kyc-requirements", nil).want(http.StatusOK).into(&need)
		if need.MaxBytes != 50_000 || len(need.Types) != 3 || need.Countries == nil {
			t.Errorf("requirements %+v", need)
		}
	})
}
