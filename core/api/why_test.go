package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
)

// sponsored is a shop whose affiliate was brought by another, who earns a tenth of what he earns.
func (s *server) sponsored() (sh shop, sponsor api.Affiliate) {
	s.t.Helper()
	sh = s.shop()
	sponsor = s.affiliateNamed("Sponsor")
	s.do("PATCH", "/api/v1/affiliates/"+sh.affiliate.ID, map[string]any{"sponsor_id": sponsor.ID}).want(http.StatusOK)
	s.clock.add(time.Second)
	s.do("PATCH", "/api/v1/commission-rules/"+sh.rule.ID, map[string]any{"percent_bp": 7000, "levels": []any{map[string]any{"percent_bp": 1000, "of": "commission"}}}).
		want(http.StatusOK)
	s.clock.add(time.Second)
	return sh, sponsor
}

func (s *server) affiliateNamed(name string) (a api.Affiliate) {
	s.t.Helper()
	s.do("POST", "/api/v1/affiliates", map[string]any{"name": name, "email": name + "@example.com"}).want(http.StatusCreated).into(&a)
	return a
}

func (s *server) why(path string) (w api.Why) {
	s.t.Helper()
	s.do("GET", path+"/why", nil).want(http.StatusOK).into(&w)
	return w
}

// Both see why they earned: the affiliate all of it, the sponsor nothing of whom it was.
func TestWhyForAffiliates(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh, sponsor := s.sponsored()
		s.analytics.rows = []click.Record{{ID: sh.click, ProgramID: 1, Country: "IN", Network: "203.0.113.0/24"}}
		var made api.ConversionDetail
		s.do("POST", "/api/v1/conversions", sh.sale("order-1", 100_000)).want(http.StatusCreated).into(&made)
		s.do("POST", "/api/v1/conversions", map[string]any{
			"program_id": sh.program.ID, "type": "refund", "txn_id": "refund-1", "ref_txn_id": "order-1", "amount": map[string]any{"minor": 40_000, "currency": "INR"},
		}).want(http.StatusCreated)
		if len(made.Commissions) != 2 {
			t.Fatalf("commissions %+v", made.Commissions)
		}
		own, above := made.Commissions[0], made.Commissions[1]

		s.as(s.asAffiliate(7, sh.affiliate.ID))
		w := s.why(mine + "/commissions/" + own.ID)
		if w.View != "own" || w.Conversion.TxnID != "order-1" || w.Attribution == nil || w.Attribution.Arguments.Reason != "attributed" || w.Link == nil || w.Link.ID != sh.link.ID {
			t.Errorf("own %+v", w)
		}
		if len(w.Clicks) != 1 || !w.Clicks[0].Stored || w.Clicks[0].Country != "IN" || w.Clicks[0].Network != "" {
			t.Errorf("clicks %+v", w.Clicks)
		}
		if len(w.Related) != 1 || w.Related[0].Type != "refund" {
			t.Errorf("related %+v", w.Related)
		}
		if c := w.Commissions; len(c) != 1 || c[0].ID != own.ID || c[0].Rule == nil || c[0].Rule.Version != 2 || *c[0].Rule.PercentBP != 7000 || len(c[0].Reversals) != 1 {
			t.Errorf("commissions %+v", w.Commissions)
		}
		if w = s.why(mine + "/conversions/" + made.ID); len(w.Commissions) != 1 || w.Commissions[0].ID != own.ID {
			t.Errorf("conversion %+v", w)
		}
		if w = s.why(mine + "/conversions/" + w.Related[0].ID); w.Conversion.Type != "refund" || len(w.Commissions) != 1 || w.Related[0].ID != made.ID {
			t.Errorf("refund %+v", w)
		}
		s.do("GET", mine+"/commissions/"+above.ID+"/why", nil).want(http.StatusNotFound, "not_found")

		s.as(s.asAffiliate(8, sponsor.ID))
		text := string(s.do("GET", mine+"/commissions/"+above.ID+"/why", nil).want(http.StatusOK).body)
		for _, secret := range []string{sh.affiliate.ID, sh.link.ID, sh.click.String(), "order-1", "refund-1"} {
			if strings.Contains(text, secret) {
				t.Errorf("the sponsor reads %s: %s", secret, text)
			}
		}
		if w = s.why(mine + "/commissions/" + above.ID); w.View != "downline" || w.Attribution != nil || len(w.Clicks) != 0 || w.Commissions[0].Amount.Minor != 7_000 {
			t.Errorf("sponsor %+v", w)
		}
		s.do("GET", mine+"/conversions/"+made.ID+"/why", nil).want(http.StatusNotFound, "not_found")

		var levels api.List[api.LevelEarnings]
		s.do("GET", mine+"/level-earnings", nil).want(http.StatusOK).into(&levels)
		if l := levels.Items; len(l) != 1 || l[0].Level != 1 || l[0].Commissions != 1 || l[0].Earned.Minor != 7_000 || l[0].Reversed.Minor != 2_800 || l[0].Pending.Minor != 4_200 {
			t.Errorf("levels %+v", l)
		}
	})
}

// Of candidates who lost, an affiliate hears that they were there.
func TestWhyHidesOthers(t *testing.T) {
	s := sqliteServer(t)
	sh := s.shop()
	other := s.affiliateNamed("Other")
	s.do("POST", "/api/v1/coupon-codes", map[string]any{"program_id": sh.program.ID, "code": "OTHERS", "affiliate_id": other.ID}).want(http.StatusCreated)
	ask := sh.sale("order-2", 50_000)
	ask["coupon"] = "OTHERS"
	var made api.ConversionDetail
	s.do("POST", "/api/v1/conversions", ask).want(http.StatusCreated).into(&made)
	if made.AffiliateID != other.ID {
		t.Fatalf("%+v", made)
	}
	s.as(s.asAffiliate(9, other.ID))
	w := s.why(mine + "/conversions/" + made.ID)
	if w.Attribution == nil || len(w.Attribution.Arguments.Candidates) != 2 || len(w.Clicks) != 0 {
		t.Fatalf("%+v", w)
	}
	text := string(s.do("GET", mine+"/conversions/"+made.ID+"/why", nil).body)
	if strings.Contains(text, sh.affiliate.ID) || strings.Contains(text, sh.link.ID) {
		t.Errorf("names others: %s", text)
	}
	// Given to somebody else since, it tells why what was earned is gone, and no more.
	s.as(s.signIn(2, func(p *access.Principal) { p.SecondFactorAt = s.clock.Now().UnixMilli() }, access.RoleAdmin))
	s.do("POST", "/api/v1/conversions/"+made.ID+"/assign", map[string]any{"affiliate_id": sh.affiliate.ID, "reason": "the coupon was published"}).want(http.StatusOK)
	commission := w.Commissions[0].ID
	s.as(s.asAffiliate(9, other.ID))
	if w = s.why(mine + "/commissions/" + commission); w.View != "reassigned" || w.Attribution != nil || w.Conversion.TxnID != "" || len(w.Commissions[0].Reversals) != 1 {
		t.Errorf("reassigned %+v", w)
	}
	s.as(s.asAffiliate(7, sh.affiliate.ID))
	text = string(s.do("GET", mine+"/conversions/"+made.ID+"/why", nil).want(http.StatusOK).body)
	if strings.Contains(text, "published") || strings.Contains(text, other.ID) || strings.Contains(text, ident.Person+"_") {
		t.Errorf("tells who assigned it, and why: %s", text)
	}
}

func TestWhyForStaff(t *testing.T) {
	s := sqliteServer(t)
	sh, order := s.soldAndRefunded()
	var detail api.OrderDetail
	s.do("GET", "/api/v1/orders/"+order.ID, nil).want(http.StatusOK).into(&detail)
	w := s.why("/api/v1/conversions/" + detail.ConversionID)
	if w.View != "all" || w.OrderID != order.ID || len(w.Clicks) != 1 || w.Clicks[0].ID != sh.click.String() || len(w.Commissions) != 1 || w.Commissions[0].Product != "Course a" {
		t.Errorf("why %+v", w)
	}
	w = s.why("/api/v1/commissions/" + w.Commissions[0].ID)
	if w.View != "all" || len(w.Commissions) != 1 || len(w.Related) != 1 {
		t.Errorf("why %+v", w)
	}
	s.do("GET", "/api/v1/commissions/com_0000000000001/why", nil).want(http.StatusNotFound, "not_found")
	s.as(s.signIn(3, nil, access.RoleSupport))
	w = s.why("/api/v1/conversions/" + detail.ConversionID)
	if got := states(w.Parts); got["payout"] != "not_permitted" || got["rule"] != "complete" {
		t.Errorf("parts %v", got)
	}
}
