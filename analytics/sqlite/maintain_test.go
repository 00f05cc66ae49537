package sqlite

import (
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

func byCountry(t *testing.T, s *Store, d report.Dimension) map[string]int64 {
	t.Helper()
	r, err := s.Report(t.Context(), report.Query{From: benchStart(), To: benchStart().AddDate(1, 0, 0), GroupBy: d})
	if err != nil {
		t.Fatal(err)
	}
	clicks := make(map[string]int64)
	for _, row := range r.Rows {
		clicks[row.Key] = row.Clicks + 1000*row.Leads
	}
	return clicks
}

// Retention takes the single clicks and their details, and leaves every figure.
func TestRetention(t *testing.T) {
	now := benchStart()
	s := openTest(t, func(o *Options) {
		o.Retention = 10 * 24 * time.Hour
		o.Clock = func() time.Time { return now }
	})
	keys := newTraffic(t).keys
	minted := func(day int, sub string) click.Record {
		c := click.Record{ID: keys.Mint(benchStart().AddDate(0, 0, day), 1, 1, 1), Country: "NP", Visitor: uint64(day)}
		c.Sub[0] = sub
		return c
	}
	old, recent := minted(0, "old"), minted(5, "recent")
	for i, c := range []click.Record{old, recent} {
		must(t, s.AppendClicks(t.Context(), strconv.Itoa(i), []click.Record{c}))
	}
	must(t, s.AppendFacts(t.Context(), "f", []report.Fact{{ID: 1, Time: old.ID.UnixMilli(), ClickID: old.ID, AffiliateID: 1, Leads: 1}}))

	now = benchStart().AddDate(0, 0, 12)
	must(t, s.Maintain(t.Context()))
	if got := byCountry(t, s, report.Country); got["NP"] != 1002 {
		t.Errorf("by country: %v; want 2 clicks and 1 lead of NP", got)
	}
	if got := byCountry(t, s, report.Sub1); got["old"] != 0 || got[""] != 1001 || got["recent"] != 1 {
		t.Errorf("by sub1: %v; want only recent", got)
	}
	list, err := s.Clicks(t.Context(), report.ClickQuery{From: benchStart(), To: now})
	if err != nil || len(list) != 1 || list[0].ID != recent.ID {
		t.Errorf("listing: %v, %v; want only the recent click", list, err)
	}
	// What comes late to an old day is taken, counted, and stripped in its turn.
	must(t, s.AppendClicks(t.Context(), "late", []click.Record{minted(0, "late")}))
	if got := byCountry(t, s, report.Sub1); got["late"] != 1 {
		t.Errorf("by sub1: %v; want the late click", got)
	}
	must(t, s.Maintain(t.Context()))
	if got := byCountry(t, s, report.Country); got["NP"] != 1003 {
		t.Errorf("by country: %v; want 3 clicks and 1 lead of NP", got)
	}
	if got := byCountry(t, s, report.Sub1); got["late"] != 0 {
		t.Errorf("by sub1: %v; want no late click any more", got)
	}
}

// More blocks than one transaction takes are all stripped by one call.
func TestRetentionInChunks(t *testing.T) {
	now := benchStart()
	registry := prometheus.NewRegistry()
	s := openTest(t, func(o *Options) {
		o.Retention, o.Registerer = time.Hour, registry
		o.Clock = func() time.Time { return now }
	})
	tr := newTraffic(t)
	const days = 3*expireChunk + 1
	must(t, s.AppendClicks(t.Context(), "0", tr.clicks(days, benchStart(), days*24*time.Hour)))
	now = now.AddDate(1, 0, 0)
	must(t, s.Maintain(t.Context()))
	list, err := s.Clicks(t.Context(), report.ClickQuery{From: benchStart(), To: now})
	if err != nil || len(list) != 0 {
		t.Errorf("%d clicks are left, %v", len(list), err)
	}
	if got := testutil.ToFloat64(s.metrics.expired); got != days {
		t.Errorf("%v expired blocks; want %d", got, days)
	}
}

// A batch ID is remembered for a week, a waiting click for 30 days.
func TestMemoryIsBounded(t *testing.T) {
	now := benchStart()
	s := openTest(t, func(o *Options) { o.Clock = func() time.Time { return now } })
	tr := newTraffic(t)
	c := tr.click(benchStart())
	must(t, s.AppendFacts(t.Context(), "f", []report.Fact{tr.fact(1, &c)}))
	count := func(table string) (n int) {
		must(t, s.read.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
		return n
	}
	for _, step := range []struct {
		after            time.Duration
		batches, waiting int
	}{
		{batchMemory - time.Second, 1, 1},
		{batchMemory + time.Second, 0, 1},
		{29 * 24 * time.Hour, 0, 1},
		{(waitingMemory + 2) * 24 * time.Hour, 0, 0},
	} {
		now = benchStart().Add(step.after)
		must(t, s.Maintain(t.Context()))
		if b, w := count("batches"), count("waiting"); b != step.batches || w != step.waiting {
			t.Errorf("after %v: %d batches, %d waiting; want %d, %d", step.after, b, w, step.batches, step.waiting)
		}
	}
	// The fact ID is known for ever.
	must(t, s.AppendFacts(t.Context(), "f", []report.Fact{tr.fact(1, &c)}))
	if r, err := s.Report(t.Context(), report.Query{From: benchStart(), To: now}); err != nil || r.Total.Sales != 1 {
		t.Errorf("%d sales, %v; want 1", r.Total.Sales, err)
	}
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := openTest(t, func(o *Options) { o.Registerer = registry })
	tr := newTraffic(t)
	clicks := tr.clicks(10, benchStart(), time.Hour)
	for range 2 {
		must(t, s.AppendClicks(t.Context(), "a", clicks))
		must(t, s.AppendFacts(t.Context(), "a", []report.Fact{tr.fact(1, &clicks[0])}))
	}
	must(t, s.AppendFacts(t.Context(), "b", []report.Fact{tr.fact(1, &clicks[0]), tr.fact(2, &clicks[0])}))
	if err := s.AppendClicks(t.Context(), "", clicks); err == nil {
		t.Error("a batch without an ID was taken")
	}
	if err := s.AppendClicks(t.Context(), "too large", make([]click.Record, maxBatch+1)); err == nil {
		t.Error("a batch that is too large was taken")
	}
	for name, c := range map[string]struct {
		metric prometheus.Collector
		want   float64
	}{
		"clicks":     {s.metrics.appended.WithLabelValues("clicks"), 10},
		"facts":      {s.metrics.appended.WithLabelValues("facts"), 2},
		"duplicates": {s.metrics.duplicates.WithLabelValues("clicks"), 1},
		"refused":    {s.metrics.refused, 2},
		"failed":     {s.metrics.failed.WithLabelValues(opAppendClicks), 2},
	} {
		if got := testutil.ToFloat64(c.metric); got != c.want {
			t.Errorf("%s: %v; want %v", name, got, c.want)
		}
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
