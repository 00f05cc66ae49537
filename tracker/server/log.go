package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"

	"golang.org/x/time/rate"
)

// throttled logs what clients can cause: at most a few lines a second, however many of them do. What they cause by
// going away does not keep our own errors out of the log.
type throttled struct {
	logger          *slog.Logger
	errors, notices *rate.Limiter
}

func newThrottled(l *slog.Logger) *throttled {
	return &throttled{logger: l, errors: rate.NewLimiter(1, 5), notices: rate.NewLimiter(1, 5)}
}

// Error logs an error of ours.
func (t *throttled) Error(msg string, attrs ...any) {
	if t.errors.Allow() {
		t.logger.Error(msg, attrs...)
	}
}

// Printf takes what fasthttp has to say: mostly about clients that went away. What it says of a malformed request quotes
// the request, and with it the secret of a postback, so of errors only those of the network are repeated.
func (t *throttled) Printf(format string, args ...any) {
	if t.notices.Allow() {
		for i := range args {
			var network net.Error
			if err, ok := args[i].(error); ok && !errors.As(err, &network) {
				args[i] = "malformed request"
			}
		}
		t.logger.Debug("tracker connection", slog.String("event", fmt.Sprintf(format, args...)))
	}
}
