package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Who does not answer is away, and whether a request reached him is known where no connection was made.
func TestAway(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v1/cut":
			panic(http.ErrAbortHandler)
		case "/api/v1/half":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "{")
		case "/api/v1/slow":
			<-r.Context().Done()
		case "/api/v1/no":
			w.WriteHeader(http.StatusNotFound)
		case "/api/v1/odd":
			io.WriteString(w, "{")
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer server.Close()
	quick := NewClient(server.URL, "t")
	quick.http.Timeout = 50 * time.Millisecond
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		client *Client
		ctx    context.Context
		path   string
		want   Absence
		away   bool
	}{
		"nobody listens":     {NewClient("http://"+gone.Addr().String(), "t"), t.Context(), "/x", Absence{"connection refused", false}, true},
		"cut":                {NewClient(server.URL, "t"), t.Context(), "/cut", Absence{"closed by the server before its answer", true}, true},
		"cut in the answer":  {NewClient(server.URL, "t"), t.Context(), "/half", Absence{"closed by the server before its answer", true}, true},
		"slow":               {quick, t.Context(), "/slow", Absence{"no answer in time", true}, true},
		"broken":             {NewClient(server.URL, "t"), t.Context(), "/x", Absence{"answered 502", true}, true},
		"an answer":          {NewClient(server.URL, "t"), t.Context(), "/no", Absence{"answered 404", true}, false},
		"no JSON":            {NewClient(server.URL, "t"), t.Context(), "/odd", Absence{}, false},
		"the caller went on": {NewClient(server.URL, "t"), cancelled, "/x", Absence{}, false},
	} {
		var answer struct{}
		err := c.client.Get(c.ctx, c.path, nil, &answer)
		if got, away := Away(err); got != c.want || away != c.away {
			t.Errorf("%s: %+v, %v of %v; want %+v, %v", name, got, away, err, c.want, c.away)
		}
	}
	_, err = NewClient(server.URL, "t").Scrape(t.Context(), server.URL)
	if got, away := Away(err); !away || got.Cause != "answered 502" {
		t.Errorf("metrics: %+v, %v of %v", got, away, err)
	}
	if _, away := Away(nil); away {
		t.Error("no error is an absence")
	}
	if _, away := Away(fmt.Errorf("wrapped: %w", errors.New("else"))); away {
		t.Error("any error is an absence")
	}
}
