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

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/payment"
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
	policy   string
}

func newPage() (*page, error) {
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("read sandbox page: %w", err)
	}
	sum := sha256.Sum256([]byte(pageCSS))
	return &page{template: t, policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; frame-ancestors 'none'"}, nil
}

// view is what the page shows.
type view struct {
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
	CanRefund   bool
	CanDispute  bool
	InDispute   bool
	Left        string // of the amount, not refunded
	ReturnURL   string
	Missing     bool
}

// Handler serves the page. It needs no script, takes no cookie, and loads nothing from elsewhere.
func (g *Gateway) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PagePath+"{ref}", g.show)
	mux.HandleFunc("POST "+PagePath+"{ref}", g.act)
	return http.NewCrossOriginProtection().Handler(mux)
}

func (g *Gateway) show(w http.ResponseWriter, r *http.Request) {
	notice := map[string]string{
		"failed": "The payment failed. The buyer can try again.", "refunded": "The whole rest was refunded at the gateway.", "disputed": "A dispute was opened.",
		"won": "The dispute was won.", "lost": "The dispute was lost.",
	}[r.URL.Query().Get("done")]
	g.render(w, r, http.StatusOK, notice, "")
}

func (g *Gateway) render(w http.ResponseWriter, r *http.Request, status int, notice, problem string) {
	v := view{CSS: template.CSS(pageCSS), Title: "Sandbox payment", Notice: notice, Problem: problem} //nolint:gosec // our own file
	list, err := g.read(r.Context(), g.db, "ref = ?", r.PathValue("ref"))
	switch {
	case err != nil:
		g.log.Error("showing a sandbox payment failed", "error", err)
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	case len(list) == 0:
		status, v.Missing, v.Title = http.StatusNotFound, true, "No such payment"
	default:
		if err := g.fill(r.Context(), &v, list[0]); err != nil {
			g.log.Error("showing a sandbox payment failed", "error", err)
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
	}
	var b bytes.Buffer
	if err := g.page.template.Execute(&b, v); err != nil {
		g.log.Error("showing a sandbox payment failed", "error", err)
		http.Error(w, "the page is broken", http.StatusInternalServerError)
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
	v.OrderRef, v.Description, v.Amount, v.ReturnURL = r.OrderRef, r.Description, r.Amount.String(), r.ReturnURL
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
	v.Left = left.String()
	now := g.now()
	switch {
	case r.State == "open" && now.UnixMilli() > r.CreatedAt+expires.Milliseconds():
		v.Status, v.Tone = "Expired", "bad"
	case r.State == "open":
		v.Status, v.Tone, v.CanPay = "Waiting for the buyer", "open", true
	case !r.paid(now):
		v.Status, v.Tone = "Promised; the money comes later", "wait"
	default:
		v.Status, v.Tone = "Paid", "good"
		v.CanRefund = left.Minor > 0
		v.CanDispute, v.InDispute = r.DisputeState == "", r.DisputeState == "open"
		switch {
		case left.Minor == 0:
			v.Status, v.Tone = "Refunded", "wait"
		case left.Minor < r.Amount.Minor:
			v.Status = "Paid, refunded in part"
		}
		switch r.DisputeState {
		case "open":
			v.Status, v.Tone = v.Status+", disputed", "bad"
		case "won", "lost":
			v.Status += ", dispute " + r.DisputeState
		}
	}
	return nil
}

// errNotNow says that a button no longer does anything.
var errNotNow = errors.New("that is not possible any more; the page now shows how things stand")

// act does what a button says.
func (g *Gateway) act(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "not understood", http.StatusBadRequest)
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
		g.render(w, r, http.StatusConflict, "", "That is not possible any more. This is how things stand.")
	case err != nil:
		g.log.Error("a sandbox payment could not be changed", "error", err)
		http.Error(w, "try again", http.StatusServiceUnavailable)
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
