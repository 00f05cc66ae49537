package payout_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/tax"
)

func TestStatements(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	if _, err := f.tax.Create(t.Context(), tax.Example(), nil); err != nil {
		t.Fatal(err)
	}
	a := f.payee()
	if _, err := f.payouts.SetTaxProfile(t.Context(), a.id, "IN", "ABCPK1234L", nil); err != nil {
		t.Fatal(err)
	}
	var last payout.Payout
	for i, minor := range []int64{15_000_00, 10_000_00, 1_000_00} {
		f.payable(a, minor)
		b := f.approved(payout.Selection{Currency: "INR", Executor: payout.Manual})
		last = f.of(b.ID)[0]
		if i == 0 {
			if _, err := f.payouts.StatementOf(t.Context(), last.ID, a.id); !errors.Is(err, payout.ErrState) {
				t.Errorf("of one that was not paid: %v", err)
			}
		}
		if _, err := f.payouts.Settle(t.Context(), last.ID, "=UTR1", nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.payouts.Return(t.Context(), last.ID, "account closed", nil); err != nil {
		t.Fatal(err)
	}
	st, err := f.payouts.StatementFor(t.Context(), a.id, "INR", 2026)
	if err != nil || len(st.Payouts) != 3 || st.Gross != 25_000_00 || st.Tax != 500_00 || st.Net != 24_500_00 || st.TaxID != "AB****4L" {
		t.Errorf("%+v, %v", st, err)
	}
	f.wantBalances(a, "paid 24500.00, payable 1000.00, withheld 500.00")
	table := string(st.CSV())
	if strings.Count(table, "\n") != 4 || !strings.Contains(table, ",10000.00,500.00,194H: 2.00 %,9500.00,INR") || !strings.Contains(table, ",'=UTR1,") {
		t.Errorf("table:\n%s", table)
	}
	pdf, err := st.PDF()
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Fatalf("%d bytes, %v", len(pdf), err)
	}
	if dir := os.Getenv("EDGEREF_TEST_STATEMENTS"); dir != "" { // to look at
		if err := os.WriteFile(dir+"/statement.pdf", pdf, 0o600); err != nil {
			t.Error(err)
		}
	}
	if st, err = f.payouts.StatementFor(t.Context(), a.id, "INR", 2025); err != nil || len(st.Payouts) != 0 {
		t.Errorf("the year before: %+v, %v", st, err)
	}
	if _, err := f.payouts.StatementOf(t.Context(), last.ID, a.id+1); !errors.Is(err, payout.ErrNotFound) {
		t.Errorf("of another: %v", err)
	}
	f.verify()
}
