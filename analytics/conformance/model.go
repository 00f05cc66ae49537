package conformance

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// Model is a Store that keeps everything in memory and computes every report from the single clicks and facts.
// It is slow on purpose: each rule of the package comment is one plain piece of code. The zero Model is empty.
type Model struct {
	mu      sync.Mutex
	clicks  []click.Record
	facts   []report.Fact
	batches map[string]bool
	known   map[int64]bool // fact IDs
}

// AppendClicks implements Store. Unlike a store it keeps the records' strings.
func (m *Model) AppendClicks(ctx context.Context, batchID string, clicks []click.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.first("clicks " + batchID) {
		for _, c := range clicks {
			m.clicks = append(m.clicks, clone(c))
		}
	}
	return nil
}

// AppendFacts implements Store.
func (m *Model) AppendFacts(ctx context.Context, batchID string, facts []report.Fact) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.first("facts " + batchID) {
		return nil
	}
	if m.known == nil {
		m.known = make(map[int64]bool)
	}
	for _, f := range facts {
		if !m.known[f.ID] {
			m.known[f.ID] = true
			m.facts = append(m.facts, f)
		}
	}
	return nil
}

func (m *Model) first(batch string) bool {
	if m.batches == nil {
		m.batches = make(map[string]bool)
	}
	if m.batches[batch] {
		return false
	}
	m.batches[batch] = true
	return true
}

// clone copies the texts through the encoding, which leaves nothing shared, and drops what is not stored.
func clone(c click.Record) click.Record {
	c.UserAgent = ""
	copied, err := click.Parse(string(c.Append(nil)))
	if err != nil {
		panic("BUG: a record does not survive its own encoding: " + err.Error())
	}
	return copied
}

// row is a click or a fact with what a report looks at.
type row struct {
	milli  int64
	value  func(report.Dimension) string
	click  *click.Record // nil: a fact
	fact   *report.Fact
	bucket time.Time
	key    string
}

// Report implements Store.
func (m *Model) Report(ctx context.Context, q report.Query) (report.Result, error) {
	if err := ctx.Err(); err != nil {
		return report.Result{}, err
	}
	if err := q.Validate(); err != nil {
		return report.Result{}, err
	}
	rows := m.rows(q)
	total := sum(rows)
	currency := q.Currency
	if currency == "" && len(total.Money) > 0 {
		currency = total.Money[0].Currency
	}
	order := func(a, b report.Row) int {
		return cmp.Or(cmp.Compare(metric(b.Figures, q.OrderBy, currency), metric(a.Figures, q.OrderBy, currency)),
			cmp.Compare(a.Key, b.Key))
	}

	var groups []report.Row
	for key, members := range split(rows, func(r row) string { return r.key }) {
		groups = append(groups, report.Row{Key: key, Figures: sum(members)})
	}
	slices.SortFunc(groups, order)

	result := report.Result{Total: total}
	shown := make(map[string]bool)
	for _, g := range groups[:min(q.Limit, len(groups))] {
		shown[g.Key] = true
	}
	rest := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return shown[r.key] })
	if len(groups) > len(shown) {
		other := sum(rest)
		result.Other = &other
	}
	type cell struct {
		bucket int64
		key    string
	}
	for at, members := range split(rows, func(r row) cell { return cell{r.bucket.UnixMilli(), r.key} }) {
		if shown[at.key] {
			result.Rows = append(result.Rows, report.Row{Start: members[0].bucket, Key: at.key, Figures: sum(members)})
		}
	}
	slices.SortFunc(result.Rows, func(a, b report.Row) int { return cmp.Or(a.Start.Compare(b.Start), order(a, b)) })
	return result, nil
}

// Clicks implements Store.
func (m *Model) Clicks(_ context.Context, q report.ClickQuery) ([]click.Record, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []click.Record
	for _, c := range m.clicks {
		in := !c.ID.Time().Before(q.From.Truncate(time.Millisecond)) && c.ID.Time().Before(q.To.Truncate(time.Millisecond))
		mine := q.AffiliateID == 0 || c.ID.AffiliateID() == q.AffiliateID
		below := q.Before.IsZero() || c.ID.String() < q.Before.String()
		if in && mine && below && keeps(q.Filters, func(d report.Dimension) string { return clickValue(&c, d) }) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b click.Record) int { return cmp.Compare(b.ID.String(), a.ID.String()) })
	return found[:min(q.Limit, len(found))], nil
}

// rows returns what the report is about, with bucket and key.
func (m *Model) rows(q report.Query) []row {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]row, 0, len(m.clicks)+len(m.facts))
	byID := make(map[click.ID]*click.Record, len(m.clicks))
	for i := range m.clicks {
		c := &m.clicks[i] // a record never changes, also when the slice grows
		byID[c.ID] = c
		all = append(all, row{milli: c.ID.UnixMilli(), click: c, value: func(d report.Dimension) string { return clickValue(c, d) }})
	}
	for i := range m.facts {
		f := &m.facts[i]
		c, known := byID[f.ClickID]
		all = append(all, row{milli: f.Time, fact: f, value: func(d report.Dimension) string {
			switch {
			case d == report.Affiliate:
				return idText(f.AffiliateID)
			case d == report.Program:
				return idText(f.ProgramID)
			case d == report.Link:
				return idText(f.LinkID)
			case !known:
				return ""
			}
			return clickValue(c, d)
		}})
	}
	var kept []row
	for _, r := range all {
		in := r.milli >= q.From.UnixMilli() && r.milli < q.To.UnixMilli()
		mine := q.AffiliateID == 0 || r.value(report.Affiliate) == idText(q.AffiliateID)
		if !in || !mine || !keeps(q.Filters, r.value) {
			continue
		}
		r.bucket = bucketStart(time.UnixMilli(r.milli).In(q.Zone), q.Bucket)
		if q.GroupBy != "" {
			r.key = r.value(q.GroupBy)
		}
		kept = append(kept, r)
	}
	return kept
}

func keeps(filters []report.Filter, value func(report.Dimension) string) bool {
	for _, f := range filters {
		if slices.Contains(f.Values, value(f.Dimension)) == f.Not {
			return false
		}
	}
	return true
}

func bucketStart(t time.Time, b report.Bucket) time.Time {
	switch b {
	case report.Hour:
		past := time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
		return t.Add(-past)
	case report.Day:
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	}
	return time.Time{}
}

func split[K comparable](rows []row, key func(row) K) map[K][]row {
	parts := make(map[K][]row)
	for _, r := range rows {
		parts[key(r)] = append(parts[key(r)], r)
	}
	return parts
}

func sum(rows []row) report.Figures {
	type visit struct {
		day     int64
		visitor uint64
	}
	var f report.Figures
	visits := make(map[visit]bool)
	money := make(map[string]report.Money)
	for _, r := range rows {
		if c := r.click; c != nil {
			f.Clicks++
			if c.Bot != click.NotBot {
				f.Bots++
			} else {
				visits[visit{c.ID.UnixMilli() / (24 * 3600 * 1000), c.Visitor}] = true
			}
			continue
		}
		f.Leads += r.fact.Leads
		f.Sales += r.fact.Sales
		f.Refunds += r.fact.Refunds
		m := money[r.fact.Currency]
		m.Currency = r.fact.Currency
		m.Revenue += r.fact.Revenue
		m.Commission += r.fact.Commission
		money[m.Currency] = m
	}
	f.Uniques = int64(len(visits))
	for _, m := range money {
		if m.Revenue != 0 || m.Commission != 0 {
			f.Money = append(f.Money, m)
		}
	}
	slices.SortFunc(f.Money, func(a, b report.Money) int { return cmp.Compare(a.Currency, b.Currency) })
	return f
}

func metric(f report.Figures, by report.Metric, currency string) int64 {
	var in report.Money
	for _, m := range f.Money {
		if m.Currency == currency {
			in = m
		}
	}
	return map[report.Metric]int64{
		report.Clicks: f.Clicks, report.Uniques: f.Uniques, report.Bots: f.Bots, report.Leads: f.Leads,
		report.Sales: f.Sales, report.Revenue: in.Revenue, report.Commission: in.Commission,
	}[by]
}

func idText(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

func clickValue(c *click.Record, d report.Dimension) string {
	switch d {
	case report.Affiliate:
		return idText(c.ID.AffiliateID())
	case report.Program:
		return idText(c.ProgramID)
	case report.Link:
		return idText(c.ID.LinkID())
	case report.Node:
		return strconv.Itoa(int(c.ID.Node()))
	case report.Bot:
		return string(c.Bot)
	case report.Sub1:
		return c.Sub[0]
	case report.Sub2:
		return c.Sub[1]
	case report.Sub3:
		return c.Sub[2]
	case report.Sub4:
		return c.Sub[3]
	case report.Sub5:
		return c.Sub[4]
	case report.GCLID:
		return c.GCLID
	case report.FBCLID:
		return c.FBCLID
	case report.TTCLID:
		return c.TTCLID
	case report.MSCLKID:
		return c.MSCLKID
	case report.UTMSource:
		return c.UTMSource
	case report.UTMMedium:
		return c.UTMMedium
	case report.UTMCampaign:
		return c.UTMCampaign
	case report.UTMTerm:
		return c.UTMTerm
	case report.UTMContent:
		return c.UTMContent
	case report.ReferrerHost:
		return c.ReferrerHost
	case report.ReferrerPath:
		return c.ReferrerPath
	case report.Browser:
		return c.Browser
	case report.OS:
		return c.OS
	case report.Device:
		return c.Device
	case report.Country:
		return c.Country
	case report.Language:
		return c.Language
	case report.Network:
		return c.Network
	}
	panic("BUG: dimension without a value: " + string(d))
}
