package payout_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/outbox"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/core/tax"
	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
	"github.com/edgeref/edgeref/wire/report"
)

const (
	day  = 24 * time.Hour
	hold = 14 * day
)

var start = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// bank is a provider that remembers what it has transferred under which key, and fails as it is told.
type bank struct {
	mu        sync.Mutex
	transfers map[string]*transfer // by key
	calls     int
	// fail decides what happens to a call: "before" it fails and nothing is done, "after" the transfer is made and the answer
	// is lost, "reject" it is refused, "" it succeeds.
	fail func(call int, what string) string
}

type transfer struct {
	request string
	result  payout.Result
	made    int
}

func newBank() *bank {
	return &bank{transfers: map[string]*transfer{}, fail: func(int, string) string { return "" }}
}

func (b *bank) Supports(kind payout.Kind, amount money.Amount) bool {
	return amount.Currency == "INR" && (kind == payout.BankIN || kind == payout.UPI)
}

func (b *bank) Prepare(_ context.Context, t payout.Transfer, to payout.Destination) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	switch b.fail(b.calls, "prepare") {
	case "reject":
		return nil, fmt.Errorf("account closed: %w", payout.ErrRejected)
	case "":
		return []byte(t.Amount.String() + " to " + to.Account), nil
	}
	return nil, errors.New("connection refused")
}

func (b *bank) Send(_ context.Context, key string, request []byte) (payout.Result, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	how := b.fail(b.calls, "send")
	if how == "before" {
		return payout.Result{}, errors.New("connection refused")
	}
	if how == "reject" {
		return payout.Result{}, fmt.Errorf("bad account: %w", payout.ErrRejected)
	}
	t := b.transfers[key]
	switch {
	case t == nil:
		t = &transfer{request: string(request), made: 1, result: payout.Result{Outcome: payout.InProgress, ProviderID: "tr_" + key}}
		b.transfers[key] = t
	case t.request != string(request):
		return payout.Result{}, fmt.Errorf("the key was used for another request: %w", payout.ErrRejected)
	}
	if how == "after" {
		return payout.Result{}, errors.New("connection reset")
	}
	return t.result, nil
}

func (b *bank) LookUp(_ context.Context, key, _ string) (payout.Result, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	if b.fail(b.calls, "look") != "" {
		return payout.Result{}, errors.New("no answer in time")
	}
	if t := b.transfers[key]; t != nil {
		return t.result, nil
	}
	return payout.Result{Outcome: payout.Unseen}, nil
}

// finish makes all transfers that are in progress end.
func (b *bank) finish(outcome payout.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, t := range b.transfers {
		if t.result.Outcome == payout.InProgress {
			t.result.Outcome, t.result.Reference, t.result.Reason = outcome, "UTR"+key, "as the test wants"
		}
	}
}

func (b *bank) set(key string, outcome payout.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.transfers[key].result.Outcome = outcome
}

func (b *bank) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.transfers)
}

type nowhere struct{}

func (nowhere) AppendFacts(context.Context, string, []report.Fact) error { return nil }

// fixture is the money side of a core on one database, with a clock that the test sets.
type fixture struct {
	t           testing.TB
	db          *db.DB
	ids         *newid.Generator
	keys        *click.Keyring
	ring        *secret.Ring
	ledger      *ledger.Ledger
	sealer      *ledger.Sealer
	guard       *ledger.Guard
	commissions *commission.Service
	conversions *conversion.Service
	tax         *tax.Service
	payouts     *payout.Service
	bank        *bank
	options     payout.Options
	program     int64
	millis      atomic.Int64
	sales       atomic.Int64
}

func (f *fixture) now() time.Time          { return time.UnixMilli(f.millis.Load()).UTC() }
func (f *fixture) advance(d time.Duration) { f.millis.Add(d.Milliseconds()) }

func newFixture(t testing.TB, d *db.DB) *fixture {
	t.Helper()
	f := &fixture{t: t, db: d, bank: newBank()}
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
	f.ring, err = secret.NewRing([]string{secret.NewKey("1")})
	must()
	f.ledger = ledger.New(ledger.Options{DB: d, IDs: f.ids, Now: f.now, Reconcile: payout.Reconcile})
	f.sealer = ledger.NewSealer(ledger.SealerOptions{DB: d, Now: f.now})
	f.guard = ledger.NewGuard(ledger.GuardOptions{Verify: f.ledger.VerifyFrom, Now: f.now, MaxAge: time.Nanosecond, MaxUnsealed: 10_000 * day})
	f.commissions = commission.New(commission.Options{DB: d, IDs: f.ids, Ledger: f.ledger, Now: f.now})
	box := outbox.New(outbox.Options{DB: d, IDs: f.ids, Sink: nowhere{}, Now: f.now})
	f.conversions, err = conversion.New(conversion.Options{DB: d, IDs: f.ids, Keys: f.keys, Commissions: f.commissions, Outbox: box, Now: f.now})
	must()
	letters, err := mail.New(mail.Options{DB: d, IDs: f.ids, Now: f.now, Ring: f.ring})
	must()
	log := audit.New(audit.Options{DB: d, IDs: f.ids})
	f.tax = tax.New(tax.Options{DB: d, IDs: f.ids, Audit: log, Now: f.now})
	executors := payout.Offline()
	executors["bank"] = f.bank
	f.options = payout.Options{
		DB: d, IDs: f.ids, Ledger: f.ledger, Commissions: f.commissions, Guard: f.guard, Ring: f.ring, Audit: log, Mail: letters, Executors: executors,
		Policy: payout.Policy{
			Minimum: map[string]int64{"INR": 100_00}, Floor: map[string]int64{"INR": 500_00}, BatchLimit: map[string]int64{"INR": 1_00_000_00},
			TwoApprovals: map[string]int64{"INR": 50_000_00}, MethodFreeze: 72 * time.Hour,
		},
		Payer: "Example Learning", Now: f.now,
	}
	f.payouts = payout.New(f.options)
	f.program = f.ids.New()
	f.exec(`INSERT INTO programs (id, name, status, currency, attribution_window_days, attribution_model, hold_days, allowed_hosts, fallback_url, click_param,
		browser_conversions, secret, previous_secret, created_at, updated_at, rev) VALUES (?, 'p', 'active', '', 30, 'last_click', 14, '[]', '', 'click_id', 'off', 's', '', 0, 0, 0)`, f.program)
	_, err = f.commissions.CreateRule(t.Context(), commission.NewRule{ProgramID: f.program, On: wire.Sale, Terms: commission.Terms{PercentBP: 10_000}})
	must()
	return f
}

func (f *fixture) exec(query string, args ...any) {
	f.t.Helper()
	err := f.db.InTx(context.Background(), func(tx *db.Tx) error {
		_, err := tx.Exec(context.Background(), query, args...)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// affiliate is one with a link.
type affiliate struct{ id, link int64 }

func (f *fixture) affiliate() affiliate {
	f.t.Helper()
	a := affiliate{f.ids.New(), f.ids.New()}
	f.exec("INSERT INTO affiliates (id, name, email, status, created_at, updated_at) VALUES (?, 'Asha Rao', 'asha@example.com', 'active', 0, 0)", a.id)
	f.exec(`INSERT INTO links (id, slug, affiliate_id, program_id, destination, status, expires_at, created_at, updated_at, rev)
		VALUES (?, ?, ?, ?, 'https://example.com/', 'active', 0, 0, 0, 0)`, a.link, fmt.Sprint("l", a.link), a.id, f.program)
	return a
}

// payee is an affiliate with a bank account that is not frozen any more.
func (f *fixture) payee() affiliate {
	f.t.Helper()
	a := f.affiliate()
	f.method(a, fmt.Sprintf("1%014d", a.id%1e14))
	f.exec("UPDATE payout_methods SET frozen_until = 0 WHERE affiliate_id = ?", a.id)
	return a
}

func (f *fixture) method(a affiliate, account string) payout.Method {
	f.t.Helper()
	m, err := f.payouts.SetMethod(context.Background(), a.id, "INR", payout.Destination{Kind: payout.BankIN, Holder: "Asha Rao", Account: account, IFSC: "HDFC0001234"}, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

// sale books a sale that earns minor units; the result is its transaction id.
func (f *fixture) sale(a affiliate, minor int64) string {
	f.t.Helper()
	txn := fmt.Sprint("t", f.sales.Add(1))
	e := f.event(a, wire.Sale, txn)
	e.ClickID, e.Amount = f.keys.Mint(f.now().Add(-time.Minute), 1, a.link, a.id), &money.Amount{Minor: minor, Currency: "INR"}
	f.book(e)
	return txn
}

func (f *fixture) event(_ affiliate, kind wire.Type, txn string) wire.Event {
	return wire.Event{ProgramID: f.program, Type: kind, TxnID: txn, Channel: wire.Postback, ReceivedAt: f.millis.Load()}
}

func (f *fixture) refund(a affiliate, sale string, minor int64) {
	f.t.Helper()
	e := f.event(a, wire.Refund, fmt.Sprint("r", f.sales.Add(1)))
	e.RefTxnID = sale
	if minor != 0 {
		e.Amount = &money.Amount{Minor: minor, Currency: "INR"}
	}
	f.book(e)
}

func (f *fixture) book(e wire.Event) {
	f.t.Helper()
	got, err := f.conversions.Book(context.Background(), []wire.Event{e})
	if err != nil || got[0].Outcome != wire.Booked {
		f.t.Fatalf("booking: %+v, %v", got, err)
	}
}

// release lets the hold of everything pass.
func (f *fixture) release() {
	f.t.Helper()
	f.advance(hold + time.Hour)
	if _, err := f.commissions.ReleaseDue(context.Background(), f.now(), 1_000); err != nil {
		f.t.Fatal(err)
	}
}

// payable gives an affiliate a payable balance and returns the sale.
func (f *fixture) payable(a affiliate, minor int64) string {
	f.t.Helper()
	txn := f.sale(a, minor)
	f.release()
	return txn
}

// person is a context of somebody of finance with a second factor.
func (f *fixture) person(id int64) context.Context {
	return access.With(f.t.Context(), access.Principal{
		PersonID: id, SessionID: 1, Name: "finance", Roles: []access.Role{access.RoleFinance}, Scopes: access.Grants(access.RoleFinance), SecondFactorAt: f.millis.Load(),
	})
}

var inINR = payout.Selection{Currency: "INR", Executor: "bank"}

// approved makes a batch by person 1 and has person 2 approve it.
func (f *fixture) approved(sel payout.Selection) payout.Batch {
	f.t.Helper()
	b, err := f.payouts.Create(f.person(1), sel, "", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.approve(b)
}

func (f *fixture) approve(b payout.Batch) payout.Batch {
	f.t.Helper()
	for person := int64(2); b.State == payout.BatchCreated; person++ {
		var err error
		if b, err = f.payouts.Approve(f.person(person), b.ID, payout.Seen{Payouts: b.Payouts, Net: b.Net}, nil); err != nil {
			f.t.Fatal(err)
		}
	}
	return b
}

// work lets the worker do all that is due.
func (f *fixture) work() {
	f.t.Helper()
	for range 100 {
		n, err := f.payouts.Work(f.t.Context())
		if err != nil {
			f.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
	f.t.Fatal("the worker does not come to an end")
}

// of are the payouts of a batch, the oldest first.
func (f *fixture) of(batch int64) []payout.Payout {
	f.t.Helper()
	list, err := f.payouts.Payouts(f.t.Context(), payout.Filter{BatchID: batch, Limit: 1_000})
	if err != nil {
		f.t.Fatal(err)
	}
	out := make([]payout.Payout, len(list))
	for i := range list {
		if out[len(list)-1-i], err = f.payouts.Payout(f.t.Context(), list[i].ID, 0); err != nil {
			f.t.Fatal(err)
		}
	}
	return out
}

// balances is those of one affiliate in one line, zeros left out.
func (f *fixture) balances(a affiliate) string {
	f.t.Helper()
	list, err := f.ledger.Balances(f.t.Context(), a.id)
	if err != nil {
		f.t.Fatal(err)
	}
	var parts []string
	for _, b := range list {
		if b.Amount.Minor != 0 {
			parts = append(parts, fmt.Sprintf("%s %s", b.Kind, b.Amount.Decimal()))
		}
	}
	return strings.Join(parts, ", ")
}

func (f *fixture) wantBalances(a affiliate, want string) {
	f.t.Helper()
	if got := f.balances(a); got != want {
		f.t.Errorf("balances %q, want %q", got, want)
	}
}

func (f *fixture) verify() ledger.Report {
	f.t.Helper()
	r, err := f.ledger.Verify(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	if r.Break != nil {
		f.t.Fatalf("%s", r)
	}
	return r
}

// states are the states of a commission of each sale of an affiliate, the oldest first.
func (f *fixture) commissionStates(a affiliate) string {
	f.t.Helper()
	list, err := f.commissions.List(f.t.Context(), commission.Filter{AffiliateID: a.id, Limit: 100})
	if err != nil {
		f.t.Fatal(err)
	}
	var out []string
	for i := range list {
		out = append(out, string(list[len(list)-1-i].State))
	}
	return strings.Join(out, " ")
}
