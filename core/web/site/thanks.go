package site

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/money"
)

// How often a page that waits for its payment looks again by itself: soon at first, for about six minutes in all.
const (
	soonLooks = 12
	allLooks  = 22
	soon      = 3  // s
	later     = 30 // s
)

type thanksBody struct {
	Number, Token   string
	State           string
	Title, Text     string
	Tone            string
	Paid            bool // the receipt is one
	CanPay          bool
	Waiting         string // that it looks again
	Again           string // path, to look by hand
	OrderAgain      string
	Items           []item
	Rows            []row
	Total, Refunded string
	PaidWith        string
	At              int64
	Expires         string
	Buyer           shop.Buyer
	Region          string
	Documents       []document
	Gateways        []choice
	NextMail        string
}

// document is an invoice or credit note.
type document struct{ Title, Path, Total string }

// fill puts words into a text.
func fill(text string, values ...any) string { return fmt.Sprintf(text, values...) }

// thanks shows an order to its buyer, who comes here from the provider.
func (s *Site) thanks(w http.ResponseWriter, r *http.Request) {
	if !s.look(w, r) {
		return
	}
	o, ok := s.ordered(w, r)
	if !ok {
		return
	}
	d, err := s.now(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := s.page(w, r, d)
	s.own(w, r, p)
	body, err := s.receipt(r.Context(), p, &o)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Referrer-Policy", "no-referrer") // the address opens the order
	if r.URL.Query().Get("problem") == "payment" && body.CanPay {
		p.Notice = notice{"bad", s.text().PayFailed}
	} else if o.State == shop.Pending {
		s.lookAgain(h, r, &o, &body)
	}
	p.Title, p.Body = body.Title, body
	s.show(w, r, http.StatusOK, "thanks", p)
}

// lookAgain makes the browser ask again, less often with time, and in the end no more.
func (s *Site) lookAgain(h http.Header, r *http.Request, o *shop.Order, body *thanksBody) {
	n, err := strconv.Atoi(r.URL.Query().Get("look"))
	if err != nil || n < 0 {
		n = 0
	}
	body.Again = "/thank-you/" + o.Token
	if n >= allLooks {
		return
	}
	pause := soon
	if n >= soonLooks {
		pause = later
	}
	h.Set("Refresh", fmt.Sprintf("%d; url=/thank-you/%s?look=%d", pause, o.Token, n+1))
	body.Waiting = fmt.Sprintf(s.text().Checking, pause)
}

func (s *Site) receipt(ctx context.Context, p *page, o *shop.Order) (thanksBody, error) {
	state := s.text().States[string(o.State)]
	total := money.Amount{Minor: o.Totals.Gross, Currency: o.Currency}
	body := thanksBody{
		Number: o.Number, Token: o.Token, State: string(o.State), Title: state.Title, Text: state.Text, CanPay: payable(o.State), Buyer: o.Buyer, At: o.CreatedAt,
		Items: s.items(p, o.Lines, o.Currency), Rows: s.rows(p, o.Lines, o.Totals, o.TaxKind, o.Currency, o.CouponCode), Total: p.Money(total),
	}
	if strings.Contains(body.Title, "%s") {
		first, _, _ := strings.Cut(o.Buyer.Name, " ")
		body.Title = fmt.Sprintf(body.Title, first)
		if first == "" { // forgotten since
			body.Title = s.text().Receipt
		}
	}
	if o.PaidAt != 0 {
		body.At, body.Paid = o.PaidAt, true
	}
	if o.Gateway != "" && body.Paid {
		body.PaidWith = s.gatewayName(o.Gateway)
	}
	if o.Refunded > 0 {
		body.Refunded = p.Money(money.Amount{Minor: o.Refunded, Currency: o.Currency})
	}
	for _, region := range shop.Regions() {
		if o.Buyer.Country == "IN" && region.Code == o.Buyer.Region {
			body.Region = region.Name
		}
	}
	body.Tone = tone(o.State)
	if o.State == shop.Paid {
		body.NextMail = fill(s.text().NextMail, o.Buyer.Email)
	}
	if body.CanPay {
		body.Expires = fill(s.text().ExpiresAt, p.Moment(o.ExpiresAt))
		names := s.opts.Payments.Gateways()
		for i, name := range names {
			body.Gateways = append(body.Gateways, choice{Name: name, Title: s.gatewayTitle(name), Chosen: name == o.Gateway || i == 0 && !slices.Contains(names, o.Gateway)})
		}
	}
	if o.State == shop.Expired {
		body.OrderAgain = s.again(ctx, o)
	}
	return body, s.addDocuments(ctx, p, o, &body)
}

func tone(state shop.State) string {
	switch state {
	case shop.Paid:
		return "good"
	case shop.Failed, shop.Expired, shop.ChargedBack:
		return "bad"
	case shop.Created, shop.Pending, shop.Disputed:
		return "warn"
	case shop.PartlyRefunded, shop.Refunded:
	}
	return "plain"
}

func (s *Site) addDocuments(ctx context.Context, p *page, o *shop.Order, body *thanksBody) error {
	list, err := s.opts.Invoices.List(ctx, o.ID)
	if err != nil {
		return err
	}
	for _, inv := range list {
		title := s.text().Invoice
		if inv.Kind == invoice.KindCreditNote {
			title = s.text().CreditNote
		}
		body.Documents = append(body.Documents, document{
			Title: fmt.Sprintf(title, inv.Number), Total: p.Money(inv.Total),
			Path: "/api/v1/checkout/orders/" + o.Token + "/invoice.pdf?number=" + url.QueryEscape(inv.Number),
		})
	}
	return nil
}

// again is where what was ordered can be ordered anew; "" if it is not sold any more.
func (s *Site) again(ctx context.Context, o *shop.Order) string {
	if len(o.Lines) == 0 {
		return ""
	}
	id := o.Lines[0].BundleID
	if id == 0 {
		id = o.Lines[0].ProductID
	}
	it, err := s.opts.Shop.Product(ctx, id)
	if err != nil || it.Status != shop.Active {
		return ""
	}
	return "/checkout/" + it.Slug
}

// payAgain begins another try to pay an order.
func (s *Site) payAgain(w http.ResponseWriter, r *http.Request) {
	o, ok := s.ordered(w, r)
	if !ok {
		return
	}
	s.begin(s.public(r), w, r, &o, r.PostForm.Get("gateway"))
}
