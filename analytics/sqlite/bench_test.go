package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// Shape of the benchmarks' traffic: links by Zipf's law, three a affiliate.
const (
	benchAffiliates = 200
	benchLinks      = 600
	benchDays       = 90
)

func benchStart() time.Time { return time.Date(2026, time.August, 1, 0, 0, 0, 0, time.UTC) }

type traffic struct {
	rand *rand.Rand
	zipf *rand.Zipf
	keys *click.Keyring
}

func newTraffic(tb testing.TB) *traffic {
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		tb.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	return &traffic{r, rand.NewZipf(r, 1.1, 8, benchLinks-1), keys}
}

// one of n texts, the first ones more often.
func (t *traffic) some(name string, n int) string {
	return name + strconv.Itoa(min(t.rand.IntN(n), t.rand.IntN(n)))
}

func (t *traffic) maybe(percent int, s string) string {
	if t.rand.IntN(100) < percent {
		return s
	}
	return ""
}

func (t *traffic) click(at time.Time) click.Record {
	link := int64(1 + t.zipf.Uint64())
	c := click.Record{
		ID: t.keys.Mint(at, uint16(t.rand.IntN(2)), link, 1+link%benchAffiliates), ProgramID: 1 + link%3,
		GCLID: t.maybe(20, fmt.Sprintf("Cj0KCQ%016x%016x", t.rand.Uint64(), t.rand.Uint64())), FBCLID: t.maybe(20, fmt.Sprintf("IwAR%016x", t.rand.Uint64())),
		UTMSource: t.some("source", 12), UTMMedium: t.some("medium", 5), UTMCampaign: t.some("campaign", 40),
		ReferrerHost: t.some("www.example", 300) + ".com", ReferrerPath: t.some("/posts/", 5000),
		Browser: t.some("browser", 8), OS: t.some("os", 6), Device: t.some("device", 3), Country: t.some("C", 60), Language: t.some("l", 20),
		Network: fmt.Sprintf("%d.%d.%d.0/24", t.rand.IntN(223), t.rand.IntN(20), t.rand.IntN(256)), Bot: click.BotReason(t.maybe(8, "crawler")),
		Visitor: uint64(t.rand.IntN(60_000)) * 0x9e3779b97f4a7c15,
	}
	c.Sub[0], c.Sub[1] = t.some("ad", 200), t.maybe(30, t.some("pub", 3000))
	return c
}

// clicks are n clicks in the order of time.
func (t *traffic) clicks(n int, from time.Time, span time.Duration) []click.Record {
	clicks := make([]click.Record, n)
	for i := range clicks {
		clicks[i] = t.click(from.Add(time.Duration(float64(span) * float64(i) / float64(n))))
	}
	return clicks
}

func (t *traffic) fact(id int64, c *click.Record) report.Fact {
	return report.Fact{
		ID: id, Time: c.ID.UnixMilli() + t.rand.Int64N(3600_000), ClickID: c.ID, ProgramID: c.ProgramID,
		AffiliateID: c.ID.AffiliateID(), LinkID: c.ID.LinkID(), Sales: 1, Currency: "INR", Revenue: 149900, Commission: 112425,
	}
}

// BenchmarkAppendClicks appends at 2,500 clicks a second of the clicks' own time, as on a promotion day.
func BenchmarkAppendClicks(b *testing.B) {
	for _, size := range []int{3, 1000, 10_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			s, t := openTest(b, nil), newTraffic(b)
			at := benchStart()
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				clicks := t.clicks(size, at, time.Duration(size)*time.Second/2500)
				at = at.Add(time.Duration(size) * time.Second / 2500)
				n++
				b.StartTimer()
				if err := s.AppendClicks(context.Background(), strconv.Itoa(n), clicks); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*size)/b.Elapsed().Seconds(), "clicks/s")
		})
	}
}

func BenchmarkAppendFacts(b *testing.B) {
	s, t := openTest(b, nil), newTraffic(b)
	const size = 100
	clicks := t.clicks(100_000, benchStart(), 24*time.Hour)
	for i := 0; i < len(clicks); i += 10_000 {
		if err := s.AppendClicks(context.Background(), strconv.Itoa(i), clicks[i:i+10_000]); err != nil {
			b.Fatal(err)
		}
	}
	n := int64(0)
	for b.Loop() {
		facts := make([]report.Fact, size)
		for i := range facts {
			n++
			facts[i] = t.fact(n, &clicks[t.rand.IntN(len(clicks))])
		}
		if err := s.AppendFacts(context.Background(), strconv.FormatInt(n, 10), facts); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "facts/s")
}

// BenchmarkReports fills EDGEREF_BENCH_CLICKS clicks (default 100,000) over 90 days, 2 % with a sale, and times reports.
func BenchmarkReports(b *testing.B) {
	total := 100_000
	if n, err := strconv.Atoi(os.Getenv("EDGEREF_BENCH_CLICKS")); err == nil {
		total = n
	}
	s, t := openTest(b, func(o *Options) {
		if path := os.Getenv("EDGEREF_BENCH_FILE"); path != "" {
			o.Path = path // filled once
		}
	}), newTraffic(b)
	begun := time.Now()
	const batch = 5000
	filled, err := s.Report(context.Background(), report.Query{From: benchStart(), To: benchStart().AddDate(0, 0, benchDays)})
	if err != nil {
		b.Fatal(err)
	}
	for i := int(filled.Total.Clicks); i < total; i += batch {
		from := benchStart().Add(time.Duration(float64(benchDays*24*time.Hour) * float64(i) / float64(total)))
		clicks := t.clicks(batch, from, benchDays*24*time.Hour/time.Duration(total)*batch)
		if err := s.AppendClicks(context.Background(), strconv.Itoa(i), clicks); err != nil {
			b.Fatal(err)
		}
		var facts []report.Fact
		for j := 0; j < batch; j += 50 {
			facts = append(facts, t.fact(int64(i+j+1), &clicks[j]))
		}
		if err := s.AppendFacts(context.Background(), strconv.Itoa(i), facts); err != nil {
			b.Fatal(err)
		}
	}
	size, err := os.Stat(s.path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d clicks filled in %v, %.0f bytes a click", total, time.Since(begun).Round(time.Second), float64(size.Size())/float64(total))
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		b.Fatal(err)
	}
	queries := benchQueries()
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		q := queries[name]
		q.From, q.To, q.Zone = benchStart(), benchStart().AddDate(0, 0, benchDays), kolkata
		if q.Bucket == report.Hour {
			q.From = q.To.AddDate(0, 0, -2)
		}
		for _, kind := range []string{"first", "again"} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				for b.Loop() {
					if kind == "first" { // as if nobody had asked for it since the start
						s.parts = newParts(s.parts.budget, s.metrics)
					}
					if _, err := s.Report(context.Background(), q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("ListClicks", func(b *testing.B) {
		q := report.ClickQuery{From: benchStart(), To: benchStart().AddDate(0, 0, benchDays), AffiliateID: 150}
		for b.Loop() {
			if _, err := s.Clicks(context.Background(), q); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchQueries are the reports of a dashboard, and one that nobody should ask for, by an id of each click's own.
func benchQueries() map[string]report.Query {
	human := report.Filter{Dimension: report.Bot, Values: []string{""}}
	india := report.Filter{Dimension: report.Country, Values: []string{"C0", "C1", "C2"}}
	queries := map[string]report.Query{
		"Total":                   {},
		"ByDay":                   {Bucket: report.Day},
		"ByHourOf2Days":           {Bucket: report.Hour},
		"ByDayAndLinkTop5":        {GroupBy: report.Link, Bucket: report.Day, Limit: 5},
		"ByGCLIDTop10":            {GroupBy: report.GCLID, Limit: 10},
		"ByAffiliateRevenue":      {GroupBy: report.Affiliate, OrderBy: report.Revenue, Limit: 10},
		"HumanByBrowser":          {GroupBy: report.Browser, Filters: []report.Filter{human}},
		"HumanIndiaByLink":        {GroupBy: report.Link, Filters: []report.Filter{human, india}, Limit: 10},
		"SmallAffiliate/ByDevice": {AffiliateID: 150, GroupBy: report.Device},
		"Affiliate/Total":         {AffiliateID: 2},
		"Affiliate/ByDay":         {AffiliateID: 2, Bucket: report.Day},
		"Affiliate/ByHourOf2Days": {AffiliateID: 2, Bucket: report.Hour},
	}
	for _, d := range []report.Dimension{
		report.Affiliate, report.Link, report.Program, report.ReferrerHost, report.Browser, report.OS, report.Device,
		report.Country, report.Language, report.Bot, report.UTMSource, report.Sub1, report.Sub2,
	} {
		queries["Top10/"+string(d)] = report.Query{GroupBy: d, Limit: 10}
		queries["Affiliate/Top10/"+string(d)] = report.Query{AffiliateID: 2, GroupBy: d, Limit: 10}
	}
	return queries
}
