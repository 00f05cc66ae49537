package account

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/edgeref/edgeref/core/db"
)

// Attempts are counted in the database, by what they have in common, so that several cores count together. An attempt
// is charged before it is made: a thousand at once cannot all slip through. One that is refused is not charged, so
// refusing does not feed on itself.
//
// What keeps the owner of an account in while somebody hammers it: strangers are counted by account *and* network, so
// the owner's own network is not theirs; and a browser that has signed in before is counted by itself, so that not even
// strangers in the same network touch it. There is no count by account alone, but for codes of the second factor, which
// only matter to who has the password already, and which recovery codes go around.

// policy is how many attempts are free and how the pauses grow.
type policy struct {
	free        int
	first, most time.Duration
}

// forgetAfter is how long after the last attempt a counter starts anew.
const forgetAfter = 24 * time.Hour

func byAccountAndNetwork() policy {
	return policy{free: 5, first: 2 * time.Second, most: 15 * time.Minute}
}
func byNetwork() policy { return policy{free: 50, first: time.Second, most: time.Minute} }
func byDevice() policy  { return policy{free: 10, first: 2 * time.Second, most: 5 * time.Minute} }

// bySecondFactor stops who has the password and guesses codes from many networks: 20 wrong codes a day.
func bySecondFactor() policy { return policy{free: 20, first: 24 * time.Hour, most: 24 * time.Hour} }

// bySignUps and byForgotten bound what one network can have us do: new accounts and mails to others.
func bySignUps() policy { return policy{free: 20, first: time.Minute, most: time.Hour} }

// pause is how long to wait after the failure that makes a count of n.
func (p policy) pause(n int64) time.Duration {
	over := n - int64(p.free)
	if over <= 0 {
		return 0
	}
	if over > 30 {
		return p.most
	}
	return min(p.first<<(over-1), p.most)
}

// counter is one thing that attempts have in common.
type counter struct {
	hash   [sha256.Size]byte
	policy policy
	keep   bool // a success takes one back instead of forgetting all: others are counted here too
}

func counterOf(p policy, keep bool, kind string, parts ...string) counter {
	var b []byte
	for _, part := range append([]string{kind}, parts...) {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return counter{hash: sha256.Sum256(b), policy: p, keep: keep}
}

// network is what a client can be told apart by: an IPv4 address, or an IPv6 network of the size that one customer gets.
func network(addr netip.Addr) string {
	addr = addr.Unmap()
	if !addr.Is6() {
		return addr.String()
	}
	p, err := addr.Prefix(56)
	if err != nil {
		return addr.String()
	}
	return p.String()
}

// charge counts one attempt against all counters, or returns a *TooManyError and counts nothing.
func (s *Service) charge(ctx context.Context, counters []counter) error {
	// In one order, so that two attempts cannot wait for each other.
	slices.SortFunc(counters, func(a, b counter) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	var wait time.Duration
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		now := s.unixMS()
		wait = 0
		failures := make([]int64, len(counters))
		for i, c := range counters {
			n, until, err := lockCounter(ctx, tx, c, now)
			if err != nil {
				return err
			}
			failures[i] = n
			if until > now {
				wait = max(wait, time.Duration(until-now)*time.Millisecond)
			}
		}
		if wait > 0 {
			return nil
		}
		for i, c := range counters {
			n := failures[i] + 1
			_, err := tx.Exec(ctx, "UPDATE attempt_counters SET failures = ?, blocked_until = ?, updated_at = ? WHERE hash = ?",
				n, now+c.policy.pause(n).Milliseconds(), now, c.hash[:])
			if err != nil {
				return fmt.Errorf("count attempt: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("count attempt: %w", err)
	}
	if wait > 0 {
		s.metrics.throttled.Inc()
		return &TooManyError{Wait: wait}
	}
	return nil
}

// lockCounter locks the row of a counter, and makes it where there is none.
func lockCounter(ctx context.Context, tx *db.Tx, c counter, now int64) (failures, until int64, err error) {
	_, err = tx.Exec(ctx, "INSERT INTO attempt_counters (hash, failures, blocked_until, updated_at) VALUES (?, 0, 0, ?)"+tx.Dialect().Upsert([]string{"hash"}),
		c.hash[:], now)
	if err != nil {
		return 0, 0, fmt.Errorf("make counter: %w", err)
	}
	var updated int64
	err = tx.QueryRow(ctx, "SELECT failures, blocked_until, updated_at FROM attempt_counters WHERE hash = ?"+tx.Dialect().ForUpdate(), c.hash[:]).
		Scan(&failures, &until, &updated)
	if err != nil {
		return 0, 0, fmt.Errorf("read counter: %w", err)
	}
	if updated <= now-forgetAfter.Milliseconds() {
		return 0, 0, nil
	}
	return failures, until, nil
}

// absolve takes a charge back because the attempt succeeded.
func absolve(ctx context.Context, tx *db.Tx, counters []counter) error {
	slices.SortFunc(counters, func(a, b counter) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	for _, c := range counters {
		query := "DELETE FROM attempt_counters WHERE hash = ?"
		if c.keep {
			query = "UPDATE attempt_counters SET failures = failures - 1, blocked_until = 0 WHERE hash = ? AND failures > 0"
		}
		if _, err := tx.Exec(ctx, query, c.hash[:]); err != nil {
			return fmt.Errorf("take attempt back: %w", err)
		}
	}
	return nil
}
