package demo_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob/memblob"

	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/demo"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// figures is analytics that adds up.
type figures struct {
	mu               sync.Mutex
	keys             *click.Keyring
	clicks, bots     int
	known            map[click.ID]bool
	leads, sales     int
	revenue, earned  map[string]int64
	unknown, unsound int
}

func (f *figures) AppendClicks(_ context.Context, _ string, list []click.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range list {
		f.clicks++
		if list[i].Bot != click.NotBot {
			f.bots++
		}
		if f.keys.Verify(list[i].ID) != nil || f.known[list[i].ID] {
			f.unsound++
		}
		f.known[list[i].ID] = true
	}
	return nil
}

func (f *figures) AppendFacts(_ context.Context, _ string, list []report.Fact) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fact := range list {
		f.leads += int(fact.Leads)
		f.sales += int(fact.Sales)
		f.revenue[fact.Currency] += fact.Revenue
		f.earned[fact.Currency] += fact.Commission
		if !fact.ClickID.IsZero() && !f.known[fact.ClickID] {
			f.unknown++
		}
	}
	return nil
}

func options(t *testing.T, d *db.DB) (demo.Options, *figures) {
	t.Helper()
	ring, err := secret.NewRing([]string{secret.NewKey("1")})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: []byte("a secret of the demo's test")})
	if err != nil {
		t.Fatal(err)
	}
	bucket := memblob.OpenBucket(nil)
	t.Cleanup(func() { _ = bucket.Close() })
	f := &figures{keys: keys, known: map[click.ID]bool{}, revenue: map[string]int64{}, earned: map[string]int64{}}
	return demo.Options{
		DB: d, Ring: ring, Keys: keys, Analytics: f, Bucket: bucket, Passwords: password.New(password.Options{Params: password.Params{Memory: 64, Time: 1, Threads: 1}}),
		Now:  func() time.Time { return time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC) },
		Size: demo.Size{Days: 20, Affiliates: 30, Clicks: 3_000, Orders: 90}, URL: "https://core.example", ReturnURL: "https://core.example/orders/{token}",
		Site: "Nimbak", Payer: "Nimbak", Required: map[string][]string{"IN": {"pan_card"}},
		Policy:   payout.Policy{Minimum: map[string]int64{"INR": 50_000}, MethodFreeze: 72 * time.Hour, TaxCountries: []string{"IN"}},
		Password: "a sail over the green lake", Factor: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
	}, f
}

func one(t *testing.T, d *db.DB, query string) (n int64) {
	t.Helper()
	if err := d.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// totals are figures of the whole database, one a line.
func totals(t *testing.T, d *db.DB) string {
	t.Helper()
	var b strings.Builder
	for _, query := range []string{
		"SELECT COUNT(*), COALESCE(SUM(total_minor), 0) FROM orders WHERE paid_at > 0", "SELECT COUNT(*), COALESCE(SUM(reversed_minor), 0) FROM commissions",
		"SELECT COUNT(*), COALESCE(SUM(amount_minor), 0) FROM commissions WHERE state = 'payable'", "SELECT COUNT(*), COUNT(DISTINCT affiliate_id) FROM links",
		"SELECT COUNT(*), COALESCE(SUM(net_minor), 0) FROM payouts", "SELECT COUNT(*), COALESCE(SUM(gross_minor), 0) FROM payout_requests WHERE state = 'waiting'",
		"SELECT COUNT(*), COALESCE(SUM(gross_minor), 0) FROM payout_requests", "SELECT COUNT(*), COALESCE(SUM(attempts), 0) FROM webhook_deliveries", "SELECT COUNT(*), 0 FROM mails",
	} {
		var n, sum int64
		if err := d.QueryRow(t.Context(), query).Scan(&n, &sum); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		fmt.Fprintln(&b, query, n, sum)
	}
	return b.String()
}

func TestFiguresAgreeEverywhere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o, f := options(t, d)
		r, err := demo.Make(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if f.clicks != r.Clicks || f.clicks < o.Size.Clicks*9/10 || f.bots*20 < f.clicks || f.unsound > 0 {
			t.Errorf("%d clicks, %d of them bots', %d unsound; made %+v", f.clicks, f.bots, f.unsound, r)
		}
		if f.unknown > 0 {
			t.Errorf("%d facts name clicks that are not there", f.unknown)
		}
		books := ledger.New(ledger.Options{DB: d, Reconcile: payout.Reconcile})
		found, err := books.Verify(t.Context())
		if err != nil || found.Break != nil || found.Unsealed > 0 || found.AcceptedLate > 0 {
			t.Errorf("ledger: %+v %+v, %v", found, found.Break, err)
		}
		for currency, earned := range f.earned {
			spent := one(t, d, "SELECT -COALESCE(SUM(e.amount_minor), 0) FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id WHERE a.kind = 'commission_expense' AND a.currency = '"+currency+"'")
			if earned != spent {
				t.Errorf("reports say that %d %s were earned, the ledger %d", earned, currency, spent)
			}
		}
		if n := one(t, d, "SELECT COUNT(*) FROM orders WHERE paid_at > 0 AND total_minor > 0"); n != int64(r.Paid) || n < int64(o.Size.Orders)/2 {
			t.Errorf("%d orders are paid, %d were made", n, r.Paid)
		}
		if n := one(t, d, "SELECT COUNT(*) FROM orders o LEFT JOIN conversions c ON c.id = o.conversion_id WHERE o.paid_at > 0 AND o.program_id > 0 AND c.id IS NULL"); n > 0 {
			t.Errorf("%d paid orders are not booked", n)
		}
		if n := one(t, d, "SELECT COUNT(*) FROM conversions WHERE type = 'sale'") - int64(r.Outside); n != one(t, d, "SELECT COUNT(*) FROM orders WHERE paid_at > 0 AND program_id > 0") {
			t.Errorf("%d sales of the shop", n)
		}
		if n := one(t, d, "SELECT COUNT(*) FROM payout_requests WHERE state = 'waiting'"); n == 0 {
			t.Error("nobody asks for a payout")
		}
		if n := one(t, d, "SELECT COUNT(*) FROM payout_requests WHERE state = 'declined'"); n != 1 {
			t.Errorf("%d requests were declined", n)
		}
		if n := one(t, d, "SELECT COUNT(*) FROM payout_requests r JOIN payouts p ON p.id = r.payout_id AND p.affiliate_id = r.affiliate_id AND p.state <> 'cancelled'") -
			one(t, d, "SELECT COUNT(*) FROM payout_requests WHERE state = 'taken'"); n != 0 {
			t.Errorf("%d requests are not answered by the payout that they name", -n)
		}
		if state, err := demo.ReadState(t.Context(), d); err != nil || state != demo.Made {
			t.Errorf("state %q, %v", state, err)
		}
		if _, err := demo.Make(t.Context(), o); !errors.Is(err, demo.ErrForeign) {
			t.Errorf("made twice: %v", err)
		}
	})
}

func TestSameSeedSameBusiness(t *testing.T) {
	var first string
	for i := range 2 {
		d := dbtest.SQLite(t)
		o, f := options(t, d)
		r, err := demo.Make(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		r.AdminToken, r.ReportsToken, r.PostbackSecret = "", "", ""
		got := fmt.Sprintf("%+v\n%d %d %v %v\n%s", r, f.clicks, f.bots, f.revenue, f.earned, totals(t, d))
		if i > 0 && got != first {
			t.Error(cmp.Diff(first, got))
		}
		first = got
	}
}

func TestWhatIsInTheWay(t *testing.T) {
	d := dbtest.SQLite(t)
	o, _ := options(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(part float64, _ string) {
		if part > 0.3 {
			cancel()
		}
	}
	if _, err := demo.Make(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped: %v", err)
	}
	if state, err := demo.ReadState(t.Context(), d); err != nil || state != demo.Making {
		t.Errorf("state %q, %v", state, err)
	}
	if _, err := demo.Make(t.Context(), o); !errors.Is(err, demo.ErrHalf) {
		t.Errorf("went on: %v", err)
	}
}
