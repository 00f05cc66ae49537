package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/text/language"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/locale"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/web/look"
	"github.com/edgeref/edgeref/wire/money"
)

// PagePath is the page of a payment: the path and its ref.
const PagePath = "/sandbox/pay/"

const (
	maxForm    = 4 << 10 // bytes
	laterDelay = 30 * time.Second
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// page is the finished template with the policy that lets its style in and nothing else.
type page struct {
	template *template.Template
	style    template.CSS
	policy   string
	texts    []*Text
	matcher  language.Matcher // of texts
}

func newPage(texts []*Text) (*page, error) {
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("read sandbox page: %w", err)
	}
	tags := make([]language.Tag, len(texts))
	for i, text := range texts {
		tags[i] = text.Tag
	}
	style := look.NewSheet("sandbox", "", pageCSS).Body
	sum := sha256.Sum256(style)
	return &page{
		template: t, style: template.CSS(style), texts: texts, matcher: language.NewMatcher(tags), //nolint:gosec // our own files
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; frame-ancestors 'none'",
	}, nil
}

// text is what the page says to who sent a request.
func (p *page) text(r *http.Request) *Text {
	_, i := language.MatchStrings(p.matcher, r.Header.Get("Accept-Language"))
	return p.texts[i]
}

// view is what the page shows.
type view struct {
	T           *Text
	CSS         template.CSS
	Title       string
	Notice      string // what was just done
	Problem     string
	OrderRef    string
	Description string
	Amount      string
	Status      string // a word for people
	Tone        string // open, good, wait or bad
	CanPay      bool
	Buttons     []button
	ReturnURL   string
	Missing     bool
	Failed      bool
}

// button is something that can be done to the payment.
type button struct {
	Value string // of the form
	Action
	Main bool
}

// Handler serves the page. It needs no script, takes no cookie, and loads nothing from elsewhere.
func (g *Gateway) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PagePath+"{ref}", g.show)
	mux.HandleFunc("POST "+PagePath+"{ref}", g.act)
	own := http.NewCrossOriginProtection()
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := g.page.text(r)
		g.write(w, http.StatusForbidden, view{T: text, Title: text.NotDone, Failed: true, Problem: text.CrossSite})
	}))
	return own.Handler(mux)
}

func (g *Gateway) show(w http.ResponseWriter, r *http.Request) {
	g.render(w, r, http.StatusOK, g.page.text(r).Done[r.URL.Query().Get("done")], "")
}

func (g *Gateway) render(w http.ResponseWriter, r *http.Request, status int, notice, problem string) {
	text := g.page.text(r)
	v := view{T: text, Title: text.Title, Notice: notice, Problem: problem}
	list, err := g.read(r.Context(), g.db, "ref = ?", r.PathValue("ref"))
	switch {
	case err != nil:
		g.fail(w, r, err)
		return
	case len(list) == 0:
		status, v.Missing, v.Title = http.StatusNotFound, true, text.Missing
	default:
		if err := g.fill(r.Context(), &v, list[0]); err != nil {
			g.fail(w, r, err)
			return
		}
	}
	g.write(w, status, v)
}

// fail is the page for what is nobody's fault who looks at it.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, err error) {
	g.log.Error("a sandbox payment could not be shown or changed", "error", err)
	text := g.page.text(r)
	g.write(w, http.StatusServiceUnavailable, view{T: text, Title: text.NotDone, Failed: true, Problem: text.Failed})
}

func (g *Gateway) write(w http.ResponseWriter, status int, v view) {
	v.CSS = g.page.style
	var b bytes.Buffer
	if err := g.page.template.Execute(&b, v); err != nil {
		g.log.Error("showing a sandbox payment failed", "error", err)
		http.Error(w, v.T.Failed, http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", g.page.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// fill describes a payment for people.
func (g *Gateway) fill(ctx context.Context, v *view, r record) error {
	format := locale.New(v.T.Tag, time.UTC)
	v.OrderRef, v.Description, v.Amount, v.ReturnURL = r.OrderRef, r.Description, format.Money(r.Amount), r.ReturnURL
	refunds, err := g.refunds(ctx, g.db, r)
	if err != nil {
		return err
	}
	left := r.Amount
	if r.PaymentID != "" {
		for _, c := range refunds {
			left.Minor -= c.Amount.Minor
		}
	}
	now := g.now()
	switch {
	case r.State == "open" && now.UnixMilli() > r.CreatedAt+expires.Milliseconds():
		v.Status, v.Tone = v.T.Expired, "bad"
	case r.State == "open":
		v.Status, v.Tone, v.CanPay = v.T.Open, "open", true
		v.offer("pay", "fail", "later", "dispute")
		v.Buttons[0].Main = true
	case !r.paid(now):
		v.Status, v.Tone = v.T.Promised, "wait"
	default:
		v.paid(r, left, format.Money(left))
	}
	return nil
}

// paid describes a payment whose money is there, of which left was not refunded.
func (v *view) paid(r record, left money.Amount, leftText string) {
	v.Status, v.Tone = v.T.Paid, "good"
	switch {
	case left.Minor == 0:
		v.Status, v.Tone = v.T.Refunded, "wait"
	case left.Minor < r.Amount.Minor:
		v.Status = v.T.Partly
	}
	if left.Minor > 0 {
		v.offer("refund")
		v.Buttons[0].Name = fmt.Sprintf(v.Buttons[0].Name, leftText)
	}
	switch r.DisputeState {
	case "":
		v.offer("dispute")
		v.Buttons[len(v.Buttons)-1].Action = v.T.Actions[disputePaid]
	case "open":
		v.offer("won", "lost")
		v.Status, v.Tone = fmt.Sprintf(v.T.Disputed, v.Status), "bad"
	case "won":
		v.Status = fmt.Sprintf(v.T.DisputeWon, v.Status)
	case "lost":
		v.Status = fmt.Sprintf(v.T.DisputeLost, v.Status)
	}
}

// offer adds buttons by what they send.
func (v *view) offer(values ...string) {
	for _, value := range values {
		v.Buttons = append(v.Buttons, button{Value: value, Action: v.T.Actions[value]})
	}
}

// errNotNow says that a button no longer does anything.
var errNotNow = errors.New("that is not possible any more; the page now shows how things stand")

// act does what a button says.
func (g *Gateway) act(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		text := g.page.text(r)
		g.write(w, http.StatusBadRequest, view{T: text, Title: text.NotDone, Failed: true, Problem: text.Unreadable})
		return
	}
	copies, _ := strconv.Atoi(r.PostForm.Get("copies"))
	seconds, _ := strconv.Atoi(r.PostForm.Get("delay"))
	m := manner{
		copies: min(max(copies, 1), maxCopies), mixed: r.PostForm.Get("order") == "mixed",
		delay: min(time.Duration(max(min(seconds, 1e6), 0))*time.Second, maxDelay),
	}
	action, ref := r.PostForm.Get("action"), r.PathValue("ref")
	var back string
	err := g.db.InTx(r.Context(), func(tx *db.Tx) error {
		back = ""
		list, err := g.read(r.Context(), tx, "ref = ?"+tx.Dialect().ForUpdate(), ref)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return errNotNow
		}
		back, err = g.perform(r.Context(), tx, list[0], action, m)
		return err
	})
	switch {
	case errors.Is(err, errNotNow), errors.Is(err, payment.ErrRefused):
		g.render(w, r, http.StatusConflict, "", g.page.text(r).NotNow)
	case err != nil:
		g.fail(w, r, err)
	default:
		http.Redirect(w, r, back, http.StatusSeeOther)
	}
}

// Play does what a button of the page does, for who has no browser: "pay", "fail", "dispute", "refund", "won" or "lost".
// Of each webhook about it so many copies are queued; with 0 only who asks hears of it.
func (g *Gateway) Play(ctx context.Context, ref, action string, copies int) error {
	err := g.db.InTx(ctx, func(tx *db.Tx) error {
		list, err := g.read(ctx, tx, "ref = ?"+tx.Dialect().ForUpdate(), ref)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return errNotNow
		}
		_, err = g.perform(ctx, tx, list[0], action, manner{copies: min(copies, maxCopies)})
		return err
	})
	if err != nil {
		return fmt.Errorf("%s sandbox payment: %w", action, err)
	}
	return nil
}

// perform changes a payment that is locked, queues the webhooks about it, and says where the browser goes next.
func (g *Gateway) perform(ctx context.Context, tx *db.Tx, r record, action string, m manner) (string, error) {
	here := PagePath + r.Ref
	now := g.now()
	switch action {
	case "pay", "later", "dispute":
		if r.State != "open" || now.UnixMilli() > r.CreatedAt+expires.Milliseconds() {
			if action == "dispute" {
				return here + "?done=disputed", g.dispute(ctx, tx, r, m)
			}
			return "", errNotNow
		}
		return r.ReturnURL, g.pay(ctx, tx, r, action, m)
	case "fail":
		if r.State != "open" {
			return "", errNotNow
		}
		c := r.change()
		c.PaymentID, c.Reason = random("spy_"), "declined by the buyer's bank, as the page was told"
		return here + "?done=failed", g.queue(ctx, tx, m, g.event("payment.failed", c))
	case "refund":
		refunds, err := g.refunds(ctx, tx, r)
		if err != nil {
			return "", err
		}
		left := r.Amount
		for _, c := range refunds {
			left.Minor -= c.Amount.Minor
		}
		_, err = g.refund(ctx, tx, r, random("dashboard_"), left)
		return here + "?done=refunded", err
	case "won", "lost":
		if r.DisputeState != "open" {
			return "", errNotNow
		}
		if _, err := tx.Exec(ctx, "UPDATE sandbox_payments SET dispute_state = ? WHERE id = ?", action, r.ID); err != nil {
			return "", err
		}
		c := r.change()
		c.DisputeID = r.DisputeID
		return here + "?done=" + action, g.queue(ctx, tx, m, g.event("dispute."+action, c))
	}
	return "", errNotNow
}

// pay takes the money, at once or later, and disputes it where that is asked for.
func (g *Gateway) pay(ctx context.Context, tx *db.Tx, r record, action string, m manner) error {
	at, state := g.now(), "paid"
	if action == "later" {
		m.delay += laterDelay
		at, state = at.Add(m.delay), "later"
	}
	r.PaymentID, r.State, r.PaidAt = random("spy_"), state, at.UnixMilli()
	if _, err := tx.Exec(ctx, "UPDATE sandbox_payments SET state = ?, payment_id = ?, paid_at = ? WHERE id = ?", r.State, r.PaymentID, r.PaidAt, r.ID); err != nil {
		return err
	}
	c := r.change()
	messages := []message{g.event("payment.authorized", c), g.event("payment.captured", c), g.event("order.paid", c)}
	if action == "dispute" {
		opened, err := g.open(ctx, tx, r)
		if err != nil {
			return err
		}
		messages = append(messages, opened)
	}
	return g.queue(ctx, tx, m, messages...)
}

func (g *Gateway) dispute(ctx context.Context, tx *db.Tx, r record, m manner) error {
	if !r.paid(g.now()) || r.DisputeState != "" {
		return errNotNow
	}
	opened, err := g.open(ctx, tx, r)
	if err != nil {
		return err
	}
	return g.queue(ctx, tx, m, opened)
}

// open opens the dispute of a payment, over all of it.
func (g *Gateway) open(ctx context.Context, tx *db.Tx, r record) (message, error) {
	c := r.change()
	c.DisputeID, c.Reason, c.Amount = random("sdp_"), "not as described", money.Amount{Minor: r.Amount.Minor, Currency: r.Amount.Currency}
	_, err := tx.Exec(ctx, "UPDATE sandbox_payments SET dispute_id = ?, dispute_state = 'open' WHERE id = ?", c.DisputeID, r.ID)
	return g.event("dispute.created", c), err
}
