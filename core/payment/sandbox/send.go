package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/payment"
)

const (
	sendLease   = 30 * time.Second // in which nobody else sends what this process is sending
	sendGap     = 40 * time.Millisecond
	maxAttempts = 12
	maxCopies   = 3
	maxDelay    = 10 * time.Minute
	sendBatch   = 20
)

// manner is how webhooks are sent.
type manner struct {
	copies int
	mixed  bool // in another order than it happened
	delay  time.Duration
}

// queue stores webhooks to be sent in a manner, in the transaction of what they tell of.
func (g *Gateway) queue(ctx context.Context, tx *db.Tx, m manner, messages ...message) error {
	var all []message
	for range m.copies {
		all = append(all, messages...)
	}
	if m.mixed {
		slices.Reverse(all) // the last first, for certain, then anyhow
		rand.Shuffle(len(all)-1, func(i, j int) { all[i+1], all[j+1] = all[j+1], all[i+1] })
	}
	at := g.now().Add(m.delay)
	for i, one := range all {
		body, err := json.Marshal(one)
		if err != nil {
			return fmt.Errorf("encode sandbox webhook: %w", err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO sandbox_webhooks (id, event_id, body, attempts, send_at) VALUES (?, ?, ?, 0, ?)",
			g.ids.New(), one.ID, body, at.Add(time.Duration(i)*sendGap).UnixMilli()); err != nil {
			return fmt.Errorf("queue sandbox webhook: %w", err)
		}
	}
	tx.OnCommit(func() {
		select {
		case g.wake <- struct{}{}:
		default:
		}
	})
	return nil
}

// Run sends webhooks until ctx ends.
func (g *Gateway) Run(ctx context.Context) error {
	if g.webhooks == nil {
		panic("BUG: the sandbox has nobody to tell")
	}
	timer := time.NewTicker(g.poll)
	defer timer.Stop()
	for ctx.Err() == nil {
		sent, err := g.SendDue(ctx)
		if err != nil && ctx.Err() == nil {
			g.log.Error("sending sandbox webhooks failed, will try again", "error", err)
		}
		if sent > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-g.wake:
		}
	}
	return nil
}

// due is a webhook to send.
type due struct {
	id       int64
	body     []byte
	attempts int64
}

// SendDue sends what is due, at most 20 webhooks, one after the other, and returns how many it sent.
func (g *Gateway) SendDue(ctx context.Context) (int, error) {
	var waiting bool
	if err := g.db.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM sandbox_webhooks WHERE send_at <= ?)", g.now().UnixMilli()).Scan(&waiting); err != nil || !waiting {
		return 0, err
	}
	var list []due
	err := g.db.InTx(ctx, func(tx *db.Tx) error {
		var err error
		if list, err = g.lease(ctx, tx); err != nil {
			return fmt.Errorf("look for sandbox webhooks: %w", err)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, d := range list {
		status := g.send(ctx, d.body)
		if err := g.note(ctx, d, status); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}

func (g *Gateway) lease(ctx context.Context, tx *db.Tx) ([]due, error) {
	now := g.now()
	rows, err := tx.Query(ctx, "SELECT id, body, attempts FROM sandbox_webhooks WHERE send_at <= ? ORDER BY send_at, id LIMIT ?"+tx.Dialect().SkipLocked(), now.UnixMilli(), sendBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []due
	args := []any{now.Add(sendLease).UnixMilli()}
	for rows.Next() {
		var d due
		if err := rows.Scan(&d.id, &d.body, &d.attempts); err != nil {
			return nil, err
		}
		list, args = append(list, d), append(args, d.id)
	}
	if err := rows.Err(); err != nil || len(list) == 0 {
		return nil, err
	}
	_ = rows.Close()
	_, err = tx.Exec(ctx, "UPDATE sandbox_webhooks SET attempts = attempts + 1, send_at = ? WHERE id IN "+db.In(len(list)), args...)
	return list, err
}

// send gives a webhook to what takes webhooks in, as if it had come over the network.
func (g *Gateway) send(ctx context.Context, body []byte) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, payment.WebhookPath+Name, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(SignatureHeader, sign(g.secret, g.now(), body))
	w := &answer{header: http.Header{}}
	g.webhooks.ServeHTTP(w, r)
	return w.status
}

// note forgets a webhook that arrived, and has another tried again.
func (g *Gateway) note(ctx context.Context, d due, status int) error {
	query, args := "DELETE FROM sandbox_webhooks WHERE id = ?", []any{d.id}
	if status < 200 || status > 299 {
		if d.attempts+1 < maxAttempts {
			pause := min(time.Second<<d.attempts, time.Minute)
			query, args = "UPDATE sandbox_webhooks SET send_at = ? WHERE id = ?", []any{g.now().Add(pause).UnixMilli(), d.id}
		} else {
			g.log.Error("a sandbox webhook was given up", "status", status)
		}
	}
	err := g.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("note sandbox webhook: %w", err)
	}
	return nil
}

// answer keeps the status of an answer.
type answer struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return len(b), nil
}
