package conversion

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/webhook"
	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
	"github.com/edgeref/edgeref/wire/report"
)

const (
	// groupSize is how many events share a transaction, and with it the wait for the disk.
	groupSize = 64
	// maxFailures is how many events may fail one after the other before the database is taken to be down, and how many
	// errors a call returns.
	maxFailures = 3
)

// Book books events and returns their outcomes in the same order. An event is booked once however often and in
// however many places at once it is sent; a refund or rejection may come before its sale, and the order of events does
// not matter as long as no refund is refused.
//
// Of two events in one call that have one key and other input, either may be the one that is booked.
//
// An error means that nothing is known about any of the events: send all of them again. What was booked is then a
// Duplicate.
func (s *Service) Book(ctx context.Context, events []wire.Event) ([]wire.Result, error) {
	results := make([]wire.Result, len(events))
	order := make([]int, len(events))
	for i := range order {
		order[i] = i
	}
	// Every transaction locks its subjects in this order, so two of them never wait for each other in a circle.
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(events[a].ProgramID, events[b].ProgramID), strings.Compare(events[a].Subject(), events[b].Subject()))
	})
	var failed failures
	for group := range slices.Chunk(order, groupSize) {
		s.bookGroup(ctx, events, group, results, &failed)
		if failed.inARow >= maxFailures || ctx.Err() != nil {
			break
		}
	}
	if err := errors.Join(append(failed.first, ctx.Err())...); err != nil {
		return nil, fmt.Errorf("book conversions: %w", err)
	}
	for _, r := range results {
		s.events.WithLabelValues(string(r.Outcome)).Inc()
	}
	return results, nil
}

// failures are those of one call of Book.
type failures struct {
	first  []error // at most maxFailures
	inARow int     // events since one was booked
}

func (f *failures) add(e *wire.Event, err error) {
	f.inARow++
	if len(f.first) < maxFailures {
		f.first = append(f.first, fmt.Errorf("%s %.128q of program %d: %w", e.Type, e.TxnID, e.ProgramID, err))
	}
}

// bookGroup books a group in one transaction. Where that fails, it books each event in its own, so that one event
// which the database cannot take does not keep back the others.
func (s *Service) bookGroup(ctx context.Context, events []wire.Event, group []int, results []wire.Result, failed *failures) {
	err := s.bookInTx(ctx, events, group, results)
	if err == nil {
		failed.inARow = 0
		return
	}
	if len(group) > 1 {
		s.log.Warn("booking a group of conversions failed, booking them one by one", "error", err, "events", len(group))
	}
	for i := range group {
		if ctx.Err() != nil || failed.inARow >= maxFailures {
			return
		}
		if len(group) > 1 {
			err = s.bookInTx(ctx, events, group[i:i+1], results)
		}
		if err != nil {
			failed.add(&events[group[i]], err)
		} else {
			failed.inARow = 0
		}
	}
}

func (s *Service) bookInTx(ctx context.Context, events []wire.Event, group []int, results []wire.Result) error {
	var reasons []attribution.Reason
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		reasons = reasons[:0]
		var facts []report.Fact
		for _, i := range group {
			b := booking{s: s, tx: tx, event: &events[i], now: s.now().UnixMilli()}
			result, err := b.book(ctx)
			if err != nil {
				return err
			}
			if err := b.note(ctx, result); err != nil {
				return err
			}
			facts = append(facts, b.facts...)
			results[i] = result
			if b.decided != "" {
				reasons = append(reasons, b.decided)
			}
		}
		return s.outbox.Add(ctx, tx, facts...)
	})
	if err != nil {
		return err
	}
	for _, reason := range reasons {
		s.attributions.WithLabelValues(string(reason)).Inc()
	}
	return nil
}

// note keeps in the audit log who sent what took effect. Trackers act for nobody: what they bring has its own record.
func (b *booking) note(ctx context.Context, result wire.Result) error {
	if _, ok := access.From(ctx); !ok || b.s.audit == nil || result.Outcome != wire.Booked {
		return nil
	}
	c, err := readKey(ctx, b.tx, b.event.ProgramID, b.event.Type, b.event.TxnID)
	if err != nil {
		return err
	}
	return b.s.audit.Record(ctx, b.tx, audit.Entry{Action: "conversion.book", Object: ident.Format(ident.Conversion, c.ID), After: map[string]any{
		"program_id": ident.Format(ident.Program, c.ProgramID), "type": c.Type, "txn_id": c.TxnID, "ref_txn_id": b.event.RefTxnID, "amount": b.event.Amount,
	}})
}

// booking is the work on one event in a transaction.
type booking struct {
	s       *Service
	tx      *db.Tx
	event   *wire.Event
	now     int64 // Unix ms
	facts   []report.Fact
	decided attribution.Reason // "": no attribution was decided
	order   *OrderSale         // nil: the event is not an order of the shop
	lines   []storedLine       // of the order that the event is, or is about
	takes   map[int64]int64    // of a refund by lines: minor units of each; nil: they are split
	terms   *terms             // of the program
}

func (b *booking) book(ctx context.Context) (wire.Result, error) {
	if err := b.event.Validate(); err != nil {
		id, keepErr := b.keep(ctx, err.Error())
		return wire.Result{Outcome: wire.Refused, Detail: err.Error() + "; kept for review as " + id}, keepErr
	}
	if err := lockSubject(ctx, b.tx, b.event.ProgramID, b.event.Subject()); err != nil {
		return wire.Result{}, err
	}
	family, err := readFamily(ctx, b.tx, b.event.ProgramID, b.event.Subject())
	if err != nil {
		return wire.Result{}, err
	}
	for i := range family {
		if family[i].Type == b.event.Type && family[i].TxnID == b.event.TxnID {
			return b.seen(ctx, &family[i])
		}
	}
	c := b.conversion()
	if b.terms, err = readTerms(ctx, b.tx, c.ProgramID, c.ClickID.LinkID()); err != nil {
		return wire.Result{}, err
	}
	var plan []taking
	switch {
	case b.terms == nil:
		c.State, c.Reason = Refused, NoProgram
	case c.takesBack():
		plan = planTakeBack(c, family)
	default:
		if err := b.attribute(ctx, c, b.terms); err != nil {
			return wire.Result{}, err
		}
	}
	claimed, err := insert(ctx, b.tx, c)
	if err != nil {
		return wire.Result{}, err
	}
	if !claimed {
		// The key is taken by a conversion about another subject.
		first, err := readKey(ctx, b.tx, c.ProgramID, c.Type, c.TxnID)
		if err != nil {
			return wire.Result{}, err
		}
		return b.seen(ctx, first)
	}
	if b.order != nil {
		if err := b.storeOrder(ctx, c.ID); err != nil {
			return wire.Result{}, err
		}
	}
	switch {
	case c.State != Booked:
	case c.takesBack():
		err = b.takeBack(ctx, c, plan)
	default:
		err = b.earn(ctx, c, family)
	}
	if err != nil {
		return wire.Result{}, err
	}
	outcome := wire.Booked
	if c.State == Refused {
		outcome = wire.Refused
	}
	if c.State == Refused || c.State == Booked && c.takesBack() {
		err = b.announce(ctx, c, nil) // sales and leads: where they earn
	}
	if err != nil {
		return wire.Result{}, err
	}
	return wire.Result{Outcome: outcome, Detail: c.StateText()}, nil
}

// conversion is the event as it will be stored.
func (b *booking) conversion() *Conversion {
	e := b.event
	hash := e.Hash()
	c := &Conversion{
		ID: b.s.ids.New(), ProgramID: e.ProgramID, Type: e.Type, TxnID: e.TxnID, Subject: e.Subject(), ClickID: e.ClickID, Amount: e.Amount,
		Name: e.Name, Channel: e.Channel, Node: e.Node, ReceivedAt: e.ReceivedAt, BookedAt: b.now, State: Booked, hash: hash[:],
	}
	if c.ReceivedAt <= 0 || c.ReceivedAt > b.now {
		c.ReceivedAt = b.now
	}
	switch e.Channel {
	case wire.Postback, wire.Pixel, wire.Script, wire.API, wire.Shop, wire.Upload:
	default:
		c.Channel = "other" // information only, and not worth refusing a sale for
	}
	return c
}

// seen is the outcome of an event whose key is taken by first.
func (b *booking) seen(ctx context.Context, first *Conversion) (wire.Result, error) {
	hash := b.event.Hash()
	switch {
	case !slices.Equal(first.hash, hash[:]):
		detail := fmt.Sprintf("a %s with this transaction id was received before with other input, as %s", first.Type, ident.Format(ident.Conversion, first.ID))
		id, err := b.keep(ctx, detail)
		return wire.Result{Outcome: wire.Conflict, Detail: detail + "; kept for review as " + id}, err
	case first.State == Refused:
		return wire.Result{Outcome: wire.Refused, Detail: first.StateText()}, nil
	}
	return wire.Result{Outcome: wire.Duplicate, Detail: first.StateText()}, nil
}

// attribute decides whom a sale or lead belongs to, or takes over what was decided at the checkout.
func (b *booking) attribute(ctx context.Context, c *Conversion, terms *terms) error {
	d, err := b.decide(ctx, c, terms)
	if err != nil {
		return err
	}
	c.AffiliateID, c.LinkID, c.Attribution = d.AffiliateID, d.LinkID, d.Explanation
	b.decided = d.Explanation.Reason
	return nil
}

func (b *booking) decide(ctx context.Context, c *Conversion, terms *terms) (attribution.Decision, error) {
	switch {
	case b.order != nil:
		return attribution.Confirm(ctx, b.tx, b.order.Decision)
	case b.event.Customer == "" && b.event.Coupon == "" && terms.policy.Precedence == nil:
		// Nearly all: one click, which was read with the program.
		return attribution.Decide(attribution.Input{
			ClickID: c.ClickID, Verified: !c.ClickID.IsZero() && b.s.keys.Verify(c.ClickID) == nil,
			ProgramID: c.ProgramID, ReceivedAt: b.event.ReceivedAt, Now: b.now, Window: terms.policy.Window, Link: terms.link,
		}), nil
	}
	return b.s.attribution.DecideBy(ctx, b.tx, &terms.policy, attribution.Request{
		ProgramID: c.ProgramID, Touches: []click.ID{c.ClickID}, Coupon: b.event.Coupon, CustomerKey: b.event.Customer, At: b.event.ReceivedAt, Now: b.now,
	})
}

// rememberCustomer keeps who bought, the click that he came with, and to whom that binds him.
func (b *booking) rememberCustomer(ctx context.Context, c *Conversion, terms *terms) error {
	customer := b.event.Customer
	if customer == "" {
		return nil
	}
	_, err := b.tx.Exec(ctx, "INSERT INTO conversion_customers (conversion_id, program_id, customer) VALUES (?, ?, ?)", c.ID, c.ProgramID, customer)
	if err != nil {
		return fmt.Errorf("note the customer of a conversion: %w", err)
	}
	touches := []click.ID{c.ClickID}
	if b.order != nil {
		touches = b.order.Decision.Explanation.Clicks()
	}
	if err := b.s.attribution.Keep(ctx, b.tx, c.ProgramID, customer, touches, b.now); err != nil {
		return err
	}
	if c.AffiliateID == 0 || !terms.policy.Binds(c.Type == wire.Lead) {
		return nil
	}
	return attribution.Bind(ctx, b.tx, &terms.policy, attribution.Bound{
		ProgramID: c.ProgramID, Customer: customer, AffiliateID: c.AffiliateID, LinkID: c.LinkID, ConversionID: c.ID, At: c.ReceivedAt,
	})
}

// earn makes the commissions of a sale or lead, and takes back at once what came in before it.
func (b *booking) earn(ctx context.Context, c *Conversion, family []Conversion) error {
	if err := b.rememberCustomer(ctx, c, b.terms); err != nil {
		return err
	}
	fact := b.fact(c, c)
	if c.Type == wire.Sale {
		fact.Sales, fact.Currency, fact.Revenue = 1, c.Amount.Currency, c.Amount.Minor
	} else {
		fact.Leads = 1
	}
	earned, err := b.pay(ctx, c, b.source(c, b.event.Customer), &fact)
	if err != nil {
		return err
	}
	if c.NoCommission != "" {
		if err := updateNoCommission(ctx, b.tx, c); err != nil {
			return err
		}
	}
	b.facts = append(b.facts, fact)
	var own *commission.Commission
	if len(earned) > 0 {
		own = &earned[0]
	}
	if err := b.announce(ctx, c, own); err != nil {
		return err
	}
	return b.takeBackEarlier(ctx, c, family)
}

// source is what commissions of c are made from.
func (b *booking) source(c *Conversion, customer string) commission.Source {
	src := commission.Source{
		ConversionID: c.ID, ProgramID: c.ProgramID, AffiliateID: c.AffiliateID, LinkID: c.LinkID, On: c.Type, Amount: c.Amount,
		Customer: customer, At: c.ReceivedAt, Hold: b.terms.hold, Terms: b.terms.Terms,
	}
	for _, l := range b.lines {
		src.Lines = append(src.Lines, commission.Line{ID: l.LineID, ProductID: l.ProductID, Quantity: l.Quantity, Net: l.Net})
		if l.HoldDays > 0 {
			days := max(l.HoldDays, src.Terms.HoldDays(0, l.ProductID))
			// The first that names the product counts. A new list: the program's is not ours to change.
			src.Terms.ProductHolds = append([]catalog.ProductHold{{ProductID: l.ProductID, Days: days}}, src.Terms.ProductHolds...)
		}
	}
	return src
}

// pay makes the commissions of c, where it belongs to somebody: the affiliate's own count in fact, those of his sponsors
// in facts of their own.
func (b *booking) pay(ctx context.Context, c *Conversion, src commission.Source, fact *report.Fact) ([]commission.Commission, error) {
	if c.NoCommission = ""; c.AffiliateID == 0 {
		return nil, nil
	}
	earned, none, err := b.s.commissions.Earn(ctx, b.tx, src)
	if err != nil {
		return nil, err
	}
	c.NoCommission = none
	for _, e := range earned {
		if e.Level == 0 {
			fact.Currency, fact.Commission = e.Amount.Currency, fact.Commission+e.Amount.Minor
		} else {
			b.sponsorFact(c, c, e.AffiliateID, e.Amount)
		}
	}
	return earned, nil
}

// sponsorFact says what a sponsor earned, or lost, by a conversion of somebody below him.
func (b *booking) sponsorFact(cause, subject *Conversion, affiliateID int64, amount money.Amount) {
	b.facts = append(b.facts, report.Fact{
		ID: b.s.ids.New(), Time: cause.ReceivedAt, ProgramID: subject.ProgramID, AffiliateID: affiliateID, Currency: amount.Currency, Commission: amount.Minor,
	})
}

// announce tells others that c was booked or refused; earned may be nil.
func (b *booking) announce(ctx context.Context, c *Conversion, earned *commission.Commission) error {
	if b.s.tell == nil {
		return nil
	}
	e := webhook.Event{Name: webhook.ConversionBooked, ProgramID: c.ProgramID, AffiliateID: c.AffiliateID, ConversionID: c.ID}
	if c.State == Refused {
		e.Name = webhook.ConversionRefused
	}
	if earned != nil {
		e.CommissionID, e.Commission = earned.ID, &earned.Amount
	}
	return b.s.tell.Announce(ctx, b.tx, e)
}

// fact is a fact of cause, about whom subject belongs to, without figures yet.
func (b *booking) fact(cause, subject *Conversion) report.Fact {
	f := report.Fact{
		ID: b.s.ids.New(), Time: cause.ReceivedAt, ProgramID: subject.ProgramID, AffiliateID: subject.AffiliateID, LinkID: subject.LinkID,
	}
	if subject.AffiliateID != 0 {
		f.ClickID = subject.decisive()
	}
	return f
}

// terms are what booking needs to know of a program and of the link in a Click ID.
type terms struct {
	catalog.Terms
	policy attribution.Policy
	hold   time.Duration
	link   *attribution.Link // nil: there is no such link
}
