package replay

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

func connTo(t *testing.T, base string) *conn {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(u)
	t.Cleanup(c.close)
	return c
}

func ask(ctx context.Context, c *conn, target, method string) (status int, err error) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.SetRequestURI(target)
	req.Header.SetMethod(method)
	err = c.do(ctx, req, res)
	return res.StatusCode(), err
}

// One connection serves all requests, HEAD included, until it was idle for too long or the server ends it.
func TestConnIsKept(t *testing.T) {
	var opened atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/last" {
			w.Header().Set("Connection", "close")
		}
		if r.Host != r.Context().Value(http.LocalAddrContextKey).(net.Addr).String() {
			w.WriteHeader(http.StatusMisdirectedRequest)
		}
		_, _ = io.WriteString(w, "body")
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c := connTo(t, s.URL)
	for i, step := range []struct {
		path, method string
		idle         time.Duration
		opened       int64
	}{
		{"/a", "GET", 0, 1}, {"/b", "HEAD", 0, 1}, {"/c", "GET", 0, 1}, {"/d", "GET", 2 * maxIdle, 2}, {"/last", "GET", 0, 2}, {"/e", "GET", 0, 3},
	} {
		c.used = c.used.Add(-step.idle)
		status, err := ask(context.Background(), c, s.URL+step.path, step.method)
		if err != nil || status != http.StatusOK || opened.Load() != step.opened {
			t.Fatalf("request %d: status %d, %v, %d connections opened, want %d", i, status, err, opened.Load(), step.opened)
		}
	}
}

// A request whose connection breaks is not sent a second time.
func TestConnNeverRepeats(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	requests := make(chan string, 10)
	go func() {
		defer close(requests)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(c)
			for range 2 {
				r, err := http.ReadRequest(in)
				if err != nil {
					break
				}
				requests <- r.URL.Path
				if r.URL.Path == "/1" {
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			}
			_ = c.Close()
		}
	}()
	base := "http://" + listener.Addr().String()
	c := connTo(t, base)
	if status, err := ask(context.Background(), c, base+"/1", "GET"); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	if status, err := ask(context.Background(), c, base+"/2", "GET"); err == nil {
		t.Fatalf("status %d from a connection that was closed", status)
	}
	_ = listener.Close()
	var got []string
	for path := range requests {
		got = append(got, path)
	}
	if len(got) != 2 || got[0] != "/1" || got[1] != "/2" {
		t.Errorf("requests %v, want each once", got)
	}
}

// The end of the context ends an exchange that is under way.
func TestConnStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	arrived := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	defer s.Close()
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := ask(ctx, connTo(t, s.URL), s.URL+"/", "GET"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := ask(context.Background(), connTo(t, "http://127.0.0.1:1"), "http://127.0.0.1:1/", "GET"); err == nil {
		t.Error("connected to a closed port")
	}
}
