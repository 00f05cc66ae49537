package replay

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// sendClick sends a line's request. complaint says what is wrong with the answer; an error means that there was none.
func (l *lane) sendClick(ctx context.Context, r *request) (id click.ID, complaint string, err error) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.SetRequestURI(l.target("/"+l.world.Links[r.Link].Slug, r.Params))
	req.Header.SetMethod(r.Method)
	for name, value := range map[string]string{
		"CF-Connecting-IP": r.Addr.String(), "CF-IPCountry": r.Country, "Accept-Language": r.Languages,
		"User-Agent": r.UserAgent, "Referer": r.Referrer,
	} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if r.Prefetch != "" {
		req.Header.Set(r.Prefetch, "prefetch")
	}
	if err := l.conn.do(ctx, req, res); err != nil {
		return click.ID{}, "", err
	}
	id, complaint = l.world.checkRedirect(r, res)
	return id, complaint, nil
}

// checkRedirect reads the Click ID out of an answer and says what is wrong with the answer.
func (w *world) checkRedirect(r *request, res *fasthttp.Response) (click.ID, string) {
	link := &w.Links[r.Link]
	p := &w.Programs[link.Program]
	if res.StatusCode() != fasthttp.StatusFound {
		return click.ID{}, fmt.Sprintf("was answered %d, want 302", res.StatusCode())
	}
	location, err := url.Parse(string(res.Header.Peek("Location")))
	if err != nil {
		return click.ID{}, "was sent to a Location that is not a URL"
	}
	id, err := click.ParseID(location.Query().Get(p.ClickParam))
	if err != nil {
		return click.ID{}, fmt.Sprintf("was sent to %.200s, without a Click ID in %s", location, p.ClickParam)
	}
	if number, err := ident.Parse(ident.Link, link.ID); err != nil || number != id.LinkID() {
		return id, fmt.Sprintf("has a Click ID of another link than %s", link.ID)
	}
	owner := w.Affiliates[link.Affiliate].ID
	if number, err := ident.Parse(ident.Affiliate, owner); err != nil || number != id.AffiliateID() {
		return id, fmt.Sprintf("has a Click ID of another affiliate than %s", owner)
	}
	if complaint := checkLocation(location, link, r); complaint != "" {
		return id, complaint
	}
	if !strings.Contains(string(res.Header.Peek("Cache-Control")), "no-store") {
		return id, "was answered with a redirect that may be cached"
	}
	if !hasCookie(res, id.String()) {
		return id, "was answered without a cookie that holds the Click ID"
	}
	return id, ""
}

// checkLocation compares a Location with the link's destination and with what must be passed through.
func checkLocation(location *url.URL, link *replayLink, r *request) string {
	destination, query, _ := strings.Cut(link.Destination, "?")
	if got := location.Scheme + "://" + location.Host + location.Path; got != destination {
		return fmt.Sprintf("was sent to %.100s, want %s", got, destination)
	}
	got := location.Query()
	want, err := url.ParseQuery(query)
	if err != nil {
		return "BUG: destination " + link.Destination
	}
	for name := range want {
		if want.Get(name) == "{sub1}" {
			want.Set(name, r.Params.Get("sub1"))
		}
	}
	for _, name := range []string{"gclid", "fbclid", "utm_source", "utm_medium", "utm_campaign"} {
		if r.Params.Has(name) {
			want.Set(name, r.Params.Get(name))
		}
	}
	for name := range want {
		if got.Get(name) != want.Get(name) || len(got[name]) > 1 {
			return fmt.Sprintf("was sent to %.300s, want %s=%q", location, name, want.Get(name))
		}
	}
	return ""
}

func hasCookie(res *fasthttp.Response, value string) bool {
	for _, cookie := range res.Header.Cookies() {
		if strings.Contains(string(cookie), value) {
			return true
		}
	}
	return false
}

// sendStep sends one conversion event, as a merchant's server or as a visitor's browser would.
func (l *lane) sendStep(ctx context.Context, v *visit, s *step) (complaint string, err error) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	p := &l.world.Programs[l.world.Links[v.Link].Program]
	params := stepParams(v, s, p)
	switch d := draw("channel", s.Line, s.Seq) % 3; {
	case s.Pixel:
		req.SetRequestURI(l.target("/pixel.gif", params))
	case d == 0:
		params.Set("secret", p.Secret)
		req.SetRequestURI(l.target("/postback", nil))
		req.Header.SetMethod(fasthttp.MethodPost)
		req.Header.SetContentType("application/x-www-form-urlencoded")
		req.SetBodyString(params.Encode())
	default:
		params.Set("secret", p.Secret)
		req.SetRequestURI(l.target("/postback", params))
	}
	if err := l.conn.do(ctx, req, res); err != nil {
		return "", err
	}
	if res.StatusCode() != fasthttp.StatusOK {
		return fmt.Sprintf("was answered %d: %.300s", res.StatusCode(), res.Body()), nil
	}
	return "", nil
}

// stepParams are the parameters of a conversion event, under one or the other of their names.
func stepParams(v *visit, s *step, p *program) url.Values {
	params := url.Values{"status": {string(s.Type)}}
	d := draw("names", s.Line, s.Seq)
	params.Set(pick(d, []string{"click_id", "cid", "clickid", "subid"}), v.Record.ID.String())
	params.Set(pick(d>>8, []string{"txid", "transaction_id", "order_id"}), s.Txn)
	if s.Ref != "" {
		params.Set("ref_txid", s.Ref)
	}
	if s.Minor > 0 {
		params.Set("amount", money.Amount{Minor: s.Minor, Currency: p.Currency}.Decimal())
		params.Set("currency", p.Currency)
	}
	if s.Type == conversion.Lead {
		params.Set("event", "signup")
	}
	return params
}
