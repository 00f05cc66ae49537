package api_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/payout/razorpayx"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/core/tax"
	"github.com/edgeref/edgeref/wire/ident"
)

// payoutModules are the part of the API that pays affiliates.
func payoutModules(s *server, books *ledger.Ledger, commissions *commission.Service) []api.Module {
	ring, err := secret.NewRing([]string{"1:" + strings.Repeat("A", 43) + "="})
	if err != nil {
		s.t.Fatal(err)
	}
	guard := ledger.NewGuard(ledger.GuardOptions{Verify: books.VerifyFrom, Now: s.clock.Now, MaxAge: time.Nanosecond, MaxUnsealed: 10_000 * time.Hour})
	s.payouts = payout.New(payout.Options{
		DB: s.db, IDs: s.ids, Ledger: books, Commissions: commissions, Guard: guard, Ring: ring, Audit: s.audit, Executors: payout.Offline(), Now: s.clock.Now,
		Policy: payout.Policy{Minimum: map[string]int64{"INR": 500_00}, MethodFreeze: 72 * time.Hour, TaxCountries: []string{"IN"}},
	})
	provider := razorpayx.New(razorpayx.Options{KeyID: "k", KeySecret: "s", AccountNumber: "1", WebhookSecret: "hook"})
	return []api.Module{kycModule(s, ring), api.PayoutNotices(s.payouts, provider), api.Payouts(s.payouts), api.Statements(s.payouts), api.TaxRules(tax.New(tax.Options{DB: s.db, IDs: s.ids, Audit: s.audit, Now: s.clock.Now}))}
}

// payee is a shop whose affiliate is a person with an account to be paid to, and finance people beside.
type payee struct {
	shop
	self, finance, other string // access tokens
}

func (s *server) payee() payee {
	s.t.Helper()
	p := payee{shop: s.shop()}
	id, err := ident.Parse(ident.Affiliate, p.affiliate.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	sign := func(person int64, role access.Role, affiliate int64) string {
		return s.signIn(person, func(p *access.Principal) {
			p.AffiliateID, p.SecondFactorAt = affiliate, s.clock.Now().Add(400*24*time.Hour).UnixMilli()
		}, role)
	}
	p.self, p.finance, p.other = sign(1, access.RoleAffiliate, id), sign(2, access.RoleFinance, 0), sign(3, access.RoleFinance, 0)
	return p
}

// fresh proves everybody's second factor now.
func (s *server) fresh() {
	for secret, p := range s.people {
		p.SecondFactorAt = s.clock.Now().UnixMilli()
		s.people[secret] = p
	}
}

// as sends the following requests as somebody else.
func (s *server) as(bearer string) *server {
	s.bearer = bearer
	return s
}

// earn books sales worth minor units and lets their hold pass.
func (s *server) earn(p payee, txn string, minor int64) {
	s.t.Helper()
	s.as(adminSecret).do("POST", "/api/v1/conversions", p.sale(txn, minor)).want(http.StatusCreated)
	s.clock.add(45 * 24 * time.Hour)
	if _, err := s.commissions.ReleaseDue(s.t.Context(), s.clock.Now(), 100); err != nil {
		s.t.Fatal(err)
	}
	s.fresh()
}

const account = "50100123456789"

// An affiliate is paid by bank file, and it comes back, and is paid again by hand, all through the API.
func TestPayoutsThroughTheAPI(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		p := s.payee()
		s.fresh()
		var method api.OwnPayoutMethod
		s.as(p.self).do("POST", "/api/v1/me/affiliate/payout-methods", map[string]any{
			"currency": "INR", "kind": "bank_in", "holder": "Asha Rao", "account": account, "ifsc": "hdfc0001234",
		}).want(http.StatusCreated).into(&method)
		if method.Account != "HDFC0001234 ****6789" || method.FrozenUntil != "2026-05-04T12:00:00.000Z" {
			t.Errorf("method %+v", method)
		}
		var profile api.TaxProfile
		s.do("PUT", "/api/v1/me/affiliate/tax-profile", map[string]any{"country": "IN", "tax_id": "abcpk1234l"}).want(http.StatusOK).into(&profile)
		if profile.TaxID != "AB****4L" {
			t.Errorf("profile %+v", profile)
		}
		s.earn(p, "order-1", 40_000_00) // a commission of 30,000

		var preview api.PayoutPreview
		sel := map[string]any{"currency": "INR", "executor": "bank_file"}
		s.as(p.finance).do("POST", "/api/v1/payout-batches/preview", sel).want(http.StatusOK).into(&preview)
		if len(preview.Candidates) != 1 || preview.Candidates[0].Ready || preview.Candidates[0].Reasons[0].Code != "tax_rule_missing" {
			t.Errorf("preview %+v", preview)
		}
		s.do("POST", "/api/v1/payout-batches", sel).want(http.StatusConflict, "nothing_to_pay")
		var terms api.TaxTerms
		s.do("GET", "/api/v1/tax-rules/example", nil).want(http.StatusOK).into(&terms)
		var rule api.TaxRule
		s.do("POST", "/api/v1/tax-rules", terms).want(http.StatusCreated).into(&rule)
		s.do("POST", "/api/v1/tax-rules", terms).want(http.StatusConflict, "tax_rule_exists")
		var rules api.List[api.TaxRule]
		s.do("GET", "/api/v1/tax-rules", nil).want(http.StatusOK).into(&rules)
		if len(rules.Items) != 1 || rules.Items[0] != rule || rule.ConfirmedBy != "" {
			t.Errorf("rules %+v", rules)
		}
		s.do("POST", "/api/v1/payout-batches/preview", sel).want(http.StatusOK).into(&preview)
		if c := preview.Candidates[0]; !c.Ready || c.Gross.Minor != 30_000_00 || c.Tax.Minor != 600_00 || c.Net.Minor != 29_400_00 || c.TaxText != "194H: 2.00 %" {
			t.Errorf("preview %+v", preview)
		}

		var b, again api.PayoutBatch
		s.do("POST", "/api/v1/payout-batches", sel, "Idempotency-Key", "payouts-of-may-2026").want(http.StatusCreated).into(&b)
		s.do("POST", "/api/v1/payout-batches", sel, "Idempotency-Key", "payouts-of-may-2026").want(http.StatusCreated).into(&again)
		if b.ID != again.ID || b.Net.Minor != 29_400_00 || b.State != payout.BatchCreated || b.ApprovalsNeeded != 1 {
			t.Errorf("batch %+v, then %+v", b, again)
		}
		batch := "/api/v1/payout-batches/" + b.ID
		seen := map[string]any{"payouts": b.Payouts, "net": b.Net}
		s.do("POST", batch+"/approve", seen).want(http.StatusForbidden, "own_batch")
		s.do("POST", batch+"/file", map[string]any{}).want(http.StatusConflict, "payout_state")
		s.as(adminSecret).do("POST", batch+"/approve", seen).want(http.StatusForbidden, "person_required")
		s.as(p.other).do("POST", batch+"/approve", map[string]any{"payouts": 1, "net": map[string]any{"minor": 1, "currency": "INR"}}).want(http.StatusConflict, "batch_changed")
		s.do("POST", batch+"/approve", seen).want(http.StatusOK).into(&b)
		if b.State != payout.BatchApproved || len(b.Approvals) != 1 || b.Approvals[0].PersonID != ident.Format(ident.Person, 3) {
			t.Errorf("approved %+v", b)
		}
		var file, same api.PayoutFile
		s.as(p.finance).do("POST", batch+"/file", map[string]any{}).want(http.StatusOK).into(&file)
		s.do("POST", batch+"/file", map[string]any{}).want(http.StatusConflict, "file_downloaded")
		s.do("POST", batch+"/file", map[string]any{"again": "the disk was full"}).want(http.StatusOK).into(&same)
		if file != same || file.Total.Minor != 29_400_00 || !strings.Contains(file.Content, ",Asha Rao,bank_in,"+account+",HDFC0001234,29400.00,INR\r\n") {
			t.Errorf("file %+v, then %+v", file, same)
		}
		var list api.List[api.Payout]
		s.do("GET", "/api/v1/payouts?batch_id="+b.ID, nil).want(http.StatusOK).into(&list)
		one := "/api/v1/payouts/" + list.Items[0].ID
		var paid api.Payout
		s.do("POST", one+"/cancel", map[string]any{"reason": "too late"}).want(http.StatusConflict, "payout_state")
		s.do("POST", one+"/settle", map[string]any{"reference": "UTR1"}).want(http.StatusOK).into(&paid)
		if paid.State != payout.Paid || paid.Reference != "UTR1" || paid.PaidAt == nil {
			t.Errorf("paid %+v", paid)
		}
		s.do("POST", one+"/return", map[string]any{"reason": "account closed"}).want(http.StatusOK).into(&paid)
		var detail api.PayoutDetail
		s.do("GET", one, nil).want(http.StatusOK).into(&detail)
		if detail.State != payout.Returned || len(detail.Items) != 1 || len(detail.Events) != 4 || detail.Events[3].By != ident.Format(ident.Person, 2) {
			t.Errorf("detail %+v", detail)
		}
		testPaidByHand(t, s, p)
		s.as(p.finance).do("GET", "/api/v1/payout-batches/"+b.ID, nil).want(http.StatusOK).into(&b)
		if b.State != payout.BatchCompleted || b.FileDownloads != 2 || b.FileSHA256 != file.SHA256 {
			t.Errorf("batch at last %+v", b)
		}
	})
}

// testPaidByHand pays what came back, and lets its owner look.
func testPaidByHand(t *testing.T, s *server, p payee) {
	t.Helper()
	var b api.PayoutBatch
	make := func() string {
		s.as(p.finance).do("POST", "/api/v1/payout-batches", map[string]any{"currency": "INR", "executor": "manual", "note": "again"}).want(http.StatusCreated).into(&b)
		s.as(p.other).do("POST", "/api/v1/payout-batches/"+b.ID+"/approve", map[string]any{"payouts": b.Payouts, "net": b.Net}).want(http.StatusOK)
		var list api.List[api.Payout]
		s.do("GET", "/api/v1/payouts?state=reserved&affiliate_id="+p.affiliate.ID, nil).want(http.StatusOK).into(&list)
		return "/api/v1/payouts/" + list.Items[0].ID
	}
	s.do("POST", make()+"/fail", map[string]any{"reason": "the bank said no"}).want(http.StatusOK)
	s.do("POST", make()+"/cancel", map[string]any{"reason": "later"}).want(http.StatusOK)
	make()
	s.do("POST", "/api/v1/payout-batches/"+b.ID+"/cancel", map[string]any{"reason": "later"}).want(http.StatusOK).into(&b)
	if b.State != payout.BatchCancelled {
		t.Errorf("cancelled %+v", b)
	}
	s.do("POST", make()+"/settle", map[string]any{"reference": "cheque 12"}).want(http.StatusOK)
	var events api.List[api.PayoutEvent]
	s.do("GET", "/api/v1/payout-batches/"+b.ID+"/events?limit=2", nil).want(http.StatusOK).into(&events)
	if len(events.Items) != 2 || events.NextCursor == "" || events.Items[0].To != "completed" {
		t.Errorf("events %+v", events)
	}
	s.do("GET", "/api/v1/payout-batches/"+b.ID+"/events?cursor="+events.NextCursor, nil).want(http.StatusOK).into(&events)
	if len(events.Items) != 4 {
		t.Errorf("the rest of the events %+v", events)
	}
	var batches api.List[api.PayoutBatch]
	s.do("GET", "/api/v1/payout-batches?state=cancelled&currency=INR", nil).want(http.StatusOK).into(&batches)
	if len(batches.Items) != 1 {
		t.Errorf("batches %+v", batches)
	}
	var own api.List[api.Payout]
	s.as(p.self).do("GET", "/api/v1/me/affiliate/payouts", nil).want(http.StatusOK).into(&own)
	if len(own.Items) != 5 || own.Items[0].State != payout.Paid {
		t.Fatalf("own payouts %+v", own)
	}
	var detail api.PayoutDetail
	s.do("GET", "/api/v1/me/affiliate/payouts/"+own.Items[0].ID, nil).want(http.StatusOK).into(&detail)
	if len(detail.Items) != 1 || detail.Events[0].By != "" {
		t.Errorf("own detail %+v", detail)
	}
	stranger := s.signIn(60, func(p *access.Principal) { p.AffiliateID = 1 }, access.RoleAffiliate)
	for path, as := range map[string]string{
		"/me/affiliate/payouts/" + own.Items[0].ID + "/statement?": p.self, "/me/affiliate/payout-statement?year=2026&": p.self,
		"/payouts/" + own.Items[0].ID + "/statement?": p.finance, "/affiliates/" + p.affiliate.ID + "/payout-statement?year=2026&": p.finance,
	} {
		pdf := s.as(as).do("GET", "/api/v1"+path+"format=pdf", nil).want(http.StatusOK)
		table := s.do("GET", "/api/v1"+path+"format=csv", nil).want(http.StatusOK)
		if !bytes.HasPrefix(pdf.body, []byte("%PDF-")) || !bytes.Contains(table.body, []byte(own.Items[0].ID)) || table.header.Get("Content-Type") != "text/csv; charset=utf-8" {
			t.Errorf("%s: %s", path, table.body)
		}
	}
	s.as(stranger).do("GET", "/api/v1/me/affiliate/payouts/"+own.Items[0].ID+"/statement", nil).want(http.StatusNotFound, "not_found")
}

// What belongs to one affiliate is not there for another, and account numbers are shown to nobody.
func TestPayoutMethodsOfOthers(t *testing.T) {
	s := sqliteServer(t)
	p := s.payee()
	s.fresh()
	body := map[string]any{"currency": "INR", "kind": "bank_in", "holder": "Asha Rao", "account": account, "ifsc": "HDFC0001234"}
	stranger := s.signIn(9, func(p *access.Principal) { p.AffiliateID = 1 }, access.RoleAffiliate)
	customer := s.signIn(10, nil, access.RoleAffiliate)
	var own api.OwnPayoutMethod
	s.as(p.self).do("POST", "/api/v1/me/affiliate/payout-methods", body).want(http.StatusCreated).into(&own)
	s.do("POST", "/api/v1/me/affiliate/payout-methods", body).want(http.StatusConflict, "method_exists")
	for field, value := range map[string]string{"account": "12", "ifsc": "XX", "holder": "=cmd", "currency": "EUR"} {
		wrong := map[string]any{"currency": "INR", "kind": "bank_in", "holder": "Asha Rao", "account": account, "ifsc": "HDFC0001234", field: value}
		got := s.do("POST", "/api/v1/me/affiliate/payout-methods", wrong).want(http.StatusUnprocessableEntity, "validation_failed")
		if !bytes.Contains(got.body, []byte(`"body.`+field+`"`)) || bytes.Contains(got.body, []byte(account)) {
			t.Errorf("%s: %s", field, got.body)
		}
	}
	for _, who := range []string{stranger, customer} {
		s.as(who).do("DELETE", "/api/v1/me/affiliate/payout-methods/"+own.ID, nil).want(http.StatusNotFound, "not_found")
		s.do("POST", "/api/v1/me/affiliate/payout-methods", body).want(http.StatusNotFound, "not_found")
		s.do("PUT", "/api/v1/me/affiliate/tax-profile", map[string]any{"country": "IN"}).want(http.StatusNotFound, "not_found")
	}
	for _, path := range []string{"payouts", "payout-methods", "tax-profile"} {
		s.as(customer).do("GET", "/api/v1/me/affiliate/"+path, nil).want(http.StatusNotFound, "not_found")
	}
	stale := s.people[p.self]
	stale.SecondFactorAt -= (16 * time.Minute).Milliseconds()
	s.people["person-stale"] = stale
	s.as(p.finance)
	var methods api.List[api.PayoutMethod]
	got := s.do("GET", "/api/v1/payout-methods?in_use=true&affiliate_id="+p.affiliate.ID, nil).want(http.StatusOK)
	got.into(&methods)
	if len(methods.Items) != 1 || bytes.Contains(got.body, []byte(account)) || methods.Items[0].Shared {
		t.Errorf("methods %s", got.body)
	}
	var shared api.PayoutMethod
	s.do("POST", "/api/v1/payout-methods/"+own.ID+"/shared", map[string]any{"allowed": true, "reason": "spouses"}).want(http.StatusOK).into(&shared)
	if !shared.SharedAllowed {
		t.Errorf("shared %+v", shared)
	}
	s.earn(p, "order-1", 1_000_00)
	s.as(p.finance).do("POST", "/api/v1/affiliates/"+p.affiliate.ID+"/payout-reviews", map[string]any{"currency": "INR", "reason": "looked"}).want(http.StatusNoContent)
	s.do("POST", "/api/v1/affiliates/"+p.affiliate.ID+"/payout-reviews", map[string]any{"currency": "USD", "reason": "looked"}).want(http.StatusNotFound, "not_found")
	var profile api.TaxProfile
	s.do("GET", "/api/v1/affiliates/"+p.affiliate.ID+"/tax-profile", nil).want(http.StatusOK).into(&profile)
	s.as(p.self).do("DELETE", "/api/v1/me/affiliate/payout-methods/"+own.ID, nil).want(http.StatusNoContent)
	s.do("DELETE", "/api/v1/me/affiliate/payout-methods/"+own.ID, nil).want(http.StatusNotFound, "not_found")
	all, err := s.db.Query(t.Context(), "SELECT COALESCE(before_value, '') || COALESCE(after_value, '') || reason FROM audit_log")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = all.Close() }()
	for all.Next() {
		var text string
		if err := all.Scan(&text); err != nil || strings.Contains(text, account) {
			t.Errorf("the audit log has the account number: %s, %v", text, err)
		}
	}
	if strings.Contains(s.log.String(), account) {
		t.Error("the log has the account number")
	}
}

func TestPayoutNotices(t *testing.T) {
	s := sqliteServer(t)
	s.bearer = ""
	body := `{"event":"payout.processed","payload":{"payout":{"entity":{"id":"pout_1","reference_id":"somebody else's"}}}}`
	mac := hmac.New(sha256.New, []byte("hook"))
	mac.Write([]byte(body))
	signature := hex.EncodeToString(mac.Sum(nil))
	s.do("POST", "/api/v1/payout-notices/razorpayx", body, "X-Razorpay-Signature", signature).want(http.StatusNoContent)
	s.do("POST", "/api/v1/payout-notices/razorpayx", body+" ", "X-Razorpay-Signature", signature).want(http.StatusBadRequest, "invalid_signature")
	s.do("POST", "/api/v1/payout-notices/razorpayx", body).want(http.StatusBadRequest, "invalid_signature")
}
