package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/edgeref/edgeref/core/db"
)

// Status is the status of an affiliate.
type Status string

// Statuses. The links of a suspended affiliate are disabled on the trackers while it lasts.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
	Pending   Status = "pending" // asked to become one, and was not approved yet; as good as suspended
)

// Affiliate is a person or firm that refers buyers. Times are Unix ms.
type Affiliate struct {
	ID        int64
	Name      string
	Email     string
	Status    Status
	SponsorID int64 // the affiliate who brought this one; 0: nobody
	GroupID   int64 // 0: none
	CreatedAt int64
	UpdatedAt int64
}

// NewAffiliate is an affiliate to be made.
type NewAffiliate struct {
	Name, Email        string
	SponsorID, GroupID int64 // 0: none
}

// AffiliatePatch changes the fields that are not nil.
type AffiliatePatch struct {
	Name      *string
	Email     *string
	Status    *Status
	SponsorID *int64 // commissions made from now on follow it
	GroupID   *int64
	Reason    string // of a refusal; who applied reads it
}

func (a *Affiliate) validate() error {
	var c checker
	c.text("name", a.Name, maxName)
	c.email(a.Email)
	oneOf(&c, "status", a.Status, Active, Suspended, Pending)
	return c.err()
}

// CreateAffiliate makes an affiliate without sponsor and group; see AddAffiliate.
func (c *Catalog) CreateAffiliate(ctx context.Context, name, email string, then ...func(*db.Tx, Affiliate) error) (Affiliate, error) {
	return c.AddAffiliate(ctx, NewAffiliate{Name: name, Email: email}, then...)
}

// AddAffiliate makes an affiliate. The error is an *InvalidError if a field is not valid. Functions in then run at the
// end of the transaction.
func (c *Catalog) AddAffiliate(ctx context.Context, in NewAffiliate, then ...func(*db.Tx, Affiliate) error) (Affiliate, error) {
	now := c.now().UnixMilli()
	a := Affiliate{
		ID: c.ids.New(), Name: in.Name, Email: in.Email, Status: Active, SponsorID: in.SponsorID, GroupID: in.GroupID, CreatedAt: now, UpdatedAt: now,
	}
	if err := a.validate(); err != nil {
		return Affiliate{}, err
	}
	// No revision: an affiliate without links is nothing to a tracker.
	err := c.db.InTx(ctx, func(tx *db.Tx) error {
		if err := a.checkParties(ctx, tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO affiliates (id, name, email, status, sponsor_id, group_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			a.ID, a.Name, a.Email, string(a.Status), a.SponsorID, a.GroupID, a.CreatedAt, a.UpdatedAt)
		if err != nil {
			return fmt.Errorf("insert affiliate: %w", err)
		}
		return also(tx, a, then)
	})
	return a, err
}

// UpdateAffiliate changes an affiliate. With its status, all its links change on the trackers. Functions in then run at
// the end of the transaction.
func (c *Catalog) UpdateAffiliate(ctx context.Context, id int64, patch AffiliatePatch, then ...func(tx *db.Tx, before, after Affiliate) error) (a Affiliate, err error) {
	err = c.change(ctx, func(tx *db.Tx, rev *revision) error {
		if a, err = ReadAffiliate(ctx, tx, id); err != nil {
			return err
		}
		before := a
		if patch.Status != nil && *patch.Status == Pending && before.Status != Pending {
			return &InvalidError{Fields: []FieldError{{Field: "status", Reason: "must be active or suspended: only who applies is pending"}}}
		}
		set(&a.Name, patch.Name)
		set(&a.Email, patch.Email)
		set(&a.Status, patch.Status)
		set(&a.SponsorID, patch.SponsorID)
		set(&a.GroupID, patch.GroupID)
		if err := a.validate(); err != nil {
			return err
		}
		if err := a.checkParties(ctx, tx); err != nil {
			return err
		}
		a.UpdatedAt = c.now().UnixMilli()
		_, err := tx.Exec(ctx, "UPDATE affiliates SET name = ?, email = ?, status = ?, sponsor_id = ?, group_id = ?, updated_at = ? WHERE id = ?",
			a.Name, a.Email, a.Status.stored(), a.SponsorID, a.GroupID, a.UpdatedAt, a.ID)
		if err != nil {
			return fmt.Errorf("update affiliate: %w", err)
		}
		if a.Status != before.Status {
			if err := c.decide(ctx, tx, before, a, patch.Reason); err != nil {
				return err
			}
			if err := renumberLinks(ctx, tx, rev, id); err != nil {
				return err
			}
		}
		return alsoChanged(tx, before, a, then)
	})
	return a, err
}

// renumberLinks gives all links of an affiliate new revisions, so that the feed sends them again. The revision is
// locked, so no link can be added meanwhile and be missed.
func renumberLinks(ctx context.Context, tx *db.Tx, rev *revision, affiliateID int64) error {
	ids, err := collect(ctx, tx, scanID, "links",
		"SELECT id FROM links WHERE affiliate_id = ? ORDER BY id", affiliateID)
	if err != nil {
		return err
	}
	for part, in := range db.Chunks(ids) {
		args := make([]any, 0, 3*len(part))
		for _, id := range part {
			args = append(args, id, rev.next())
		}
		_, err := tx.Exec(ctx, "UPDATE links SET rev = CASE id"+strings.Repeat(" WHEN ? THEN ?", len(part))+" END WHERE id IN "+db.In(len(part)),
			append(args, in...)...)
		if err != nil {
			return fmt.Errorf("renumber links: %w", err)
		}
	}
	return nil
}

// Affiliate returns an affiliate, or ErrNotFound.
func (c *Catalog) Affiliate(ctx context.Context, id int64) (Affiliate, error) {
	return ReadAffiliate(ctx, c.db, id)
}

// ReadAffiliate is Affiliate inside or outside of a transaction.
func ReadAffiliate(ctx context.Context, q db.Querier, id int64) (Affiliate, error) {
	a, err := scanAffiliate(q.QueryRow(ctx, selectAffiliate+" WHERE id = ?", id))
	if err != nil {
		return Affiliate{}, notFound("affiliate", err)
	}
	return a, nil
}

// AffiliateFilter selects affiliates; zero fields select all.
type AffiliateFilter struct {
	Email     string // beginning of the address, in any case; of many, db.SearchLimit are looked at
	Name      string // beginning of the name, likewise
	Status    Status
	SponsorID int64
	GroupID   int64
	Since     int64 // with an id of this or above
	Before    int64 // with an id below this one; 0: from the newest
	Limit     int
}

// Affiliates returns affiliates, the newest first.
func (c *Catalog) Affiliates(ctx context.Context, f AffiliateFilter) ([]Affiliate, error) {
	where, args := f.where(c.db.Dialect())
	return collect(ctx, c.db, scanAffiliate, "affiliates", selectAffiliate+" WHERE "+where+" ORDER BY id DESC LIMIT ?", append(args, f.Limit)...)
}

// where lets one filter choose the index: the plus hides the others from SQLite, which knows no statistics.
func (f AffiliateFilter) where(dialect db.Dialect) (string, []any) {
	where, args, hide := "id >= ? AND id < ?", []any{f.Since, below(f.Before)}, ""
	and := func(condition string, values ...any) { where, args = where+" AND "+condition, append(args, values...) }
	if f.Email != "" {
		and(db.PrefixIn("affiliate_emails", "affiliate_id", "email"), db.PrefixArgs(dialect.Lower(f.Email))...)
		hide = "+"
	}
	if f.Name != "" {
		and(db.PrefixIn("affiliates", "id", "name_lower"), db.PrefixArgs(dialect.Lower(f.Name))...)
		hide = "+"
	}
	if f.SponsorID != 0 {
		and(hide+"sponsor_id = ?", f.SponsorID)
		hide = "+"
	}
	if f.GroupID != 0 {
		and(hide+"group_id = ?", f.GroupID)
	}
	switch f.Status {
	case "":
	case Pending:
		and("id IN (SELECT affiliate_id FROM affiliate_applications)")
	default:
		and("status = ? AND NOT EXISTS (SELECT 1 FROM affiliate_applications p WHERE p.affiliate_id = affiliates.id)", string(f.Status))
	}
	return where, args
}

const (
	affiliateColumns = `id, name, email,
	CASE WHEN EXISTS (SELECT 1 FROM affiliate_applications p WHERE p.affiliate_id = affiliates.id) THEN 'pending' ELSE status END,
	sponsor_id, group_id, created_at, updated_at`
	selectAffiliate = "SELECT " + affiliateColumns + " FROM affiliates"
)

func scanAffiliate(r row) (a Affiliate, err error) {
	err = r.Scan(&a.ID, &a.Name, &a.Email, &a.Status, &a.SponsorID, &a.GroupID, &a.CreatedAt, &a.UpdatedAt)
	return a, err
}

func scanID(r row) (id int64, err error) {
	err = r.Scan(&id)
	return id, err
}
