package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/wire/ident"
)

const ownRequests = mine + "/payout-requests"

func rupees() map[string]any { return map[string]any{"currency": "INR"} }

// payable makes it so that an affiliate can be paid 30,000 rupees.
func (s *server) payable(p payee) {
	s.t.Helper()
	s.fresh()
	s.as(p.self).do("POST", mine+"/payout-methods", map[string]any{
		"currency": "INR", "kind": "bank_in", "holder": "Asha Rao", "account": account, "ifsc": "hdfc0001234",
	}).want(http.StatusCreated)
	var terms api.TaxTerms
	s.as(p.finance).do("GET", "/api/v1/tax-rules/example", nil).want(http.StatusOK).into(&terms)
	s.do("POST", "/api/v1/tax-rules", terms).want(http.StatusCreated)
	s.earn(p, "order-1", 40_000_00)
}

// An affiliate asks, finance makes the batch of those who asked, and the request is answered by its payout.
func TestPayoutRequests(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		p := s.payee()
		s.as(p.self).do("POST", ownRequests, rupees()).want(http.StatusConflict, "nothing_payable")
		s.payable(p)
		var r, again api.OwnPayoutRequest
		s.as(p.self).do("POST", ownRequests, rupees(), "Idempotency-Key", "the-payout-of-june").want(http.StatusCreated).into(&r)
		s.do("POST", ownRequests, rupees(), "Idempotency-Key", "the-payout-of-june").want(http.StatusCreated).into(&again)
		if r != again || r.State != payout.RequestWaiting || r.Gross.Minor != 30_000_00 || r.Net.Minor != 24_000_00 || r.PayoutID != "" {
			t.Errorf("request %+v, then %+v", r, again)
		}
		s.do("POST", ownRequests, rupees()).want(http.StatusConflict, "payout_requested")

		var waiting api.List[api.PayoutRequest]
		s.as(p.finance).do("GET", "/api/v1/payout-requests?state=waiting&prospects=true", nil).want(http.StatusOK).into(&waiting)
		if len(waiting.Items) != 1 || waiting.Items[0].ID != r.ID || waiting.Items[0].AffiliateID != p.affiliate.ID || waiting.Items[0].ChangedBy != ident.Format(ident.Person, 1) {
			t.Fatalf("waiting %+v", waiting)
		}
		if c := waiting.Items[0].Prospect; c == nil || !c.Ready || c.Net.Minor != 24_000_00 || c.Payable.Minor != 30_000_00 || c.Account == "" || c.Reasons == nil {
			t.Errorf("prospect %+v", c)
		}
		var preview api.PayoutPreview
		sel := map[string]any{"currency": "INR", "executor": "bank_file", "requested_only": true}
		s.do("POST", "/api/v1/payout-batches/preview", sel).want(http.StatusOK).into(&preview)
		if preview.Requests != 1 || preview.RequestsReady != 1 || preview.Payouts != 1 || preview.Candidates[0].RequestedAt == nil || *preview.Candidates[0].RequestedAt != r.CreatedAt {
			t.Errorf("preview %+v", preview)
		}
		var b api.PayoutBatch
		s.do("POST", "/api/v1/payout-batches", sel).want(http.StatusCreated).into(&b)
		taken := s.as(p.self).ownRequest(t)
		if taken.State != payout.RequestTaken || taken.PayoutID == "" {
			t.Errorf("taken %+v", taken)
		}
		s.do("GET", mine+"/payouts/"+taken.PayoutID, nil).want(http.StatusOK)
		s.do("POST", ownRequests+"/"+r.ID+"/withdraw", nil).want(http.StatusConflict, "payout_state")
		s.as(p.finance).do("POST", "/api/v1/payout-requests/"+r.ID+"/decline", map[string]any{"reason": "no"}).want(http.StatusConflict, "payout_state")
		s.do("POST", "/api/v1/payout-batches/preview", sel).want(http.StatusOK).into(&preview)
		if preview.Requests != 0 || len(preview.Candidates) != 0 {
			t.Errorf("preview of nobody %+v", preview)
		}
		s.do("POST", "/api/v1/payout-batches", sel).want(http.StatusConflict, "nothing_to_pay")
		s.do("POST", "/api/v1/payout-batches/"+b.ID+"/cancel", map[string]any{"reason": "the wrong bank"}).want(http.StatusOK)
		if open := s.as(p.self).ownRequest(t); open.State != payout.RequestWaiting || open.PayoutID != "" {
			t.Errorf("after the batch was cancelled %+v", open)
		}
	})
}

func (s *server) ownRequest(t *testing.T) api.OwnPayoutRequest {
	t.Helper()
	var list api.List[api.OwnPayoutRequest]
	s.do("GET", ownRequests+"?limit=1", nil).want(http.StatusOK).into(&list)
	if len(list.Items) != 1 {
		t.Fatalf("requests %+v", list)
	}
	return list.Items[0]
}

// A request is withdrawn by its affiliate and declined by finance, and by nobody else.
func TestPayoutRequestsOfOthers(t *testing.T) {
	s := sqliteServer(t)
	p := s.payee()
	s.payable(p)
	stranger := s.signIn(9, func(p *access.Principal) { p.AffiliateID = 1 }, access.RoleAffiliate)
	none := s.signIn(10, nil, access.RoleAffiliate)
	var r api.OwnPayoutRequest
	s.as(p.self).do("POST", ownRequests, rupees()).want(http.StatusCreated).into(&r)
	for _, who := range []string{stranger, none} {
		s.as(who).do("POST", ownRequests+"/"+r.ID+"/withdraw", nil).want(http.StatusNotFound, "not_found")
		s.do("POST", ownRequests, rupees()).want(http.StatusNotFound, "not_found")
	}
	s.do("GET", ownRequests, nil).want(http.StatusNotFound, "not_found")
	var list api.List[api.OwnPayoutRequest]
	s.as(stranger).do("GET", ownRequests, nil).want(http.StatusOK).into(&list)
	if len(list.Items) != 0 {
		t.Errorf("another's requests %+v", list)
	}
	s.as(p.self).do("POST", ownRequests+"/prq_0000000000001/withdraw", nil).want(http.StatusNotFound, "not_found")
	s.do("POST", ownRequests, map[string]any{"currency": "inr"}).want(http.StatusUnprocessableEntity, "validation_failed")
	s.do("POST", "/api/v1/payout-requests/"+r.ID+"/decline", map[string]any{"reason": "no"}).want(http.StatusForbidden, "forbidden")
	s.do("GET", "/api/v1/payout-requests", nil).want(http.StatusForbidden, "forbidden")
	s.do("POST", ownRequests+"/"+r.ID+"/withdraw", nil).want(http.StatusOK).into(&r)
	if r.State != payout.RequestWithdrawn {
		t.Errorf("withdrawn %+v", r)
	}
	s.do("POST", ownRequests, rupees()).want(http.StatusCreated).into(&r)

	decline := "/api/v1/payout-requests/" + r.ID + "/decline"
	s.as(p.finance).do("POST", decline, map[string]any{"reason": "a\nb"}).want(http.StatusUnprocessableEntity, "validation_failed")
	var declined api.PayoutRequest
	s.do("POST", decline, map[string]any{"reason": "send the cheque first"}, "Idempotency-Key", "decline-it-only-once").want(http.StatusOK).into(&declined)
	s.do("POST", decline, map[string]any{"reason": "send the cheque first"}, "Idempotency-Key", "decline-it-only-once").want(http.StatusOK)
	if declined.State != payout.RequestDeclined || declined.ChangedBy != ident.Format(ident.Person, 2) || declined.Prospect != nil {
		t.Errorf("declined %+v", declined)
	}
	if got := s.as(p.self).ownRequest(t); got.Reason != "send the cheque first" || got.State != payout.RequestDeclined {
		t.Errorf("the affiliate sees %+v", got)
	}
	var page api.List[api.PayoutRequest]
	s.as(p.finance).do("GET", "/api/v1/payout-requests?limit=1&affiliate_id="+p.affiliate.ID, nil).want(http.StatusOK).into(&page)
	if len(page.Items) != 1 || page.NextCursor == "" || page.Items[0].ID != r.ID {
		t.Errorf("first page %+v", page)
	}
	s.do("GET", "/api/v1/payout-requests?limit=1&affiliate_id="+p.affiliate.ID+"&cursor="+page.NextCursor, nil).want(http.StatusOK).into(&page)
	if len(page.Items) != 1 || page.NextCursor != "" || page.Items[0].State != payout.RequestWithdrawn {
		t.Errorf("second page %+v", page)
	}
	s.do("GET", "/api/v1/payout-requests?affiliate_id=7", nil).want(http.StatusUnprocessableEntity, "validation_failed")
}

// Each thing that stands against a payout has a code of its own.
func TestPayoutRequestsAreRefused(t *testing.T) {
	s := sqliteServer(t)
	p := s.payee()
	s.earn(p, "order-1", 600_00)
	s.as(p.self).do("POST", ownRequests, rupees()).want(http.StatusConflict, "below_minimum")
	p.click = testKeyring(t).Mint(s.clock.Now().Add(-time.Minute), 1, p.click.LinkID(), p.click.AffiliateID())
	s.earn(p, "order-2", 40_000_00)
	s.as(p.self).do("POST", ownRequests, rupees()).want(http.StatusConflict, "no_payable_method")
	s.do("POST", mine+"/payout-methods", map[string]any{"currency": "INR", "kind": "bank_in", "holder": "Asha Rao", "account": account, "ifsc": "HDFC0001234"}).want(http.StatusCreated)
	s.do("POST", ownRequests, rupees()).want(http.StatusConflict, "no_payable_method")
	s.clock.add(73 * time.Hour)
	s.fresh()
	s.do("POST", ownRequests, rupees()).want(http.StatusConflict, "payouts_held")
	s.as(adminSecret).do("PATCH", "/api/v1/affiliates/"+p.affiliate.ID, map[string]any{"status": "suspended"}).want(http.StatusOK)
	s.as(p.self).do("POST", ownRequests, rupees()).want(http.StatusForbidden, "affiliate_inactive")
}
