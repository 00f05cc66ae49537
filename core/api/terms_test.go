package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/wire/ident"
)

// A sale by coupon is paid on two levels by a group's rule, assigned by hand, rehearsed, and refunded below the floor.
func TestTermsThroughTheAPI(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newServer(t, d, modules)
		sh := s.shop()
		var group api.Group
		s.do("POST", "/api/v1/affiliate-groups", map[string]any{"name": "Gold"}).want(http.StatusCreated).into(&group)
		s.do("PATCH", "/api/v1/affiliate-groups/"+group.ID, map[string]any{"name": "Platinum"}).want(http.StatusOK)
		sponsor := s.affiliate()
		s.do("PATCH", "/api/v1/affiliates/"+sh.affiliate.ID, map[string]any{"sponsor_id": sponsor.ID, "group_id": group.ID}).want(http.StatusOK).into(&sh.affiliate)
		if sh.affiliate.SponsorID != sponsor.ID || sh.affiliate.GroupID != group.ID {
			t.Fatalf("%+v", sh.affiliate)
		}
		s.do("PATCH", "/api/v1/affiliates/"+sponsor.ID, map[string]any{"sponsor_id": sh.affiliate.ID}).want(http.StatusUnprocessableEntity, "validation_failed")
		s.do("PATCH", "/api/v1/programs/"+sh.program.ID, map[string]any{"hold_days": 0, "terms": map[string]any{
			"max_share_bp": 8000, "floors": []any{map[string]any{"minor": 0, "currency": "INR"}},
		}}).want(http.StatusOK)
		rule := map[string]any{
			"program_id": sh.program.ID, "group_id": group.ID, "on": "sale", "percent_bp": 5000,
			"levels": []any{map[string]any{"percent_bp": 1000, "of": "net"}},
			"tiers":  map[string]any{"by": "count", "steps": []any{map[string]any{"from": 10, "percent_bp": 6000}}},
		}
		var made api.Rule
		s.do("POST", "/api/v1/commission-rules", rule).want(http.StatusCreated).into(&made)
		if made.GroupID != group.ID || len(made.Levels) != 1 || made.Tiers == nil {
			t.Errorf("rule %+v", made)
		}
		s.do("POST", "/api/v1/commission-rules", rule).want(http.StatusConflict, "rule_exists")
		code := map[string]any{"program_id": sh.program.ID, "code": "spring", "affiliate_id": sh.affiliate.ID}
		s.do("POST", "/api/v1/coupon-codes", code).want(http.StatusCreated)
		code["affiliate_id"] = sponsor.ID
		s.do("POST", "/api/v1/coupon-codes", code).want(http.StatusConflict, "coupon_taken")

		var sale api.ConversionDetail
		s.do("POST", "/api/v1/conversions", map[string]any{
			"program_id": sh.program.ID, "type": "sale", "txn_id": "s1", "amount": map[string]any{"minor": 10_000, "currency": "INR"},
			"customer": "Ann@example.com", "coupon": "Spring",
		}).want(http.StatusCreated).into(&sale)
		if sale.AffiliateID != sh.affiliate.ID || len(sale.Commissions) != 2 || sale.Commissions[1].Level != 1 || sale.Commissions[1].AffiliateID != sponsor.ID ||
			len(sale.Customer) != 64 || !strings.Contains(sale.Explanation.Text, `coupon "Spring"`) {
			t.Errorf("sale %+v", sale)
		}
		s.assignAndRehearse(t, sh, sponsor, sale)
		s.do("DELETE", "/api/v1/coupon-codes/"+sh.program.ID+"/Spring", nil).want(http.StatusNoContent)
		var codes api.List[api.CouponCode]
		s.do("GET", "/api/v1/coupon-codes?program_id="+sh.program.ID, nil).want(http.StatusOK).into(&codes)
		if len(codes.Items) != 0 {
			t.Errorf("codes %+v", codes)
		}
	})
}

func (s *server) assignAndRehearse(t *testing.T, sh shop, sponsor api.Affiliate, sale api.ConversionDetail) {
	t.Helper()
	s.do("POST", "/api/v1/conversions/"+sale.ID+"/assign", map[string]any{"affiliate_id": sh.affiliate.ID, "reason": "x"}).want(http.StatusConflict, "assigned_already")
	s.do("POST", "/api/v1/conversions/"+sale.ID+"/assign", map[string]any{"affiliate_id": sponsor.ID, "reason": "she wrote to us"}).want(http.StatusOK)
	s.do("GET", "/api/v1/conversions/"+sale.ID, nil).want(http.StatusOK).into(&sale)
	if sale.AffiliateID != sponsor.ID || len(sale.Commissions) != 3 || sale.Commissions[0].Amount.Minor != 7500 || sale.Commissions[1].ReplacedAt == nil ||
		!strings.Contains(sale.Explanation.Text, "she wrote to us") {
		t.Errorf("assigned %+v", sale)
	}
	var result api.RehearsalResult
	now := s.clock.Now()
	s.do("POST", "/api/v1/commission-rules/rehearse", map[string]any{
		"program_id": sh.program.ID, "from": now.Add(-24 * time.Hour), "to": now.Add(time.Hour),
		"rules": []any{map[string]any{"on": "sale", "percent_bp": 1000}},
	}).want(http.StatusOK).into(&result)
	if result.Conversions != 1 || len(result.Affiliates) != 1 || result.Affiliates[0].Difference.Minor != 1000-7500 {
		t.Errorf("rehearsal %+v", result)
	}
	if _, err := s.commissions.ReleaseDue(t.Context(), now.Add(time.Hour), 10); err != nil {
		t.Fatal(err)
	}
	id, err := ident.Parse(ident.Affiliate, sponsor.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.paidOut(t, id, 7500)
	s.do("POST", "/api/v1/conversions", map[string]any{"program_id": sh.program.ID, "type": "refund", "txn_id": "r1", "ref_txn_id": "s1"}).want(http.StatusCreated)
	var reviews api.List[api.CommissionReview]
	s.do("GET", "/api/v1/commission-reviews", nil).want(http.StatusOK).into(&reviews)
	if len(reviews.Items) != 1 || reviews.Items[0].Balance.Minor != -7500 {
		t.Fatalf("reviews %+v", reviews)
	}
	s.do("POST", "/api/v1/commission-reviews/"+reviews.Items[0].ID+"/resolve", map[string]any{"note": "next payout"}).want(http.StatusOK)
	s.do("POST", "/api/v1/commission-reviews/"+reviews.Items[0].ID+"/resolve", map[string]any{"note": "twice"}).want(http.StatusNotFound)
}

// paidOut moves what an affiliate may be paid, as a payout does.
func (s *server) paidOut(t *testing.T, affiliate, minor int64) {
	t.Helper()
	books := ledger.New(ledger.Options{DB: s.db, IDs: s.ids, Now: s.clock.Now, Reconcile: payout.Reconcile})
	err := s.db.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := books.Post(t.Context(), tx, ledger.Transaction{Kind: "test", Reason: "paid", Entries: ledger.Transfer("INR", minor,
			ledger.Account{Kind: ledger.Payable, OwnerID: affiliate}, ledger.Account{Kind: ledger.Paid, OwnerID: affiliate})})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
