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
	// MaxDownline is how many affiliates Downline returns at most.
	MaxDownline = 1000
)

// Downline is who came through an affiliate, directly and through others.
type Downline struct {
	Members []Member // by depth, then by age
	More    bool     // there are more than MaxDownline
}

// Member is one affiliate of a downline.
type Member struct {
	Affiliate
	Depth int // 1: the one whose downline it is brought him
}

// Downline returns the downline of an affiliate to a depth.
func (c *Catalog) Downline(ctx context.Context, affiliateID int64, depth int) (Downline, error) {
	var out Downline
	sponsors := []int64{affiliateID}
	for level := 1; level <= min(depth, maxUpline) && len(sponsors) > 0; level++ {
		var next []int64
		for part, args := range db.Chunks(sponsors) {
			list, err := collect(ctx, c.db, scanAffiliate, "downline",
				selectAffiliate+" WHERE sponsor_id IN "+db.In(len(part))+" ORDER BY id LIMIT ?", append(args, MaxDownline+1-len(out.Members))...)
			if err != nil {
				return Downline{}, err
			}
			for _, a := range list {
				if len(out.Members) == MaxDownline {
					out.More = true
					return out, nil
				}
				out.Members = append(out.Members, Member{Affiliate: a, Depth: level})
				next = append(next, a.ID)
			}
		}
		sponsors = next
	}
	return out, nil
}

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
