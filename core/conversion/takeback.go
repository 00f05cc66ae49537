package conversion

import (
	"context"

	"github.com/edgeref/edgeref/core/commission"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
	"github.com/edgeref/edgeref/wire/report"
)

// taking is what a refund or rejection takes of one sale or lead.
type taking struct {
	subject *Conversion
	minor   int64   // of the sale's amount; 0 for a lead
	leaves  Closing // the subject in this state
}

// planTakeBack sets the state of a refund or rejection, and returns what it takes of which members of its family. A
// refund is about the sale; a rejection is about everything under that transaction id, lead and sale, whenever it
// comes in.
func planTakeBack(c *Conversion, family []Conversion) []taking {
	var plan []taking
	found := false
	for i := range family {
		subject := &family[i]
		if subject.State != Booked || subject.takesBack() || c.Type == wire.Refund && subject.Type != wire.Sale {
			continue
		}
		found = true
		take, refused := planOne(c, subject)
		if refused == "" {
			plan = append(plan, take)
		} else {
			c.Reason = refused
		}
	}
	switch {
	case !found:
		c.State = Waiting
	case len(plan) == 0:
		c.State = Refused
	default:
		c.State, c.Reason = Booked, ""
	}
	return plan
}

// planOne is what c takes of subject, or the reason why it cannot take anything.
func planOne(c, subject *Conversion) (take taking, refused string) {
	rest := subject.rest()
	take = taking{subject: subject, minor: rest, leaves: RefundedInFull}
	switch {
	case c.Type == wire.Rejected && subject.Closed != Rejected:
		// Also of a sale that was refunded in full: it is no sale any more.
		take.leaves = Rejected
		return take, ""
	case subject.Closed != Open:
		return taking{}, NothingLeft
	case c.Amount == nil:
		return take, ""
	case c.Amount.Currency != subject.Amount.Currency:
		return taking{}, CurrencyMismatch
	case c.Amount.Minor > rest:
		return taking{}, ExceedsSale
	}
	if take.minor = c.Amount.Minor; take.minor < rest {
		take.leaves = Open
	}
	return take, ""
}

// takeBack carries out the plan of c, which is stored already, and updates both sides.
func (b *booking) takeBack(ctx context.Context, c *Conversion, plan []taking) error {
	for _, take := range plan {
		if err := b.take(ctx, c, take); err != nil {
			return err
		}
	}
	return updateTaking(ctx, b.tx, c)
}

func (b *booking) take(ctx context.Context, c *Conversion, take taking) error {
	subject := take.subject
	subject.Closed = take.leaves
	if subject.Amount != nil {
		subject.addRefunded(take.minor, subject.Amount.Currency)
		c.addRefunded(take.minor, subject.Amount.Currency)
	}
	c.AffiliateID, c.LinkID, c.Attribution = subject.AffiliateID, subject.LinkID, subject.Attribution
	c.Attribution.SubjectID = ident.Format(ident.Conversion, subject.ID)

	lines, err := b.takeLines(ctx, c, take)
	if err != nil {
		return err
	}
	reversed, err := b.s.commissions.Reverse(ctx, b.tx, commission.TakeBack{
		SubjectID: subject.ID, ConversionID: c.ID, Refunded: subject.refunded(), Lines: lines, All: take.leaves != Open,
		Reason: c.what() + " of a " + string(subject.Type), Terms: b.terms.Terms,
	})
	if err != nil {
		return err
	}
	fact := b.fact(c, subject)
	switch {
	case c.Type == wire.Refund:
		fact.Refunds = 1
	case subject.Type == wire.Sale:
		fact.Sales = -1
	default:
		fact.Leads = -1
	}
	b.changed(c, subject, &fact, reversed, -1)
	if subject.Amount != nil {
		fact.Currency, fact.Revenue = subject.Amount.Currency, -take.minor
	}
	b.facts = append(b.facts, fact)
	return updateTaken(ctx, b.tx, subject)
}

// changed counts what was taken back (sign -1) or given back of commissions: the affiliate's own in fact, those of his
// sponsors in facts of their own.
func (b *booking) changed(cause, subject *Conversion, fact *report.Fact, list []commission.Change, sign int64) {
	for _, r := range list {
		amount := money.Amount{Minor: sign * r.Amount.Minor, Currency: r.Amount.Currency}
		switch {
		case r.Level == 0:
			fact.Currency, fact.Commission = amount.Currency, fact.Commission+amount.Minor
		case amount.Minor != 0:
			b.sponsorFact(cause, subject, r.AffiliateID, amount)
		}
	}
}

// what a refund is, in plain words.
func (c *Conversion) what() string {
	if c.Type == wire.Refund && c.Name == string(RefundKindDispute) {
		return c.Name
	}
	return string(c.Type)
}

// takeBackEarlier lets refunds and rejections that came in before their sale or lead take of it now, in the order in
// which they came. A rejection that has taken a lead takes the sale of the same transaction too.
func (b *booking) takeBackEarlier(ctx context.Context, subject *Conversion, family []Conversion) error {
	for i := range family {
		c := &family[i]
		waits := c.State == Waiting && c.Type != Restored && (c.Type == wire.Rejected || subject.Type == wire.Sale)
		if !waits && (c.State != Booked || c.Type != wire.Rejected) {
			continue
		}
		take, refused := planOne(c, subject)
		switch {
		case refused == "":
			c.State = Booked
			if err := b.takeBack(ctx, c, []taking{take}); err != nil {
				return err
			}
		case waits:
			c.State, c.Reason = Refused, refused
			if err := updateTaking(ctx, b.tx, c); err != nil {
				return err
			}
		}
		if waits { // otherwise it is booked, and known, for long
			if err := b.announce(ctx, c, nil); err != nil {
				return err
			}
		}
	}
	return nil
}
