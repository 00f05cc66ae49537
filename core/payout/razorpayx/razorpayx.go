// Package razorpayx sends payouts through RazorpayX: a contact and a fund account for each payee, a payout under our
// idempotency key, look-ups, and the signature of its webhooks.
package razorpayx

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Name is the executor's name.
const Name = "razorpayx"

const (
	maxAnswer = 1 << 20 // bytes
	timeout   = 25 * time.Second
	// Limits of one transfer, in paise: what UPI and IMPS take. Above the latter NEFT is used.
	minTransfer = 1_00
	maxUPI      = 1_00_000_00
	maxIMPS     = 5_00_000_00
	narration   = "Affiliate commission" // at most 30 letters, digits and spaces
)

// Options are what New needs.
type Options struct {
	URL           string // without a path; default https://api.razorpay.com
	KeyID         string
	KeySecret     string
	AccountNumber string // of the business, from which is paid
	WebhookSecret string
	Client        *http.Client // default: one that follows no redirects and gives up after 25 s
}

// Client is a payout.Sender. It is safe for concurrent use.
type Client struct {
	opts Options
	http *http.Client
}

// New returns a Client.
func New(opts Options) *Client {
	if opts.KeyID == "" || opts.KeySecret == "" || opts.AccountNumber == "" {
		panic("BUG: RazorpayX needs a key, its secret and an account")
	}
	if opts.URL == "" {
		opts.URL = "https://api.razorpay.com"
	}
	opts.URL = strings.TrimSuffix(opts.URL, "/")
	c := &Client{opts: opts, http: opts.Client}
	if c.http == nil {
		c.http = &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return c
}

// Supports implements payout.Executor.
func (c *Client) Supports(kind payout.Kind, amount money.Amount) bool {
	switch {
	case amount.Currency != "INR" || amount.Minor != 0 && amount.Minor < minTransfer:
		return false
	case kind == payout.UPI:
		return amount.Minor <= maxUPI
	}
	return kind == payout.BankIN
}

// payoutRequest is the body of POST /v1/payouts.
type payoutRequest struct {
	AccountNumber     string `json:"account_number"`
	FundAccountID     string `json:"fund_account_id"`
	Amount            int64  `json:"amount"`
	Currency          string `json:"currency"`
	Mode              string `json:"mode"`
	Purpose           string `json:"purpose"`
	QueueIfLowBalance bool   `json:"queue_if_low_balance"`
	ReferenceID       string `json:"reference_id"`
	Narration         string `json:"narration"`
}

type bankAccount struct {
	Name          string `json:"name"`
	IFSC          string `json:"ifsc"`
	AccountNumber string `json:"account_number"`
}

type vpa struct {
	Address string `json:"address"`
}

type fundAccount struct {
	ContactID   string       `json:"contact_id"`
	AccountType string       `json:"account_type"`
	BankAccount *bankAccount `json:"bank_account,omitempty"`
	VPA         *vpa         `json:"vpa,omitempty"`
}

// Prepare implements payout.Sender: it makes the contact and the fund account. The provider answers with the one that is
// there where the same is asked for again.
func (c *Client) Prepare(ctx context.Context, t payout.Transfer, to payout.Destination) ([]byte, error) {
	if !c.Supports(to.Kind, t.Amount) {
		return nil, fmt.Errorf("RazorpayX cannot pay %s to %s: %w", t.Amount, to.Kind, payout.ErrRejected)
	}
	var made struct {
		ID string `json:"id"`
	}
	contact := map[string]string{
		"name": clip(to.Holder, 50), "email": t.Email, "type": "vendor", "reference_id": ident.Format(ident.Affiliate, t.AffiliateID),
	}
	if err := c.post(ctx, "/v1/contacts", "", contact, &made); err != nil {
		return nil, fmt.Errorf("make contact: %w", err)
	}
	account, mode := fundAccount{ContactID: made.ID, AccountType: "bank_account"}, "IMPS"
	switch to.Kind {
	case payout.UPI:
		account.AccountType, account.VPA, mode = "vpa", &vpa{to.Account}, "UPI"
	default:
		account.BankAccount = &bankAccount{Name: to.Holder, IFSC: to.IFSC, AccountNumber: to.Account}
		if t.Amount.Minor > maxIMPS {
			mode = "NEFT"
		}
	}
	made.ID = ""
	if err := c.post(ctx, "/v1/fund_accounts", "", account, &made); err != nil {
		return nil, fmt.Errorf("make fund account: %w", err)
	}
	return json.Marshal(payoutRequest{
		AccountNumber: c.opts.AccountNumber, FundAccountID: made.ID, Amount: t.Amount.Minor, Currency: t.Amount.Currency, Mode: mode,
		Purpose: "payout", QueueIfLowBalance: true, ReferenceID: t.Key, Narration: narration,
	})
}

// entity is a payout as the provider tells of it.
type entity struct {
	ID            string `json:"id"`
	Amount        int64  `json:"amount"`
	Currency      string `json:"currency"`
	Status        string `json:"status"`
	UTR           string `json:"utr"`
	ReferenceID   string `json:"reference_id"`
	FailureReason string `json:"failure_reason"`
	StatusDetails *struct {
		Description string `json:"description"`
		Reason      string `json:"reason"`
	} `json:"status_details"`
}

// Send implements payout.Sender.
func (c *Client) Send(ctx context.Context, key string, request []byte) (payout.Result, error) {
	var e entity
	if err := c.post(ctx, "/v1/payouts", key, json.RawMessage(request), &e); err != nil {
		return payout.Result{}, fmt.Errorf("make payout: %w", err)
	}
	var asked payoutRequest
	if err := json.Unmarshal(request, &asked); err != nil {
		return payout.Result{}, fmt.Errorf("read own request: %w", err)
	}
	if e.Amount != asked.Amount || e.Currency != asked.Currency || e.ReferenceID != key {
		return payout.Result{}, fmt.Errorf("the provider answered of another payout than the one asked for (%s): see its dashboard", e.ID)
	}
	return e.result()
}

// LookUp implements payout.Sender.
func (c *Client) LookUp(ctx context.Context, key, providerID string) (payout.Result, error) {
	if providerID != "" {
		var e entity
		if err := c.get(ctx, "/v1/payouts/"+url.PathEscape(providerID), &e); err != nil {
			return payout.Result{}, fmt.Errorf("look up payout: %w", err)
		}
		if e.ReferenceID != key {
			return payout.Result{}, fmt.Errorf("payout %s of the provider has another reference than ours: see its dashboard", e.ID)
		}
		return e.result()
	}
	var list struct {
		Items []entity `json:"items"`
	}
	query := url.Values{"account_number": {c.opts.AccountNumber}, "reference_id": {key}, "count": {"10"}}
	if err := c.get(ctx, "/v1/payouts?"+query.Encode(), &list); err != nil {
		return payout.Result{}, fmt.Errorf("look for payout: %w", err)
	}
	var found []entity
	for _, e := range list.Items {
		if e.ReferenceID == key {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 0:
		return payout.Result{Outcome: payout.Unseen}, nil
	case 1:
		return found[0].result()
	}
	return payout.Result{}, fmt.Errorf("the provider has %d payouts with our reference: see its dashboard", len(found))
}

// result reads the status of a payout.
func (e entity) result() (payout.Result, error) {
	r := payout.Result{ProviderID: e.ID, Reference: e.UTR, Reason: e.FailureReason}
	if r.Reason == "" && e.StatusDetails != nil {
		r.Reason = e.StatusDetails.Description
	}
	switch e.Status {
	case "queued", "pending", "scheduled", "processing", "initiated":
		r.Outcome = payout.InProgress
	case "processed":
		r.Outcome = payout.Done
	case "reversed", "failed", "rejected", "cancelled":
		r.Outcome = payout.Undone
		if r.Reason == "" {
			r.Reason = e.Status
		}
	default:
		return payout.Result{}, fmt.Errorf("payout %s of the provider has the unknown status %.32q", e.ID, e.Status)
	}
	if e.ID == "" {
		return payout.Result{}, errors.New("the provider's answer names no payout")
	}
	return r, nil
}

func (c *Client) post(ctx context.Context, path, key string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.opts.URL+path, bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("X-Payout-Idempotency", key)
	}
	return c.do(r, into)
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.opts.URL+path, nil)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	return c.do(r, into)
}

// do sends a request. Only an answer of 400 in the provider's own form is a refusal; everything else, also 401 and 429, leaves
// open what happened or will pass.
func (c *Client) do(r *http.Request, into any) error {
	r.SetBasicAuth(c.opts.KeyID, c.opts.KeySecret)
	r.Header.Set("User-Agent", "Edgeref-Payouts/1")
	resp, err := c.http.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL, which holds our account number
		}
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusCreated {
		if err := json.Unmarshal(b, into); err != nil {
			return fmt.Errorf("read answer: %w", err)
		}
		return nil
	}
	var failed struct {
		Error struct {
			Code        string `json:"code"`
			Description string `json:"description"`
		} `json:"error"`
	}
	_ = json.Unmarshal(b, &failed)
	text := clip(failed.Error.Description, 150)
	if resp.StatusCode == http.StatusBadRequest && failed.Error.Code == "BAD_REQUEST_ERROR" {
		return fmt.Errorf("%w: %s", payout.ErrRejected, text)
	}
	return fmt.Errorf("answered %d %s %s", resp.StatusCode, failed.Error.Code, text)
}

// ErrSignature says that a webhook is not from the provider.
var ErrSignature = errors.New("the signature does not match")

// Notice reads a webhook: what it is about, and a key by which it is told from others. The signature is checked over the
// body as it came. A webhook that is about no payout has no reference.
func (c *Client) Notice(header http.Header, body []byte) (n payout.NoticeOf, err error) {
	sent, err := hex.DecodeString(header.Get("X-Razorpay-Signature"))
	mac := hmac.New(sha256.New, []byte(c.opts.WebhookSecret))
	mac.Write(body)
	if err != nil || c.opts.WebhookSecret == "" || !hmac.Equal(sent, mac.Sum(nil)) {
		return n, ErrSignature
	}
	var event struct {
		Event   string `json:"event"`
		Payload struct {
			Payout struct {
				Entity entity `json:"entity"`
			} `json:"payout"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return n, fmt.Errorf("read webhook: %w", err)
	}
	e := event.Payload.Payout.Entity
	n = payout.NoticeOf{Event: event.Event, Key: e.ReferenceID, EventKey: header.Get("X-Razorpay-Event-Id")}
	if n.EventKey == "" {
		n.EventKey = event.Event + " " + e.ID + " " + e.Status
	}
	return n, nil
}

func clip(text string, limit int) string {
	return strings.ToValidUTF8(text[:min(len(text), limit)], "")
}
