package payment

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

const (
	// clockMargin is how far apart the two sides may have the time of one payment.
	clockMargin  = time.Hour
	maxAsked     = 500 // payments that are not in the list and asked about one by one
	maxKept      = 1_000
	compareLimit = 30 * time.Minute
)

// ErrPeriod says that a period cannot be compared.
var ErrPeriod = errors.New("the period must begin before it ends, and have at most 92 days")

// DifferenceKind says how two sides differ.
type DifferenceKind string

// Kinds of differences.
const (
	MissingHere  DifferenceKind = "missing_here"  // the gateway has it, we have not
	MissingThere DifferenceKind = "missing_there" // we have it, the gateway has not
	OtherAmount  DifferenceKind = "amount"
	OtherState   DifferenceKind = "state"
)

// Difference is one payment or refund that the two sides have otherwise.
type Difference struct {
	Kind      DifferenceKind `json:"kind"`
	Object    string         `json:"object"`     // payment or refund
	GatewayID string         `json:"gateway_id"` // the gateway's name for it
	ID        string         `json:"id"`         // ours; empty: we have none
	OrderID   int64          `json:"order_id"`   // 0: not known
	Here      money.Amount   `json:"here"`
	There     money.Amount   `json:"there"`
	Detail    string         `json:"detail"`
}

// String is one line for people.
func (d Difference) String() string {
	text := fmt.Sprintf("%s %s %s", d.Object, d.GatewayID, d.Kind)
	if d.ID != "" {
		text += " (" + d.ID + ")"
	}
	if d.Detail != "" {
		text += ": " + d.Detail
	}
	return text
}

// Comparison is what came of comparing a period. Times are Unix ms; To is not included.
type Comparison struct {
	ID          int64
	Gateway     string
	From, To    int64
	Payments    int // of the gateway, in the period
	Refunds     int
	Count       int // of differences
	Differences []Difference
	CreatedAt   int64
}

// Reconcile compares our payments and refunds of a period with a gateway's list, and stores what it finds. from is
// included, to is not; both are Unix ms. It only reads otherwise. Errors: ErrNoGateway, ErrPeriod.
func (s *Service) Reconcile(ctx context.Context, gateway string, from, to int64) (Comparison, error) {
	g, err := s.gateway(gateway)
	if err != nil {
		return Comparison{}, err
	}
	if from >= to || to-from > maxPeriod.Milliseconds() {
		return Comparison{}, ErrPeriod
	}
	ctx, cancel := context.WithTimeout(ctx, compareLimit)
	defer cancel()
	c := &comparing{service: s, gateway: g, Comparison: Comparison{ID: s.ids.New(), Gateway: gateway, From: from, To: to, CreatedAt: s.now().UnixMilli()}}
	if err := c.run(ctx); err != nil {
		return Comparison{}, fmt.Errorf("compare payments with %s: %w", gateway, err)
	}
	return c.Comparison, c.store(ctx)
}

// comparing is a comparison under way.
type comparing struct {
	Comparison
	service  *Service
	gateway  Gateway
	payments map[string]Change // theirs, by their name
	refunds  map[string]Change
	asked    int
}

func (c *comparing) inside(at int64) bool { return at >= c.From && at < c.To }

func (c *comparing) run(ctx context.Context) error {
	c.payments, c.refunds = map[string]Change{}, map[string]Change{}
	margin := clockMargin.Milliseconds()
	err := c.gateway.List(ctx, c.From-margin, c.To+margin, func(change Change) error {
		if len(c.payments)+len(c.refunds) >= maxListed {
			return fmt.Errorf("there are more than %d; compare a shorter period", maxListed)
		}
		if change.Kind == ChangeKind(Paid) {
			c.payments[change.PaymentID] = change
		} else {
			c.refunds[change.RefundID] = change
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{c.theirPayments, c.theirRefunds, c.ourPayments, c.ourRefunds} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	slices.SortFunc(c.Differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.GatewayID, b.GatewayID), cmp.Compare(a.Kind, b.Kind))
	})
	c.Count = len(c.Differences)
	return nil
}

func (c *comparing) differ(d Difference) { c.Differences = append(c.Differences, d) }

// names are the keys of those that happened in the period, sorted.
func (c *comparing) names(of map[string]Change) []string {
	var out []string
	for name, change := range of {
		if c.inside(change.At) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// theirPayments looks for each of their payments here.
func (c *comparing) theirPayments(ctx context.Context) error {
	names := c.names(c.payments)
	c.Payments = len(names)
	for part, args := range db.Chunks(names) {
		list, err := readPayments(ctx, c.service.db, "gateway = ? AND payment_id IN "+db.In(len(part)), append([]any{c.Gateway}, args...)...)
		if err != nil {
			return err
		}
		ours := map[string]Payment{}
		for _, p := range list {
			ours[p.PaymentID] = p
		}
		for _, name := range part {
			theirs := c.payments[name]
			p, ok := ours[name]
			d := Difference{Object: "payment", GatewayID: name, ID: nameOf(ident.Payment, p.ID), OrderID: p.OrderID, Here: p.Paid, There: theirs.Amount}
			switch {
			case !ok:
				d.Kind, d.Detail = MissingHere, fmt.Sprintf("%s was paid there", theirs.Amount)
				c.differ(d)
			case p.Paid != theirs.Amount:
				d.Kind, d.Detail = OtherAmount, fmt.Sprintf("%s here, %s there", p.Paid, theirs.Amount)
				c.differ(d)
			}
		}
	}
	return nil
}

func nameOf(kind string, id int64) string {
	if id == 0 {
		return ""
	}
	return ident.Format(kind, id)
}

// theirRefunds looks for each of their refunds here.
func (c *comparing) theirRefunds(ctx context.Context) error {
	names := c.names(c.refunds)
	c.Refunds = len(names)
	for part, args := range db.Chunks(names) {
		list, err := readRefunds(ctx, c.service.db, "gateway = ? AND refund_id IN "+db.In(len(part)), append([]any{c.Gateway}, args...)...)
		if err != nil {
			return err
		}
		ours := map[string]Refund{}
		for _, r := range list {
			ours[r.RefundID] = r
		}
		for _, name := range part {
			theirs := c.refunds[name]
			r, ok := ours[name]
			if !ok && theirs.Key != "" { // asked for by us, and its name is not known here yet
				byKey, err := readRefunds(ctx, c.service.db, "provider_key = ?", theirs.Key)
				if err != nil {
					return err
				}
				if ok = len(byKey) == 1; ok {
					r = byKey[0]
				}
			}
			c.compareRefund(r, ok, theirs)
		}
	}
	return nil
}

func (c *comparing) compareRefund(r Refund, found bool, theirs Change) {
	d := Difference{Object: "refund", GatewayID: theirs.RefundID, ID: nameOf(ident.PaymentRefund, r.ID), OrderID: r.OrderID, Here: r.Amount, There: theirs.Amount}
	if !found && theirs.Kind == ChangeKind(RefundFailed) {
		return // nothing happened, and we know of nothing
	}
	if !found {
		d.Kind, d.Detail = MissingHere, fmt.Sprintf("%s was refunded there", theirs.Amount)
		c.differ(d)
		return
	}
	if r.Amount != theirs.Amount {
		d.Kind, d.Detail = OtherAmount, fmt.Sprintf("%s here, %s there", r.Amount, theirs.Amount)
		c.differ(d)
	}
	done, failed := r.State == RefundSucceeded, r.State == RefundEnded
	if done != (theirs.Kind == ChangeKind(Refunded)) || failed != (theirs.Kind == ChangeKind(RefundFailed)) {
		d.Kind, d.Detail = OtherState, fmt.Sprintf("%s here, %s there", r.State, theirs.Kind)
		c.differ(d)
	}
}

// ourPayments looks for each of our payments there.
func (c *comparing) ourPayments(ctx context.Context) error {
	for after := int64(0); ; {
		list, err := readPayments(ctx, c.service.db, "gateway = ? AND paid_at >= ? AND paid_at < ? AND id > ? AND state IN ('succeeded', 'stray') ORDER BY id LIMIT ?",
			c.Gateway, max(c.From, 1), c.To, after, db.MaxIn)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, p := range list {
			after = p.ID
			if _, ok := c.payments[p.PaymentID]; ok {
				continue
			}
			there, err := c.ask(ctx, p, func(change Change) bool { return change.Kind == ChangeKind(Paid) && change.PaymentID == p.PaymentID })
			if err != nil {
				return err
			}
			if !there {
				c.differ(Difference{
					Kind: MissingThere, Object: "payment", GatewayID: p.PaymentID, ID: nameOf(ident.Payment, p.ID), OrderID: p.OrderID, Here: p.Paid,
					Detail: fmt.Sprintf("%s was paid here", p.Paid),
				})
			}
		}
	}
}

// ourRefunds looks for each of our refunds there.
func (c *comparing) ourRefunds(ctx context.Context) error {
	for after := int64(0); ; {
		list, err := readRefunds(ctx, c.service.db, "gateway = ? AND done_at >= ? AND done_at < ? AND id > ? AND state = 'succeeded' ORDER BY id LIMIT ?",
			c.Gateway, max(c.From, 1), c.To, after, db.MaxIn)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, r := range list {
			after = r.ID
			if _, ok := c.refunds[r.RefundID]; ok {
				continue
			}
			p, err := readPayment(ctx, c.service.db, r.Payment, "")
			if err != nil {
				return err
			}
			// It may have been begun there long before it was done.
			there, err := c.ask(ctx, p, func(change Change) bool { return change.Kind == ChangeKind(Refunded) && change.RefundID == r.RefundID })
			if err != nil {
				return err
			}
			if !there {
				c.differ(Difference{
					Kind: MissingThere, Object: "refund", GatewayID: r.RefundID, ID: nameOf(ident.PaymentRefund, r.ID), OrderID: r.OrderID, Here: r.Amount,
					Detail: fmt.Sprintf("%s was refunded here", r.Amount),
				})
			}
		}
	}
}

// ask asks the gateway about one payment that its list does not have where we expect it.
func (c *comparing) ask(ctx context.Context, p Payment, match func(Change) bool) (bool, error) {
	if c.asked++; c.asked > maxAsked {
		return false, nil // so many are missing that one by one makes no sense
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	changes, err := c.gateway.Lookup(call, Query{Key: p.key, Ref: p.Ref, PaymentID: p.PaymentID})
	return slices.ContainsFunc(changes, match), err
}

func (c *comparing) store(ctx context.Context) error {
	kept := c.Differences[:min(len(c.Differences), maxKept)]
	text, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("encode comparison: %w", err)
	}
	return c.service.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO payment_reconciliations (id, gateway, from_at, to_at, payments, refunds, difference_count, differences, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, c.ID, c.Gateway, c.From, c.To, c.Payments, c.Refunds, c.Count, string(text), c.CreatedAt)
		return err
	})
}

// ErrNoComparison says that there is none of that name.
var ErrNoComparison = errors.New("no such comparison")

// Comparisons returns stored comparisons, the newest first; at most 1,000 differences of each are kept.
func (s *Service) Comparisons(ctx context.Context, before int64, limit int) ([]Comparison, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	return s.readComparisons(ctx, "id < ? ORDER BY id DESC LIMIT ?", before, limit)
}

// Comparison is one of them. Errors: ErrNoComparison.
func (s *Service) Comparison(ctx context.Context, id int64) (Comparison, error) {
	list, err := s.readComparisons(ctx, "id = ?", id)
	if err == nil && len(list) == 0 {
		err = ErrNoComparison
	}
	if err != nil {
		return Comparison{}, err
	}
	return list[0], nil
}

func (s *Service) readComparisons(ctx context.Context, rest string, args ...any) ([]Comparison, error) {
	rows, err := s.db.Query(ctx, "SELECT id, gateway, from_at, to_at, payments, refunds, difference_count, differences, created_at FROM payment_reconciliations WHERE "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read comparisons: %w", err)
	}
	defer rows.Close()
	var out []Comparison
	for rows.Next() {
		var c Comparison
		var text string
		if err := rows.Scan(&c.ID, &c.Gateway, &c.From, &c.To, &c.Payments, &c.Refunds, &c.Count, &text, &c.CreatedAt); err != nil {
			return nil, fmt.Errorf("read comparisons: %w", err)
		}
		if err := json.Unmarshal([]byte(text), &c.Differences); err != nil {
			return nil, fmt.Errorf("read comparisons: %w", err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read comparisons: %w", err)
	}
	return out, nil
}
