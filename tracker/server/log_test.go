package server

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"golang.org/x/time/rate"
)

// lockedBuffer is a log that can be read while it is written to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// What a client sent wrongly may hold the secret of a postback.
func TestLogKeepsRequestsToItself(t *testing.T) {
	logged := &lockedBuffer{}
	r := start(t, func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	r.log.notices.SetLimit(rate.Inf)
	requests := []string{
		"GET /postback?secret=hunter2\x01 HTTP/1.1\r\nHost: x\r\n\r\n", "GET /postback?secret=hunter2\r\nHost: x\r\n\r\n",
		"GET postback?secret=hunter2 HTTP/1.1\r\nHost: x\r\n\r\n", get("/postback", "Authorization: Bearer hunter2\x01"), get("/postback", "Bearer hunter2 : x"),
		"POST /postback HTTP/1.1\r\nHost: x\r\nContent-Length: secret=hunter2\r\n\r\n",
	}
	for _, raw := range requests {
		c := r.dial(t)
		if _, err := io.WriteString(c, raw); err != nil {
			t.Fatal(err)
		}
		// The connection is closed after the line is written.
		if answer, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
			t.Errorf("%q: %q, %v", raw, answer, err)
		}
	}
	if n := strings.Count(logged.String(), "malformed request"); n != len(requests) || strings.Contains(logged.String(), "hunter2") {
		t.Errorf("%d of %d requests logged as malformed: %s", n, len(requests), logged)
	}
}
