package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/payout"
)

// count is how many items a list has.
func (s *server) count(path string) int {
	s.t.Helper()
	var list struct{ Items []json.RawMessage }
	s.do("GET", "/api/v1"+path, nil).want(http.StatusOK).into(&list)
	return len(list.Items)
}

// What the pages narrow their tables down by, before and after an hour.
func TestListFilters(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh, order := s.soldAndRefunded() // by Ann, from 12:00 on, over an hour
		sale := s.saleOf(order)
		s.clock.add(time.Hour)
		later := url.QueryEscape(s.clock.Now().Format(time.RFC3339))
		var bob, eva api.Affiliate
		s.do("POST", "/api/v1/affiliates", map[string]any{"name": "Bob Builder", "email": "Bob@example.com", "sponsor_id": sh.affiliate.ID}).want(http.StatusCreated).into(&bob)
		s.do("POST", "/api/v1/affiliates", map[string]any{"name": "Éva", "email": "eva@example.com"}).want(http.StatusCreated).into(&eva)
		s.do("PATCH", "/api/v1/affiliates/"+eva.ID, map[string]any{"status": "suspended"}).want(http.StatusOK)
		s.do("POST", "/api/v1/links", map[string]any{"affiliate_id": bob.ID, "program_id": sh.program.ID, "slug": "bobs-own", "destination": "https://shop.example/"}).want(http.StatusCreated)
		s.do("POST", "/api/v1/conversions", sh.sale("later", 100)).want(http.StatusCreated)
		s.person("Bea", "bea@example.com", sh.affiliate.ID)
		s.do("POST", "/api/v1/mails/test", map[string]any{"to": "ann@example.com"}).want(http.StatusAccepted)

		for path, want := range map[string]int{
			"/affiliates": 3, "/affiliates?from=" + later: 2, "/affiliates?to=" + later: 1, "/affiliates?to=1999-01-01T00:00:00Z": 0,
			"/affiliates?name=bob": 1, "/affiliates?name=" + url.QueryEscape("BOB b"): 1, "/affiliates?name=ob": 0, "/affiliates?name=" + url.QueryEscape("Év"): 1,
			"/affiliates?email=bob@": 1, "/affiliates?email=BOB@": 1, "/affiliates?email=bob@&name=ann": 0,
			"/affiliates?name=" + url.QueryEscape("%"): 0, "/affiliates?status=suspended": 1, "/affiliates?status=active": 2, "/affiliates?status=pending": 0,
			"/affiliates?sponsor_id=" + sh.affiliate.ID: 1, "/affiliates?group_id=grp_0000000000001": 0,
			"/links?slug=bob": 1, "/links?slug=Bob": 0, "/links?status=disabled": 0, "/links?from=" + later: 1, "/links?slug=bob&affiliate_id=" + sh.affiliate.ID: 0,
			"/orders?from=" + later: 0, "/orders?to=" + later: 1, "/orders?from=" + later + "&to=" + later: 0,
			"/conversions?from=" + later: 1, "/conversions?click_id=" + sh.click.String(): 1, "/orders?click_id=" + sh.click.String(): 1, "/orders?click_id=none": 0,
			"/orders?click_id=" + sh.click.String() + "&email=bea@example.com&state=paid": 0, "/conversions?click_id=none": 0,
			"/conversions?click_id=" + sh.click.String() + "&txn_id=later": 1,
			"/commissions?to=" + later:                                     1, "/commissions?conversion_id=" + sale: 1, "/commissions?conversion_id=" + sale + "&from=" + later: 0,
			"/mails?made_from=" + later: 1, "/mails?template=order_paid": 1, "/mails?to=bea@example.com": 2,
			"/payments?to=" + later: 1, "/payments?from=" + later: 0, "/payment-events?from=" + later: 0, "/payment-events?to=" + later: 1, "/payment-refunds?to=" + later: 0,
			"/people?role=affiliate": 1, "/people?role=learner&name=b": 1, "/people?role=support": 0, "/people?role=affiliate&to=" + later: 0,
			"/order-reviews?order_id=" + order.ID: 0, "/conversion-conflicts?from=" + later: 0, "/payout-batches?from=" + later: 0, "/kyc-documents?from=" + later: 0,
			"/links?slug=bob&affiliate_id=" + bob.ID: 1, "/links?slug=x&affiliate_id=" + bob.ID: 0,
			"/payouts?from=" + later: 0, "/webhook-deliveries?from=" + later: 0, "/people?name=x&from=" + later: 0,
			"/ledger/transactions?order_id=" + order.ID: 2, "/ledger/transactions?conversion_id=" + sale: 1, "/ledger/transactions?from=" + later: 1,
			"/ledger/transactions?order_id=ord_0000000000001": 0, "/ledger/transactions?payout_id=pyt_0000000000001": 0,
			"/ledger/transactions?order_id=" + order.ID + "&affiliate_id=" + sh.affiliate.ID: 2, "/ledger/transactions?order_id=" + order.ID + "&affiliate_id=" + bob.ID: 0,
			"/ledger/transactions?order_id=" + order.ID + "&conversion_id=" + sale: 1, "/ledger/transactions?order_id=" + order.ID + "&commission_id=com_0000000000001": 0,
		} {
			if got := s.count(path); got != want {
				t.Errorf("%s: %d, want %d", path, got, want)
			}
		}
		admin := s.bearer
		s.bearer = s.asAffiliate(7, sh.affiliate.ID)
		for path, want := range map[string]int{
			"/links?slug=" + sh.link.Slug[:2]: 1, "/links?slug=bob": 0, "/links?status=disabled": 0, "/links?from=" + later: 0, "/links?to=" + later: 1,
			"/commissions?from=" + later: 1, "/commissions?to=" + later: 1, "/conversions?from=" + later: 1, "/payouts?state=paid&from=" + later: 0,
		} {
			if got := s.count("/me/affiliate" + path); got != want {
				t.Errorf("own %s: %d, want %d", path, got, want)
			}
		}
		s.bearer = admin
		s.do("GET", "/api/v1/orders?from=yesterday", nil).want(http.StatusUnprocessableEntity, "validation_failed")
		// Pages go on where the time and the cursor meet.
		var first, second api.List[api.Affiliate]
		s.do("GET", "/api/v1/affiliates?limit=1&from="+later, nil).want(http.StatusOK).into(&first)
		s.do("GET", "/api/v1/affiliates?limit=1&from="+later+"&cursor="+first.NextCursor, nil).want(http.StatusOK).into(&second)
		if len(second.Items) != 1 || second.Items[0].ID != bob.ID || second.NextCursor != "" {
			t.Errorf("%+v, then %+v", first, second)
		}
	})
}

// saleOf is the conversion of an order.
func (s *server) saleOf(order api.CheckoutOrder) string {
	s.t.Helper()
	var detail api.OrderDetail
	s.do("GET", "/api/v1/orders/"+order.ID, nil).want(http.StatusOK).into(&detail)
	return detail.ConversionID
}

// By which transactions a payout moved money.
func TestTransactionsOfAPayout(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		out := map[string]string{}
		s.pay(out, sh, s.asAffiliate(7, sh.affiliate.ID))
		var list api.List[api.LedgerTransaction]
		s.do("GET", "/api/v1/ledger/transactions?payout_id="+out["payouts"], nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 1 || list.Items[0].Reason != "payout "+out["payouts"] || len(list.Items[0].Entries) != 2 || list.Items[0].Entries[0].Kind == ledger.Expense {
			t.Errorf("%+v", list)
		}
		if got := s.count("/payouts?state=" + string(payout.Reserved)); got != 1 {
			t.Errorf("%d payouts", got)
		}
	})
}
