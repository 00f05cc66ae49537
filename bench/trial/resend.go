package trial

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/edgeref/edgeref/bench/system"
)

// How postbacks without an acknowledgement are sent again.
const (
	resendStep    = 100 * time.Millisecond // between two looks at which are due
	resendFirst   = 250 * time.Millisecond // after the first attempt; twice that after each further one
	resendLongest = 4 * time.Second
	resendTimeout = 10 * time.Second
	resenders     = 8 // attempts under way
)

// openEvent is an event without an acknowledgement.
type openEvent struct {
	event
	maybe bool // an attempt may have reached the tracker: it may be booked
	given bool // up: the tracker refused it
	tries int
	next  time.Time // of the next attempt
}

// delay is how long to wait after so many attempts.
func delay(tries int) time.Duration {
	return min(resendFirst<<min(max(tries-1, 0), 10), resendLongest)
}

// resend sends events without an acknowledgement to the tracker again, with the same transaction id, as a merchant's
// server does: until loaded is closed and all are acknowledged, at most patience longer than the load.
func (c *converter) resend(ctx context.Context, loaded <-chan struct{}, tracker string, patience time.Duration) error {
	// A connection for each attempt: the client repeats a GET by itself where a kept one breaks.
	client := &http.Client{Timeout: resendTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	var deadline time.Time
	for interrupted := error(nil); interrupted == nil; interrupted = pause(ctx, resendStep) {
		over := false
		select {
		case <-loaded:
			over = true
			if deadline.IsZero() {
				deadline = time.Now().Add(patience)
			}
		default:
		}
		due, waiting := c.dueAgain(time.Now())
		if over && (waiting == 0 || time.Now().After(deadline)) {
			return nil
		}
		var group errgroup.Group
		group.SetLimit(resenders)
		for _, e := range due {
			group.Go(func() error { return c.sendAgain(ctx, client, tracker, e) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil // what is open stays so
}

// dueAgain returns the events whose next attempt is due, and how many wait for one.
func (c *converter) dueAgain(now time.Time) (due []event, waiting int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.open {
		if o.given {
			continue
		}
		waiting++
		if !now.Before(o.next) {
			due = append(due, o.event)
		}
	}
	return due, waiting
}

func (c *converter) sendAgain(ctx context.Context, client *http.Client, tracker string, e event) error {
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(c.append(nil, &e))))
	if err != nil {
		return err
	}
	req.RequestURI, req.URL.Scheme, req.URL.Host = "", "http", tracker
	status := 0
	resp, err := client.Do(req.WithContext(ctx))
	if err == nil {
		status = resp.StatusCode
		_, err = io.Copy(io.Discard, resp.Body)
		err = errors.Join(err, resp.Body.Close())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resent++
	if err == nil || status == http.StatusOK { // the status says it all
		c.answered(e, status)
		return nil
	}
	absence, away := system.Away(err)
	if !away {
		absence = system.Absence{Cause: "no answer", Sent: true}
	}
	c.unanswered(e, "sent again, "+absence.Cause, absence.Sent)
	return nil
}
