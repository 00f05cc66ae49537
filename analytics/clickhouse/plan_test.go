package clickhouse

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestBucketStarts(t *testing.T) {
	for _, c := range []struct {
		zone     string
		bucket   report.Bucket
		from, to string
		want     []string
	}{
		{"Asia/Kolkata", report.Day, "2026-03-07T18:30:00Z", "2026-03-08T18:30:00Z", []string{"2026-03-08T00:00:00+05:30"}},
		{"Asia/Kolkata", report.Day, "2026-03-07T18:29:59Z", "2026-03-07T18:30:01Z", []string{"2026-03-07T00:00:00+05:30", "2026-03-08T00:00:00+05:30"}},
		{"Asia/Kathmandu", report.Hour, "2026-03-07T18:00:00Z", "2026-03-07T18:20:00Z", []string{"2026-03-07T23:00:00+05:45", "2026-03-08T00:00:00+05:45"}},
		// Clocks went forward at midnight: the day begins at one.
		{"America/Sao_Paulo", report.Day, "2018-11-03T12:00:00Z", "2018-11-04T12:00:00Z", []string{"2018-11-03T00:00:00-03:00", "2018-11-04T01:00:00-02:00"}},
		{"Asia/Beirut", report.Day, "2024-03-30T12:00:00Z", "2024-03-31T12:00:00Z", []string{"2024-03-30T00:00:00+02:00", "2024-03-31T01:00:00+03:00"}},
		// Clocks went back at midnight: the last hour of the day came twice.
		{"America/Sao_Paulo", report.Hour, "2018-02-18T01:00:00Z", "2018-02-18T03:30:00Z", []string{"2018-02-17T23:00:00-02:00", "2018-02-17T23:00:00-03:00", "2018-02-18T00:00:00-03:00"}},
		// Clocks move by half an hour.
		{"Australia/Lord_Howe", report.Hour, "2026-10-03T14:40:00Z", "2026-10-03T16:10:00Z", []string{"2026-10-04T01:00:00+10:30", "2026-10-04T02:30:00+11:00", "2026-10-04T03:00:00+11:00"}},
	} {
		from, _ := time.Parse(time.RFC3339, c.from)
		to, _ := time.Parse(time.RFC3339, c.to)
		var got []string
		for _, s := range bucketStarts(from, to, zone(t, c.zone), c.bucket) {
			got = append(got, time.Unix(int64(s), 0).In(zone(t, c.zone)).Format(time.RFC3339))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s by %s from %s to %s: %v; want %v", c.zone, c.bucket, c.from, c.to, got, c.want)
		}
	}
}

// TestBucketStartsCoverTheSpan: the starts ascend, the first is not after from, the last is before to; each moment is in
// the bucket of its own local date or hour.
func TestBucketStartsCoverTheSpan(t *testing.T) {
	zones := []string{"UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia", "Europe/Berlin"}
	rapid.Check(t, func(r *rapid.T) {
		z := zone(t, rapid.SampledFrom(zones).Draw(r, "zone"))
		from := time.Unix(rapid.Int64Range(1_000_000_000, 1_900_000_000).Draw(r, "from"), 0)
		to := from.Add(time.Duration(rapid.Int64Range(1, int64(60*24*time.Hour)).Draw(r, "span")))
		moment := from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from))-1).Draw(r, "moment"))).In(z)
		for _, bucket := range []report.Bucket{report.Hour, report.Day} {
			starts := bucketStarts(from, to, z, bucket)
			if !slices.IsSorted(starts) || len(slices.Compact(slices.Clone(starts))) != len(starts) {
				r.Fatalf("%s: not ascending", bucket)
			}
			i, exact := slices.BinarySearch(starts, uint32(moment.Unix()))
			if !exact {
				i--
			}
			if i < 0 || int64(starts[len(starts)-1]) >= to.Unix()+1 {
				r.Fatalf("%s: the starts do not cover the span", bucket)
			}
			start := time.Unix(int64(starts[i]), 0).In(z)
			same := start.Format(time.DateOnly) == moment.Format(time.DateOnly)
			if bucket == report.Hour {
				same = same && start.Hour() == moment.Hour() && moment.Sub(start) < time.Hour
			}
			if !same {
				r.Fatalf("%s: %s is in the bucket of %s", bucket, moment, start)
			}
		}
	})
}

// TestStatementsCarryNoValues: what comes from outside is among the parameters and never in the text.
func TestStatementsCarryNoValues(t *testing.T) {
	const secret = "') OR 1=1 --"
	now := time.Now()
	for _, d := range report.Dimensions() {
		for _, order := range []report.Metric{report.Clicks, report.Uniques, report.Sales, report.Revenue} {
			q := report.Query{From: now.AddDate(0, 0, -3), To: now, GroupBy: d, Bucket: report.Day, OrderBy: order, Currency: secret, AffiliateID: 424242,
				Filters: []report.Filter{{Dimension: d, Values: []string{secret, "31337"}}, {Dimension: report.Sub1, Values: []string{secret}, Not: true}}}
			if err := q.Validate(); err != nil {
				t.Fatal(err)
			}
			p := newPlan(q)
			texts := make([]string, 6)
			show := shown{keys: []string{secret, "31337"}}
			texts[0], _ = p.rank(p.pieces(p.to), secret, true)
			texts[1], _ = p.clickFigures(piece{p.from, p.to, false}, show)
			texts[2], _ = p.factFigures(show, 777)
			texts[3], _ = p.clickFigures(piece{p.from, p.to, true}, show)
			texts[4], _ = p.rank(p.pieces(0), secret, false)
			texts[5], _ = listing(report.ClickQuery{From: q.From, To: q.To, Filters: q.Filters, AffiliateID: q.AffiliateID, Before: click.ID{1}, Limit: 777}, textColumns())
			for _, text := range texts {
				for _, value := range []string{secret, "OR 1=1", "31337", "424242", "777", fmt.Sprint(p.from)} {
					if strings.Contains(text, value) {
						t.Fatalf("by %s: %q is in %s", d, value, text)
					}
				}
			}
		}
	}
}

func TestEveryDimensionHasAProperty(t *testing.T) {
	all := properties()
	for _, d := range report.Dimensions() {
		if all[d].expr == "" {
			t.Errorf("%s: no SQL for it", d)
		}
	}
	if len(all) != len(report.Dimensions()) {
		t.Errorf("%d properties for %d dimensions", len(all), len(report.Dimensions()))
	}
}

func TestIDs(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "1": 1, "9223372036854775807": 1<<63 - 1} {
		if got, ok := idOf(text); !ok || got != want || idText(got) != text {
			t.Errorf("%q: %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"0", "01", "+1", " 1", "1.0", "1e3", "x", "9223372036854775808"} {
		if id, ok := idOf(text); ok {
			t.Errorf("%q is read as %d", text, id)
		}
	}
}

// TestClusterDDL: no engine of the tests has a cluster, so the text is checked.
func TestClusterDDL(t *testing.T) {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		single, err := ddl{}.render(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		cluster, err := ddl{cluster: "c1"}.render(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for i := range single {
			if strings.Contains(single[i], "CLUSTER") || strings.Contains(single[i], "ENGINE = Replicated") {
				t.Errorf("%s: made for a cluster: %s", e.Name(), single[i])
			}
			replicated := strings.Count(cluster[i], "ENGINE = Replicated")
			if !strings.Contains(cluster[i], "ON CLUSTER `c1`") || replicated != strings.Count(single[i], "ENGINE = ") {
				t.Errorf("%s: not made for a cluster: %s", e.Name(), cluster[i])
			}
		}
	}
}

// TestShardedDDL: rows are in tables on each shard, nothing but the Distributed tables has the plain names, and what
// belongs together is on one shard.
func TestShardedDDL(t *testing.T) {
	d := ddl{cluster: "c1", database: "edgeref", sharded: true}
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		statements, err := d.render(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range statements {
			for _, table := range []string{"clicks", "clicks_quarterly", "facts"} {
				for _, before := range []string{"EXISTS ", "ALTER TABLE ", "TO ", "FROM "} {
					if strings.Contains(s, before+table+" ") || strings.Contains(s, before+table+"\n") {
						t.Errorf("%s: a statement about %s, which is in front of the shards: %s", e.Name(), table, s)
					}
				}
			}
		}
	}
	for _, want := range []string{
		"CREATE OR REPLACE TABLE clicks ON CLUSTER `c1` AS clicks_local ENGINE = Distributed('c1', 'edgeref', 'clicks_local', cityHash64(click_id))",
		"CREATE OR REPLACE TABLE clicks_quarterly ON CLUSTER `c1` AS clicks_quarterly_local ENGINE = Distributed('c1', 'edgeref', 'clicks_quarterly_local')",
		"CREATE OR REPLACE TABLE facts ON CLUSTER `c1` AS facts_local ENGINE = Distributed('c1', 'edgeref', 'facts_local', cityHash64(click_id))",
	} {
		if !slices.Contains(d.distributed(), want) {
			t.Errorf("no %s in %q", want, d.distributed())
		}
	}
}
