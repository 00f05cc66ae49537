package replay

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/edgeref/edgeref/wire/agent"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// visit is one click as it must have been recorded: everything but ID is computed here, from the log and the plan.
type visit struct {
	Line    int
	Link    int // index into world.Links
	Record  click.Record
	Visitor string // client address and user agent; Record.Visitor cannot be foretold
}

// fact is a change of the figures that follows from a booked conversion.
type fact struct {
	Key                   txnKey
	Visit                 *visit
	At                    time.Time
	Leads, Sales, Refunds int64
	Currency              string
	Revenue, Commission   int64
}

// oracle knows from the log, the plan and the Click IDs what every report must say. It holds one entry a click and a
// conversion in memory, and counts anew for each question: slow on purpose, each rule is one plain piece of code.
type oracle struct {
	world  *world
	agents *agent.Classifier
	visits []*visit
	facts  []fact
	books  books
}

func newOracle(w *world, agents *agent.Classifier) *oracle {
	return &oracle{world: w, agents: agents, books: newBooks()}
}

// maxAgent is how much of a User-Agent tells visitors apart, in bytes.
const maxAgent = 512

// addClick takes in a click that was made for r, with the ID that the system gave it.
func (o *oracle) addClick(r *request, id click.ID) *visit {
	v := &visit{Line: r.Line, Link: r.Link, Record: o.record(r), Visitor: r.Addr.String() + " " + r.UserAgent[:min(len(r.UserAgent), maxAgent)]}
	v.Record.ID = id
	o.visits = append(o.visits, v)
	return v
}

// record is what must be recorded of a request.
func (o *oracle) record(r *request) click.Record {
	class := o.agents.Classify(r.UserAgent)
	rec := click.Record{
		Country: r.Country, Network: network(r.Addr),
		Browser: class.Browser, OS: class.OS, Device: class.Device,
		GCLID: r.Params.Get("gclid"), FBCLID: r.Params.Get("fbclid"),
		UTMSource: r.Params.Get("utm_source"), UTMMedium: r.Params.Get("utm_medium"), UTMCampaign: r.Params.Get("utm_campaign"),
	}
	for i := range rec.Sub {
		rec.Sub[i] = r.Params.Get("sub" + strconv.Itoa(i+1))
	}
	rec.ReferrerHost, rec.ReferrerPath = referrer(r.Referrer)
	for _, l := range languages() {
		if l.Header == r.Languages {
			rec.Language = l.Recorded
		}
	}
	switch {
	case class.Crawler:
		rec.Bot = click.BotCrawler
	case r.UserAgent == "":
		rec.Bot = click.BotNoAgent
	case r.Prefetch != "":
		rec.Bot = click.BotPrefetch
	case r.Method == http.MethodHead:
		rec.Bot = click.BotHead
	}
	return rec
}

// network cuts an address to what may be kept of it.
func network(addr netip.Addr) string {
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	return netip.PrefixFrom(addr, bits).Masked().String()
}

// value is the text of a click in a dimension, as the API writes it.
func (o *oracle) value(v *visit, d report.Dimension) string {
	l := &o.world.Links[v.Link]
	switch d {
	case report.Affiliate:
		return o.world.Affiliates[l.Affiliate].ID
	case report.Program:
		return o.world.Programs[l.Program].ID
	case report.Link:
		return l.ID
	}
	return recorded(&v.Record, d)
}

// recorded is the text of a record in a dimension that is a property of the click.
func recorded(r *click.Record, d report.Dimension) string {
	switch d {
	case report.Sub1, report.Sub2, report.Sub3, report.Sub4, report.Sub5:
		return r.Sub[d[3]-'1']
	case report.GCLID:
		return r.GCLID
	case report.FBCLID:
		return r.FBCLID
	case report.UTMSource:
		return r.UTMSource
	case report.UTMMedium:
		return r.UTMMedium
	case report.UTMCampaign:
		return r.UTMCampaign
	case report.ReferrerHost:
		return r.ReferrerHost
	case report.ReferrerPath:
		return r.ReferrerPath
	case report.Browser:
		return r.Browser
	case report.OS:
		return r.OS
	case report.Device:
		return r.Device
	case report.Country:
		return r.Country
	case report.Language:
		return r.Language
	case report.Network:
		return r.Network
	case report.Bot:
		return string(r.Bot)
	case report.Node:
		return strconv.Itoa(int(r.ID.Node()))
	}
	return "" // nothing else is ever sent
}

// cell is one row of a report: a bucket (zero without buckets) and a group.
type cell struct {
	Start int64 // Unix ms
	Key   string
}

// answer is what a report must say.
type answer struct {
	Rows  map[cell]*tally
	Other *tally // the groups beyond the limit; nil if there are none
	Total *tally
}

// tally adds up the figures of a group.
type tally struct {
	report.Figures
	visitors map[string]struct{}
	money    map[string]*report.Money
}

func newTally() *tally {
	return &tally{visitors: map[string]struct{}{}, money: map[string]*report.Money{}}
}

func (t *tally) addClick(v *visit) {
	t.Clicks++
	if v.Record.Bot != click.NotBot {
		t.Bots++
		return
	}
	t.visitors[v.Record.ID.Time().Format(time.DateOnly)+" "+v.Visitor] = struct{}{}
}

func (t *tally) addFact(f *fact) {
	t.Leads += f.Leads
	t.Sales += f.Sales
	t.Refunds += f.Refunds
	if f.Currency == "" {
		return
	}
	m := t.money[f.Currency]
	if m == nil {
		m = &report.Money{Currency: f.Currency}
		t.money[f.Currency] = m
	}
	m.Revenue += f.Revenue
	m.Commission += f.Commission
}

// close computes what is not a running sum.
func (t *tally) close() {
	t.Uniques = int64(len(t.visitors))
	for _, m := range t.money {
		if m.Revenue != 0 || m.Commission != 0 {
			t.Money = append(t.Money, *m)
		}
	}
	slices.SortFunc(t.Money, func(a, b report.Money) int { return cmp.Compare(a.Currency, b.Currency) })
}

// answer counts q over all clicks and facts. It knows filters, affiliate, group, bucket and zone, and orders by clicks;
// the span of q is taken to hold everything.
func (o *oracle) answer(q *query) answer {
	a := answer{Rows: map[cell]*tally{}, Total: newTally()}
	groups := map[string]*tally{}
	count := func(v *visit, at time.Time, add func(*tally)) {
		if !o.keeps(q, v) {
			return
		}
		key := o.value(v, q.Group)
		at0 := cell{bucketStart(at, q.Bucket, q.Zone), key}
		if a.Rows[at0] == nil {
			a.Rows[at0] = newTally()
		}
		if groups[key] == nil {
			groups[key] = newTally()
		}
		add(a.Rows[at0])
		add(groups[key])
		add(a.Total)
	}
	for _, v := range o.visits {
		count(v, v.Record.ID.Time(), func(t *tally) { t.addClick(v) })
	}
	for i := range o.facts {
		f := &o.facts[i]
		count(f.Visit, f.At, func(t *tally) { t.addFact(f) })
	}
	if hidden := beyond(groups, q.limit()); len(hidden) > 0 {
		a.Other = newTally()
		o.countHidden(q, hidden, a.Other)
		for at := range a.Rows {
			if hidden[at.Key] {
				delete(a.Rows, at)
			}
		}
	}
	for _, t := range a.Rows {
		t.close()
	}
	a.Total.close()
	return a
}

// beyond returns the groups that a report with this limit does not show: ordered by clicks, ties by key.
func beyond(groups map[string]*tally, limit int) map[string]bool {
	keys := make([]string, 0, len(groups))
	for key := range groups {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(groups[b].Clicks, groups[a].Clicks), cmp.Compare(a, b))
	})
	hidden := map[string]bool{}
	for _, key := range keys[min(limit, len(keys)):] {
		hidden[key] = true
	}
	return hidden
}

func (o *oracle) countHidden(q *query, hidden map[string]bool, t *tally) {
	for _, v := range o.visits {
		if o.keeps(q, v) && hidden[o.value(v, q.Group)] {
			t.addClick(v)
		}
	}
	for i := range o.facts {
		if f := &o.facts[i]; o.keeps(q, f.Visit) && hidden[o.value(f.Visit, q.Group)] {
			t.addFact(f)
		}
	}
	t.close()
}

func (o *oracle) keeps(q *query, v *visit) bool {
	for _, f := range q.Filters {
		if slices.Contains(f.Values, o.value(v, f.Dimension)) == f.Not {
			return false
		}
	}
	return q.Affiliate == "" || q.Affiliate == o.value(v, report.Affiliate)
}

// bucketStart is the beginning of the hour or day of t in a zone, Unix ms; 0 without buckets.
func bucketStart(t time.Time, b report.Bucket, zone *time.Location) int64 {
	if zone == nil {
		zone = time.UTC
	}
	local := t.In(zone)
	hour := 0
	switch b {
	case report.Hour:
		hour = local.Hour()
	case report.Day:
	default:
		return 0
	}
	return time.Date(local.Year(), local.Month(), local.Day(), hour, 0, 0, 0, zone).UnixMilli()
}
