package trial

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sum adds up a curve over a span, second by second.
func sum(rate func(time.Duration) float64, from, to time.Duration) float64 {
	total := 0.0
	for at := from; at < to; at += time.Second {
		total += rate(at + time.Second/2)
	}
	return total
}

func TestPromotionDayIsOneDay(t *testing.T) {
	if total := sum(promotionDay, 0, day); math.Abs(total-1) > 0.001 {
		t.Errorf("the day's curve adds up to %g; want 1", total)
	}
	if total := sum(everyday, 0, day); math.Abs(total-1) > 0.001 {
		t.Errorf("the curve without mails adds up to %g; want 1", total)
	}
	if total := sum(mail, 0, day); math.Abs(total-1) > 0.001 {
		t.Errorf("a mail's curve adds up to %g; want 1", total)
	}
	for at := time.Duration(0); at < day; at += time.Minute {
		if promotionDay(at) <= 0 {
			t.Errorf("no visitors at %s", at)
		}
	}
}

func TestEveningPeaksAndMailsBurst(t *testing.T) {
	hour := func(h int) float64 {
		return sum(promotionDay, time.Duration(h)*time.Hour, time.Duration(h+1)*time.Hour)
	}
	for h := range 24 {
		if h != 10 && h != 19 && h != 20 && hour(h) > hour(20) {
			t.Errorf("hour %d is busier than the evening's", h)
		}
		if h < 8 && hour(h) > hour(20)/2 {
			t.Errorf("hour %d of the night is busier than half of the evening's", h)
		}
	}
	for _, out := range mails() {
		before := sum(promotionDay, out-time.Minute, out)
		if after := sum(promotionDay, out+time.Minute, out+2*time.Minute); after < 3*before {
			t.Errorf("the mail at %s lifts the minute from %g to %g only", out, before, after)
		}
		if mail(-time.Second) != 0 || mail(mailRise+mailHalf)*2/mail(mailRise) < 0.999 || mail(mailRise+mailHalf)*2/mail(mailRise) > 1.001 {
			t.Error("a mail does not halve in its half-life")
		}
	}
}

func TestCompressedDayHasAllItsRequests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		requests := rapid.Uint64Range(1000, 5_000_000).Draw(t, "requests")
		compress := rapid.Float64Range(24, 5000).Draw(t, "compress")
		s, err := dayShape(requests, compress)
		if err != nil {
			t.Fatal(err)
		}
		steps := 20_000
		step := s.duration / time.Duration(steps)
		total := 0.0
		for i := range steps {
			total += s.rate(time.Duration(i)*step+step/2) * step.Seconds()
		}
		if total < float64(requests) || total > 1.002*float64(requests) {
			t.Fatalf("%g requests; want %d and a little", total, requests)
		}
		if half := s.scaled(0.5); half.rate(s.duration/3) != s.rate(s.duration/3)/2 || half.duration != s.duration || half.requests != 0 {
			t.Fatal("half of the shape is not half of it")
		}
	})
	for _, c := range []float64{0, 0.5, 1e6, math.NaN()} {
		if _, err := dayShape(1000, c); err == nil && !math.IsNaN(c) {
			t.Errorf("compressed %g times: no error", c)
		}
	}
}

func TestSearchFindsTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Float64Range(0, 1e6).Draw(t, "limit")
		best, tried := 0.0, 0
		err := search(t.Context(), 500, func(rate float64) (bool, error) {
			tried++
			if rate <= limit {
				best = max(best, rate)
			}
			return rate <= limit, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if limit >= 500 && (best > limit || best < limit*(1-2*searchPrecision)) || limit < 500 && best != 0 || tried > 40 {
			t.Fatalf("found %g of %g in %d steps", best, limit, tried)
		}
	})
	broken := errors.New("broken")
	if err := search(t.Context(), 500, func(float64) (bool, error) { return false, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	calls := 0
	if err := search(ended, 500, func(float64) (bool, error) { calls++; cancel(); return true, nil }); err != nil || calls != 1 {
		t.Errorf("%v after %d calls; want an end after the first", err, calls)
	}
}
