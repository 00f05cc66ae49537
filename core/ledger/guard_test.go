package ledger_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/ledger"
)

func TestGuard(t *testing.T) {
	at, calls := now, 0
	var report ledger.Report
	var fault error
	var expected ledger.Head
	g := ledger.NewGuard(ledger.GuardOptions{
		Now: func() time.Time { return at }, MaxAge: time.Minute, MaxUnsealed: 5 * time.Minute,
		Verify: func(_ context.Context, expect ledger.Head) (ledger.Report, error) {
			calls, expected = calls+1, expect
			return report, fault
		},
	})
	head := ledger.Head{Seq: 7, Hash: "abc"}
	for _, step := range []struct {
		name   string
		after  time.Duration
		report ledger.Report
		fault  error
		calls  int // in all
		age    time.Duration
		want   string // "" open
	}{
		{"first", 0, ledger.Report{Head: head}, nil, 1, 0, ""},
		{"remembered", 59 * time.Second, ledger.Report{Break: &ledger.Break{Check: "x"}}, nil, 1, 59 * time.Second, ""},
		{"too old", time.Second, ledger.Report{Break: &ledger.Break{Check: "x", Detail: "y"}}, nil, 2, 0, "ledger BROKEN at x: y"},
		{"broken, remembered", 30 * time.Second, ledger.Report{}, nil, 2, 0, "ledger BROKEN"},
		{"cannot look", 30 * time.Second, ledger.Report{}, errors.New("no database"), 3, 0, "no database"},
		{"not remembered", 0, ledger.Report{Unsealed: 3, OldestUnsealedAt: now.UnixMilli(), Head: head}, nil, 4, 0, ""},
		{"looks again", 4 * time.Minute, ledger.Report{Unsealed: 3, OldestUnsealedAt: now.UnixMilli(), Head: head}, nil, 5, 0, "3 ledger transactions are not sealed, the oldest for 6m0s"},
		{"sealer went on", 0, ledger.Report{Head: head}, nil, 6, 0, ""},
		{"clock went back", -time.Hour, ledger.Report{Head: head}, nil, 7, 0, ""},
	} {
		at = at.Add(step.after)
		report, fault = step.report, step.fault
		c, err := g.Check(t.Context())
		if (err == nil) != (step.want == "") || err != nil && (!errors.Is(err, ledger.ErrClosed) || !strings.Contains(err.Error(), step.want)) {
			t.Errorf("%s: error %v, want %q", step.name, err, step.want)
		}
		if calls != step.calls || c.Age != step.age || err == nil && !c.CheckedAt.Equal(at.Add(-step.age)) {
			t.Errorf("%s: %d verifications, want %d; clearance %+v", step.name, calls, step.calls, c)
		}
	}
	if expected != head {
		t.Errorf("the last verification expected %s", expected)
	}
	if _, err := g.Refresh(t.Context()); err != nil || calls != 8 {
		t.Errorf("refresh: %v, %d verifications", err, calls)
	}
}

// Many who ask at once share one verification; a ledger that was cut back behind the guard's back closes it.
func TestGuardOnLedger(t *testing.T) {
	d := dbtest.SQLite(t)
	l, s := open(t, d), sealer(d)
	mustPost(t, d, l, 3)
	mustSeal(t, s, ledger.Sealed{Sealed: 3})
	var mu sync.Mutex
	calls := 0
	g := ledger.NewGuard(ledger.GuardOptions{Now: clock, Verify: func(ctx context.Context, expect ledger.Head) (ledger.Report, error) {
		mu.Lock()
		calls++
		mu.Unlock()
		return l.VerifyFrom(ctx, expect)
	}})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := g.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if calls != 1 {
		t.Errorf("%d verifications", calls)
	}
	unprotect(t, d)
	tamper(t, d, []string{"DELETE FROM ledger_chain", "DELETE FROM ledger_chain_head", "DELETE FROM ledger_entries", "DELETE FROM ledger_transactions"})
	if r := verify(t, l); r.Break != nil {
		t.Fatalf("an empty ledger: %s", r)
	}
	if _, err := g.Refresh(t.Context()); !errors.Is(err, ledger.ErrClosed) || !strings.Contains(err.Error(), "chain_expected_head") {
		t.Errorf("error %v", err)
	}
}
