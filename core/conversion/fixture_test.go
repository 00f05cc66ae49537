package conversion_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/outbox"
	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
	"github.com/edgeref/edgeref/wire/report"
)

const day = 24 * time.Hour

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fixture is a whole core's money side on one database, with a clock that the test sets.
type fixture struct {
	db          *db.DB
	ids         *newid.Generator
	keys        *click.Keyring
	ledger      *ledger.Ledger
	sealer      *ledger.Sealer
	commissions *commission.Service
	conversions *conversion.Service
	attribution *attribution.Service
	outbox      *outbox.Outbox
	sink        *sink
	millis      atomic.Int64
}

func (f *fixture) now() time.Time          { return time.UnixMilli(f.millis.Load()).UTC() }
func (f *fixture) advance(d time.Duration) { f.millis.Add(d.Milliseconds()) }

// sink sums up facts by affiliate and currency.
type sink struct {
	mu    sync.Mutex
	total map[int64]map[string]report.Fact
	seen  map[int64]bool
}

func (s *sink) AppendFacts(_ context.Context, _ string, facts []report.Fact) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range facts {
		if s.seen[f.ID] {
			continue
		}
		s.seen[f.ID] = true
		if s.total[f.AffiliateID] == nil {
			s.total[f.AffiliateID] = map[string]report.Fact{}
		}
		t := s.total[f.AffiliateID][f.Currency]
		t.Leads, t.Sales, t.Refunds = t.Leads+f.Leads, t.Sales+f.Sales, t.Refunds+f.Refunds
		t.Revenue, t.Commission = t.Revenue+f.Revenue, t.Commission+f.Commission
		s.total[f.AffiliateID][f.Currency] = t
	}
	return nil
}

func newFixture(t testing.TB, d *db.DB) *fixture {
	t.Helper()
	f := &fixture{db: d, sink: &sink{total: map[int64]map[string]report.Fact{}, seen: map[int64]bool{}}}
	f.millis.Store(start.UnixMilli())
	f.ids = newid.New(f.now)
	var err error
	must := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	f.keys, err = click.NewKeyring(click.Key{ID: 1, Secret: []byte("0123456789abcdef")})
	must()
	f.ledger = ledger.New(ledger.Options{DB: d, IDs: f.ids, Now: f.now, Reconcile: commission.Reconcile})
	f.sealer = ledger.NewSealer(ledger.SealerOptions{DB: d, Now: f.now, Every: 50 * time.Millisecond})
	f.commissions = commission.New(commission.Options{DB: d, IDs: f.ids, Ledger: f.ledger, Now: f.now})
	f.attribution = attribution.New(attribution.Options{Keys: f.keys})
	f.outbox = outbox.New(outbox.Options{DB: d, IDs: f.ids, Sink: f.sink, Now: f.now, Linger: time.Microsecond})
	f.conversions, err = conversion.New(conversion.Options{
		DB: d, IDs: f.ids, Keys: f.keys, Commissions: f.commissions, Outbox: f.outbox, Now: f.now,
	})
	must()
	return f
}

func (f *fixture) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	err := f.db.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// business is one program with one affiliate and link.
type business struct {
	program, affiliate, link int64
	click                    click.ID // one minute old
}

func (f *fixture) business(t testing.TB) business {
	t.Helper()
	b := business{program: f.ids.New()}
	f.affiliate(t, &b)
	return b
}

// affiliate gives b another affiliate with a link in the same program, which is made if it is missing.
func (f *fixture) affiliate(t testing.TB, b *business) {
	t.Helper()
	b.affiliate, b.link = f.ids.New(), f.ids.New()
	b.click = f.keys.Mint(f.now().Add(-time.Minute), 1, b.link, b.affiliate)
	err := f.db.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.TryInsert(t.Context(), `INSERT INTO programs (id, name, status, currency, attribution_window_days, attribution_model, hold_days,
			allowed_hosts, fallback_url, click_param, browser_conversions, secret, previous_secret, created_at, updated_at, rev)
			VALUES (?, 'p', 'active', '', 30, 'last_click', 14, '[]', '', 'click_id', 'off', 's', '', 0, 0, 0)`, b.program)
		if err != nil {
			return err
		}
		_, err = tx.Exec(t.Context(), "INSERT INTO affiliates (id, name, email, status, created_at, updated_at) VALUES (?, 'a', 'a@example.com', 'active', 0, 0)", b.affiliate)
		if err != nil {
			return err
		}
		_, err = tx.Exec(t.Context(), `INSERT INTO links (id, slug, affiliate_id, program_id, destination, status, expires_at, created_at, updated_at, rev)
			VALUES (?, ?, ?, ?, 'https://example.com/', 'active', 0, 0, 0, 0)`, b.link, fmt.Sprint("l", b.link), b.affiliate, b.program)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) rule(t testing.TB, b business, affiliate int64, on wire.Type, terms commission.Terms) commission.Rule {
	t.Helper()
	r, err := f.commissions.CreateRule(t.Context(), commission.NewRule{ProgramID: b.program, AffiliateID: affiliate, On: on, Terms: terms})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (f *fixture) event(b business, kind wire.Type, txn string) wire.Event {
	return wire.Event{ProgramID: b.program, Type: kind, TxnID: txn, ClickID: b.click, Channel: wire.Postback, ReceivedAt: f.millis.Load()}
}

func (f *fixture) sale(b business, txn string, minor int64, currency string) wire.Event {
	e := f.event(b, wire.Sale, txn)
	e.Amount = &money.Amount{Minor: minor, Currency: currency}
	return e
}

// refund is one of minor units, or of all that is left for 0.
func (f *fixture) refund(b business, txn, ref string, minor int64, currency string) wire.Event {
	e := f.event(b, wire.Refund, txn)
	e.RefTxnID, e.ClickID = ref, click.ID{}
	if minor != 0 {
		e.Amount = &money.Amount{Minor: minor, Currency: currency}
	}
	return e
}

func (f *fixture) reject(b business, txn, ref string) wire.Event {
	e := f.event(b, wire.Rejected, txn)
	e.RefTxnID = ref
	return e
}

func (f *fixture) book(t testing.TB, events ...wire.Event) []wire.Result {
	t.Helper()
	results, err := f.conversions.Book(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func outcomes(results []wire.Result) string {
	s := ""
	for i, r := range results {
		if i > 0 {
			s += " "
		}
		s += string(r.Outcome)
	}
	return s
}

// balances is those of one affiliate in one line, zeros left out.
func (f *fixture) balances(t testing.TB, affiliate int64) string {
	t.Helper()
	list, err := f.ledger.Balances(t.Context(), affiliate)
	if err != nil {
		t.Fatal(err)
	}
	s := ""
	for _, b := range list {
		if b.Amount.Minor != 0 {
			s += fmt.Sprintf("%s %s; ", b.Kind, b.Amount)
		}
	}
	return s
}

// facts publishes what waits and returns the sums of one affiliate.
func (f *fixture) facts(t testing.TB, affiliate int64, currency string) report.Fact {
	t.Helper()
	for {
		n, err := f.outbox.Publish(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.sink.total[affiliate][currency]
}

func (f *fixture) verify(t testing.TB) ledger.Report {
	t.Helper()
	r, err := f.ledger.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Break != nil {
		t.Fatalf("%s", r)
	}
	return r
}
