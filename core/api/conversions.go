package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Conversion is a conversion as listed. Identifiers of what it does not have are empty.
type Conversion struct {
	ID           string           `json:"id" example:"cnv_01J8Z0QK5T2VG"`
	ProgramID    string           `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	Type         wire.Type        `json:"type" enum:"lead,sale,refund,rejected,restored" doc:"restored: a dispute was won, and what it took is given back"`
	TxnID        string           `json:"txn_id" example:"order-1001"`
	RefTxnID     string           `json:"ref_txn_id" doc:"Of a refund or rejection: the transaction that it takes back"`
	ClickID      string           `json:"click_id"`
	Amount       *money.Amount    `json:"amount,omitempty"`
	Name         string           `json:"name"`
	Channel      string           `json:"channel" enum:"postback,pixel,script,api,shop,upload,other"`
	State        conversion.State `json:"state" enum:"booked,waiting,refused" doc:"waiting: its sale has not come in yet; refused: kept for review"`
	Reason       string           `json:"reason" doc:"Why it is refused" example:""`
	Attribution  string           `json:"attribution" doc:"Reason of the attribution; empty until it is decided" example:"attributed"`
	AffiliateID  string           `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG" doc:"Whom it belongs to; empty: nobody"`
	LinkID       string           `json:"link_id" example:"lnk_01J8Z0QK5T2VG"`
	NoCommission string           `json:"no_commission" doc:"Why an attributed sale or lead earned nothing: no_rule, rule_currency_mismatch or recurring_ended"`
	Refunded     *money.Amount    `json:"refunded,omitempty" doc:"Of a sale: taken back by its refunds so far. Of a refund or rejection: by itself"`
	Closed       string           `json:"closed" enum:",refunded,rejected" doc:"Of a sale or lead: why nothing is left of it"`
	ReceivedAt   Time             `json:"received_at"`
	BookedAt     Time             `json:"booked_at"`
}

// ConversionDetail is a conversion with why it belongs to whom, and what it earned or took back.
type ConversionDetail struct {
	Conversion
	Detail      string       `json:"detail" doc:"The state in plain words"`
	Explanation Attribution  `json:"attribution_explanation"`
	Commissions []Commission `json:"commissions" nullable:"false" doc:"What the sale or lead earned"`
	Reversals   []Reversal   `json:"reversals" nullable:"false" doc:"What the refund or rejection took back"`
	Restorals   []Reversal   `json:"restorals" nullable:"false" doc:"What a dispute that was won gave back"`
	Customer    string       `json:"customer" example:"id:4711" doc:"Who bought: the merchant's id, or the SHA-256 of his e-mail address; empty: unknown"`
	OrderID     string       `json:"order_id" example:"ord_01J8Z0QK5T2VG" doc:"Of the shop; empty: none"`
}

// Attribution explains which click a conversion belongs to.
type Attribution struct {
	Text      string               `json:"text" doc:"In plain words"`
	Arguments AttributionArguments `json:"arguments" doc:"What the decision rested on; times in Unix ms"`
}

// AttributionArguments are what a decision rested on.
type AttributionArguments attribution.Explanation

// ConversionRequest tells of a conversion.
type ConversionRequest struct {
	ProgramID string        `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	Type      wire.Type     `json:"type" enum:"lead,sale,refund,rejected"`
	TxnID     string        `json:"txn_id" minLength:"1" maxLength:"128" example:"order-1001" doc:"Your identifier: the same one is booked once"`
	RefTxnID  string        `json:"ref_txn_id,omitempty" maxLength:"128" doc:"Of a refund or rejection: the txn_id of the sale or lead; absent: the same as txn_id"`
	ClickID   string        `json:"click_id,omitempty" maxLength:"60" doc:"As the destination was given it"`
	Amount    *money.Amount `json:"amount,omitempty" doc:"Required for a sale; a refund without one takes back all that is left"`
	Name      string        `json:"name,omitempty" maxLength:"128" example:"signup"`
	Customer  string        `json:"customer,omitempty" maxLength:"125" example:"4711" doc:"Who bought: your id of him, his e-mail address (kept as its SHA-256 only), or that hash"`
	Coupon    string        `json:"coupon,omitempty" maxLength:"128" example:"SPRING" doc:"The code that he used: it may belong to an affiliate"`
}

// Conflict is an event that could not be booked and has no conversion.
type Conflict struct {
	ID         string        `json:"id" example:"cfl_01J8Z0QK5T2VG"`
	ProgramID  string        `json:"program_id" example:"prg_01J8Z0QK5T2VG"`
	Type       string        `json:"type" example:"sale"`
	TxnID      string        `json:"txn_id" example:"order-1001"`
	RefTxnID   string        `json:"ref_txn_id"`
	ClickID    string        `json:"click_id"`
	Amount     *money.Amount `json:"amount,omitempty"`
	Name       string        `json:"name"`
	Channel    string        `json:"channel"`
	Detail     string        `json:"detail" doc:"Why, in plain words"`
	ReceivedAt *Time         `json:"received_at" nullable:"true"`
	CreatedAt  Time          `json:"created_at"`
}

// ConversionPath names one conversion.
type ConversionPath struct {
	ID string `path:"id" example:"cnv_01J8Z0QK5T2VG"`
}

type conversionOutput struct {
	Status int
	Body   ConversionDetail
}

type conversionList struct {
	ListInput
	ProgramID   string `query:"program_id" example:"prg_01J8Z0QK5T2VG"`
	AffiliateID string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	Type        string `query:"type" enum:"lead,sale,refund,rejected,restored"`
	State       string `query:"state" enum:"booked,waiting,refused"`
	TxnID       string `query:"txn_id" maxLength:"128"`
	ClickID     string `query:"click_id" maxLength:"60" doc:"What a click led to"`
	PeriodInput
}

// Conversions registers the operations on conversions.
func Conversions(s *conversion.Service) Module {
	return func(a *API) {
		assignOperation(a, s)
		couponCodeOperations(a, s)
		uploadOperation(a, s)
		handle(a, operation{
			id: "create-conversion", method: http.MethodPost, path: "/conversions", tag: "Conversions", scope: access.ConversionsWrite,
			status: http.StatusCreated, summary: "Book a conversion",
			about: "201 once; 200 when the same is sent again; 409 conversion_conflict when its transaction id was booked with other input; " +
				"422 conversion_refused when it can never be booked. What is not booked is kept for review.",
			errors: []int{http.StatusConflict},
		}, func(ctx context.Context, in *struct{ Body ConversionRequest }) (*conversionOutput, error) {
			return bookOne(ctx, s, &in.Body, a.now().UnixMilli())
		})
		handle(a, operation{
			id: "list-conversions", method: http.MethodGet, path: "/conversions", tag: "Conversions", scope: access.ConversionsRead,
			summary: "List conversions", about: "The newest first.", errors: []int{http.StatusBadRequest},
		}, func(ctx context.Context, in *conversionList) (*listOutput[Conversion], error) {
			f, err := in.filter()
			if err != nil {
				return nil, err
			}
			rows, err := s.List(ctx, f)
			if err != nil {
				return nil, err
			}
			return page(ident.Conversion, in.Limit, rows, func(c conversion.Conversion) int64 { return c.ID }, conversionBody), nil
		})
		handle(a, operation{
			id: "get-conversion", method: http.MethodGet, path: "/conversions/{id}", tag: "Conversions", scope: access.ConversionsRead,
			summary: "Get a conversion", about: "With its attribution explained, and its commission.", errors: []int{http.StatusNotFound},
		}, func(ctx context.Context, in *ConversionPath) (*struct{ Body ConversionDetail }, error) {
			id, err := pathID(ident.Conversion, in.ID)
			if err != nil {
				return nil, err
			}
			body, err := conversionDetail(ctx, s, id)
			return &struct{ Body ConversionDetail }{body}, err
		})
		handle(a, operation{
			id: "list-conversion-conflicts", method: http.MethodGet, path: "/conversion-conflicts", tag: "Conversions", scope: access.ConversionsRead,
			summary: "List events kept for review", about: "Their transaction id was booked with other input, or they are not valid. The newest first.",
			errors: []int{http.StatusBadRequest},
		}, func(ctx context.Context, in *struct {
			ListInput
			PeriodInput
		}) (*listOutput[Conflict], error) {
			since, before, err := in.between(ident.Conflict, in.PeriodInput)
			if err != nil {
				return nil, err
			}
			rows, err := s.Conflicts(ctx, since, before, in.Limit+1)
			if err != nil {
				return nil, err
			}
			return page(ident.Conflict, in.Limit, rows, func(c conversion.Conflict) int64 { return c.ID }, conflictBody), nil
		})
	}
}

// bookOne needs no record of the Idempotency-Key in its transaction: booking is idempotent by itself.
func bookOne(ctx context.Context, s *conversion.Service, r *ConversionRequest, now int64) (*conversionOutput, error) {
	event, err := r.event(now)
	if err != nil {
		return nil, err
	}
	results, err := s.Book(ctx, []wire.Event{event})
	if err != nil {
		return nil, err
	}
	out := &conversionOutput{Status: http.StatusCreated}
	switch results[0].Outcome {
	case wire.Booked:
	case wire.Duplicate:
		out.Status = http.StatusOK
		unchanged(ctx)
	case wire.Conflict:
		return nil, &Problem{Status: http.StatusConflict, Code: "conversion_conflict", Detail: results[0].Detail}
	case wire.Refused:
		return nil, &Problem{Status: http.StatusUnprocessableEntity, Code: "conversion_refused", Detail: results[0].Detail}
	}
	c, err := s.ByKey(ctx, event.ProgramID, event.Type, event.TxnID)
	if err != nil {
		return nil, err
	}
	out.Body, err = conversionDetail(ctx, s, c.ID)
	return out, err
}

func (r *ConversionRequest) event(now int64) (wire.Event, error) {
	program, err := fieldID(ident.Program, "body.program_id", r.ProgramID)
	if err == nil && program == 0 {
		err = invalid("body.program_id", "is missing")
	}
	var id click.ID
	var clickErr error
	if r.ClickID != "" {
		if id, clickErr = click.ParseID(r.ClickID); clickErr != nil {
			clickErr = invalid("body.click_id", "is not a Click ID")
		}
	}
	if err := invalidAll(err, clickErr); err != nil {
		return wire.Event{}, err
	}
	e := wire.Event{
		ProgramID: program, Type: r.Type, TxnID: r.TxnID, RefTxnID: r.RefTxnID, ClickID: id, Amount: r.Amount, Name: r.Name,
		Customer: wire.CustomerKey(r.Customer), Coupon: r.Coupon, Channel: wire.API, ReceivedAt: now,
	}
	return e, e.Validate()
}

func (in *conversionList) filter() (conversion.Filter, error) {
	since, before, err := in.between(ident.Conversion, in.PeriodInput)
	if err != nil {
		return conversion.Filter{}, err
	}
	program, err1 := fieldID(ident.Program, "query.program_id", in.ProgramID)
	affiliate, err2 := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
	return conversion.Filter{
		ProgramID: program, AffiliateID: affiliate, Type: wire.Type(in.Type), State: conversion.State(in.State), TxnID: in.TxnID,
		ClickID: in.ClickID, Since: since, Before: before, Limit: in.Limit + 1,
	}, invalidAll(err1, err2)
}

func conversionDetail(ctx context.Context, s *conversion.Service, id int64) (ConversionDetail, error) {
	d, err := s.Detail(ctx, id)
	if err != nil {
		return ConversionDetail{}, err
	}
	body := ConversionDetail{
		Conversion: conversionBody(d.Conversion), Detail: d.StateText(),
		Explanation: Attribution{Text: d.Attribution.Text(), Arguments: AttributionArguments(d.Attribution)},
		Commissions: []Commission{}, Reversals: make([]Reversal, 0, len(d.TakenBack)), Restorals: []Reversal{},
		Customer: d.Customer, OrderID: identOrNone(ident.Order, d.OrderID),
	}
	for _, r := range d.GivenBack {
		body.Restorals = append(body.Restorals, reversalBody(r))
	}
	for _, c := range d.Earned {
		body.Commissions = append(body.Commissions, commissionBody(c))
	}
	for _, r := range d.TakenBack {
		body.Reversals = append(body.Reversals, reversalBody(r))
	}
	return body, nil
}

func conversionBody(c conversion.Conversion) Conversion {
	body := Conversion{
		ID: ident.Format(ident.Conversion, c.ID), ProgramID: identOrNone(ident.Program, c.ProgramID), Type: c.Type, TxnID: c.TxnID,
		Amount: c.Amount, Name: c.Name, Channel: string(c.Channel), State: c.State, Reason: c.Reason,
		Attribution: string(c.Attribution.Reason), AffiliateID: identOrNone(ident.Affiliate, c.AffiliateID), LinkID: identOrNone(ident.Link, c.LinkID),
		NoCommission: c.NoCommission, Refunded: c.Refunded, ReceivedAt: timeOf(c.ReceivedAt), BookedAt: timeOf(c.BookedAt),
	}
	if !c.ClickID.IsZero() {
		body.ClickID = c.ClickID.String()
	}
	if c.Type == wire.Refund || c.Type == wire.Rejected || c.Type == conversion.Restored {
		body.RefTxnID = c.Subject
	}
	switch c.Closed {
	case conversion.RefundedInFull:
		body.Closed = "refunded"
	case conversion.Rejected:
		body.Closed = "rejected"
	case conversion.Open:
	}
	return body
}

func conflictBody(c conversion.Conflict) Conflict {
	body := Conflict{
		ID: ident.Format(ident.Conflict, c.ID), Type: string(c.Type), TxnID: c.TxnID, Detail: c.Detail, CreatedAt: timeOf(c.CreatedAt),
	}
	if c.ProgramID > 0 {
		body.ProgramID = ident.Format(ident.Program, c.ProgramID)
	}
	var e wire.Event
	// An event that is not even readable still shows its key.
	if json.Unmarshal(c.Event, &e) != nil {
		return body
	}
	body.RefTxnID, body.Amount, body.Name, body.Channel = e.RefTxnID, e.Amount, e.Name, string(e.Channel)
	if !e.ClickID.IsZero() {
		body.ClickID = e.ClickID.String()
	}
	if e.ReceivedAt > 0 {
		body.ReceivedAt = timeOrNil(e.ReceivedAt)
	}
	return body
}

// identOrNone is the identifier of id, or empty for 0.
func identOrNone(kind string, id int64) string {
	if id == 0 {
		return ""
	}
	return ident.Format(kind, id)
}
