package api_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/outbox"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/webhook"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/report"
)

// analytics takes facts in, and answers what it is told to.
type analytics struct {
	query  report.Query
	clicks report.ClickQuery
	result report.Result
	rows   []click.Record
	err    error
}

func (a *analytics) AppendFacts(context.Context, string, []report.Fact) error { return nil }

func (a *analytics) Report(_ context.Context, q report.Query) (report.Result, error) {
	a.query = q
	return a.result, a.err
}

func (a *analytics) Clicks(_ context.Context, q report.ClickQuery) ([]click.Record, error) {
	a.clicks = q
	if a.err != nil {
		return nil, a.err
	}
	var out []click.Record
	for _, r := range a.rows {
		if (q.Before.IsZero() || r.ID.String() < q.Before.String()) && len(out) < q.Limit {
			out = append(out, r)
		}
	}
	return out, nil
}

// testKey signs the Click IDs of these tests.
func testKeyring(t *testing.T) *click.Keyring {
	t.Helper()
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// moneyModules are those of conversions, commissions, the ledger and reports.
func moneyModules(s *server, a *analytics) []api.Module {
	books := ledger.New(ledger.Options{DB: s.db, IDs: s.ids, Now: s.clock.Now, Reconcile: payout.Reconcile})
	hooks := webhook.New(webhook.Options{DB: s.db, Ring: testRing(s.t), IDs: s.ids, Now: s.clock.Now, AllowHTTP: true, AllowLoopback: true})
	s.hooks = hooks
	commissions := commission.New(commission.Options{DB: s.db, IDs: s.ids, Ledger: books, Announcer: hooks, Now: s.clock.Now})
	s.commissions = commissions
	conversions, err := conversion.New(conversion.Options{
		DB: s.db, IDs: s.ids, Keys: testKeyring(s.t), Commissions: commissions, Now: s.clock.Now,
		Announcer: hooks, Auditor: s.audit,
		Outbox: outbox.New(outbox.Options{DB: s.db, IDs: s.ids, Sink: a, Now: s.clock.Now}),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	links, err := catalog.New(s.t.Context(), catalog.Options{DB: s.db, IDs: s.ids, Now: s.clock.Now, Mail: s.letters(""), URL: "https://core.example/app/"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.self = api.SelfServices{Catalog: links, Conversions: conversions, Commissions: commissions, Ledger: books, Reports: a, Webhooks: hooks}
	paying := payoutModules(s, books, commissions)
	return append(paying, api.Conversions(conversions), api.Commissions(commissions), api.Ledger(books, api.LedgerOrigins{Conversions: conversions, Payouts: s.payouts}), api.Reports(a, links), api.Webhooks(hooks), shopModule(s, conversions))
}

// shop is a program with an affiliate, a link, a rule and a click.
type shop struct {
	program   api.ProgramWithSecret
	affiliate api.Affiliate
	link      api.Link
	rule      api.Rule
	click     click.ID
}

func (s *server) shop() shop {
	s.t.Helper()
	sh := shop{program: s.program(), affiliate: s.affiliate()}
	sh.link = s.link(sh.affiliate, sh.program)
	s.do("POST", "/api/v1/commission-rules", map[string]any{"program_id": sh.program.ID, "on": "sale", "percent_bp": 7500}).
		want(http.StatusCreated).into(&sh.rule)
	linkID, err1 := ident.Parse(ident.Link, sh.link.ID)
	affiliateID, err2 := ident.Parse(ident.Affiliate, sh.affiliate.ID)
	if err1 != nil || err2 != nil {
		s.t.Fatal(err1, err2)
	}
	sh.click = testKeyring(s.t).Mint(s.clock.Now().Add(-time.Hour), 1, linkID, affiliateID)
	return sh
}

func (sh shop) sale(txn string, minor int64) map[string]any {
	return map[string]any{
		"program_id": sh.program.ID, "type": "sale", "txn_id": txn, "click_id": sh.click.String(),
		"amount": map[string]any{"minor": minor, "currency": "INR"},
	}
}

func TestConversions(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		var made, again, read api.ConversionDetail
		s.do("POST", "/api/v1/conversions", sh.sale("order-1", 149_999)).want(http.StatusCreated).into(&made)
		if made.AffiliateID != sh.affiliate.ID || made.LinkID != sh.link.ID || made.State != "booked" || made.Attribution != "attributed" ||
			!strings.Contains(made.Explanation.Text, "within the window of 30 days") || len(made.Commissions) != 1 ||
			made.Commissions[0].Amount.Minor != 112_499 || made.Channel != "api" || made.ReceivedAt != "2026-05-01T12:00:00.000Z" {
			t.Errorf("conversion %+v", made)
		}
		s.clock.add(time.Minute)
		s.do("POST", "/api/v1/conversions", sh.sale("order-1", 149_999)).want(http.StatusOK).into(&again)
		s.do("GET", "/api/v1/conversions/"+made.ID, nil).want(http.StatusOK).into(&read)
		if diff := cmp.Diff(made, again); diff != "" {
			t.Errorf("sent again (-first +second):\n%s", diff)
		}
		if diff := cmp.Diff(made, read); diff != "" {
			t.Errorf("read (-made +read):\n%s", diff)
		}
		for range 2 {
			s.do("POST", "/api/v1/conversions", sh.sale("order-1", 1)).want(http.StatusConflict, "conversion_conflict")
		}
		var conflicts api.List[api.Conflict]
		s.do("GET", "/api/v1/conversion-conflicts", nil).want(http.StatusOK).into(&conflicts)
		if len(conflicts.Items) != 1 || conflicts.Items[0].Amount.Minor != 1 || conflicts.Items[0].ProgramID != sh.program.ID || conflicts.Items[0].ClickID != sh.click.String() {
			t.Errorf("conflicts %+v", conflicts)
		}
		var refund api.ConversionDetail
		body := map[string]any{"program_id": sh.program.ID, "type": "refund", "txn_id": "r-1", "ref_txn_id": "order-1", "amount": map[string]any{"minor": 9_999, "currency": "INR"}}
		s.do("POST", "/api/v1/conversions", body).want(http.StatusCreated).into(&refund)
		if refund.RefTxnID != "order-1" || refund.AffiliateID != sh.affiliate.ID || len(refund.Reversals) != 1 || refund.Reversals[0].Amount.Minor != 7_499 ||
			refund.Refunded == nil || refund.Refunded.Minor != 9_999 {
			t.Errorf("refund %+v", refund)
		}
		body["txn_id"], body["amount"] = "r-2", map[string]any{"minor": 150_000, "currency": "INR"}
		s.do("POST", "/api/v1/conversions", body).want(http.StatusUnprocessableEntity, "conversion_refused")
		s.do("POST", "/api/v1/conversions", map[string]any{"program_id": sh.program.ID, "type": "rejected", "txn_id": "later"}).want(http.StatusCreated).into(&refund)
		if refund.State != "waiting" || refund.Detail == "" || refund.AffiliateID != "" {
			t.Errorf("rejection before its sale: %+v", refund)
		}
		testConversionList(t, s, sh)
	})
}

func testConversionList(t *testing.T, s *server, sh shop) {
	t.Helper()
	for query, want := range map[string]int{
		"":                                   4,
		"?limit=1":                           4,
		"?program_id=" + sh.program.ID:       4,
		"?affiliate_id=" + sh.affiliate.ID:   2,
		"?type=refund":                       2,
		"?type=refund&limit=1":               2,
		"?txn_id=order-1":                    1,
		"?state=refused":                     1,
		"?state=waiting":                     1,
		"?program_id=prg_0000000000001":      0,
		"?txn_id=" + url.QueryEscape("a%b'"): 0,
	} {
		n, cursor := 0, ""
		for {
			path := "/api/v1/conversions" + query
			if cursor != "" {
				sep := "?"
				if strings.Contains(query, "?") {
					sep = "&"
				}
				path += sep + "cursor=" + cursor
			}
			var page api.List[api.Conversion]
			s.do("GET", path, nil).want(http.StatusOK).into(&page)
			n += len(page.Items)
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		if n != want {
			t.Errorf("%q: %d conversions, want %d", query, n, want)
		}
	}
	s.do("GET", "/api/v1/conversions?type=gift", nil).want(http.StatusUnprocessableEntity, "validation_failed")
	s.do("GET", "/api/v1/conversions?cursor=x", nil).want(http.StatusBadRequest, "invalid_cursor")
	s.do("GET", "/api/v1/conversions/cnv_0000000000001", nil).want(http.StatusNotFound, "not_found")
}

func TestConversionInput(t *testing.T) {
	s := sqliteServer(t)
	sh := s.shop()
	for _, tt := range []struct {
		name  string
		field string
		value any
	}{
		{"no program", "program_id", ""},
		{"another kind of identifier", "program_id", sh.link.ID},
		{"unknown type", "type", "gift"},
		{"empty transaction", "txn_id", ""},
		{"long transaction", "txn_id", strings.Repeat("x", 129)},
		{"long in bytes", "txn_id", strings.Repeat("é", 100)},
		{"control character", "txn_id", "a\nb"},
		{"malformed click", "click_id", "abc"},
		{"no amount", "amount", nil},
		{"negative amount", "amount", map[string]any{"minor": -1, "currency": "INR"}},
		{"fraction", "amount", map[string]any{"minor": 1.5, "currency": "INR"}},
		{"huge amount", "amount", map[string]any{"minor": 1_000_000_000_000_001, "currency": "INR"}},
		{"unknown currency", "amount", map[string]any{"minor": 1, "currency": "XXX"}},
		{"lower case currency", "amount", map[string]any{"minor": 1, "currency": "inr"}},
		{"reference of a sale", "ref_txn_id", "x"},
		{"unknown field", "colour", "red"},
	} {
		body := sh.sale("order", 100)
		if body[tt.field] = tt.value; tt.value == nil {
			delete(body, tt.field)
		}
		if got := s.do("POST", "/api/v1/conversions", body); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d: %s", tt.name, got.status, got.body)
		}
	}
	var page api.List[api.Conversion]
	s.do("GET", "/api/v1/conversions", nil).want(http.StatusOK).into(&page)
	if len(page.Items) != 0 {
		t.Errorf("booked %+v", page.Items)
	}
	// A forged Click ID has the right form; it is booked, for nobody.
	forged := sh.click
	forged[click.IDSize-1] ^= 1
	body := sh.sale("forged", 100)
	body["click_id"] = forged.String()
	var made api.ConversionDetail
	s.do("POST", "/api/v1/conversions", body).want(http.StatusCreated).into(&made)
	if made.AffiliateID != "" || made.Attribution != "unknown_click" {
		t.Errorf("forged click: %+v", made)
	}
}

func TestRules(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		if sh.rule.PercentBP == nil || *sh.rule.PercentBP != 7500 || sh.rule.Flat != nil || sh.rule.Version != 1 || sh.rule.EndedAt != nil {
			t.Errorf("rule %+v", sh.rule)
		}
		second := map[string]any{"program_id": sh.program.ID, "on": "sale", "percent_bp": 1}
		s.do("POST", "/api/v1/commission-rules", second).want(http.StatusConflict, "rule_exists")
		second["affiliate_id"] = sh.affiliate.ID
		var own, replayed api.Rule
		s.do("POST", "/api/v1/commission-rules", second, "Idempotency-Key", "k1").want(http.StatusCreated).into(&own)
		s.do("POST", "/api/v1/commission-rules", second, "Idempotency-Key", "k1").want(http.StatusCreated).into(&replayed)
		if own.ID != replayed.ID || own.AffiliateID != sh.affiliate.ID {
			t.Errorf("made %+v and %+v", own, replayed)
		}
		var changed api.Rule
		s.do("PATCH", "/api/v1/commission-rules/"+own.ID, `{"flat":{"minor":50,"currency":"INR"}}`).want(http.StatusOK).into(&changed)
		if changed.Version != 2 || changed.PercentBP != nil || changed.Flat == nil || changed.Flat.Minor != 50 {
			t.Errorf("changed %+v", changed)
		}
		s.do("DELETE", "/api/v1/commission-rules/"+own.ID, nil).want(http.StatusNoContent)
		s.do("DELETE", "/api/v1/commission-rules/"+own.ID, nil).want(http.StatusConflict, "rule_ended")
		s.do("PATCH", "/api/v1/commission-rules/"+own.ID, `{"percent_bp":1}`).want(http.StatusConflict, "rule_ended")
		s.do("GET", "/api/v1/commission-rules/"+own.ID, nil).want(http.StatusOK).into(&changed)
		if changed.EndedAt == nil {
			t.Errorf("ended rule %+v", changed)
		}
		for query, want := range map[string]int{"": 1, "?ended=true": 2, "?affiliate_id=" + sh.affiliate.ID + "&ended=true": 1, "?program_id=prg_0000000000001": 0} {
			var page api.List[api.Rule]
			s.do("GET", "/api/v1/commission-rules"+query, nil).want(http.StatusOK).into(&page)
			if len(page.Items) != want {
				t.Errorf("%q: %d rules, want %d", query, len(page.Items), want)
			}
		}
		for _, body := range []string{
			`{}`, `{"percent_bp":1,"flat":{"minor":1,"currency":"INR"}}`, `{"percent_bp":10001}`, `{"percent_bp":-1}`, `{"flat":{"minor":1,"currency":"???"}}`, `{"percent_bp":1.5}`,
		} {
			s.do("PATCH", "/api/v1/commission-rules/"+sh.rule.ID, body).want(http.StatusUnprocessableEntity, "validation_failed")
		}
		for field, value := range map[string]string{"program_id": "prg_0000000000001", "affiliate_id": "aff_0000000000001", "on": "refund"} {
			body := map[string]any{"program_id": sh.program.ID, "on": "sale", "percent_bp": 1, field: value}
			s.do("POST", "/api/v1/commission-rules", body).want(http.StatusUnprocessableEntity, "validation_failed")
		}
		s.do("GET", "/api/v1/commission-rules/rul_0000000000001", nil).want(http.StatusNotFound, "not_found")
	})
}

func TestCommissionsAndLedger(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		sh := s.shop()
		for i := range 3 {
			s.do("POST", "/api/v1/conversions", sh.sale(fmt.Sprint("order-", i), 1_000)).want(http.StatusCreated)
		}
		s.do("POST", "/api/v1/conversions", map[string]any{"program_id": sh.program.ID, "type": "refund", "txn_id": "r", "ref_txn_id": "order-0"}).want(http.StatusCreated)
		var page api.List[api.Commission]
		s.do("GET", "/api/v1/commissions?state=reversed&affiliate_id="+sh.affiliate.ID, nil).want(http.StatusOK).into(&page)
		if len(page.Items) != 1 || page.Items[0].Reversed.Minor != 750 || page.Items[0].RuleID != sh.rule.ID {
			t.Fatalf("reversed %+v", page.Items)
		}
		var one api.CommissionDetail
		s.do("GET", "/api/v1/commissions/"+page.Items[0].ID, nil).want(http.StatusOK).into(&one)
		if !strings.HasPrefix(one.Explanation.Text, "75.00 % of 10.00 INR = 7.50 INR") || len(one.Reversals) != 1 || one.Reversals[0].Text == "" {
			t.Errorf("commission %+v", one)
		}
		s.do("GET", "/api/v1/commissions/com_0000000000001", nil).want(http.StatusNotFound, "not_found")

		var balances api.List[api.Balance]
		s.do("GET", "/api/v1/ledger/balances?affiliate_id="+sh.affiliate.ID, nil).want(http.StatusOK).into(&balances)
		if len(balances.Items) != 1 || balances.Items[0].Kind != "pending" || balances.Items[0].Amount.Minor != 1_500 {
			t.Errorf("balances %+v", balances)
		}
		s.do("GET", "/api/v1/ledger/balances", nil).want(http.StatusOK).into(&balances)
		if len(balances.Items) != 2 || balances.Items[0].Amount.Minor != -1_500 {
			t.Errorf("all balances %+v", balances)
		}
		for query, want := range map[string]int{"": 4, "?affiliate_id=" + sh.affiliate.ID: 4, "?commission_id=" + one.ID: 2, "?affiliate_id=aff_0000000000001": 0} {
			var list api.List[api.LedgerTransaction]
			s.do("GET", "/api/v1/ledger/transactions"+query, nil).want(http.StatusOK).into(&list)
			if len(list.Items) != want {
				t.Errorf("%q: %d transactions, want %d", query, len(list.Items), want)
			}
			for _, tx := range list.Items {
				if len(tx.Entries) != 2 || tx.Entries[0].Amount.Minor+tx.Entries[1].Amount.Minor != 0 || tx.CommissionID == "" {
					t.Errorf("transaction %+v", tx)
				}
			}
		}
		var v api.Verification
		s.do("GET", "/api/v1/ledger/verification", nil).want(http.StatusOK).into(&v)
		if !v.OK || v.Break != nil || v.Transactions != 4 || v.Commissions != 3 || !strings.HasPrefix(v.Text, "ledger holds") {
			t.Errorf("verification %+v", v)
		}
		if v.Unsealed != 4 || v.Oldest == nil || v.Sealed != 0 {
			t.Errorf("verification %+v", v)
		}
		s.do("GET", "/api/v1/ledger/verification?expect_head="+v.Head, nil).want(http.StatusOK).into(&v)
		if !v.OK {
			t.Errorf("verification from its own head %+v", v)
		}
		s.do("GET", "/api/v1/ledger/verification?expect_head=1"+v.Head[1:], nil).want(http.StatusOK).into(&v)
		if v.OK || v.Break == nil || v.Break.Check != "chain_expected_head" {
			t.Errorf("verification from another head %+v", v)
		}
		s.do("GET", "/api/v1/ledger/verification?expect_head=x", nil).want(http.StatusUnprocessableEntity, "validation_failed")
		testLedgerExport(t, s)
		s.breakCommission(one.ID)
		s.do("GET", "/api/v1/ledger/verification", nil).want(http.StatusOK).into(&v)
		if v.OK || v.Break == nil || v.Break.CommissionID != one.ID {
			t.Errorf("verification of a broken ledger %+v", v)
		}
	})
}

func TestReports(t *testing.T) {
	a := &analytics{}
	s := newServer(t, dbtest.SQLite(t), func(s *server) []api.Module { return moneyModules(s, a) })
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 5, 1, 0, 0, 0, 0, kolkata)
	figures := report.Figures{Clicks: 12, Bots: 2, Uniques: 9, Leads: 3, Sales: 2, Refunds: 1, Money: []report.Money{{Currency: "INR", Revenue: 100_050, Commission: 50}, {Currency: "JPY", Revenue: 7, Commission: -1}}}
	a.result = report.Result{
		Rows:  []report.Row{{Start: start, Key: "5", Figures: figures}, {Start: start, Key: "", Figures: report.Figures{Clicks: 1}}},
		Other: &report.Figures{Clicks: 4}, Total: figures,
	}
	aff := func(id int64) string { return ident.Format(ident.Affiliate, id) }
	const span = "/api/v1/reports?from=2026-05-01T00:00:00%2B05:30&to=2026-05-02T00:00:00.5Z"
	path := span + "&zone=Asia/Kolkata&bucket=day&group_by=affiliate&order_by=revenue&currency=INR&limit=2" +
		"&filter=affiliate:" + aff(5) + "&filter=affiliate:&filter=country:!IN&filter=sub1:a,b:c&affiliate_id=" + aff(7)
	var got api.Report
	s.do("GET", path, nil).want(http.StatusOK).into(&got)
	if len(got.Rows) != 2 || got.Rows[0].Key != aff(5) || got.Rows[1].Key != "" || got.Rows[0].Start != "2026-05-01T00:00:00+05:30" ||
		got.Rows[0].ConversionRate != 0.2 || got.Rows[0].Money[0].EPC != 5 || got.Other == nil || got.Other.Clicks != 4 || got.Total.Sales != 2 {
		t.Errorf("report %+v", got)
	}
	want := []report.Filter{{Dimension: "affiliate", Values: []string{"5", ""}}, {Dimension: "country", Values: []string{"IN"}, Not: true}, {Dimension: "sub1", Values: []string{"a,b:c"}}}
	if diff := cmp.Diff(want, a.query.Filters); diff != "" {
		t.Errorf("filters (-want +got):\n%s", diff)
	}
	if a.query.AffiliateID != 7 || a.query.Limit != 2 || a.query.OrderBy != report.Revenue || a.query.Bucket != report.Day || !a.query.From.Equal(start) {
		t.Errorf("query %+v", a.query)
	}
	table := s.do("GET", path+"&format=csv", nil).want(http.StatusOK)
	if ct := table.header.Get("Content-Type"); ct != "text/csv; charset=utf-8" {
		t.Errorf("content type %q", ct)
	}
	lines, err := csv.NewReader(strings.NewReader(string(table.body))).ReadAll()
	if err != nil || len(lines) != 5 {
		t.Fatalf("%d lines (%v): %s", len(lines), err, table.body)
	}
	first := []string{"row", "2026-05-01T00:00:00+05:30", aff(5), "12", "2", "9", "3", "2", "1", "0.200000", "1000.50", "0.50", "0.0500", "7", "-1", "-0.10", ""}
	if diff := cmp.Diff(first, lines[1]); diff != "" {
		t.Errorf("first line (-want +got):\n%s", diff)
	}
	if lines[0][2] != "affiliate" || lines[0][10] != "revenue_INR" || lines[3][0] != "other" || lines[4][0] != "total" {
		t.Errorf("table %q", lines)
	}
	for _, bad := range []string{
		"/api/v1/reports", "/api/v1/reports?from=2026-05-01T00:00:00Z", "/api/v1/reports?from=yesterday&to=2026-05-01T00:00:00Z",
		"/api/v1/reports?from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z", span + "&zone=Mars/Olympus", span + "&zone=Local", span + "&bucket=week",
		span + "&group_by=colour", span + "&order_by=name", span + "&limit=0", span + "&limit=1001", span + "&filter=country", span + "&filter=colour:red",
		span + "&filter=affiliate:7", span + "&affiliate_id=7", span + "&format=xml", span + "&colour=red", span + "&zone=../../etc/passwd",
		"/api/v1/reports?from=2020-05-01T00:00:00Z&to=2026-05-01T00:00:00Z&bucket=hour",
		span + strings.Repeat("&filter=sub1:x", 101),
	} {
		s.do("GET", bad, nil).want(http.StatusUnprocessableEntity, "validation_failed")
	}
}

func TestReportsWithoutAnalytics(t *testing.T) {
	a := &analytics{err: errors.New("dial tcp 10.0.0.7:9000: refused")}
	s := newServer(t, dbtest.SQLite(t), func(s *server) []api.Module { return moneyModules(s, a) })
	for _, path := range []string{"/api/v1/reports", "/api/v1/reports/clicks"} {
		got := s.do("GET", path+"?from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z", nil).want(http.StatusServiceUnavailable, "reports_unavailable")
		if strings.Contains(string(got.body), "10.0.0.7") {
			t.Errorf("shown: %s", got.body)
		}
	}
	if n := strings.Count(s.log.String(), "10.0.0.7"); n != 2 {
		t.Errorf("logged %d times", n)
	}
}

// Text that visitors choose must not become a formula in somebody's spreadsheet.
func TestReportCSVIsInert(t *testing.T) {
	a := &analytics{}
	s := newServer(t, dbtest.SQLite(t), func(s *server) []api.Module { return moneyModules(s, a) })
	for _, key := range []string{"=1+1", "+1", "-1", "@x", "\tx", "\"quoted\", and\nmore"} {
		a.result.Rows = []report.Row{{Key: key}}
		got := s.do("GET", "/api/v1/reports?from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z&group_by=sub1&format=csv", nil).want(http.StatusOK)
		lines, err := csv.NewReader(strings.NewReader(string(got.body))).ReadAll()
		if err != nil || len(lines) != 3 || strings.ContainsAny(lines[1][2][:1], "=+-@\t") || !strings.HasSuffix(lines[1][2], key) {
			t.Errorf("%q: %q (%v)", key, lines, err)
		}
	}
}

func TestClicks(t *testing.T) {
	a := &analytics{}
	s := newServer(t, dbtest.SQLite(t), func(s *server) []api.Module { return moneyModules(s, a) })
	keys := testKeyring(t)
	for i := range 5 {
		id := keys.Mint(s.clock.Now().Add(-time.Duration(i)*time.Second), 3, 22, 33)
		a.rows = append(a.rows, click.Record{ID: id, ProgramID: 11, Sub: [5]string{"a"}, Country: "IN", Bot: click.BotCrawler, UserAgent: "secret"})
	}
	const span = "/api/v1/reports/clicks?from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z"
	var ids []string
	for cursor := ""; ; {
		var page api.List[api.Click]
		answer := s.do("GET", span+"&limit=2&filter=country:IN&cursor="+cursor, nil).want(http.StatusOK)
		answer.into(&page)
		if strings.Contains(string(answer.body), "secret") {
			t.Error("the raw user agent is shown")
		}
		for _, c := range page.Items {
			ids = append(ids, c.ID)
			if c.AffiliateID != ident.Format(ident.Affiliate, 33) || c.ProgramID != ident.Format(ident.Program, 11) || c.Node != 3 || c.Sub1 != "a" || c.Bot != "crawler" {
				t.Errorf("click %+v", c)
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if len(ids) != 5 || !slices.IsSortedFunc(ids, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("ids %q", ids)
	}
	if len(a.clicks.Filters) != 1 {
		t.Errorf("query %+v", a.clicks)
	}
	s.do("GET", span+"&cursor=x", nil).want(http.StatusBadRequest, "invalid_cursor")
	s.do("GET", span+"&limit=1001", nil).want(http.StatusUnprocessableEntity, "validation_failed")
	s.do("GET", span+"&filter=colour:red", nil).want(http.StatusUnprocessableEntity, "validation_failed")
}

// breakCommission changes a commission by hand.
func (s *server) breakCommission(id string) {
	s.t.Helper()
	n, err := ident.Parse(ident.Commission, id)
	if err != nil {
		s.t.Fatal(err)
	}
	err = s.db.InTx(s.t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(s.t.Context(), "UPDATE commissions SET reversed_minor = reversed_minor - 1 WHERE id = ?", n)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func testLedgerExport(t *testing.T, s *server) {
	t.Helper()
	for _, tt := range []struct {
		query, mime, begin string
		lines              int // 0: any
	}{
		{"", "text/csv; charset=utf-8", "transaction_id,", 9},
		{"?format=csv&from=2100-01-01T00:00:00Z", "text/csv; charset=utf-8", "transaction_id,", 1},
		{"?format=hledger", "text/plain; charset=utf-8", "; Edgeref ledger. ", 0},
		{"?format=beancount&to=2100-01-01T00:00:00Z", "text/plain; charset=utf-8", "; Edgeref ledger to 2100-01-01T00:00:00Z. ", 0},
	} {
		got := s.do("GET", "/api/v1/ledger/export"+tt.query, nil).want(http.StatusOK)
		body := string(got.body)
		if got.header.Get("Content-Type") != tt.mime || !strings.HasPrefix(body, tt.begin) || tt.lines > 0 && strings.Count(body, "\n") != tt.lines {
			t.Errorf("export%s: %v %q", tt.query, got.header, body)
		}
	}
	for _, query := range []string{"?format=pdf", "?from=yesterday", "?to=x", "?since=2026-01-01T00:00:00Z"} {
		s.do("GET", "/api/v1/ledger/export"+query, nil).want(http.StatusUnprocessableEntity, "validation_failed")
	}
}
