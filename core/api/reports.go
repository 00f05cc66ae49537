package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/report"
)

// reporter answers from analytics. It is safe for concurrent use; the queries it is given have been validated.
type reporter interface {
	Report(ctx context.Context, q report.Query) (report.Result, error)
	Clicks(ctx context.Context, q report.ClickQuery) ([]click.Record, error)
}

// namer knows what identifiers are called. What is not there, or that the affiliate viewer (if not 0) may not know, is absent.
type namer interface {
	VisibleNames(ctx context.Context, kind string, ids []int64, viewer int64) (map[int64]string, error)
}

// Report is the answer to a report query.
type Report struct {
	Rows  []ReportRow       `json:"rows" nullable:"false"`
	Other *ReportFigures    `json:"other,omitempty" doc:"The groups beyond the limit"`
	Total ReportFigures     `json:"total"`
	Names map[string]string `json:"names" doc:"What the identifiers among keys and filters are called: affiliates and programs by name, links by slug" example:"{\"lnk_01J8Z0QK5T2VG\": \"spring-sale\"}"`
}

// ReportRow is one bucket, group, or bucket of a group.
type ReportRow struct {
	Start string `json:"start,omitempty" doc:"Of the bucket, in the zone asked for" example:"2026-05-01T00:00:00+05:30"`
	Key   string `json:"key" doc:"Of the group; an identifier for affiliate, program and link; empty for none"`
	ReportFigures
}

// ReportFigures are what a report counts.
type ReportFigures struct {
	Clicks         int64         `json:"clicks" doc:"Bots included"`
	Bots           int64         `json:"bots"`
	Uniques        int64         `json:"uniques" doc:"Distinct visitors without bots, new again each day (UTC)"`
	Leads          int64         `json:"leads"`
	Sales          int64         `json:"sales"`
	Refunds        int64         `json:"refunds"`
	ConversionRate float64       `json:"conversion_rate" doc:"Sales per click without bots" example:"0.031"`
	Money          []ReportMoney `json:"money" nullable:"false" doc:"By currency: currencies are never added up"`
}

// ReportMoney is revenue and commission in one currency.
type ReportMoney struct {
	Currency   string  `json:"currency" example:"INR"`
	Revenue    int64   `json:"revenue_minor" doc:"Minor units, less refunds"`
	Commission int64   `json:"commission_minor" doc:"Minor units, less reversals"`
	EPC        float64 `json:"epc_minor" doc:"Commission per click without bots, minor units"`
}

// ReportInput is what every report takes.
type ReportInput struct {
	From        Time     `query:"from" required:"true" doc:"Clicks and conversions at this time or later"`
	To          Time     `query:"to" required:"true" doc:"Clicks and conversions before this time"`
	Filter      []string `query:"filter,explode" maxItems:"800" doc:"dimension:value, or dimension:!value to leave it out; values of one dimension are alternatives" example:"[\"country:IN\"]"`
	AffiliateID string   `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
}

type reportInput struct {
	ReportInput
	Zone     string `query:"zone" maxLength:"64" doc:"IANA time zone of the buckets; UTC if absent" example:"Asia/Kolkata"`
	Bucket   string `query:"bucket" enum:"hour,day" doc:"Absent: the whole span"`
	GroupBy  string `query:"group_by" maxLength:"32" doc:"A dimension: affiliate, program, link, sub1 to sub5, referrer_host, device, country and so on"`
	OrderBy  string `query:"order_by" enum:"clicks,uniques,bots,leads,sales,revenue,commission" default:"clicks"`
	Currency string `query:"currency" maxLength:"3" doc:"To order by revenue or commission in"`
	Limit    int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Groups; the rest is summed up in other"`
	Format   string `query:"format" enum:"json,csv" default:"json"`
}

type reportOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        any    // Report, or CSV as []byte
}

// Reports registers the reports.
func Reports(r reporter, names namer) Module {
	return func(a *API) {
		handle(a, operation{
			id: "get-report", method: http.MethodGet, path: "/reports", tag: "Reports", scope: access.ReportsRead,
			summary: "Get a report", about: "Totals or a series, of everything or of the top groups of a dimension; `format=csv` gives the same as a table.",
			errors: []int{http.StatusServiceUnavailable},
		}, func(ctx context.Context, in *reportInput) (*reportOutput, error) {
			q, err := in.query()
			if err != nil {
				return nil, err
			}
			return a.answerReport(ctx, r, names, q, 0, in.Format)
		})
		describeReport(a)
		handle(a, operation{
			id: "list-clicks", method: http.MethodGet, path: "/reports/clicks", tag: "Reports", scope: access.ReportsRead,
			summary: "List single clicks", about: "The newest first.", errors: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
		}, func(ctx context.Context, in *clicksInput) (*listOutput[Click], error) {
			return listClicks(ctx, a, r, in, 0)
		})
	}
}

// reportsDown answers while analytics does not: everything else goes on without it.
func (a *API) reportsDown(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	a.log.Error("analytics did not answer", "request_id", infoOf(ctx).id, "error", err)
	return &Problem{Status: http.StatusServiceUnavailable, Code: "reports_unavailable", Detail: "reports cannot be read now; try again later"}
}

// describeReport tells the description both forms of the answer, which the type of the body cannot.
func describeReport(a *API) {
	doc := a.huma.OpenAPI()
	schema := doc.Components.Schemas.Schema(reflect.TypeFor[Report](), true, "Report")
	doc.Paths[prefix+"/reports"].Get.Responses["200"].Content = map[string]*huma.MediaType{
		"application/json": {Schema: schema},
		"text/csv":         {Schema: &huma.Schema{Type: huma.TypeString}},
	}
}

func (in *reportInput) query() (report.Query, error) {
	q := report.Query{
		Bucket: report.Bucket(in.Bucket), GroupBy: report.Dimension(in.GroupBy), OrderBy: report.Metric(in.OrderBy),
		Currency: in.Currency, Limit: in.Limit,
	}
	var err, zoneErr error
	if q.Zone, zoneErr = parseZone(in.Zone); zoneErr != nil {
		zoneErr = invalid("query.zone", "is not an IANA time zone like Asia/Kolkata")
	}
	q.From, q.To, q.Filters, q.AffiliateID, err = in.parse()
	if err := invalidAll(err, zoneErr); err != nil {
		return q, err
	}
	return q, q.Validate()
}

// parseZone refuses "Local", which is the server's own business.
func parseZone(name string) (*time.Location, error) {
	if strings.EqualFold(name, "local") {
		return nil, errNoSuch
	}
	return time.LoadLocation(name)
}

func (in *ReportInput) parse() (from, to time.Time, filters []report.Filter, affiliate int64, err error) {
	fromMS, err1 := parseTime("query.from", in.From)
	toMS, err2 := parseTime("query.to", in.To)
	affiliate, err3 := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
	filters, err4 := parseFilters(in.Filter)
	return time.UnixMilli(fromMS).UTC(), time.UnixMilli(toMS).UTC(), filters, affiliate, invalidAll(err1, err2, err3, err4)
}

// parseFilters joins the values of one dimension, apart for those to keep and those to leave out.
func parseFilters(texts []string) ([]report.Filter, error) {
	var out []report.Filter
	for _, text := range texts {
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			return nil, invalid("query.filter", "must be dimension:value")
		}
		value, not := strings.CutPrefix(value, "!")
		dimension := report.Dimension(name)
		if kind := identKind(dimension); kind != "" && value != "" {
			id, err := fieldID(kind, "query.filter", value)
			if err != nil {
				return nil, err
			}
			value = strconv.FormatInt(id, 10)
		}
		i := slices.IndexFunc(out, func(f report.Filter) bool { return f.Dimension == dimension && f.Not == not })
		if i < 0 {
			i = len(out)
			out = append(out, report.Filter{Dimension: dimension, Not: not})
		}
		out[i].Values = append(out[i].Values, value)
	}
	return out, nil
}

// identKind is the prefix of the identifiers that are the values of a dimension, or empty for one of texts.
func identKind(d report.Dimension) string {
	switch d {
	case report.Affiliate:
		return ident.Affiliate
	case report.Program:
		return ident.Program
	case report.Link:
		return ident.Link
	default:
		return ""
	}
}

func reportBody(res report.Result, q report.Query) Report {
	body := Report{Rows: make([]ReportRow, len(res.Rows)), Total: figuresBody(res.Total)}
	for i, row := range res.Rows {
		body.Rows[i] = ReportRow{Key: keyBody(q.GroupBy, row.Key), ReportFigures: figuresBody(row.Figures)}
		if q.Bucket != report.Whole {
			body.Rows[i].Start = row.Start.In(q.Zone).Format(time.RFC3339)
		}
	}
	if res.Other != nil {
		other := figuresBody(*res.Other)
		body.Other = &other
	}
	return body
}

// keyBody turns the decimal identifiers of analytics into the API's.
func keyBody(d report.Dimension, key string) string {
	kind := identKind(d)
	if kind == "" {
		return key
	}
	return identOrNone(kind, decimalID(key))
}

// decimalID reads an identifier as analytics writes it; 0 if it is none.
func decimalID(text string) int64 {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}

func figuresBody(f report.Figures) ReportFigures {
	body := ReportFigures{
		Clicks: f.Clicks, Bots: f.Bots, Uniques: f.Uniques, Leads: f.Leads, Sales: f.Sales, Refunds: f.Refunds,
		ConversionRate: f.ConversionRate(), Money: make([]ReportMoney, len(f.Money)),
	}
	for i, m := range f.Money {
		body.Money[i] = ReportMoney{Currency: m.Currency, Revenue: m.Revenue, Commission: m.Commission, EPC: f.EPC(m)}
	}
	return body
}
