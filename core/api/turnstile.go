package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"time"
)

// verificationsPerMinute bounds how much of the database a reader of the ledger can keep busy.
const verificationsPerMinute = 12

// turnstile lets one request at a time into an operation that is dear, and so many a minute, whoever asks. It is safe for
// concurrent use.
type turnstile struct {
	limit *limiter
	inner chan struct{}
}

func newTurnstile(perMinute int) *turnstile {
	return &turnstile{limit: newLimiter(perMinute), inner: make(chan struct{}, 1)}
}

// begin lets a request in, which calls end when it is done, or refuses it.
func (t *turnstile) begin(now time.Time) (end func(), err error) {
	select {
	case t.inner <- struct{}{}:
	default:
		return nil, &Problem{Status: http.StatusTooManyRequests, Code: "rate_limited", Detail: "another such request is being worked on; ask again when it is done"}
	}
	if ok, _, wait := t.limit.allow(netip.Addr{}, now); !ok {
		<-t.inner
		return nil, &Problem{
			Status: http.StatusTooManyRequests, Code: "rate_limited", Detail: fmt.Sprintf("too many such requests; ask again in %d s", int(wait/time.Second)+1),
		}
	}
	return func() { <-t.inner }, nil
}
