package razorpayx_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/payout/razorpayx"
	"github.com/edgeref/edgeref/core/payout/razorpayx/razorpayxtest"
	"github.com/edgeref/edgeref/wire/money"
)

const key = "pyt_01J8Z0QK5T2VG"

var (
	transfer = payout.Transfer{Key: key, AffiliateID: 5, Email: "asha@example.com", Amount: money.Amount{Minor: 29_400_00, Currency: "INR"}}
	toBank   = payout.Destination{Kind: payout.BankIN, Holder: "Asha Rao", Account: "50100123456789", IFSC: "HDFC0001234"}
	toUPI    = payout.Destination{Kind: payout.UPI, Holder: "Asha Rao", Account: "asha@okaxis"}
)

func client(p *razorpayxtest.Provider) *razorpayx.Client {
	return razorpayx.New(razorpayx.Options{URL: p.URL + "/", KeyID: razorpayxtest.KeyID, KeySecret: razorpayxtest.KeySecret, AccountNumber: razorpayxtest.Account, WebhookSecret: razorpayxtest.HookSecret})
}

func prepare(t *testing.T, c *razorpayx.Client, to payout.Destination, minor int64) map[string]any {
	t.Helper()
	with := transfer
	with.Amount.Minor = minor
	request, err := c.Prepare(t.Context(), with, to)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(request, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRequest(t *testing.T) {
	p := razorpayxtest.Serve(t)
	c := client(p)
	got := prepare(t, c, toBank, 29_400_00)
	want := map[string]any{
		"account_number": razorpayxtest.Account, "fund_account_id": "fa_00000000000001", "amount": 2940000.0, "currency": "INR", "mode": "IMPS", "purpose": "payout",
		"queue_if_low_balance": true, "reference_id": key, "narration": "Affiliate commission",
	}
	for field, value := range want {
		if got[field] != value {
			t.Errorf("%s is %v, want %v", field, got[field], value)
		}
	}
	if len(got) != len(want) || len(got["narration"].(string)) > 30 {
		t.Errorf("request %v", got)
	}
	if got := prepare(t, c, toUPI, 100); got["mode"] != "UPI" {
		t.Errorf("UPI: %v", got)
	}
	if got := prepare(t, c, toBank, 5_00_000_01); got["mode"] != "NEFT" {
		t.Errorf("large: %v", got)
	}
	with := transfer
	with.Amount.Minor = 1_00_000_01
	if _, err := c.Prepare(t.Context(), with, toUPI); !errors.Is(err, payout.ErrRejected) {
		t.Errorf("more than UPI takes: %v", err)
	}
	for kind, want := range map[payout.Kind]bool{payout.BankIN: true, payout.UPI: true, payout.IBAN: false, payout.PayPal: false} {
		if c.Supports(kind, transfer.Amount) != want || c.Supports(kind, money.Amount{Minor: 1_00, Currency: "EUR"}) {
			t.Errorf("%s: not %v", kind, want)
		}
	}
}

func TestOutcomes(t *testing.T) {
	for status, want := range map[string]payout.Outcome{
		"queued": payout.InProgress, "pending": payout.InProgress, "scheduled": payout.InProgress, "processing": payout.InProgress,
		"processed": payout.Done, "reversed": payout.Undone, "failed": payout.Undone, "rejected": payout.Undone, "cancelled": payout.Undone,
	} {
		p := razorpayxtest.Serve(t)
		c := client(p)
		request, err := c.Prepare(t.Context(), transfer, toBank)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := c.LookUp(t.Context(), key, ""); err != nil || r.Outcome != payout.Unseen {
			t.Errorf("before: %+v, %v", r, err)
		}
		sent, err := c.Send(t.Context(), key, request)
		if err != nil || sent.Outcome != payout.InProgress || sent.ProviderID != "pout_00000000000001" {
			t.Errorf("sent: %+v, %v", sent, err)
		}
		p.Set(key, map[string]any{"status": status, "utr": "UTR9", "status_details": map[string]any{"description": "why", "reason": "x"}})
		for _, id := range []string{"", sent.ProviderID} {
			r, err := c.LookUp(t.Context(), key, id)
			if err != nil || r.Outcome != want || r.Reference != "UTR9" || r.Reason != "why" || r.ProviderID != sent.ProviderID {
				t.Errorf("%s by %q: %+v, %v", status, id, r, err)
			}
		}
		p.Set(key, map[string]any{"status": "new kind of status"})
		if _, err := c.LookUp(t.Context(), key, ""); err == nil {
			t.Error("an unknown status was read")
		}
		p.Set(key, map[string]any{"status": "processed", "reference_id": "somebody else's"})
		if _, err := c.LookUp(t.Context(), key, sent.ProviderID); err == nil {
			t.Error("another's payout was taken for ours")
		}
	}
}

// Whatever breaks, the error says whether the money may have left, and the same request again is the same payout.
func TestFaults(t *testing.T) {
	for how, rejected := range map[string]bool{"500 before": false, "500 after": false, "cut": false, "400": true, "401": false, "429": false, "hang": false} {
		t.Run(how, func(t *testing.T) {
			p := razorpayxtest.Serve(t)
			c := client(p)
			request, err := c.Prepare(t.Context(), transfer, toBank)
			if err != nil {
				t.Fatal(err)
			}
			p.Break(func(method, path string) string {
				if method == http.MethodPost && path == "/v1/payouts" {
					return how
				}
				return ""
			})
			ctx, cancel := context.WithCancel(t.Context())
			if how == "hang" {
				// The client gives up once the provider has done the work.
				go func() {
					<-p.Hanging
					cancel()
				}()
			}
			_, err = c.Send(ctx, key, request)
			cancel()
			if err == nil || errors.Is(err, payout.ErrRejected) != rejected {
				t.Errorf("error %v", err)
			}
			if strings.Contains(err.Error(), razorpayxtest.Account) || strings.Contains(err.Error(), razorpayxtest.KeySecret) {
				t.Errorf("error %v holds what is not for logs", err)
			}
			made := p.Count()
			p.Break(func(string, string) string { return "" })
			if r, err := c.LookUp(t.Context(), key, ""); err != nil || (r.Outcome == payout.Unseen) != (made == 0) {
				t.Errorf("look-up %+v, %v", r, err)
			}
			if r, err := c.Send(t.Context(), key, request); err != nil || r.Outcome != payout.InProgress || p.Count() != 1 {
				t.Errorf("again: %+v, %v, %d payouts", r, err, p.Count())
			}
			other := []byte(strings.Replace(string(request), "2940000", "1", 1))
			if _, err := c.Send(t.Context(), key, other); !errors.Is(err, payout.ErrRejected) || p.Count() != 1 {
				t.Errorf("another request under the key: %v", err)
			}
		})
	}
}

func TestPrepareFaults(t *testing.T) {
	p := razorpayxtest.Serve(t)
	c := client(p)
	for how, rejected := range map[string]bool{"400": true, "500 before": false, "401": false, "429": false, "cut": false} {
		p.Break(func(string, string) string { return how })
		if _, err := c.Prepare(t.Context(), transfer, toBank); err == nil || errors.Is(err, payout.ErrRejected) != rejected {
			t.Errorf("%s: %v", how, err)
		}
	}
	if p.Count() != 0 {
		t.Error("preparing made a payout")
	}
}

func signed(body []byte) string {
	mac := hmac.New(sha256.New, []byte(razorpayxtest.HookSecret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func TestNotice(t *testing.T) {
	c := client(razorpayxtest.Serve(t))
	body, err := os.ReadFile("testdata/payout.processed.json")
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"X-Razorpay-Signature": {signed(body)}, "X-Razorpay-Event-Id": {"ev_1"}}
	got, err := c.Notice(header, body)
	if err != nil || got != (payout.NoticeOf{EventKey: "ev_1", Event: "payout.processed", Key: key}) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, h := range map[string]http.Header{
		"none": {}, "wrong": {"X-Razorpay-Signature": {signed([]byte("x"))}}, "no hex": {"X-Razorpay-Signature": {"zz"}}, "empty": {"X-Razorpay-Signature": {""}},
	} {
		if _, err := c.Notice(h, body); !errors.Is(err, razorpayx.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	open := razorpayx.New(razorpayx.Options{KeyID: "k", KeySecret: "s", AccountNumber: "1"})
	if _, err := open.Notice(header, body); !errors.Is(err, razorpayx.ErrSignature) {
		t.Errorf("without a secret: %v", err)
	}
}

func FuzzNotice(f *testing.F) {
	body, err := os.ReadFile("testdata/payout.processed.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"payload":null}`))
	c := razorpayx.New(razorpayx.Options{KeyID: "k", KeySecret: "s", AccountNumber: "1", WebhookSecret: razorpayxtest.HookSecret})
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = c.Notice(http.Header{"X-Razorpay-Signature": {signed(body)}}, body)
	})
}
