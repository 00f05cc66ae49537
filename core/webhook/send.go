package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// outcome is what became of one attempt.
type outcome struct {
	status     int    // 0: no answer
	err        string // "": delivered
	response   string
	retryAfter time.Duration // what the endpoint asked for
	took       time.Duration
}

func (o outcome) delivered() bool { return o.err == "" }

// Run delivers what is due until ctx ends; sends under way are finished first. Several cores may run it.
func (s *Service) Run(ctx context.Context) error {
	finished := make(chan struct{}, s.opts.Workers)
	running := 0
	defer func() {
		for ; running > 0; running-- {
			<-finished
		}
		s.client.CloseIdleConnections()
	}()
	var pruned time.Time
	for ctx.Err() == nil {
		jobs, seen, err := s.claim(ctx, s.opts.Workers-running)
		if err != nil && ctx.Err() == nil {
			s.log.Error("looking for webhook deliveries failed, will try again", "error", err, "pause", s.opts.Poll)
		}
		for _, j := range jobs {
			running++
			go func() {
				defer func() { finished <- struct{}{} }()
				s.process(ctx, j)
			}()
		}
		if now := s.now(); err == nil && now.Sub(pruned) >= pruneEvery {
			pruned = now
			if err := s.Prune(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("pruning webhook deliveries failed, will try again", "error", err)
			}
		}
		if seen == 0 || running == s.opts.Workers {
			running -= s.await(ctx, finished)
		}
	}
	return nil
}

// Work delivers what is due now, one after the other, and returns how much that was. Run does the same all the time;
// this is for who sets the clock.
func (s *Service) Work(ctx context.Context) (int, error) {
	jobs, seen, err := s.claim(ctx, s.opts.Workers)
	for _, j := range jobs {
		s.process(ctx, j)
	}
	return seen, err
}

// await waits for something to do and returns how many sends have ended.
func (s *Service) await(ctx context.Context, finished <-chan struct{}) int {
	timer := time.NewTimer(s.opts.Poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-s.wake:
	case <-finished:
		return 1
	}
	return 0
}

// process sends a job and notes what became of it. What it cannot note is sent again when the lease ends. A stop lets
// it finish: it is bounded by sendTimeout.
func (s *Service) process(ctx context.Context, j job) {
	ctx = context.WithoutCancel(ctx)
	defer s.sent(j)
	o := s.send(ctx, &j)
	if err := s.note(ctx, &j, o); err != nil {
		s.log.Error("noting a webhook delivery failed; it will be sent again under the same id", "error", err,
			"delivery", ident.Format(ident.WebhookDelivery, j.delivery))
	}
}

func (s *Service) sent(j job) {
	s.sending.Lock()
	defer s.sending.Unlock()
	if s.inFlight[j.endpoint.ID]--; s.inFlight[j.endpoint.ID] <= 0 {
		delete(s.inFlight, j.endpoint.ID)
	}
}

// request makes the signed request of a job.
func (s *Service) request(ctx context.Context, j *job) (*http.Request, error) {
	e, now := &j.endpoint, s.now()
	target, body, contentType := e.URL, j.payload, "application/json"
	if e.Postback() {
		t, err := parseTemplate(s.guard, e.URL)
		if err != nil {
			return nil, fmt.Errorf("read URL: %w", err)
		}
		values, err := j.values()
		if err != nil {
			return nil, err
		}
		target, body = t.expand(values), nil
		if e.Method == http.MethodPost {
			path, query, _ := strings.Cut(target, "?")
			target, body, contentType = path, []byte(query), "application/x-www-form-urlencoded"
		}
	}
	u, err := s.guard.checkURL(target)
	if err != nil {
		return nil, fmt.Errorf("the URL %w", err)
	}
	signed := body
	if e.Method == http.MethodGet {
		signed = []byte(u.RequestURI()) // there is no body: the parameters are what must not be made up
	}
	id := ident.Format(ident.WebhookEvent, j.event)
	secrets, err := s.openSecrets(e, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	signature, err := sign(secrets, id, now, signed)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, e.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the URL cannot be sent to")
	}
	if e.Method == http.MethodPost {
		r.Header.Set("Content-Type", contentType)
	}
	r.Header.Set("User-Agent", "Edgeref-Webhooks/1")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("Webhook-Signature", signature)
	return r, nil
}

// send makes one attempt.
func (s *Service) send(ctx context.Context, j *job) (o outcome) {
	began := time.Now()
	defer func() { o.took = time.Since(began) }()
	r, err := s.request(ctx, j)
	if err != nil {
		return outcome{err: clip(err.Error(), maxError)}
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return outcome{err: clip(plain(err), maxError)}
	}
	defer resp.Body.Close()
	// The status is the answer; a body that breaks off changes nothing. What is beyond the limit is not read.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	o = outcome{status: resp.StatusCode, response: clip(strings.ReplaceAll(string(body), "\x00", ""), maxResponse)}
	if o.status < 200 || o.status > 299 {
		o.err = clip("answered "+strconv.Itoa(o.status)+" "+http.StatusText(o.status), maxError)
	}
	if seconds, err := strconv.ParseInt(resp.Header.Get("Retry-After"), 10, 32); err == nil && seconds > 0 {
		o.retryAfter = min(time.Duration(seconds)*time.Second, maxBackoff)
	}
	return o
}

// plain is an error without the URL, which may hold secrets of the receiver, and without our neighbours' addresses.
func plain(err error) string {
	if errors.Is(err, ErrAddress) {
		return ErrAddress.Error()
	}
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return "no answer in time"
		}
		err = u.Err
	}
	return err.Error()
}

func clip(s string, limit int) string {
	return strings.ToValidUTF8(s[:min(len(s), limit)], "")
}

// note stores the outcome, decides when to try again, and keeps the endpoint's health.
func (s *Service) note(ctx context.Context, j *job, o outcome) error {
	now := s.now()
	state, next, deliveredAt := Pending, now, int64(0)
	if o.delivered() {
		state, deliveredAt = Delivered, now.UnixMilli()
	} else {
		next = now.Add(max(backoff(j.attempt), o.retryAfter))
		if o.status == http.StatusGone || j.name == Test || next.Sub(time.UnixMilli(j.started)) > RetryFor {
			state = Dead
		}
	}
	disabled, lost := "", false
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE webhook_deliveries SET state = ?, next_at = ?, claim = 0, last_status = ?, last_error = ?,
			delivered_at = ?, updated_at = ? WHERE id = ? AND claim = ?`, state, next.UnixMilli(), o.status, o.err, deliveredAt, now.UnixMilli(), j.delivery, j.claim)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		lost = n == 0
		if _, err := tx.Exec(ctx, `INSERT INTO webhook_attempts (id, delivery_id, attempt, duration_ms, status, error, response, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, s.ids.New(), j.delivery, j.attempt, o.took.Milliseconds(), o.status, o.err, o.response, now.UnixMilli()); err != nil {
			return err
		}
		if j.name == Test {
			return nil
		}
		disabled, err = s.judge(ctx, tx, &j.endpoint, o, now)
		return err
	})
	if err != nil {
		return err
	}
	s.metrics.attempted(j, o, lost)
	if state == Dead && !lost {
		s.metrics.dead.Inc()
	}
	if disabled != "" {
		s.metrics.disabled.WithLabelValues(disabled).Inc()
		s.log.Warn("webhook disabled", "webhook", ident.Format(ident.Webhook, j.endpoint.ID), "reason", disabled)
	}
	return nil
}

// judge keeps since when an endpoint fails, and disables it when it has failed for too long or is gone. It returns why
// it was disabled, as a label.
func (s *Service) judge(ctx context.Context, tx *db.Tx, e *Endpoint, o outcome, now time.Time) (string, error) {
	at := now.UnixMilli()
	switch {
	case o.delivered():
		if e.FailingSince == 0 {
			return "", nil
		}
		_, err := tx.Exec(ctx, "UPDATE webhook_endpoints SET failing_since = 0 WHERE id = ?", e.ID)
		return "", err
	case o.status == http.StatusGone:
		return s.disable(ctx, tx, reasonGone, "the endpoint answered 410 Gone", "id = ? AND state = 'active'", e.ID)
	case e.FailingSince == 0:
		_, err := tx.Exec(ctx, "UPDATE webhook_endpoints SET failing_since = ? WHERE id = ? AND failing_since = 0", at, e.ID)
		return "", err
	case now.Sub(time.UnixMilli(e.FailingSince)) < DisableAfter:
		return "", nil
	}
	reason := fmt.Sprintf("nothing but failures for %d days; the last: %s", int(DisableAfter.Hours())/24, clip(o.err, 150))
	return s.disable(ctx, tx, reasonFailing, reason, "id = ? AND state = 'active' AND failing_since > 0 AND failing_since <= ?",
		e.ID, now.Add(-DisableAfter).UnixMilli())
}

func (s *Service) disable(ctx context.Context, tx *db.Tx, label, reason, where string, args ...any) (string, error) {
	tx.OnCommit(s.forget)
	res, err := tx.Exec(ctx, "UPDATE webhook_endpoints SET state = 'disabled', disabled_reason = ?, updated_at = ? WHERE "+where,
		append([]any{reason, s.now().UnixMilli()}, args...)...)
	if err != nil {
		return "", err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return "", err
	}
	return label, nil
}

// backoff is the pause after a failed attempt: doubling from firstBackoff to maxBackoff, give or take a fifth, so that
// what failed together does not come again together.
func backoff(attempt int64) time.Duration {
	pause := firstBackoff
	for ; attempt > 1 && pause < maxBackoff; attempt-- {
		pause *= 2
	}
	pause = min(pause, maxBackoff)
	return pause - pause/5 + rand.N(2*pause/5)
}
