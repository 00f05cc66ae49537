package site_test

import (
	"context"
	"errors"
	"html"
	"html/template"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/markdown"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/outbox"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/core/web/site"
	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
	"github.com/edgeref/edgeref/wire/report"
)

const sellerGSTIN = "29AAPFU0939F1ZR"

type noFacts struct{}

func (noFacts) AppendFacts(context.Context, string, []report.Fact) error { return nil }

// gateways are the payment gateways, played by the test.
type gateways struct {
	shop   *shop.Service
	names  []string
	url    string // where one pays; default https://pay.example
	params map[string]string
	err    error
	begun  int
}

func (g *gateways) Gateways() []string { return g.names }

func (g *gateways) Begin(ctx context.Context, orderID int64, name string) (payment.Session, error) {
	g.begun++
	o, err := g.shop.Payable(ctx, orderID)
	if err == nil {
		err = g.err
	}
	return payment.Session{Gateway: name, URL: g.url + "/" + o.Ref, Params: g.params}, err
}

// writing is what the owner has written.
type writing struct {
	now site.Content
	err error
}

func (w *writing) Content(context.Context) (site.Content, error) { return w.now, w.err }

// world is the site with the shop behind it, over real HTTP.
type world struct {
	t        testing.TB
	url      string
	handler  http.Handler
	db       *db.DB
	shop     *shop.Service
	pay      *gateways
	writing  *writing
	keys     *click.Keyring
	program  int64
	link     int64
	partner  int64
	address  netip.Addr // of all clients
	registry *prometheus.Registry
	millis   atomic.Int64
}

func (w *world) now() time.Time { return time.UnixMilli(w.millis.Load()).UTC() }

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newWorld(t, d)) })
}

func newWorld(t testing.TB, d *db.DB, change ...func(*site.Options)) *world {
	t.Helper()
	w := &world{t: t, db: d, address: netip.MustParseAddr("198.51.100.7"), registry: prometheus.NewRegistry()}
	w.millis.Store(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC).UnixMilli())
	ids := newid.New(w.now)
	var err error
	if w.keys, err = click.NewKeyring(click.Key{ID: 1, Secret: []byte("0123456789abcdef")}); err != nil {
		t.Fatal(err)
	}
	books := ledger.New(ledger.Options{DB: d, IDs: ids, Now: w.now, Reconcile: commission.Reconcile})
	commissions := commission.New(commission.Options{DB: d, IDs: ids, Ledger: books, Now: w.now})
	conversions, err := conversion.New(conversion.Options{
		DB: d, IDs: ids, Keys: w.keys, Commissions: commissions, Outbox: outbox.New(outbox.Options{DB: d, IDs: ids, Sink: noFacts{}, Now: w.now}), Now: w.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	invoices := invoice.New(invoice.Options{DB: d, IDs: ids, Now: w.now, Zone: time.UTC, Seller: invoice.Party{Name: "Riverbank", TaxID: sellerGSTIN, Country: "IN"}})
	w.shop, err = shop.New(shop.Options{
		DB: d, IDs: ids, Attribution: attribution.New(attribution.Options{Keys: w.keys}), Conversions: conversions, Invoices: invoices,
		Seller: shop.Seller{Country: "IN", State: "KA", TaxID: sellerGSTIN}, ReturnURL: "https://shop.example.com/thank-you/{token}", Now: w.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.pay = &gateways{shop: w.shop, names: []string{"sandbox"}}
	w.writing = &writing{now: site.Content{Name: "Riverbank", Headline: "Learn by doing", Text: "<p>Courses that <em>last</em>.</p>", Locale: "en-IN", Revision: 1, Legal: map[string]template.HTML{}}}
	server := httptest.NewUnstartedServer(nil)
	w.url = "http://" + server.Listener.Addr().String()
	w.pay.url = w.url
	opts := site.Options{
		Shop: w.shop, Invoices: invoices, Payments: w.pay, Content: w.writing, Markdown: markdown.New("/site/media/").HTML, Currency: "INR", URL: w.url, CookieName: "er_cid",
		Seller:  site.Seller{Name: "Riverbank Private Limited", Address: "12 Residency Road\nBengaluru", Country: "IN", TaxID: sellerGSTIN, Email: "help@riverbank.example"},
		Address: func(*http.Request) netip.Addr { return w.address }, Now: w.now, Registerer: w.registry,
	}
	for _, c := range change {
		c(&opts)
	}
	s, err := site.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for _, path := range s.Paths() {
		mux.Handle(path, s)
	}
	mux.Handle("/", s.Fallback(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
	})))
	w.handler = mux
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(server.Close)
	w.seed(ids, commissions)
	return w
}

// seed makes a program that pays 75%, with an affiliate and a link.
func (w *world) seed(ids *newid.Generator, commissions *commission.Service) {
	w.t.Helper()
	ctx := w.t.Context()
	c, err := catalog.New(ctx, catalog.Options{DB: w.db, IDs: ids, Now: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := c.CreateProgram(ctx, catalog.ProgramFields{Name: "p", AttributionWindowDays: 30, AttributionModel: "last_click", HoldDays: 14, ClickParam: "click_id", BrowserConversions: "off"})
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := c.CreateAffiliate(ctx, "Asha", "asha@partner.example")
	if err != nil {
		w.t.Fatal(err)
	}
	l, err := c.CreateLink(ctx, catalog.NewLink{AffiliateID: a.ID, ProgramID: p.ID, Slug: "asha", Destination: "https://shop.example.com/"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.program, w.partner, w.link = p.ID, a.ID, l.ID
	if _, err := commissions.CreateRule(ctx, commission.NewRule{ProgramID: p.ID, On: wire.Sale, Terms: commission.Terms{PercentBP: 7500}}); err != nil {
		w.t.Fatal(err)
	}
}

// click is a minute old.
func (w *world) click() string {
	return w.keys.Mint(w.now().Add(-time.Minute), 1, w.link, w.partner).String()
}

func (w *world) product(slug string, price int64, change ...func(*shop.Product)) shop.Product {
	w.t.Helper()
	p := shop.Product{
		Slug: slug, Name: "Course " + slug, Description: "All about *" + slug + "*.\n\n## What you learn\n\n- much", SKU: "SKU-" + slug, Prices: map[string]int64{"INR": price},
		TaxBP: 1800, TaxCode: "999293", TaxIncluded: true, ProgramID: w.program, HoldDays: shop.NoHold, Entitlements: []string{"course:" + slug}, Status: shop.Active,
	}
	for _, c := range change {
		c(&p)
	}
	p, err := w.shop.CreateProduct(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) coupon(c shop.Coupon) {
	w.t.Helper()
	if _, err := w.shop.CreateCoupon(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
}

// settle is what a gateway tells of an order.
func (w *world) settle(o shop.Order, kind payment.Kind) {
	w.t.Helper()
	out := payment.Outcome{OrderID: o.ID, Kind: kind, Amount: money.Amount{Minor: o.Totals.Gross, Currency: o.Currency}, Gateway: "sandbox", PaymentID: "pay_" + o.Number, At: w.now().UnixMilli()}
	if err := w.db.InTx(w.t.Context(), func(tx *db.Tx) error { return w.shop.Settle(w.t.Context(), tx, out) }); err != nil {
		w.t.Fatal(err)
	}
}

// orders are all there are, the newest first.
func (w *world) orders() []shop.Order {
	w.t.Helper()
	list, err := w.shop.OrdersWithLines(w.t.Context(), shop.OrderFilter{Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// browser keeps cookies, runs no scripts, and follows no redirects by itself.
type browser struct {
	w *world
	c *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type page struct {
	status int
	body   string
	header http.Header
	path   string
}

func (p page) location() string { return p.header.Get("Location") }

func (b *browser) do(method, path string, form url.Values, headers ...string) page {
	b.w.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.w.t.Context(), method, b.w.url+strings.TrimPrefix(path, b.w.url), body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "text/html")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.c.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil && !errors.Is(err, io.EOF) {
		b.w.t.Fatal(err)
	}
	return page{resp.StatusCode, string(text), resp.Header, path}
}

func (b *browser) get(path string, headers ...string) page {
	b.w.t.Helper()
	return b.do(http.MethodGet, path, nil, headers...)
}

// filled is the form of a page as a browser would send it: with what is hidden, and the fields given.
func filled(p page, fields ...string) url.Values {
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(p.body, -1) {
		form.Add(m[1], html.UnescapeString(m[2]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form
}

// buy fills the checkout in and sends it.
func (b *browser) buy(slug string, fields ...string) page {
	b.w.t.Helper()
	p := b.get("/checkout/" + slug)
	return b.do(http.MethodPost, "/checkout/"+slug, filled(p, append([]string{
		"name", "Bea Rao", "email", "Bea@example.com", "country", "IN", "state", "MH", "gateway", "sandbox", "action", "order",
	}, fields...)...))
}
