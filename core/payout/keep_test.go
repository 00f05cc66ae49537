package payout_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/secret"
)

// Verification names what was changed behind the back of payouts.
func TestReconcileFindsBreaks(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	a := f.payee()
	f.payable(a, 1_000_00)
	b := f.approved(payout.Selection{Currency: "INR", Executor: payout.Manual})
	p := f.of(b.ID)[0]
	if _, err := f.payouts.Settle(t.Context(), p.ID, "cheque", nil); err != nil {
		t.Fatal(err)
	}
	f.verify()
	for _, tt := range []struct{ check, harm, mend string }{
		{"payout_ledger", "UPDATE payouts SET state = 'failed'", "UPDATE payouts SET state = 'paid'"},
		{"payout_ledger", "UPDATE payouts SET gross_minor = 100001, net_minor = 100001", "UPDATE payouts SET gross_minor = 100000, net_minor = 100000"},
		{"payout_items", "UPDATE payout_items SET amount_minor = 1", "UPDATE payout_items SET amount_minor = 100000"},
		{"commission_paid", "UPDATE commissions SET state = 'payable'", "UPDATE commissions SET state = 'paid'"},
	} {
		f.exec(tt.harm)
		if r, err := f.ledger.Verify(t.Context()); err != nil || r.Break == nil || r.Break.Check != tt.check {
			t.Errorf("%s: %s, %v", tt.harm, r, err)
		}
		f.exec(tt.mend)
		f.verify()
	}
	f.exec("DELETE FROM payout_transactions WHERE transaction_id = (SELECT MIN(transaction_id) FROM payout_transactions)")
	if r, err := f.ledger.Verify(t.Context()); err != nil || r.Break == nil || r.Break.Check != "payout_ledger" {
		t.Errorf("a lost link: %s, %v", r, err)
	}
}

// Nothing that is stored shows an account; an exchanged row does not open; and after a rotation the old key is not needed.
func TestAccountsAtRest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		first, second := secret.NewKey("1"), secret.NewKey("2")
		use := func(keys ...string) {
			var err error
			if f.options.Ring, err = secret.NewRing(keys); err != nil {
				t.Fatal(err)
			}
			f.payouts = payout.New(f.options)
		}
		f.exec("DELETE FROM meta WHERE name = 'payout_fingerprint_key'")
		use(first)
		a, other := f.payee(), f.payee()
		if _, err := f.payouts.SetTaxProfile(t.Context(), a.id, "IN", "ABCPK1234L", nil); err != nil {
			t.Fatal(err)
		}
		var sealed string
		if err := d.QueryRow(t.Context(), "SELECT sealed FROM payout_methods WHERE affiliate_id = ? AND slot = 0", a.id).Scan(&sealed); err != nil || strings.Contains(sealed, "HDFC") {
			t.Errorf("sealed %q, %v", sealed, err)
		}
		use(second, first)
		if n, err := f.payouts.Reseal(t.Context()); err != nil || n != 3 {
			t.Errorf("sealed anew: %d, %v", n, err)
		}
		if n, err := f.payouts.Reseal(t.Context()); err != nil || n != 0 {
			t.Errorf("once more: %d, %v", n, err)
		}
		use(second)
		f.payable(a, 1_000_00)
		f.approved(payout.Selection{Currency: "INR", Executor: "bank"})
		f.work()
		if f.bank.count() != 1 {
			t.Errorf("%d transfers after the rotation", f.bank.count())
		}
		// The fingerprint of the same account is still the same.
		f.method(a, "555555555555")
		f.method(other, "555555555555")
		list, err := f.payouts.Methods(t.Context(), payout.MethodFilter{AffiliateID: a.id, InUse: true, Limit: 1})
		if err != nil || len(list) != 1 || !list[0].Shared {
			t.Errorf("%+v, %v", list, err)
		}
		// Somebody with the database puts his own account into another's row.
		f.exec("UPDATE payout_methods SET frozen_until = 0, shared_ok = 1")
		f.exec("UPDATE payout_methods SET sealed = ? WHERE affiliate_id = ? AND slot = 0", sealed, other.id)
		f.payable(other, 1_000_00)
		f.approved(payout.Selection{Currency: "INR", Executor: "bank"})
		if _, err := f.payouts.Work(t.Context()); err == nil || f.bank.count() != 1 {
			t.Errorf("an exchanged account was used: %v", err)
		}
	})
}

// The bank file has the form that the documentation states.
func TestBankFile(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	one, moved := f.payee(), f.payee()
	f.sale(one, 1_000_01)
	f.sale(moved, 1_000_00)
	f.release()
	b := f.approved(payout.Selection{Currency: "INR", Executor: payout.BankFile})
	f.method(moved, "123123123123")
	file, err := f.payouts.BankFile(f.person(1), b.ID, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(file.Content))
	rows, err := r.ReadAll()
	if err != nil || len(rows) != 3 || rows[0][1] != "edgeref-payouts/1" || rows[1][6] != "1000.01" || file.Rows != 1 {
		t.Fatalf("%v, %v", rows, err)
	}
	before := file.Content[:bytes.Index(file.Content, []byte("\r\nT,"))+2]
	sum := sha256.Sum256(before)
	if rows[2][0] != "T" || rows[2][1] != "1" || rows[2][2] != "1000.01" || rows[2][4] != hex.EncodeToString(sum[:]) {
		t.Errorf("totals %v, checksum %x", rows[2], sum)
	}
	f.wantBalances(one, "in_flight 1000.01")
	f.wantBalances(moved, "payable 1000.00") // its account was changed after the approval
	f.verify()
}
