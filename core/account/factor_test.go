package account_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
)

func TestSecondFactor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		p := w.person("fin@example.com", access.RoleFinance)
		first := w.signIn(p.Email)
		if _, err := w.BeginEnrolment(ctx, p.ID, "wrong"); !errors.Is(err, account.ErrCredentials) {
			t.Errorf("enrolment without the password: %v", err)
		}
		secret, codes := w.enrol(first)
		if v, _, err := w.SessionBySecret(ctx, first.Secret); err != nil || v.SecondFactorAt == 0 {
			t.Errorf("the session that enrolled has proved nothing: %+v, %v", v, err)
		}
		if _, err := w.BeginEnrolment(ctx, p.ID, goodPassword); !errors.Is(err, account.ErrEnrolled) {
			t.Errorf("enrolled twice: %v", err)
		}
		var sealed string
		if err := w.db.QueryRow(ctx, "SELECT secret FROM second_factors").Scan(&sealed); err != nil || strings.Contains(sealed, secret) {
			t.Errorf("the secret is readable in the database, %v", err)
		}

		w.clock.add(time.Minute)
		pending := w.signIn(p.Email)
		if !pending.Session.Pending {
			t.Fatal("no second factor was asked for")
		}
		if list, err := w.Sessions(ctx, p.ID); err != nil || len(list) != 1 {
			t.Errorf("a session that is not complete is listed: %v, %v", list, err)
		}
		code := w.code(secret)
		in, err := w.SecondFactor(ctx, pending.Secret, code[:3]+" "+code[3:], "", home)
		if err != nil || in.Session.Pending || in.Session.SecondFactorAt == 0 {
			t.Fatalf("code: %+v, %v", in, err)
		}
		if in.Secret == pending.Secret || in.Session.ID == pending.Session.ID {
			t.Error("the session kept its secret")
		}
		if _, _, err := w.SessionBySecret(ctx, pending.Secret); !errors.Is(err, account.ErrNoSession) {
			t.Errorf("the pending secret: %v", err)
		}
		// The same code again, by somebody who saw it.
		again := w.signIn(p.Email)
		if _, err := w.SecondFactor(ctx, again.Secret, code, "", home); !errors.Is(err, account.ErrCode) {
			t.Errorf("replayed code: %v", err)
		}
		if err := w.StepUp(ctx, p.ID, in.Session.ID, code, home); !errors.Is(err, account.ErrCode) {
			t.Errorf("replayed code to step up: %v", err)
		}
		recovery := strings.ToLower(codes[0])
		if got, err := w.SecondFactor(ctx, again.Secret, recovery, "", home); err != nil || got.Session.Pending {
			t.Fatalf("recovery code: %+v, %v", got, err)
		}
		third := w.signIn(p.Email)
		if _, err := w.SecondFactor(ctx, third.Secret, codes[0], "", home); !errors.Is(err, account.ErrCode) {
			t.Errorf("recovery code used twice: %v", err)
		}
		if n, err := w.RecoveryCodesLeft(ctx, p.ID); err != nil || n != 9 {
			t.Errorf("%d recovery codes left, %v", n, err)
		}
		if w.lastMail(p.Email).Template != "second_factor" {
			t.Error("not told that a recovery code was used")
		}
		w.clock.add(11 * time.Minute)
		if _, err := w.SecondFactor(ctx, third.Secret, w.code(secret), "", home); !errors.Is(err, account.ErrNoSession) {
			t.Errorf("pending for 11 minutes: %v", err)
		}
	})
}

// Many who saw one code: one gets in.
func TestOneCodeIsTakenOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("fin@example.com", access.RoleFinance)
		secret, codes := w.enrol(w.signIn(p.Email))
		w.clock.add(time.Minute)
		for _, code := range []string{w.code(secret), codes[0]} {
			pending := make([]account.SignedIn, 5)
			for i := range pending {
				pending[i] = w.signIn(p.Email)
			}
			var taken atomic.Int64
			var wg sync.WaitGroup
			for i, v := range pending {
				wg.Go(func() {
					from := netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
					if _, err := w.SecondFactor(context.Background(), v.Secret, code, "", from); err == nil {
						taken.Add(1)
					}
				})
			}
			wg.Wait()
			if taken.Load() != 1 {
				t.Errorf("%d of 5 got in with one code", taken.Load())
			}
		}
	})
}

// Who has the password and guesses codes from many networks is stopped for the account; the owner still gets in from a
// browser that is known, and from any with a recovery code.
func TestGuessingCodes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		p := w.person("fin@example.com", access.RoleFinance)
		secret, codes := w.enrol(w.signIn(p.Email))
		w.clock.add(time.Minute)
		device := account.NewDevice()
		own := w.signIn(p.Email)
		if _, err := w.SecondFactor(ctx, own.Secret, w.code(secret), device, home); err != nil {
			t.Fatal(err)
		}
		guesses := 0
		for i := range 60 {
			from := netip.AddrFrom4([4]byte{10, 0, byte(i), 1})
			in, err := w.SignIn(ctx, attempt(p.Email, from))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.SecondFactor(ctx, in.Secret, "000000", "", from); errors.Is(err, account.ErrCode) {
				guesses++
			}
		}
		if guesses != 21 {
			t.Errorf("%d guesses from 60 networks, want 21", guesses)
		}
		w.clock.add(time.Minute)
		again := attempt(p.Email, abroad)
		again.Device = device
		in, err := w.SignIn(ctx, again)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.SecondFactor(ctx, in.Secret, w.code(secret), device, abroad); err != nil {
			t.Errorf("known browser: %v", err)
		}
		if in, err = w.SignIn(ctx, attempt(p.Email, abroad)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.SecondFactor(ctx, in.Secret, codes[3], "", abroad); err != nil {
			t.Errorf("recovery code: %v", err)
		}
	})
}

func TestStepUpAndRemove(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		p := w.person("fin@example.com", access.RoleFinance)
		in := w.signIn(p.Email)
		if err := w.StepUp(ctx, p.ID, in.Session.ID, "123456", home); !errors.Is(err, account.ErrNotEnrolled) {
			t.Errorf("nothing to prove: %v", err)
		}
		secret, old := w.enrol(in)
		w.clock.add(time.Hour)
		if err := w.StepUp(ctx, p.ID, in.Session.ID, w.code(secret), home); err != nil {
			t.Fatal(err)
		}
		if v, _, _ := w.SessionBySecret(ctx, in.Secret); v.SecondFactorAt != w.clock.Now().UnixMilli() {
			t.Errorf("second factor at %d", v.SecondFactorAt)
		}
		fresh, err := w.NewRecoveryCodes(ctx, p.ID)
		if err != nil || len(fresh) != 10 {
			t.Fatalf("%v, %v", fresh, err)
		}
		if err := w.StepUp(ctx, p.ID, in.Session.ID, old[0], home); !errors.Is(err, account.ErrCode) {
			t.Errorf("replaced recovery code: %v", err)
		}
		if err := w.RemoveFactor(ctx, p.ID, in.Session.ID, goodPassword, "000000", home); !errors.Is(err, account.ErrCode) {
			t.Errorf("removed with a wrong code: %v", err)
		}
		w.clock.add(time.Minute)
		if err := w.RemoveFactor(ctx, p.ID, in.Session.ID, goodPassword, w.code(secret), home); err != nil {
			t.Fatal(err)
		}
		if v, _, _ := w.SessionBySecret(ctx, in.Secret); v.SecondFactorAt != 0 {
			t.Error("a factor that is gone still counts")
		}
		if next := w.signIn(p.Email); next.Session.Pending {
			t.Error("asked for a factor that is gone")
		}
	})
}
