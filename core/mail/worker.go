package mail

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// job is a mail that this worker has leased.
type job struct {
	mail    Rendered
	claim   int64 // the lease: whoever notes the outcome must still have it
	attempt int64 // 1: the first
	started int64 // Unix ms
	sealed  bool
}

// Run sends what is due until ctx ends; sends under way are finished first. Several cores may run it. Without a server it
// only deletes what is too old.
func (s *Service) Run(ctx context.Context) error {
	finished := make(chan struct{}, s.opts.Workers)
	running := 0
	defer func() {
		for ; running > 0; running-- {
			<-finished
		}
	}()
	var pruned time.Time
	for ctx.Err() == nil {
		var jobs []job
		var err error
		if s.opts.Sender != nil {
			if jobs, err = s.claim(ctx, s.opts.Workers-running); err != nil && ctx.Err() == nil {
				s.log.Error("looking for mails failed, will try again", "error", err, "pause", s.opts.Poll)
			}
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
				s.log.Error("pruning mails failed, will try again", "error", err)
			}
		}
		if len(jobs) == 0 || running == s.opts.Workers {
			running -= s.await(ctx, finished)
		}
	}
	return nil
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

// claim leases at most n mails that are due, the longest due first.
func (s *Service) claim(ctx context.Context, n int) (jobs []job, err error) {
	if n <= 0 {
		return nil, nil
	}
	var due bool
	err = s.db.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM mails WHERE state = 'pending' AND next_at <= ?)", s.now().UnixMilli()).Scan(&due)
	if err != nil || !due {
		return nil, wrap("look for mails", err)
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if jobs, err = s.due(ctx, tx, n); err != nil || len(jobs) == 0 {
			return err
		}
		claim := s.ids.New()
		args := []any{claim, s.now().Add(leaseTime).UnixMilli()}
		for i := range jobs {
			jobs[i].claim = claim
			args = append(args, jobs[i].mail.ID)
		}
		_, err := tx.Exec(ctx, "UPDATE mails SET claim = ?, attempts = attempts + 1, next_at = ? WHERE id IN "+db.In(len(jobs)), args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim mails: %w", err)
	}
	return jobs, nil
}

func (s *Service) due(ctx context.Context, tx *db.Tx, n int) ([]job, error) {
	rows, err := tx.Query(ctx, `SELECT id, recipient, subject, body_text, body_html, sealed, attempts, started_at FROM mails
		WHERE state = 'pending' AND next_at <= ? ORDER BY next_at, id LIMIT ?`+tx.Dialect().SkipLocked(), s.now().UnixMilli(), n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var jobs []job
	for rows.Next() {
		var j job
		if err := rows.Scan(&j.mail.ID, &j.mail.To, &j.mail.Subject, &j.mail.Text, &j.mail.HTML, &j.sealed, &j.attempt, &j.started); err != nil {
			return nil, err
		}
		j.attempt++
		jobs = append(jobs, j)
	}
	return jobs, rows.Err()
}

// process sends a job and notes what became of it. What it cannot note is sent again when the lease ends, under the same
// Message-ID. A stop lets it finish: it is bounded by sendTimeout.
func (s *Service) process(ctx context.Context, j job) {
	ctx = context.WithoutCancel(ctx)
	began := time.Now()
	err := s.send(ctx, &j)
	s.metrics.seconds.Observe(time.Since(began).Seconds())
	if err := s.note(ctx, &j, err); err != nil {
		s.log.Error("noting a mail failed; it will be sent again under the same Message-ID", "error", err, "mail", ident.Format(ident.Mail, j.mail.ID))
	}
}

func (s *Service) send(ctx context.Context, j *job) error {
	if j.sealed {
		if err := s.open(j.mail.ID, &j.mail); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return s.opts.Sender.Send(ctx, j.mail)
}

// note stores what became of a mail and decides when to try again. A mail that held a secret loses its text when it is sent.
func (s *Service) note(ctx context.Context, j *job, failed error) error {
	now := s.now()
	state, next, sentAt, reason := Pending, now, int64(0), ""
	if failed == nil {
		state, sentAt = Sent, now.UnixMilli()
	} else {
		reason, next = clip(failed.Error(), maxError), now.Add(backoff(j.attempt))
		if errors.Is(failed, errPermanent) || next.Sub(time.UnixMilli(j.started)) > RetryFor {
			state = Dead
		}
	}
	erase := ""
	if state == Sent && j.sealed {
		erase = ", body_text = '', body_html = ''"
	}
	lost := false
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		res, err := tx.Exec(ctx, "UPDATE mails SET state = ?, next_at = ?, claim = 0, last_error = ?, sent_at = ?"+erase+" WHERE id = ? AND claim = ?",
			string(state), next.UnixMilli(), reason, sentAt, j.mail.ID, j.claim)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		lost = n == 0
		return err
	})
	if err != nil {
		return err
	}
	s.metrics.attempted(failed == nil, state == Dead && !lost, lost)
	if failed != nil {
		// The server's words may hold the address.
		s.log.Warn("a mail was not sent", "mail", ident.Format(ident.Mail, j.mail.ID), "attempt", j.attempt, "given_up", state == Dead)
	}
	return nil
}

// backoff is the pause after a failed attempt: doubling from firstBackoff to maxBackoff, give or take a fifth.
func backoff(attempt int64) time.Duration {
	pause := firstBackoff
	for ; attempt > 1 && pause < maxBackoff; attempt-- {
		pause *= 2
	}
	pause = min(pause, maxBackoff)
	return pause - pause/5 + rand.N(2*pause/5)
}

// Prune deletes mails that are older than Keep and not pending, a limited number a transaction.
func (s *Service) Prune(ctx context.Context) error {
	before := s.now().Add(-Keep).UnixMilli()
	for _, state := range []State{Sent, Dead, Local} {
		for deleted := db.MaxIn; deleted == db.MaxIn; {
			err := s.db.InTx(ctx, func(tx *db.Tx) error {
				ids, err := column(ctx, tx, "SELECT id FROM mails WHERE state = ? AND created_at < ? ORDER BY id LIMIT ?", string(state), before, db.MaxIn)
				if deleted = len(ids); err != nil || deleted == 0 {
					return err
				}
				_, err = tx.Exec(ctx, "DELETE FROM mails WHERE id IN "+db.In(len(ids)), ids...)
				return err
			})
			if err != nil {
				return fmt.Errorf("prune mails: %w", err)
			}
		}
	}
	return nil
}

// column reads one column of identifiers.
func column(ctx context.Context, q db.Querier, query string, args ...any) ([]any, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []any
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

func clip(s string, limit int) string {
	return strings.ToValidUTF8(s[:min(len(s), limit)], "")
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
