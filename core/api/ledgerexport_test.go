package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

// An export that fails before its first byte is a problem like any other; after that its connection ends early, so
// that nobody takes a part for the whole.
func TestLedgerExportFails(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t), func(s *server) []api.Module { return moneyModules(s, &analytics{}) })
	insert := func(from, to int, entries bool) {
		t.Helper()
		err := s.db.InTx(t.Context(), func(tx *db.Tx) error {
			for id := from; id <= to; id++ {
				queries := []string{fmt.Sprint("INSERT INTO ledger_transactions (id, kind, reason, conversion_id, commission_id, posted_at) VALUES (", id, ", 'x', '", strings.Repeat("y", 100), "', 0, 0, 1)")}
				if entries {
					queries = append(queries, fmt.Sprint("INSERT INTO ledger_entries (transaction_id, account_id, amount_minor) VALUES (", id, ", 1, 5), (", id, ", 2, -5)"))
				}
				for _, query := range queries {
					if _, err := tx.Exec(t.Context(), query); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := s.db.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO ledger_accounts (id, owner_id, kind, currency, created_at) VALUES (1, 7, 'pending', 'INR', 0), (2, 0, 'commission_expense', 'INR', 0)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	insert(2_000, 2_000, false) // which no export can show
	got := s.do("GET", "/api/v1/ledger/export", nil).want(http.StatusInternalServerError, "internal")
	if got.header.Get("Content-Disposition") == `attachment; filename="ledger.csv"` {
		t.Error("a problem offers itself as the export")
	}
	insert(1, 1_500, true)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/v1/ledger/export?format=hledger", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.bearer)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil || len(body) < 64<<10 || strings.Contains(string(body), "; complete") {
		t.Errorf("%d bytes, error %v", len(body), err)
	}
}
