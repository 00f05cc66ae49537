package conversion

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// RefundOrder takes from an order in the caller's transaction, which must hold the order's lock, or gives back what a
// dispute took. Done again with the same RefundID and kind, it changes nothing. It fails with ErrNoOrder where the order
// was never booked; where nothing is left to take it is kept as refused, and that is no error. A dispute may be won
// before it is known that it was opened: then it takes nothing.
func (s *Service) RefundOrder(ctx context.Context, tx *db.Tx, r OrderRefund) error {
	id, err := orderConversion(ctx, tx, r.OrderID)
	if err != nil {
		return err
	}
	list, err := read(ctx, tx, "id = ?", id)
	if err != nil || len(list) == 0 {
		return fmt.Errorf("refund order: read its conversion: %w", errors.Join(err, ErrNoOrder))
	}
	programID, subject := list[0].ProgramID, list[0].Subject
	if err := lockSubject(ctx, tx, programID, subject); err != nil {
		return err
	}
	family, err := readFamily(ctx, tx, programID, subject)
	if err != nil {
		return err
	}
	f := orderFamily{sale: member(family, id), all: family}
	switch r.Kind {
	case RefundKindRefund, RefundKindDispute:
		return s.takeOrder(ctx, tx, &r, &f)
	case RefundKindDisputeWon:
		return s.restoreOrder(ctx, tx, &r, &f)
	}
	return fmt.Errorf("%w: unknown kind of refund %.32q", ErrOrder, r.Kind)
}

// orderFamily is the conversion of an order with all that is about it.
type orderFamily struct {
	sale *Conversion
	all  []Conversion
}

func member(list []Conversion, id int64) *Conversion {
	for i := range list {
		if list[i].ID == id {
			return &list[i]
		}
	}
	return nil
}

// key finds the member with a type and transaction id.
func (f *orderFamily) key(kind wire.Type, txnID string) *Conversion {
	for i := range f.all {
		if f.all[i].Type == kind && f.all[i].TxnID == txnID {
			return &f.all[i]
		}
	}
	return nil
}

// won finds what was told of the victory in a dispute.
func (f *orderFamily) won(disputeID string) *Conversion {
	for i := range f.all {
		if f.all[i].Type == Restored && f.all[i].Name == disputeID {
			return &f.all[i]
		}
	}
	return nil
}

func (s *Service) takeOrder(ctx context.Context, tx *db.Tx, r *OrderRefund, f *orderFamily) error {
	if f.key(wire.Refund, r.RefundID) != nil {
		return nil
	}
	b := booking{s: s, tx: tx, now: s.now().UnixMilli(), event: &wire.Event{
		ProgramID: f.sale.ProgramID, Type: wire.Refund, TxnID: r.RefundID, RefTxnID: f.sale.Subject, Name: string(r.Kind), Channel: wire.Shop, ReceivedAt: r.At,
	}}
	if err := b.askFor(ctx, r, f.sale); err != nil {
		return err
	}
	if err := b.event.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrOrder, err)
	}
	result, err := b.book(ctx)
	if err != nil {
		return fmt.Errorf("refund order: %w", err)
	}
	if result.Outcome == wire.Conflict {
		return fmt.Errorf("%w: %s", ErrOrderConflict, result.Detail)
	}
	if won := f.won(r.RefundID); won != nil && won.State == Waiting {
		if err := b.restore(ctx, won, r.RefundID); err != nil {
			return err
		}
	}
	return s.finish(ctx, tx, &b, result.Outcome)
}

// askFor puts into the event how much r takes: never more than is left, so that what a gateway has paid out is always
// booked.
func (b *booking) askFor(ctx context.Context, r *OrderRefund, sale *Conversion) error {
	if len(r.Lines) == 0 && r.Net == nil || sale.rest() == 0 {
		return nil // all that is left
	}
	want := money.Amount{Currency: sale.Amount.Currency}
	if len(r.Lines) == 0 {
		if r.Net.Currency != want.Currency || r.Net.Minor < 0 {
			return fmt.Errorf("%w: a refund of %s, of a sale in %s", ErrOrder, r.Net, want.Currency)
		}
		want.Minor = min(r.Net.Minor, sale.rest())
	} else {
		lines, err := readLines(ctx, b.tx, sale)
		if err != nil {
			return err
		}
		b.takes = make(map[int64]int64, len(r.Lines))
		for _, l := range r.Lines {
			at := lineIndex(lines, l.LineID)
			if at < 0 || l.Net.Currency != want.Currency || l.Net.Minor < 0 {
				return fmt.Errorf("%w: a refund of %s of line %d, which the order does not have in that currency", ErrOrder, l.Net, l.LineID)
			}
			part := min(l.Net.Minor, lines[at].rest()-b.takes[l.LineID])
			b.takes[l.LineID] += part
			want.Minor += part
		}
	}
	if want.Minor == 0 {
		return fmt.Errorf("%w: a refund of nothing", ErrOrder)
	}
	b.event.Amount = &want
	return nil
}

func lineIndex(lines []storedLine, id int64) int {
	for i := range lines {
		if lines[i].LineID == id {
			return i
		}
	}
	return -1
}

// restoreOrder books that a dispute was won.
func (s *Service) restoreOrder(ctx context.Context, tx *db.Tx, r *OrderRefund, f *orderFamily) error {
	if f.key(Restored, r.RefundID) != nil {
		return nil
	}
	if r.DisputeID == "" || len(r.DisputeID) > wire.MaxText || r.RefundID == "" || len(r.RefundID) > wire.MaxText {
		return fmt.Errorf("%w: a dispute that was won needs an id of its own and that of the dispute", ErrOrder)
	}
	b := booking{s: s, tx: tx, now: s.now().UnixMilli()}
	e := wire.Event{ProgramID: f.sale.ProgramID, Type: Restored, TxnID: r.RefundID, RefTxnID: f.sale.Subject, Name: r.DisputeID, Channel: wire.Shop, ReceivedAt: r.At}
	b.event = &e
	c := b.conversion()
	if f.won(r.DisputeID) != nil {
		c.State, c.Reason = Refused, NothingLeft // it was told before, under another id
	} else {
		c.State = Waiting
	}
	claimed, err := insert(ctx, tx, c)
	if err != nil {
		return err
	}
	if !claimed {
		return fmt.Errorf("%w: %s is taken in the program", ErrOrderConflict, r.RefundID)
	}
	if f.key(wire.Refund, r.DisputeID) != nil && c.State == Waiting {
		if err := b.restore(ctx, c, r.DisputeID); err != nil {
			return err
		}
	}
	return s.finish(ctx, tx, &b, wire.Booked)
}

// restore gives back what a dispute took: c, which is stored and waits, is booked.
func (b *booking) restore(ctx context.Context, c *Conversion, disputeID string) error {
	family, err := readFamily(ctx, b.tx, c.ProgramID, c.Subject)
	if err != nil {
		return err
	}
	f := orderFamily{all: family}
	dispute, sale := f.key(wire.Refund, disputeID), f.key(wire.Sale, c.Subject)
	c.State = Booked
	if dispute == nil || sale == nil || dispute.State != Booked || sale.Closed == Rejected {
		c.State, c.Reason = Refused, NothingLeft // it had taken nothing, or the sale was rejected since
		return updateTaking(ctx, b.tx, c)
	}
	if b.terms, err = readTerms(ctx, b.tx, c.ProgramID, 0); err != nil {
		return err
	}
	if b.terms == nil {
		return fmt.Errorf("restore order: program %d is not there", c.ProgramID)
	}
	wasClosed := sale.Closed == RefundedInFull
	back := dispute.refunded()
	sale.addRefunded(-back, sale.Amount.Currency)
	sale.Closed = Open
	lines, err := b.giveLines(ctx, sale, dispute.ID)
	if err != nil {
		return err
	}
	given, err := b.s.commissions.Restore(ctx, b.tx, commission.TakeBack{
		SubjectID: sale.ID, ConversionID: c.ID, Refunded: sale.refunded(), Lines: lines, All: wasClosed, Reason: "dispute won", Terms: b.terms.Terms,
	})
	if err != nil {
		return err
	}
	c.AffiliateID, c.LinkID, c.Attribution = sale.AffiliateID, sale.LinkID, sale.Attribution
	c.Attribution.SubjectID = ident.Format(ident.Conversion, sale.ID)
	c.addRefunded(back, sale.Amount.Currency)
	fact := b.fact(c, sale)
	b.changed(c, sale, &fact, given, 1)
	fact.Refunds, fact.Currency, fact.Revenue = -1, sale.Amount.Currency, back
	b.facts = append(b.facts, fact)
	if err := updateTaken(ctx, b.tx, sale); err != nil {
		return err
	}
	if err := updateTaking(ctx, b.tx, c); err != nil {
		return err
	}
	return b.announce(ctx, c, nil)
}

// giveLines gives back to the lines of sale what a dispute took from each.
func (b *booking) giveLines(ctx context.Context, sale *Conversion, disputeID int64) ([]commission.LineRefund, error) {
	lines, err := readLines(ctx, b.tx, sale)
	if err != nil {
		return nil, err
	}
	taken, err := readTakes(ctx, b.tx, disputeID)
	if err != nil {
		return nil, err
	}
	for i := range lines {
		minor := taken[lines[i].LineID]
		if minor == 0 {
			continue
		}
		lines[i].refunded -= minor
		if err := setRefunded(ctx, b.tx, sale.ID, &lines[i]); err != nil {
			return nil, err
		}
	}
	return lineRefunds(lines), nil
}

// readTakes is what a refund took from each line.
func readTakes(ctx context.Context, q db.Querier, conversionID int64) (map[int64]int64, error) {
	rows, err := q.Query(ctx, "SELECT line_id, minor FROM conversion_takes WHERE conversion_id = ?", conversionID)
	if err != nil {
		return nil, fmt.Errorf("read what a refund took from lines: %w", err)
	}
	defer rows.Close()
	out := map[int64]int64{}
	for rows.Next() {
		var line, minor int64
		if err := rows.Scan(&line, &minor); err != nil {
			return nil, fmt.Errorf("read what a refund took from lines: %w", err)
		}
		out[line] = minor
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read what a refund took from lines: %w", err)
	}
	return out, nil
}
