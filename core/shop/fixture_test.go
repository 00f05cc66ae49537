package shop_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/outbox"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
	"github.com/edgeref/edgeref/wire/report"
)

// fixture is a shop with the money side that it books to, on one database, with a clock that the test sets. The gateway is
// the test itself: it keeps what the shop asks for, and settles.
type fixture struct {
	*shop.Service
	db        *db.DB
	ids       *newid.Generator
	keys      *click.Keyring
	ledger    *ledger.Ledger
	invoices  *invoice.Service
	mails     *mails
	asked     []payment.RefundRequest
	millis    atomic.Int64
	program   int64
	affiliate int64
	link      int64
	gateways  int // payments made
}

// mails keeps what is sent.
type mails struct {
	mu   sync.Mutex
	sent []mail.Message
}

func (m *mails) Queue(_ context.Context, _ *db.Tx, msg mail.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = append(m.sent, msg)
	return nil
}

type noFacts struct{}

func (noFacts) AppendFacts(context.Context, string, []report.Fact) error { return nil }

func (f *fixture) now() time.Time          { return time.UnixMilli(f.millis.Load()).UTC() }
func (f *fixture) advance(d time.Duration) { f.millis.Add(d.Milliseconds()) }

// RequestRefund keeps what the shop asks for. It may be called again for a transaction that was run again.
func (f *fixture) RequestRefund(_ context.Context, _ *db.Tx, r payment.RefundRequest) error {
	f.asked = append(f.asked, r)
	return nil
}

func each(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Parallel() // making the schema takes longer than the test
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newFixture(t, d)) })
}

func newFixture(t testing.TB, d *db.DB) *fixture {
	t.Helper()
	f := &fixture{db: d, mails: &mails{}}
	f.millis.Store(time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC).UnixMilli())
	f.ids = newid.New(f.now)
	var err error
	if f.keys, err = click.NewKeyring(click.Key{ID: 1, Secret: []byte("0123456789abcdef")}); err != nil {
		t.Fatal(err)
	}
	f.ledger = ledger.New(ledger.Options{DB: d, IDs: f.ids, Now: f.now, Reconcile: commission.Reconcile})
	commissions := commission.New(commission.Options{DB: d, IDs: f.ids, Ledger: f.ledger, Now: f.now})
	conversions, err := conversion.New(conversion.Options{
		DB: d, IDs: f.ids, Keys: f.keys, Commissions: commissions, Outbox: outbox.New(outbox.Options{DB: d, IDs: f.ids, Sink: noFacts{}, Now: f.now}), Now: f.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	zone := time.FixedZone("IST", 5*3600+1800)
	f.invoices = invoice.New(invoice.Options{DB: d, IDs: f.ids, Now: f.now, Zone: zone, Seller: invoice.Party{Name: "Seller", TaxID: "29AAPFU0939F1ZR", Country: "IN"}})
	f.Service, err = shop.New(shop.Options{
		DB: d, IDs: f.ids, Attribution: attribution.New(attribution.Options{Keys: f.keys}), Conversions: conversions, Invoices: f.invoices,
		Audit: audit.New(audit.Options{DB: d, IDs: f.ids}), Mail: f.mails, Seller: shop.Seller{Country: "IN", State: "KA", TaxID: "29AAPFU0939F1ZR"},
		ReturnURL: "https://shop.example.com/thanks/{token}", Now: f.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.UseGateways(f)
	c, err := catalog.New(t.Context(), catalog.Options{DB: d, IDs: f.ids, Now: f.now})
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.CreateProgram(t.Context(), catalog.ProgramFields{Name: "p", AttributionWindowDays: 30, AttributionModel: "last_click", HoldDays: 14, ClickParam: "click_id", BrowserConversions: "off"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.CreateAffiliate(t.Context(), "Asha", "Asha@Partner.example")
	if err != nil {
		t.Fatal(err)
	}
	l, err := c.CreateLink(t.Context(), catalog.NewLink{AffiliateID: a.ID, ProgramID: p.ID, Slug: "asha", Destination: "https://shop.example.com/"})
	if err != nil {
		t.Fatal(err)
	}
	f.program, f.affiliate, f.link = p.ID, a.ID, l.ID
	if _, err := commissions.CreateRule(t.Context(), commission.NewRule{ProgramID: p.ID, On: wire.Sale, Terms: commission.Terms{PercentBP: 7500}}); err != nil {
		t.Fatal(err)
	}
	return f
}

// click is a minute old.
func (f *fixture) click() click.ID {
	return f.keys.Mint(f.now().Add(-time.Minute), 1, f.link, f.affiliate)
}

func (f *fixture) product(t testing.TB, slug string, price int64, change ...func(p *shop.Product)) shop.Product {
	t.Helper()
	p := shop.Product{
		Slug: slug, Name: "Course " + slug, SKU: "SKU-" + slug, Prices: map[string]int64{"INR": price}, TaxBP: 1800, TaxCode: "999293", TaxIncluded: true,
		ProgramID: f.program, HoldDays: shop.NoHold, Entitlements: []string{"course:" + slug}, Status: shop.Active,
	}
	for _, c := range change {
		c(&p)
	}
	p, err := f.CreateProduct(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (f *fixture) coupon(t testing.TB, c shop.Coupon) shop.Coupon {
	t.Helper()
	c, err := f.CreateCoupon(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// order asks for products by ann, through the affiliate's link.
func (f *fixture) order(t testing.TB, coupon string, products ...shop.Product) shop.Order {
	t.Helper()
	o, err := f.CreateOrder(t.Context(), f.wish("ann@example.com", coupon, products...))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (f *fixture) wish(email, coupon string, products ...shop.Product) shop.NewOrder {
	n := shop.NewOrder{
		Cart:    shop.Cart{Coupon: coupon, Buyer: shop.Buyer{Email: email, Name: "Ann", Country: "IN", Region: "KA"}},
		Touches: []click.ID{f.click()},
	}
	for _, p := range products {
		n.Cart.Items = append(n.Cart.Items, shop.Item{ID: p.ID})
	}
	return n
}

// settle tells the shop an outcome, as payments do.
func (f *fixture) settle(t testing.TB, out payment.Outcome) {
	t.Helper()
	if err := f.trySettle(t.Context(), out); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) trySettle(ctx context.Context, out payment.Outcome) error {
	return f.db.InTx(ctx, func(tx *db.Tx) error { return f.Settle(ctx, tx, out) })
}

func paid(o shop.Order, id string) payment.Outcome {
	return payment.Outcome{OrderID: o.ID, Kind: payment.Paid, Amount: money.Amount{Minor: o.Totals.Gross, Currency: o.Currency}, Gateway: "sandbox", PaymentID: id, At: o.CreatedAt}
}

// buy is an order that is paid.
func (f *fixture) buy(t testing.TB, coupon string, products ...shop.Product) shop.Order {
	t.Helper()
	o := f.order(t, coupon, products...)
	f.gateways++
	f.settle(t, paid(o, fmt.Sprintf("pay_%d", f.gateways)))
	return f.reread(t, o)
}

func (f *fixture) reread(t testing.TB, o shop.Order) shop.Order {
	t.Helper()
	o, err := f.Order(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// balances are the affiliate's, zeros left out.
func (f *fixture) balances(t testing.TB) string {
	t.Helper()
	list, err := f.ledger.Balances(t.Context(), f.affiliate)
	if err != nil {
		t.Fatal(err)
	}
	s := ""
	for _, b := range list {
		if b.Amount.Minor != 0 {
			s += fmt.Sprintf("%s %s;", b.Kind, b.Amount)
		}
	}
	return s
}

func (f *fixture) verify(t testing.TB) {
	t.Helper()
	r, err := f.ledger.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Break != nil {
		t.Fatalf("%s", r)
	}
}

// story is the kinds of an order's events.
func (f *fixture) story(t testing.TB, o shop.Order) (kinds []shop.EventKind) {
	t.Helper()
	events, err := f.Events(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	state := shop.State("")
	for _, e := range events {
		if e.From != state {
			t.Errorf("event %s goes from %s, after %s", e.Kind, e.From, state)
		}
		state = e.To
		kinds = append(kinds, e.Kind)
	}
	if got := f.reread(t, o).State; got != state {
		t.Errorf("the order is %s, its story ends with %s", got, state)
	}
	return kinds
}

func (f *fixture) documents(t testing.TB, o shop.Order) []invoice.Invoice {
	t.Helper()
	list, err := f.invoices.OfOrder(t.Context(), f.db, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (f *fixture) reviews(t testing.TB, o shop.Order) (kinds []shop.ReviewKind) {
	t.Helper()
	list, err := f.Reviews(t.Context(), shop.ReviewFilter{OrderID: o.ID, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		kinds = append(kinds, r.Kind)
	}
	return kinds
}

// valid are the codes that the order's buyer may use.
func (f *fixture) valid(t testing.TB, o shop.Order) (codes []string) {
	t.Helper()
	list, err := f.OrderEntitlements(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.RevokedAt == 0 {
			codes = append(codes, e.Code)
		}
	}
	return codes
}

func wantField(t testing.TB, err error, field string) {
	t.Helper()
	var in *shop.InvalidError
	if !errors.As(err, &in) || in.Fields[0].Field != field {
		t.Errorf("got %v, want %s to be invalid", err, field)
	}
}

func (f *fixture) erase(t testing.TB, email string, want int) {
	t.Helper()
	err := f.db.InTx(t.Context(), func(tx *db.Tx) error {
		n, err := f.EraseContact(t.Context(), tx, email)
		if n != want {
			t.Errorf("%d orders erased, want %d", n, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
