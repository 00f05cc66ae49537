package demo

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"github.com/edgeref/edgeref/wire/click"
)

// node is the edge node by which the demo's clicks came.
const node = 1

// prospect is a click that leads to something.
type prospect struct {
	id      click.ID
	at      time.Time
	link    *referral
	country string
	kind    prospectKind
}

type prospectKind int

const (
	signsUp   prospectKind = iota // becomes a lead
	buys                          // comes to the checkout
	signsBoth                     // first the one, later the other
)

// hourly is how much of a day's clicks fall into each hour in India, in permille of the busiest: a quiet night, a morning
// that fills up, and an evening peak.
func hourly() [24]float64 {
	return [24]float64{300, 180, 110, 80, 70, 90, 160, 280, 420, 540, 620, 660, 690, 720, 680, 640, 650, 700, 780, 880, 980, 1000, 820, 540}
}

// busyness is how much of the clicks fall on day n, as a multiple of a usual day: Sundays are strong, Tuesdays weak, the
// business grows, and on promotion days everybody writes to everybody.
func busyness(n, days int, weekday time.Weekday) float64 {
	week := [7]float64{1.25, 0.95, 0.85, 0.9, 0.95, 1.0, 1.15}
	f := week[weekday] * (0.7 + 0.6*float64(n)/float64(days))
	if promotion(n, days) {
		f *= 2.6
	}
	return f
}

// promotion days: a festival of three days after a third of the time, and a single day shortly before the end.
func promotion(n, days int) bool {
	third := days / 3
	return days > 10 && (n >= third && n < third+3 || n == days-12)
}

// share is which part of all clicks fall on day n.
func (w *world) share(n int) float64 {
	sum, own := 0.0, 0.0
	for i := range w.o.Size.Days {
		f := busyness(i, w.o.Size.Days, w.day(i).Add(daysBegin).Weekday())
		if i == n {
			own = f
		}
		sum += f
	}
	return own / sum
}

// gate lets a day's visitors choose among the links that there are.
type gate struct {
	links []*referral
	sums  []float64
}

// open looks at the links as they are now. Their slice and weights must not change while visitors come.
func (w *world) open() *gate {
	g, sum := &gate{}, 0.0
	for _, l := range w.links {
		if l.weight > 0 && (l.ExpiresAt == 0 || l.ExpiresAt > w.clock.Now().UnixMilli()) {
			sum += l.weight
			g.links, g.sums = append(g.links, l), append(g.sums, sum)
		}
	}
	return g
}

func (g *gate) pick(r *rand.Rand) *referral {
	i := sort.SearchFloat64s(g.sums, r.Float64()*g.sums[len(g.sums)-1])
	return g.links[min(i, len(g.links)-1)]
}

// times draws when a day's clicks come, in order.
func (w *world) times(r *rand.Rand, n int) []time.Time {
	weights := hourly()
	var sums [24]float64
	sum := 0.0
	for h, v := range weights {
		sum += v
		sums[h] = sum
	}
	count := int(math.Round(float64(w.o.Size.Clicks) * w.share(n)))
	out := make([]time.Time, count)
	from := w.day(n)
	for i := range out {
		h := sort.SearchFloat64s(sums[:], r.Float64()*sum)
		out[i] = from.Add(time.Duration(h)*time.Hour + time.Duration(r.Int64N(int64(time.Hour))).Truncate(time.Millisecond))
	}
	slices.SortFunc(out, time.Time.Compare)
	// Of today only what has been.
	end, _ := slices.BinarySearchFunc(out, w.end, time.Time.Compare)
	return out[:end]
}

// visit makes the clicks of a day, and says which of them lead to something.
func (w *world) visit(c *crowd, g *gate, n int) ([]click.Record, []prospect) {
	r := random("clicks", n)
	times := w.times(r, n)
	records, prospects := make([]click.Record, len(times)), []prospect(nil)
	if len(g.links) == 0 {
		return nil, nil
	}
	people := uint64(max(len(times)*3/4, 1))
	salt := r.Uint64()
	for i, at := range times {
		who := r.Uint64N(people)
		// Whoever comes twice on a day is the same.
		own := rand.New(rand.NewPCG(salt, who))
		v := c.pick(own)
		country := countryOf(own)
		l := g.pick(r)
		rec := v.record
		rec.ID, rec.ProgramID = w.o.Keys.Mint(at, node, l.ID, l.AffiliateID), l.ProgramID
		rec.Visitor, rec.Country, rec.Language, rec.Network = salt^who*0x9e3779b97f4a7c15, country, languageOf(country, own), networkOf(own.Uint64())
		rec.ReferrerHost, rec.ReferrerPath, rec.Sub[0], rec.UTMSource, rec.UTMMedium = referrer(v.from, l.site, r)
		if rec.UTMSource != "" && promotion(n, w.o.Size.Days) {
			rec.UTMCampaign = "festival"
		}
		if rec.Sub[0] != "" && chance(r, 0.3) {
			rec.Sub[1] = "post-" + string(rune('a'+r.IntN(8)))
		}
		if rec.Bot == click.NotBot && r.IntN(100) == 0 {
			rec.Bot = click.BotHead
		}
		records[i] = rec
		if rec.Bot == click.NotBot && chance(r, w.leads()) {
			prospects = append(prospects, prospect{rec.ID, at, l, country, prospectKind(r.IntN(3))})
		}
	}
	return records, prospects
}

// leads is the part of clicks of people that lead to something: a third of them to a lead, a third to a checkout, a
// third to both.
func (w *world) leads() float64 {
	const people = 0.85 // of clicks, roughly: the others are crawlers
	return 1.5 * float64(w.o.Size.Orders) / (people * float64(w.o.Size.Clicks))
}

// keep stores the clicks of a day.
func (w *world) keep(ctx context.Context, n int, records []click.Record) error {
	for i := 0; len(records) > 0; i++ {
		part := records[:min(len(records), clicksPerBatch)]
		records = records[len(part):]
		if err := w.o.Analytics.AppendClicks(ctx, fmt.Sprintf("demo day %d.%d", n, i), part); err != nil {
			return err
		}
	}
	return nil
}

const clicksPerBatch = 10_000
