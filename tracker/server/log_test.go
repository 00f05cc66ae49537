package server

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/time/rate"
)

// What a client sent wrongly may hold the secret of a postback.
func TestLogKeepsRequestsToItself(t *testing.T) {
	logged := &bytes.Buffer{}
	r := start(t, func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	r.log.notices.SetLimit(rate.Inf)
	for _, raw := range []string{
		"GET /postback?secret=hunter2\x01 HTTP/1.1\r\nHost: x\r\n\r\n", "GET /postback?secret=hunter2\r\nHost: x\r\n\r\n",
		"GET postback?secret=hunter2 HTTP/1.1\r\nHost: x\r\n\r\n", get("/postback", "Authorization: Bearer hunter2\x01"), get("/postback", "Bearer hunter2 : x"),
		"POST /postback HTTP/1.1\r\nHost: x\r\nContent-Length: secret=hunter2\r\n\r\n", "GET /postback HTTP/1.1\r\nHost: hunter2 x\r\n\r\n",
	} {
		if res, _ := r.send(t, raw); res.StatusCode != 400 {
			t.Errorf("%q: %d", raw, res.StatusCode)
		}
	}
	r.stop(t)
	if strings.Contains(logged.String(), "hunter2") || !strings.Contains(logged.String(), "tracker connection") {
		t.Errorf("logged %s", logged)
	}
}
