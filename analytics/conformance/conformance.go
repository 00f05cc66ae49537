// Package conformance is the suite that every analytics store must pass, and the definition, by a deliberately simple
// in-memory Model, of what a report means.
//
// What wire/report leaves open is settled here:
//
//   - A click falls into a report by the time in its ID, a fact by its own Time; both to the millisecond.
//   - Affiliate, program and link of a fact are the fact's own, never those of its click. An id of 0 has the text "";
//     other ids are decimal without leading zeros, and "0" is the text of none.
//   - The other dimensions of a fact are those of the click it names, as soon as the store has that click, whichever of
//     the two came first. A fact without a click, or with a click that the store does not have, has "" in all of them,
//     node and bot included: so the filter bot="" keeps it, and the filter bot!="" does not.
//   - The node of a click is the decimal number in its ID, "0" included.
//   - Texts are bytes: they compare byte by byte, case matters, nothing is trimmed, and they need not be UTF-8.
//   - A filter keeps a row if its text is among the values (Not: if it is not among them). Filters are joined by and; a
//     dimension may occur in several.
//   - Uniques are distinct pairs of UTC day and Visitor among clicks without a bot reason. Visitor 0 is a visitor.
//   - A group exists if at least one click or fact falls into it, a bucket of a group likewise, also when its figures
//     sum to zero. Without GroupBy there is one group with the key "".
//   - The groups shown are the first Limit over the whole span, by OrderBy from high to low, ties by key (as bytes, from
//     low to high). With buckets they have one row for each bucket in which they exist; the rows of a bucket are ordered
//     by the figures of the row. Other sums up the groups that are not shown, whole span, with its own distinct count.
//   - Revenue and Commission order by q.Currency, or else by the first currency in Total.Money; a group without that
//     currency has 0 there. Money lists currencies by code, and leaves out those where both sums are 0.
//   - Hour buckets begin where the wall clock of the zone shows a full hour: an hour that the clock shows twice makes two
//     buckets. Day buckets begin with the first instant of the local date and last 23 to 25 hours. Row.Start is the
//     beginning of the bucket even where From lies inside it.
//   - Clicks are listed by ID, as bytes, from high to low, which is newest first. UserAgent is not stored and comes back
//     empty; everything else comes back as it went in.
//   - A batch is known by its ID alone: what comes later under the same ID is ignored without an error, whatever it
//     holds. Clicks and facts have separate batch IDs. A batch has 0 to 10,000 records. A fact ID counts once, within a
//     batch and across batches.
//   - After AppendClicks or AppendFacts has returned nil, the next Report and Clicks see the batch.
package conformance

import (
	"context"
	"testing"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// MaxBatch is how many records a store must take in one batch.
const MaxBatch = 10_000

// Store is what the suite tests. All methods are safe for concurrent use.
type Store interface {
	// AppendClicks stores the batch once, whole or not at all. It keeps nothing of clicks after it returns.
	AppendClicks(ctx context.Context, batchID string, clicks []click.Record) error
	// AppendFacts stores the batch once, whole or not at all.
	AppendFacts(ctx context.Context, batchID string, facts []report.Fact) error
	// Report answers a query; its error wraps report.ErrQuery where the query is at fault.
	Report(ctx context.Context, q report.Query) (report.Result, error)
	// Clicks lists single clicks; its error wraps report.ErrQuery where the query is at fault.
	Clicks(ctx context.Context, q report.ClickQuery) ([]click.Record, error)
}

// Run runs the suite. open returns a new, empty store that keeps data of any age (the suite's clicks are of 2026) and
// is closed by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s Store)
	}{
		{"Empty", testEmpty},
		{"Figures", testFigures},
		{"Money", testMoney},
		{"Buckets", testBuckets},
		{"TopAndOther", testTopAndOther},
		{"FactsWithoutClick", testFactsWithoutClick},
		{"FactBeforeClick", testFactBeforeClick},
		{"OddTexts", testOddTexts},
		{"BatchTwice", testBatchTwice},
		{"BatchConcurrently", testBatchConcurrently},
		{"FactTwice", testFactTwice},
		{"Canceled", testCanceled},
		{"Views", testViews},
		{"LargeBatch", testLargeBatch},
		{"BadQueries", testBadQueries},
		{"Listing", testListing},
		{"RandomMarch", func(t *testing.T, s Store) { testRandom(t, s, 1, march) }},
		{"RandomNovember", func(t *testing.T, s Store) { testRandom(t, s, 2, november) }},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}
