package server

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/tracker/redirect"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/link"
)

const (
	secret   = "the postback secret"
	patience = 20 * time.Second // for what must happen soon; a test that waits this long has failed
)

func TestMain(m *testing.M) {
	// fasthttp keeps one goroutine for the Date header for as long as the process lives, and one for each stopped
	// server until it looks whether that is stopped, every 10 seconds.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// world is a link, its program, and what a running server recorded.
type world struct {
	resolved link.Resolved
	target   *redirect.Target
	find     func(slug string) // called on each look-up

	mu          sync.Mutex
	clicks      []click.Record
	conversions []conversion.Event
}

func (w *world) Find(_ context.Context, slug string) (*redirect.Target, error) {
	if w.find != nil {
		w.find(slug)
	}
	if slug != w.resolved.Link.Slug {
		return nil, link.ErrNotFound
	}
	return w.target, nil
}

func (w *world) ByID(id int64) (link.Resolved, bool) {
	return w.resolved, id == w.resolved.Link.ID
}

func (w *world) Program(id int64) (link.Program, bool) {
	return w.resolved.Program, id == w.resolved.Program.ID
}

func (w *world) Fresh() bool { return true }

func (w *world) Salt(int64) ([16]byte, bool) { return [16]byte{1}, true }

type clicks struct{ *world }

func (c clicks) Append(b []byte) error {
	r, err := click.Parse(string(b))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clicks = append(c.clicks, r)
	return err
}

type conversions struct{ *world }

func (c conversions) Append(b []byte) error {
	e, err := conversion.Parse(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conversions = append(c.conversions, e)
	return err
}

func (w *world) recorded() (int, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.clicks), len(w.conversions)
}

// running is a server on a port of its own.
type running struct {
	*Server
	world  *world
	keys   *click.Keyring
	addr   string
	served chan error
	logged *bytes.Buffer
}

func options(t testing.TB, w *world) Options {
	t.Helper()
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Links: w, Directory: w, Clicks: clicks{w}, Conversions: conversions{w}, Salts: w, Keys: keys, Reason: func(error) string { return "test" },
		Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Now: time.Now, Registerer: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler), Node: 7,
	}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{resolved: link.Resolved{
		Link: link.Link{ID: 11, Slug: "go", AffiliateID: 22, ProgramID: 33, Destination: "https://shop.example/c?p=1", State: link.Active},
		Program: link.Program{
			ID: 33, State: link.Active, ClickParam: "click_id", CookieSeconds: 60, AllowedHosts: []string{"shop.example"}, PostbackSecrets: []string{secret},
			BrowserConversions: link.BrowserAll, Currency: "INR",
		},
	}}
	var err error
	if w.target, err = redirect.Compile(w.resolved); err != nil {
		t.Fatal(err)
	}
	return w
}

func start(t testing.TB, change ...func(*Options)) *running {
	t.Helper()
	return startOn(t, func(ln net.Listener) net.Listener { return ln }, change...)
}

// startOn starts a server on what wrap makes of its listener.
func startOn(t testing.TB, wrap func(net.Listener) net.Listener, change ...func(*Options)) *running {
	t.Helper()
	r := &running{world: newWorld(t), served: make(chan error, 1), logged: &bytes.Buffer{}}
	o := options(t, r.world)
	o.Logger = slog.New(slog.NewTextHandler(r.logged, nil))
	for _, c := range change {
		c(&o)
	}
	r.keys = o.Keys
	var err error
	if r.Server, err = New(o); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = ln.Addr().String()
	wrapped := wrap(ln)
	go func() { r.served <- r.Serve(wrapped) }()
	t.Cleanup(func() { r.stop(t) })
	return r
}

func (r *running) stop(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	select {
	case err := <-r.served:
		if err != nil {
			t.Error(err)
		}
		r.served <- nil
	case <-ctx.Done():
		t.Error("Serve did not return")
	}
}

func (r *running) dial(t testing.TB) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

// send writes raw bytes on a new connection, in the background because the server may stop reading, and returns the
// first answer.
func (r *running) send(t testing.TB, raw string) (*http.Response, string) {
	t.Helper()
	c := r.dial(t)
	go func() { _, _ = io.WriteString(c, raw) }()
	return readAnswer(t, bufio.NewReader(c), strings.SplitN(raw, " ", 2)[0])
}

func readAnswer(t testing.TB, from *bufio.Reader, method string) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(from, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func get(target string, header ...string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: go.example\r\n" + strings.Join(append(header, ""), "\r\n") + "\r\n"
}
