package trial

import (
	"context"
	"fmt"
	"io"
	"math"
	"sort"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/edgeref/edgeref/bench/meter"
	"github.com/edgeref/edgeref/bench/system"
	"github.com/edgeref/edgeref/wire/money"
)

// world is what a run makes in the system, under its own id, so that runs do not collide.
type world struct {
	run        string
	program    program
	affiliates []string // ids
	links      []madeLink
	popular    []float64 // cumulated popularity of links, the last is 1
}

// program has terms under which every commission comes out whole, whatever the rounding: see priceStep.
type program struct {
	id, secret string
}

const (
	currency   = "INR"
	sharePoint = 7500 // basis points on a sale
	leadFlat   = 2500 // minor units for a lead
	priceStep  = 400  // minor units; 75 % of a multiple is a whole number
	makers     = 8    // requests under way while links are made
)

type madeLink struct {
	slug, id  string
	affiliate int // index into affiliates
}

type made struct {
	ID     string `json:"id"`
	Secret string `json:"postback_secret"`
}

// makeWorld makes one program with a rule for sales and one for leads, an affiliate for every four links (at most 500),
// and the links.
func makeWorld(ctx context.Context, api *system.Client, run string, links int, out io.Writer) (*world, error) {
	w := &world{run: run, links: make([]madeLink, links), affiliates: make([]string, min(max(links/4, 1), maxAffiliates))}
	var p made
	err := api.Post(ctx, "/programs", run+"-program", map[string]any{
		"name": "Load test " + run, "currency": currency, "hold_days": 30, "attribution_window_days": 30,
	}, &p)
	if err != nil {
		return nil, fmt.Errorf("make program: %w", err)
	}
	w.program = program{id: p.ID, secret: p.Secret}
	for _, rule := range []map[string]any{
		{"program_id": p.ID, "on": "sale", "percent_bp": sharePoint},
		{"program_id": p.ID, "on": "lead", "flat": money.Amount{Minor: leadFlat, Currency: currency}},
	} {
		if err := api.Post(ctx, "/commission-rules", run+"-rule-"+fmt.Sprint(rule["on"]), rule, &made{}); err != nil {
			return nil, fmt.Errorf("make commission rule: %w", err)
		}
	}
	progress := meter.New(out, "make links", len(w.affiliates)+links)
	if err := makeAll(ctx, len(w.affiliates), progress, func(ctx context.Context, i int) error {
		var m made
		email := fmt.Sprintf("load-%s-%d@example.com", run, i)
		err := api.Post(ctx, "/affiliates", run+"-"+email, map[string]any{"name": fmt.Sprintf("Load test %s affiliate %d", run, i+1), "email": email}, &m)
		w.affiliates[i] = m.ID
		return err
	}); err != nil {
		return nil, fmt.Errorf("make affiliates: %w", err)
	}
	if err := makeAll(ctx, links, progress, func(ctx context.Context, i int) error {
		l := madeLink{slug: fmt.Sprintf("lt-%s-%d", run, i), affiliate: i % len(w.affiliates)}
		var m made
		err := api.Post(ctx, "/links", run+"-"+l.slug, map[string]any{
			"affiliate_id": w.affiliates[l.affiliate], "program_id": p.ID, "slug": l.slug,
			"destination": fmt.Sprintf("https://shop.example/course/%d", i),
		}, &m)
		l.id = m.ID
		w.links[i] = l
		return err
	}); err != nil {
		return nil, fmt.Errorf("make links: %w", err)
	}
	w.popular = zipf(links)
	return w, nil
}

// makeAll calls make for 0 to n-1, some at a time.
func makeAll(ctx context.Context, n int, progress *meter.Meter, make func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(makers)
	var mu sync.Mutex
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := make(ctx, i); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			progress.Add(1)
			return nil
		})
	}
	return group.Wait()
}

// zipf returns the cumulated popularity of n links: the kth is asked for 1/k times as often as the first.
func zipf(n int) []float64 {
	p := make([]float64, n)
	sum := 0.0
	for i := range p {
		sum += 1 / float64(i+1)
		p[i] = sum
	}
	for i := range p {
		p[i] /= sum
	}
	p[n-1] = 1
	return p
}

// link picks a link by a number that is evenly distributed over all values.
func (w *world) link(draw uint64) int {
	return sort.SearchFloat64s(w.popular, float64(draw>>11)/(1<<53))
}

// draw is the kth number that belongs to request n: evenly distributed, and the same whenever it is asked for, so that
// nothing about a request must be kept until its answer comes.
func draw(n, k uint64) uint64 {
	v := n*0x9e3779b97f4a7c15 + (k+1)*0xd1b54a32d192ed03
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

// happens says whether something happens that does so in share of all cases.
func happens(draw uint64, share float64) bool { return float64(draw) < share*math.MaxUint64 }
