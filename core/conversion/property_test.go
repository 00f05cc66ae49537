package conversion_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

// terms draws a rule for sales in INR.
func terms(t *rapid.T) commission.Terms {
	if rapid.Bool().Draw(t, "flat") {
		return commission.Terms{Flat: &money.Amount{Minor: rapid.Int64Range(0, 5_000).Draw(t, "flat minor"), Currency: "INR"}}
	}
	return commission.Terms{PercentBP: rapid.Int64Range(0, commission.MaxPercentBP).Draw(t, "bp")}
}

// event draws an event about one of a few transactions: sales, refunds of parts and of all, rejections, leads.
func (f *fixture) anyEvent(t *rapid.T, b business) wire.Event {
	subject := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "subject")
	currency := rapid.SampledFrom([]string{"INR", "INR", "INR", "INR", "JPY"}).Draw(t, "currency")
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return f.event(b, wire.Lead, subject)
	case 1:
		return f.reject(b, rapid.SampledFrom([]string{"x", "y"}).Draw(t, "txn"), subject)
	case 2, 3, 4:
		return f.sale(b, subject, rapid.SampledFrom([]int64{0, 1, 7, 100, 1001, 99_999}).Draw(t, "amount"), currency)
	case 5:
		return f.refund(b, rapid.SampledFrom([]string{"r", "s"}).Draw(t, "txn"), subject, 0, "")
	default:
		return f.refund(b, rapid.SampledFrom([]string{"r", "s", "t", "u", "v"}).Draw(t, "txn"), subject, rapid.Int64Range(1, 700).Draw(t, "part"), currency)
	}
}

// Whatever comes in, in whatever order: the ledger holds, every commission can be recomputed from its explanation, no
// more is taken back than was earned, and analytics knows the same figures.
func TestAnySequence(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		rapid.Check(t, func(rt *rapid.T) {
			b := f.business(t)
			f.rule(t, b, 0, wire.Sale, terms(rt))
			if rapid.Bool().Draw(rt, "leads") {
				f.rule(t, b, b.affiliate, wire.Lead, commission.Terms{Flat: &money.Amount{Minor: 25, Currency: "INR"}})
			}
			for range rapid.IntRange(1, 5).Draw(rt, "rounds") {
				var batch []wire.Event
				for range rapid.IntRange(1, 6).Draw(rt, "events") {
					batch = append(batch, f.anyEvent(rt, b))
				}
				f.book(t, batch...)
				if rapid.IntRange(0, 3).Draw(rt, "release") == 0 {
					f.advance(15 * day)
					if _, err := f.commissions.ReleaseDue(t.Context(), f.now(), 1000); err != nil {
						rt.Fatal(err)
					}
					b.click = f.keys.Mint(f.now(), 1, b.link, b.affiliate)
				}
			}
			f.checkAffiliate(t, rt, b)
		})
		f.verify(t)
	})
}

func (f *fixture) checkAffiliate(t *testing.T, rt *rapid.T, b business) {
	list, err := f.commissions.List(t.Context(), commission.Filter{AffiliateID: b.affiliate, Limit: 100})
	if err != nil {
		rt.Fatal(err)
	}
	left := map[string]int64{}
	for _, c := range list {
		c, err := f.commissions.Get(t.Context(), c.ID)
		if err != nil {
			rt.Fatal(err)
		}
		if again := recompute(rt, c.Explanation); again != c.Amount {
			rt.Fatalf("%s is %s", c.Explanation.Text(), again)
		}
		sum := int64(0)
		for _, r := range c.Reversals {
			if r.Amount.Minor < 0 || r.Explanation.Text() == "" {
				rt.Fatalf("reversal %+v", r)
			}
			sum += r.Amount.Minor
		}
		for _, r := range c.Restorals {
			if r.Amount.Minor < 0 || r.Explanation.Text() == "" {
				rt.Fatalf("restoral %+v", r)
			}
			sum -= r.Amount.Minor
		}
		if sum != c.Reversed || sum > c.Amount.Minor {
			rt.Fatalf("reversals come to %d of %s, reversed is %d", sum, c.Amount, c.Reversed)
		}
		left[c.Amount.Currency] += c.Amount.Minor - sum
	}
	balances, err := f.ledger.Balances(t.Context(), b.affiliate)
	if err != nil {
		rt.Fatal(err)
	}
	owed := map[string]int64{}
	for _, balance := range balances {
		owed[balance.Amount.Currency] += balance.Amount.Minor
	}
	for _, currency := range []string{"INR", "JPY"} {
		if fact := f.facts(t, b.affiliate, currency); owed[currency] != left[currency] || fact.Commission != left[currency] {
			rt.Fatalf("%s: ledger %d, commissions %d, facts %d", currency, owed[currency], left[currency], fact.Commission)
		}
	}
}

// recompute does the arithmetic of an explanation in another way than the product.
func recompute(rt *rapid.T, e commission.Explanation) money.Amount {
	result := recomputeFirst(rt, e)
	for _, r := range e.Reductions {
		if r.Before != result.Minor || r.After > r.Before || r.Total <= r.Limit.Minor {
			rt.Fatalf("reduction %+v of %s", r, result)
		}
		result.Minor = r.After
	}
	return result
}

func recomputeFirst(rt *rapid.T, e commission.Explanation) money.Amount {
	if e.Flat != nil {
		return *e.Flat
	}
	if e.Level > 0 {
		return money.Amount{Minor: (e.ShareOf.Minor*e.PercentBP + 5_000) / 10_000, Currency: e.ShareOf.Currency}
	}
	if e.Base == nil {
		rt.Fatalf("a share of nothing: %+v", e)
	}
	return money.Amount{Minor: (e.Base.Minor*e.PercentBP + 5_000) / 10_000, Currency: e.Base.Currency}
}

// The same events in any order, cut into any batches, some sent twice, give the same balances and figures.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		rapid.Check(t, func(rt *rapid.T) {
			pay, lead := terms(rt), rapid.Bool().Draw(rt, "lead")
			amount := rapid.Int64Range(0, 100_000).Draw(rt, "amount")
			parts := rapid.SliceOfN(rapid.Int64Range(1, max(1, amount)), 0, 5).Draw(rt, "parts")
			rejected := rapid.IntRange(0, 3).Draw(rt, "rejected") == 0
			build := func(b business) []wire.Event {
				events := []wire.Event{f.sale(b, "s", amount, "INR")}
				left := amount
				for i, part := range parts {
					// Together the parts never exceed the sale: then no refund is refused, in any order.
					if part = min(part, left); part > 0 {
						events = append(events, f.refund(b, fmt.Sprint("r", i), "s", part, "INR"))
						left -= part
					}
				}
				if lead {
					events = append(events, f.event(b, wire.Lead, "s"))
				}
				if rejected {
					events = append(events, f.reject(b, "x", "s"))
				}
				return events
			}
			run := func(seed uint64) string {
				b := f.business(t)
				f.rule(t, b, 0, wire.Sale, pay)
				f.rule(t, b, 0, wire.Lead, commission.Terms{Flat: &money.Amount{Minor: 70, Currency: "INR"}})
				events := build(b)
				rng := rand.New(rand.NewPCG(seed, 0))
				if seed != 0 {
					events = append(events, events[rng.IntN(len(events))])
					rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
				}
				for len(events) > 0 {
					n := 1 + rng.IntN(len(events))
					f.book(t, events[:n]...)
					events = events[n:]
				}
				fact := f.facts(t, b.affiliate, "INR")
				fact.Refunds = 0 // a refund that meets a rejection first is refused, and takes nothing
				return fmt.Sprintf("%s %+v", f.balances(t, b.affiliate), fact)
			}
			if first, second := run(0), run(rapid.Uint64Min(1).Draw(rt, "seed")); first != second {
				rt.Fatalf("in order: %s\nshuffled: %s", first, second)
			}
		})
		f.verify(t)
	})
}

// One event from 20 senders at once is booked once.
func TestSameEventAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 5000})
		for round := range 5 {
			e := f.sale(b, fmt.Sprint("s", round), 1000, "INR")
			var mu sync.Mutex
			count := map[wire.Outcome]int{}
			g, ctx := errgroup.WithContext(t.Context())
			for range 20 {
				g.Go(func() error {
					results, err := f.conversions.Book(ctx, []wire.Event{e})
					if err != nil {
						return err
					}
					mu.Lock()
					defer mu.Unlock()
					count[results[0].Outcome]++
					return nil
				})
			}
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			if count[wire.Booked] != 1 || count[wire.Duplicate] != 19 {
				t.Errorf("outcomes %v", count)
			}
		}
		if got := f.balances(t, b.affiliate); got != "pending 25.00 INR; " {
			t.Errorf("balances %q", got)
		}
		f.verify(t)
	})
}

// Eight workers do all there is to do at once, over the same few transactions; what is left is balanced and chained.
func TestStress(t *testing.T) {
	t.Parallel()
	const workers, rounds = 8, 25
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		all := make([]business, 3)
		for i := range all {
			all[i] = f.business(t)
			f.rule(t, all[i], 0, wire.Sale, commission.Terms{PercentBP: 3333})
			f.rule(t, all[i], 0, wire.Lead, commission.Terms{Flat: &money.Amount{Minor: 25, Currency: "INR"}})
		}
		g, ctx := errgroup.WithContext(t.Context())
		for worker := range workers {
			rng := rand.New(rand.NewPCG(uint64(worker), 42))
			g.Go(func() error {
				for range rounds {
					if err := f.disturb(ctx, rng, all); err != nil {
						return err
					}
				}
				return nil
			})
		}
		// Two cores seal meanwhile; the chain must hold at every moment and end with all of it.
		sealCtx, stop := context.WithCancel(t.Context())
		var sealing sync.WaitGroup
		for range 2 {
			sealing.Go(func() { f.sealer.Run(sealCtx) })
		}
		sealing.Go(func() {
			for sealCtx.Err() == nil {
				if r, err := f.ledger.Verify(t.Context()); err != nil || r.Break != nil {
					t.Errorf("meanwhile: %s (%v)", r, err)
					return
				}
			}
		})
		err := g.Wait()
		stop()
		sealing.Wait()
		if err != nil {
			t.Fatal(err)
		}
		r := f.verify(t)
		if r.Reconciled == 0 || r.Transactions == 0 {
			t.Errorf("nothing happened: %+v", r)
		}
		if r.Sealed != r.Transactions || r.Unsealed != 0 {
			t.Errorf("%d of %d transactions sealed, %d wait", r.Sealed, r.Transactions, r.Unsealed)
		}
		t.Log(r)
		var left, facts int64
		for _, b := range all {
			balances, err := f.ledger.Balances(t.Context(), b.affiliate)
			if err != nil {
				t.Fatal(err)
			}
			for _, balance := range balances {
				left += balance.Amount.Minor
			}
			facts += f.facts(t, b.affiliate, "INR").Commission
		}
		if left != facts {
			t.Errorf("ledger owes %d, analytics was told %d", left, facts)
		}
	})
}

// disturb does one random thing.
func (f *fixture) disturb(ctx context.Context, rng *rand.Rand, all []business) error {
	b := all[rng.IntN(len(all))]
	subject := fmt.Sprint("s", rng.IntN(20))
	var events []wire.Event
	for range 1 + rng.IntN(5) {
		switch rng.IntN(8) {
		case 0, 1, 2:
			events = append(events, f.sale(b, subject, 1000, "INR"))
		case 3:
			events = append(events, f.event(b, wire.Lead, subject))
		case 4, 5:
			events = append(events, f.refund(b, fmt.Sprint("r", rng.IntN(40)), subject, 1+rng.Int64N(400), "INR"))
		case 6:
			events = append(events, f.reject(b, fmt.Sprint("x", rng.IntN(40)), subject))
		default:
			_, err := f.commissions.ReleaseDue(ctx, f.now().Add(30*day), 5)
			if err == nil {
				_, err = f.outbox.Publish(ctx)
			}
			return err
		}
		b = all[rng.IntN(len(all))]
	}
	_, err := f.conversions.Book(ctx, events)
	return err
}

// A database that ends in the middle leaves either everything of a booking or nothing.
func TestBookCancelled(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 5000})
		for i := range 16 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*500*time.Microsecond)
			events := make([]wire.Event, 0, 10)
			for n := range 10 {
				events = append(events, f.sale(b, fmt.Sprint(i, " ", n), 1000, "INR"))
			}
			results, err := f.conversions.Book(ctx, events)
			cancel()
			if (err == nil) != (len(results) == len(events)) {
				t.Fatalf("%d results, error %v", len(results), err)
			}
			// The sender knows nothing, so it sends all of them again.
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, db.ErrUnknownOutcome) {
					t.Logf("error %v", err)
				}
				f.book(t, events...)
			}
		}
		r := f.verify(t)
		if r.Reconciled != 160 || f.balances(t, b.affiliate) != "pending 800.00 INR; " {
			t.Errorf("%s: %s", r, f.balances(t, b.affiliate))
		}
	})
}

// An event that the database cannot take fails the call, and keeps back no other event.
func TestOneEventThatCannotBeBooked(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	b := f.business(t)
	f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 5000})
	f.exec(t, `CREATE TRIGGER poison AFTER INSERT ON conversions WHEN NEW.txn_id = 'poison' BEGIN SELECT RAISE(ABORT, 'poison'); END`)
	events := []wire.Event{f.sale(b, "a", 1000, "INR"), f.sale(b, "poison", 1000, "INR"), f.sale(b, "z", 1000, "INR")}
	results, err := f.conversions.Book(t.Context(), events)
	if err == nil || results != nil {
		t.Errorf("results %v, error %v", results, err)
	}
	if got := outcomes(f.book(t, events[0], events[2])); got != "duplicate duplicate" {
		t.Errorf("the others: %s", got)
	}
	if got := f.balances(t, b.affiliate); got != "pending 10.00 INR; " {
		t.Errorf("balances %q", got)
	}
	f.exec(t, "DROP TRIGGER poison")
	if got := outcomes(f.book(t, events...)); got != "duplicate booked duplicate" {
		t.Errorf("after the cause was solved: %s", got)
	}
	f.verify(t)
}

// Neither the events of later transactions of the same call are kept back, nor does it matter how many cannot be booked
// as long as others can.
func TestManyEventsThatCannotBeBooked(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	b := f.business(t)
	f.exec(t, `CREATE TRIGGER poison AFTER INSERT ON conversions WHEN NEW.txn_id LIKE '%poison' BEGIN SELECT RAISE(ABORT, 'poison'); END`)
	var good, all []wire.Event
	for i := range 200 {
		e := f.sale(b, fmt.Sprintf("%03d", i), 1000, "INR")
		good, all = append(good, e), append(all, e)
		if i%20 == 0 {
			all = append(all, f.sale(b, fmt.Sprintf("%03d poison", i), 1000, "INR"))
		}
	}
	if results, err := f.conversions.Book(t.Context(), all); err == nil || results != nil {
		t.Errorf("results %v, error %v", results, err)
	}
	for i, r := range f.book(t, good...) {
		if r.Outcome != wire.Duplicate {
			t.Fatalf("%s was kept back", good[i].TxnID)
		}
	}
}

// A database that takes nothing any more is not asked for each event.
func TestBookGivesUpWhereNothingCanBeBooked(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t))
	b := f.business(t)
	f.exec(t, `CREATE TRIGGER poison AFTER INSERT ON conversions BEGIN SELECT RAISE(ABORT, 'poison'); END`)
	var all []wire.Event
	for i := range 200 {
		all = append(all, f.sale(b, fmt.Sprint(i), 1000, "INR"))
	}
	_, err := f.conversions.Book(t.Context(), all)
	if err == nil || strings.Count(err.Error(), "poison") != 3 {
		t.Errorf("error %v, want that of 3 events", err)
	}
}
