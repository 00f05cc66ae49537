package payment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Errors of applying a change. They stay in this package.
var (
	errUnmatched = errors.New("it is about no payment of ours")
	errEarly     = errors.New("it is about a payment that is not known to be paid yet")
)

// reviewError says that only a person can decide. stray: the payment is paid and must be kept as such.
type reviewError struct {
	reason string
	stray  bool
}

func (e *reviewError) Error() string { return e.reason }

// applied says what became of changes.
type applied struct {
	booked  int    // outcomes told to the shop
	orderID int64  // 0: none of them is about an order of ours
	review  string // why a person has to look; empty: nobody has to
}

// applyAll applies what a gateway said, each change in a transaction of its own, paid before everything else. payment
// is the payment it is known to be about, or 0. It goes on after a change that needs a person, and stops at an error.
func (s *Service) applyAll(ctx context.Context, gateway string, payment int64, changes []Change) (out applied, err error) {
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(rank(a.Kind), rank(b.Kind)) })
	for _, c := range changes {
		booked, orderID, err := s.apply(ctx, gateway, payment, c)
		if orderID != 0 {
			out.orderID = orderID
		}
		if review, ok := errors.AsType[*reviewError](err); ok {
			out.review = review.reason
			continue
		}
		if err != nil {
			return out, err
		}
		if booked {
			out.booked++
		}
	}
	return out, nil
}

func rank(k ChangeKind) int {
	switch k {
	case ChangeKind(Paid):
		return 0
	case ChangeKind(DisputeWon), ChangeKind(DisputeLost):
		return 2
	}
	return 1
}

// apply applies one change. Whatever else happens, it is done once: under the lock of all attempts of its order, with
// the outcome's key as the last word.
func (s *Service) apply(ctx context.Context, gateway string, payment int64, c Change) (booked bool, orderID int64, err error) {
	var p Payment
	var told Kind
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		booked, orderID, told, p = false, 0, "", Payment{}
		id, err := find(ctx, tx, gateway, c)
		if errors.Is(err, errUnmatched) && payment != 0 {
			id, err = payment, nil
		}
		if err != nil {
			return err
		}
		rows, err := lockOrder(ctx, tx, id)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(r Payment) bool { return r.ID == id })
		if i < 0 {
			return errUnmatched
		}
		p, orderID = rows[i], rows[i].OrderID
		if p.Gateway != gateway {
			return &reviewError{reason: "it is about a payment of another gateway"}
		}
		booked, err = s.applyTo(ctx, tx, rows, p, c)
		if told = Kind(c.Kind); c.Kind == Expired {
			told = Failed
		}
		return err
	})
	switch review, ok := errors.AsType[*reviewError](err); {
	case ok && review.stray:
		if strandErr := s.strand(ctx, p, c, review.reason); strandErr != nil {
			return false, orderID, strandErr
		}
	case errors.Is(err, errEarly):
		s.hasten(ctx, p.ID)
	}
	if err != nil {
		return false, orderID, err
	}
	if booked {
		s.metrics.outcomes.WithLabelValues(gateway, string(told)).Inc()
	}
	return booked, orderID, nil
}

// find is the payment that a change is about. The gateway's own names come first: keys travel with things that others
// may have had a hand in.
func find(ctx context.Context, q db.Querier, gateway string, c Change) (int64, error) {
	look := func(query string, args ...any) (int64, error) {
		ids, err := column(ctx, q, query, args...)
		if err != nil {
			return 0, fmt.Errorf("look for payment: %w", err)
		}
		if len(ids) == 0 {
			return 0, nil
		}
		return ids[0], nil
	}
	for _, way := range []struct {
		query string
		arg   string
	}{
		{"SELECT id FROM payments WHERE gateway = ? AND payment_id = ? ORDER BY id LIMIT 1", c.PaymentID},
		{"SELECT id FROM payments WHERE gateway = ? AND ref = ? ORDER BY id LIMIT 1", c.Ref},
		{"SELECT payment FROM payment_refunds WHERE gateway = ? AND refund_id = ?", c.RefundID},
		{"SELECT payment FROM payment_refunds WHERE gateway = ? AND provider_key = ?", c.Key},
		{"SELECT id FROM payments WHERE gateway = ? AND provider_key = ?", c.Key},
	} {
		if way.arg == "" {
			continue
		}
		if id, err := look(way.query, gateway, way.arg); err != nil || id != 0 {
			return id, err
		}
	}
	return 0, errUnmatched
}

// lockOrder locks all attempts to pay the order of a payment, so that it is decided by one at a time which of them
// pays it.
func lockOrder(ctx context.Context, tx *db.Tx, payment int64) ([]Payment, error) {
	var order int64
	err := tx.QueryRow(ctx, "SELECT order_id FROM payments WHERE id = ?", payment).Scan(&order)
	if db.IsNoRows(err) {
		return nil, errUnmatched
	}
	if err != nil {
		return nil, fmt.Errorf("read payment: %w", err)
	}
	return readPayments(ctx, tx, "order_id = ? ORDER BY gateway, live"+tx.Dialect().ForUpdate(), order)
}

func (s *Service) applyTo(ctx context.Context, tx *db.Tx, rows []Payment, p Payment, c Change) (bool, error) {
	switch kind := Kind(c.Kind); kind {
	case Paid:
		return s.applyPaid(ctx, tx, rows, p, c)
	case Failed:
		if p.settled() {
			return false, nil // it was paid by another try
		}
		return s.tell(ctx, tx, p, c, kind, cmp.Or(c.PaymentID, c.Ref, p.key), 0)
	case Kind(Expired):
		return s.applyExpired(ctx, tx, p, c)
	case Refunded, RefundFailed, Kind(RefundPending):
		return s.applyRefund(ctx, tx, p, c)
	case DisputeOpened, DisputeWon, DisputeLost:
		return s.applyDispute(ctx, tx, p, c)
	}
	return false, nil
}

func (s *Service) applyPaid(ctx context.Context, tx *db.Tx, rows []Payment, p Payment, c Change) (bool, error) {
	if c.PaymentID == "" {
		return false, &reviewError{reason: "it names no payment"}
	}
	// One payment is one payment, whichever attempt it is found by.
	for _, other := range rows {
		if other.settled() && other.Gateway == p.Gateway && other.PaymentID == c.PaymentID {
			return false, nil
		}
	}
	if c.Amount != p.Amount {
		return false, &reviewError{reason: fmt.Sprintf("%s was paid where %s was asked for", c.Amount, p.Amount), stray: true}
	}
	for _, other := range rows {
		if other.State == Succeeded {
			return false, &reviewError{reason: "the order was paid before by " + ident.Format(ident.Payment, other.ID), stray: true}
		}
	}
	now := s.now().UnixMilli()
	if _, err := tx.Exec(ctx, `UPDATE payments SET state = 'succeeded', live = id, payment_id = ?, ref = ?, paid_minor = ?, paid_currency = ?, paid_at = ?, reason = '',
		claim = 0, updated_at = ? WHERE id = ?`, c.PaymentID, cmp.Or(p.Ref, c.Ref), c.Amount.Minor, c.Amount.Currency, at(c, now), now, p.ID); err != nil {
		return false, fmt.Errorf("note payment: %w", err)
	}
	return s.tell(ctx, tx, p, c, Paid, c.PaymentID, 0)
}

func at(c Change, now int64) int64 {
	if c.At <= 0 {
		return now
	}
	return c.At
}

func (s *Service) applyExpired(ctx context.Context, tx *db.Tx, p Payment, c Change) (bool, error) {
	if p.settled() || p.State == Ended {
		return false, nil
	}
	if _, err := tx.Exec(ctx, "UPDATE payments SET state = 'failed', live = id, reason = ?, claim = 0, updated_at = ? WHERE id = ?",
		clip(cmp.Or(c.Reason, "expired"), maxReason), s.now().UnixMilli(), p.ID); err != nil {
		return false, fmt.Errorf("end payment: %w", err)
	}
	c.Amount = p.Amount
	return s.tell(ctx, tx, p, c, Failed, p.key, 0)
}

func (s *Service) applyRefund(ctx context.Context, tx *db.Tx, p Payment, c Change) (bool, error) {
	if p.early(c) {
		return false, errEarly
	}
	r, err := s.refundOf(ctx, tx, p, c)
	if err != nil || r.ID == 0 {
		return false, err
	}
	if c.Kind != ChangeKind(RefundFailed) && c.Amount != r.Amount {
		return false, &reviewError{reason: fmt.Sprintf("%s was refunded where %s was asked for", c.Amount, r.Amount)}
	}
	state := map[ChangeKind]RefundState{
		ChangeKind(Refunded): RefundSucceeded, ChangeKind(RefundFailed): RefundEnded, RefundPending: RefundAccepted,
	}[c.Kind]
	// Failed is final, and pending says nothing new of one that is done.
	if r.State == RefundEnded || r.State == state || r.State == RefundSucceeded && state == RefundAccepted {
		return false, nil
	}
	now, done := s.now().UnixMilli(), r.DoneAt
	if state != RefundAccepted {
		done = at(c, now)
	}
	if _, err := tx.Exec(ctx, "UPDATE payment_refunds SET state = ?, refund_id = ?, last_error = ?, done_at = ?, claim = 0, next_at = ?, updated_at = ? WHERE id = ?",
		state, cmp.Or(c.RefundID, r.RefundID), clip(c.Reason, maxReason), done, s.now().Add(firstLook).UnixMilli(), now, r.ID); err != nil {
		return false, fmt.Errorf("note refund: %w", err)
	}
	if state == RefundAccepted || p.State == Stray {
		return false, nil // a stray payment is no order's, and neither is its refund
	}
	c.RefundID, c.Amount = cmp.Or(c.RefundID, r.RefundID), r.Amount
	return s.tell(ctx, tx, p, c, Kind(c.Kind), cmp.Or(c.RefundID, r.key), r.Refund)
}

// refundOf is the row of a refund that a gateway speaks of; one that somebody made there gets its row now. No ID: there
// is nothing to keep.
func (s *Service) refundOf(ctx context.Context, tx *db.Tx, p Payment, c Change) (Refund, error) {
	if c.Key == "" && c.RefundID == "" {
		return Refund{}, &reviewError{reason: "it names no refund"}
	}
	own := p.Gateway + "/" + c.RefundID // the key of refunds that are not ours
	var list []Refund
	var err error
	for _, way := range []struct{ where, arg string }{{"provider_key = ?", c.Key}, {"refund_id = ?", c.RefundID}, {"provider_key = ?", own}} {
		if way.arg == "" {
			continue
		}
		if list, err = readRefunds(ctx, tx, "payment = ? AND "+way.where, p.ID, way.arg); err != nil {
			return Refund{}, err
		}
		if len(list) > 0 {
			return list[0], nil
		}
	}
	if c.RefundID == "" || c.Kind == ChangeKind(RefundFailed) || c.Amount.Minor <= 0 || c.Amount.Currency != p.Paid.Currency {
		return Refund{}, nil
	}
	now := s.now()
	r := Refund{
		ID: s.ids.New(), Payment: p.ID, OrderID: p.OrderID, Gateway: p.Gateway, State: RefundAccepted, Amount: c.Amount, PaymentID: p.PaymentID,
		RefundID: c.RefundID, Reason: "made at the gateway", CreatedAt: now.UnixMilli(), key: own,
	}
	if c.Kind == ChangeKind(Refunded) {
		r.State = RefundCreated // so that the change below is news
	}
	_, err = insertRefund(ctx, tx, &r, now.Add(firstLook).UnixMilli())
	return r, err
}

func (s *Service) applyDispute(ctx context.Context, tx *db.Tx, p Payment, c Change) (bool, error) {
	switch {
	case c.DisputeID == "":
		return false, &reviewError{reason: "it names no dispute"}
	case p.early(c):
		return false, errEarly
	case p.State == Stray:
		return false, &reviewError{reason: "the disputed payment belongs to no order"}
	case c.Amount.Minor <= 0 || c.Amount.Currency != p.Paid.Currency:
		return false, &reviewError{reason: fmt.Sprintf("%s is disputed of a payment in %s", c.Amount, p.Paid.Currency)}
	}
	// The end may be told before the beginning. The shop hears both, in their order.
	booked, err := s.tell(ctx, tx, p, c, DisputeOpened, c.DisputeID, 0)
	if err != nil || c.Kind == ChangeKind(DisputeOpened) {
		return booked, err
	}
	var otherwise bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM payment_outcomes WHERE gateway = ? AND outcome_key = ? AND kind IN (?, ?) AND kind <> ?)",
		p.Gateway, c.DisputeID, DisputeWon, DisputeLost, Kind(c.Kind)).Scan(&otherwise); err != nil {
		return false, fmt.Errorf("look for the end of a dispute: %w", err)
	}
	if otherwise {
		return false, &reviewError{reason: "the dispute ended otherwise before"}
	}
	return s.tell(ctx, tx, p, c, Kind(c.Kind), c.DisputeID, 0)
}

// tell books an outcome, once for its key.
func (s *Service) tell(ctx context.Context, tx *db.Tx, p Payment, c Change, kind Kind, key string, refund int64) (bool, error) {
	now := s.now().UnixMilli()
	o := Outcome{
		OrderID: p.OrderID, Kind: kind, Amount: c.Amount, Gateway: p.Gateway, PaymentID: cmp.Or(c.PaymentID, p.PaymentID), RefundID: c.RefundID, Refund: refund,
		DisputeID: c.DisputeID, Reason: clip(c.Reason, maxReason), At: at(c, now),
	}
	if o.Amount == (money.Amount{}) {
		o.Amount = p.Amount
	}
	fresh, err := tx.TryInsert(ctx, `INSERT INTO payment_outcomes (id, payment, order_id, gateway, kind, outcome_key, amount_minor, currency, at, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, s.ids.New(), p.ID, p.OrderID, p.Gateway, kind, key, o.Amount.Minor, o.Amount.Currency, o.At, now)
	if err != nil {
		return false, fmt.Errorf("note outcome: %w", err)
	}
	if !fresh {
		return false, nil
	}
	if err := s.orders.Settle(ctx, tx, o); err != nil {
		if errors.Is(err, ErrNoOrder) || errors.Is(err, ErrNotPayable) {
			return false, &reviewError{reason: err.Error(), stray: kind == Paid}
		}
		return false, fmt.Errorf("settle %s of order %d: %w", kind, p.OrderID, err)
	}
	return true, nil
}

// strand keeps a payment that came in and that its order cannot use. A second one within an attempt gets a row of its own.
func (s *Service) strand(ctx context.Context, p Payment, c Change, reason string) error {
	now := s.now().UnixMilli()
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		rows, err := lockOrder(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		current := p
		for _, r := range rows {
			if r.settled() && r.Gateway == p.Gateway && r.PaymentID == c.PaymentID {
				return nil
			}
			if r.ID == p.ID {
				current = r
			}
		}
		if !current.settled() {
			_, err := tx.Exec(ctx, `UPDATE payments SET state = 'stray', live = id, payment_id = ?, paid_minor = ?, paid_currency = ?, paid_at = ?, reason = ?, claim = 0, updated_at = ?
				WHERE id = ?`, c.PaymentID, c.Amount.Minor, c.Amount.Currency, at(c, now), clip(reason, maxReason), now, p.ID)
			return err
		}
		own := Payment{
			ID: s.ids.New(), OrderID: p.OrderID, Gateway: p.Gateway, State: Stray, Amount: p.Amount, Ref: p.Ref, PaymentID: c.PaymentID, Paid: c.Amount,
			PaidAt: at(c, now), Reason: clip(reason, maxReason), CreatedAt: now, params: "{}", returnURL: p.returnURL,
		}
		own.key = paymentKey(own.ID)
		_, err = insertPayment(ctx, tx, &own, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep stray payment: %w", err)
	}
	s.metrics.strays.Inc()
	s.log.Warn("a payment came in that its order cannot use; give it back", "gateway", p.Gateway, "order_id", p.OrderID, "reason", reason)
	return nil
}

// hasten has the gateway asked at once about a payment: something that follows it is known, and it is not.
func (s *Service) hasten(ctx context.Context, id int64) {
	now := s.now().UnixMilli()
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE payments SET next_at = ? WHERE id = ? AND claim = 0 AND next_at > ? AND attempts < ? AND state IN ('created', 'unknown', 'open')",
			now, id, now, maxHastened)
		return err
	})
	if err != nil {
		s.log.Warn("asking for a payment early failed; it is asked about later", "error", err)
	}
}
