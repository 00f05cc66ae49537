// Package password hashes passwords with argon2id and says which ones are too easy to guess.
//
// A hash is a PHC string that names its own parameters, so they can be raised later: Verify says when a hash should be
// made anew. Hashing is meant to be expensive, so only so many run at once: the memory that sign-ins can take is bounded.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/crypto/argon2"
)

const (
	saltLen = 16 // bytes
	keyLen  = 32 // bytes
	// Bounds of what Verify takes, so that a row that somebody wrote by hand cannot take the machine down.
	maxMemory  = 1 << 20 // KiB
	maxTime    = 32
	maxThreads = 16
	maxPHC     = 255 // bytes
)

// Errors of this package.
var (
	// ErrBusy says that as many wait for their turn as may; the same attempt may succeed in a moment.
	ErrBusy = errors.New("too many sign-ins at once; try again in a moment")
	// ErrDamaged says that a stored hash is not one.
	ErrDamaged = errors.New("stored password hash is damaged")
)

// Params are the cost of a hash.
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// Default is what OWASP recommends in 2025 for one thread: 19 MiB and 2 passes.
func Default() Params { return Params{Memory: 19 << 10, Time: 2, Threads: 1} }

// Options of a Hasher.
type Options struct {
	Params     Params                // default: Default()
	Concurrent int                   // hashes at once; default 2, which is 38 MiB
	Waiting    int                   // callers that may wait for their turn; default 64
	Registerer prometheus.Registerer // default: metrics are not exported
}

// Hasher hashes passwords and compares them. It is safe for concurrent use.
type Hasher struct {
	params  Params
	slots   chan struct{}
	limit   int64 // callers in Hash and Verify, waiting ones included
	callers atomic.Int64
	decoy   string
	refused prometheus.Counter
}

// New returns a Hasher.
func New(opts Options) *Hasher {
	if opts.Params == (Params{}) {
		opts.Params = Default()
	}
	if opts.Concurrent <= 0 {
		opts.Concurrent = 2
	}
	if opts.Waiting <= 0 {
		opts.Waiting = 64
	}
	f := promauto.With(opts.Registerer)
	h := &Hasher{params: opts.Params, slots: make(chan struct{}, opts.Concurrent), limit: int64(opts.Concurrent + opts.Waiting)}
	h.refused = f.NewCounter(prometheus.CounterOpts{
		Name: "edgeref_account_password_hashes_refused_total", Help: "Sign-ins and new passwords turned away because too many were being hashed.",
	})
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "edgeref_account_password_hashes_in_flight", Help: "Callers that hash a password or wait for their turn.",
	}, func() float64 { return float64(h.callers.Load()) })
	h.decoy = h.format(make([]byte, saltLen), make([]byte, keyLen), h.params)
	return h
}

// Hash returns the PHC string of a password. The error is ErrBusy, or that of ctx.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	release, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails
	return h.format(salt, derive(password, salt, h.params), h.params), nil
}

// Verify reports whether password is the one of a PHC string, and whether it should be hashed anew because the
// parameters have been changed. An empty phc is nobody's: it takes as long as any other and is never right. Errors:
// ErrBusy, ErrDamaged, or that of ctx.
func (h *Hasher) Verify(ctx context.Context, phc, password string) (ok, outdated bool, err error) {
	nobody := phc == ""
	if nobody {
		phc = h.decoy
	}
	p, salt, want, err := parse(phc)
	if err != nil {
		return false, false, err
	}
	release, err := h.turn(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	same := subtle.ConstantTimeCompare(derive(password, salt, p), want) == 1
	return same && !nobody, p != h.params, nil
}

// turn waits until a hash may run. release must be called after it.
func (h *Hasher) turn(ctx context.Context) (release func(), err error) {
	if h.callers.Add(1) > h.limit {
		h.callers.Add(-1)
		h.refused.Inc()
		return nil, ErrBusy
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; h.callers.Add(-1) }, nil
	case <-ctx.Done():
		h.callers.Add(-1)
		return nil, fmt.Errorf("wait to hash a password: %w", context.Cause(ctx))
	}
}

func derive(password string, salt []byte, p Params) []byte {
	return argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, keyLen)
}

func (h *Hasher) format(salt, key []byte, p Params) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Time, p.Threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// parse reads what format wrote.
func parse(phc string) (p Params, salt, key []byte, err error) {
	parts := strings.Split(phc, "$")
	if len(phc) > maxPHC || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return Params{}, nil, nil, ErrDamaged
	}
	numbers := strings.Split(parts[3], ",")
	if len(numbers) != 3 {
		return Params{}, nil, nil, ErrDamaged
	}
	memory, okM := number(numbers[0], "m=", maxMemory)
	passes, okT := number(numbers[1], "t=", maxTime)
	threads, okP := number(numbers[2], "p=", maxThreads)
	if !okM || !okT || !okP || memory < 8*threads {
		return Params{}, nil, nil, ErrDamaged
	}
	salt, errSalt := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	key, errKey := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if errSalt != nil || errKey != nil || len(salt) < saltLen || len(key) != keyLen {
		return Params{}, nil, nil, ErrDamaged
	}
	return Params{Memory: memory, Time: passes, Threads: uint8(threads)}, salt, key, nil
}

// number reads name followed by a number of 1 to limit, written in the one usual way.
func number(text, name string, limit uint32) (uint32, bool) {
	digits, ok := strings.CutPrefix(text, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), ok && err == nil && n >= 1 && uint32(n) <= limit && strconv.FormatUint(n, 10) == digits
}
