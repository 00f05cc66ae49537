package clickhouse

import (
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// textColumn is a column of clicks that holds a text of the record. It is named like its dimension.
type textColumn struct {
	dimension report.Dimension
	field     func(*click.Record) *string
}

func (c textColumn) name() string { return string(c.dimension) }

// textColumns are all of them, in the order in which this package writes and reads them.
func textColumns() []textColumn {
	return []textColumn{
		{report.Bot, func(r *click.Record) *string { return (*string)(&r.Bot) }},
		{report.Sub1, func(r *click.Record) *string { return &r.Sub[0] }},
		{report.Sub2, func(r *click.Record) *string { return &r.Sub[1] }},
		{report.Sub3, func(r *click.Record) *string { return &r.Sub[2] }},
		{report.Sub4, func(r *click.Record) *string { return &r.Sub[3] }},
		{report.Sub5, func(r *click.Record) *string { return &r.Sub[4] }},
		{report.GCLID, func(r *click.Record) *string { return &r.GCLID }},
		{report.FBCLID, func(r *click.Record) *string { return &r.FBCLID }},
		{report.TTCLID, func(r *click.Record) *string { return &r.TTCLID }},
		{report.MSCLKID, func(r *click.Record) *string { return &r.MSCLKID }},
		{report.UTMSource, func(r *click.Record) *string { return &r.UTMSource }},
		{report.UTMMedium, func(r *click.Record) *string { return &r.UTMMedium }},
		{report.UTMCampaign, func(r *click.Record) *string { return &r.UTMCampaign }},
		{report.UTMTerm, func(r *click.Record) *string { return &r.UTMTerm }},
		{report.UTMContent, func(r *click.Record) *string { return &r.UTMContent }},
		{report.ReferrerHost, func(r *click.Record) *string { return &r.ReferrerHost }},
		{report.ReferrerPath, func(r *click.Record) *string { return &r.ReferrerPath }},
		{report.Browser, func(r *click.Record) *string { return &r.Browser }},
		{report.OS, func(r *click.Record) *string { return &r.OS }},
		{report.Device, func(r *click.Record) *string { return &r.Device }},
		{report.Country, func(r *click.Record) *string { return &r.Country }},
		{report.Language, func(r *click.Record) *string { return &r.Language }},
		{report.Network, func(r *click.Record) *string { return &r.Network }},
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
