package payout_test

import (
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/payout"
)

// Who is forgotten is not paid any more; where money went stays in the books, sealed, and everything else is gone.
func TestForgottenAffiliate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		paid, never := f.payee(), f.payee()
		for _, a := range []affiliate{paid, never} {
			if _, err := f.payouts.SetTaxProfile(t.Context(), a.id, "IN", "ABCPK1234L", nil); err != nil {
				t.Fatal(err)
			}
		}
		f.payable(paid, 100_000)
		f.approved(payout.Selection{Currency: "INR", Executor: "bank_file"})
		f.method(paid, "50100123456789") // beside the one that the batch pays to

		records, err := f.payouts.ExportAffiliate(t.Context(), paid.id)
		if err != nil || len(records.Methods) != 2 || len(records.Payouts) != 1 || records.TaxID == "" || !strings.Contains(records.Methods[0].Account, "6789") {
			t.Fatalf("export %+v, %v", records, err)
		}
		if err := d.InTx(t.Context(), func(tx *db.Tx) error {
			for _, a := range []affiliate{paid, never} {
				if err := f.payouts.EraseAffiliate(t.Context(), tx, a.id); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		after, err := f.payouts.ExportAffiliate(t.Context(), paid.id)
		if err != nil || len(after.Payouts) != 1 || after.Payouts[0].Account == "" || after.TaxID == "" {
			t.Errorf("who was paid: %+v, %v", after, err)
		}
		kept := 0
		for _, m := range after.Methods {
			if m.InUse {
				t.Errorf("%+v is in use", m)
			}
			if m.Account != "" {
				kept++
			}
		}
		if kept != 1 {
			t.Errorf("%d accounts are kept, want the one that was paid to", kept)
		}
		gone, err := f.payouts.ExportAffiliate(t.Context(), never.id)
		if err != nil || gone.TaxID != "" || gone.TaxCountry != "" || len(gone.Methods) != 1 || gone.Methods[0].Account != "" {
			t.Errorf("who was never paid: %+v, %v", gone, err)
		}
		if _, err := f.payouts.Reseal(t.Context()); err != nil {
			t.Errorf("seal anew: %v", err)
		}
	})
}
