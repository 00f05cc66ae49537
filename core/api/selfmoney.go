package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/wire/ident"
)

// OwnSpan is what reports about oneself take: whose they are is not to be chosen.
type OwnSpan struct {
	From   Time     `query:"from" required:"true" doc:"Clicks and conversions at this time or later"`
	To     Time     `query:"to" required:"true" doc:"Clicks and conversions before this time"`
	Filter []string `query:"filter,explode" maxItems:"800" doc:"dimension:value, or dimension:!value to leave it out" example:"[\"country:IN\"]"`
}

func (s OwnSpan) input() ReportInput { return ReportInput{From: s.From, To: s.To, Filter: s.Filter} }

type ownReportInput struct {
	OwnSpan
	Zone     string `query:"zone" maxLength:"64" doc:"IANA time zone of the buckets; UTC if absent" example:"Asia/Kolkata"`
	Bucket   string `query:"bucket" enum:"hour,day" doc:"Absent: the whole span"`
	GroupBy  string `query:"group_by" maxLength:"32" doc:"A dimension: program, link, sub1 to sub5, referrer_host, device, country and so on"`
	OrderBy  string `query:"order_by" enum:"clicks,uniques,bots,leads,sales,revenue,commission" default:"clicks"`
	Currency string `query:"currency" maxLength:"3" doc:"To order by revenue or commission in"`
	Limit    int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Groups; the rest is summed up in other"`
	Format   string `query:"format" enum:"json,csv" default:"json"`
}

type ownClicksInput struct {
	OwnSpan
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"Items on a page"`
	Cursor string `query:"cursor" maxLength:"512" doc:"next_cursor of the page before; empty for the first page"`
}

func ownFigures(a *API, r reporter, names namer) {
	handleSelf(a, operation{
		id: "get-my-report", method: http.MethodGet, path: "/reports", summary: "Get a report about yourself",
		about: "Totals or a series, of everything or of the top groups of a dimension; `format=csv` gives the same as a table.", errors: []int{http.StatusServiceUnavailable},
	}, func(ctx context.Context, affiliate int64, in *ownReportInput) (*reportOutput, error) {
		q, err := (&reportInput{
			ReportInput: in.input(), Zone: in.Zone, Bucket: in.Bucket, GroupBy: in.GroupBy, OrderBy: in.OrderBy, Currency: in.Currency, Limit: in.Limit,
		}).query()
		if err != nil {
			return nil, err
		}
		q.AffiliateID = affiliate
		return a.answerReport(ctx, r, names, q, affiliate, in.Format)
	})
	doc := a.huma.OpenAPI()
	doc.Paths[prefix+"/me/affiliate/reports"].Get.Responses["200"].Content = map[string]*huma.MediaType{
		"application/json": {Schema: doc.Components.Schemas.Schema(reflect.TypeFor[Report](), true, "Report")},
		"text/csv":         {Schema: &huma.Schema{Type: huma.TypeString}},
	}
	handleSelf(a, operation{
		id: "list-my-clicks", method: http.MethodGet, path: "/clicks", summary: "List single clicks on your links", about: "The newest first.",
		errors: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
	}, func(ctx context.Context, affiliate int64, in *ownClicksInput) (*listOutput[Click], error) {
		out, err := listClicks(ctx, a, r, &clicksInput{ReportInput: in.input(), Limit: in.Limit, Cursor: in.Cursor}, affiliate)
		if err != nil {
			return nil, err
		}
		for i := range out.Body.Items {
			out.Body.Items[i].Network = "" // the visitor is the business's, not the affiliate's
		}
		return out, nil
	})
}

type (
	ownConversionList struct {
		ListInput
		PeriodInput
		ProgramID string `query:"program_id" example:"prg_01J8Z0QK5T2VG"`
		Type      string `query:"type" enum:"lead,sale,refund,rejected"`
	}
	ownCommissionList struct {
		ListInput
		PeriodInput
		State string `query:"state" enum:"pending,payable,paid,reversed"`
	}
)

func ownMoney(a *API, s SelfServices) {
	ownConversions(a, s.Conversions)
	ownCommissions(a, s.Commissions)
	ownLevels(a, s.Commissions)
	handleSelf(a, operation{
		id: "list-my-balances", method: http.MethodGet, path: "/balances", summary: "List your balances",
		about: "By currency: pending until the hold ends, payable, in_flight in a payout, paid and withheld. A negative payable balance is set off against what comes. Always one page.",
	}, func(ctx context.Context, affiliate int64, _ *struct{}) (*listOutput[Balance], error) {
		rows, err := s.Ledger.Balances(ctx, affiliate)
		return &listOutput[Balance]{Body: List[Balance]{Items: balanceBodies(rows)}}, err
	})
}

func ownConversions(a *API, s *conversion.Service) {
	handleSelf(a, operation{
		id: "list-my-conversions", method: http.MethodGet, path: "/conversions", summary: "List conversions attributed to you", about: "The newest first.",
		errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, affiliate int64, in *ownConversionList) (*listOutput[Conversion], error) {
		f, err := (&conversionList{ListInput: in.ListInput, PeriodInput: in.PeriodInput, ProgramID: in.ProgramID, Type: in.Type}).filter()
		if err != nil {
			return nil, err
		}
		f.AffiliateID = affiliate
		rows, err := s.List(ctx, f)
		if err != nil {
			return nil, err
		}
		return page(ident.Conversion, in.Limit, rows, func(c conversion.Conversion) int64 { return c.ID }, conversionBody), nil
	})
	handleSelf(a, operation{id: "get-my-conversion", method: http.MethodGet, path: "/conversions/{id}", summary: "Get a conversion attributed to you"},
		func(ctx context.Context, affiliate int64, in *ConversionPath) (*struct{ Body Conversion }, error) {
			id, err := pathID(ident.Conversion, in.ID)
			if err != nil {
				return nil, err
			}
			c, err := s.Get(ctx, id)
			if err == nil && c.AffiliateID != affiliate {
				err = errNoSuch
			}
			return &struct{ Body Conversion }{conversionBody(c)}, err
		})
}

func ownCommissions(a *API, s *commission.Service) {
	handleSelf(a, operation{
		id: "list-my-commissions", method: http.MethodGet, path: "/commissions", summary: "List your commissions", about: "The newest first.",
		errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, affiliate int64, in *ownCommissionList) (*listOutput[Commission], error) {
		since, before, err := in.between(ident.Commission, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		rows, err := s.List(ctx, commission.Filter{AffiliateID: affiliate, State: commission.State(in.State), Since: since, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.Commission, in.Limit, rows, func(c commission.Commission) int64 { return c.ID }, commissionBody), nil
	})
	handleSelf(a, operation{
		id: "get-my-commission", method: http.MethodGet, path: "/commissions/{id}", summary: "Get one of your commissions",
		about: "With the rule, the arithmetic and everything that was taken back.",
	}, func(ctx context.Context, affiliate int64, in *CommissionPath) (*struct{ Body CommissionDetail }, error) {
		id, err := pathID(ident.Commission, in.ID)
		if err != nil {
			return nil, err
		}
		c, err := s.Get(ctx, id)
		if err == nil && c.AffiliateID != affiliate {
			err = errNoSuch
		}
		if err != nil {
			return nil, err
		}
		return &struct{ Body CommissionDetail }{commissionDetail(c)}, nil
	})
}
