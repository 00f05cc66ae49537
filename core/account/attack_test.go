package account_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

func wrong(email string, from netip.Addr) account.Attempt {
	a := attempt(email, from)
	a.Password = "not the password"
	return a
}

// An attacker who hammers an account gets few guesses, and keeps the owner out of nothing: not from a browser that has
// signed in before, even in the attacker's network, and not from another network, with any browser.
func TestAttackerCannotLockTheOwnerOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		p := w.person("owner@example.com", access.RoleOwner)
		known := attempt(p.Email, home)
		known.Device = account.NewDevice()
		if _, err := w.SignIn(ctx, known); err != nil {
			t.Fatal(err)
		}
		guesses := 0
		var many *account.TooManyError
		for range 600 { // 10 minutes, a try a second
			_, err := w.SignIn(ctx, wrong(p.Email, enemy))
			switch {
			case errors.Is(err, account.ErrCredentials):
				guesses++
			case !errors.As(err, &many) || many.Wait <= 0 || many.Wait > 15*time.Minute:
				t.Fatalf("attack: %v", err)
			}
			w.clock.add(time.Second)
		}
		if guesses < 5 || guesses > 15 {
			t.Errorf("%d guesses in 10 minutes, want about a dozen", guesses)
		}
		if _, err := w.SignIn(ctx, attempt(p.Email, enemy)); !errors.As(err, &many) {
			t.Errorf("the right password from the attacker's network and an unknown browser: %v", err)
		}
		known.Address = enemy
		if _, err := w.SignIn(ctx, known); err != nil {
			t.Errorf("the owner's browser, in the attacker's network: %v", err)
		}
		if _, err := w.SignIn(ctx, attempt(p.Email, abroad)); err != nil {
			t.Errorf("another network, at once: %v", err)
		}
		// Even an unknown browser in the attacker's network gets in by a new password: the mailbox decides.
		if err := w.RequestReset(ctx, p.Email, enemy); err != nil {
			t.Fatal(err)
		}
		w.process()
		device := account.NewDevice()
		if _, err := w.SetPassword(ctx, linkOf(t, w.lastMail(p.Email)), goodPassword, device); err != nil {
			t.Fatal(err)
		}
		fresh := attempt(p.Email, enemy)
		fresh.Device = device
		if _, err := w.SignIn(ctx, fresh); err != nil {
			t.Errorf("after a new password: %v", err)
		}
	})
}

// Attempts that come at once are counted before they are made: none slips through while others are looked at.
func TestAttemptsAtOnceAreCounted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("owner@example.com", access.RoleOwner)
		var guesses atomic.Int64
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				if _, err := w.SignIn(context.Background(), wrong(p.Email, enemy)); errors.Is(err, account.ErrCredentials) {
					guesses.Add(1)
				}
			})
		}
		wg.Wait()
		if n := guesses.Load(); n == 0 || n > 6 {
			t.Errorf("%d guesses of 40 at once, want 6 at most", n)
		}
	})
}

// One network that tries one password on many accounts is slowed down as well, and grows no tables without end.
func TestSprayingIsSlowedDown(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	var many *account.TooManyError
	tried := 0
	for i := range 300 {
		_, err := w.SignIn(t.Context(), wrong("person"+strconv.Itoa(i)+"@example.com", enemy))
		if !errors.As(err, &many) {
			tried++
		}
	}
	if tried > 60 {
		t.Errorf("%d accounts tried at once", tried)
	}
	w.clock.add(25 * time.Hour)
	if err := w.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := w.db.QueryRow(t.Context(), "SELECT COUNT(*) FROM attempt_counters").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d counters stay, %v", n, err)
	}
}

// A stranger learns nothing about who has an account: not from what is answered, not from when he is turned away, and
// not from what is done, which is one hash either way.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		p := w.person("known@example.com", access.RoleLearner)
		suspended := w.person("suspended@example.com", access.RoleLearner)
		owner := access.Principal{PersonID: 1, Roles: []access.Role{access.RoleOwner}}
		status := account.Suspended
		if _, err := w.ChangePerson(ctx, owner, suspended.ID, account.Change{Status: &status}); err != nil {
			t.Fatal(err)
		}
		transcript := func(email string, from netip.Addr) string {
			var b strings.Builder
			for range 12 {
				_, err := w.SignIn(ctx, wrong(email, from))
				fmt.Fprintln(&b, err)
				w.clock.add(time.Second)
			}
			fmt.Fprintln(&b, w.RequestReset(ctx, email, from), w.RequestSignUp(ctx, account.SignUp{Email: email, Name: "X", Address: from}))
			return b.String()
		}
		known := transcript(p.Email, netip.MustParseAddr("192.0.2.1"))
		for i, email := range []string{"unknown@example.com", suspended.Email} {
			if got := transcript(email, netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + i)})); got != known {
				t.Errorf("%s is told apart:\n%s\nfrom:\n%s", email, got, known)
			}
		}
		w.process()
		if got := w.lastMail(p.Email).Template; got != "account_exists" {
			t.Errorf("mail to the known address: %s", got)
		}
		if w.mailCount("unknown@example.com") != 1 || w.lastMail("unknown@example.com").Template != "sign_up" {
			t.Error("mail to the unknown address is not the one to finish")
		}
	})
}

// Mass sign-ups: one network makes few, one address gets few mails, and a link to a new password is never kept from its
// owner for longer than two hours.
func TestMailsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		var many *account.TooManyError
		taken := 0
		for i := range 60 {
			err := w.RequestSignUp(ctx, account.SignUp{Email: "bot" + strconv.Itoa(i) + "@example.com", Name: "Bot", Address: enemy})
			if err == nil {
				taken++
			} else if !errors.As(err, &many) {
				t.Fatal(err)
			}
		}
		if taken != 21 {
			t.Errorf("%d sign-ups of one network at once", taken)
		}
		p := w.person("victim@example.com", access.RoleLearner)
		before := w.mailCount(p.Email)
		for hour := range 24 {
			for minute := range 3 {
				from := netip.AddrFrom4([4]byte{10, byte(hour), byte(minute), 1})
				if err := w.RequestReset(ctx, p.Email, from); err != nil {
					t.Fatal(err)
				}
				if err := w.RequestSignUp(ctx, account.SignUp{Email: p.Email, Name: "X", Address: from}); err != nil {
					t.Fatal(err)
				}
				w.process()
				w.clock.add(20 * time.Minute)
			}
			// Whatever was held back, the newest link in the mailbox is good.
			w.mails.mu.Lock()
			link := ""
			for _, m := range w.mails.sent {
				if m.To == p.Email && m.Template == "password_reset" {
					link = linkOf(t, m)
				}
			}
			w.mails.mu.Unlock()
			if _, err := w.OpenLink(ctx, link); err != nil {
				t.Fatalf("hour %d: the owner has no good link: %v", hour, err)
			}
		}
		if n := w.mailCount(p.Email) - before; n > 25 {
			t.Errorf("%d mails to one address in a day", n)
		}
	})
}

func TestRequestsOfStrangersAreDurableAndBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.RequestSignUp(t.Context(), account.SignUp{Email: "ann@example.com", Name: "Ann", Address: home}); err != nil {
			t.Fatal(err)
		}
		// Another core, after a restart, with workers that meet: one mail.
		opts := w.opts
		opts.Registerer = nil
		other := account.New(opts)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := other.ProcessRequests(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := w.mailCount("ann@example.com"); n != 1 {
			t.Errorf("%d mails", n)
		}
		for _, in := range []account.SignUp{{Email: "x", Name: "X"}, {Email: "x@example.com"}, {Email: "x@example.com", Name: "a\nb"}, {Email: "x@example.com", Name: strings.Repeat("x", 256)}} {
			var invalid *account.InvalidError
			if err := w.RequestSignUp(t.Context(), in); !errors.As(err, &invalid) {
				t.Errorf("%+v: %v", in, err)
			}
		}
	})
}
