package trial

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/edgeref/edgeref/bench/system"
)

// question is one report that a dashboard shows.
type question struct {
	name   string
	path   string
	params url.Values
}

const apiTime = "2006-01-02T15:04:05.000Z"

// dashboard are the reports of the dashboards of the run's own program over a span: what an affiliate and an admin see.
func (w *world) dashboard(from, to time.Time) []question {
	ask := func(name string, params ...string) question {
		v := url.Values{"from": {from.UTC().Format(apiTime)}, "to": {to.UTC().Format(apiTime)}}
		v.Add("filter", "program:"+w.program.id)
		for i := 0; i < len(params); i += 2 {
			v.Add(params[i], params[i+1])
		}
		return question{name, "/reports", v}
	}
	mine := w.affiliates[0]
	last := max(from.UnixMilli(), to.Add(-48*time.Hour).UnixMilli())
	hours := ask("by hour, last two days", "bucket", "hour", "zone", "Asia/Kolkata")
	hours.params.Set("from", time.UnixMilli(last).UTC().Format(apiTime))
	clicks := ask("latest clicks", "limit", "100")
	clicks.path = "/reports/clicks"
	return []question{
		ask("totals"),
		ask("by day", "bucket", "day", "zone", "Asia/Kolkata"),
		hours,
		ask("by affiliate", "group_by", "affiliate"),
		ask("by link", "group_by", "link"),
		ask("by country", "group_by", "country"),
		ask("by device", "group_by", "device"),
		ask("by browser", "group_by", "browser"),
		ask("by referrer host", "group_by", "referrer_host"),
		ask("by campaign", "group_by", "utm_campaign"),
		ask("by sub id", "group_by", "sub1"),
		ask("people by source", "group_by", "utm_source", "filter", "bot:"),
		ask("by day and affiliate, top 10", "bucket", "day", "group_by", "affiliate", "limit", "10"),
		ask("one affiliate, by day", "bucket", "day", "affiliate_id", mine),
		ask("one affiliate, by link", "group_by", "link", "affiliate_id", mine),
		ask("India by link", "group_by", "link", "filter", "country:IN"),
		clicks,
	}
}

// maxReaders bounds report queries under way; more are counted as failed.
const maxReaders = 64

var errCrowded = fmt.Errorf("%d reports were under way", maxReaders)

// reader asks for reports on a schedule, whatever the answers do. Latency counts from the due time.
type reader struct {
	api   *system.Client
	world *world
	rate  float64 // queries a second

	timeline *timeline // of faults; nil: every failure is one

	mu      sync.Mutex
	latency *hdrhistogram.Histogram // microseconds
	asked   int64
	absent  int64 // through faults: nobody answered
	failed  int64
	why     string // of the first failure
}

func newReader(api *system.Client, w *world, rate float64) *reader {
	return &reader{api: api, world: w, rate: rate, latency: hdrhistogram.New(1, time.Minute.Microseconds(), 3)}
}

// run asks until ctx ends and waits for the answers that are under way.
func (r *reader) run(ctx context.Context) {
	if r.rate <= 0 {
		return
	}
	begun := time.Now()
	var under sync.WaitGroup
	defer under.Wait()
	slots := make(chan struct{}, maxReaders)
	for n := 0; ; n++ {
		due := begun.Add(time.Duration(float64(n+1) / r.rate * float64(time.Second)))
		if pause(ctx, time.Until(due)) != nil {
			return
		}
		list := r.world.dashboard(begun.Add(-24*time.Hour), time.Now().Add(time.Hour))
		q := list[n%len(list)]
		select {
		case slots <- struct{}{}:
		default:
			r.fail(errCrowded)
			continue
		}
		under.Go(func() {
			defer func() { <-slots }()
			var answer struct{}
			// The end of the load does not cut answers off; the client's own limit ends them.
			if err := r.api.Get(context.WithoutCancel(ctx), q.path, q.params, &answer); err != nil {
				r.fail(err)
				return
			}
			r.count(due)
		})
	}
}

// count counts an answer.
func (r *reader) count(due time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	// It fails only beyond the range, which is excluded.
	_ = r.latency.RecordValue(min(max(time.Since(due).Microseconds(), 1), time.Minute.Microseconds()))
}

// fail counts a query that has no answer. Through faults that is no failure, if somebody was away.
func (r *reader) fail(err error) {
	cause, away := "", false
	if a, ok := system.Away(err); ok {
		cause, away = a.Cause, true
	} else if errors.Is(err, errCrowded) {
		cause, away = errCrowded.Error(), true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if away && r.timeline != nil {
		r.absent++
		r.timeline.unanswered("reports", cause)
		return
	}
	r.failed++
	if r.why == "" {
		r.why = err.Error()
	}
}
