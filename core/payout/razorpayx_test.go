package payout_test

import (
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/payout/razorpayx"
	"github.com/edgeref/edgeref/core/payout/razorpayx/razorpayxtest"
)

// Over the provider's own wire: whatever happens to the first answer, the payee gets the money once.
func TestRazorpayXBreaks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		p := razorpayxtest.Serve(t)
		f.options.Executors[razorpayx.Name] = razorpayx.New(razorpayx.Options{
			URL: p.URL, KeyID: razorpayxtest.KeyID, KeySecret: razorpayxtest.KeySecret, AccountNumber: razorpayxtest.Account, WebhookSecret: razorpayxtest.HookSecret,
		})
		f.payouts = payout.New(f.options)
		for i, how := range []string{"", "500 before", "500 after", "cut", "401", "429", "400"} {
			a := f.payee()
			f.payable(a, 1_000_00)
			broken := false
			p.Break(func(method, path string) string {
				if method == "POST" && path == "/v1/payouts" && !broken {
					broken = true
					return how
				}
				return ""
			})
			b := f.approved(payout.Selection{Currency: "INR", Executor: razorpayx.Name, AffiliateIDs: []int64{a.id}})
			before := p.Count()
			for range 40 {
				f.work()
				p.SetAll(map[string]any{"status": "processed", "utr": "UTR1"})
				f.advance(time.Minute)
			}
			got := f.of(b.ID)[0]
			if how == "400" {
				if got.State != payout.Failed || p.Count() != before || got.Reason == "" {
					t.Errorf("refused: %+v", got)
				}
				f.wantBalances(a, "payable 1000.00")
				continue
			}
			if got.State != payout.Paid || got.Reference != "UTR1" || p.Count() != before+1 {
				t.Errorf("%q: %d transfers, %+v", how, p.Count()-before, got)
			}
			f.wantBalances(a, "paid 1000.00")
			if i == 0 {
				p.Set(got.Attempt.Key, map[string]any{"status": "reversed"})
				if known, err := f.payouts.Notice(t.Context(), razorpayx.Name, "e", "payout.reversed", got.Attempt.Key); !known || err != nil {
					t.Errorf("notice: %v, %v", known, err)
				}
				f.work()
				f.wantBalances(a, "payable 1000.00")
			}
		}
		f.verify()
	})
}
