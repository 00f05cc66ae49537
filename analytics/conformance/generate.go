package conformance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// Spans of generated data: three UTC days around a change of the clock in New York.
func march() time.Time    { return time.Date(2026, time.March, 7, 0, 0, 0, 0, time.UTC) }
func november() time.Time { return time.Date(2026, time.October, 31, 0, 0, 0, 0, time.UTC) }

const spanDays = 3

// Generator makes clicks and facts from a seed. It is not safe for concurrent use.
type Generator struct {
	rand *rand.Rand
	keys *click.Keyring
	from time.Time
	fact int64
}

// NewGenerator makes clicks and facts of the three days that begin at from. Equal seeds make equal data, but for the
// random part of the Click IDs.
func NewGenerator(t testing.TB, seed uint64, from time.Time) *Generator {
	t.Helper()
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	return &Generator{rand: rand.New(rand.NewPCG(seed, 0)), keys: keys, from: from}
}

func (g *Generator) pick(values ...string) string { return values[g.rand.IntN(len(values))] }

// text picks from few ordinary values and, now and then, an odd one.
func (g *Generator) text(name string, kinds int) string {
	switch g.rand.IntN(12) {
	case 0, 1, 2:
		return ""
	case 3:
		return g.pick(oddTexts()...)
	}
	return fmt.Sprintf("%s-%d", name, g.rand.IntN(kinds))
}

// oddTexts are values that break careless quoting, escaping, cutting, folding and collation.
func oddTexts() []string {
	return []string{
		"O'Brien", `say "hi"`, `back\slash`, "100%", "a_b", "aXb", "Case", "case", " padded ", "naïve", "日本語", "🎓",
		"a\tb\nc", "null", "NULL", "0", "007", "1e3", "x'); DROP TABLE clicks; --", "{a:b}", "?", "a\x00b", "\xff\xfe",
		strings.Repeat("long ", 200), strings.Repeat("é", click.MaxField/2),
	}
}

// Click makes a click at a random millisecond of the span.
func (g *Generator) Click() click.Record {
	at := g.from.Add(time.Duration(g.rand.Int64N(spanDays*24*3600*1000)) * time.Millisecond)
	if g.rand.IntN(10) == 0 {
		at = at.Truncate(15 * time.Minute) // on the edge of a bucket
	}
	return g.ClickAt(at)
}

// ClickAt makes a click at the given time.
func (g *Generator) ClickAt(at time.Time) click.Record {
	link := 1 + g.rand.Int64N(12)
	affiliate := 1 + link%5
	r := click.Record{
		ID:        g.keys.Mint(at, uint16(g.rand.IntN(3)), link, affiliate),
		ProgramID: 1 + link%2,
		GCLID:     g.text("gclid", 50), FBCLID: g.text("fbclid", 50), TTCLID: g.text("ttclid", 50), MSCLKID: g.text("msclkid", 50),
		UTMSource: g.text("source", 4), UTMMedium: g.text("medium", 3), UTMCampaign: g.text("campaign", 6),
		UTMTerm: g.text("term", 8), UTMContent: g.text("content", 8),
		ReferrerHost: g.text("host", 20), ReferrerPath: g.text("/path", 40),
		UserAgent: "raw agents are not stored",
		Browser:   g.text("browser", 5), OS: g.text("os", 4), Device: g.pick("desktop", "mobile", "tablet", ""),
		Country: g.pick("IN", "NP", "US", "XX", "T1", ""), Language: g.pick("en", "hi", "ne", ""),
		Network: fmt.Sprintf("203.0.%d.0/24", g.rand.IntN(60)),
		// A visitor hash is of one day; the same number on another day is another visitor.
		Visitor: uint64(g.rand.IntN(200)) * 0x9e3779b97f4a7c15,
	}
	for i := range r.Sub {
		r.Sub[i] = g.text(fmt.Sprintf("sub%d", i+1), 10)
	}
	if g.rand.IntN(5) == 0 {
		r.Bot = click.BotReason(g.pick(string(click.BotCrawler), string(click.BotNoAgent), string(click.BotPrefetch), string(click.BotHead)))
	}
	return r
}

// Clicks makes n clicks.
func (g *Generator) Clicks(n int) []click.Record {
	clicks := make([]click.Record, n)
	for i := range clicks {
		clicks[i] = g.Click()
	}
	return clicks
}

// Fact makes a fact that follows from the click; now and then from no click at all, from one that no store has, or
// booked for another affiliate than the click's.
func (g *Generator) Fact(c click.Record) report.Fact {
	g.fact++
	f := report.Fact{
		ID: g.fact, Time: c.ID.UnixMilli() + g.rand.Int64N(6*3600*1000), ClickID: c.ID,
		ProgramID: c.ProgramID, AffiliateID: c.ID.AffiliateID(), LinkID: c.ID.LinkID(),
	}
	switch g.rand.IntN(10) {
	case 0:
		f.ClickID, f.AffiliateID, f.LinkID = click.ID{}, 0, 0
	case 1:
		f.ClickID = g.keys.Mint(c.ID.Time(), 9, c.ID.LinkID(), c.ID.AffiliateID())
	case 2:
		f.AffiliateID, f.LinkID = 9, 99
	}
	f.Currency = g.pick("INR", "INR", "USD", "JPY")
	switch g.rand.IntN(6) {
	case 0, 1:
		f.Leads, f.Currency = 1, ""
	case 2:
		f.Leads, f.Currency = -1, ""
	case 3:
		f.Refunds, f.Revenue = 1, -1-g.rand.Int64N(500_000)
	case 4:
		f.Sales, f.Revenue = 1, 1+g.rand.Int64N(1_000_000)
	default:
		f.Sales, f.Revenue = 1, 50_000_000_000_000+g.rand.Int64N(1_000_000)
	}
	f.Commission = f.Revenue * 3 / 4
	return f
}

// Facts makes n facts of clicks chosen at random.
func (g *Generator) Facts(clicks []click.Record, n int) []report.Fact {
	facts := make([]report.Fact, n)
	for i := range facts {
		facts[i] = g.Fact(clicks[g.rand.IntN(len(clicks))])
	}
	return facts
}
