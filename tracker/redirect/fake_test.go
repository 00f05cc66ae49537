package redirect

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/edgeref/edgeref/tracker/visitor"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/link"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

var errDisk = errors.New("disk is full")

// memory finds links and keeps records in memory.
type memory struct {
	targets map[string]*Target
	findErr error
	refuse  error
	records []string
	buf     []byte // of the last record only, where keeping all would allocate
	last    bool
}

func (m *memory) Find(_ context.Context, slug string) (*Target, error) {
	if m.findErr != nil {
		return nil, m.findErr
	}
	if t := m.targets[slug]; t != nil {
		return t, nil
	}
	return nil, link.ErrNotFound
}

func (m *memory) Append(record []byte) error {
	switch {
	case m.refuse != nil:
		return m.refuse
	case m.last:
		m.buf = append(m.buf[:0], record...)
	default:
		m.records = append(m.records, string(record))
	}
	return nil
}

type oneSalt struct{}

func (oneSalt) Salt(int64) ([16]byte, bool) { return [16]byte{1}, true }

// fixture is a handler with the links that a test needs.
type fixture struct {
	*Handler
	memory *memory
	keys   *click.Keyring
}

func newFixture(t testing.TB, change ...func(*Options)) *fixture {
	t.Helper()
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	visitors, err := visitor.New(visitor.Options{
		Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Salts: oneSalt{}, Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{targets: map[string]*Target{}}
	o := Options{
		Finder: m, Recorder: m, Reason: func(error) string { return "test" }, Keys: keys, Visitors: visitors,
		Now: func() time.Time { return noon }, Registerer: prometheus.NewRegistry(), Node: 7,
	}
	for _, c := range change {
		c(&o)
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{Handler: h, memory: m, keys: keys}
}

func resolved(destination string, change ...func(*link.Resolved)) link.Resolved {
	r := link.Resolved{
		Link:    link.Link{ID: 11, Slug: "go", AffiliateID: 22, ProgramID: 33, Destination: destination, State: link.Active},
		Program: link.Program{ID: 33, State: link.Active, ClickParam: "click_id", CookieSeconds: 86400, AllowedHosts: []string{"shop.example", "*.wild.example"}},
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func (f *fixture) add(t testing.TB, slug string, r link.Resolved) {
	t.Helper()
	target, err := Compile(r)
	if err != nil {
		t.Fatal(err)
	}
	f.memory.targets[slug] = target
}

// request is a request as fasthttp hands it over; header lines are "Name: value".
func request(method string, header ...string) *fasthttp.RequestCtx {
	var req fasthttp.Request
	req.Header.SetMethod(method)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	ctx := &fasthttp.RequestCtx{}
	ctx.Init(&req, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1000}, nil)
	return ctx
}

// get follows a link and returns the response with the outcome.
func (f *fixture) get(slug, query string, header ...string) (*fasthttp.Response, Outcome) {
	ctx := request("GET", header...)
	o := f.Serve(context.Background(), ctx, slug, query)
	return &ctx.Response, o
}

// location follows a link and returns where it leads, with the Click ID given out written as "CID".
func (f *fixture) location(t testing.TB, slug, query string) string {
	t.Helper()
	res, o := f.get(slug, query)
	if o != Redirected {
		t.Fatalf("%s?%s: %s", slug, query, o)
	}
	return strings.ReplaceAll(string(res.Header.Peek("Location")), f.lastID(t), "CID")
}

func (f *fixture) lastRecord(t testing.TB) click.Record {
	t.Helper()
	if len(f.memory.records) == 0 {
		t.Fatal("nothing was recorded")
	}
	r, err := click.Parse(f.memory.records[len(f.memory.records)-1])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (f *fixture) lastID(t testing.TB) string {
	t.Helper()
	return f.lastRecord(t).ID.String()
}

func testAddr(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }
