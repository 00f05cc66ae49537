package load

import (
	"context"
	"errors"
	"sync"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"
)

// RunAll runs n generators side by side, each on its own thread, and adds up what they measured, second by second.
// options returns those of generator i; its rate, connections and number of requests are its own share. OnSecond of
// generator 0 is given the sums. A failing generator ends the others.
func RunAll(ctx context.Context, n int, options func(i int) Options) (Result, error) {
	if n < 1 {
		return Result{}, errors.New("generators: at least one is needed")
	}
	if n == 1 {
		return Run(ctx, options(0))
	}
	sum := &adder{n: n, open: map[int]*openSecond{}, total: Result{Status: map[int]uint64{}, Failures: map[string]uint64{}, Latency: newHistogram()}}
	group, ctx := errgroup.WithContext(ctx)
	results := make([]Result, n)
	for i := range n {
		o := options(i)
		if i == 0 {
			sum.onSecond = o.OnSecond
		}
		o.OnSecond, o.onClose = nil, sum.add
		group.Go(func() (err error) {
			results[i], err = Run(ctx, o)
			return err
		})
	}
	err := group.Wait()
	return sum.finish(results), err
}

// adder adds up the seconds of several generators. A second is complete when all have closed it.
type adder struct {
	n        int
	onSecond func(Result)

	mu    sync.Mutex
	open  map[int]*openSecond // few: generators run at the same pace
	total Result
}

type openSecond struct {
	Second
	latency *hdrhistogram.Histogram
	parts   int
}

func (a *adder) add(n int, s Second, latency *hdrhistogram.Histogram) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o := a.open[n]
	if o == nil {
		o = &openSecond{latency: newHistogram()}
		a.open[n] = o
	}
	o.Scheduled += s.Scheduled
	o.Answered += s.Answered
	o.Failed += s.Failed
	o.latency.Merge(latency)
	o.parts++
	for a.open[len(a.total.Seconds)] != nil && a.open[len(a.total.Seconds)].parts == a.n {
		a.close()
		if a.onSecond != nil {
			a.onSecond(a.total)
		}
	}
}

// close moves the first open second to the total.
func (a *adder) close() {
	n := len(a.total.Seconds)
	o := a.open[n]
	delete(a.open, n)
	o.P50, o.P99, o.Max = micros(o.latency.ValueAtQuantile(50)), micros(o.latency.ValueAtQuantile(99)), micros(o.latency.Max())
	a.total.Seconds = append(a.total.Seconds, o.Second)
	a.total.Scheduled += o.Scheduled
	a.total.Answered += o.Answered
	a.total.Failed += o.Failed
}

// finish takes the exact figures from the generators' own results.
func (a *adder) finish(results []Result) Result {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.open[len(a.total.Seconds)] != nil {
		a.close()
	}
	t := &a.total
	t.Scheduled, t.Answered, t.Failed, t.Unreached = 0, 0, 0, 0
	for _, r := range results {
		t.Elapsed = max(t.Elapsed, r.Elapsed)
		t.Scheduled += r.Scheduled
		t.Answered += r.Answered
		t.Failed += r.Failed
		t.Unreached += r.Unreached
		t.Unsent += r.Unsent
		for status, count := range r.Status {
			t.Status[status] += count
		}
		for why, count := range r.Failures {
			t.Failures[why] += count
		}
		if r.Latency != nil {
			t.Latency.Merge(r.Latency)
		}
	}
	return *t
}
