package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Payment is one attempt to pay an order.
type Payment struct {
	ID        string        `json:"id" example:"pmt_01J8Z0QK5T2VG"`
	OrderID   string        `json:"order_id" example:"ord_01J8Z0QK5T2VG"`
	Gateway   string        `json:"gateway" example:"razorpay"`
	State     payment.State `json:"state" enum:"created,unknown,open,succeeded,failed,stray" doc:"unknown: the gateway gave no clear answer and is asked again under the same key. stray: paid, but the order cannot use it"`
	Amount    money.Amount  `json:"amount" doc:"As asked for"`
	Paid      *money.Amount `json:"paid,omitempty" doc:"What came in; absent: nothing"`
	PaidAt    *Time         `json:"paid_at" nullable:"true"`
	Ref       string        `json:"gateway_ref" example:"order_R8n1AbC3dE5fGh" doc:"The gateway's name for the attempt: an order or a session"`
	PaymentID string        `json:"gateway_payment_id" example:"pay_R8n2VtW0xQ4kLm" doc:"Its name for the payment; empty: not paid"`
	Reason    string        `json:"reason" example:"" doc:"Why it failed, is unknown, or is stray"`
	ExpiresAt *Time         `json:"expires_at" nullable:"true"`
	CreatedAt Time          `json:"created_at"`
	UpdatedAt Time          `json:"updated_at"`
}

// PaymentRefund is money given back, or on its way.
type PaymentRefund struct {
	ID        string              `json:"id" example:"prf_01J8Z0QK5T2VG"`
	PaymentID string              `json:"payment_id" example:"pmt_01J8Z0QK5T2VG"`
	OrderID   string              `json:"order_id" example:"ord_01J8Z0QK5T2VG"`
	Gateway   string              `json:"gateway" example:"razorpay"`
	State     payment.RefundState `json:"state" enum:"created,unknown,pending,succeeded,failed" doc:"unknown: in flight until the gateway has said what became of it"`
	Ours      bool                `json:"ours" doc:"false: somebody made it at the gateway"`
	Amount    money.Amount        `json:"amount"`
	RefundID  string              `json:"gateway_refund_id" example:"rfnd_R9a7BcD2eF4gHi"`
	Reason    string              `json:"reason" example:"not wanted"`
	LastError string              `json:"last_error" example:""`
	Attempts  int64               `json:"attempts" example:"1"`
	DoneAt    *Time               `json:"done_at" nullable:"true"`
	CreatedAt Time                `json:"created_at"`
}

// PaymentEvent is one webhook of a gateway, or what a buyer's browser brought back from it.
type PaymentEvent struct {
	ID         string             `json:"id" example:"pev_01J8Z0QK5T2VG"`
	Gateway    string             `json:"gateway" example:"stripe"`
	EventID    string             `json:"gateway_event_id" example:"evt_1TAbCdEfGhIjKlMn"`
	Type       string             `json:"type" example:"checkout.session.completed" doc:"The gateway's word"`
	State      payment.EventState `json:"state" enum:"pending,done,ignored,review,dead"`
	Reason     string             `json:"reason" example:"" doc:"Why it waits, was ignored, or needs somebody"`
	OrderID    string             `json:"order_id" example:"ord_01J8Z0QK5T2VG" doc:"Empty: not known"`
	Attempts   int64              `json:"attempts" example:"1"`
	NextAt     *Time              `json:"next_at" nullable:"true" doc:"When it is tried again; null unless pending"`
	ReceivedAt Time               `json:"received_at"`
	UpdatedAt  Time               `json:"updated_at"`
}

// PaymentEventDetail is an event with what was received.
type PaymentEventDetail struct {
	PaymentEvent
	Body string `json:"body" example:"{}" doc:"As it was received and verified"`
}

// PaymentComparison is what came of comparing a period with a gateway's list.
type PaymentComparison struct {
	ID              string              `json:"id" example:"rcn_01J8Z0QK5T2VG"`
	Gateway         string              `json:"gateway" example:"razorpay"`
	From            Time                `json:"from"`
	To              Time                `json:"to" doc:"Not included"`
	Payments        int                 `json:"payments" example:"412" doc:"Of the gateway, in the period"`
	Refunds         int                 `json:"refunds" example:"9"`
	DifferenceCount int                 `json:"difference_count" example:"1"`
	Differences     []PaymentDifference `json:"differences" nullable:"false" doc:"The first 1,000"`
	CreatedAt       Time                `json:"created_at"`
}

// PaymentDifference is one payment or refund that the two sides have otherwise.
type PaymentDifference struct {
	Kind      payment.DifferenceKind `json:"kind" enum:"missing_here,missing_there,amount,state"`
	Object    string                 `json:"object" enum:"payment,refund"`
	ID        string                 `json:"id" example:"pmt_01J8Z0QK5T2VG" doc:"Ours; empty: we have none"`
	GatewayID string                 `json:"gateway_id" example:"pay_R8n2VtW0xQ4kLm"`
	OrderID   string                 `json:"order_id" example:"ord_01J8Z0QK5T2VG" doc:"Empty: not known"`
	Detail    string                 `json:"detail" example:"1499.00 INR was paid there"`
}

// PaymentReason says why somebody decides.
type PaymentReason struct {
	Reason string `json:"reason" minLength:"3" maxLength:"200" example:"paid twice"`
}

// PaymentEventsReplayed says how many events a replay made due.
type PaymentEventsReplayed struct {
	Replayed int  `json:"replayed" example:"12"`
	More     bool `json:"more" doc:"There are dead ones left: ask again"`
}

// PaymentPath names one payment.
type PaymentPath struct {
	ID string `path:"id" example:"pmt_01J8Z0QK5T2VG"`
}

// PaymentEventPath names one event.
type PaymentEventPath struct {
	ID string `path:"id" example:"pev_01J8Z0QK5T2VG"`
}

type (
	comparisonPath struct {
		ID string `path:"id" example:"rcn_01J8Z0QK5T2VG"`
	}
	paymentOutput      struct{ Body Payment }
	paymentEventOutput struct{ Body PaymentEvent }
	paymentEventDetail struct{ Body PaymentEventDetail }
	comparisonOutput   struct{ Body PaymentComparison }
)

type paymentList struct {
	ListInput
	OrderID string `query:"order_id" example:"ord_01J8Z0QK5T2VG"`
	Gateway string `query:"gateway" maxLength:"16" example:"razorpay"`
	State   string `query:"state" enum:"created,unknown,open,succeeded,failed,stray" doc:"stray: what is to be given back"`
	PeriodInput
}

type paymentRefundList struct {
	ListInput
	OrderID string `query:"order_id" example:"ord_01J8Z0QK5T2VG"`
	Gateway string `query:"gateway" maxLength:"16" example:"razorpay"`
	State   string `query:"state" enum:"created,unknown,pending,succeeded,failed"`
	PeriodInput
}

type paymentEventList struct {
	ListInput
	OrderID string `query:"order_id" example:"ord_01J8Z0QK5T2VG"`
	Gateway string `query:"gateway" maxLength:"16" example:"stripe"`
	State   string `query:"state" enum:"pending,done,ignored,review,dead" doc:"review: what only a person can decide. dead: the dead-letter list"`
	PeriodInput
}

// Payments registers the operations on payments, refunds and what gateways told.
func Payments(s *payment.Service) Module {
	return func(a *API) {
		paymentReads(a, s)
		paymentActions(a, s)
		paymentEventReads(a, s)
		paymentEventActions(a, s)
		comparisonReads(a, s)
	}
}

func paymentReads(a *API, s *payment.Service) {
	handle(a, operation{
		id: "list-payments", method: http.MethodGet, path: "/payments", tag: "Payments", scope: access.OrdersRead,
		summary: "List attempts to pay", about: "The newest first.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *paymentList) (*listOutput[Payment], error) {
		since, before, err := in.between(ident.Payment, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		order, err := fieldID(ident.Order, "query.order_id", in.OrderID)
		if err != nil {
			return nil, err
		}
		rows, err := s.Payments(ctx, payment.Filter{OrderID: order, Gateway: in.Gateway, State: in.State, Since: since, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.Payment, in.Limit, rows, func(p payment.Payment) int64 { return p.ID }, paymentBody), nil
	})
	handle(a, operation{
		id: "get-payment", method: http.MethodGet, path: "/payments/{id}", tag: "Payments", scope: access.OrdersRead,
		summary: "Get an attempt to pay", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PaymentPath) (*paymentOutput, error) {
		id, err := pathID(ident.Payment, in.ID)
		if err != nil {
			return nil, err
		}
		p, err := s.Payment(ctx, id)
		if err != nil {
			return nil, err
		}
		return &paymentOutput{paymentBody(p)}, nil
	})
	handle(a, operation{
		id: "list-payment-refunds", method: http.MethodGet, path: "/payment-refunds", tag: "Payments", scope: access.OrdersRead,
		summary: "List refunds at gateways", about: "The newest first. Those that nobody asked us for are there too.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *paymentRefundList) (*listOutput[PaymentRefund], error) {
		since, before, err := in.between(ident.PaymentRefund, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		order, err := fieldID(ident.Order, "query.order_id", in.OrderID)
		if err != nil {
			return nil, err
		}
		rows, err := s.Refunds(ctx, payment.Filter{OrderID: order, Gateway: in.Gateway, State: in.State, Since: since, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.PaymentRefund, in.Limit, rows, func(r payment.Refund) int64 { return r.ID }, paymentRefundBody), nil
	})
}

func paymentActions(a *API, s *payment.Service) {
	handle(a, operation{
		id: "give-payment-back", method: http.MethodPost, path: "/payments/{id}/give-back", tag: "Payments", scope: access.OrdersWrite, secondFactor: true,
		summary: "Give a stray payment back", about: "Refunds all of a payment that came in and that its order cannot use. What belongs to an order is refunded there.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		PaymentPath
		Body PaymentReason
	}) (*paymentOutput, error) {
		id, err := pathID(ident.Payment, in.ID)
		if err != nil {
			return nil, err
		}
		out := &paymentOutput{}
		_, err = s.GiveBack(ctx, id, in.Body.Reason, func(tx *db.Tx, p payment.Payment) error {
			out.Body = paymentBody(p)
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, err
	})
}

func paymentEventReads(a *API, s *payment.Service) {
	handle(a, operation{
		id: "list-payment-events", method: http.MethodGet, path: "/payment-events", tag: "Payments", scope: access.OrdersRead,
		summary: "List what gateways told", about: "The newest first, without the bodies.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *paymentEventList) (*listOutput[PaymentEvent], error) {
		since, before, err := in.between(ident.PaymentEvent, in.PeriodInput)
		if err != nil {
			return nil, err
		}
		order, err := fieldID(ident.Order, "query.order_id", in.OrderID)
		if err != nil {
			return nil, err
		}
		rows, err := s.Events(ctx, payment.EventFilter{OrderID: order, Gateway: in.Gateway, State: payment.EventState(in.State), Since: since, Before: before, Limit: in.Limit + 1})
		if err != nil {
			return nil, err
		}
		return page(ident.PaymentEvent, in.Limit, rows, func(e payment.StoredEvent) int64 { return e.ID }, paymentEventBody), nil
	})
	handle(a, operation{
		id: "get-payment-event", method: http.MethodGet, path: "/payment-events/{id}", tag: "Payments", scope: access.OrdersRead,
		summary: "Get what a gateway told", about: "With its body, which may hold the buyer's address.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PaymentEventPath) (*paymentEventDetail, error) {
		id, err := pathID(ident.PaymentEvent, in.ID)
		if err != nil {
			return nil, err
		}
		e, err := s.Event(ctx, id)
		if err != nil {
			return nil, err
		}
		return &paymentEventDetail{PaymentEventDetail{paymentEventBody(e), string(e.Body)}}, nil
	})
}

func paymentEventActions(a *API, s *payment.Service) {
	handle(a, operation{
		id: "replay-payment-event", method: http.MethodPost, path: "/payment-events/{id}/replay", tag: "Payments", scope: access.OrdersWrite,
		summary: "Work on an event again", about: "For another day. What it says is booked once, however often it is worked on.",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *PaymentEventPath) (*paymentEventOutput, error) {
		id, err := pathID(ident.PaymentEvent, in.ID)
		if err != nil {
			return nil, err
		}
		out := &paymentEventOutput{}
		_, err = s.Replay(ctx, id, out.keep(ctx))
		return out, err
	})
	handle(a, operation{
		id: "dismiss-payment-event", method: http.MethodPost, path: "/payment-events/{id}/dismiss", tag: "Payments", scope: access.OrdersWrite,
		summary: "Be done with an event", about: "One that needs a person or was given up. Nothing is booked.", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		PaymentEventPath
		Body PaymentReason
	}) (*paymentEventOutput, error) {
		id, err := pathID(ident.PaymentEvent, in.ID)
		if err != nil {
			return nil, err
		}
		out := &paymentEventOutput{}
		_, err = s.Dismiss(ctx, id, in.Body.Reason, out.keep(ctx))
		return out, err
	})
	handle(a, operation{
		id: "replay-dead-payment-events", method: http.MethodPost, path: "/payment-events/replay-dead", tag: "Payments", scope: access.OrdersWrite,
		summary: "Work on all dead events again", about: "The oldest first, at most 5,000 in one call.",
	}, func(ctx context.Context, in *struct {
		Gateway string `query:"gateway" maxLength:"16" example:"razorpay" doc:"Default: of all gateways"`
	}) (*struct{ Body PaymentEventsReplayed }, error) {
		out := &struct{ Body PaymentEventsReplayed }{}
		_, _, err := s.ReplayDead(ctx, in.Gateway, func(tx *db.Tx, replayed int, more bool) error {
			out.Body = PaymentEventsReplayed{Replayed: replayed, More: more}
			return record(ctx, tx, http.StatusOK, out.Body)
		})
		return out, err
	})
}

// keep takes over the event as it is after a change, and records the response.
func (o *paymentEventOutput) keep(ctx context.Context) func(*db.Tx, payment.StoredEvent) error {
	return func(tx *db.Tx, e payment.StoredEvent) error {
		o.Body = paymentEventBody(e)
		return record(ctx, tx, http.StatusOK, o.Body)
	}
}

func comparisonReads(a *API, s *payment.Service) {
	handle(a, operation{
		id: "list-payment-reconciliations", method: http.MethodGet, path: "/payment-reconciliations", tag: "Payments", scope: access.OrdersRead,
		summary: "List comparisons with gateways", about: "The newest first. `edgeref core reconcile-payments` makes them.", errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *ListInput) (*listOutput[PaymentComparison], error) {
		before, err := in.after(ident.Reconciliation)
		if err != nil {
			return nil, err
		}
		rows, err := s.Comparisons(ctx, before, in.Limit+1)
		if err != nil {
			return nil, err
		}
		return page(ident.Reconciliation, in.Limit, rows, func(c payment.Comparison) int64 { return c.ID }, comparisonBody), nil
	})
	handle(a, operation{
		id: "get-payment-reconciliation", method: http.MethodGet, path: "/payment-reconciliations/{id}", tag: "Payments", scope: access.OrdersRead,
		summary: "Get a comparison with a gateway", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *comparisonPath) (*comparisonOutput, error) {
		id, err := pathID(ident.Reconciliation, in.ID)
		if err != nil {
			return nil, err
		}
		c, err := s.Comparison(ctx, id)
		if err != nil {
			return nil, err
		}
		return &comparisonOutput{comparisonBody(c)}, nil
	})
}

func paymentBody(p payment.Payment) Payment {
	body := Payment{
		ID: ident.Format(ident.Payment, p.ID), OrderID: ident.Format(ident.Order, p.OrderID), Gateway: p.Gateway, State: p.State, Amount: p.Amount, PaidAt: timeOrNil(p.PaidAt),
		Ref: p.Ref, PaymentID: p.PaymentID, Reason: p.Reason, ExpiresAt: timeOrNil(p.ExpiresAt), CreatedAt: timeOf(p.CreatedAt), UpdatedAt: timeOf(p.UpdatedAt),
	}
	if p.Paid.Currency != "" {
		body.Paid = &p.Paid
	}
	return body
}

func paymentRefundBody(r payment.Refund) PaymentRefund {
	return PaymentRefund{
		ID: ident.Format(ident.PaymentRefund, r.ID), PaymentID: ident.Format(ident.Payment, r.Payment), OrderID: ident.Format(ident.Order, r.OrderID), Gateway: r.Gateway,
		State: r.State, Ours: r.Ours(), Amount: r.Amount, RefundID: r.RefundID, Reason: r.Reason, LastError: r.LastError, Attempts: r.Attempts, DoneAt: timeOrNil(r.DoneAt),
		CreatedAt: timeOf(r.CreatedAt),
	}
}

func paymentEventBody(e payment.StoredEvent) PaymentEvent {
	body := PaymentEvent{
		ID: payment.EventName(e.ID), Gateway: e.Gateway, EventID: e.EventID, Type: e.Type, State: e.State, Reason: e.Reason, OrderID: identOrNone(ident.Order, e.OrderID),
		Attempts: e.Attempts, ReceivedAt: timeOf(e.ReceivedAt), UpdatedAt: timeOf(e.UpdatedAt),
	}
	if e.State == payment.EventPending {
		body.NextAt = timeOrNil(e.NextAt)
	}
	return body
}

func comparisonBody(c payment.Comparison) PaymentComparison {
	body := PaymentComparison{
		ID: ident.Format(ident.Reconciliation, c.ID), Gateway: c.Gateway, From: timeOf(c.From), To: timeOf(c.To), Payments: c.Payments, Refunds: c.Refunds,
		DifferenceCount: c.Count, Differences: make([]PaymentDifference, 0, len(c.Differences)), CreatedAt: timeOf(c.CreatedAt),
	}
	for _, d := range c.Differences {
		body.Differences = append(body.Differences, PaymentDifference{
			Kind: d.Kind, Object: d.Object, ID: d.ID, GatewayID: d.GatewayID, OrderID: identOrNone(ident.Order, d.OrderID), Detail: d.Detail,
		})
	}
	return body
}
