package site

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/money"
)

// begin notes that the buyer goes to a gateway, asks it where he can pay, and sends him there. An order that needs no
// payment goes to its receipt.
func (s *Site) begin(ctx context.Context, w http.ResponseWriter, r *http.Request, o *shop.Order, gateway string) {
	w.Header().Set("Cache-Control", forOne)
	receipt := "/thank-you/" + o.Token
	if !payable(o.State) || !slices.Contains(s.opts.Payments.Gateways(), gateway) {
		http.Redirect(w, r, receipt, http.StatusSeeOther)
		return
	}
	err := s.opts.Shop.Begin(ctx, o.ID, gateway)
	if errors.Is(err, payment.ErrNotPayable) || errors.Is(err, shop.ErrState) {
		http.Redirect(w, r, receipt, http.StatusSeeOther) // it has just been paid, or has expired
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	session, err := s.opts.Payments.Begin(ctx, o.ID, gateway)
	if err != nil {
		// The order is there: the buyer can try again, and must not order twice.
		s.opts.Logger.Warn("cannot begin a payment; the buyer may try again", "order", o.Number, "gateway", gateway, "error", err)
		http.Redirect(w, r, receipt+"?problem=payment", http.StatusSeeOther)
		return
	}
	if len(session.Params) == 0 && originOf(session.URL) == originOf(s.opts.URL) {
		http.Redirect(w, r, session.URL, http.StatusSeeOther)
		return
	}
	// Browsers hold the form-action of our pages against redirects of their forms too, so the way out is a page.
	http.Redirect(w, r, "/pay/"+o.Token+"/"+gateway, http.StatusSeeOther)
}

func payable(state shop.State) bool {
	return state == shop.Created || state == shop.Pending || state == shop.Failed
}

type payBody struct {
	Text, URL, Action string
	Params            map[string]string
	Script            string
}

// pay leads out of the site: to a page of the provider, or to its form, which the page sends on by itself where scripts
// run.
func (s *Site) pay(w http.ResponseWriter, r *http.Request) {
	if !s.look(w, r) {
		return
	}
	gateway := r.PathValue("gateway")
	o, ok := s.ordered(w, r)
	if !ok {
		return
	}
	if o.State != shop.Pending || o.Gateway != gateway || !slices.Contains(s.opts.Payments.Gateways(), gateway) {
		w.Header().Set("Cache-Control", forOne)
		http.Redirect(w, r, "/thank-you/"+o.Token, http.StatusSeeOther)
		return
	}
	session, err := s.opts.Payments.Begin(s.public(r), o.ID, gateway) // what was begun, as long as it can be paid
	if err != nil {
		w.Header().Set("Cache-Control", forOne)
		http.Redirect(w, r, "/thank-you/"+o.Token+"?problem=payment", http.StatusSeeOther)
		return
	}
	d, err := s.now(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := s.page(w, r, d)
	s.own(w, r, p)
	p.Title = s.text().PayTitle
	amount := p.Money(money.Amount{Minor: o.Totals.Gross, Currency: o.Currency})
	body := payBody{URL: session.URL, Params: session.Params, Text: fill(s.text().PayText, amount, s.gatewayName(gateway)), Action: fill(s.text().PayAction, s.gatewayName(gateway))}
	h := w.Header()
	h.Set("Referrer-Policy", "no-referrer")
	if len(session.Params) > 0 {
		body.Script = "/assets/" + payScriptName()
		h.Set("Content-Security-Policy", policy(originOf(session.URL), "'self'"))
	} else {
		h.Set("Refresh", "1; url="+session.URL)
	}
	p.Body = body
	s.show(w, r, http.StatusOK, "pay", p)
}

// originOf is scheme, host and port of an address.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "'none'"
	}
	return u.Scheme + "://" + u.Host
}

// ordered is the order that the token in the path opens, or answers the request.
func (s *Site) ordered(w http.ResponseWriter, r *http.Request) (shop.Order, bool) {
	token := r.PathValue("token")
	if len(token) > 64 {
		s.notFound(w, r)
		return shop.Order{}, false
	}
	o, err := s.opts.Shop.OrderByToken(r.Context(), token)
	if errors.Is(err, shop.ErrNotFound) {
		s.notFound(w, r)
		return o, false
	}
	if err != nil {
		s.fail(w, r, err)
		return o, false
	}
	return o, true
}
