package system

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// errBusy says that the same question, asked earlier, has not been answered yet.
var errBusy = errors.New("still has not answered an earlier question")

// probe asks one thing, which may hang: each question has a timeout, and there is never more than one under way.
type probe[T any] struct {
	ask  func(context.Context) (T, error)
	busy atomic.Bool
}

type answer[T any] struct {
	value T
	took  time.Duration
	err   error
}

func (p *probe[T]) get(ctx context.Context, timeout time.Duration) answer[T] {
	if !p.busy.CompareAndSwap(false, true) {
		return answer[T]{err: errBusy}
	}
	// Who asked may go; the question is bounded all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	done := make(chan answer[T], 1)
	begun := time.Now()
	go func() {
		defer cancel()
		var a answer[T]
		defer func() {
			if cause := recover(); cause != nil {
				a.err = fmt.Errorf("panicked: %v", cause)
			}
			a.took = time.Since(begun)
			p.busy.Store(false) // first: who has this answer may ask again at once
			done <- a
		}()
		a.value, a.err = p.ask(ctx)
	}()
	select {
	case a := <-done:
		return a
	case <-time.After(timeout + 100*time.Millisecond):
		return answer[T]{took: time.Since(begun), err: fmt.Errorf("did not answer within %s", timeout)}
	}
}
