package server

import (
	"context"
	"net"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/edgeref/edgeref/tracker/links"
	"github.com/edgeref/edgeref/tracker/redirect"
	"github.com/edgeref/edgeref/tracker/spool"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/link"
)

// source has one link, and no changes.
type source struct{ resolved link.Resolved }

func (s source) Lookup(_ context.Context, slug string) (link.Resolved, error) {
	switch slug {
	case s.resolved.Link.Slug:
		return s.resolved, nil
	case "broken":
		r := s.resolved
		r.Link.ID, r.Link.Slug, r.Link.Destination = 12, slug, "nowhere"
		return r, nil
	}
	return link.Resolved{}, link.ErrNotFound
}

func (s source) Changes(ctx context.Context, _ string, _ int64, _ time.Duration) (link.Page, error) {
	<-ctx.Done()
	return link.Page{}, ctx.Err()
}

// stack is a server on a real spool and a real store of links.
func stack(t testing.TB) (*Server, *spool.Spool) {
	t.Helper()
	s, err := spool.Open(spool.Options{Dir: filepath.Join(t.TempDir(), "clicks"), Name: "clicks"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	store, err := links.New(source{w.resolved}, redirect.Compile, links.Options{Registerer: prometheus.NewRegistry(), LookupTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		store.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	o := options(t, w)
	known := Links{store}
	o.Links, o.Directory, o.Salts, o.Clicks, o.Reason = known, known, known, s, spool.Reason
	server, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return server, s
}

func browser(uri string) *fasthttp.RequestCtx {
	var raw fasthttp.Request
	raw.SetRequestURI(uri)
	for name, value := range map[string]string{
		"Host": "go.example", "User-Agent": "Mozilla/5.0 (Linux; Android 14; SM-A156E) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
		"Referer": "https://blog.example/page?x", "Accept-Language": "en-IN", "CF-Connecting-IP": "203.0.113.9", "CF-IPCountry": "IN", "Accept-Encoding": "gzip, br",
	} {
		raw.Header.Set(name, value)
	}
	req := &fasthttp.RequestCtx{}
	req.Init(&raw, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, nil)
	return req
}

func TestClickReachesTheSpool(t *testing.T) {
	server, s := stack(t)
	for uri, want := range map[string]int{"/go?sub1=x": 302, "/unknown": 404, "/broken": 404} {
		req := browser(uri)
		if server.Handle(req); req.Response.StatusCode() != want {
			t.Errorf("%s: %d; want %d", uri, req.Response.StatusCode(), want)
		}
		if want != 302 {
			continue
		}
		location, err := url.Parse(string(req.Response.Header.Peek("Location")))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		batch, err := s.Next(ctx, 10, 1<<20, time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch.Payloads) != 1 {
			t.Fatalf("%d records", len(batch.Payloads))
		}
		r, err := click.Parse(batch.Payloads[0])
		if err != nil || r.ID.String() != location.Query().Get("click_id") || r.Sub[0] != "x" {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

// BenchmarkClick is a click from the parsed request to the answer, with the spool on a real file.
func BenchmarkClick(b *testing.B) {
	server, _ := stack(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		req := browser("/go?sub1=a%20b&utm_source=newsletter&x=1")
		for pb.Next() {
			req.Response.Reset()
			server.Handle(req)
		}
	})
}
