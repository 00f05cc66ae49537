package conversion

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/report"
)

// Errors about assignments, for errors.Is.
var (
	ErrAssign       = errors.New("the conversion cannot be assigned")
	ErrAssignedAlso = errors.New("the conversion belongs to that affiliate already")
)

// MaxNote is the longest reason of an assignment, in bytes.
const MaxNote = 500

// Assignment gives a conversion to another affiliate, or to nobody.
type Assignment struct {
	ConversionID int64
	AffiliateID  int64  // 0: nobody
	By           string // who assigns it, as shown
	Note         string // why
}

// Assign gives a sale or lead to an affiliate: what it earned so far is taken back and counts no more, and it earns anew
// by the rules that were in force when it happened; what was refunded of it since is taken back at once. Its refunds and
// the binding that it made follow. The functions in also run in the same transaction, with the conversion before and
// after.
func (s *Service) Assign(ctx context.Context, a Assignment, also ...func(tx *db.Tx, before, after Conversion) error) (Conversion, error) {
	if a.Note == "" || len(a.Note) > MaxNote {
		return Conversion{}, fmt.Errorf("%w: a reason of 1 to %d bytes is needed", ErrAssign, MaxNote)
	}
	c, err := s.Get(ctx, a.ConversionID)
	if err != nil {
		return Conversion{}, err
	}
	var after Conversion
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := lockSubject(ctx, tx, c.ProgramID, c.Subject); err != nil {
			return err
		}
		family, err := readFamily(ctx, tx, c.ProgramID, c.Subject)
		if err != nil {
			return err
		}
		now := member(family, a.ConversionID)
		if now == nil {
			return ErrNotFound
		}
		before := *now
		b := booking{s: s, tx: tx, now: s.now().UnixMilli(), event: &wire.Event{ProgramID: c.ProgramID}}
		if err := b.assign(ctx, now, family, &a); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, before, *now); err != nil {
				return err
			}
		}
		after = *now
		return s.outbox.Add(ctx, tx, b.facts...)
	})
	return after, err
}

// assignable checks c and the affiliate.
func (b *booking) assignable(ctx context.Context, c *Conversion, a *Assignment) error {
	switch {
	case c.State != Booked || c.takesBack():
		return fmt.Errorf("%w: it is no sale or lead that was booked", ErrAssign)
	case c.Closed == Rejected:
		return fmt.Errorf("%w: it was rejected", ErrAssign)
	case c.AffiliateID == a.AffiliateID:
		return ErrAssignedAlso
	case a.AffiliateID == 0:
		return nil
	}
	d, err := attribution.Confirm(ctx, b.tx, attribution.Decision{AffiliateID: a.AffiliateID})
	if err == nil && d.AffiliateID == 0 {
		err = fmt.Errorf("%w: there is no such affiliate, or he is suspended", ErrAssign)
	}
	return err
}

func (b *booking) assign(ctx context.Context, c *Conversion, family []Conversion, a *Assignment) (err error) {
	if err := b.assignable(ctx, c, a); err != nil {
		return err
	}
	if b.terms, err = readTerms(ctx, b.tx, c.ProgramID, 0); err != nil || b.terms == nil {
		return fmt.Errorf("assign conversion: read its program: %w", errors.Join(err, ErrAssign))
	}
	taken, err := b.s.commissions.Replace(ctx, b.tx, commission.TakeBack{
		SubjectID: c.ID, Reason: "the " + string(c.Type) + " was assigned by hand", Terms: b.terms.Terms,
	})
	if err != nil {
		return err
	}
	away := b.share(c, family, -1)
	b.changed(c, c, &away, taken, -1)
	b.facts = append(b.facts, away)

	c.AffiliateID, c.LinkID, c.Attribution = a.AffiliateID, 0, assigned(c, a)
	customer, err := customerOf(ctx, b.tx, c.ID)
	if err != nil {
		return err
	}
	if b.lines, err = readLines(ctx, b.tx, c); err != nil {
		return err
	}
	to := b.share(c, family, 1)
	if _, err = b.pay(ctx, c, b.source(c, customer), &to); err != nil {
		return err
	}
	if err := b.takeAgain(ctx, c, family, &to); err != nil {
		return err
	}
	b.facts = append(b.facts, to)
	if err := b.writeAssigned(ctx, c, family); err != nil {
		return err
	}
	if customer == "" {
		return nil
	}
	return attribution.Rebind(ctx, b.tx, c.ProgramID, customer, c.ID, a.AffiliateID)
}

// share is a fact of all that c came to, for whom it belongs to at present, without commission.
func (b *booking) share(c *Conversion, family []Conversion, sign int64) report.Fact {
	f := b.fact(c, c)
	if c.Type == wire.Lead {
		f.Leads = sign
		return f
	}
	f.Sales, f.Currency, f.Revenue = sign, c.Amount.Currency, sign*(c.Amount.Minor-c.refunded())
	for i := range family {
		switch m := &family[i]; {
		case m.State != Booked:
		case m.Type == wire.Refund:
			f.Refunds += sign
		case m.Type == Restored:
			f.Refunds -= sign
		}
	}
	return f
}

// assigned explains the assignment; what was decided before stays readable among the candidates.
func assigned(c *Conversion, a *Assignment) attribution.Explanation {
	e := attribution.Explanation{
		Reason: attribution.Unassigned, Source: attribution.ByHand, ReceivedAt: c.ReceivedAt, Assigner: a.By, Note: a.Note,
		Precedence: c.Attribution.Precedence, Model: c.Attribution.Model,
	}
	for _, candidate := range c.Attribution.Candidates {
		if candidate.Source == attribution.ByHand {
			continue // an earlier assignment is in the audit log
		}
		if candidate.Result == attribution.Attributed {
			candidate.Result = attribution.Outranked
		}
		e.Candidates = append(e.Candidates, candidate)
	}
	if a.AffiliateID != 0 {
		e.Reason, e.AffiliateID = attribution.Attributed, ident.Format(ident.Affiliate, a.AffiliateID)
		e.Candidates = append(e.Candidates, attribution.Candidate{Source: attribution.ByHand, AffiliateID: e.AffiliateID, Result: attribution.Attributed})
	}
	return e
}

// takeAgain takes back of the new commissions what was refunded before; the newest refund stands for all of them.
func (b *booking) takeAgain(ctx context.Context, c *Conversion, family []Conversion, fact *report.Fact) error {
	if c.refunded() == 0 && c.Closed == Open {
		return nil
	}
	cause := c
	for i := range family {
		if m := &family[i]; m.State == Booked && (m.Type == wire.Refund || m.Type == wire.Rejected) {
			cause = m
		}
	}
	reversed, err := b.s.commissions.Reverse(ctx, b.tx, commission.TakeBack{
		SubjectID: c.ID, ConversionID: cause.ID, Refunded: c.refunded(), Lines: lineRefunds(b.lines), All: c.Closed != Open,
		Reason: "refunded before it was assigned", Terms: b.terms.Terms,
	})
	if err != nil {
		return err
	}
	b.changed(c, c, fact, reversed, -1)
	return nil
}

// writeAssigned stores to whom c and what is about it belong now.
func (b *booking) writeAssigned(ctx context.Context, c *Conversion, family []Conversion) error {
	if err := updateOwner(ctx, b.tx, c); err != nil {
		return err
	}
	for i := range family {
		m := &family[i]
		if m.State != Booked || !m.takesBack() || m.Attribution.SubjectID != ident.Format(ident.Conversion, c.ID) {
			continue
		}
		m.AffiliateID, m.LinkID, m.Attribution = c.AffiliateID, c.LinkID, c.Attribution
		m.Attribution.SubjectID = ident.Format(ident.Conversion, c.ID)
		if err := updateTaking(ctx, b.tx, m); err != nil {
			return err
		}
	}
	return nil
}
