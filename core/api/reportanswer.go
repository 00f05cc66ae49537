package api

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/report"
)

// answerReport answers a query that has been validated; viewer is the affiliate who asks about himself, or 0.
func (a *API) answerReport(ctx context.Context, r reporter, n namer, q report.Query, viewer int64, format string) (*reportOutput, error) {
	res, err := r.Report(ctx, q)
	if err != nil {
		return nil, a.reportsDown(ctx, err)
	}
	body := reportBody(res, q)
	if body.Names, err = reportNames(ctx, n, res, q, viewer); err != nil {
		return nil, err
	}
	if format != "csv" {
		return &reportOutput{Body: body}, nil
	}
	table, err := reportCSV(body, q)
	return &reportOutput{ContentType: "text/csv; charset=utf-8", Disposition: `attachment; filename="report.csv"`, Body: table}, err
}

// reportNames looks up what keys and filters name, with at most one query a kind: a page that shows a report needs no other request.
func reportNames(ctx context.Context, n namer, res report.Result, q report.Query, viewer int64) (map[string]string, error) {
	out := map[string]string{}
	for _, dimension := range []report.Dimension{report.Affiliate, report.Program, report.Link} {
		kind := identKind(dimension)
		wanted := identifiers(dimension, res, q)
		if len(wanted) == 0 {
			continue
		}
		names, err := n.VisibleNames(ctx, kind, wanted, viewer)
		if err != nil {
			return nil, fmt.Errorf("name what a report is about: %w", err)
		}
		for id, name := range names {
			out[ident.Format(kind, id)] = name
		}
	}
	return out, nil
}

// identifiers returns those of one dimension, each once.
func identifiers(d report.Dimension, res report.Result, q report.Query) []int64 {
	seen := map[int64]bool{}
	var out []int64
	add := func(text string) {
		if id := decimalID(text); id > 0 && !seen[id] {
			seen[id], out = true, append(out, id)
		}
	}
	if q.GroupBy == d {
		for i := range res.Rows {
			add(res.Rows[i].Key)
		}
	}
	for _, f := range q.Filters {
		if f.Dimension == d {
			for _, value := range f.Values {
				add(value)
			}
		}
	}
	return out
}
