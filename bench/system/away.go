package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
)

// Absence says how a server was away when it was asked.
type Absence struct {
	Cause string // without addresses, to be counted by
	Sent  bool   // the request may have reached the server, and may have been served
}

// Away reports whether err says that the server could not answer: nobody listens, the connection broke, it took too long,
// or what answered is broken (5xx). Every other answer is an answer.
func Away(err error) (Absence, bool) {
	if p, ok := errors.AsType[*Problem](err); ok {
		return Absence{fmt.Sprintf("answered %d", p.Status), true}, p.Status >= http.StatusInternalServerError
	}
	if err == nil || errors.Is(err, context.Canceled) {
		return Absence{}, false
	}
	a := Absence{Sent: true}
	op, broke := errors.AsType[*net.OpError](err)
	if broke && op.Op == "dial" {
		a.Sent = false
	}
	slow, timed := errors.AsType[net.Error](err)
	_, failed := errors.AsType[*url.Error](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		a.Cause = "connection refused"
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		a.Cause = "connection reset"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		a.Cause = "closed by the server before its answer"
	case timed && slow.Timeout():
		a.Cause = "no answer in time"
	case broke:
		a.Cause = op.Op + ": " + op.Err.Error()
	case failed:
		a.Cause = "no answer"
	default:
		return Absence{}, false
	}
	return a, true
}
