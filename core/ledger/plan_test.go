package ledger_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/ledger"
)

// However many transactions there are, those about something are read off its index, in order.
func TestTransactionsComeFromAnIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO ledger_transactions (id, kind, reason, conversion_id, commission_id, posted_at)
				WITH RECURSIVE a (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM a WHERE i < 70), b (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM b WHERE i < 70)
				SELECT 100 * a.i + b.i, 'test', '', 100 * a.i, 1000 * a.i + b.i, 1 FROM a, b`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			filter ledger.Filter
			index  string // "": the table itself, from its end
			parts  int
		}{
			{ledger.Filter{}, "", 1},
			{ledger.Filter{ConversionID: 700}, "ledger_transactions_conversion", 1},
			{ledger.Filter{CommissionID: 7007}, "ledger_transactions_commission", 1},
			{ledger.Filter{Commissions: []int64{7007, 7008}, ConversionID: 700}, "ledger_transactions_commission", 2},
			{ledger.Filter{Commissions: []int64{7007, 7008}, CommissionID: 7008}, "ledger_transactions_commission", 1},
			{ledger.Filter{Commissions: []int64{7007}, CommissionID: 7008}, "", 0},
			{ledger.Filter{Commissions: []int64{}}, "", 0},
		} {
			parts, args := c.filter.About()
			if len(parts) != c.parts {
				t.Errorf("%+v: %d parts, want %d", c.filter, len(parts), c.parts)
			}
			for i, part := range parts {
				plan := dbtest.Plan(t, d, "SELECT id FROM ledger_transactions WHERE id >= ? AND id < ?"+part+" ORDER BY id DESC LIMIT ?",
					slices.Concat([]any{0, int64(math.MaxInt64)}, args[i], []any{51})...)
				if strings.Contains(plan, "filesort") || strings.Contains(plan, "TEMP B-TREE") || c.index != "" && !strings.Contains(plan, c.index+" ") {
					t.Errorf("%+v: want index %q without sorting, plan is\n%s", c.filter, c.index, plan)
				}
			}
		}
	})
}
