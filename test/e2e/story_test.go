package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/test/mariadb"
)

// story is a business with its people, told through the API and the pages alone.
type story struct {
	*site
	process *process
	env     []string
	data    string
	machine *person // the machine's token that may do everything but what needs a person

	sponsor, affiliate, maker, approver *person
	sponsorID, affiliateID              string
	program, product, link, slug        string
	order, orderToken, conversion       string
}

// An affiliate joins under a sponsor and refers a buyer; both are paid by a batch that a second person approves, it comes
// back and is paid again, and refunds take back what they must, before the payout and after. The ledger is verified
// after every step.
func TestStory(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { tell(t) })
	t.Run("mysql", func(t *testing.T) { tell(t, "EDGEREF_CORE_DATABASE="+mariadb.Start(t)) })
}

func tell(t *testing.T, env ...string) {
	env = append(env, "EDGEREF_ADMIN_TOKEN="+adminToken, "EDGEREF_ACCOUNT_OWNER=owner@example.com",
		"EDGEREF_SHOP_SELLER_COUNTRY=IN", "EDGEREF_SHOP_SELLER_STATE=KA", "EDGEREF_SHOP_SELLER_TAX_ID=29AAPFU0939F1ZR", "EDGEREF_CORE_RELEASE_INTERVAL=200ms", "EDGEREF_PAYOUT_MINIMUM=INR:500", "EDGEREF_PAYOUT_KYC_REQUIRED=GB:passport")
	data := t.TempDir()
	p := launch(t, env, "serve", "--data", data, "--tracker-listen", "127.0.0.1:0", "--core-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0")
	s := &story{site: &site{t: t, core: p.core}, process: p, env: env, data: data}
	s.machine = &person{site: s.site, email: "the machine", token: adminToken}
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"people join", s.join},
		{"the offer", s.offer},
		{"a visitor clicks and buys", s.buy},
		{"both levels earn", s.earn},
		{"half of it is refunded", s.refundHalf},
		{"the hold passes", s.release},
		{"a second person approves the payout", s.pay},
		{"it comes back and is paid again", s.payAgain},
		{"the rest is refunded after the payout", s.refundRest},
		{"the affiliate reads the statement", s.statement},
	} {
		step.do()
		s.verify(step.name)
		t.Log(step.name)
	}
}

// verify recomputes the ledger.
func (s *story) verify(step string) {
	s.t.Helper()
	if out, errOut, err := edgeref(s.t, s.env, "core", "verify-ledger", "--data", s.data); err != nil {
		s.t.Fatalf("after %q the ledger does not hold: %v\n%s%s", step, err, out, errOut)
	}
}

var ownerLink = regexp.MustCompile(`https?://\S+/account/\S*link=\S+`)

func (s *story) join() {
	link := ownerLink.FindString(s.process.output.String())
	if link == "" {
		s.t.Fatalf("serve printed no link for the first owner:\n%s", s.process.output)
	}
	s.choosePassword(link)
	owner := &person{site: s.site, email: "owner@example.com"}
	owner.signIn()
	owner.enrol()
	invite := func(email string, roles ...string) *person {
		owner.want(http.StatusAccepted, http.MethodPost, "/people/invitations", object{"email": email, "name": "Fin Ance", "roles": roles}, nil)
		s.choosePassword(s.mailed(email))
		who := &person{site: s.site, email: email}
		who.signIn()
		who.enrol()
		return who
	}
	s.maker, s.approver = invite("maker@example.com", "finance"), invite("approver@example.com", "finance")

	join := func(name, email string, more ...string) (*person, string) {
		who := s.signUp(name, email, append([]string{"affiliate", "yes"}, more...)...)
		var me struct {
			Affiliate string `json:"affiliate_id"`
		}
		who.want(http.StatusOK, http.MethodGet, "/me", nil, &me)
		if me.Affiliate == "" {
			s.t.Fatalf("%s is no affiliate", email)
		}
		s.machine.want(http.StatusOK, http.MethodPatch, "/affiliates/"+me.Affiliate, object{"status": "active"}, nil)
		who.enrol()
		return who, me.Affiliate
	}
	s.sponsor, s.sponsorID = join("Sita Sponsor", "sita@example.com")
	s.affiliate, s.affiliateID = join("Arun Affiliate", "arun@example.com", "sponsor", s.sponsorID)
	var a struct {
		Sponsor string `json:"sponsor_id"`
	}
	s.machine.want(http.StatusOK, http.MethodGet, "/affiliates/"+s.affiliateID, nil, &a)
	if a.Sponsor != s.sponsorID {
		s.t.Fatalf("the sponsor is %q, want %s", a.Sponsor, s.sponsorID)
	}
}

type made struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
}

func (s *story) offer() {
	var program, product, link made
	s.machine.want(http.StatusCreated, http.MethodPost, "/programs", object{"name": "Trainings", "currency": "INR", "hold_days": 30, "terms": object{"max_share_bp": 8000}}, &program)
	s.machine.want(http.StatusCreated, http.MethodPost, "/commission-rules", object{
		"program_id": program.ID, "on": "sale", "percent_bp": 7500, "levels": []object{{"percent_bp": 500, "of": "net"}},
	}, nil)
	s.machine.want(http.StatusCreated, http.MethodPost, "/products", object{
		"slug": "sales-training", "name": "Sales training", "prices": []object{inr(11_800_00)}, "tax_bp": 1800, "tax_code": "999293", "tax_included": true,
		"program_id": program.ID, "entitlements": []string{"course:sales"}, "status": "active",
	}, &product)
	s.machine.want(http.StatusCreated, http.MethodPost, "/tax-rules", object{
		"name": "194H", "country": "IN", "threshold": inr(20_000_00), "rate_bp": 200, "no_id_rate_bp": 2000, "threshold_mode": "whole", "year_month": 4, "year_day": 1,
		"utc_offset_minutes": 330, "round_to_minor": 100, "valid_from": "2020-04-01T00:00:00Z", "confirmed_by": "", "note": "",
	}, nil)
	s.machine.want(http.StatusCreated, http.MethodPost, "/links", object{"affiliate_id": s.affiliateID, "program_id": program.ID, "destination": "https://shop.example.com/sales-training"}, &link)
	s.program, s.product, s.link, s.slug = program.ID, product.ID, link.ID, link.Slug
	for who, account := range map[*person]string{s.affiliate: "arun@okbank", s.sponsor: "sita@okbank"} {
		who.want(http.StatusCreated, http.MethodPost, "/me/affiliate/payout-methods", object{"currency": "INR", "kind": "upi", "holder": "Somebody", "account": account}, nil)
		who.want(http.StatusOK, http.MethodPut, "/me/affiliate/tax-profile", object{"country": "IN", "tax_id": "ABCPK1234L"}, nil)
	}
}

func inr(minor int64) object { return object{"minor": minor, "currency": "INR"} }

func (s *story) buy() {
	clickID := ""
	waitFor(s.t, 30*time.Second, func() bool {
		r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.process.tracker+"/"+s.slug, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			s.t.Fatal(err)
		}
		resp.Body.Close()
		to, err := url.Parse(resp.Header.Get("Location"))
		if err == nil && resp.StatusCode == http.StatusFound {
			clickID = to.Query().Get("click_id")
		}
		return clickID != ""
	}, func() string { return "the link does not redirect" })
	var order struct {
		ID      string `json:"id"`
		Token   string `json:"token"`
		Payment struct {
			URL string `json:"url"`
		} `json:"payment"`
	}
	buyer := &person{site: s.site, email: "the buyer"}
	buyer.want(http.StatusCreated, http.MethodPost, "/checkout/orders", object{
		"items": []object{{"slug": "sales-training"}}, "customer": object{"email": "buyer@example.com", "name": "Bina Buyer", "country": "IN", "state": "KA"},
		"gateway": "sandbox", "click_ids": []string{clickID},
	}, &order)
	s.order, s.orderToken = order.ID, order.Token
	b := s.browser()
	if p := b.do(http.MethodPost, order.Payment.URL, url.Values{"action": {"pay"}, "copies": {"3"}, "order": {"mixed"}, "delay": {"0"}}); p.status >= 400 {
		s.t.Fatalf("pay: %d\n%s", p.status, p.body)
	}
	s.waitOrder("paid")
}

// waitOrder waits for a state of the order, and notes the conversion as which it was booked.
func (s *story) waitOrder(state string) {
	s.t.Helper()
	var order struct {
		State        string `json:"state"`
		Conversion   string `json:"conversion_id"`
		Affiliate    string `json:"affiliate_id"`
		Entitlements []struct {
			RevokedAt *string `json:"revoked_at"`
		} `json:"entitlements"`
	}
	waitFor(s.t, 60*time.Second, func() bool {
		s.machine.want(http.StatusOK, http.MethodGet, "/orders/"+s.order, nil, &order)
		return order.State == state
	}, func() string { return "the order is " + order.State + ", not " + state })
	if s.conversion = order.Conversion; order.Affiliate != s.affiliateID || len(order.Entitlements) != 1 || order.Entitlements[0].RevokedAt != nil != (state == "refunded") {
		s.t.Fatalf("order %+v", order)
	}
}

// balances are those of an affiliate, by kind of account.
func (s *story) balances(affiliate string) map[string]int64 {
	s.t.Helper()
	var list struct {
		Items []struct {
			Kind   string `json:"kind"`
			Amount struct {
				Minor int64 `json:"minor"`
			} `json:"amount"`
		} `json:"items"`
	}
	s.machine.want(http.StatusOK, http.MethodGet, "/ledger/balances?affiliate_id="+affiliate, nil, &list)
	out := map[string]int64{}
	for _, b := range list.Items {
		out[b.Kind] = b.Amount.Minor
	}
	return out
}

// owed compares balances that are not zero with what they must be.
func (s *story) owed(affiliate string, want map[string]int64) {
	s.t.Helper()
	got := s.balances(affiliate)
	for kind, minor := range got {
		if minor != want[kind] {
			s.t.Fatalf("%s has %v, want %v", affiliate, got, want)
		}
	}
	for kind, minor := range want {
		if got[kind] != minor {
			s.t.Fatalf("%s has %v, want %v", affiliate, got, want)
		}
	}
}

func (s *story) earn() {
	s.owed(s.affiliateID, map[string]int64{"pending": 7_500_00})
	s.owed(s.sponsorID, map[string]int64{"pending": 500_00})
	var list struct {
		Items []struct {
			ID    string `json:"id"`
			State string `json:"state"`
		} `json:"items"`
	}
	s.affiliate.want(http.StatusOK, http.MethodGet, "/me/affiliate/commissions", nil, &list)
	if len(list.Items) != 1 || list.Items[0].State != "pending" {
		s.t.Fatalf("the affiliate sees %+v", list.Items)
	}
	var why struct {
		Explanation struct {
			Text string `json:"text"`
		} `json:"explanation"`
	}
	s.affiliate.want(http.StatusOK, http.MethodGet, "/me/affiliate/commissions/"+list.Items[0].ID, nil, &why)
	if !strings.Contains(why.Explanation.Text, "75") || !strings.Contains(why.Explanation.Text, "7500.00") {
		s.t.Errorf("the explanation does not explain: %q", why.Explanation.Text)
	}
}

func (s *story) refund(minor int64, state string) {
	s.t.Helper()
	s.machine.want(http.StatusCreated, http.MethodPost, "/orders/"+s.order+"/refunds", object{"amount": inr(minor), "reason": "not as described"}, nil)
	s.waitOrder(state)
}

func (s *story) refundHalf() {
	s.refund(5_900_00, "partly_refunded")
	s.owed(s.affiliateID, map[string]int64{"pending": 3_750_00})
	s.owed(s.sponsorID, map[string]int64{"pending": 250_00})
}

// release sets the clock of the running process ahead: the hold is 30 days from the sale.
func (s *story) release() {
	clock, err := s.process.Clock()
	if err != nil {
		s.t.Fatal(err)
	}
	s.offset = 31 * 24 * time.Hour
	if err := clock.Set(s.offset); err != nil {
		s.t.Fatal(err)
	}
	waitFor(s.t, 60*time.Second, func() bool {
		return s.balances(s.affiliateID)["payable"] == 3_750_00 && s.balances(s.sponsorID)["payable"] == 250_00
	},
		func() string { return fmt.Sprintf("not released: %v", s.balances(s.affiliateID)) })
	// Payouts wait while a part of the ledger is older than ten minutes and not sealed, as all of it is for a moment.
	waitFor(s.t, 60*time.Second, func() bool {
		out, _, err := edgeref(s.t, s.env, "core", "verify-ledger", "--data", s.data)
		return err == nil && !strings.Contains(out, "not sealed yet")
	}, func() string { return "the ledger is not sealed" })
	// Access tokens have expired; sessions have not.
	for _, who := range []*person{s.maker, s.approver, s.affiliate} {
		who.signIn()
	}
}

type batch struct {
	ID      string `json:"id"`
	State   string `json:"state"`
	Payouts int64  `json:"payouts"`
	Net     object `json:"net"`
}

// makeBatch makes a batch of what can be paid, and has the second person approve it.
func (s *story) makeBatch() (batch, string) {
	s.t.Helper()
	selection := object{"currency": "INR", "executor": "manual"}
	var b batch
	s.maker.want(http.StatusCreated, http.MethodPost, "/payout-batches", selection, &b)
	if b.Payouts != 1 || fmt.Sprint(b.Net["minor"]) != "375000" {
		s.t.Fatalf("batch %+v", b)
	}
	s.owed(s.affiliateID, map[string]int64{"in_flight": 3_750_00})
	seen := object{"payouts": b.Payouts, "net": b.Net}
	if status, body := s.api(s.maker.token, http.MethodPost, "/payout-batches/"+b.ID+"/approve", seen, nil); status < 400 {
		s.t.Fatalf("its maker approved it: %d %s", status, body)
	}
	if status, body := s.api(adminToken, http.MethodPost, "/payout-batches/"+b.ID+"/approve", seen, nil); status < 400 {
		s.t.Fatalf("a machine approved it: %d %s", status, body)
	}
	s.approver.want(http.StatusOK, http.MethodPost, "/payout-batches/"+b.ID+"/approve", seen, nil)
	var list struct {
		Items []made `json:"items"`
	}
	s.maker.want(http.StatusOK, http.MethodGet, "/payouts?batch_id="+b.ID, nil, &list)
	if len(list.Items) != 1 {
		s.t.Fatalf("payouts %+v", list.Items)
	}
	return b, list.Items[0].ID
}

func (s *story) pay() {
	var preview struct {
		Payouts    int `json:"payouts"`
		Candidates []struct {
			Affiliate string `json:"affiliate_id"`
			Ready     bool   `json:"ready"`
			Reasons   []struct {
				Code string `json:"code"`
			} `json:"reasons"`
		} `json:"candidates"`
	}
	s.maker.want(http.StatusOK, http.MethodPost, "/payout-batches/preview", object{"currency": "INR", "executor": "manual"}, &preview)
	if preview.Payouts != 1 || len(preview.Candidates) != 2 {
		s.t.Fatalf("preview %+v", preview)
	}
	for _, c := range preview.Candidates {
		if c.Affiliate == s.sponsorID && (c.Ready || len(c.Reasons) != 1 || c.Reasons[0].Code != "below_minimum") {
			s.t.Errorf("the sponsor: %+v", c)
		}
	}
	_, payout := s.makeBatch()
	s.maker.want(http.StatusOK, http.MethodPost, "/payouts/"+payout+"/settle", object{"reference": "UTR-1"}, nil)
	s.owed(s.affiliateID, map[string]int64{"paid": 3_750_00})
	s.maker.want(http.StatusOK, http.MethodPost, "/payouts/"+payout+"/return", object{"reason": "account closed"}, nil)
	s.owed(s.affiliateID, map[string]int64{"payable": 3_750_00})
}

func (s *story) payAgain() {
	b, payout := s.makeBatch()
	s.maker.want(http.StatusOK, http.MethodPost, "/payouts/"+payout+"/settle", object{"reference": "UTR-2"}, nil)
	s.owed(s.affiliateID, map[string]int64{"paid": 3_750_00})
	s.maker.want(http.StatusOK, http.MethodGet, "/payout-batches/"+b.ID, nil, &b)
	if b.State != "completed" {
		s.t.Errorf("the batch is %s", b.State)
	}
	var list struct {
		Items []struct {
			State string `json:"state"`
		} `json:"items"`
	}
	s.affiliate.want(http.StatusOK, http.MethodGet, "/me/affiliate/commissions", nil, &list)
	if len(list.Items) != 1 || list.Items[0].State != "paid" {
		s.t.Errorf("the affiliate sees %+v", list.Items)
	}
}

func (s *story) refundRest() {
	s.refund(5_900_00, "refunded")
	s.owed(s.affiliateID, map[string]int64{"paid": 3_750_00, "payable": -3_750_00})
	s.owed(s.sponsorID, map[string]int64{})
	var preview struct {
		Payouts int `json:"payouts"`
	}
	s.maker.want(http.StatusOK, http.MethodPost, "/payout-batches/preview", object{"currency": "INR", "executor": "manual"}, &preview)
	if preview.Payouts != 0 {
		s.t.Errorf("%d payouts of nothing", preview.Payouts)
	}
}

func (s *story) statement() {
	var list struct {
		Items []struct {
			ID        string `json:"id"`
			State     string `json:"state"`
			Reference string `json:"reference"`
		} `json:"items"`
	}
	s.affiliate.want(http.StatusOK, http.MethodGet, "/me/affiliate/payouts", nil, &list)
	if len(list.Items) != 2 || list.Items[0].State != "paid" || list.Items[0].Reference != "UTR-2" || list.Items[1].State != "returned" {
		s.t.Fatalf("the affiliate sees %+v", list.Items)
	}
	for format, begins := range map[string]string{"csv": "", "pdf": "%PDF-"} {
		status, body := s.api(s.affiliate.token, http.MethodGet, "/me/affiliate/payouts/"+list.Items[0].ID+"/statement?format="+format, nil, nil)
		if status != http.StatusOK || !strings.HasPrefix(body, begins) || format == "csv" && !strings.Contains(body, "3750.00") {
			s.t.Errorf("statement as %s: %d %.300s", format, status, body)
		}
	}
	var export struct {
		Parts struct {
			Payouts struct {
				Payouts []object `json:"payouts"`
			} `json:"payouts"`
		} `json:"parts"`
	}
	s.affiliate.want(http.StatusOK, http.MethodGet, "/me/export", nil, &export)
	if len(export.Parts.Payouts.Payouts) != 2 {
		s.t.Errorf("the export has %d payouts", len(export.Parts.Payouts.Payouts))
	}
	// The other affiliate's payout is not there for him.
	if status, _ := s.api(s.sponsor.token, http.MethodGet, "/me/affiliate/payouts/"+list.Items[0].ID, nil, nil); status != http.StatusUnauthorized && status != http.StatusNotFound {
		s.t.Errorf("the sponsor reads it: %d", status)
	}
}
