package demo

import (
	"hash/fnv"
	"io"
	"net/http"
	"strings"
)

// Receivers plays who takes webhooks and postbacks of the demo in: hosts that end in .example, which there are none of,
// are answered here, and nothing leaves the machine. Others go to base.
func Receivers(base http.RoundTripper) http.RoundTripper { return receivers{base} }

type receivers struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper. Hosts that begin with "busy." fail for some of what they are sent, and those
// that begin with "old." for all.
func (t receivers) RoundTrip(r *http.Request) (*http.Response, error) {
	host := r.URL.Hostname()
	if !strings.HasSuffix(host, ".example") {
		return t.base.RoundTrip(r)
	}
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	status, text := http.StatusOK, "ok"
	h := fnv.New32a()
	_, _ = h.Write([]byte(host + r.Header.Get("Webhook-Timestamp")))
	switch {
	case strings.HasPrefix(host, "old."):
		status, text = http.StatusNotFound, "there is nothing here any more"
	case strings.HasPrefix(host, "busy.") && h.Sum32()%3 == 0:
		status, text = http.StatusServiceUnavailable, "overloaded, try again"
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
	}, nil
}
