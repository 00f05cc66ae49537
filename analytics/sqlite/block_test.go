package sqlite

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/wire/report"
)

func textsOf(values []string) *texts {
	t := new(texts)
	for _, v := range values {
		t.add(v)
	}
	return t
}

func (t *texts) all() []string {
	all := make([]string, len(t.idx))
	for row := range all {
		all[row] = t.at(row)
	}
	return all
}

func TestTextsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.SliceOfN(rapid.String(), 1, 600)
		values := func(name string) []string {
			from := few.Draw(t, name)
			return rapid.SliceOfN(rapid.SampledFrom(from), 0, 900).Draw(t, name+" rows")
		}
		a, b := values("a"), values("b")
		both := textsOf(a)
		both.concat(textsOf(b))
		want := append(slices.Clone(a), b...)
		var got texts
		if err := got.decode(both.append(nil), len(want)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.all(), want) {
			t.Fatalf("%q; want %q", got.all(), want)
		}
		distinct := slices.Compact(slices.Sorted(slices.Values(want)))
		if len(got.dict) != len(distinct) {
			t.Fatalf("%d texts in the dictionary; want %d", len(got.dict), len(distinct))
		}
	})
}

func TestIntsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.Int64()).Draw(t, "numbers")
		got, err := decodeInts(nil, appendInts(nil, want), len(want))
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%v, %v; want %v", got, err, want)
		}
	})
}

// What is stored under a number stays under it: a change here makes files unreadable.
func TestColumnNumbers(t *testing.T) {
	for d, want := range map[report.Dimension]int{
		report.Affiliate: 0, report.Program: 1, report.Link: 2, report.Sub1: 3, report.Sub2: 4, report.Sub3: 5, report.Sub4: 6,
		report.Sub5: 7, report.GCLID: 8, report.FBCLID: 9, report.TTCLID: 10, report.MSCLKID: 11, report.UTMSource: 12,
		report.UTMMedium: 13, report.UTMCampaign: 14, report.UTMTerm: 15, report.UTMContent: 16, report.ReferrerHost: 17,
		report.ReferrerPath: 18, report.Browser: 19, report.OS: 20, report.Device: 21, report.Country: 22, report.Language: 23,
		report.Network: 24, report.Bot: 25, report.Node: 26,
	} {
		if got := columnOf(d); got != want {
			t.Errorf("%s is in column %d; want %d", d, got, want)
		}
	}
	for col, want := range map[int]int{colCurrency: 32, colAt: 33, colVisitor: 34, colID: 35, colLeads: 36, colSales: 37, colRefunds: 38, colRevenue: 39, colCommission: 40} {
		if col != want {
			t.Errorf("column %d; want %d", col, want)
		}
	}
}

// Every column of a block survives, and every cut of it is refused.
func TestBlockRoundTrip(t *testing.T) {
	tr := newTraffic(t)
	clicks := tr.clicks(300, benchStart(), 24*time.Hour)
	for _, b := range []*block{{kind: kindClicks, day: floorDay(benchStart().UnixMilli())}, {kind: kindFacts, day: floorDay(benchStart().UnixMilli())}} {
		for i := range clicks {
			if b.kind == kindClicks {
				b.addClick(&clicks[i])
			} else {
				f := tr.fact(int64(i), &clicks[i])
				f.Time = clicks[i].ID.UnixMilli()
				b.addFact(&f, &clicks[i])
			}
		}
		var got block
		for col := range numColumns {
			if !hasColumn(b.kind, col) {
				continue
			}
			data := b.appendColumn(nil, col)
			if err := got.decodeColumn(col, data, b.rows); err != nil {
				t.Fatalf("column %d: %v", col, err)
			}
			if again := got.appendColumn(nil, col); string(again) != string(data) {
				t.Errorf("column %d of kind %d does not encode back", col, b.kind)
			}
			if len(data) > 1 {
				if err := new(block).decodeColumn(col, data[:len(data)-1], b.rows); err == nil {
					t.Errorf("column %d of kind %d: a cut column is accepted", col, b.kind)
				}
			}
		}
		for row := range clicks {
			if b.kind == kindFacts {
				break
			}
			got.kind = b.kind
			if c, err := got.clickAt(row); err != nil || c != clicks[row] {
				t.Fatalf("click %d: %+v, %v; want %+v", row, c, err, clicks[row])
			}
		}
	}
}

// However a day's clicks are cut into batches, they end in few blocks, and all are there.
func TestFewBlocks(t *testing.T) {
	for _, size := range []int{1, 3, 1000, 5000} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			s, tr := openTest(t, nil), newTraffic(t)
			total := min(80*size, 30_000)
			clicks := tr.clicks(total, benchStart(), 24*time.Hour)
			for i := 0; i < total; i += size {
				must(t, s.AppendClicks(t.Context(), strconv.Itoa(i), clicks[i:min(i+size, total)]))
			}
			var blocks, rows, columns int
			err := s.read.QueryRowContext(t.Context(), "SELECT count(*), sum(rows), (SELECT count(*) FROM columns) FROM blocks").Scan(&blocks, &rows, &columns)
			if err != nil || rows != total {
				t.Fatalf("%d rows, %v; want %d", rows, err, total)
			}
			if most := 2*total/maxRows + 14; blocks > most {
				t.Errorf("%d blocks; want at most %d", blocks, most)
			}
			if columns != 30*blocks {
				t.Errorf("%d columns of %d blocks; want 30 each", columns, blocks)
			}
			r, err := s.Report(t.Context(), report.Query{From: benchStart(), To: benchStart().AddDate(0, 0, 1)})
			if err != nil || r.Total.Clicks != int64(total) {
				t.Errorf("%d clicks, %v; want %d", r.Total.Clicks, err, total)
			}
		})
	}
}

func TestDistinct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDistinct()
		pattern := rapid.SampledFrom([]uint64{1, 1 << 58, 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93}).Draw(t, "pattern")
		for day := range rapid.IntRange(1, 4).Draw(t, "days") {
			d.reset()
			seen := make(map[string]bool)
			for range rapid.IntRange(0, 3000).Draw(t, "visits") {
				number, part := rapid.Uint64Range(0, 63).Draw(t, "number")*pattern, rapid.Uint32Range(0, 30).Draw(t, "part")
				key := fmt.Sprint(number, " ", part)
				if d.add(number, part) == seen[key] {
					t.Fatalf("day %d: %s was seen: %v", day, key, seen[key])
				}
				seen[key] = true
			}
		}
	})
}

// Where clocks change at midnight, by half an hour, or not at all: a day is what the calendar says, from its first
// instant on, and an hour begins where the clock shows one.
func TestBuckets(t *testing.T) {
	for zone, around := range map[string]time.Time{
		"America/Havana":      time.Date(2026, time.March, 8, 5, 0, 0, 0, time.UTC),     // no midnight
		"Asia/Beirut":         time.Date(2026, time.October, 24, 21, 0, 0, 0, time.UTC), // 23:00 to 24:00 twice
		"Australia/Lord_Howe": time.Date(2026, time.April, 4, 15, 0, 0, 0, time.UTC),    // back by half an hour
		"America/New_York":    time.Date(2026, time.November, 1, 6, 0, 0, 0, time.UTC),
		"Asia/Kathmandu":      time.Date(2026, time.May, 1, 0, 0, 0, 0, time.UTC),
		"Pacific/Apia":        time.Date(2011, time.December, 30, 10, 0, 0, 0, time.UTC), // a date that never was
	} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		days := report.Query{From: around.Add(-50 * time.Hour), To: around.Add(50 * time.Hour), Zone: location, Bucket: report.Day}
		hours := days
		hours.Bucket = report.Hour
		dayStarts, hourStarts := bucketStarts(&days), bucketStarts(&hours)
		day, hour := 0, 0
		for at := days.From; at.Before(days.To); at = at.Add(7 * time.Minute) {
			local := at.In(location)
			day = bucketOf(dayStarts, at.UnixMilli(), day)
			start := time.UnixMilli(dayStarts[day]).In(location)
			if start.After(at) || start.Day() != local.Day() || start.Add(-time.Millisecond).Day() == local.Day() {
				t.Fatalf("%s: the day of %v begins at %v", zone, local, start)
			}
			hour = bucketOf(hourStarts, at.UnixMilli(), hour)
			start = time.UnixMilli(hourStarts[hour]).In(location)
			if start.After(at) || at.Sub(start) >= time.Hour || start.Minute() != 0 && zone != "Australia/Lord_Howe" {
				t.Fatalf("%s: the hour of %v begins at %v", zone, local, start)
			}
		}
	}
}

func FuzzTexts(f *testing.F) {
	f.Add(textsOf([]string{"a", "", "a"}).append(nil), 3)
	f.Add(textsOf([]string{"a"}).append(nil), 1)
	f.Add([]byte{}, 0)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f, 1, 'a'}, 2)
	f.Add([]byte{2, 1, 'a', 1, 'b', 0, 2}, 2)
	f.Fuzz(func(t *testing.T, src []byte, n int) {
		var got, again texts
		if n < 0 || got.decode(src, n) != nil {
			return
		}
		if len(got.idx) != n {
			t.Fatalf("%d rows of %d", len(got.idx), n)
		}
		if err := again.decode(got.append(nil), n); err != nil || !slices.Equal(got.all(), again.all()) {
			t.Fatalf("%q, %v; want %q", again.all(), err, got.all())
		}
	})
}

func FuzzInts(f *testing.F) {
	f.Add(appendInts(nil, []int64{0, -1, 1 << 62}), 3)
	f.Add([]byte{0x80}, 1)
	f.Fuzz(func(t *testing.T, src []byte, n int) {
		if n < 0 || n > maxRows {
			return
		}
		got, err := decodeInts(nil, src, n)
		if err == nil && len(got) != n {
			t.Fatalf("%d numbers of %d", len(got), n)
		}
	})
}
