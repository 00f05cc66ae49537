package trial

import (
	"fmt"
	"math"
	"time"
)

// shape is arrivals over time.
type shape struct {
	duration time.Duration
	requests uint64                              // at most; 0: as rate and duration make
	rate     func(elapsed time.Duration) float64 // a second
}

func steady(rate float64, d time.Duration) shape {
	return shape{duration: d, rate: func(time.Duration) float64 { return rate }}
}

// scaled is share of the arrivals of s, at the same times.
func (s shape) scaled(share float64) shape {
	rate := s.rate
	return shape{duration: s.duration, rate: func(t time.Duration) float64 { return share * rate(t) }}
}

// A promotion day: a quiet night, a morning that fills up, a lunch break, an evening peak between 20 and 22 o'clock, and
// two mails to everybody at 10:00 and 19:00. A mail brings its share of the day's requests: nothing before it goes out,
// the most at the end of the first minute, and half of that every mailHalf after.
const (
	mailShare = 0.06 // of the day's requests, each mail
	mailRise  = time.Minute
	mailHalf  = 10 * time.Minute

	day = 24 * time.Hour
)

// hourly is how much of the day's traffic without mails falls around each full hour, in permille of the busiest.
func hourly() [24]float64 {
	return [24]float64{300, 180, 110, 80, 70, 90, 160, 280, 420, 540, 620, 660, 690, 720, 680, 640, 650, 700, 780, 880, 980, 1000, 820, 540}
}

func mails() [2]time.Duration { return [2]time.Duration{10 * time.Hour, 19 * time.Hour} }

// everyday is the day's curve without mails at a time of day, in requests a second for one request a day.
func everyday(at time.Duration) float64 {
	weights := hourly()
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	hour := at.Hours()
	i := int(hour) % 24
	part := hour - math.Floor(hour)
	return (weights[i]*(1-part) + weights[(i+1)%24]*part) / (sum * 3600)
}

// mail is the curve of one mail, since it went out, in requests a second for one request in all.
func mail(since time.Duration) float64 {
	const decay = float64(mailHalf) / math.Ln2 // ns
	if since < 0 {
		return 0
	}
	peak := 1 / (mailRise.Seconds()/2 + decay/1e9)
	if since < mailRise {
		return peak * float64(since) / float64(mailRise)
	}
	return peak * math.Exp(-float64(since-mailRise)/decay)
}

// promotionDay is the rate at a time of day, in requests a second for one request a day.
func promotionDay(at time.Duration) float64 {
	sent := mails()
	rate := (1 - float64(len(sent))*mailShare) * everyday(at)
	for _, out := range sent {
		rate += mailShare * mail(at-out)
	}
	return rate
}

// dayShape is a promotion day of so many requests in 1/compress of its time.
func dayShape(requests uint64, compress float64) (shape, error) {
	if requests < 1 || compress < 1 || compress > 100_000 {
		return shape{}, fmt.Errorf("a day takes at least 1 request and is compressed 1 to 100,000 times, not %d and %g", requests, compress)
	}
	// A little more than asked for: the number of requests ends the day, not rounding.
	scale := 1.0005 * float64(requests) * compress
	return shape{
		duration: time.Duration(float64(day) / compress), requests: requests,
		rate: func(t time.Duration) float64 { return scale * promotionDay(time.Duration(float64(t)*compress)) },
	}, nil
}
