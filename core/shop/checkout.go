package shop

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
)

// NewOrder is what an order is made of.
type NewOrder struct {
	Cart    Cart
	Touches []click.ID // the Click IDs that the buyer brought along, verified or not
	// Token, if it is given, is the order's, and makes the call safe to repeat: an order that has it is returned as it
	// stands. It must be as unguessable as the shop's own, and stand for all that is asked for. See TokenOf.
	Token string
}

// TokenOf makes a token of a secret and of what is asked for under it.
func TokenOf(secret string, parts ...string) string {
	hash := sha256.New()
	for _, part := range append([]string{"order", secret}, parts...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		hash.Write(n[:])
		hash.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:tokenLen])
}

// numberTries is how often a number is drawn anew where it is taken; with 40 random bits a month, once is rare.
const numberTries = 3

// CreateOrder makes an order: it freezes the prices, the tax and whom it belongs to, and uses the coupon, in one
// transaction. One that comes to nothing is paid at once. Functions in also run at the end of the transaction that makes
// it. Errors: *InvalidError, *CouponError, ErrMixedPrograms, ErrSelfPurchase.
func (s *Service) CreateOrder(ctx context.Context, n NewOrder, also ...func(*db.Tx, Order) error) (o Order, err error) {
	if err := n.Cart.Buyer.check(s.opts.Seller); err != nil {
		return Order{}, err
	}
	n.Touches = n.Touches[:min(len(n.Touches), maxTouches)]
	if found, err := s.OrderByToken(ctx, n.Token); err == nil || !errors.Is(err, ErrNotFound) {
		return found, err
	}
	for range numberTries {
		o, err = s.createOrder(ctx, &n, also)
		if err == nil {
			return o, nil
		}
		// Whatever failed, as a coupon that is used up, may have because another of the same calls was first.
		if found, foundErr := s.OrderByToken(ctx, n.Token); foundErr == nil {
			return found, nil
		}
		if !errors.Is(err, errNumberTaken) {
			return Order{}, err
		}
	}
	return Order{}, err
}

var errNumberTaken = errors.New("the number or the token of the order is taken")

func (s *Service) createOrder(ctx context.Context, n *NewOrder, also []func(*db.Tx, Order) error) (o Order, err error) {
	number, token := newNumber(s.now()), n.Token
	if token == "" {
		token = newToken()
	}
	id := s.ids.New()
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		now := s.now().UnixMilli()
		customer := customerKey(n.Cart.Buyer.Email)
		quote, err := s.price(ctx, tx, &n.Cart, customer, tx.Dialect().ForUpdate())
		if err != nil {
			return err
		}
		o = Order{
			ID: id, Number: number, Token: token, Currency: quote.Currency, Totals: quote.Totals, TaxKind: quote.TaxKind,
			SupplyPlace: quote.SupplyPlace, Buyer: n.Cart.Buyer, CustomerKey: customer, ProgramID: quote.program, Lines: quote.Lines,
			CreatedAt: now, UpdatedAt: now, ExpiresAt: now + s.opts.OrderTTL.Milliseconds(),
		}
		if quote.coupon != nil {
			o.CouponID, o.CouponCode = quote.coupon.ID, quote.coupon.Code
		}
		if err := s.decide(ctx, tx, &o, n, quote.coupon); err != nil {
			return err
		}
		if err := s.insertOrder(ctx, tx, &o); err != nil {
			return err
		}
		if quote.coupon != nil {
			if err := redeem(ctx, tx, quote.coupon, o.ID, customer, now); err != nil {
				return err
			}
		}
		if err := s.move(ctx, tx, &o, Created, Event{Kind: EventCreated, Amount: o.Totals.Gross}); err != nil {
			return err
		}
		if o.Totals.Gross == 0 {
			if err := s.pay(ctx, tx, &o, Event{Kind: EventPaid, Detail: "there was nothing to pay"}, now); err != nil {
				return err
			}
		}
		return runAll(tx, o, also)
	})
	if err != nil {
		return Order{}, err
	}
	return o, nil
}

// decide freezes whom the order belongs to.
func (s *Service) decide(ctx context.Context, tx *db.Tx, o *Order, n *NewOrder, coupon *Coupon) error {
	if o.ProgramID == 0 {
		return nil
	}
	r := attribution.Request{ProgramID: o.ProgramID, Touches: n.Touches, CustomerKey: o.CustomerKey, At: o.CreatedAt, Now: o.CreatedAt}
	if coupon != nil {
		r.Coupon, r.CouponAffiliateID = coupon.Code, coupon.AffiliateID
	}
	buyers, err := affiliatesOf(ctx, tx, o.Buyer.Email)
	if err != nil {
		return err
	}
	if len(buyers) > 0 {
		r.BuyerAffiliateID = buyers[0]
	}
	d, err := s.opts.Attribution.Decide(ctx, tx, r)
	if err != nil {
		return fmt.Errorf("decide attribution: %w", err)
	}
	// Somebody with several accounts buys through any of them.
	for _, id := range buyers {
		if d.AffiliateID == id && id != r.BuyerAffiliateID {
			r.BuyerAffiliateID = id
			if d, err = s.opts.Attribution.Decide(ctx, tx, r); err != nil {
				return fmt.Errorf("decide attribution: %w", err)
			}
			break
		}
	}
	if d.Explanation.Reason == attribution.SelfPurchase {
		p, err := catalog.ReadProgram(ctx, tx, o.ProgramID)
		if err != nil {
			return fmt.Errorf("read program: %w", err)
		}
		if p.Terms.RefuseSelfPurchases {
			return ErrSelfPurchase
		}
	}
	o.AffiliateID, o.LinkID, o.Attribution = d.AffiliateID, d.LinkID, d
	return nil
}

// maxAccounts is how many affiliates one e-mail address is looked at for.
const maxAccounts = 20

// affiliatesOf are the affiliates with an e-mail address.
func affiliatesOf(ctx context.Context, q db.Querier, email string) (ids []int64, err error) {
	rows, err := q.Query(ctx, "SELECT affiliate_id FROM affiliate_emails WHERE email = ? ORDER BY affiliate_id LIMIT ?", email, maxAccounts)
	if err != nil {
		return nil, fmt.Errorf("look for the buyer among affiliates: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("look for the buyer among affiliates: %w", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("look for the buyer among affiliates: %w", err)
	}
	return ids, nil
}

// insertClicks notes which clicks of ours the attribution of an order weighed.
func insertClicks(ctx context.Context, tx *db.Tx, o *Order) error {
	for _, c := range o.Attribution.Explanation.Candidates {
		if c.ClickID == "" || c.Result == attribution.UnknownClick {
			continue
		}
		if _, err := tx.TryInsert(ctx, "INSERT INTO order_clicks (click_id, order_id) VALUES (?, ?)", c.ClickID, o.ID); err != nil {
			return fmt.Errorf("note the clicks of an order: %w", err)
		}
	}
	return nil
}

func (s *Service) insertOrder(ctx context.Context, tx *db.Tx, o *Order) error {
	_, err := tx.Exec(ctx, `INSERT INTO orders (id, number, token, state, currency, list_minor, discount_minor, net_minor, tax_minor, total_minor,
		refunded_minor, tax_kind, supply_place, email, customer_key, name, address, country, region, gstin, program_id, affiliate_id, link_id,
		attribution, coupon_id, coupon_code, gateway, payment_id, conversion_id, created_at, updated_at, expires_at, paid_at, erased_at) VALUES `+db.In(34),
		o.ID, o.Number, o.Token, Created, o.Currency, o.Totals.List, o.Totals.Discount, o.Totals.Net, o.Totals.Tax.Total, o.Totals.Gross, 0, o.TaxKind,
		o.SupplyPlace, o.Buyer.Email, o.CustomerKey, o.Buyer.Name, o.Buyer.Address, o.Buyer.Country, o.Buyer.Region, o.Buyer.GSTIN, o.ProgramID,
		o.AffiliateID, o.LinkID, encode(o.Attribution.Explanation), o.CouponID, o.CouponCode, "", "", 0, o.CreatedAt, o.UpdatedAt, o.ExpiresAt, 0, 0)
	if db.IsDuplicate(err) {
		return errNumberTaken
	}
	if err != nil {
		return fmt.Errorf("store order: %w", err)
	}
	if err := insertClicks(ctx, tx, o); err != nil {
		return err
	}
	for i := range o.Lines {
		l := &o.Lines[i]
		l.ID = s.ids.New()
		if _, err := tx.Exec(ctx, `INSERT INTO order_lines (id, order_id, position, product_id, bundle_id, name, sku, tax_code, tax_bp, tax_included, earns,
			list_minor, discount_minor, net_minor, tax_minor, cgst_minor, sgst_minor, igst_minor, gross_minor, hold_days, entitlements) VALUES `+db.In(21),
			l.ID, o.ID, i+1, l.ProductID, l.BundleID, l.Name, l.SKU, l.TaxCode, l.TaxBP, l.TaxIncluded, l.Earns, l.List, l.Discount, l.Net, l.Tax.Total,
			l.CGST, l.SGST, l.IGST, l.Gross, l.HoldDays, encode(orEmpty(l.Entitlements))); err != nil {
			return fmt.Errorf("store line of order: %w", err)
		}
	}
	return nil
}

// CustomerKey is the form of an address in which customers are told apart.
func CustomerKey(email string) string { return customerKey(normalEmail(email)) }

// customerKey is the form of an address in which customers are told apart.
func customerKey(email string) string { return conversion.CustomerKey(email) }

func couponReason(err error) CouponReason {
	var c *CouponError
	if errors.As(err, &c) {
		return c.Reason
	}
	return ""
}

// reference is how an order is called outside.
func (o *Order) reference() string { return ident.Format(ident.Order, o.ID) }
