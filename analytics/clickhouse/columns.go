package clickhouse

import (
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// textColumn is a column of clicks that holds a text of the record. It is named like its dimension.
type textColumn struct {
	dimension report.Dimension
	repeats   bool // LowCardinality in the table
	field     func(*click.Record) *string
}

func (c textColumn) name() string { return string(c.dimension) }

// textColumns are all of them, in the order in which this package writes and reads them.
func textColumns() []textColumn {
	return []textColumn{
		{report.Bot, true, func(r *click.Record) *string { return (*string)(&r.Bot) }},
		{report.Sub1, false, func(r *click.Record) *string { return &r.Sub[0] }},
		{report.Sub2, false, func(r *click.Record) *string { return &r.Sub[1] }},
		{report.Sub3, false, func(r *click.Record) *string { return &r.Sub[2] }},
		{report.Sub4, false, func(r *click.Record) *string { return &r.Sub[3] }},
		{report.Sub5, false, func(r *click.Record) *string { return &r.Sub[4] }},
		{report.GCLID, false, func(r *click.Record) *string { return &r.GCLID }},
		{report.FBCLID, false, func(r *click.Record) *string { return &r.FBCLID }},
		{report.TTCLID, false, func(r *click.Record) *string { return &r.TTCLID }},
		{report.MSCLKID, false, func(r *click.Record) *string { return &r.MSCLKID }},
		{report.UTMSource, true, func(r *click.Record) *string { return &r.UTMSource }},
		{report.UTMMedium, true, func(r *click.Record) *string { return &r.UTMMedium }},
		{report.UTMCampaign, true, func(r *click.Record) *string { return &r.UTMCampaign }},
		{report.UTMTerm, true, func(r *click.Record) *string { return &r.UTMTerm }},
		{report.UTMContent, true, func(r *click.Record) *string { return &r.UTMContent }},
		{report.ReferrerHost, true, func(r *click.Record) *string { return &r.ReferrerHost }},
		{report.ReferrerPath, false, func(r *click.Record) *string { return &r.ReferrerPath }},
		{report.Browser, true, func(r *click.Record) *string { return &r.Browser }},
		{report.OS, true, func(r *click.Record) *string { return &r.OS }},
		{report.Device, true, func(r *click.Record) *string { return &r.Device }},
		{report.Country, true, func(r *click.Record) *string { return &r.Country }},
		{report.Language, true, func(r *click.Record) *string { return &r.Language }},
		{report.Network, false, func(r *click.Record) *string { return &r.Network }},
	}
}

// property is how a dimension is written in SQL.
type property struct {
	expr   string // over clicks
	number bool   // an id: Int64, 0 for none; else a text
	own    bool   // facts have it themselves; else it is that of their click
	rolled bool   // the roll-up has it
}

// properties covers every dimension of package report.
func properties() map[report.Dimension]property {
	all := map[report.Dimension]property{
		report.Affiliate: {expr: "affiliate_id", number: true, own: true, rolled: true},
		report.Program:   {expr: "program_id", number: true, own: true, rolled: true},
		report.Link:      {expr: "link_id", number: true, own: true, rolled: true},
		report.Node:      {expr: "toString(node)"},
	}
	for _, c := range textColumns() {
		all[c.dimension] = property{expr: c.name(), rolled: c.dimension == report.Bot}
	}
	return all
}
