package ledger_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

func export(t testing.TB, l *ledger.Ledger, opts ledger.ExportOptions) (string, int64) {
	t.Helper()
	var out bytes.Buffer
	n, err := l.Export(t.Context(), &out, opts)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), n
}

// at is a ledger that posts at a time of its own.
func at(d *db.DB, when time.Time) *ledger.Ledger {
	then := func() time.Time { return when }
	return ledger.New(ledger.Options{DB: d, IDs: newid.New(then), Now: then, Reconcile: agree})
}

func TestExport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d)
		first, err := post(t.Context(), d, at(d, now), ledger.Transaction{
			Kind: ledger.CommissionEarned, Reason: "=SUM(A1) \"x\\\"; y\nz", ConversionID: 5, CommissionID: 6, Entries: ledger.Transfer("INR", 149_905, expense, pending(1)),
		})
		if err != nil {
			t.Fatal(err)
		}
		second, err := post(t.Context(), d, at(d, now.Add(24*time.Hour)), ledger.Transaction{
			Kind: ledger.CommissionReversed, Entries: append(ledger.Transfer("JPY", -7, expense, payable(2)),
				ledger.Transfer("KWD", 1_234_567, ledger.Account{Kind: ledger.InFlight, OwnerID: 2}, ledger.Account{Kind: ledger.Paid, OwnerID: 2})...),
		})
		if err != nil {
			t.Fatal(err)
		}
		txs, err := l.Transactions(t.Context(), ledger.Filter{Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		id, aff := func(n int64) string { return ident.Format(ident.LedgerTransaction, n) }, ident.Format(ident.Affiliate, 1)

		table, n := export(t, l, ledger.ExportOptions{Format: ledger.CSV})
		lines, err := csv.NewReader(strings.NewReader(table)).ReadAll()
		if err != nil || n != 2 || len(lines) != 7 {
			t.Fatalf("%d transactions, %d lines, %v", n, len(lines), err)
		}
		for _, line := range lines[1:3] {
			amount, account, owner := "1499.05", "pending", aff
			if line[7] == "commission_expense" {
				amount, account, owner = "-1499.05", "commission_expense", ""
			}
			want := []string{id(first), "2026-03-01T12:00:00.000Z", "commission_earned", "'=SUM(A1) \"x\\\"; y\nz", "cnv_0000000000005", "com_0000000000006", line[6], account, owner, amount, "INR"}
			if fmt.Sprint(line) != fmt.Sprint(want) {
				t.Errorf("line %q, want %q", line, want)
			}
		}
		if lines[3][0] != id(second) || lines[3][6] != ident.Format(ident.LedgerAccount, txs[0].Entries[0].Account.ID) {
			t.Errorf("line %q", lines[3])
		}

		text, _ := export(t, l, ledger.ExportOptions{Format: ledger.Hledger, To: now.Add(time.Millisecond)})
		for _, want := range []string{
			"; Edgeref ledger to 2026-03-01T12:00:00Z. ", "\ncommodity 0.00 INR\n", "\naccount liabilities:affiliates:" + aff + ":pending\n",
			"\n2026-03-01 * (" + id(first) + ") commission_earned | =SUM(A1) \"x\\\"  y z\n    ; posted_at:2026-03-01T12:00:00.000Z\n    ; conversion:cnv_0000000000005\n    ; commission:com_0000000000006\n",
			"    expenses:commissions  1499.05 INR\n", "    liabilities:affiliates:" + aff + ":pending  -1499.05 INR\n", "\n; complete: 1 transactions\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		text, _ = export(t, l, ledger.ExportOptions{Format: ledger.Beancount})
		for _, want := range []string{
			"\n1970-01-01 open Liabilities:Affiliates:Aff-0000000000001:Pending\n",
			"\n2026-03-01 * \"commission_earned\" \"=SUM(A1) \\\"x\\\\\\\"; y z\"\n  id: \"" + id(first) + "\"\n", "  Expenses:Commissions  1499.05 INR\n",
			"  Assets:Paid-out:Aff-0000000000002  -1234.567 KWD\n", "  Expenses:Commissions  -7 JPY\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		for _, tt := range []struct {
			from, to time.Time
			want     int64
		}{
			{now, time.Time{}, 2}, {now.Add(time.Millisecond), time.Time{}, 1}, {time.Time{}, now, 0}, {now, now.Add(24 * time.Hour), 1},
			{now.Add(24 * time.Hour), now.Add(24*time.Hour + time.Millisecond), 1},
		} {
			if _, n := export(t, l, ledger.ExportOptions{Format: ledger.CSV, From: tt.from, To: tt.to}); n != tt.want {
				t.Errorf("from %s to %s: %d, want %d", tt.from, tt.to, n, tt.want)
			}
		}
	})
}

type brokenWriter struct{ left int }

var errFull = errors.New("disk full")

func (w *brokenWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestExportFails(t *testing.T) {
	d := dbtest.SQLite(t)
	l := open(t, d)
	mustPost(t, d, l, 700)
	for _, format := range []ledger.ExportFormat{ledger.CSV, ledger.Hledger, ledger.Beancount} {
		for _, room := range []int{0, 70_000} {
			if _, err := l.Export(t.Context(), &brokenWriter{left: room}, ledger.ExportOptions{Format: format}); !errors.Is(err, errFull) {
				t.Errorf("%s with room for %d: error %v", format, room, err)
			}
		}
	}
	if err := (ledger.ExportOptions{Format: "pdf"}).Valid(); !errors.Is(err, ledger.ErrFormat) {
		t.Errorf("error %v", err)
	}
	if _, err := l.Export(t.Context(), &brokenWriter{}, ledger.ExportOptions{}); !errors.Is(err, ledger.ErrFormat) {
		t.Errorf("error %v", err)
	}
}

// Our own grammar of what is written, for where the tools are not installed.
var (
	hledgerLine   = regexp.MustCompile(`^(|; [^\n]*|decimal-mark \.|commodity 0\.\d* [A-Z]{3}|account [a-z]+(:[A-Za-z0-9_-]+)+|\d{4}-\d\d-\d\d \* \(ltx_[0-9A-Z]{13}\) [^;|]+( \| [^;|]+)?|    ; [a-z_]+:[^ ,]+|    [a-z]+(:[A-Za-z0-9_-]+)+  -?\d+(\.\d+)? [A-Z]{3})$`)
	beancountLine = regexp.MustCompile(`^(|; [^\n]*|option "title" "[^"]*"|1970-01-01 open [A-Z][a-z]+(:[A-Z0-9][A-Za-z0-9-]*)+|\d{4}-\d\d-\d\d \* "([^"\\]|\\["\\])*" "([^"\\]|\\["\\])*"|  [a-z][a-z-]*: "[A-Za-z0-9_:.-]+"|  [A-Z][a-z]+(:[A-Z0-9][A-Za-z0-9-]*)+  -?\d+(\.\d+)? [A-Z]{3})$`)
)

// Whatever stands in the ledger, the export is well-formed text, and the tools read it where they are installed.
func TestExportsAreWellFormed(t *testing.T) {
	d := dbtest.SQLite(t)
	l := open(t, d)
	kinds := []ledger.AccountKind{ledger.Pending, ledger.Payable, ledger.InFlight, ledger.Paid, ledger.Withheld}
	rapid.Check(t, func(rt *rapid.T) {
		a := ledger.Account{Kind: rapid.SampledFrom(kinds).Draw(rt, "kind"), OwnerID: rapid.Int64Range(1, 5).Draw(rt, "owner")}
		reason := rapid.StringN(-1, 60, 200).Draw(rt, "reason")
		_, err := post(t.Context(), d, l, ledger.Transaction{
			Kind:   ledger.TransactionKind(rapid.SampledFrom([]string{"commission_earned", "x", "= y; z | \"q\"\n"}).Draw(rt, "transaction")),
			Reason: reason, CommissionID: rapid.Int64Range(0, 3).Draw(rt, "commission"),
			Entries: ledger.Transfer(rapid.SampledFrom([]string{"INR", "JPY", "KWD"}).Draw(rt, "currency"),
				rapid.Int64Range(1, money.MaxMinor).Draw(rt, "minor"), expense, a),
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
	check := func(format ledger.ExportFormat, line *regexp.Regexp, tool ...string) {
		text, n := export(t, l, ledger.ExportOptions{Format: format})
		if again, _ := export(t, l, ledger.ExportOptions{Format: format}); again != text {
			t.Errorf("%s: a second export differs", format)
		}
		if n < 50 {
			t.Fatalf("only %d transactions", n)
		}
		for i, s := range strings.Split(text, "\n") {
			if !line.MatchString(s) {
				t.Fatalf("%s, line %d: %q", format, i+1, s)
			}
		}
		path, err := exec.LookPath(tool[0])
		if err != nil {
			t.Logf("%s is not installed", tool[0])
			return
		}
		file := filepath.Join(t.TempDir(), string(format))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), path, append(tool[1:], file)...)
		cmd.Env = append(os.Environ(), "LANG=C.UTF-8")
		if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "rror") {
			t.Errorf("%s: %v\n%.2000s", tool[0], err, out)
		}
	}
	check(ledger.Hledger, hledgerLine, "hledger", "check", "--strict", "-f")
	check(ledger.Beancount, beancountLine, "bean-check")
}
