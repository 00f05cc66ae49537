package site

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/money"
)

// errTotal says that the order would come to another total than the buyer was shown.
var errTotal = errors.New("the total is another one than was shown")

// row is one line of a sum.
type row struct {
	Label, Amount string
	Kind          string // total, off, or ""
}

// item is something that is bought.
type item struct{ Name, Amount string }

type choice struct {
	Name, Title string
	Chosen      bool
}

type checkoutBody struct {
	Product   card
	Wish      wish
	Errors    map[string]string // by field
	Items     []item
	Rows      []row
	Total     string
	Free      bool
	Seen      string
	TaxNote   string
	Coupon    string // that is taken off
	Countries []country
	Regions   []shop.Region
	Gateways  []choice
	Clicks    []string
	Upgrades  []upgrade
	Action    string
}

// showCheckout is the empty form.
func (s *Site) showCheckout(w http.ResponseWriter, r *http.Request) {
	if !s.look(w, r) {
		return
	}
	q := r.URL.Query()
	v := wish{Country: s.opts.Seller.Country, Once: newOnce()}
	v.Coupon, _ = clean(q.Get("coupon"), 40, false)
	v.Currency, _ = clean(q.Get("currency"), 3, false)
	it, ok := s.wanted(w, r)
	if !ok {
		return
	}
	s.showForm(w, r, &it, &v, http.StatusOK, notice{}, nil)
}

// wanted is the product that the path names, or answers the request.
func (s *Site) wanted(w http.ResponseWriter, r *http.Request) (shop.Product, bool) {
	it, err := s.sold(r.Context(), r.PathValue("slug"))
	if errors.Is(err, shop.ErrNotFound) {
		s.notFound(w, r)
		return it, false
	}
	if err != nil {
		s.fail(w, r, err)
		return it, false
	}
	return it, true
}

// checkout makes the order and sends the buyer on to pay it, or works the total out anew.
func (s *Site) checkout(w http.ResponseWriter, r *http.Request) {
	it, ok := s.wanted(w, r)
	if !ok {
		return
	}
	v := parseWish(r.PostForm)
	if v.Once == "" {
		v.Once = newOnce()
	}
	if !v.Order {
		s.showForm(w, r, &it, &v, http.StatusOK, notice{}, nil)
		return
	}
	wrong := map[string]string{}
	for _, field := range v.TooLong {
		wrong[field] = s.text().Invalid[field]
	}
	if v.Gateway != "" && !slices.Contains(s.opts.Payments.Gateways(), v.Gateway) {
		wrong["gateway"] = s.text().Invalid["gateway"]
	}
	if len(wrong) > 0 {
		s.showForm(w, r, &it, &v, http.StatusUnprocessableEntity, notice{"bad", s.text().Problems}, wrong)
		return
	}
	ctx := s.public(r)
	order, err := s.opts.Shop.CreateOrder(ctx, shop.NewOrder{Cart: s.cart(&it, &v), Touches: s.touches(r, &v), Token: s.tokenOf(r, &it, &v)},
		func(_ *db.Tx, o shop.Order) error {
			if v.Seen != seen(money.Amount{Minor: o.Totals.Gross, Currency: o.Currency}) {
				return errTotal
			}
			if o.Totals.Gross > 0 && v.Gateway == "" {
				return &shop.InvalidError{Fields: []shop.FieldError{{Field: "gateway", Reason: "is missing"}}}
			}
			return nil
		})
	if err != nil {
		s.refuseOrder(w, r, &it, &v, err)
		return
	}
	s.begin(ctx, w, r, &order, v.Gateway)
}

// refuseOrder shows the form again, with what is wrong beside the field that it is about.
func (s *Site) refuseOrder(w http.ResponseWriter, r *http.Request, it *shop.Product, v *wish, err error) {
	var invalid *shop.InvalidError
	var coupon *shop.CouponError
	switch {
	case errors.As(err, &invalid):
		s.showForm(w, r, it, v, http.StatusUnprocessableEntity, notice{"bad", s.text().Problems}, s.wrong(invalid))
	case errors.As(err, &coupon): // the form says so by itself
		s.showForm(w, r, it, v, http.StatusConflict, notice{"bad", s.text().Problems}, nil)
	case errors.Is(err, errTotal):
		s.showForm(w, r, it, v, http.StatusConflict, notice{"warn", s.text().TotalChanged}, nil)
	case errors.Is(err, shop.ErrSelfPurchase):
		s.showForm(w, r, it, v, http.StatusConflict, notice{"bad", s.text().SelfPurchase}, nil)
	default:
		s.fail(w, r, err)
	}
}

// wrong are the words for what the shop refuses, by field of the form.
func (s *Site) wrong(invalid *shop.InvalidError) map[string]string {
	out := map[string]string{}
	for _, f := range invalid.Fields {
		field := strings.TrimPrefix(f.Field, "customer.")
		text, known := s.text().Invalid[field]
		if !known {
			text = s.text().CannotBuy
		}
		out[field] = text
	}
	return out
}

func (s *Site) cart(it *shop.Product, v *wish) shop.Cart {
	currency := v.Currency
	if _, ok := it.Prices[currency]; !ok {
		currency = priceOf(it, s.opts.Currency).Currency
	}
	region := v.Region
	if v.Country != "IN" {
		region = "" // the list is of India's
	}
	return shop.Cart{
		Items: []shop.Item{{ID: it.ID}}, Currency: currency, Coupon: v.Coupon,
		Buyer: shop.Buyer{Email: v.Email, Name: v.Name, Address: v.Address, Country: v.Country, Region: region, GSTIN: v.GSTIN},
	}
}

// tokenOf names the order that this form of this browser asks for. The way to pay is not part of it: who comes back and
// chooses another pays the same order.
func (s *Site) tokenOf(r *http.Request, it *shop.Product, v *wish) string {
	c := s.cart(it, v)
	b := c.Buyer
	return shop.TokenOf(v.Once+s.jar.Known(r), strconv.FormatInt(it.ID, 10), c.Currency, c.Coupon, b.Email, b.Name, b.Address, b.Country, b.Region, b.GSTIN, v.Seen)
}

func seen(a money.Amount) string { return a.String() }

// showForm shows the checkout with its total.
func (s *Site) showForm(w http.ResponseWriter, r *http.Request, it *shop.Product, v *wish, status int, n notice, wrong map[string]string) {
	d, err := s.now(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	quote, problems, err := s.quote(r.Context(), it, v)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if wrong == nil {
		wrong = map[string]string{}
	}
	maps.Copy(wrong, problems)
	p := s.page(w, r, d)
	s.own(w, r, p)
	p.Title, p.Body = s.text().CheckoutTitle, s.checkoutBody(r.Context(), p, it, v, &quote, wrong)
	if n.Text == s.text().TotalChanged {
		n.Text = fmt.Sprintf(n.Text, p.Money(money.Amount{Minor: quote.Totals.Gross, Currency: quote.Currency}))
	}
	p.Notice = n
	w.Header().Set("Referrer-Policy", "no-referrer")
	actions := "'self'"
	if origin := s.opts.URL; origin != "" {
		actions += " " + origin
	}
	w.Header().Set("Content-Security-Policy", policy(actions, ""))
	s.show(w, r, status, "checkout", p)
}

// quote is the price of what is wished. Where a place or a coupon is wrong, it is the price without it, and says so.
func (s *Site) quote(ctx context.Context, it *shop.Product, v *wish) (shop.Quote, map[string]string, error) {
	c := s.cart(it, v)
	q, err := s.opts.Shop.Quote(ctx, c)
	var invalid *shop.InvalidError
	var wrong map[string]string
	if errors.As(err, &invalid) {
		wrong = s.wrong(invalid)
		c.Buyer = shop.Buyer{}
		q, err = s.opts.Shop.Quote(ctx, c)
	}
	if err != nil {
		return q, nil, fmt.Errorf("price %s: %w", it.Slug, err)
	}
	if q.CouponError != "" {
		if wrong == nil {
			wrong = map[string]string{}
		}
		wrong["coupon"] = s.text().CouponProblems[string(q.CouponError)]
	}
	return q, wrong, nil
}

func (s *Site) checkoutBody(ctx context.Context, p *page, it *shop.Product, v *wish, q *shop.Quote, wrong map[string]string) checkoutBody {
	total := money.Amount{Minor: q.Totals.Gross, Currency: q.Currency}
	body := checkoutBody{
		Product: s.card(p, it), Wish: *v, Errors: wrong, Items: s.items(p, q.Lines, q.Currency), Rows: s.rows(p, q.Lines, q.Totals, q.TaxKind, q.Currency, q.CouponCode),
		Total: p.Money(total), Free: total.Minor == 0, Seen: seen(total), Coupon: q.CouponCode, Countries: s.countries[p.T], Regions: shop.Regions(), Action: p.To("checkout", it.Slug),
	}
	body.Wish.Currency = q.Currency
	switch q.TaxKind {
	case shop.NoTax:
		body.TaxNote = s.text().NoTaxNote
	case shop.Export:
		body.TaxNote = s.text().ExportNote
	case shop.SingleTax, shop.IntraState, shop.InterState:
	}
	names := s.opts.Payments.Gateways()
	for i, name := range names {
		body.Gateways = append(body.Gateways, choice{Name: name, Title: s.gatewayTitle(name), Chosen: v.Gateway == name || i == 0 && !slices.Contains(names, v.Gateway)})
	}
	for _, id := range v.Clicks {
		body.Clicks = append(body.Clicks, id.String())
	}
	if len(body.Clicks) == 0 {
		body.Clicks = p.clicks["click_id"]
	}
	if it.Kind != shop.Bundle {
		var more productBody
		if err := s.addBundles(ctx, p, &more, it, q.Currency); err != nil {
			s.opts.Logger.Warn("look for bundles", "error", err)
		}
		for _, u := range more.Bundles {
			u.Path = strings.Replace(u.Path, "/products/", "/checkout/", 1)
			body.Upgrades = append(body.Upgrades, u)
		}
	}
	return body
}

func (s *Site) gatewayTitle(name string) string {
	if title, ok := s.text().Gateways[name]; ok {
		return title
	}
	return s.gatewayName(name)
}

func (s *Site) gatewayName(name string) string {
	if title, ok := s.text().GatewayNames[name]; ok {
		return title
	}
	return name
}

func (s *Site) items(p *page, lines []shop.Line, currency string) []item {
	out := make([]item, 0, len(lines))
	for i := range lines {
		out = append(out, item{lines[i].Name, p.Money(money.Amount{Minor: lines[i].List, Currency: currency})})
	}
	return out
}

// rows add an order up for people, each tax apart.
func (s *Site) rows(p *page, lines []shop.Line, t shop.Totals, kind shop.TaxKind, currency, coupon string) []row {
	in := func(minor int64) string { return p.Money(money.Amount{Minor: minor, Currency: currency}) }
	var out []row
	if len(lines) > 1 || t.Discount > 0 {
		out = append(out, row{Label: s.text().Price, Amount: in(t.List)})
	}
	if t.Discount > 0 {
		out = append(out, row{Label: fmt.Sprintf(s.text().Discount, coupon), Amount: in(-t.Discount), Kind: "off"})
	}
	if t.Tax.Total > 0 {
		out = append(out, row{Label: s.text().Net, Amount: in(t.Net)})
		out = append(out, s.taxRows(p, lines, t, kind, in)...)
	}
	return append(out, row{Label: s.text().Total, Amount: in(t.Gross), Kind: "total"})
}

func (s *Site) taxRows(p *page, lines []shop.Line, t shop.Totals, kind shop.TaxKind, in func(int64) string) []row {
	bp := lines[0].TaxBP
	for i := range lines {
		if lines[i].TaxBP != bp {
			bp = 0 // of several rates, none is the order's
		}
	}
	label := func(text string, bp int64) string {
		if bp == 0 {
			return strings.TrimSpace(strings.Replace(text, "%s", "", 1))
		}
		return fmt.Sprintf(text, p.format.Rate(bp))
	}
	switch kind {
	case shop.IntraState:
		return []row{{Label: label(s.text().CGST, bp/2), Amount: in(t.CGST)}, {Label: label(s.text().SGST, bp-bp/2), Amount: in(t.SGST)}}
	case shop.InterState:
		return []row{{Label: label(s.text().IGST, bp), Amount: in(t.IGST)}}
	case shop.SingleTax, shop.NoTax, shop.Export:
	}
	return []row{{Label: label(s.text().Tax, bp), Amount: in(t.Tax.Total)}}
}
