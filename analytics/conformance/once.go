package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

func isQueryError(err error) bool { return errors.Is(err, report.ErrQuery) }

func wholeSpan() report.Query {
	return report.Query{From: march(), To: march().AddDate(0, 0, spanDays+1), Zone: time.UTC, GroupBy: report.Link}
}

// testBatchTwice: a batch counts once under its ID, whatever comes under it later, and two batches count twice.
func testBatchTwice(t *testing.T, s Store) {
	g, model := NewGenerator(t, 4, march()), new(Model)
	clicks := g.Clicks(300)
	facts := g.Facts(clicks, 60)
	for _, into := range []Store{model, s} {
		fill(t, into, "same id for both kinds", clicks[:100], facts[:20])
		fill(t, into, "same id for both kinds", clicks[:100], facts[:20])
		fill(t, into, "same id for both kinds", clicks[50:200], facts[10:40]) // other boundaries
		fill(t, into, "second", clicks[100:200], facts[20:40])
		fill(t, into, "same id for both kinds", clicks[200:], facts[40:])
		fill(t, into, "Second", clicks[200:201], nil) // IDs are case-sensitive
	}
	if got := checkReport(t, model, s, wholeSpan()).Total.Clicks; got != 201 {
		t.Fatalf("%d clicks; want 201", got)
	}
	checkClicks(t, model, s, report.ClickQuery{From: march(), To: march().AddDate(0, 0, spanDays), Limit: report.MaxLimit})
}

// testBatchConcurrently: eight senders of the same batches; each is stored once, and nobody gets an error.
func testBatchConcurrently(t *testing.T, s Store) {
	const senders, batches, size = 8, 5, 100
	g, model := NewGenerator(t, 5, march()), new(Model)
	clicks := g.Clicks(batches * size)
	facts := g.Facts(clicks, batches*10)
	for i := range batches {
		fill(t, model, fmt.Sprint(i), clicks[i*size:(i+1)*size], facts[i*10:(i+1)*10])
	}
	var wg sync.WaitGroup
	for sender := range senders {
		wg.Go(func() {
			for n := range batches {
				i := (n + sender) % batches
				if err := s.AppendClicks(t.Context(), fmt.Sprint(i), clicks[i*size:(i+1)*size]); err != nil {
					t.Errorf("sender %d, clicks %d: %v", sender, i, err)
				}
				if err := s.AppendFacts(t.Context(), fmt.Sprint(i), facts[i*10:(i+1)*10]); err != nil {
					t.Errorf("sender %d, facts %d: %v", sender, i, err)
				}
				if _, err := s.Report(t.Context(), wholeSpan()); err != nil {
					t.Errorf("sender %d, report: %v", sender, err)
				}
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	checkReport(t, model, s, wholeSpan())
	checkClicks(t, model, s, report.ClickQuery{From: march(), To: march().AddDate(0, 0, spanDays), Limit: report.MaxLimit})
}

// testFactTwice: a fact counts once, within a batch and across batches.
func testFactTwice(t *testing.T, s Store) {
	g, model := NewGenerator(t, 6, march()), new(Model)
	clicks := g.Clicks(50)
	facts := g.Facts(clicks, 30)
	for _, into := range []Store{model, s} {
		fill(t, into, "1", clicks, append(facts[:20:20], facts[0], facts[19]))
		fill(t, into, "2", nil, facts[:20])
		fill(t, into, "3", nil, facts[10:])
	}
	checkReport(t, model, s, wholeSpan())
}

// testFactBeforeClick: a fact gets the properties of its click once the click is there.
func testFactBeforeClick(t *testing.T, s Store) {
	g, model := NewGenerator(t, 7, march()), new(Model)
	clicks := g.Clicks(200)
	for i := range clicks {
		clicks[i].Country = "NP"
	}
	facts := g.Facts(clicks, 100)
	q := wholeSpan()
	q.Filters = []report.Filter{{Dimension: report.Country, Values: []string{"NP"}}}
	q.GroupBy = report.ReferrerHost
	for _, into := range []Store{model, s} {
		fill(t, into, "facts", nil, facts)
	}
	if got := checkReport(t, model, s, q); len(got.Rows) != 0 {
		t.Fatalf("before the clicks: %d rows; want none", len(got.Rows))
	}
	for i, part := range [][]click.Record{clicks[:80], clicks[80:]} {
		for _, into := range []Store{model, s} {
			fill(t, into, fmt.Sprint(i), part, nil)
		}
		got := checkReport(t, model, s, q)
		if got.Total.Leads == 0 && got.Total.Sales == 0 {
			t.Fatal("no fact got the properties of its click")
		}
	}
	for _, d := range report.Dimensions() {
		q := wholeSpan()
		q.GroupBy = d
		checkReport(t, model, s, q)
	}
}

// testCanceled: a canceled append stores nothing, and its batch ID is free.
func testCanceled(t *testing.T, s Store) {
	g, model := NewGenerator(t, 8, march()), new(Model)
	clicks := g.Clicks(20)
	facts := g.Facts(clicks, 10)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.AppendClicks(ctx, "b", clicks); err == nil {
		t.Error("clicks with a canceled context: no error")
	}
	if err := s.AppendFacts(ctx, "b", facts); err == nil {
		t.Error("facts with a canceled context: no error")
	}
	if _, err := s.Report(ctx, wholeSpan()); err == nil {
		t.Error("report with a canceled context: no error")
	}
	checkReport(t, model, s, wholeSpan())
	for _, into := range []Store{model, s} {
		fill(t, into, "b", clicks, facts)
	}
	checkReport(t, model, s, wholeSpan())
}

// testViews: the texts of a record may be views of a buffer that is overwritten as soon as AppendClicks returns.
func testViews(t *testing.T, s Store) {
	g, model := NewGenerator(t, 9, march()), new(Model)
	clicks := g.Clicks(500)
	fill(t, model, "b", clicks, nil)
	var buf []byte
	var ends []int
	for i := range clicks {
		buf = clicks[i].Append(buf)
		ends = append(ends, len(buf))
	}
	views, begin := make([]click.Record, len(clicks)), 0
	for i, end := range ends {
		r, err := click.Parse(unsafe.String(&buf[begin], end-begin))
		if err != nil {
			t.Fatal(err)
		}
		views[i], begin = r, end
	}
	fill(t, s, "b", views, nil)
	clear(buf)
	clear(views)
	checkReport(t, model, s, wholeSpan())
	checkClicks(t, model, s, report.ClickQuery{From: march(), To: march().AddDate(0, 0, spanDays), Limit: report.MaxLimit})
}

// testLargeBatch: the largest batch, and distinct counts that need not be exact any more.
func testLargeBatch(t *testing.T, s Store) {
	g, model := NewGenerator(t, 10, march()), new(Model)
	clicks := g.Clicks(2 * MaxBatch)
	for i := range clicks {
		clicks[i].Visitor = uint64(i/2) * 0x9e3779b97f4a7c15
	}
	facts := g.Facts(clicks, MaxBatch)
	for _, into := range []Store{model, s} {
		fill(t, into, "1", clicks[:MaxBatch], facts)
		fill(t, into, "2", clicks[MaxBatch:], nil)
	}
	checkReport(t, model, s, wholeSpan())
	q := wholeSpan()
	q.Bucket, q.GroupBy = report.Day, ""
	checkReport(t, model, s, q)
}
