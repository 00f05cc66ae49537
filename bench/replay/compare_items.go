package replay

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/edgeref/edgeref/bench/system"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
	"github.com/edgeref/edgeref/wire/report"
)

// listedClick is one item of GET /api/v1/reports/clicks.
type listedClick map[string]any

func (l listedClick) text(name string) string {
	switch v := l[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// value is the text of the click in a dimension.
func (l listedClick) value(d report.Dimension) string {
	switch d {
	case report.Affiliate, report.Program, report.Link:
		return l.text(string(d) + "_id")
	}
	return l.text(string(d))
}

// clicks pages through the list of single clicks: each Click ID that was handed out must be there once, newest first,
// with everything that was sent. A click that nobody got the answer of is accepted where a line may have been in flight.
func (c *comparer) clicks(ctx context.Context) ([]Check, error) {
	check := Check{Name: "list of clicks", Expected: int64(len(c.sender.ids))}
	params := url.Values{"limit": {strconv.Itoa(clicksPage)}}
	window := query{From: c.from, To: c.to}
	params.Set("from", window.values().Get("from"))
	params.Set("to", window.values().Get("to"))
	addFilters(params, []filter{c.oracle.world.ownPrograms()})
	byID := make(map[click.ID]*visit, len(c.oracle.visits))
	for _, v := range c.oracle.visits {
		byID[v.Record.ID] = v
	}
	seen := make(map[click.ID]bool, len(byID))
	last := ""
	err := system.List(ctx, c.api, "/reports/clicks", params, func(item listedClick) error {
		check.Groups++
		check.Got++
		text := item.text("id")
		id, err := click.ParseID(text)
		if err != nil {
			return fmt.Errorf("list of clicks: id %q: %w", text, err)
		}
		if last != "" && text >= last {
			check.differ("click %s is out of order or listed twice", text)
		}
		last = text
		v := byID[id]
		if v == nil {
			if v = c.unanswered(id, item); v == nil {
				check.differ("click %s (gclid %q): nobody was given this ID", text, item.text("gclid"))
				return nil
			}
			check.Expected++
		}
		seen[id] = true
		c.compareClick(&check, v, item)
		return nil
	})
	for id, line := range c.sender.ids {
		if !seen[id] && err == nil {
			check.differ("line %d: click %s is missing", line, id)
		}
	}
	return []Check{check}, err
}

// unanswered finds the line whose answer never came and adds the click to the expectation; nil if there is none.
func (c *comparer) unanswered(id click.ID, item listedClick) *visit {
	number, ok := strings.CutPrefix(item.text("gclid"), c.oracle.world.Run+"-")
	if !ok {
		return nil
	}
	line, err := strconv.Atoi(number)
	if err != nil || c.sender.before.Unanswered[line] == 0 || c.sender.resent[line] == nil {
		return nil
	}
	c.sender.before.Unanswered[line]--
	c.extra++
	return c.oracle.addClick(c.sender.resent[line], id)
}

func (c *comparer) compareClick(check *Check, v *visit, item listedClick) {
	at, err := time.Parse(time.RFC3339Nano, item.text("time"))
	if err != nil || at.UnixMilli() != v.Record.ID.UnixMilli() {
		check.differ("line %d: time %q, the Click ID says %s", v.Line, item.text("time"), v.Record.ID.Time().Format(time.RFC3339Nano))
	}
	for _, d := range report.Dimensions() {
		if got, want := item.value(d), c.oracle.value(v, d); got != want {
			check.differ("line %d: %s %q, want %q", v.Line, d, got, want)
		}
	}
}

// listedConversion is one item of GET /api/v1/conversions.
type listedConversion struct {
	ProgramID   string        `json:"program_id"`
	Type        string        `json:"type"`
	TxnID       string        `json:"txn_id"`
	RefTxnID    string        `json:"ref_txn_id"`
	ClickID     string        `json:"click_id"`
	Amount      *money.Amount `json:"amount"`
	AffiliateID string        `json:"affiliate_id"`
	LinkID      string        `json:"link_id"`
	State       string        `json:"state"`
	ReceivedAt  time.Time     `json:"received_at"`
}

// conversions compares the list of conversions and that of conflicts.
func (c *comparer) conversions(ctx context.Context) ([]Check, error) {
	booked := &c.oracle.books
	check := Check{Name: "list of conversions", Expected: int64(len(booked.booked))}
	facts := map[txnKey]*fact{}
	for i := range c.oracle.facts {
		facts[c.oracle.facts[i].Key] = &c.oracle.facts[i]
	}
	seen := map[txnKey]bool{}
	for i := range c.oracle.world.Programs {
		p := &c.oracle.world.Programs[i]
		err := system.List(ctx, c.api, "/conversions", url.Values{"program_id": {p.ID}, "limit": {"200"}}, func(item listedConversion) error {
			check.Groups++
			check.Got++
			key := txnKey{conversion.Type(item.Type), item.TxnID}
			s, known := booked.booked[key]
			switch {
			case !known:
				check.differ("%s %s: nobody sent it", item.Type, item.TxnID)
			case seen[key]:
				check.differ("%s %s: listed twice", item.Type, item.TxnID)
			default:
				c.compareConversion(&check, p, &s, &item)
				c.takeTime(&check, facts[key], &item)
			}
			seen[key] = true
			return nil
		})
		if err != nil {
			return []Check{check}, err
		}
	}
	for key := range booked.booked {
		if !seen[key] {
			check.differ("%s %s: missing", key.Type, key.Txn)
		}
	}
	conflicts, err := c.conflicts(ctx)
	return []Check{check, conflicts}, err
}

func (c *comparer) compareConversion(check *Check, p *program, s *step, item *listedConversion) {
	v := c.oracle.books.visits[s.Line]
	l := &c.oracle.world.Links[v.Link]
	id := v.Record.ID.String()
	if s.NoClick {
		id = ""
	}
	for _, field := range []struct{ name, got, want string }{
		{"program", item.ProgramID, p.ID},
		{"click", item.ClickID, id},
		{"affiliate", item.AffiliateID, c.oracle.world.Affiliates[l.Affiliate].ID},
		{"link", item.LinkID, l.ID},
		{"taken back transaction", item.RefTxnID, s.Ref},
		{"state", item.State, "booked"},
	} {
		if field.got != field.want {
			check.differ("%s %s: %s %q, want %q", s.Type, s.Txn, field.name, field.got, field.want)
		}
	}
	if s.Minor > 0 && (item.Amount == nil || *item.Amount != money.Amount{Minor: s.Minor, Currency: p.Currency}) {
		check.differ("%s %s: amount %v, want %d %s", s.Type, s.Txn, item.Amount, s.Minor, p.Currency)
	}
}

// takeTime takes over when a conversion happened: like the time of a click it is the tracker's to say, here within the
// bounds that are known. A later acknowledgement than the first does not change it.
func (c *comparer) takeTime(check *Check, f *fact, item *listedConversion) {
	if f == nil {
		return
	}
	if clicked := f.Visit.Record.ID.Time(); item.ReceivedAt.Before(clicked) || item.ReceivedAt.After(f.At.Add(clockSkew)) {
		check.differ("%s %s: received at %s; the click was at %s and the answer came at %s", item.Type, item.TxnID,
			item.ReceivedAt.Format(time.RFC3339Nano), clicked.Format(time.RFC3339Nano), f.At.UTC().Format(time.RFC3339Nano))
		return
	}
	f.At = item.ReceivedAt
}

// clockSkew is by how much the tracker's clock may be ahead of ours.
const clockSkew = time.Minute

// conflicts: every other input under a booked transaction is listed once.
func (c *comparer) conflicts(ctx context.Context) (Check, error) {
	want := map[txnKey]int{}
	check := Check{Name: "list of conversion conflicts"}
	for s := range c.oracle.books.conflicts {
		want[txnKey{s.Type, s.Txn}]++
		check.Expected++
	}
	own := map[string]bool{}
	for i := range c.oracle.world.Programs {
		own[c.oracle.world.Programs[i].ID] = true
	}
	err := system.List(ctx, c.api, "/conversion-conflicts", url.Values{"limit": {"200"}}, func(item listedConversion) error {
		if !own[item.ProgramID] {
			return nil
		}
		check.Got++
		check.Groups++
		key := txnKey{conversion.Type(item.Type), item.TxnID}
		if want[key]--; want[key] < 0 {
			check.differ("%s %s: not expected", item.Type, item.TxnID)
		}
		return nil
	})
	for key, n := range want {
		if n > 0 && err == nil {
			check.differ("%s %s: missing", key.Type, key.Txn)
		}
	}
	return check, err
}
