package razorpay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/edgeref/edgeref/core/payment"
)

const (
	attempts      = 3 // of a request that may be repeated
	firstPause    = 300 * time.Millisecond
	maxPause      = 3 * time.Second
	callTimeout   = 8 * time.Second // of one request
	maxAnswer     = 4 << 20         // bytes
	maxHeader     = 64 << 10        // bytes
	maxReason     = 200             // bytes
	idempotentKey = "X-Refund-Idempotency"
)

// client speaks HTTP with the provider.
type client struct {
	base, keyID, keySecret string
	http                   *http.Client
	pause                  time.Duration
}

func newClient(base, keyID, keySecret string, pause time.Duration) *client {
	return &client{base: base, keyID: keyID, keySecret: keySecret, pause: pause, http: &http.Client{
		Timeout: callTimeout,
		// A redirect would take the credentials elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: callTimeout, MaxResponseHeaderBytes: maxHeader,
		},
	}}
}

// call is one request.
type call struct {
	method, path string
	query        url.Values
	body         any
	key          string // of a refund
}

// repeatable reports whether a second one has no effect of its own.
func (c call) repeatable() bool { return c.method == http.MethodGet || c.key != "" }

// statusError is an answer that is no success.
type statusError struct {
	status      int
	code        string
	description string
	wait        time.Duration // what the provider asked for
}

// Error implements error.
func (e *statusError) Error() string {
	text := "razorpay answered " + strconv.Itoa(e.status)
	if e.description != "" {
		text += ": " + e.description
	}
	return text
}

// later reports whether the same request may succeed.
func (e *statusError) later() bool {
	return e.status == http.StatusTooManyRequests || e.status == http.StatusConflict || e.status == http.StatusRequestTimeout || e.status >= 500
}

// Unwrap makes an answer that is a clear no errors.Is(ErrRefused). Not so where the key is not accepted: that is ours
// to put right, and the payment can go on afterwards.
func (e *statusError) Unwrap() error {
	if e.later() || e.status < 400 || e.status == http.StatusUnauthorized || e.status == http.StatusForbidden {
		return nil
	}
	return payment.ErrRefused
}

// do sends a request, again where that has no effect of its own, and decodes the answer into out.
func (c *client) do(ctx context.Context, r call, out any) error {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	pause := c.pause
	for attempt := 1; ; attempt++ {
		err := c.once(ctx, r, body, out)
		failed, answered := errors.AsType[*statusError](err)
		if err == nil || attempt == attempts || !r.repeatable() || answered && !failed.later() {
			return err
		}
		wait := pause/2 + rand.N(pause)
		if answered {
			wait = max(wait, min(failed.wait, maxPause))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
		pause = min(2*pause, maxPause)
	}
}

func (c *client) once(ctx context.Context, r call, body []byte, out any) error {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.SetBasicAuth(c.keyID, c.keySecret)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "Edgeref/1")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		req.Header.Set(idempotentKey, r.key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("call razorpay: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("read answer of razorpay: %w", err)
	}
	if len(answer) > maxAnswer {
		return fmt.Errorf("read answer of razorpay: it is larger than %d bytes", maxAnswer)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return failure(resp, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read answer of razorpay: %w", err)
	}
	return nil
}

func failure(resp *http.Response, answer []byte) error {
	e := &statusError{status: resp.StatusCode}
	var in struct {
		Error struct {
			Code        string `json:"code"`
			Description string `json:"description"`
		} `json:"error"`
	}
	if json.Unmarshal(answer, &in) == nil {
		e.code, e.description = in.Error.Code, clip(in.Error.Description)
	}
	if seconds, err := strconv.ParseInt(resp.Header.Get("Retry-After"), 10, 32); err == nil && seconds > 0 {
		e.wait = time.Duration(seconds) * time.Second
	}
	return e
}
