package sqlite

import (
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/report"
)

func cacheQueries() []report.Query {
	from, to := benchStart(), benchStart().AddDate(0, 0, 6)
	kolkata := time.FixedZone("IST", 5*3600+1800)
	return []report.Query{
		{From: from, To: to},
		{From: from.Add(7 * time.Hour), To: to.Add(-5 * time.Hour), Bucket: report.Day, Zone: kolkata},
		{From: from, To: to, Bucket: report.Hour, GroupBy: report.Country, Limit: 2},
		{From: from, To: to, GroupBy: report.Sub1, Limit: 3},
		{From: from, To: to, GroupBy: report.Affiliate, OrderBy: report.Revenue, Limit: 2},
		{From: from, To: to, GroupBy: report.Browser, OrderBy: report.Uniques, AffiliateID: 2},
		{From: from, To: to, GroupBy: report.Link, Filters: []report.Filter{{Dimension: report.Browser, Values: []string{"browser1", "browser2"}, Not: true}}},
	}
}

// TestCacheIsNeverOutOfDate: after everything that changes a day, a report with the cache is the one without.
func TestCacheIsNeverOutOfDate(t *testing.T) {
	now := benchStart().AddDate(0, 0, 6)
	s := openTest(t, func(o *Options) {
		o.Clock = func() time.Time { return now }
		o.Retention = 24 * time.Hour
	})
	tr := newTraffic(t)
	clicks := tr.clicks(6*500, benchStart(), 6*24*time.Hour)
	var facts []report.Fact
	for i := 0; i < len(clicks); i += 10 {
		facts = append(facts, tr.fact(int64(i+1), &clicks[i]))
	}
	check := func(step string) {
		t.Helper()
		cache := s.parts
		for i, q := range cacheQueries() {
			got, err := s.Report(t.Context(), q)
			must(t, err)
			s.parts = newParts(0, s.metrics)
			want, err := s.Report(t.Context(), q)
			s.parts = cache
			must(t, err)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: query %d: with the cache %+v; want %+v", step, i, got, want)
			}
		}
	}
	must(t, s.AppendFacts(t.Context(), "facts", facts)) // all wait for their clicks
	check("facts")
	for i := 0; i < len(clicks); i += 300 {
		must(t, s.AppendClicks(t.Context(), strconv.Itoa(i), clicks[i:i+300]))
		check("clicks " + strconv.Itoa(i))
	}
	must(t, s.AppendClicks(t.Context(), "old days", tr.clicks(50, benchStart(), 5*24*time.Hour)))
	check("old days")
	if s.parts.bytes == 0 {
		t.Fatal("nothing is in the cache")
	}
	retained := s.parts.get(mustKey(t, s))
	must(t, s.Maintain(t.Context()))
	check("retention")
	if retained == nil {
		t.Error("the key of a day that was reported is not in the cache")
	}
}

// mustKey is the key of the first day in the first of cacheQueries.
func mustKey(t *testing.T, s *Store) (key partKey) {
	t.Helper()
	q := cacheQueries()[0]
	must(t, q.Validate())
	tx, err := s.read.BeginTx(t.Context(), nil)
	must(t, err)
	defer func() { _ = tx.Rollback() }()
	p := newPlan(&q)
	must(t, p.headers(t.Context(), tx))
	return p.all[0].key(newCounting(p, []string{""}).shape())
}

// TestCacheIsBounded: also under reports at once, and whatever they ask for; no part is too large a share.
func TestCacheIsBounded(t *testing.T) {
	const budget = 400_000
	s := openTest(t, func(o *Options) { o.CacheBytes = budget })
	tr := newTraffic(t)
	must(t, s.AppendClicks(t.Context(), "a", tr.clicks(3000, benchStart(), 6*24*time.Hour)))
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for affiliate := range int64(60) {
				for _, q := range cacheQueries() {
					q.AffiliateID = affiliate
					if _, err := s.Report(t.Context(), q); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	work.Wait()
	var sum int64
	for e := s.parts.order.Front(); e != nil; e = e.Next() {
		c := e.Value.(*cached)
		if sum += c.size; c.size > budget/maxShare {
			t.Errorf("a part of %d bytes", c.size)
		}
	}
	if sum != s.parts.bytes || sum > budget || sum < budget/2 || len(s.parts.byKey) != s.parts.order.Len() {
		t.Errorf("%d bytes counted, %d in parts, %d keys, %d parts", s.parts.bytes, sum, len(s.parts.byKey), s.parts.order.Len())
	}
}

// TestShapes: queries that differ have parts of their own, also where their texts put one after the other are the same.
func TestShapes(t *testing.T) {
	seen := make(map[string]string)
	for name, fs := range map[string][]report.Filter{
		"none": nil,
		"a":    {{Dimension: report.Sub1, Values: []string{"a"}}},
		"not":  {{Dimension: report.Sub1, Values: []string{"a"}, Not: true}},
		"a,b":  {{Dimension: report.Sub1, Values: []string{"a", "b"}}},
		"ab":   {{Dimension: report.Sub1, Values: []string{"a1:b"}}},
		"two":  {{Dimension: report.Sub1, Values: []string{"a"}}, {Dimension: report.Sub1, Values: []string{"b"}}},
	} {
		q := report.Query{From: benchStart(), To: benchStart().Add(time.Hour), GroupBy: report.Link, Filters: fs}
		must(t, q.Validate())
		for _, shown := range [][]string{{"a"}, {"a", "b"}, {"ab"}} {
			shape := newCounting(newPlan(&q), shown).shape()
			if other, ok := seen[shape]; ok {
				t.Errorf("%s and %s have the shape %q", name, other, shape)
			}
			seen[shape] = name
		}
	}
}
