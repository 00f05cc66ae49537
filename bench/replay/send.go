package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

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

// A conversion that cannot be taken now (503) is sent again, as a merchant's server would.
const (
	stepAttempts = 20
	stepPause    = 250 * time.Millisecond
)

// sendStep sends one conversion event until it is acknowledged or refused for good.
func (l *lane) sendStep(ctx context.Context, v *visit, s *step) (complaint string, err error) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	for range stepAttempts {
		req.Reset()
		if err := l.prepareStep(req, v, s); err != nil {
			return "", err
		}
		if err := l.conn.do(ctx, req, res); err != nil {
			return "", err
		}
		switch res.StatusCode() {
		case fasthttp.StatusOK:
			return "", nil
		case fasthttp.StatusServiceUnavailable:
			if err := wait(ctx, stepPause); err != nil {
				return "", err
			}
		default:
			return fmt.Sprintf("was answered %d: %.300s", res.StatusCode(), res.Body()), nil
		}
	}
	return fmt.Sprintf("could not be taken in %d attempts: %.300s", stepAttempts, res.Body()), nil
}

// prepareStep makes the request of a conversion event, as a merchant's server or a visitor's browser would: all forms
// that are accepted take turns.
func (l *lane) prepareStep(req *fasthttp.Request, v *visit, s *step) error {
	p := &l.world.Programs[l.world.Links[v.Link].Program]
	params := stepParams(v, s, p)
	if s.Pixel {
		req.SetRequestURI(l.target("/pixel.gif", params))
		return nil
	}
	form := draw("form", s.Line, s.Seq) % 4
	if form < 2 {
		params.Set("secret", p.Secret)
	} else {
		req.Header.Set(fasthttp.HeaderAuthorization, "Bearer "+p.Secret)
	}
	if form%2 == 0 {
		req.SetRequestURI(l.target("/postback", params))
		return nil
	}
	req.SetRequestURI(l.target("/postback", nil))
	req.Header.SetMethod(fasthttp.MethodPost)
	if form == 1 {
		req.Header.SetContentType("application/x-www-form-urlencoded")
		req.SetBodyString(params.Encode())
		return nil
	}
	body := map[string]any{}
	for name := range params {
		body[name] = params.Get(name)
	}
	if amount := params.Get("amount"); amount != "" {
		body["amount"] = json.Number(amount)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode conversion: %w", err)
	}
	req.Header.SetContentType("application/json")
	req.SetBody(b)
	return nil
}

// stepParams are the parameters of a conversion event, under one or the other of their names.
func stepParams(v *visit, s *step, p *program) url.Values {
	params := url.Values{"status": {string(s.Type)}}
	d := draw("names", s.Line, s.Seq)
	if s.NoClick {
		params.Set("program", p.ID)
	} else {
		params.Set(pick(d, []string{"click_id", "cid", "clickid", "subid"}), v.Record.ID.String())
	}
	params.Set(pick(d>>8, []string{"txid", "transaction_id", "order_id"}), s.Txn)
	if s.Ref != "" {
		params.Set(pick(d>>16, []string{"ref_txid", "sale_txid", "ref_transaction_id"}), s.Ref)
	}
	if s.Minor > 0 {
		params.Set("amount", money.Amount{Minor: s.Minor, Currency: p.Currency}.Decimal())
		if d>>24%2 == 0 { // else the program's currency is meant
			params.Set("currency", p.Currency)
		}
	}
	if s.Type == conversion.Lead {
		params.Set("event", "signup")
	}
	return params
}
