package api

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
)

// How a key makes a POST safe to repeat:
//
//   - The first request with a key claims it, in a transaction of its own: the row names the run that owns it. An
//     identical request meanwhile gets 409 idempotency_in_progress; one with other content 422 idempotency_key_reused.
//   - The handler does its work in one transaction and calls record at its end. That stores the response and is fenced
//     by the owner: work and response are committed together or not at all, and by one run only.
//   - Later identical requests get the stored response.
//   - A failed request lets go of the key, so that it can be sent again, corrected or not. A run that vanished with its
//     process loses the key after lease, and could not commit after that.
//
// A handler that does not call record has its response stored afterwards; if the process dies between, the work may be
// done twice. So work that moves money or makes something must call record.
//
// Responses may hold secrets (a new token). They are sealed with a key that only the caller can make: from its token
// and the idempotency key. A person's access token is another one soon, and public operations have none: theirs are
// sealed with the idempotency key alone, which must therefore be long.
const (
	keyHeader   = "Idempotency-Key"
	maxKey      = 255 // bytes
	keyLifetime = 24 * time.Hour
	// lease is longer than a request may take, see requestTimeout.
	lease      = 2 * requestTimeout
	sweepEvery = time.Hour
)

var (
	errKey           = errors.New("the Idempotency-Key must have 1 to 255 visible ASCII characters, of people and without a token 16 at least")
	errKeyReused     = errors.New("the Idempotency-Key was used for another request")
	errKeyInProgress = errors.New("a request with this Idempotency-Key is being worked on; ask again in a moment")
	errBodyTooLarge  = errors.New("the body is larger than this operation takes")
)

// idempotency keeps keys in the database.
type idempotency struct {
	db      *db.DB
	now     func() time.Time
	metrics *metrics
}

// claim is one run's hold on a key. It belongs to the goroutine of the request.
type claim struct {
	keys    *idempotency
	id      [sha256.Size]byte
	request [sha256.Size]byte
	owner   [16]byte
	seal    cipher.AEAD
}

// response is what a key is answered with.
type response struct {
	status int
	body   []byte
}

type claimKey struct{}

// record stores the response to a request that carries an idempotency key, in the transaction that does its work. Call
// it last in there, with the status and body that the handler will return. Without a key it does nothing.
func record(ctx context.Context, tx *db.Tx, status int, body any) error {
	c, ok := ctx.Value(claimKey{}).(*claim)
	if !ok {
		return nil
	}
	var b bytes.Buffer
	if err := huma.DefaultJSONFormat.Marshal(&b, body); err != nil {
		return fmt.Errorf("encode response: %w", err)
	}
	return c.finish(ctx, tx, response{status: status, body: b.Bytes()})
}

// idempotent is the middleware that gives keys their meaning. It comes after authorize.
func (a *API) idempotent(ctx huma.Context, next func(huma.Context)) {
	key := ctx.Header(keyHeader)
	if key == "" || ctx.Method() != http.MethodPost {
		next(ctx)
		return
	}
	c, stored, body, err := a.claim(ctx, key)
	if err != nil {
		if errors.Is(err, errKeyInProgress) {
			ctx.SetHeader("Retry-After", "1")
		}
		a.refuse(ctx, err)
		return
	}
	if stored != nil {
		ctx.SetHeader("Content-Type", "application/json")
		ctx.SetHeader("Idempotency-Replayed", "true")
		ctx.SetStatus(stored.status)
		_, _ = ctx.BodyWriter().Write(stored.body)
		return
	}
	captured := &capture{humaContext: huma.WithContext(ctx, context.WithValue(ctx.Context(), claimKey{}, c)), body: bytes.NewReader(body)}
	settled := false
	// What happens to the key must not depend on whether the client still waits.
	std := context.WithoutCancel(ctx.Context())
	defer func() {
		if !settled { // the handler panicked
			a.settle(std, c, response{status: http.StatusInternalServerError})
		}
	}()
	next(captured)
	settled = true
	a.settle(std, c, response{status: captured.code, body: captured.sent.Bytes()})
}

// settle stores the response of a handler that did not record one, or lets go of the key if the request failed.
func (a *API) settle(ctx context.Context, c *claim, r response) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err := a.keys.db.InTx(ctx, func(tx *db.Tx) error {
		if r.status >= 200 && r.status < 300 {
			if err := c.finish(ctx, tx, r); !errors.Is(err, errKeyInProgress) {
				return err
			}
			return nil // recorded already
		}
		_, err := tx.Exec(ctx, "DELETE FROM idempotency_keys WHERE id = ? AND owner = ? AND status = 0", c.id[:], c.owner[:])
		return err
	})
	if err != nil {
		a.log.Warn("settle idempotency key; it stays claimed until its lease ends", "request_id", infoOf(ctx).id, "error", err)
	}
}

// claim claims a key for the request in ctx, whose body it reads. A response is given instead of a claim where the
// request was done before.
func (a *API) claim(ctx huma.Context, key string) (*claim, *response, []byte, error) {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] >= 0x7f {
			return nil, nil, nil, errKey
		}
	}
	caller := principalOf(ctx.Context())
	alone := limiterOf(ctx.Operation()) != nil || caller.PersonID != 0
	if len(key) > maxKey || alone && len(key) < minPublicKey {
		return nil, nil, nil, errKey
	}
	op := ctx.Operation()
	_ = ctx.SetReadDeadline(time.Now().Add(op.BodyReadTimeout))
	body, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), op.MaxBodyBytes+1))
	if err != nil {
		return nil, nil, nil, &Problem{Status: http.StatusRequestTimeout, Code: "body_timeout", Detail: "the body did not arrive"}
	}
	if int64(len(body)) > op.MaxBodyBytes {
		return nil, nil, nil, errBodyTooLarge
	}
	url := ctx.URL()
	c := &claim{
		keys:    a.keys,
		id:      digest("id", callerText(caller), key),
		request: digest("request", ctx.Method(), url.RequestURI(), string(body)),
	}
	_, _ = rand.Read(c.owner[:]) // never fails
	secret := ""
	if !alone {
		secret = bearer(ctx.Header("Authorization"))
	}
	if c.seal, err = sealer(digest("seal", secret, key)); err != nil {
		return nil, nil, nil, err
	}
	stored, err := a.keys.take(ctx.Context(), c)
	return c, stored, body, err
}

// callerText names who a key belongs to. Without a token it belongs to whoever knows it.
func callerText(p access.Principal) string {
	text := string(binary.BigEndian.AppendUint64(nil, uint64(p.TokenID)))
	if p.PersonID != 0 {
		text += string(binary.BigEndian.AppendUint64(nil, uint64(p.PersonID)))
	}
	return text
}

// take makes c the owner of its key, or gives the stored response.
func (k *idempotency) take(ctx context.Context, c *claim) (stored *response, err error) {
	result := ""
	err = k.db.InTx(ctx, func(tx *db.Tx) error {
		stored, result = nil, ""
		now := k.now().UnixMilli()
		inserted, err := tx.TryInsert(ctx, `INSERT INTO idempotency_keys (id, request, owner, claimed_at, expires_at, status, response)
			VALUES (?, ?, ?, ?, ?, 0, ?)`, c.id[:], c.request[:], c.owner[:], now, now+keyLifetime.Milliseconds(), []byte{})
		if err != nil {
			return err
		}
		if inserted {
			result = "claimed"
			return nil
		}
		var request, sealed []byte
		var claimedAt, expiresAt int64
		var status int
		err = tx.QueryRow(ctx, `SELECT request, claimed_at, expires_at, status, response FROM idempotency_keys
			WHERE id = ?`+tx.Dialect().ForUpdate(), c.id[:]).Scan(&request, &claimedAt, &expiresAt, &status, &sealed)
		switch {
		case db.IsNoRows(err): // let go of since the insert
			result = "in_progress"
			return errKeyInProgress
		case err != nil:
			return err
		case expiresAt > now && !bytes.Equal(request, c.request[:]):
			result = "reused"
			return errKeyReused
		case expiresAt > now && status != 0:
			result = "replayed"
			stored, err = c.open(status, sealed)
			return err
		case expiresAt > now && claimedAt > now-lease.Milliseconds():
			result = "in_progress"
			return errKeyInProgress
		}
		result = "taken_over"
		_, err = tx.Exec(ctx, `UPDATE idempotency_keys SET request = ?, owner = ?, claimed_at = ?, expires_at = ?, status = 0, response = ?
			WHERE id = ?`, c.request[:], c.owner[:], now, now+keyLifetime.Milliseconds(), []byte{}, c.id[:])
		return err
	})
	if result != "" {
		k.metrics.keys.WithLabelValues(result).Inc()
	}
	return stored, err
}

// finish stores the response if the claim still holds; else the error is errKeyInProgress, and the transaction must
// not commit: another run has the key.
func (c *claim) finish(ctx context.Context, tx *db.Tx, r response) error {
	nonce := make([]byte, c.seal.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	sealed := c.seal.Seal(nonce, nonce, r.body, c.request[:])
	res, err := tx.Exec(ctx, "UPDATE idempotency_keys SET status = ?, response = ? WHERE id = ? AND owner = ? AND status = 0",
		r.status, sealed, c.id[:], c.owner[:])
	if err != nil {
		return fmt.Errorf("store response: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errKeyInProgress, err)
	}
	return nil
}

func (c *claim) open(status int, sealed []byte) (*response, error) {
	n := c.seal.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("stored response is cut off")
	}
	body, err := c.seal.Open(nil, sealed[:n], sealed[n:], c.request[:])
	if err != nil {
		return nil, fmt.Errorf("open stored response: %w", err)
	}
	return &response{status: status, body: body}, nil
}

func sealer(key [sha256.Size]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

// digest hashes parts with their lengths, so that no two lists of parts look the same.
func digest(parts ...string) [sha256.Size]byte {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return sha256.Sum256(b)
}

// Run forgets expired idempotency keys, now and every hour, until ctx ends.
func (a *API) Run(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if _, err := a.keys.sweep(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("forget expired idempotency keys", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweep deletes expired keys, a limited number a transaction. It names them, because MySQL would otherwise look through
// the whole table and wait for each row that a request has locked.
func (k *idempotency) sweep(ctx context.Context) (deleted int64, err error) {
	for {
		now := k.now().UnixMilli()
		ids, err := k.expired(ctx, now)
		if err != nil || len(ids) == 0 {
			return deleted, err
		}
		var n int64
		err = k.db.InTx(ctx, func(tx *db.Tx) error {
			// One may have been taken over since. The sum is no column, so the rows are found by id.
			res, err := tx.Exec(ctx, "DELETE FROM idempotency_keys WHERE id IN "+db.In(len(ids))+" AND expires_at + 0 <= ?", append(slices.Clone(ids), now)...)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		deleted += n
		if err != nil || len(ids) < db.MaxIn {
			return deleted, err
		}
	}
}

// expired names keys that have expired, at most as many as fit in one statement.
func (k *idempotency) expired(ctx context.Context, now int64) (ids []any, err error) {
	rows, err := k.db.Query(ctx, "SELECT id FROM idempotency_keys WHERE expires_at <= ? ORDER BY expires_at LIMIT ?", now, db.MaxIn)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// humaContext is huma.Context under a name that does not hide its method Context.
type humaContext huma.Context

// capture lets a handler read the body again, and remembers what it answers.
type capture struct {
	humaContext
	body io.Reader
	code int
	sent bytes.Buffer
}

func (c *capture) BodyReader() io.Reader { return c.body }

func (c *capture) SetStatus(code int) {
	c.code = code
	c.humaContext.SetStatus(code)
}

func (c *capture) BodyWriter() io.Writer { return io.MultiWriter(&c.sent, c.humaContext.BodyWriter()) }

// ExpiredKeys counts keys whose time is over, and says for how long that of the oldest has been.
func ExpiredKeys(d *db.DB, now func() time.Time) func(context.Context) (pending, dead int64, overdue time.Duration, err error) {
	return func(ctx context.Context) (pending, dead int64, overdue time.Duration, err error) {
		var oldest int64
		at := now()
		err = d.QueryRow(ctx, "SELECT COUNT(*), COALESCE(MIN(expires_at), 0) FROM idempotency_keys WHERE expires_at < ?", at.UnixMilli()).Scan(&pending, &oldest)
		if err == nil && oldest > 0 {
			overdue = max(0, at.Sub(time.UnixMilli(oldest)))
		}
		return pending, 0, overdue, err
	}
}
