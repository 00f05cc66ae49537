package clickhouse_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/edgeref/edgeref/analytics/clickhouse"
	server "github.com/edgeref/edgeref/test/clickhouse"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// traffic makes clicks as a busy site has them: many links of which few are popular, most texts empty or of few kinds.
type traffic struct {
	keys *click.Keyring
	rand *rand.Rand
}

func newTraffic(t testing.TB) *traffic {
	t.Helper()
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	return &traffic{keys: keys, rand: rand.New(rand.NewPCG(1, 2))}
}

func (tr *traffic) batch(n int, from time.Time, span time.Duration) []click.Record {
	pick := func(values ...string) string { return values[tr.rand.IntN(len(values))] }
	clicks := make([]click.Record, n)
	for i := range clicks {
		link := int64(1 + tr.rand.ExpFloat64()*500)
		id := tr.keys.Mint(from.Add(time.Duration(tr.rand.Int64N(int64(span)))), uint16(tr.rand.IntN(4)), link, 1+link%500)
		clicks[i] = click.Record{
			ID: id, ProgramID: 1 + link%3, Visitor: tr.rand.Uint64() % 1_000_000 * 0x9e3779b97f4a7c15,
			ReferrerHost: pick("www.youtube.com", "l.instagram.com", "t.me", "", fmt.Sprintf("blog%d.example", tr.rand.IntN(2000))),
			ReferrerPath: fmt.Sprintf("/post/%d", tr.rand.IntN(5000)),
			UTMSource:    pick("", "", "youtube", "instagram"), UTMCampaign: pick("", "", "diwali", "summer"),
			Browser: pick("Chrome Mobile", "Chrome", "Safari", "Instagram"), OS: pick("Android", "iOS", "Windows"),
			Device: pick("mobile", "mobile", "mobile", "desktop"), Country: pick("IN", "IN", "IN", "NP", "US"), Language: pick("en", "hi"),
			Network: fmt.Sprintf("203.%d.%d.0/24", tr.rand.IntN(50), tr.rand.IntN(200)),
		}
		if tr.rand.IntN(10) == 0 {
			clicks[i].Bot = click.BotCrawler
		}
		if tr.rand.IntN(4) == 0 {
			clicks[i].Sub[0] = fmt.Sprintf("creator-%d", tr.rand.IntN(10_000))
		}
	}
	return clicks
}

// BenchmarkAppendClicks sends batches over one connection; the clicks are made beforehand.
func BenchmarkAppendClicks(b *testing.B) {
	s := server.Start(b)
	for _, size := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			store := open(b, s, s.Addr())
			clicks := newTraffic(b).batch(size, time.Now(), time.Duration(size)*time.Millisecond/100)
			b.ReportAllocs()
			sent := 0
			for b.Loop() {
				sent++
				if err := store.AppendClicks(b.Context(), fmt.Sprint(sent), clicks); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(sent*size)/b.Elapsed().Seconds(), "clicks/s")
		})
	}
}

// BenchmarkReport asks for reports over 30 days with EDGEREF_BENCH_CLICKS clicks (default 3 million) and a fact a hundred
// clicks. With EDGEREF_BENCH_CLICKHOUSE it uses the server at that address, and fills its database once.
func BenchmarkReport(b *testing.B) {
	store, from := benchStore(b)
	to := from.AddDate(0, 0, benchDays)
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range benchQueries() {
		if c.q.Bucket == report.Hour && c.q.From.IsZero() {
			c.q.From, c.q.To = to.AddDate(0, 0, -c.days), to
		} else {
			c.q.From, c.q.To = from.Add(c.inset), to.Add(-c.inset)
		}
		c.q.Zone = kolkata
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := store.Report(b.Context(), c.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, affiliate := range []int64{0, 7} {
		b.Run(fmt.Sprintf("listing of affiliate %d", affiliate), func(b *testing.B) {
			q := report.ClickQuery{From: from, To: to, AffiliateID: affiliate}
			for b.Loop() {
				if _, err := store.Clicks(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

const benchDays = 30

type benchQuery struct {
	name  string
	q     report.Query
	days  int           // the last ones, of reports by hour
	inset time.Duration // cut off at both ends
}

// benchQueries are the reports of a dashboard, and some that are rarer and slower.
func benchQueries() []benchQuery {
	queries := []benchQuery{
		{name: "total"},
		{name: "days", q: report.Query{Bucket: report.Day}},
		{name: "hours of 2 days", q: report.Query{Bucket: report.Hour}, days: 2},
		{name: "hours of 30 days", q: report.Query{Bucket: report.Hour}, days: benchDays},
		{name: "top links by day", q: report.Query{GroupBy: report.Link, Bucket: report.Day, Limit: 5}},
		{name: "top affiliates by revenue", q: report.Query{GroupBy: report.Affiliate, OrderBy: report.Revenue, Limit: 10}},
		{name: "unaligned total", inset: 123456 * time.Millisecond},
		{name: "one campaign by device", q: report.Query{GroupBy: report.Device, Filters: []report.Filter{
			{Dimension: report.UTMCampaign, Values: []string{"diwali"}}, {Dimension: report.Country, Values: []string{"IN"}}}}},
	}
	for _, d := range []report.Dimension{
		report.Affiliate, report.Link, report.Program, report.ReferrerHost, report.Browser, report.OS, report.Device,
		report.Country, report.Language, report.Bot, report.UTMSource, report.Sub1, report.Sub2, report.ReferrerPath,
	} {
		queries = append(queries, benchQuery{name: "top 10 " + string(d), q: report.Query{GroupBy: d, Limit: 10}})
	}
	for _, q := range slices.Clone(queries) {
		if q.q.GroupBy != report.Affiliate && q.inset == 0 {
			q.name, q.q.AffiliateID = "affiliate: "+q.name, 7
			queries = append(queries, q)
		}
	}
	return queries
}

// benchStore is a filled store, and the time of its first click.
func benchStore(b *testing.B) (*clickhouse.Store, time.Time) {
	const size = 100_000
	from := time.Date(2026, time.September, 1, 0, 0, 0, 0, time.UTC)
	total := 3_000_000
	if n, err := strconv.Atoi(os.Getenv("EDGEREF_BENCH_CLICKS")); err == nil {
		total = n
	}
	opts := clickhouse.Options{Addr: []string{os.Getenv("EDGEREF_BENCH_CLICKHOUSE")}, Database: fmt.Sprintf("bench%d", total)}
	if opts.Addr[0] == "" {
		s := server.Start(b)
		opts.Addr[0], opts.Database = s.Addr(), s.Database(b)
	} else if err := clickhouse.CreateDatabase(b.Context(), opts); err != nil {
		b.Fatal(err)
	}
	store := openWith(b, opts)
	begun, tr := time.Now(), newTraffic(b)
	step := benchDays * 24 * time.Hour / time.Duration(total/size)
	filled, err := store.Report(b.Context(), report.Query{From: from, To: from.AddDate(0, 0, benchDays)})
	if err != nil {
		b.Fatal(err)
	}
	for i := int(filled.Total.Clicks) / size; i < total/size; i++ {
		clicks := tr.batch(size, from.Add(time.Duration(i)*step), step)
		var facts []report.Fact
		for j := range size / 100 {
			id := clicks[j].ID
			facts = append(facts, report.Fact{
				ID: int64(i*size + j + 1), Time: id.UnixMilli() + 1000, ClickID: id, ProgramID: clicks[j].ProgramID,
				AffiliateID: id.AffiliateID(), LinkID: id.LinkID(), Sales: 1, Currency: "INR", Revenue: 149_900, Commission: 112_425,
			})
		}
		fill(b, store, fmt.Sprint(i), clicks, facts)
	}
	if int(filled.Total.Clicks) < total {
		for _, table := range []string{"clicks", "clicks_quarterly", "facts"} { // as a day later, when merges are done
			exec(b, direct(b, opts.Addr[0], opts.Database), "OPTIMIZE TABLE "+table+" FINAL")
		}
		b.Logf("%d clicks filled in %v", total, time.Since(begun).Round(time.Second))
	}
	return store, from
}

func fill(t testing.TB, store *clickhouse.Store, batchID string, clicks []click.Record, facts []report.Fact) {
	t.Helper()
	if err := store.AppendClicks(t.Context(), batchID, clicks); err != nil {
		t.Fatal(err)
	}
	if err := store.AppendFacts(t.Context(), batchID, facts); err != nil {
		t.Fatal(err)
	}
}
