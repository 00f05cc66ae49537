package replay

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/edgeref/edgeref/bench/meter"
	"github.com/edgeref/edgeref/wire/click"
)

// lag is after how many more lines of its lane a click's conversions are sent.
const lag = 40

// laneBacklog is how many lines wait for a lane.
const laneBacklog = 64

// sender sends the lines of the log. The methods of its lanes run side by side and meet in mu.
type sender struct {
	opts    *Options
	world   *world
	journal *journal
	before  *progress
	now     func() time.Time
	bar     *meter.Meter

	mu          sync.Mutex
	oracle      *oracle
	ids         map[click.ID]int // to line
	sent        int
	answers     Check            // of links
	conversions Check            // of conversion events
	resent      map[int]*request // lines that were sent before without an answer
}

// run sends everything that has no answer yet and returns when the last answer has come. The error wraps ErrStopped
// where a later run could go on.
func (s *sender) run(ctx context.Context) error {
	base, err := url.Parse(s.opts.Tracker)
	if err != nil {
		return fmt.Errorf("tracker URL: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	lanes := make([]chan *request, s.opts.Concurrency)
	for i := range lanes {
		lanes[i] = make(chan *request, laneBacklog)
		group.Go(func() error {
			l := &lane{sender: s, base: base, conn: newConn(base)}
			defer l.conn.close()
			return l.run(ctx, lanes[i])
		})
	}
	group.Go(func() error {
		defer func() {
			for _, lane := range lanes {
				close(lane)
			}
		}()
		return s.dispatch(ctx, lanes)
	})
	err = group.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w%s", ErrStopped, err, resumeHint(s.opts))
	}
	return err
}

// dispatch gives each line to the lane of its client, in order and at the pace asked for.
func (s *sender) dispatch(ctx context.Context, lanes []chan *request) error {
	var first, start time.Time
	_, err := forEachLine(ctx, s.opts.Log, s.opts.MaxLines, func(n int, l *logLine) error {
		r := s.world.newRequest(n, l)
		if _, done := s.before.Clicks[n]; !done && s.opts.Speed > 0 {
			if start.IsZero() {
				first, start = l.Time, s.now()
			}
			due := start.Add(time.Duration(float64(l.Time.Sub(first)) / s.opts.Speed))
			if err := wait(ctx, due.Sub(s.now())); err != nil {
				return err
			}
		}
		select {
		case lanes[s.laneOf(&r)] <- &r:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return err
}

func (s *sender) laneOf(r *request) int {
	return int(draw("lane", r.Addr.String()) % uint64(s.opts.Concurrency))
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lane is one connection to the tracker. Its lines go one after the other.
type lane struct {
	*sender
	base  *url.URL
	conn  *conn
	queue []dueSteps // in order of line
	seen  int        // lines of this lane so far
}

// dueSteps are the conversions of one click, to be sent when the lane has seen so many lines.
type dueSteps struct {
	at    int
	visit *visit
	steps []step
}

func (l *lane) run(ctx context.Context, lines <-chan *request) error {
	for r := range lines {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.line(ctx, r); err != nil {
			return err
		}
		l.seen++
		if err := l.flush(ctx, l.seen); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.flush(ctx, l.seen+lag)
}

// line settles one line: with the answer that the journal has, or by sending it.
func (l *lane) line(ctx context.Context, r *request) error {
	done, known := l.before.Clicks[r.Line]
	if !known {
		var err error
		done.Line = r.Line
		if done.ID, done.Complaint, err = l.sendClick(ctx, r); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return stopped(r.Line, l.opts, err)
		}
		if err := l.journal.append(entry{Click: &done}); err != nil {
			return err
		}
	}
	v, err := l.answered(r, done, !known)
	if err != nil || v == nil {
		return err
	}
	if steps := l.world.steps(r.Line, r.Link, l.opts.Convert); len(steps) > 0 {
		l.queue = append(l.queue, dueSteps{l.seen + lag, v, steps})
	}
	return nil
}

// answered notes an answer; the visit is nil where it held no Click ID.
func (s *sender) answered(r *request, done clickEntry, fresh bool) (*visit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bar.Add(1)
	if fresh {
		s.sent++
	}
	if s.before.Unanswered[r.Line] > 0 {
		s.resent[r.Line] = r
	}
	s.answers.Groups++
	s.answers.Expected++
	if other, twice := s.ids[done.ID]; twice && done.Complaint == "" {
		done.Complaint = fmt.Sprintf("has the Click ID of line %d", other)
	}
	if done.Complaint != "" {
		s.answers.differ("line %d %s", r.Line, done.Complaint)
		if s.answers.Differences >= maxBadAnswers {
			return nil, fmt.Errorf("%d answers of the tracker are wrong; the last: line %d %s", maxBadAnswers, r.Line, done.Complaint)
		}
	} else {
		s.answers.Got++
	}
	if done.ID.IsZero() {
		return nil, nil
	}
	s.ids[done.ID] = r.Line
	return s.oracle.addClick(r, done.ID), nil
}

// flush sends the conversions that are due.
func (l *lane) flush(ctx context.Context, seen int) error {
	for len(l.queue) > 0 && l.queue[0].at <= seen {
		due := l.queue[0]
		l.queue = l.queue[1:]
		for i := range due.steps {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := l.step(ctx, due.visit, &due.steps[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// step settles one conversion event: with the answer that the journal has, or by sending it.
func (l *lane) step(ctx context.Context, v *visit, st *step) error {
	done, known := l.before.Steps[[2]int{st.Line, st.Seq}]
	if !known {
		complaint, err := l.sendStep(ctx, v, st)
		if err != nil {
			return stopped(st.Line, l.opts, err)
		}
		done = stepEntry{Line: st.Line, Seq: st.Seq, At: l.now().UnixMilli(), Complaint: complaint}
		if err := l.journal.append(entry{Step: &done}); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conversions.Groups++
	l.conversions.Expected++
	if done.Complaint != "" {
		l.conversions.differ("line %d, %s %s %s", st.Line, st.Type, st.Txn, done.Complaint)
		if l.conversions.Differences >= maxBadAnswers {
			return fmt.Errorf("%d conversions were refused; the last %s", maxBadAnswers, done.Complaint)
		}
		return nil
	}
	l.conversions.Got++
	l.oracle.addStep(v, *st, time.UnixMilli(done.At))
	return nil
}

// stopped says where and why the tracker stopped answering, and how to go on.
func stopped(line int, o *Options, err error) error {
	return fmt.Errorf("%w at line %d: the tracker at %s does not answer: %w%s", ErrStopped, line, o.Tracker, err, resumeHint(o))
}

func resumeHint(o *Options) string {
	if o.Resume == "" {
		return "; with --resume FILE a replay can be continued"
	}
	return fmt.Sprintf("; run the same command again to continue: %s knows where", o.Resume)
}

// target is the URL of a path on the tracker.
func (l *lane) target(path string, params url.Values) string {
	u := l.base.Scheme + "://" + l.base.Host + strings.TrimRight(l.base.Path, "/") + path
	if len(params) > 0 {
		u += "?" + params.Encode()
	}
	return u
}
