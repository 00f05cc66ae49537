package ledger_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/test/mariadb"
)

func sealer(d *db.DB) *ledger.Sealer {
	return ledger.NewSealer(ledger.SealerOptions{DB: d, Now: clock})
}

func mustPost(t testing.TB, d *db.DB, l *ledger.Ledger, n int) (ids []int64) {
	t.Helper()
	for i := range n {
		id, err := post(t.Context(), d, l, earned("INR", int64(1000+i), 1, int64(101+i)))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func mustSeal(t testing.TB, s *ledger.Sealer, want ledger.Sealed) {
	t.Helper()
	if got, err := s.Seal(t.Context()); err != nil || got != want {
		t.Fatalf("sealed %+v, want %+v (%v)", got, want, err)
	}
}

func verify(t testing.TB, l *ledger.Ledger) ledger.Report {
	t.Helper()
	r, err := l.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantBreak(t testing.TB, l *ledger.Ledger, check string, id int64) {
	t.Helper()
	r := verify(t, l)
	if r.Break == nil || r.Break.Check != check || r.Break.TransactionID != id {
		t.Errorf("found %+v, want %s of %d", r.Break, check, id)
	}
}

func run(ctx context.Context, d *db.DB, query string, args ...any) error {
	return d.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
}

// The form that is hashed, spelled out by hand as core/DESIGN.md states it.
func TestCanonicalForm(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d)
		id, err := post(t.Context(), d, l, ledger.Transaction{
			Kind: ledger.CommissionEarned, Reason: "naïve\n1:x", ConversionID: 8, CommissionID: 9,
			Entries: ledger.Transfer("JPY", 7, expense, pending(3)),
		})
		if err != nil {
			t.Fatal(err)
		}
		mustSeal(t, sealer(d), ledger.Sealed{Sealed: 1})
		txs, err := l.Transactions(t.Context(), ledger.Filter{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		e := txs[0].Entries
		text := "edgeref-ledger-chain/1\n64:" + strings.Repeat("0", 64) + "\n1\n1772366400000\n0\n" + fmt.Sprint(id) +
			"\n17:commission_earned\n10:naïve\n1:x\n8\n9\n1772366400000\n2\n"
		for _, e := range e {
			text += fmt.Sprintf("%d\n%d\n%d:%s\n3:JPY\n%d\n", e.Account.ID, e.Account.OwnerID, len(e.Account.Kind), e.Account.Kind, e.Minor)
		}
		sum := sha256.Sum256([]byte(text))
		if got := verify(t, l).Head; got.String() != "1:"+hex.EncodeToString(sum[:]) {
			t.Errorf("head %s, want the hash of %q", got, text)
		}
	})
}

func TestSealAndVerify(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, s := open(t, d), sealer(d)
		mustSeal(t, s, ledger.Sealed{})
		mustPost(t, d, l, 3)
		mustSeal(t, s, ledger.Sealed{Sealed: 3})
		first := verify(t, l)
		mustPost(t, d, l, 600) // several batches
		mustSeal(t, s, ledger.Sealed{Sealed: 600})
		mustPost(t, d, l, 2)
		r := verify(t, l)
		if r.Break != nil || r.Sealed != 603 || r.Unsealed != 2 || r.OldestUnsealedAt != now.UnixMilli() || first.Head.Seq != 3 || r.Head.Seq != 603 {
			t.Errorf("first %+v, then %+v", first, r)
		}
		for _, tt := range []struct {
			head ledger.Head
			want string
		}{
			{first.Head, ""}, {r.Head, ""}, {ledger.Head{Hash: strings.Repeat("0", 64)}, ""},
			{ledger.Head{Seq: 3, Hash: r.Head.Hash}, "chain_expected_head"},
			{ledger.Head{Seq: 604, Hash: r.Head.Hash}, "chain_expected_head"},
			{ledger.Head{Hash: r.Head.Hash}, "chain_expected_head"},
		} {
			parsed, err := ledger.ParseHead(tt.head.String())
			if err != nil {
				t.Fatal(err)
			}
			got, err := l.VerifyFrom(t.Context(), parsed)
			if err != nil || (tt.want == "") != (got.Break == nil) || got.Break != nil && got.Break.Check != tt.want {
				t.Errorf("expecting %s: %+v, %v; want %q", tt.head, got.Break, err, tt.want)
			}
		}
	})
}

func FuzzParseHead(f *testing.F) {
	for _, s := range []string{"", "1", "1:", ":", "-1:" + strings.Repeat("a", 64), "7:" + strings.Repeat("A0", 32), "7:" + strings.Repeat("g", 64)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ledger.ParseHead(s)
		if err != nil {
			if !errors.Is(err, ledger.ErrHead) || h != (ledger.Head{}) {
				t.Fatalf("%q: %+v, %v", s, h, err)
			}
			return
		}
		if again, err := ledger.ParseHead(h.String()); err != nil || again != h {
			t.Fatalf("%q: %v is %v, %v", s, h, again, err)
		}
	})
}

// The chain's own tables refuse changes as the ledger's do.
func TestChainAppendOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, s := open(t, d), sealer(d)
		mustPost(t, d, l, 2)
		mustSeal(t, s, ledger.Sealed{Sealed: 2})
		waiting := mustPost(t, d, l, 1)[0]
		replace := "INSERT OR REPLACE"
		if d.Dialect() == db.MySQL {
			replace = "REPLACE"
		}
		for _, query := range []string{
			"UPDATE ledger_chain SET hash = 'x' WHERE seq = 1",
			"DELETE FROM ledger_chain WHERE seq = 2",
			replace + " INTO ledger_chain (seq, transaction_id, sealed_at, late, hash) SELECT 2, transaction_id, 0, 0, 'x' FROM ledger_unsealed",
			"UPDATE ledger_chain_head SET seq = 1",
			"UPDATE ledger_chain_head SET hash = 'x'",
			"DELETE FROM ledger_chain_head",
			replace + " INTO ledger_chain_head (id, seq, hash, newest_at) VALUES (1, 0, 'x', 0)",
			fmt.Sprint("DELETE FROM ledger_unsealed WHERE transaction_id = ", waiting),
		} {
			if err := run(t.Context(), d, query); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: error %v, want a refusal", query, err)
			}
		}
		mustSeal(t, s, ledger.Sealed{Sealed: 1})
		if r := verify(t, l); r.Break != nil || r.Sealed != 3 {
			t.Errorf("report %+v", r)
		}
	})
}

// unprotect removes every trigger of the ledger, as whoever owns the database can.
func unprotect(t *testing.T, d *db.DB) {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'ledger_%'"
	if d.Dialect() == db.MySQL {
		query = "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND event_object_table LIKE 'ledger_%'"
	}
	rows, err := d.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(names) < 12 {
		t.Fatalf("found %d triggers only", len(names))
	}
	for _, name := range names {
		if err := run(t.Context(), d, "DROP TRIGGER "+name); err != nil {
			t.Fatal(err)
		}
	}
}

// tamper runs statements as somebody would who cares for no foreign key.
func tamper(t *testing.T, d *db.DB, queries []string) {
	t.Helper()
	if d.Dialect() == db.MySQL {
		queries = append(append([]string{"SET foreign_key_checks = 0"}, queries...), "SET foreign_key_checks = 1")
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			for _, query := range queries {
				if _, err := tx.Exec(t.Context(), query); err != nil {
					return fmt.Errorf("%s: %w", query, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	var seq, name, path string
	if err := d.QueryRow(t.Context(), "PRAGMA database_list").Scan(&seq, &name, &path); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(0)&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, query := range queries {
		if _, err := raw.ExecContext(t.Context(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
}

// Whoever owns the database can change anything; each change is found and named.
func TestTampering(t *testing.T) {
	// %[n]d are the five transactions in order; the fifth is the newest. All are sealed.
	for _, tt := range []struct {
		name    string
		queries []string
		check   string
		at      int // 0: no transaction
	}{
		{"amount", []string{"UPDATE ledger_entries SET amount_minor = 5 * amount_minor WHERE transaction_id = {3}"}, "chain_hash", 3},
		{"owner", []string{"UPDATE ledger_accounts SET owner_id = 2 WHERE owner_id = 1"}, "chain_hash", 1},
		{"date", []string{"UPDATE ledger_transactions SET posted_at = posted_at + 1 WHERE id = {2}"}, "chain_hash", 2},
		{"reason", []string{"UPDATE ledger_transactions SET reason = 'other' WHERE id = {5}"}, "chain_hash", 5},
		{"entry deleted", []string{"DELETE FROM ledger_entries WHERE transaction_id = {2} AND amount_minor > 0"}, "transaction_entries", 2},
		{"entries deleted", []string{"DELETE FROM ledger_entries WHERE transaction_id = {4}"}, "transaction_entries", 4},
		{"transaction deleted", []string{"DELETE FROM ledger_entries WHERE transaction_id = {2}", "DELETE FROM ledger_transactions WHERE id = {2}"}, "chain_transaction", 2},
		{"transaction and link deleted", []string{"DELETE FROM ledger_entries WHERE transaction_id = {2}",
			"DELETE FROM ledger_chain WHERE transaction_id = {2}", "DELETE FROM ledger_transactions WHERE id = {2}"}, "chain_gap", 3},
		{"two swapped", []string{"UPDATE ledger_chain SET seq = -seq WHERE seq IN (2, 3)", "UPDATE ledger_chain SET seq = 5 + seq WHERE seq < 0"}, "chain_hash", 3},
		{"newest link deleted", []string{"DELETE FROM ledger_chain WHERE seq = 5"}, "chain_head", 0},
		{"newest link deleted, head moved", []string{"DELETE FROM ledger_chain WHERE seq = 5",
			"UPDATE ledger_chain_head SET seq = 4, hash = (SELECT hash FROM ledger_chain WHERE seq = 4)"}, "chain_unaccounted", 5},
		{"newest deleted everywhere but the head", []string{"DELETE FROM ledger_chain WHERE seq = 5", "DELETE FROM ledger_entries WHERE transaction_id = {5}",
			"DELETE FROM ledger_transactions WHERE id = {5}"}, "chain_head", 0},
		{"newest deleted everywhere", []string{"DELETE FROM ledger_chain WHERE seq = 5", "DELETE FROM ledger_entries WHERE transaction_id = {5}",
			"DELETE FROM ledger_transactions WHERE id = {5}", "UPDATE ledger_chain_head SET seq = 4, hash = (SELECT hash FROM ledger_chain WHERE seq = 4)"}, "chain_expected_head", 0},
		{"all deleted", []string{"DELETE FROM ledger_chain", "DELETE FROM ledger_chain_head", "DELETE FROM ledger_entries", "DELETE FROM ledger_transactions"}, "chain_expected_head", 0},
		{"head deleted", []string{"DELETE FROM ledger_chain_head"}, "chain_head", 0},
		{"link moved away", []string{"UPDATE ledger_chain SET seq = -1 WHERE seq = 5",
			"UPDATE ledger_chain_head SET seq = 4, hash = (SELECT hash FROM ledger_chain WHERE seq = 4)"}, "chain_unaccounted", 5},
		{"hash changed", []string{"UPDATE ledger_chain SET hash = 'x' WHERE seq = 4"}, "chain_hash", 4},
		{"queued again", []string{"INSERT INTO ledger_unsealed (transaction_id) VALUES ({2})"}, "chain_waiting", 2},
		{"posted past the triggers", []string{"INSERT INTO ledger_transactions (id, kind, reason, conversion_id, commission_id, posted_at) VALUES (77, 'x', '', 0, 0, 0)",
			"INSERT INTO ledger_entries (transaction_id, account_id, amount_minor) SELECT 77, account_id, amount_minor FROM ledger_entries WHERE transaction_id = {1}"}, "chain_unaccounted", -77},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				l := open(t, d)
				ids := mustPost(t, d, l, 5)
				mustSeal(t, sealer(d), ledger.Sealed{Sealed: 5})
				kept := verify(t, l).Head
				unprotect(t, d)
				replacer := strings.NewReplacer("{1}", fmt.Sprint(ids[0]), "{2}", fmt.Sprint(ids[1]), "{3}", fmt.Sprint(ids[2]), "{4}", fmt.Sprint(ids[3]), "{5}", fmt.Sprint(ids[4]))
				var queries []string
				for _, q := range tt.queries {
					queries = append(queries, replacer.Replace(q))
				}
				tamper(t, d, queries)
				want := int64(-tt.at)
				if tt.at >= 0 {
					want = 0
				}
				if tt.at > 0 {
					want = ids[tt.at-1]
				}
				r, err := l.VerifyFrom(t.Context(), kept)
				if err != nil {
					t.Fatal(err)
				}
				if r.Break == nil || r.Break.Check != tt.check || r.Break.TransactionID != want {
					t.Errorf("found %+v, want %s of %d", r.Break, tt.check, want)
				}
			})
		})
	}
}

// A transaction that is dated long ago is not sealed, and named; an operator can accept it, visibly.
func TestBackdated(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, s := open(t, d), sealer(d)
		mustPost(t, d, l, 2)
		mustSeal(t, s, ledger.Sealed{Sealed: 2})
		at := func(ago time.Duration) *ledger.Ledger {
			then := func() time.Time { return now.Add(-ago) }
			return ledger.New(ledger.Options{DB: d, IDs: newid.New(then), Now: then, Reconcile: agree})
		}
		mustPost(t, d, at(10*time.Minute), 1) // a core whose clock is behind
		mustSeal(t, s, ledger.Sealed{Sealed: 1})
		mustPost(t, d, at(-365*24*time.Hour), 1) // and one far ahead: it must not make all others late
		mustSeal(t, s, ledger.Sealed{Sealed: 1})
		mustPost(t, d, l, 1)
		mustSeal(t, s, ledger.Sealed{Sealed: 1})
		if r := verify(t, l); r.Break != nil {
			t.Fatal(r)
		}
		id := mustPost(t, d, at(10*time.Minute+time.Millisecond), 1)[0]
		mustPost(t, d, l, 1)
		wantBreak(t, l, "chain_backdated", id)
		mustSeal(t, s, ledger.Sealed{Sealed: 1, Refused: 1})
		wantBreak(t, l, "chain_backdated", id)
		if got, err := s.SealLate(t.Context()); err != nil || got != (ledger.Sealed{Sealed: 1, Late: 1}) {
			t.Fatalf("%+v, %v", got, err)
		}
		r := verify(t, l)
		if r.Break != nil || r.AcceptedLate != 1 || !strings.HasSuffix(r.String(), ", 1 accepted late") {
			t.Errorf("%s", r)
		}
		// Nor can its mark be taken away, which would hide that.
		unprotect(t, d)
		if err := run(t.Context(), d, "UPDATE ledger_chain SET late = 0 WHERE late = 1"); err != nil {
			t.Fatal(err)
		}
		wantBreak(t, l, "chain_hash", id)
	})
}

func TestSealerRunsAndMeasures(t *testing.T) {
	d := dbtest.SQLite(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	l, reg := open(t, d), prometheus.NewRegistry()
	later := func() time.Time { return now.Add(90 * time.Second) }
	s := ledger.NewSealer(ledger.SealerOptions{DB: d, Now: later, Registerer: reg, Every: time.Hour})
	measure := func(count, age int) {
		t.Helper()
		err := testutil.GatherAndCompare(reg, strings.NewReader(fmt.Sprintf(`# HELP edgeref_ledger_oldest_unsealed_seconds Age of the oldest ledger transaction that the hash chain does not cover; 0 if it covers all.
# TYPE edgeref_ledger_oldest_unsealed_seconds gauge
edgeref_ledger_oldest_unsealed_seconds %d
# HELP edgeref_ledger_unsealed_transactions Ledger transactions that the hash chain does not cover yet; NaN while the database does not answer.
# TYPE edgeref_ledger_unsealed_transactions gauge
edgeref_ledger_unsealed_transactions %d
`, age, count)), "edgeref_ledger_oldest_unsealed_seconds", "edgeref_ledger_unsealed_transactions")
		if err != nil {
			t.Error(err)
		}
	}
	measure(0, 0)
	mustPost(t, d, l, 2)
	measure(2, 90)
	// Stopped at once, it still seals what was posted.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Run(ctx)
	measure(0, 0)
	if r := verify(t, l); r.Sealed != 2 || r.Break != nil {
		t.Errorf("%+v", r)
	}
}

// What was posted before there was a chain is sealed after the upgrade.
func TestUpgrade(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := open(t, d)
		for _, query := range []string{
			"DROP TRIGGER ledger_transactions_enqueue", "DROP TABLE ledger_unsealed", "DROP TABLE ledger_chain", "DROP TABLE ledger_chain_head",
			"DELETE FROM schema_migrations WHERE version_id BETWEEN 50 AND 59",
		} {
			if err := run(t.Context(), d, query); err != nil {
				t.Fatal(err)
			}
		}
		mustPost(t, d, l, 3)
		if err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, l); r.Break != nil || r.Unsealed != 3 {
			t.Errorf("after the upgrade: %s", r)
		}
		mustSeal(t, sealer(d), ledger.Sealed{Sealed: 3})
		if r := verify(t, l); r.Break != nil || r.Sealed != 3 || r.Unsealed != 0 {
			t.Errorf("after the seal: %s", r)
		}
	})
}

// BenchmarkChain seals and verifies 100,000 transactions. One operation is all of them.
func BenchmarkChain(b *testing.B) {
	const transactions, part = 100_000, 1_000
	for _, kind := range []string{"sqlite", "mysql"} {
		b.Run(kind, func(b *testing.B) {
			var d *db.DB
			if kind == "sqlite" {
				d = dbtest.SQLite(b)
			} else {
				d = dbtest.Open(b, mariadb.Start(b))
				if err := d.Migrate(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			l := open(b, d)
			for range transactions / part {
				err := d.InTx(b.Context(), func(tx *db.Tx) error {
					for i := range part {
						if _, err := l.Post(b.Context(), tx, earned("INR", int64(1+i), int64(1+i%100), 0)); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			started := time.Now()
			mustSeal(b, sealer(d), ledger.Sealed{Sealed: transactions})
			sealing := time.Since(started)
			var before runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			peak, stop, done := uint64(0), make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				ticker := time.NewTicker(5 * time.Millisecond)
				defer ticker.Stop()
				for {
					select {
					case <-stop:
						return
					case <-ticker.C:
						var m runtime.MemStats
						runtime.ReadMemStats(&m)
						peak = max(peak, m.HeapAlloc)
					}
				}
			}()
			b.ResetTimer()
			for range b.N {
				if r := verify(b, l); r.Break != nil || r.Sealed != transactions {
					b.Fatal(r)
				}
			}
			b.StopTimer()
			close(stop)
			<-done
			b.ReportMetric(sealing.Seconds(), "seal-s")
			b.ReportMetric(float64(peak-min(peak, before.HeapAlloc))/(1<<20), "peak-MiB")
		})
	}
}
