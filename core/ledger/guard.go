package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const (
	defaultMaxAge      = 5 * time.Minute
	defaultMaxUnsealed = 10 * time.Minute
)

// ErrClosed is wrapped by every refusal of a Guard, for whatever reason.
var ErrClosed = errors.New("no money may leave")

// GuardOptions are what NewGuard needs.
type GuardOptions struct {
	// Verify verifies the whole ledger; Ledger.VerifyFrom does.
	Verify     func(ctx context.Context, expect Head) (Report, error)
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
	MaxAge     time.Duration         // how long a verification counts; default 5 min
	// MaxUnsealed is how long a transaction may wait to be sealed before the guard closes; default 10 min.
	MaxUnsealed time.Duration
}

// Guard says whether money may leave: only while the ledger holds, as verified a short time ago. Whatever pays asks it
// before each batch. It is safe for concurrent use.
type Guard struct {
	opts GuardOptions
	open prometheus.Gauge

	mu      sync.Mutex // also held while verifying: all others wait for the result
	last    Report
	checked time.Time // when last began; zero: never
	seen    Head      // newest head that verified; a later chain must contain it
}

// Clearance is a verification that lets money leave.
type Clearance struct {
	Report    Report
	CheckedAt time.Time
	Age       time.Duration // at the time of the answer
}

// NewGuard returns a Guard. It verifies when it is first asked.
func NewGuard(opts GuardOptions) *Guard {
	if opts.Verify == nil || opts.Now == nil {
		panic("BUG: a guard needs a ledger to verify and a clock")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.MaxAge <= 0 {
		opts.MaxAge = defaultMaxAge
	}
	if opts.MaxUnsealed <= 0 {
		opts.MaxUnsealed = defaultMaxUnsealed
	}
	return &Guard{opts: opts, open: promauto.With(opts.Registerer).NewGauge(prometheus.GaugeOpts{
		Name: "edgeref_ledger_guard_open",
		Help: "1 if the last look at the ledger let payouts leave, 0 if it did not or there was none.",
	})}
}

// Check returns the last verification if it is recent and the ledger held, and verifies first if it is not recent.
// Every error wraps ErrClosed: the ledger is broken, the chain does not advance, or it could not be verified. Breaks
// are remembered no longer than good results, and errors not at all.
func (g *Guard) Check(ctx context.Context) (Clearance, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	age := g.opts.Now().Sub(g.checked)
	if g.checked.IsZero() || age < 0 || age >= g.opts.MaxAge {
		return g.refresh(ctx)
	}
	return g.answer()
}

// Refresh is Check that verifies now, whatever is remembered.
func (g *Guard) Refresh(ctx context.Context) (Clearance, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refresh(ctx)
}

func (g *Guard) refresh(ctx context.Context) (Clearance, error) {
	started := g.opts.Now()
	g.checked = time.Time{}
	report, err := g.opts.Verify(ctx, g.seen)
	if err != nil {
		g.open.Set(0)
		return Clearance{}, fmt.Errorf("%w: the ledger could not be verified: %w", ErrClosed, err)
	}
	g.last, g.checked = report, started
	if report.Break == nil {
		g.seen = report.Head
	} else {
		g.opts.Logger.Error("the ledger does not hold; payouts stop", "report", report.String())
	}
	return g.answer()
}

// answer judges the remembered verification.
func (g *Guard) answer() (Clearance, error) {
	now := g.opts.Now()
	g.open.Set(0)
	if g.last.Break != nil {
		return Clearance{}, fmt.Errorf("%w while the %s", ErrClosed, g.last)
	}
	if g.last.Unsealed > 0 {
		if waited := now.Sub(time.UnixMilli(g.last.OldestUnsealedAt)); waited > g.opts.MaxUnsealed {
			g.checked = time.Time{} // the sealer may have gone on meanwhile: look again when asked again
			return Clearance{}, fmt.Errorf("%w: %d ledger transactions are not sealed, the oldest for %s; see that the core runs", ErrClosed, g.last.Unsealed, waited.Round(time.Second))
		}
	}
	g.open.Set(1)
	return Clearance{Report: g.last, CheckedAt: g.checked, Age: now.Sub(g.checked)}, nil
}
