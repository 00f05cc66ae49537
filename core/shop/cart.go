package shop

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/money"
)

// Item names a product by its id or, where that is 0, by its slug. Digital goods are bought once each.
type Item struct {
	ID   int64
	Slug string
}

// Cart is what somebody wants to buy.
type Cart struct {
	Items    []Item
	Currency string // empty: that of the shop
	Coupon   string
	Buyer    Buyer // of a quote, country and region are enough
}

// Quote is what a cart costs.
type Quote struct {
	Currency    string
	Lines       []Line // without ids
	Totals      Totals
	TaxKind     TaxKind
	SupplyPlace string
	CouponCode  string       // that was taken off
	CouponError CouponReason // why it was not

	coupon  *Coupon
	program int64
}

// Quote prices a cart. A coupon that does not count is no error: the quote says why. Errors: *InvalidError,
// ErrMixedPrograms.
func (s *Service) Quote(ctx context.Context, cart Cart) (Quote, error) {
	var c checker
	cart.Buyer.checkPlace(&c, s.opts.Seller)
	if err := c.err(); err != nil {
		return Quote{}, err
	}
	customer := ""
	if cart.Buyer.Email != "" {
		customer = customerKey(cart.Buyer.Email)
	}
	q, err := s.price(ctx, s.db, &cart, customer, "")
	if reason := couponReason(err); reason != "" {
		cart.Coupon = ""
		if q, err = s.price(ctx, s.db, &cart, customer, ""); err == nil {
			q.CouponError = reason
		}
	}
	return q, err
}

// price does all the arithmetic of a cart. lock is for the coupon.
func (s *Service) price(ctx context.Context, q db.Querier, cart *Cart, customer, lock string) (Quote, error) {
	out := Quote{Currency: cart.Currency}
	if out.Currency == "" {
		out.Currency = s.opts.Currency
	}
	if _, err := money.Decimals(out.Currency); err != nil {
		return Quote{}, &InvalidError{[]FieldError{{"currency", "is not an ISO 4217 code in upper case"}}}
	}
	products, err := readCart(ctx, q, cart.Items)
	if err != nil {
		return Quote{}, err
	}
	if strings.TrimSpace(cart.Coupon) != "" {
		if out.coupon, err = couponFor(ctx, q, cart.Coupon, customer, s.now().UnixMilli(), lock); err != nil {
			return Quote{}, err
		}
		out.CouponCode = out.coupon.Code
	}
	for i := range products {
		if err := out.addProduct(ctx, q, &products[i]); err != nil {
			return Quote{}, err
		}
	}
	for i := range out.Lines {
		for j := range out.Lines[:i] {
			if out.Lines[i].ProductID == out.Lines[j].ProductID {
				return Quote{}, &InvalidError{[]FieldError{{"items", "hold a product twice, by itself or in a bundle"}}}
			}
		}
	}
	if out.coupon != nil && discount(out.Lines, out.coupon, out.Currency) == 0 {
		return Quote{}, &CouponError{CouponNotForThis}
	}
	out.TaxKind, out.SupplyPlace = s.opts.Seller.supply(&cart.Buyer)
	for i := range out.Lines {
		out.Lines[i].tax(out.TaxKind)
	}
	if out.Totals, err = sum(out.Lines); err != nil {
		return Quote{}, &InvalidError{[]FieldError{{"items", "come to a total that is out of range"}}}
	}
	return out, nil
}

// readCart reads the products of a cart, in its order.
func readCart(ctx context.Context, q db.Querier, items []Item) ([]Product, error) {
	if len(items) == 0 || len(items) > maxItems || !distinct(items) {
		return nil, &InvalidError{[]FieldError{{"items", fmt.Sprintf("must be 1 to %d different products", maxItems)}}}
	}
	var ids, slugs []any
	for _, item := range items {
		if item.ID != 0 {
			ids = append(ids, item.ID)
		} else {
			slugs = append(slugs, item.Slug)
		}
	}
	var found []Product
	for column, args := range map[string][]any{"id": ids, "slug": slugs} {
		if len(args) == 0 {
			continue
		}
		list, err := readProducts(ctx, q, column+" IN "+db.In(len(args))+" AND status = ?", append(args, Active)...)
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	out := make([]Product, 0, len(items))
	for _, item := range items {
		i := slices.IndexFunc(found, func(p Product) bool { return p.ID == item.ID || item.ID == 0 && p.Slug == item.Slug })
		if i < 0 {
			return nil, &InvalidError{[]FieldError{{"items", "name a product that cannot be bought"}}}
		}
		out = append(out, found[i])
	}
	return out, nil
}

// addProduct adds the line of a product, or those of a bundle's parts.
func (q *Quote) addProduct(ctx context.Context, from db.Querier, p *Product) error {
	price, ok := p.Prices[q.Currency]
	if !ok {
		return &InvalidError{[]FieldError{{"currency", "is not one that all the products have a price in"}}}
	}
	if p.ProgramID != 0 {
		if q.program != 0 && q.program != p.ProgramID {
			return ErrMixedPrograms
		}
		q.program = p.ProgramID
	}
	line := Line{
		ProductID: p.ID, Name: p.Name, SKU: p.SKU, TaxCode: p.TaxCode, TaxBP: p.TaxBP, TaxIncluded: p.TaxIncluded, Earns: p.ProgramID != 0,
		HoldDays: p.HoldDays, List: price, Entitlements: p.Entitlements, eligible: q.coupon != nil && q.coupon.isFor(p.ID),
	}
	if p.Kind != Bundle {
		q.Lines = append(q.Lines, line)
		return nil
	}
	found, err := readProducts(ctx, from, "id IN "+db.In(len(p.Parts)), anys(p.Parts)...)
	if err != nil {
		return err
	}
	weights := make([]int64, len(p.Parts))
	var total int64
	lines := make([]Line, len(p.Parts))
	for i, id := range p.Parts {
		j := slices.IndexFunc(found, func(part Product) bool { return part.ID == id })
		if j < 0 {
			return fmt.Errorf("bundle %d: part %d is missing", p.ID, id)
		}
		part := &found[j]
		l := line
		l.ProductID, l.BundleID, l.Name, l.SKU, l.TaxCode, l.TaxBP, l.Entitlements = part.ID, p.ID, part.Name, part.SKU, part.TaxCode, part.TaxBP, part.Entitlements
		l.HoldDays = max(p.HoldDays, part.HoldDays)
		lines[i], weights[i] = l, part.Prices[q.Currency]
		total += weights[i]
	}
	if total == 0 { // the parts have no prices of their own: they are worth the same
		for i := range weights {
			weights[i] = 1
		}
	}
	for i, share := range split(price, weights) {
		lines[i].List = share
	}
	q.Lines = append(q.Lines, lines...)
	return nil
}

// checkPlace validates and normalises what the tax depends on.
func (b *Buyer) checkPlace(c *checker, seller Seller) {
	b.Country = strings.ToUpper(strings.TrimSpace(b.Country))
	b.Region = strings.TrimSpace(b.Region)
	b.GSTIN = strings.ToUpper(strings.TrimSpace(b.GSTIN))
	b.Email = normalEmail(b.Email)
	if b.Country == "" {
		b.Country = seller.Country
	}
	if !country(b.Country) {
		c.fail("customer.country", "must be an ISO 3166-1 code of two letters")
	}
	c.line("customer.state", b.Region, maxRegion, false)
	if b.Country != india {
		if b.GSTIN != "" {
			c.fail("customer.gstin", "is for buyers in India")
		}
		return
	}
	if b.Region != "" {
		st, ok := stateOf(b.Region)
		if !ok {
			c.fail("customer.state", "must be a state of India, as in ISO 3166-2, like KA")
			return
		}
		b.Region = st.iso
	}
	if b.GSTIN == "" {
		return
	}
	st, ok := gstinState(b.GSTIN)
	switch {
	case !ok:
		c.fail("customer.gstin", "is not a GSTIN: its form or its check character is wrong")
	case b.Region != "" && b.Region != st.iso:
		c.fail("customer.gstin", "is registered in another state than the one given")
	default:
		b.Region = st.iso
	}
}

// check validates a buyer.
func (b *Buyer) check(seller Seller) error {
	var c checker
	b.Name = strings.TrimSpace(b.Name)
	b.Address = strings.TrimSpace(b.Address)
	b.checkPlace(&c, seller)
	if email, err := account.NormalizeEmail(b.Email); err != nil {
		c.fail("customer.email", "is not an address like ann@example.com")
	} else {
		b.Email = email // as people sign in with it
	}
	c.line("customer.name", b.Name, maxName, true)
	c.text("customer.address", b.Address, maxAddress)
	return c.err()
}
