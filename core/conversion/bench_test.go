package conversion_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/test/mariadb"
	wire "github.com/edgeref/edgeref/wire/conversion"
)

// BenchmarkBook books attributed sales, each with commission, ledger transaction and fact, from 8 senders at once, while
// the chain is sealed behind them. One operation is one sale.
func BenchmarkBook(b *testing.B) {
	for _, kind := range []string{"sqlite", "mysql"} {
		for _, batch := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/batch=%d", kind, batch), func(b *testing.B) {
				d := openFor(b, kind)
				f := newFixture(b, d)
				all := make([]business, 8)
				for i := range all {
					all[i] = f.business(b)
					if _, err := f.commissions.CreateRule(b.Context(), commission.NewRule{ProgramID: all[i].program, On: wire.Sale, Terms: commission.Terms{PercentBP: 7500}}); err != nil {
						b.Fatal(err)
					}
				}
				ctx, stop := context.WithCancel(b.Context())
				var sealing sync.WaitGroup
				sealing.Go(func() { f.sealer.Run(ctx) })
				b.ResetTimer()
				var next atomic.Int64
				var wg sync.WaitGroup
				for sender := range 8 {
					wg.Go(func() {
						for {
							from := int(next.Add(int64(batch))) - batch
							if from >= b.N {
								return
							}
							events := make([]wire.Event, 0, batch)
							for i := from; i < min(from+batch, b.N); i++ {
								events = append(events, f.sale(all[(sender+i)%8], fmt.Sprint("order-", i), 149_900, "INR"))
							}
							if _, err := f.conversions.Book(b.Context(), events); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sales/s")
				stop()
				sealing.Wait()
				if r := f.verify(b); r.Sealed != int64(b.N) {
					b.Errorf("%d sales, %d sealed", b.N, r.Sealed)
				}
			})
		}
	}
}

func openFor(b *testing.B, kind string) *db.DB {
	if kind == "sqlite" {
		return dbtest.SQLite(b)
	}
	d := dbtest.Open(b, mariadb.Start(b))
	if err := d.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	return d
}
