package clickhouse

import (
	"math"
	"time"

	"github.com/edgeref/edgeref/wire/report"
)

// quarter is the step of the roll-up, in seconds.
const quarter = 15 * 60

// bucketStarts returns the beginnings, in Unix seconds and ascending, of the buckets that from (inclusive) to to
// (exclusive) falls into; the first is at or before from. Buckets are computed here and not on the server, so that both
// sides need not have the same time zone data.
func bucketStarts(from, to time.Time, zone *time.Location, bucket report.Bucket) []uint32 {
	var starts []uint32
	switch bucket {
	case report.Hour:
		for t := fullHour(from.In(zone)); t.Before(to); t = nextHour(t) {
			starts = append(starts, unix32(t))
		}
	case report.Day:
		y, m, d := from.In(zone).Date()
		for t := startOfDay(y, m, d, zone); t.Before(to); t = startOfDay(y, m, d, zone) {
			starts = append(starts, unix32(t))
			d++
		}
	}
	return starts
}

// fullHour is the last moment, up to t, at which the wall clock showed a full hour in t's present offset.
func fullHour(t time.Time) time.Time {
	return t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
}

// nextHour is the beginning of the bucket after t's. It is a full hour, but where the clock has just moved by half an hour.
func nextHour(t time.Time) time.Time {
	if t.Minute() == 0 && t.Second() == 0 {
		return t.Add(time.Hour)
	}
	return fullHour(t.Add(time.Hour))
}

// startOfDay is the first moment of a date; it is not midnight where the clock moves forward at midnight.
func startOfDay(y int, m time.Month, d int, zone *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	noon := time.Date(y, m, d, 12, 0, 0, 0, zone)
	if t.Day() == noon.Day() && t.Add(-time.Second).Day() != noon.Day() {
		return t
	}
	before, after := noon.Add(-24*time.Hour).Unix(), noon.Unix()
	for after-before > 1 {
		if middle := before + (after-before)/2; time.Unix(middle, 0).In(zone).Day() == noon.Day() {
			after = middle
		} else {
			before = middle
		}
	}
	return time.Unix(after, 0).In(zone)
}

// onQuarters reports whether every bucket begins at a quarter of an hour, as in all time zones in use today.
func onQuarters(starts []uint32) bool {
	for _, s := range starts {
		if s%quarter != 0 {
			return false
		}
	}
	return true
}

// unix32 is t as ClickHouse's DateTime has it, cut to its range: 1970 to 2106.
func unix32(t time.Time) uint32 { return uint32(min(max(t.Unix(), 0), math.MaxUint32)) }
