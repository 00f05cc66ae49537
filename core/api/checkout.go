package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// CheckoutCustomer is who buys.
type CheckoutCustomer struct {
	Email   string `json:"email" maxLength:"254" example:"ann@example.com"`
	Name    string `json:"name" maxLength:"255" example:"Ann Rao"`
	Address string `json:"address,omitempty" maxLength:"500" example:"7 Lake View\nMysuru 570001"`
	Country string `json:"country,omitempty" maxLength:"2" example:"IN" doc:"ISO 3166-1; absent: the seller's"`
	State   string `json:"state,omitempty" maxLength:"64" example:"KA" doc:"In India: as in ISO 3166-2, or the tax office's number. Decides between CGST/SGST and IGST"`
	GSTIN   string `json:"gstin,omitempty" maxLength:"15" example:"29AAPFU0939F1ZR" doc:"Of a business in India"`
}

// QuotePlace is what the tax of a quote depends on.
type QuotePlace struct {
	Email   string `json:"email,omitempty" maxLength:"254" example:"ann@example.com" doc:"To know whether the coupon may be used again"`
	Country string `json:"country,omitempty" maxLength:"2" example:"IN"`
	State   string `json:"state,omitempty" maxLength:"64" example:"KA"`
	GSTIN   string `json:"gstin,omitempty" maxLength:"15" example:"29AAPFU0939F1ZR"`
}

// CheckoutItem names a product, by its id or its slug.
type CheckoutItem struct {
	ProductID string `json:"product_id,omitempty" example:"prd_01J8Z0QK5T2VG"`
	Slug      string `json:"slug,omitempty" maxLength:"96" example:"sales-training"`
}

// QuoteRequest asks what products cost.
type QuoteRequest struct {
	Items    []CheckoutItem `json:"items" minItems:"1" maxItems:"20" nullable:"false"`
	Currency string         `json:"currency,omitempty" maxLength:"3" example:"INR" doc:"Absent: the shop's"`
	Coupon   string         `json:"coupon,omitempty" maxLength:"40" example:"DIWALI20"`
	Customer QuotePlace     `json:"customer,omitempty"`
}

// CheckoutRequest asks for an order.
type CheckoutRequest struct {
	Items    []CheckoutItem   `json:"items" minItems:"1" maxItems:"20" nullable:"false"`
	Currency string           `json:"currency,omitempty" maxLength:"3" example:"INR" doc:"Absent: the shop's"`
	Coupon   string           `json:"coupon,omitempty" maxLength:"40" example:"DIWALI20"`
	Customer CheckoutCustomer `json:"customer"`
	Gateway  string           `json:"gateway,omitempty" maxLength:"32" example:"razorpay" doc:"Begins the payment there; absent: it is begun later"`
	ClickIDs []string         `json:"click_ids,omitempty" maxItems:"10" nullable:"false" example:"[\"Ga0Zk2xX...\"]" doc:"Of the link that the buyer came through; the tracker's cookie is looked at beside them"`
}

// OrderLine is one line of an order or quote.
type OrderLine struct {
	ID        string       `json:"id" example:"oln_01J8Z0QK5T2VG" doc:"Empty in a quote"`
	ProductID string       `json:"product_id" example:"prd_01J8Z0QK5T2VG"`
	BundleID  string       `json:"bundle_id" example:"" doc:"The bundle whose part it is"`
	Name      string       `json:"name" example:"Sales training"`
	SKU       string       `json:"sku" example:"SALES-1"`
	TaxCode   string       `json:"tax_code" example:"999293"`
	TaxBP     int64        `json:"tax_bp" example:"1800"`
	List      money.Amount `json:"list" doc:"Price before the discount"`
	Discount  money.Amount `json:"discount"`
	Net       money.Amount `json:"net" doc:"Without tax, after the discount: what commission is on"`
	Tax       OrderTax     `json:"tax"`
	Total     money.Amount `json:"total" doc:"Net and tax"`
}

// OrderTax is a tax and what it consists of.
type OrderTax struct {
	Total money.Amount `json:"total"`
	CGST  money.Amount `json:"cgst"`
	SGST  money.Amount `json:"sgst"`
	IGST  money.Amount `json:"igst"`
}

// OrderTotals are the sums over the lines.
type OrderTotals struct {
	List     money.Amount `json:"list"`
	Discount money.Amount `json:"discount"`
	Net      money.Amount `json:"net"`
	Tax      OrderTax     `json:"tax"`
	Total    money.Amount `json:"total" doc:"What the buyer pays"`
}

// Quote is what products cost.
type Quote struct {
	Currency      string            `json:"currency" example:"INR"`
	Lines         []OrderLine       `json:"lines" nullable:"false"`
	Totals        OrderTotals       `json:"totals"`
	TaxKind       shop.TaxKind      `json:"tax_kind" enum:"none,tax,gst_intra,gst_inter,export"`
	PlaceOfSupply string            `json:"place_of_supply" example:"KA"`
	Coupon        string            `json:"coupon" example:"DIWALI20" doc:"Taken off; empty: none"`
	CouponProblem shop.CouponReason `json:"coupon_problem" enum:",coupon_unknown,coupon_not_yet_valid,coupon_expired,coupon_used_up,coupon_used_by_customer,coupon_not_for_products" example:"" doc:"Why it was not"`
	Gateways      []string          `json:"gateways" nullable:"false" example:"[\"razorpay\",\"stripe\"]" doc:"Through which one can pay"`
}

// CheckoutOrder is an order as its buyer sees it.
type CheckoutOrder struct {
	ID        string           `json:"id" example:"ord_01J8Z0QK5T2VG"`
	Number    string           `json:"number" example:"2611-7K3M-9QXT"`
	Token     string           `json:"token" example:"kX9w..." doc:"Opens the order without sign-in: keep it from others"`
	State     shop.State       `json:"state" enum:"created,pending,failed,expired,paid,partly_refunded,refunded,disputed,charged_back"`
	Lines     []OrderLine      `json:"lines" nullable:"false"`
	Totals    OrderTotals      `json:"totals"`
	Refunded  money.Amount     `json:"refunded"`
	TaxKind   shop.TaxKind     `json:"tax_kind" enum:"none,tax,gst_intra,gst_inter,export"`
	Coupon    string           `json:"coupon" example:"DIWALI20"`
	Customer  CheckoutCustomer `json:"customer"`
	Invoices  []InvoiceSummary `json:"invoices" nullable:"false"`
	CreatedAt Time             `json:"created_at"`
	ExpiresAt Time             `json:"expires_at" doc:"Until when it can be paid"`
	PaidAt    *Time            `json:"paid_at" nullable:"true"`
	Payment   *CheckoutPayment `json:"payment,omitempty" doc:"Where to pay; absent: begin it with POST /checkout/orders/{token}/payment"`
}

// InvoiceSummary names an invoice or credit note.
type InvoiceSummary struct {
	Number   string       `json:"number" example:"INV/26-27/000042"`
	Kind     invoice.Kind `json:"kind" enum:"invoice,credit_note"`
	Total    money.Amount `json:"total"`
	IssuedAt Time         `json:"issued_at"`
}

// CheckoutPayment is where the buyer pays: at URL, with params posted as a form if there are any.
type CheckoutPayment struct {
	Gateway string            `json:"gateway" example:"razorpay"`
	URL     string            `json:"url" example:"https://pay.example.com/s/1"`
	Params  map[string]string `json:"params" nullable:"false" example:"{}"`
}

// PaymentRequest begins a payment.
type PaymentRequest struct {
	Gateway string `json:"gateway" minLength:"1" maxLength:"32" example:"razorpay"`
}

// CheckoutPath names one order by its token.
type CheckoutPath struct {
	Token string `path:"token" maxLength:"64" example:"kX9wC0jPzq"`
}

// InvoiceQuery chooses a document of an order.
type InvoiceQuery struct {
	Number string `query:"number" maxLength:"32" example:"CN/26-27/000007" doc:"Absent: the invoice"`
}

type (
	quoteOutput        struct{ Body Quote }
	checkoutOutput     struct{ Body CheckoutOrder }
	checkoutPayOutput  struct{ Body CheckoutPayment }
	checkoutOrderInput struct {
		Cookie string `header:"Cookie" hidden:"true"`
		Body   CheckoutRequest
	}
	pdfOutput struct {
		ContentType string `header:"Content-Type"`
		Disposition string `header:"Content-Disposition"`
		Body        []byte
	}
)

// Requests of one address in a minute.
const (
	quotesPerMinute   = 120
	ordersPerMinute   = 30
	looksPerMinute    = 240 // the thank-you page asks until the order is paid
	payPerMinute      = 30
	invoicesPerMinute = 20
)

func checkoutOperations(a *API, o ShopOptions) {
	handle(a, operation{
		id: "quote-checkout", method: http.MethodPost, path: "/checkout/quote", tag: "Checkout", public: true, perMinute: quotesPerMinute,
		summary: "Price products", about: "A coupon that does not count is no error: the quote says why. Nothing is stored.", errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *struct{ Body QuoteRequest }) (*quoteOutput, error) {
		items, err := checkoutItems(in.Body.Items)
		if err != nil {
			return nil, err
		}
		c := in.Body.Customer
		q, err := o.Shop.Quote(ctx, shop.Cart{Items: items, Currency: in.Body.Currency, Coupon: in.Body.Coupon, Buyer: shop.Buyer{
			Email: c.Email, Country: c.Country, Region: c.State, GSTIN: c.GSTIN,
		}})
		if err != nil {
			return nil, err
		}
		return &quoteOutput{quoteBody(q, o.Payments)}, nil
	})
	handle(a, operation{
		id: "create-checkout-order", method: http.MethodPost, path: "/checkout/orders", tag: "Checkout", public: true, perMinute: ordersPerMinute, status: http.StatusCreated,
		summary: "Order products",
		about: "Freezes prices, tax and whom the order belongs to. With a gateway the payment is begun there; if that fails the order stands, and payment is absent. " +
			"An order that comes to nothing is paid at once.",
		errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *checkoutOrderInput) (*checkoutOutput, error) {
		return createCheckout(ctx, a, o, in)
	})
	handle(a, operation{
		id: "get-checkout-order", method: http.MethodGet, path: "/checkout/orders/{token}", tag: "Checkout", public: true, perMinute: looksPerMinute,
		summary: "Look at an order", about: "For the page that a buyer comes back to.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *CheckoutPath) (*checkoutOutput, error) {
		order, err := o.Shop.OrderByToken(ctx, in.Token)
		if err != nil {
			return nil, err
		}
		body, err := checkoutBody(ctx, o, order)
		return &checkoutOutput{body}, err
	})
	handle(a, operation{
		id: "begin-checkout-payment", method: http.MethodPost, path: "/checkout/orders/{token}/payment", tag: "Checkout", public: true, perMinute: payPerMinute,
		summary: "Begin to pay an order", about: "Also after an attempt that failed. Asked again, it gives the same place to pay while that is good.",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *struct {
		CheckoutPath
		Body PaymentRequest
	}) (*checkoutPayOutput, error) {
		order, err := o.Shop.OrderByToken(ctx, in.Token)
		if err != nil {
			return nil, err
		}
		p, err := beginPayment(ctx, o, order.ID, in.Body.Gateway)
		if err != nil {
			return nil, err
		}
		return &checkoutPayOutput{*p}, nil
	})
	handle(a, operation{
		id: "get-checkout-invoice", method: http.MethodGet, path: "/checkout/orders/{token}/invoice.pdf", tag: "Checkout", public: true, perMinute: invoicesPerMinute,
		summary: "Get the invoice of an order as PDF", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		CheckoutPath
		InvoiceQuery
	}) (*pdfOutput, error) {
		order, err := o.Shop.OrderByToken(ctx, in.Token)
		if err != nil {
			return nil, err
		}
		return invoicePDF(ctx, o.Invoices, order.ID, in.Number)
	})
}

func createCheckout(ctx context.Context, a *API, o ShopOptions, in *checkoutOrderInput) (*checkoutOutput, error) {
	items, err := checkoutItems(in.Body.Items)
	if err != nil {
		return nil, err
	}
	if in.Body.Gateway != "" && !hasGateway(o.Payments, in.Body.Gateway) {
		return nil, payment.ErrNoGateway
	}
	c := in.Body.Customer
	out := &checkoutOutput{}
	order, err := o.Shop.CreateOrder(ctx, shop.NewOrder{
		Cart: shop.Cart{Items: items, Currency: in.Body.Currency, Coupon: in.Body.Coupon, Buyer: shop.Buyer{
			Email: c.Email, Name: c.Name, Address: c.Address, Country: c.Country, Region: c.State, GSTIN: c.GSTIN,
		}},
		Touches: touches(in.Body.ClickIDs, in.Cookie, o.CookieName),
	}, func(tx *db.Tx, order shop.Order) error {
		// The gateway is asked after the commit, so a request that is sent again is answered with the order alone.
		out.Body = checkoutOrderBody(order, nil)
		return record(ctx, tx, http.StatusCreated, out.Body)
	})
	if err != nil {
		return nil, err
	}
	if in.Body.Gateway == "" || order.State != shop.Created {
		return out, nil
	}
	p, err := beginPayment(ctx, o, order.ID, in.Body.Gateway)
	if err != nil {
		// The order is there: the buyer can try again, and must not order twice.
		a.log.Warn("cannot begin a payment; the buyer may try again", "order", out.Body.ID, "gateway", in.Body.Gateway, "error", err)
		return out, nil
	}
	out.Body.Payment, out.Body.State = p, shop.Pending
	return out, nil
}

func hasGateway(p payments, name string) bool {
	if p == nil {
		return false
	}
	for _, known := range p.Gateways() {
		if known == name {
			return true
		}
	}
	return false
}

// beginPayment notes that the buyer goes to the gateway, and asks it where he can pay.
func beginPayment(ctx context.Context, o ShopOptions, orderID int64, gateway string) (*CheckoutPayment, error) {
	if !hasGateway(o.Payments, gateway) {
		return nil, payment.ErrNoGateway
	}
	if err := o.Shop.Begin(ctx, orderID, gateway); err != nil {
		return nil, err
	}
	session, err := o.Payments.Begin(ctx, orderID, gateway)
	if err != nil {
		return nil, err
	}
	p := &CheckoutPayment{Gateway: session.Gateway, URL: session.URL, Params: session.Params}
	if p.Params == nil {
		p.Params = map[string]string{}
	}
	return p, nil
}

func checkoutItems(in []CheckoutItem) ([]shop.Item, error) {
	out := make([]shop.Item, len(in))
	for i, item := range in {
		id, err := fieldID(ident.Product, "body.items", item.ProductID)
		if err != nil {
			return nil, err
		}
		if (id == 0) == (item.Slug == "") {
			return nil, invalid("body.items", "must have either product_id or slug")
		}
		out[i] = shop.Item{ID: id, Slug: item.Slug}
	}
	return out, nil
}

// touches are the Click IDs that a buyer brings along. What is none is left out: it may be another's cookie of that name,
// and must not keep anybody from buying.
func touches(texts []string, cookies, name string) []click.ID {
	if name != "" {
		if list, err := http.ParseCookie(cookies); err == nil {
			for _, c := range list {
				if c.Name == name {
					texts = append(texts, c.Value)
				}
			}
		}
	}
	var out []click.ID
	for _, text := range texts {
		if id, err := click.ParseID(strings.TrimSpace(text)); err == nil {
			out = append(out, id)
		}
	}
	return out
}

func invoicePDF(ctx context.Context, s *invoice.Service, orderID int64, number string) (*pdfOutput, error) {
	inv, err := s.Find(ctx, orderID, number)
	if err != nil {
		return nil, err
	}
	pdf, err := invoice.PDF(&inv.Snapshot)
	if err != nil {
		return nil, err
	}
	name := strings.NewReplacer("/", "-").Replace(inv.Number)
	return &pdfOutput{ContentType: "application/pdf", Disposition: `attachment; filename="` + name + `.pdf"`, Body: pdf}, nil
}

func quoteBody(q shop.Quote, p payments) Quote {
	out := Quote{
		Currency: q.Currency, Lines: linesBody(q.Lines, q.Currency), Totals: totalsBody(q.Totals, q.Currency), TaxKind: q.TaxKind, PlaceOfSupply: q.SupplyPlace,
		Coupon: q.CouponCode, CouponProblem: q.CouponError, Gateways: []string{},
	}
	if p != nil {
		out.Gateways = append(out.Gateways, p.Gateways()...)
	}
	return out
}

func checkoutBody(ctx context.Context, o ShopOptions, order shop.Order) (CheckoutOrder, error) {
	invoices, err := o.Invoices.List(ctx, order.ID)
	if err != nil {
		return CheckoutOrder{}, err
	}
	return checkoutOrderBody(order, invoices), nil
}

func checkoutOrderBody(o shop.Order, invoices []invoice.Invoice) CheckoutOrder {
	out := CheckoutOrder{
		ID: ident.Format(ident.Order, o.ID), Number: o.Number, Token: o.Token, State: o.State, Lines: linesBody(o.Lines, o.Currency),
		Totals: totalsBody(o.Totals, o.Currency), Refunded: money.Amount{Minor: o.Refunded, Currency: o.Currency}, TaxKind: o.TaxKind, Coupon: o.CouponCode,
		Customer: customerBody(o.Buyer), Invoices: []InvoiceSummary{}, CreatedAt: timeOf(o.CreatedAt), ExpiresAt: timeOf(o.ExpiresAt), PaidAt: timeOrNil(o.PaidAt),
	}
	for _, inv := range invoices {
		out.Invoices = append(out.Invoices, InvoiceSummary{Number: inv.Number, Kind: inv.Kind, Total: inv.Total, IssuedAt: timeOf(inv.IssuedAt)})
	}
	return out
}

func customerBody(b shop.Buyer) CheckoutCustomer {
	return CheckoutCustomer{Email: b.Email, Name: b.Name, Address: b.Address, Country: b.Country, State: b.Region, GSTIN: b.GSTIN}
}

func linesBody(lines []shop.Line, currency string) []OrderLine {
	out := make([]OrderLine, 0, len(lines))
	in := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: currency} }
	for i := range lines {
		l := &lines[i]
		out = append(out, OrderLine{
			ID: identOrNone(ident.OrderLine, l.ID), ProductID: ident.Format(ident.Product, l.ProductID), BundleID: identOrNone(ident.Product, l.BundleID),
			Name: l.Name, SKU: l.SKU, TaxCode: l.TaxCode, TaxBP: l.TaxBP, List: in(l.List), Discount: in(l.Discount), Net: in(l.Net),
			Tax: taxBody(l.Tax, currency), Total: in(l.Gross),
		})
	}
	return out
}

func taxBody(t shop.Tax, currency string) OrderTax {
	in := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: currency} }
	return OrderTax{Total: in(t.Total), CGST: in(t.CGST), SGST: in(t.SGST), IGST: in(t.IGST)}
}

func totalsBody(t shop.Totals, currency string) OrderTotals {
	in := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: currency} }
	return OrderTotals{List: in(t.List), Discount: in(t.Discount), Net: in(t.Net), Tax: taxBody(t.Tax, currency), Total: in(t.Gross)}
}

// shopProblem makes a problem of what the shop refuses, or gives nil.
func shopProblem(err error) *Problem {
	var in *shop.InvalidError
	var coupon *shop.CouponError
	switch {
	case errors.As(err, &in):
		p := &Problem{Status: http.StatusUnprocessableEntity, Code: "validation_failed", Detail: "validation failed"}
		for _, f := range in.Fields {
			p.Errors = append(p.Errors, ProblemField{Location: "body." + f.Field, Message: f.Reason})
		}
		return p
	case errors.As(err, &coupon):
		return &Problem{Status: http.StatusConflict, Code: string(coupon.Reason), Detail: coupon.Error()}
	}
	type c struct {
		target error
		status int
		code   string
	}
	for _, c := range []c{
		{shop.ErrNotFound, http.StatusNotFound, "not_found"},
		{shop.ErrSlugTaken, http.StatusConflict, "slug_taken"},
		{shop.ErrCodeTaken, http.StatusConflict, "coupon_code_taken"},
		{shop.ErrState, http.StatusConflict, "order_state"},
		{shop.ErrNothingLeft, http.StatusConflict, "exceeds_order"},
		{shop.ErrNoGateway, http.StatusConflict, "no_gateway_payment"},
		{shop.ErrSelfPurchase, http.StatusConflict, "self_purchase_refused"},
		{shop.ErrReviewClosed, http.StatusConflict, "review_closed"},
		{shop.ErrMixedPrograms, http.StatusConflict, "mixed_programs"},
		{invoice.ErrNotFound, http.StatusNotFound, "not_found"},
		{payment.ErrNoGateway, http.StatusUnprocessableEntity, "gateway_unknown"},
		{payment.ErrNotPayable, http.StatusConflict, "order_not_payable"},
		{payment.ErrNoOrder, http.StatusNotFound, "not_found"},
		{payment.ErrRefused, http.StatusServiceUnavailable, "gateway_refused"},
		{payment.ErrUnknown, http.StatusServiceUnavailable, "gateway_unavailable"},
		{payment.ErrNotPaid, http.StatusConflict, "no_gateway_payment"},
		{payment.ErrTooMuch, http.StatusConflict, "exceeds_payment"},
	} {
		if errors.Is(err, c.target) {
			return &Problem{Status: c.status, Code: c.code, Detail: err.Error()}
		}
	}
	return nil
}
