package catalog_test

import (
	"context"
	"errors"
	"testing"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/link"
)

// Who waits for approval is not active for trackers, whatever he does meanwhile, and is when approved.
func TestApplicationOfAnAffiliate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		var id int64
		admit := func(name string, pending bool) (err error) {
			return w.db.InTx(ctx, func(tx *db.Tx) error {
				id, err = w.Admit(ctx, tx, name, "eve@example.com", 0, pending)
				return err
			})
		}
		if err := admit("Eve", true); err != nil {
			t.Fatal(err)
		}
		status := func() catalog.Status {
			t.Helper()
			a, err := w.Affiliate(context.Background(), id)
			if err != nil {
				t.Fatal(err)
			}
			return a.Status
		}
		if status() != catalog.Pending {
			t.Errorf("status %s", status())
		}
		l := w.link(catalog.Affiliate{ID: id}, w.program(), "eve")
		state := func() link.State {
			t.Helper()
			r, err := w.Lookup(ctx, l.Slug)
			if err != nil {
				t.Fatal(err)
			}
			return r.Link.State
		}
		if state() != link.Disabled {
			t.Error("the link of an affiliate who waits is active")
		}
		pending, suspended, active := catalog.Pending, catalog.Suspended, catalog.Active
		name := "Eva"
		if _, err := w.UpdateAffiliate(ctx, id, catalog.AffiliatePatch{Name: &name}); err != nil || status() != catalog.Pending {
			t.Errorf("renamed: %v, %s", err, status())
		}
		if a, err := w.UpdateAffiliate(ctx, id, catalog.AffiliatePatch{Status: &active}); err != nil || a.Status != catalog.Active || state() != link.Active {
			t.Errorf("approved: %+v, %v, link %s", a, err, state())
		}
		var invalid *catalog.InvalidError
		if _, err := w.UpdateAffiliate(ctx, id, catalog.AffiliatePatch{Status: &pending}); !errors.As(err, &invalid) {
			t.Errorf("made pending: %v", err)
		}
		if err := admit("Refused", true); err != nil {
			t.Fatal(err)
		}
		if _, err := w.UpdateAffiliate(ctx, id, catalog.AffiliatePatch{Status: &suspended}); !errors.As(err, &invalid) || status() != catalog.Pending {
			t.Errorf("refused without a reason: %v, %s", err, status())
		}
		if _, err := w.UpdateAffiliate(ctx, id, catalog.AffiliatePatch{Status: &suspended, Reason: "spam"}); err != nil || status() != catalog.Suspended {
			t.Errorf("refused: %v, %s", err, status())
		}
		if err := admit("Invited", false); err != nil || status() != catalog.Active {
			t.Errorf("invited: %v, %s", err, status())
		}
		sponsor := w.affiliate()
		for named, want := range map[int64]int64{sponsor.ID: sponsor.ID, 12345: 0} {
			err := w.db.InTx(ctx, func(tx *db.Tx) (err error) {
				id, err = w.Admit(ctx, tx, "Sponsored", "s@example.com", named, true)
				return err
			})
			if a, readErr := w.Affiliate(ctx, id); err != nil || readErr != nil || a.SponsorID != want {
				t.Errorf("sponsor %d of one who names %d, %v, %v", a.SponsorID, named, err, readErr)
			}
		}
		if err := admit("", false); !errors.As(err, &invalid) {
			t.Errorf("no name: %v", err)
		}
	})
}
