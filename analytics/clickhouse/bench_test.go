package clickhouse_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
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

// BenchmarkReport asks for reports over 30 days with 3 million clicks and 30,000 facts.
func BenchmarkReport(b *testing.B) {
	const days, batches, size = 30, 30, 100_000
	s := server.Start(b)
	opts := clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(b)}
	store := openWith(b, opts)
	from := time.Date(2026, time.September, 1, 0, 0, 0, 0, time.UTC)
	tr := newTraffic(b)
	for i := range batches {
		clicks := tr.batch(size, from.AddDate(0, 0, i), 24*time.Hour)
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
	for _, table := range []string{"clicks", "clicks_quarterly", "facts"} { // as a day later, when merges are done
		exec(b, direct(b, s, opts.Database), "OPTIMIZE TABLE "+table+" FINAL")
	}
	to := from.AddDate(0, 0, days)
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		q    report.Query
	}{
		{"total", report.Query{}},
		{"days", report.Query{Bucket: report.Day, Zone: kolkata}},
		{"hours", report.Query{Bucket: report.Hour, Zone: kolkata}},
		{"top links", report.Query{GroupBy: report.Link}},
		{"top affiliates by revenue", report.Query{GroupBy: report.Affiliate, OrderBy: report.Revenue}},
		{"affiliate by day", report.Query{AffiliateID: 7, Bucket: report.Day}},
		{"affiliate by link", report.Query{AffiliateID: 7, GroupBy: report.Link}},
		{"affiliate by referrer host", report.Query{AffiliateID: 7, GroupBy: report.ReferrerHost}},
		{"countries", report.Query{GroupBy: report.Country}},
		{"referrer paths", report.Query{GroupBy: report.ReferrerPath}},
		{"one campaign by device", report.Query{GroupBy: report.Device, Filters: []report.Filter{{Dimension: report.UTMCampaign, Values: []string{"diwali"}}}}},
		{"unaligned total", report.Query{From: from.Add(123456 * time.Millisecond), To: to.Add(-123456 * time.Millisecond)}},
	} {
		if c.q.From.IsZero() {
			c.q.From, c.q.To = from, to
		}
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

func fill(t testing.TB, store *clickhouse.Store, batchID string, clicks []click.Record, facts []report.Fact) {
	t.Helper()
	if err := store.AppendClicks(t.Context(), batchID, clicks); err != nil {
		t.Fatal(err)
	}
	if err := store.AppendFacts(t.Context(), batchID, facts); err != nil {
		t.Fatal(err)
	}
}
