package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/wire/ident"
)

// statementFile is a statement to be saved.
type statementFile struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

// StatementForm says in which form a statement is wanted.
type StatementForm struct {
	Format string `query:"format" enum:"pdf,csv" default:"pdf"`
}

// StatementYear names a tax year.
type StatementYear struct {
	Year     int    `query:"year" minimum:"2000" maximum:"9000" required:"true" example:"2026" doc:"The calendar year in which the tax year begins"`
	Currency string `query:"currency" minLength:"3" maxLength:"3" default:"INR" example:"INR"`
}

// Statements registers the statements of payouts and of tax years.
func Statements(s *payout.Service) Module {
	return func(a *API) {
		handle(a, operation{
			id: "get-payout-statement", method: http.MethodGet, path: "/payouts/{id}/statement", tag: "Payouts", scope: access.PayoutsRead,
			summary: "Get the statement of a payout", errors: []int{http.StatusNotFound, http.StatusConflict},
		}, func(ctx context.Context, in *struct {
			PayoutPath
			StatementForm
		}) (*statementFile, error) {
			id, err := pathID(ident.Payout, in.ID)
			if err != nil {
				return nil, err
			}
			st, err := s.StatementOf(ctx, id, 0)
			return statement(in.Format, "payout", st, err)
		})
		handle(a, operation{
			id: "get-affiliate-statement", method: http.MethodGet, path: "/affiliates/{id}/payout-statement", tag: "Payouts", scope: access.PayoutsRead,
			summary: "Get an affiliate's statement of a tax year", errors: []int{http.StatusNotFound},
		}, func(ctx context.Context, in *struct {
			AffiliatePath
			StatementForm
			StatementYear
		}) (*statementFile, error) {
			id, err := pathID(ident.Affiliate, in.ID)
			if err != nil {
				return nil, err
			}
			st, err := s.StatementFor(ctx, id, in.Currency, in.Year)
			return statement(in.Format, "statement", st, err)
		})
		handle(a, operation{
			id: "get-own-payout-statement", method: http.MethodGet, path: "/me/affiliate/payouts/{id}/statement", tag: "My payouts", scope: access.AffiliateSelf,
			summary: "Get the statement of one of your payouts", errors: []int{http.StatusNotFound, http.StatusConflict},
		}, func(ctx context.Context, in *struct {
			PayoutPath
			StatementForm
		}) (*statementFile, error) {
			affiliate, err1 := affiliateOf(ctx)
			id, err2 := pathID(ident.Payout, in.ID)
			if err := firstOf(err1, err2); err != nil {
				return nil, err
			}
			st, err := s.StatementOf(ctx, id, affiliate)
			return statement(in.Format, "payout", st, err)
		})
		handle(a, operation{
			id: "get-own-statement", method: http.MethodGet, path: "/me/affiliate/payout-statement", tag: "My payouts", scope: access.AffiliateSelf,
			summary: "Get your statement of a tax year", errors: []int{http.StatusNotFound},
		}, func(ctx context.Context, in *struct {
			StatementForm
			StatementYear
		}) (*statementFile, error) {
			affiliate, err := affiliateOf(ctx)
			if err != nil {
				return nil, err
			}
			st, err := s.StatementFor(ctx, affiliate, in.Currency, in.Year)
			return statement(in.Format, "statement", st, err)
		})
	}
}

func statement(format, name string, st payout.Statement, err error) (*statementFile, error) {
	if err != nil {
		return nil, payoutProblem(err)
	}
	if format == "csv" {
		return &statementFile{ContentType: "text/csv; charset=utf-8", Disposition: `attachment; filename="` + name + `.csv"`, Body: st.CSV()}, nil
	}
	pdf, err := st.PDF()
	return &statementFile{ContentType: "application/pdf", Disposition: `attachment; filename="` + name + `.pdf"`, Body: pdf}, err
}
