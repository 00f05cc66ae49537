package sqlite

import (
	"sort"
	"time"

	"github.com/edgeref/edgeref/wire/report"
)

const quarter = 15 * time.Minute

// bucketStarts returns the beginnings, in Unix ms, of the buckets that [from, to) touches, in order; nil without buckets.
func bucketStarts(q *report.Query) []int64 {
	var starts []int64
	switch q.Bucket {
	case report.Hour:
		// Zones differ from UTC, and change their clocks, by whole quarters of an hour.
		for t := q.From.UTC().Truncate(quarter); t.Before(q.To); t = t.Add(quarter) {
			starts = appendNew(starts, hourStart(t.In(q.Zone)).UnixMilli())
		}
	case report.Day:
		y, m, d := q.From.In(q.Zone).Date()
		for day := d; ; day++ {
			start := dayStart(y, m, day, q.Zone)
			if !start.Before(q.To) {
				break
			}
			starts = appendNew(starts, start.UnixMilli())
		}
	}
	return starts
}

func appendNew(starts []int64, start int64) []int64 {
	if n := len(starts); n > 0 && starts[n-1] >= start {
		return starts
	}
	return append(starts, start)
}

func hourStart(t time.Time) time.Time {
	return t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
}

// dayStart is the first instant of a local date, which is not always midnight, nor the only midnight.
func dayStart(y int, m time.Month, d int, zone *time.Location) time.Time {
	date := time.Date(y, m, d, 12, 0, 0, 0, zone).Day()
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	for t.Day() != date {
		t = t.Add(quarter)
	}
	for t.Add(-quarter).Day() == date {
		t = t.Add(-quarter)
	}
	return t
}

// bucketOf is the index of the bucket that ms falls into; last is a guess, mostly right as rows tend to be in order.
func bucketOf(starts []int64, ms int64, last int) int {
	if starts[last] <= ms && (last+1 == len(starts) || ms < starts[last+1]) {
		return last
	}
	return max(0, sort.Search(len(starts), func(i int) bool { return starts[i] > ms })-1)
}
