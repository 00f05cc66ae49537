package catalog

import (
	"context"
	"errors"

	"github.com/edgeref/edgeref/core/db"
)

// Limits of sponsorship.
const (
	// maxUpline is how many sponsors stand above an affiliate at most; far more than any rule pays.
	maxUpline = 100
	// MaxLevels is how deep a downline is looked at: as deep as rules can pay.
	MaxLevels = 10
)

// Member is one affiliate of a downline.
type Member struct {
	Affiliate
	Depth       int    // 1: the one whose downline it is brought him
	SponsorName string // of who brought him
}

// DownlineFilter selects members of a downline.
type DownlineFilter struct {
	Level  int   // exactly this one; 0: all to MaxLevels
	Before int64 // with an ID below this one; 0: from the newest
	Limit  int   // at least 1
}

// Downline returns who came through an affiliate, directly and through others, the newest first. The whole downline is
// walked for each page, so a page costs as much as there are people.
func (c *Catalog) Downline(ctx context.Context, affiliateID int64, f DownlineFilter) ([]Member, error) {
	query, args := f.query(affiliateID)
	return collect(ctx, c.db, scanMember, "downline", query, args...)
}

func (f DownlineFilter) query(affiliateID int64) (string, []any) {
	deepest := MaxLevels
	where, args := "id < ?", []any{below(f.Before)}
	if f.Level != 0 {
		deepest = min(f.Level, MaxLevels)
		where, args = where+" AND depth = ?", append(args, f.Level)
	}
	// The bound on depth ends the recursion whatever the table says.
	return `WITH RECURSIVE down (member, depth) AS (
			SELECT id, 1 FROM affiliates WHERE sponsor_id = ?
			UNION ALL SELECT a.id, d.depth + 1 FROM down d JOIN affiliates a ON a.sponsor_id = d.member WHERE d.depth < ?
		) SELECT ` + affiliateColumns + `, depth, (SELECT s.name FROM affiliates s WHERE s.id = affiliates.sponsor_id)
		FROM affiliates JOIN down ON member = id WHERE ` + where + " ORDER BY id DESC LIMIT ?", append(append([]any{affiliateID, deepest}, args...), f.Limit)
}

func scanMember(r row) (m Member, err error) {
	m.Affiliate, err = scanAffiliate(wider{r, []any{&m.Depth, &m.SponsorName}})
	return m, err
}

// wider scans what stands behind the columns of another scan.
type wider struct {
	row
	more []any
}

func (r wider) Scan(into ...any) error { return r.row.Scan(append(into, r.more...)...) }

// checkParties makes sure that sponsor and group exist, and that nobody becomes his own sponsor over others. The caller
// holds the revision, so no other sponsor changes meanwhile.
func (a *Affiliate) checkParties(ctx context.Context, tx *db.Tx) error {
	var c checker
	if a.GroupID != 0 {
		if _, err := readGroup(ctx, tx, a.GroupID); errors.Is(err, ErrNotFound) {
			c.fail("group_id", "does not exist")
		} else if err != nil {
			return err
		}
	}
	sponsor := a.SponsorID
	for above := 0; sponsor != 0; above++ {
		if sponsor == a.ID {
			c.fail("sponsor_id", "would make the affiliate a sponsor of himself")
			break
		}
		if above == maxUpline {
			c.fail("sponsor_id", "has too many sponsors above him")
			break
		}
		up, err := ReadAffiliate(ctx, tx, sponsor)
		if errors.Is(err, ErrNotFound) {
			c.fail("sponsor_id", "does not exist")
			break
		}
		if err != nil {
			return err
		}
		sponsor = up.SponsorID
	}
	return c.err()
}
