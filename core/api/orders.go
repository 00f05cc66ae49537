package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Order is an order in a list.
type Order struct {
	ID           string           `json:"id" example:"ord_01J8Z0QK5T2VG"`
	Number       string           `json:"number" example:"2611-7K3M-9QXT"`
	State        shop.State       `json:"state" enum:"created,pending,failed,expired,paid,partly_refunded,refunded,disputed,charged_back"`
	Total        money.Amount     `json:"total"`
	Net          money.Amount     `json:"net"`
	Refunded     money.Amount     `json:"refunded"`
	Customer     CheckoutCustomer `json:"customer"`
	ProgramID    string           `json:"program_id" example:"prg_01J8Z0QK5T2VG" doc:"Empty: pays no commission"`
	AffiliateID  string           `json:"affiliate_id" example:"aff_01J8Z0QK5T2VG" doc:"Whom it belongs to; empty: nobody"`
	Coupon       string           `json:"coupon" example:"DIWALI20"`
	Gateway      string           `json:"gateway" example:"razorpay"`
	PaymentID    string           `json:"payment_id" example:"pay_29QQoUBi66xm2f" doc:"The gateway's"`
	ConversionID string           `json:"conversion_id" example:"cnv_01J8Z0QK5T2VG" doc:"As which it was booked; its commissions refer to it"`
	CreatedAt    Time             `json:"created_at"`
	UpdatedAt    Time             `json:"updated_at"`
	ExpiresAt    Time             `json:"expires_at"`
	PaidAt       *Time            `json:"paid_at" nullable:"true"`
	ErasedAt     *Time            `json:"erased_at" nullable:"true" doc:"When who bought was forgotten"`
}

// OrderDetail is an order with its whole story.
type OrderDetail struct {
	Order
	Lines         []OrderLine        `json:"lines" nullable:"false"`
	Totals        OrderTotals        `json:"totals"`
	TaxKind       shop.TaxKind       `json:"tax_kind" enum:"none,tax,gst_intra,gst_inter,export"`
	PlaceOfSupply string             `json:"place_of_supply" example:"KA"`
	Attribution   Attribution        `json:"attribution" doc:"As it was decided at the checkout"`
	Events        []OrderEvent       `json:"events" nullable:"false" doc:"The oldest first"`
	Refunds       []OrderRefund      `json:"refunds" nullable:"false"`
	Invoices      []InvoiceSummary   `json:"invoices" nullable:"false"`
	Entitlements  []OrderEntitlement `json:"entitlements" nullable:"false"`
	Reviews       []OrderReview      `json:"reviews" nullable:"false" doc:"Cases for people"`
}

// OrderEvent is one thing that happened to an order.
type OrderEvent struct {
	Kind      shop.EventKind `json:"kind" example:"paid"`
	From      shop.State     `json:"from" example:"pending"`
	To        shop.State     `json:"to" example:"paid"`
	Amount    *money.Amount  `json:"amount,omitempty"`
	Gateway   string         `json:"gateway" example:"razorpay"`
	PaymentID string         `json:"payment_id" example:"pay_29QQoUBi66xm2f"`
	Ref       string         `json:"ref" example:"rfnd_FP8QHiV938haTz" doc:"The gateway's refund or dispute"`
	Actor     string         `json:"actor" example:"gateway" doc:"system, gateway, buyer, or who did it"`
	Detail    string         `json:"detail" example:""`
	At        Time           `json:"at"`
}

// OrderRefund is money that goes, or may go, back.
type OrderRefund struct {
	ID         string            `json:"id" example:"rfd_01J8Z0QK5T2VG"`
	OrderID    string            `json:"order_id" example:"ord_01J8Z0QK5T2VG"`
	Kind       shop.RefundKind   `json:"kind" enum:"refund,dispute"`
	State      shop.RefundState  `json:"state" enum:"requested,done,failed,held,released" doc:"held and released are of disputes: open, and won"`
	Amount     money.Amount      `json:"amount"`
	Reason     string            `json:"reason" example:"not as described"`
	Actor      string            `json:"actor" example:"per_01J8Z0QK5T2VG"`
	GatewayRef string            `json:"gateway_ref" example:"rfnd_FP8QHiV938haTz"`
	Lines      []OrderRefundLine `json:"lines" nullable:"false"`
	CreatedAt  Time              `json:"created_at"`
	SettledAt  *Time             `json:"settled_at" nullable:"true"`
}

// OrderRefundLine is the part of a refund that one line bears.
type OrderRefundLine struct {
	LineID string       `json:"line_id" example:"oln_01J8Z0QK5T2VG"`
	Total  money.Amount `json:"total"`
	Net    money.Amount `json:"net" doc:"0 until the money has gone"`
	Tax    money.Amount `json:"tax" doc:"0 until the money has gone"`
}

// OrderEntitlement is a right that was bought.
type OrderEntitlement struct {
	Code      string `json:"code" example:"course:sales"`
	ProductID string `json:"product_id" example:"prd_01J8Z0QK5T2VG"`
	GrantedAt Time   `json:"granted_at"`
	RevokedAt *Time  `json:"revoked_at" nullable:"true"`
}

// OrderReview is something a gateway told that people must look at.
type OrderReview struct {
	ID         string          `json:"id" example:"orv_01J8Z0QK5T2VG"`
	OrderID    string          `json:"order_id" example:"ord_01J8Z0QK5T2VG"`
	Kind       shop.ReviewKind `json:"kind" enum:"paid_twice,paid_late,wrong_amount,wrong_currency,not_booked,excess_refund,refund_returned,dispute,unknown_outcome"`
	Amount     money.Amount    `json:"amount"`
	Gateway    string          `json:"gateway" example:"razorpay"`
	PaymentID  string          `json:"payment_id" example:"pay_29QQoUBi66xm2f"`
	Ref        string          `json:"ref" example:""`
	Detail     string          `json:"detail" example:"the order was paid before"`
	CreatedAt  Time            `json:"created_at"`
	ResolvedAt *Time           `json:"resolved_at" nullable:"true"`
	ResolvedBy string          `json:"resolved_by" example:"per_01J8Z0QK5T2VG"`
	Note       string          `json:"note" example:"given back by hand"`
}

// RefundRequest asks for a refund: of an amount, of lines, or of all that is left.
type RefundRequest struct {
	Amount *money.Amount       `json:"amount,omitempty" doc:"Split over the lines in the ratio of what is left of them"`
	Lines  []RefundLineRequest `json:"lines,omitempty" maxItems:"200" nullable:"false"`
	Reason string              `json:"reason" minLength:"1" maxLength:"255" example:"not as described"`
}

// RefundLineRequest is a line to refund.
type RefundLineRequest struct {
	LineID string        `json:"line_id" example:"oln_01J8Z0QK5T2VG"`
	Amount *money.Amount `json:"amount,omitempty" doc:"Absent: all that is left of it"`
}

// ReviewNote closes a case.
type ReviewNote struct {
	Note string `json:"note" minLength:"1" maxLength:"1000" example:"given back by hand"`
}

// OrderPath names one order.
type OrderPath struct {
	ID string `path:"id" example:"ord_01J8Z0QK5T2VG"`
}

// OrderReviewPath names one case.
type OrderReviewPath struct {
	ID string `path:"id" example:"orv_01J8Z0QK5T2VG"`
}

type orderList struct {
	ListInput
	State       string `query:"state" enum:"created,pending,failed,expired,paid,partly_refunded,refunded,disputed,charged_back"`
	Email       string `query:"email" maxLength:"254" example:"ann@example.com"`
	Number      string `query:"number" maxLength:"24" example:"2611-7K3M-9QXT"`
	Transaction string `query:"transaction" maxLength:"255" example:"pay_29QQoUBi66xm2f" doc:"The gateway's payment"`
	AffiliateID string `query:"affiliate_id" example:"aff_01J8Z0QK5T2VG"`
	ClickID     string `query:"click_id" maxLength:"60" doc:"One of the clicks that its attribution weighed"`
	PeriodInput
}

type reviewList struct {
	ListInput
	Open    bool   `query:"open" doc:"Only those that are open"`
	OrderID string `query:"order_id" example:"ord_01J8Z0QK5T2VG"`
	PeriodInput
}

type (
	orderOutput  struct{ Body OrderDetail }
	refundOutput struct{ Body OrderRefund }
	reviewOutput struct{ Body OrderReview }
)

func orderReads(a *API, o ShopOptions) {
	handle(a, operation{
		id: "list-orders", method: http.MethodGet, path: "/orders", tag: "Orders", scope: access.OrdersRead,
		summary: "List orders", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *orderList) (*listOutput[Order], error) {
		since, before, err := in.between(ident.Order, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		affiliate, err := fieldID(ident.Affiliate, "query.affiliate_id", in.AffiliateID)
		if err != nil {
			return nil, err
		}
		rows, err := o.Shop.Orders(ctx, shop.OrderFilter{
			State: shop.State(in.State), Email: in.Email, Number: in.Number, Transaction: in.Transaction, ClickID: in.ClickID, AffiliateID: affiliate,
			Since: since, Before: before, Limit: in.Limit + 1,
		})
		if err != nil {
			return nil, err
		}
		return page(ident.Order, in.Limit, rows, func(o shop.Order) int64 { return o.ID }, orderBody), nil
	})
	handle(a, operation{
		id: "get-order", method: http.MethodGet, path: "/orders/{id}", tag: "Orders", scope: access.OrdersRead,
		summary: "Get an order with its whole story", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *OrderPath) (*orderOutput, error) {
		id, err := pathID(ident.Order, in.ID)
		if err != nil {
			return nil, err
		}
		body, err := orderDetail(ctx, o, id)
		return &orderOutput{body}, err
	})
	handle(a, operation{
		id: "get-order-invoice", method: http.MethodGet, path: "/orders/{id}/invoice.pdf", tag: "Orders", scope: access.OrdersRead,
		summary: "Get the invoice or a credit note of an order as PDF", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		OrderPath
		InvoiceQuery
	}) (*pdfOutput, error) {
		id, err := pathID(ident.Order, in.ID)
		if err != nil {
			return nil, err
		}
		return invoicePDF(ctx, o.Invoices, id, in.Number)
	})
	handle(a, operation{
		id: "list-order-reviews", method: http.MethodGet, path: "/order-reviews", tag: "Orders", scope: access.OrdersRead,
		summary: "List cases for people", about: "What gateways told and no rule can book: paid twice, late, or another amount. The newest first.",
		errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *reviewList) (*listOutput[OrderReview], error) {
		since, before, err := in.between(ident.OrderReview, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		order, err := fieldID(ident.Order, "query.order_id", in.OrderID)
		if err != nil {
			return nil, err
		}
		rows, err := o.Shop.Reviews(ctx, shop.ReviewFilter{OrderID: order, Open: in.Open, Since: since, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.OrderReview, in.Limit, rows, func(r shop.Review) int64 { return r.ID }, reviewBody), nil
	})
}

func orderChanges(a *API, s *shop.Service) {
	handle(a, operation{
		id: "refund-order", method: http.MethodPost, path: "/orders/{id}/refunds", tag: "Orders", scope: access.OrdersWrite, status: http.StatusCreated, secondFactor: true,
		summary: "Refund an order", about: "Reserves the amount and asks the gateway. The refund is booked, with its credit note, when the gateway has confirmed it.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		OrderPath
		Body RefundRequest
	}) (*refundOutput, error) {
		id, err := pathID(ident.Order, in.ID)
		if err != nil {
			return nil, err
		}
		order, err := s.Order(ctx, id)
		if err != nil {
			return nil, err
		}
		wish, err := in.Body.wish(order.Currency)
		if err != nil {
			return nil, err
		}
		out := &refundOutput{}
		_, err = s.Refund(ctx, id, wish, func(tx *db.Tx, r shop.Refund) error {
			out.Body = refundBody(r)
			return record(ctx, tx, http.StatusCreated, out.Body)
		})
		return out, err
	})
	handle(a, operation{
		id: "close-order-review", method: http.MethodPost, path: "/order-reviews/{id}/close", tag: "Orders", scope: access.OrdersWrite,
		summary: "Close a case", about: "With a note of what was done about it.", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		OrderReviewPath
		Body ReviewNote
	}) (*reviewOutput, error) {
		id, err := pathID(ident.OrderReview, in.ID)
		if err != nil {
			return nil, err
		}
		out := &reviewOutput{}
		_, err = s.CloseReview(ctx, id, in.Body.Note, func(tx *db.Tx, r shop.Review) error {
			out.Body = reviewBody(r)
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, err
	})
}

// wish is the request in the order's currency.
func (r *RefundRequest) wish(currency string) (shop.RefundWish, error) {
	out := shop.RefundWish{Reason: r.Reason}
	minor := func(location string, a *money.Amount) (int64, error) {
		if a == nil {
			return 0, nil
		}
		if a.Currency != currency || a.Minor <= 0 {
			return 0, invalid(location, "must be positive, in the currency of the order")
		}
		return a.Minor, nil
	}
	var err error
	if out.Amount, err = minor("body.amount", r.Amount); err != nil {
		return out, err
	}
	for _, l := range r.Lines {
		id, err1 := fieldID(ident.OrderLine, "body.lines", l.LineID)
		amount, err2 := minor("body.lines", l.Amount)
		if err := invalidAll(err1, err2); err != nil {
			return out, err
		}
		out.Lines = append(out.Lines, shop.RefundLine{LineID: id, Gross: amount})
	}
	return out, nil
}

// orderDetail reads an order with all that belongs to it.
func orderDetail(ctx context.Context, o ShopOptions, id int64) (OrderDetail, error) {
	order, err := o.Shop.Order(ctx, id)
	if err != nil {
		return OrderDetail{}, err
	}
	out := OrderDetail{
		Order: orderBody(order), Lines: linesBody(order.Lines, order.Currency), Totals: totalsBody(order.Totals, order.Currency), TaxKind: order.TaxKind,
		PlaceOfSupply: order.SupplyPlace, Attribution: Attribution{Text: order.Attribution.Explanation.Text(), Arguments: AttributionArguments(order.Attribution.Explanation)},
		Events: []OrderEvent{}, Refunds: []OrderRefund{}, Entitlements: []OrderEntitlement{}, Reviews: []OrderReview{},
	}
	events, err := o.Shop.Events(ctx, id)
	if err != nil {
		return OrderDetail{}, err
	}
	for _, e := range events {
		out.Events = append(out.Events, eventBody(e))
	}
	refunds, err := o.Shop.Refunds(ctx, id)
	if err != nil {
		return OrderDetail{}, err
	}
	for _, r := range refunds {
		out.Refunds = append(out.Refunds, refundBody(r))
	}
	rights, err := o.Shop.OrderEntitlements(ctx, id)
	if err != nil {
		return OrderDetail{}, err
	}
	for _, e := range rights {
		out.Entitlements = append(out.Entitlements, entitlementBody(e))
	}
	reviews, err := o.Shop.Reviews(ctx, shop.ReviewFilter{OrderID: id, Limit: maxReviews})
	if err != nil {
		return OrderDetail{}, err
	}
	for _, r := range reviews {
		out.Reviews = append(out.Reviews, reviewBody(r))
	}
	invoices, err := o.Invoices.List(ctx, id)
	out.Invoices = checkoutOrderBody(order, invoices).Invoices
	return out, err
}

// maxReviews bounds the cases that an order shows.
const maxReviews = 200

func orderBody(o shop.Order) Order {
	in := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: o.Currency} }
	return Order{
		ID: ident.Format(ident.Order, o.ID), Number: o.Number, State: o.State, Total: in(o.Totals.Gross), Net: in(o.Totals.Net), Refunded: in(o.Refunded),
		Customer: customerBody(o.Buyer), ProgramID: identOrNone(ident.Program, o.ProgramID), AffiliateID: identOrNone(ident.Affiliate, o.AffiliateID), Coupon: o.CouponCode,
		Gateway: o.Gateway, PaymentID: o.PaymentID, ConversionID: identOrNone(ident.Conversion, o.ConversionID), CreatedAt: timeOf(o.CreatedAt),
		UpdatedAt: timeOf(o.UpdatedAt), ExpiresAt: timeOf(o.ExpiresAt), PaidAt: timeOrNil(o.PaidAt), ErasedAt: timeOrNil(o.ErasedAt),
	}
}

func entitlementBody(e shop.Entitlement) OrderEntitlement {
	return OrderEntitlement{
		Code: e.Code, ProductID: ident.Format(ident.Product, e.ProductID), GrantedAt: timeOf(e.GrantedAt), RevokedAt: timeOrNil(e.RevokedAt),
	}
}

func eventBody(e shop.Event) OrderEvent {
	out := OrderEvent{
		Kind: e.Kind, From: e.From, To: e.To, Gateway: e.Gateway, PaymentID: e.PaymentID, Ref: e.Ref, Actor: e.Actor, Detail: e.Detail, At: timeOf(e.At),
	}
	if e.Amount != 0 {
		out.Amount = &money.Amount{Minor: e.Amount, Currency: e.Currency}
	}
	return out
}

func refundBody(r shop.Refund) OrderRefund {
	in := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: r.Currency} }
	out := OrderRefund{
		ID: ident.Format(ident.OrderRefund, r.ID), OrderID: ident.Format(ident.Order, r.OrderID), Kind: r.Kind, State: r.State, Amount: in(r.Amount), Reason: r.Reason,
		Actor: r.Actor, GatewayRef: r.GatewayRef, Lines: []OrderRefundLine{}, CreatedAt: timeOf(r.CreatedAt), SettledAt: timeOrNil(r.SettledAt),
	}
	for _, l := range r.Lines {
		out.Lines = append(out.Lines, OrderRefundLine{LineID: ident.Format(ident.OrderLine, l.LineID), Total: in(l.Gross), Net: in(l.Net), Tax: in(l.Tax.Total)})
	}
	return out
}

func reviewBody(r shop.Review) OrderReview {
	return OrderReview{
		ID: ident.Format(ident.OrderReview, r.ID), OrderID: ident.Format(ident.Order, r.OrderID), Kind: r.Kind, Amount: money.Amount{Minor: r.Amount, Currency: r.Currency},
		Gateway: r.Gateway, PaymentID: r.PaymentID, Ref: r.Ref, Detail: r.Detail, CreatedAt: timeOf(r.CreatedAt), ResolvedAt: timeOrNil(r.ResolvedAt),
		ResolvedBy: r.ResolvedBy, Note: r.Note,
	}
}

// addresses gives the verified e-mail address of a person, or "".
type addresses interface {
	VerifiedEmail(ctx context.Context, personID int64) (string, error)
}

func myOrders(a *API, o ShopOptions) {
	if o.Addresses == nil {
		return
	}
	handle(a, operation{
		id: "list-my-orders", method: http.MethodGet, path: "/me/orders", tag: "Me", scope: access.LearnerSelf,
		summary: "List my orders", about: "Those that were made with my verified e-mail address, the newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *ListInput) (*listOutput[CheckoutOrder], error) {
		before, err := in.after(ident.Order)
		if err != nil {
			return nil, err
		}
		email, err := o.Addresses.VerifiedEmail(ctx, principalOf(ctx).PersonID)
		if err != nil || email == "" {
			return page(ident.Order, in.Limit, nil, func(o shop.Order) int64 { return o.ID }, func(shop.Order) CheckoutOrder { return CheckoutOrder{} }), err
		}
		rows, err := o.Shop.OrdersWithLines(ctx, shop.OrderFilter{Email: email, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.Order, in.Limit, rows, func(o shop.Order) int64 { return o.ID }, func(o shop.Order) CheckoutOrder { return checkoutOrderBody(o, nil) }), nil
	})
	handle(a, operation{
		id: "get-my-order", method: http.MethodGet, path: "/me/orders/{id}", tag: "Me", scope: access.LearnerSelf,
		summary: "Get one of my orders", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *OrderPath) (*checkoutOutput, error) {
		order, err := myOrder(ctx, o, in.ID)
		if err != nil {
			return nil, err
		}
		body, err := checkoutBody(ctx, o, order)
		return &checkoutOutput{body}, err
	})
	handle(a, operation{
		id: "get-my-invoice", method: http.MethodGet, path: "/me/orders/{id}/invoice.pdf", tag: "Me", scope: access.LearnerSelf,
		summary: "Get the invoice of one of my orders as PDF", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		OrderPath
		InvoiceQuery
	}) (*pdfOutput, error) {
		order, err := myOrder(ctx, o, in.ID)
		if err != nil {
			return nil, err
		}
		return invoicePDF(ctx, o.Invoices, order.ID, in.Number)
	})
}

// myOrder is an order of the person who asks; another's is not there.
func myOrder(ctx context.Context, o ShopOptions, text string) (shop.Order, error) {
	id, err := pathID(ident.Order, text)
	if err != nil {
		return shop.Order{}, err
	}
	email, err := o.Addresses.VerifiedEmail(ctx, principalOf(ctx).PersonID)
	if err != nil {
		return shop.Order{}, err
	}
	order, err := o.Shop.Order(ctx, id)
	if err != nil {
		return shop.Order{}, err
	}
	if email == "" || order.Buyer.Email != email {
		return shop.Order{}, shop.ErrNotFound
	}
	return order, nil
}

// describePDF says in the document that invoices are PDF.
func describePDF(a *API) {
	for _, path := range []string{"/checkout/orders/{token}/invoice.pdf", "/orders/{id}/invoice.pdf", "/me/orders/{id}/invoice.pdf"} {
		item := a.huma.OpenAPI().Paths[prefix+path]
		if item == nil {
			continue
		}
		item.Get.Responses["200"].Content = map[string]*huma.MediaType{
			"application/pdf": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}
	}
}
