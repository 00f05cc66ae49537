package commission

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

// Limits of a rehearsal.
const (
	MaxDraft     = 200    // rules
	MaxRehearsed = 20_000 // sales and leads; a rehearsal of more is refused
	rehearsePage = 500
)

// ErrTooMuch says that a rehearsal would look at more than MaxRehearsed sales and leads.
var ErrTooMuch = fmt.Errorf("%w: there are more than %d sales and leads in that time; choose a shorter one", ErrRule, MaxRehearsed)

// Draft is a set of rules to be rehearsed: they alone pay, as if they had always been in force.
type Draft struct {
	ProgramID int64
	Rules     []NewRule      // of the program; their ProgramID is ignored
	From, To  int64          // Unix ms: sales and leads that happened from From until before To
	Terms     *catalog.Terms // instead of the program's; nil: as they are
}

// Rehearsal is what a draft would have paid.
type Rehearsal struct {
	Conversions int64 // that belong to somebody
	Affiliates  []Difference
}

// Difference is what one affiliate earned in one currency, and would have earned. What was refunded since is in neither.
type Difference struct {
	AffiliateID int64
	Currency    string
	Paid        int64 // minor units, by the commissions that count
	Draft       int64 // minor units
}

// Rehearse runs a draft over past sales and leads, in the order in which they were booked, at one moment and without
// writing anything. The attribution stays as it was. Months of tiers and caps begin empty with the time that is rehearsed.
func (s *Service) Rehearse(ctx context.Context, d Draft) (Rehearsal, error) {
	versions, err := d.versions()
	if err != nil {
		return Rehearsal{}, err
	}
	r := rehearsal{draft: &d, versions: versions, volumes: map[volume]*volume{}, sums: map[[2]string]*Difference{}}
	err = s.db.Snapshot(ctx, func(tx *db.Tx) error { return r.run(ctx, tx) })
	if err != nil {
		return Rehearsal{}, err
	}
	out := Rehearsal{Conversions: r.seen}
	for _, difference := range r.sums {
		out.Affiliates = append(out.Affiliates, *difference)
	}
	slices.SortFunc(out.Affiliates, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.AffiliateID, b.AffiliateID), cmp.Compare(a.Currency, b.Currency))
	})
	return out, nil
}

// versions makes rules of the draft, in force for ever; ties are refused as they are when rules are saved.
func (d *Draft) versions() ([]Rule, error) {
	if len(d.Rules) == 0 || len(d.Rules) > MaxDraft {
		return nil, fmt.Errorf("%w: a draft has 1 to %d rules", ErrRule, MaxDraft)
	}
	if d.From >= d.To {
		return nil, fmt.Errorf("%w: the time to rehearse ends before it begins", ErrRule)
	}
	var out []Rule
	for i, n := range d.Rules {
		if err := n.validate(); err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
		r := Rule{ID: int64(i + 1), ProgramID: d.ProgramID, AffiliateID: n.AffiliateID, GroupID: n.GroupID, ProductID: n.ProductID, On: n.On, Version: 1, Terms: n.Terms}
		for _, o := range out {
			if o.AffiliateID == r.AffiliateID && o.GroupID == r.GroupID && o.ProductID == r.ProductID && o.On == r.On {
				return nil, fmt.Errorf("rule %d: %w: rule %d is for the same", i+1, ErrRule, o.ID)
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// rehearsal is one run.
type rehearsal struct {
	draft    *Draft
	versions []Rule
	terms    catalog.Terms
	seen     int64
	volumes  map[volume]*volume // by their key fields
	groups   map[int64]int64    // of affiliates
	sums     map[[2]string]*Difference
}

func (r *rehearsal) run(ctx context.Context, tx *db.Tx) error {
	var stored []byte
	err := tx.QueryRow(ctx, "SELECT terms FROM programs WHERE id = ?", r.draft.ProgramID).Scan(&stored)
	if db.IsNoRows(err) {
		return ErrNoProgram
	}
	if err != nil {
		return fmt.Errorf("read program: %w", err)
	}
	if r.terms, err = catalog.ParseTerms(stored); err != nil {
		return err
	}
	if r.draft.Terms != nil {
		r.terms = *r.draft.Terms
	}
	r.groups = map[int64]int64{}
	after := int64(0)
	for {
		page, err := r.page(ctx, tx, after)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].ConversionID
		for i := range page {
			if r.seen++; r.seen > MaxRehearsed {
				return ErrTooMuch
			}
			if err := r.one(ctx, tx, &page[i]); err != nil {
				return err
			}
		}
	}
}

// page reads sales and leads that belong to somebody, with their lines and customers, in the order of booking.
func (r *rehearsal) page(ctx context.Context, tx *db.Tx, after int64) ([]Source, error) {
	rows, err := tx.Query(ctx, `SELECT c.id, c.affiliate_id, c.type, c.amount_minor, c.currency, c.received_at, k.customer FROM conversions c
		LEFT JOIN conversion_customers k ON k.conversion_id = c.id
		WHERE c.program_id = ? AND c.id > ? AND c.type IN ('sale', 'lead') AND c.state = 'booked' AND c.affiliate_id <> 0 AND c.closed <> 2
		AND c.received_at >= ? AND c.received_at < ? ORDER BY c.id LIMIT ?`, r.draft.ProgramID, after, r.draft.From, r.draft.To, rehearsePage)
	if err != nil {
		return nil, fmt.Errorf("read past sales: %w", err)
	}
	defer rows.Close()
	var out []Source
	for rows.Next() {
		src := Source{ProgramID: r.draft.ProgramID, Terms: r.terms}
		var sum money.Amount
		var customer []byte
		if err := rows.Scan(&src.ConversionID, &src.AffiliateID, &src.On, &sum.Minor, &sum.Currency, &src.At, &customer); err != nil {
			return nil, fmt.Errorf("read past sales: %w", err)
		}
		if src.Customer = string(customer); src.On == conversion.Sale {
			src.Amount = &sum
		}
		out = append(out, src)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read past sales: %w", err)
	}
	return out, errors.Join(rows.Close(), r.readLines(ctx, tx, out))
}

func (r *rehearsal) readLines(ctx context.Context, tx *db.Tx, page []Source) error {
	byID := make(map[int64]*Source, len(page))
	ids := make([]int64, len(page))
	for i := range page {
		ids[i], byID[page[i].ConversionID] = page[i].ConversionID, &page[i]
	}
	for part, args := range db.Chunks(ids) {
		rows, err := tx.Query(ctx, "SELECT conversion_id, line_id, product_id, quantity, net_minor FROM conversion_lines WHERE conversion_id IN "+
			db.In(len(part))+" ORDER BY conversion_id, line_id", args...)
		if err != nil {
			return fmt.Errorf("read lines of past sales: %w", err)
		}
		if err := addLines(rows, byID); err != nil {
			return fmt.Errorf("read lines of past sales: %w", err)
		}
	}
	return nil
}

func addLines(rows *sql.Rows, byID map[int64]*Source) error {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var l Line
		if err := rows.Scan(&id, &l.ID, &l.ProductID, &l.Quantity, &l.Net.Minor); err != nil {
			return err
		}
		l.Net.Currency = byID[id].Amount.Currency
		byID[id].Lines = append(byID[id].Lines, l)
	}
	return rows.Err()
}

// one adds what a sale or lead paid, and what it would have paid.
func (r *rehearsal) one(ctx context.Context, tx *db.Tx, src *Source) error {
	paid, err := read(ctx, tx, "conversion_id = ? AND replaced_at = 0", src.ConversionID)
	if err != nil {
		return fmt.Errorf("read past commissions: %w", err)
	}
	for _, c := range paid {
		r.sum(c.AffiliateID, c.Amount.Currency).Paid += c.Amount.Minor
	}
	group, known := r.groups[src.AffiliateID]
	if !known {
		if err := tx.QueryRow(ctx, "SELECT group_id FROM affiliates WHERE id = ?", src.AffiliateID).Scan(&group); err != nil {
			return fmt.Errorf("read the group of an affiliate: %w", err)
		}
		r.groups[src.AffiliateID] = group
	}
	var versions []Rule
	for _, v := range r.versions {
		if v.On == src.On && (v.AffiliateID == 0 || v.AffiliateID == src.AffiliateID) && (v.GroupID == 0 || v.GroupID == group) {
			versions = append(versions, v)
		}
	}
	awards, _, _, err := calculate(ctx, versions, src, r.lookup(tx, src))
	if err != nil {
		return err
	}
	for _, a := range awards {
		r.sum(a.affiliate, a.explanation.Result.Currency).Draft += a.explanation.Result.Minor
	}
	return nil
}

func (r *rehearsal) sum(affiliate int64, currency string) *Difference {
	key := [2]string{fmt.Sprint(affiliate), currency}
	if r.sums[key] == nil {
		r.sums[key] = &Difference{AffiliateID: affiliate, Currency: currency}
	}
	return r.sums[key]
}

// lookup keeps volumes in memory and reads the rest as a booking does.
func (r *rehearsal) lookup(tx *db.Tx, src *Source) lookup {
	l := bookingLookup(tx, src)
	l.volume = func(_ context.Context, rule int64, month int, currency string) (*volume, error) {
		key := volume{rule: rule, affiliate: src.AffiliateID, month: month, currency: currency}
		if r.volumes[key] == nil {
			fresh := key
			r.volumes[key] = &fresh
		}
		return r.volumes[key], nil
	}
	l.firstSale = func(ctx context.Context, product int64) (int64, bool, error) {
		at, found, err := firstSale(ctx, tx, src, product)
		return at, found && at < src.At, err // sales since are not yet known
	}
	return l
}
