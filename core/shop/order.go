package shop

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// State of an order.
type State string

// States.
const (
	Created        State = "created"         // nothing was begun at a gateway
	Pending        State = "pending"         // the buyer is at the gateway
	Failed         State = "failed"          // an attempt to pay failed; another may succeed
	Expired        State = "expired"         // it was not paid in time
	Paid           State = "paid"            // and nothing went back
	PartlyRefunded State = "partly_refunded" // paid, and a part went back
	Refunded       State = "refunded"        // all went back
	Disputed       State = "disputed"        // the gateway holds money back
	ChargedBack    State = "charged_back"    // a dispute was lost
)

// next are the states that an order may go to from a state. This table is the whole of the state machine.
func next(from State) []State {
	switch from {
	case "":
		return []State{Created}
	case Created:
		return []State{Pending, Paid, Failed, Expired}
	case Pending:
		return []State{Pending, Paid, Failed, Expired}
	case Failed:
		return []State{Pending, Paid, Failed, Expired}
	case Expired:
		return []State{Paid} // the money came late, and the price was promised
	case Paid, PartlyRefunded:
		return []State{PartlyRefunded, Refunded, Disputed}
	case Disputed:
		return []State{Paid, PartlyRefunded, Refunded, Disputed, ChargedBack}
	case Refunded, ChargedBack:
	}
	return nil
}

// payable reports whether money may still come.
func (s State) payable() bool { return s == Created || s == Pending || s == Failed }

// States lists all states.
func States() []State {
	return []State{Created, Pending, Failed, Expired, Paid, PartlyRefunded, Refunded, Disputed, ChargedBack}
}

// Buyer is who buys.
type Buyer struct {
	Email   string // trimmed and in lower case
	Name    string
	Address string // lines; may be empty
	Country string // ISO 3166-1 alpha-2
	Region  string // of India: letters of the state; may be empty
	GSTIN   string // may be empty
}

// Order is one purchase.
type Order struct {
	ID          int64
	Number      string // what people say on the phone
	Token       string // opens the order without sign-in
	State       State
	Currency    string
	Totals      Totals
	Refunded    int64 // gross, minor units; what an open dispute holds back included
	TaxKind     TaxKind
	SupplyPlace string
	Buyer       Buyer
	CustomerKey string

	ProgramID   int64 // 0: pays no commission
	AffiliateID int64 // 0: belongs to nobody
	LinkID      int64
	Attribution attribution.Decision

	CouponID     int64
	CouponCode   string
	Gateway      string // through which it was paid
	PaymentID    string // the gateway's
	ConversionID int64  // 0: not booked
	CreatedAt    int64  // Unix ms, as all times
	UpdatedAt    int64
	ExpiresAt    int64
	PaidAt       int64 // 0: not paid
	ErasedAt     int64 // when who bought was forgotten; 0: not

	Lines []Line // only of one order, not in lists
}

// EventKind says what happened to an order.
type EventKind string

// Kinds of events.
const (
	EventCreated         EventKind = "created"
	EventBegun           EventKind = "payment_begun"
	EventFailed          EventKind = "payment_failed"
	EventPaid            EventKind = "paid"
	EventExpired         EventKind = "expired"
	EventRefundRequested EventKind = "refund_requested"
	EventRefunded        EventKind = "refunded"
	EventRefundFailed    EventKind = "refund_failed"
	EventDisputed        EventKind = "dispute_opened"
	EventDisputeWon      EventKind = "dispute_won"
	EventDisputeLost     EventKind = "dispute_lost"
	EventReview          EventKind = "review_opened"
	EventReviewed        EventKind = "review_closed"
	EventErased          EventKind = "buyer_erased"
)

// Event is one thing that happened to an order.
type Event struct {
	ID        int64
	OrderID   int64
	Kind      EventKind
	From, To  State
	Amount    int64 // minor units; 0: none
	Currency  string
	Gateway   string
	PaymentID string
	Ref       string // the gateway's refund or dispute
	Actor     string // "system", "gateway", or the identifier of who did it
	Detail    string
	At        int64 // Unix ms
}

// move brings an order, which must be locked or new, into a state and writes the event. An illegal step is ErrState.
func (s *Service) move(ctx context.Context, tx *db.Tx, o *Order, to State, e Event) error {
	if !slices.Contains(next(o.State), to) {
		return fmt.Errorf("%w: it is %s and cannot become %s", ErrState, o.State, to)
	}
	e.From, e.To = o.State, to
	o.State = to
	tx.OnCommit(func() { s.metrics.transitions.WithLabelValues(string(to)).Inc() })
	return s.note(ctx, tx, o, e)
}

// note writes an event that may change the order's other columns, but not its state beyond what o says.
func (s *Service) note(ctx context.Context, tx *db.Tx, o *Order, e Event) error {
	if e.From == "" && e.To == "" {
		e.From, e.To = o.State, o.State
	}
	if e.Actor == "" {
		e.Actor = actorOf(ctx)
	}
	e.ID, e.OrderID, e.At = s.ids.New(), o.ID, s.now().UnixMilli()
	o.UpdatedAt = e.At
	if e.Currency == "" && e.Amount != 0 {
		e.Currency = o.Currency
	}
	if _, err := tx.Exec(ctx, `INSERT INTO order_events (id, order_id, kind, from_state, to_state, amount_minor, currency, gateway, payment_id, ref, actor,
		detail, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, e.ID, e.OrderID, e.Kind, e.From, e.To, e.Amount, e.Currency, e.Gateway, e.PaymentID,
		e.Ref, e.Actor, e.Detail, e.At); err != nil {
		return fmt.Errorf("write event of order: %w", err)
	}
	if e.Kind == EventCreated {
		return nil
	}
	if _, err := tx.Exec(ctx, `UPDATE orders SET state = ?, refunded_minor = ?, gateway = ?, payment_id = ?, conversion_id = ?, updated_at = ?, expires_at = ?,
		paid_at = ? WHERE id = ?`, o.State, o.Refunded, o.Gateway, o.PaymentID, o.ConversionID, o.UpdatedAt, o.ExpiresAt, o.PaidAt, o.ID); err != nil {
		return fmt.Errorf("store order: %w", err)
	}
	return nil
}

// actorOf names who acts.
func actorOf(ctx context.Context) string {
	p, ok := access.From(ctx)
	switch {
	case ok && p.PersonID != 0:
		return ident.Format(ident.Person, p.PersonID)
	case ok && p.TokenID != 0:
		return ident.Format(ident.Token, p.TokenID)
	case ok:
		return "buyer"
	}
	return "system"
}

const tokenLen = 24 // bytes

// newToken makes a token of 192 random bits.
func newToken() string {
	var b [tokenLen]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// newNumber makes an order number that can be said on the phone: year and month, and 40 random bits, so that nobody can
// count the orders.
func newNumber(now time.Time) string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return now.UTC().Format("0601") + "-" + string(b[:4]) + "-" + string(b[4:])
}

// Order returns an order with its lines, or ErrNotFound.
func (s *Service) Order(ctx context.Context, id int64) (Order, error) {
	return readOrder(ctx, s.db, "id = ?", id)
}

// OrderByToken returns the order that a token opens, or ErrNotFound.
func (s *Service) OrderByToken(ctx context.Context, token string) (Order, error) {
	if token == "" {
		return Order{}, ErrNotFound
	}
	return readOrder(ctx, s.db, "token = ?", token)
}

// OrderFilter selects orders; zero values select all.
type OrderFilter struct {
	State       State
	Email       string
	Number      string
	Transaction string // the gateway's payment id
	CustomerKey string
	ClickID     string // one of the clicks that its attribution weighed
	AffiliateID int64
	Since       int64 // identifiers of this or above only
	Before      int64 // identifiers below this only
	Limit       int
}

// Orders returns orders without their lines, the newest first.
func (s *Service) Orders(ctx context.Context, f OrderFilter) ([]Order, error) {
	where, args := f.clauses()
	return readOrders(ctx, s.db, where+" ORDER BY id DESC LIMIT ?", append(args, f.Limit)...)
}

// clauses let the filter that narrows down most choose the index: the plus, which changes nothing else, hides the others from
// SQLite, which knows no statistics.
func (f OrderFilter) clauses() (string, []any) {
	q, hide := filter{where: "id < ?", args: []any{below(f.Before)}}, ""
	and := func(column string, value any, wanted bool) {
		q.add(hide+column+" = ?", value, wanted)
		if wanted {
			hide = "+"
		}
	}
	q.add("id >= ?", f.Since, f.Since != 0)
	and("number", strings.ToUpper(strings.TrimSpace(f.Number)), f.Number != "")
	for _, in := range []struct{ table, column, value string }{{"order_events", "payment_id", f.Transaction}, {"order_clicks", "click_id", f.ClickID}} {
		q.add("id IN (SELECT order_id FROM "+in.table+" WHERE "+in.column+" = ?)", in.value, in.value != "")
		if in.value != "" {
			hide = "+"
		}
	}
	and("email", normalEmail(f.Email), f.Email != "")
	and("customer_key", f.CustomerKey, f.CustomerKey != "")
	and("affiliate_id", f.AffiliateID, f.AffiliateID != 0)
	and("state", f.State, f.State != "")
	return q.where, q.args
}

// OrdersWithLines is Orders with the lines of each.
func (s *Service) OrdersWithLines(ctx context.Context, f OrderFilter) ([]Order, error) {
	orders, err := s.Orders(ctx, f)
	if err != nil {
		return nil, err
	}
	for i := range orders {
		if orders[i].Lines, err = readLines(ctx, s.db, orders[i].ID); err != nil {
			return nil, err
		}
		if err := orders[i].verify(); err != nil {
			return nil, err
		}
	}
	return orders, nil
}

// Part is what belongs to an order and has an identifier of its own.
type Part string

// Parts.
const (
	LinePart   Part = "order_lines"
	RefundPart Part = "order_refunds"
	ReviewPart Part = "order_reviews"
)

// OrderOf returns the order that a part belongs to. The error is ErrNotFound where there is none.
func (s *Service) OrderOf(ctx context.Context, p Part, id int64) (orderID int64, err error) {
	err = s.db.QueryRow(ctx, "SELECT order_id FROM "+string(p)+" WHERE id = ?", id).Scan(&orderID)
	if db.IsNoRows(err) {
		return 0, ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("read what order something belongs to: %w", err)
	}
	return orderID, nil
}

// Events returns the story of an order, the oldest first.
func (s *Service) Events(ctx context.Context, orderID int64) ([]Event, error) {
	rows, err := s.db.Query(ctx, `SELECT id, order_id, kind, from_state, to_state, amount_minor, currency, gateway, payment_id, ref, actor, detail, at
		FROM order_events WHERE order_id = ? ORDER BY id LIMIT ?`, orderID, maxEvents)
	if err != nil {
		return nil, fmt.Errorf("read story of order: %w", err)
	}
	defer rows.Close()
	var out []Event
	for rows.Next() {
		var e Event
		if err := rows.Scan(&e.ID, &e.OrderID, &e.Kind, &e.From, &e.To, &e.Amount, &e.Currency, &e.Gateway, &e.PaymentID, &e.Ref, &e.Actor,
			&e.Detail, &e.At); err != nil {
			return nil, fmt.Errorf("read story of order: %w", err)
		}
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read story of order: %w", err)
	}
	return out, nil
}

// lockOrder reads an order with its lines and locks it until the transaction ends.
func lockOrder(ctx context.Context, tx *db.Tx, id int64) (Order, error) {
	return readOrder(ctx, tx, "id = ?"+tx.Dialect().ForUpdate(), id)
}

// readOrder reads one order with its lines.
func readOrder(ctx context.Context, q db.Querier, rest string, args ...any) (Order, error) {
	list, err := readOrders(ctx, q, rest, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Order{}, err
	}
	o := list[0]
	if o.Lines, err = readLines(ctx, q, o.ID); err != nil {
		return Order{}, err
	}
	return o, o.verify()
}

// errUnbalanced says that the rows of an order contradict each other: somebody changed them by hand.
var errUnbalanced = errors.New("the lines of the order do not add up to it: was the database changed by hand?")

// verify adds the order up again.
func (o *Order) verify() error {
	t, err := sum(o.Lines)
	if err != nil || t.List != o.Totals.List || t.Discount != o.Totals.Discount || t.Net != o.Totals.Net || t.Tax.Total != o.Totals.Tax.Total || t.Gross != o.Totals.Gross {
		return fmt.Errorf("order %s: %w", o.Number, errUnbalanced)
	}
	o.Totals = t // with what the tax consists of
	return nil
}

func readOrders(ctx context.Context, q db.Querier, rest string, args ...any) ([]Order, error) {
	rows, err := q.Query(ctx, `SELECT id, number, token, state, currency, list_minor, discount_minor, net_minor, tax_minor, total_minor, refunded_minor,
		tax_kind, supply_place, email, customer_key, name, address, country, region, gstin, program_id, affiliate_id, link_id, attribution,
		coupon_id, coupon_code, gateway, payment_id, conversion_id, created_at, updated_at, expires_at, paid_at, erased_at FROM orders WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	defer rows.Close()
	var out []Order
	for rows.Next() {
		var o Order
		var decided string
		if err := rows.Scan(&o.ID, &o.Number, &o.Token, &o.State, &o.Currency, &o.Totals.List, &o.Totals.Discount, &o.Totals.Net, &o.Totals.Tax.Total,
			&o.Totals.Gross, &o.Refunded, &o.TaxKind, &o.SupplyPlace, &o.Buyer.Email, &o.CustomerKey, &o.Buyer.Name, &o.Buyer.Address, &o.Buyer.Country,
			&o.Buyer.Region, &o.Buyer.GSTIN, &o.ProgramID, &o.AffiliateID, &o.LinkID, &decided, &o.CouponID, &o.CouponCode, &o.Gateway, &o.PaymentID,
			&o.ConversionID, &o.CreatedAt, &o.UpdatedAt, &o.ExpiresAt, &o.PaidAt, &o.ErasedAt); err != nil {
			return nil, fmt.Errorf("read orders: %w", err)
		}
		o.Attribution = attribution.Decision{AffiliateID: o.AffiliateID, LinkID: o.LinkID}
		if err := json.Unmarshal([]byte(decided), &o.Attribution.Explanation); err != nil {
			return nil, fmt.Errorf("read attribution of order: %w", err)
		}
		out = append(out, o)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	return out, nil
}

func readLines(ctx context.Context, q db.Querier, orderID int64) ([]Line, error) {
	rows, err := q.Query(ctx, `SELECT id, product_id, bundle_id, name, sku, tax_code, tax_bp, tax_included, earns, list_minor, discount_minor, net_minor,
		tax_minor, cgst_minor, sgst_minor, igst_minor, gross_minor, hold_days, entitlements FROM order_lines WHERE order_id = ? ORDER BY position`, orderID)
	if err != nil {
		return nil, fmt.Errorf("read lines of order: %w", err)
	}
	defer rows.Close()
	var out []Line
	for rows.Next() {
		var l Line
		var codes string
		if err := rows.Scan(&l.ID, &l.ProductID, &l.BundleID, &l.Name, &l.SKU, &l.TaxCode, &l.TaxBP, &l.TaxIncluded, &l.Earns, &l.List, &l.Discount,
			&l.Net, &l.Tax.Total, &l.CGST, &l.SGST, &l.IGST, &l.Gross, &l.HoldDays, &codes); err != nil {
			return nil, fmt.Errorf("read lines of order: %w", err)
		}
		if err := json.Unmarshal([]byte(codes), &l.Entitlements); err != nil {
			return nil, fmt.Errorf("read entitlements of line: %w", err)
		}
		out = append(out, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read lines of order: %w", err)
	}
	return out, nil
}

// normalEmail is the form in which an address is stored and looked for; of what is no address, its lower case.
func normalEmail(s string) string {
	if email, err := account.NormalizeEmail(s); err == nil {
		return email
	}
	return strings.ToLower(strings.TrimSpace(s))
}
