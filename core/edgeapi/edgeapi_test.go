package edgeapi_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/edgeapi"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/system"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/link"
	"github.com/edgeref/edgeref/wire/money"
)

const edgeToken = "edge-token-of-the-tests"

// books remembers what it booked.
type books struct {
	mu     sync.Mutex
	booked []conversion.Event
	fail   error
}

func (b *books) Book(_ context.Context, events []conversion.Event) ([]conversion.Result, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return nil, b.fail
	}
	b.booked = append(b.booked, events...)
	out := make([]conversion.Result, len(events))
	for i, e := range events {
		out[i] = conversion.Result{Outcome: conversion.Booked, Detail: e.TxnID}
		if e.Validate() != nil {
			out[i].Outcome = conversion.Refused
		}
	}
	return out, nil
}

// clicks stores each batch once.
type clicks struct {
	mu      sync.Mutex
	batches map[string][]click.Record
	block   chan struct{} // nil: does not block
	entered chan struct{}
}

func (c *clicks) AppendClicks(_ context.Context, id string, records []click.Record) error {
	if c.block != nil {
		c.entered <- struct{}{}
		<-c.block
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := make([]click.Record, len(records))
	copy(kept, records)
	c.batches[id] = kept
	return nil
}

type server struct {
	t       *testing.T
	url     string
	catalog *catalog.Catalog
	books   *books
	clicks  *clicks
	reg     *prometheus.Registry
	token   string
}

func newServer(t *testing.T, d *db.DB) *server {
	t.Helper()
	s := &server{t: t, books: &books{}, clicks: &clicks{batches: map[string][]click.Record{}}, reg: prometheus.NewRegistry(), token: edgeToken}
	var err error
	if s.catalog, err = catalog.New(t.Context(), catalog.Options{DB: d, IDs: newid.New(time.Now), Now: time.Now, MaxWaiters: 1}); err != nil {
		t.Fatal(err)
	}
	h, err := edgeapi.New(edgeapi.Options{
		Tokens: []string{"an-older-edge-token", edgeToken}, Catalog: s.catalog, Booker: s.books, Clicks: s.clicks, Nodes: system.NewNodes(d, nil, time.Now), Registerer: s.reg,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

func (s *server) do(ctx context.Context, method, path string, body io.Reader, headers ...string) answer {
	s.t.Helper()
	a, err := s.try(ctx, method, path, body, headers...)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *server) try(ctx context.Context, method, path string, body io.Reader, headers ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return answer{t: s.t, status: resp.StatusCode, header: resp.Header, body: b}, err
}

func (a answer) want(status int, code ...string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if len(code) > 0 {
		var p struct {
			Code   string
			Status int
		}
		if err := json.Unmarshal(a.body, &p); err != nil || p.Code != code[0] || p.Status != status || a.header.Get("Content-Type") != "application/problem+json" {
			a.t.Fatalf("problem %s, want code %q", a.body, code[0])
		}
	}
	return a
}

func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("decode %s: %v", a.body, err)
	}
}

func (s *server) link() catalog.Link {
	s.t.Helper()
	ctx := s.t.Context()
	a, err1 := s.catalog.CreateAffiliate(ctx, "Ann", "ann@example.com")
	p, err2 := s.catalog.CreateProgram(ctx, catalog.ProgramFields{
		Name: "Courses", AttributionWindowDays: 30, AttributionModel: catalog.LastClick, ClickParam: "click_id", BrowserConversions: link.BrowserOff,
	})
	l, err3 := s.catalog.CreateLink(ctx, catalog.NewLink{AffiliateID: a.ID, ProgramID: p.ID, Destination: "https://shop.example/"})
	if err := errors.Join(err1, err2, err3); err != nil {
		s.t.Fatal(err)
	}
	return l
}

func TestOnlyWithTheToken(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t))
	ctx := t.Context()
	for _, c := range [][2]string{
		{"GET", "/edge/v1/links/x"}, {"GET", "/edge/v1/changes"}, {"POST", "/edge/v1/conversions"}, {"POST", "/edge/v1/clicks"}, {"GET", "/edge/v1/other"},
	} {
		for _, header := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Basic " + edgeToken, edgeToken, "Bearer " + edgeToken + "x"} {
			got := s.do(ctx, c[0], c[1], nil, "Authorization", header).want(http.StatusUnauthorized, "unauthenticated")
			if got.header.Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
		}
	}
	s.do(ctx, "GET", "/edge/v1/other", nil).want(http.StatusNotFound, "not_found")
	s.do(ctx, "POST", "/edge/v1/changes", nil).want(http.StatusNotFound, "not_found")
	s.token = "an-older-edge-token"
	s.do(ctx, "GET", "/edge/v1/changes", nil).want(http.StatusOK)
	if got := testutil.ToFloat64(counter(t, s.reg, "edgeref_edgeapi_requests_total", "/edge/v1/changes", "401")); got != 7 {
		t.Errorf("%v refused requests counted, want 7", got)
	}
}

// counter finds a counter by the values of its labels.
func counter(t *testing.T, reg *prometheus.Registry, name string, values ...string) prometheus.Collector {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			have := []string{}
			for _, l := range m.GetLabel() {
				have = append(have, l.GetValue())
			}
			if f.GetName() == name && cmp.Equal(have, append([]string{}, values...)) {
				c := prometheus.NewCounter(prometheus.CounterOpts{Name: "found"})
				c.Add(m.GetCounter().GetValue())
				return c
			}
		}
	}
	t.Fatalf("no %s%v", name, values)
	return nil
}

func TestNewRefusesWeakTokens(t *testing.T) {
	for _, tokens := range [][]string{nil, {""}, {"short"}, {edgeToken, "short"}} {
		if _, err := edgeapi.New(edgeapi.Options{Tokens: tokens}); err == nil {
			t.Errorf("%q is taken", tokens)
		}
	}
}

func TestLinks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newServer(t, d)
		l := s.link()
		want, err := s.catalog.Lookup(t.Context(), l.Slug)
		if err != nil {
			t.Fatal(err)
		}
		var got link.Resolved
		s.do(t.Context(), "GET", "/edge/v1/links/"+l.Slug, nil).want(http.StatusOK).into(&got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("link (-want +got):\n%s", diff)
		}
		for _, slug := range []string{"nothing", "a%2Fb", "%ff", strings.Repeat("x", 100)} {
			s.do(t.Context(), "GET", "/edge/v1/links/"+slug, nil).want(http.StatusNotFound, "link_not_found")
		}
	})
}

func TestChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newServer(t, d)
		ctx := t.Context()
		l := s.link()
		var first, second link.Page
		s.do(ctx, "GET", "/edge/v1/changes?feed=&cursor=0&wait_ms=60000", nil).want(http.StatusOK).into(&first)
		if len(first.Links) != 1 || first.Links[0].Slug != l.Slug || len(first.Programs) != 1 || len(first.Salts) != 2 {
			t.Errorf("first page %+v", first)
		}
		path := fmt.Sprintf("/edge/v1/changes?feed=%s&cursor=%d", first.Feed, first.Cursor)
		s.do(ctx, "GET", path, nil).want(http.StatusOK).into(&second)
		if len(second.Links) != 0 || second.Cursor != first.Cursor {
			t.Errorf("second page %+v", second)
		}
		waiting := make(chan answer, 1)
		go func() {
			a, err := s.try(ctx, "GET", path+"&wait_ms=60000", nil)
			for err == nil && a.status == http.StatusServiceUnavailable { // met the other one below
				a, err = s.try(ctx, "GET", path+"&wait_ms=60000", nil)
			}
			if err != nil {
				t.Error(err)
			}
			waiting <- a
		}()
		// One may wait; once the second is refused, the first is known to wait.
		for {
			a := s.do(ctx, "GET", path+"&wait_ms=1", nil)
			if a.status == http.StatusServiceUnavailable {
				if a.want(http.StatusServiceUnavailable, "too_many_waiters").header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				break
			}
		}
		off := link.Disabled
		if _, err := s.catalog.UpdateLink(ctx, l.ID, catalog.LinkPatch{Status: &off}); err != nil {
			t.Fatal(err)
		}
		var woken link.Page
		(<-waiting).want(http.StatusOK).into(&woken)
		if len(woken.Links) != 1 || woken.Links[0].State != link.Disabled {
			t.Errorf("woken with %+v", woken)
		}
	})
}

func TestBadQueries(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t))
	for _, q := range []string{"cursor=x", "cursor=99999999999999999999", "wait_ms=x", "wait_ms=-1", "feed=" + strings.Repeat("f", 129)} {
		s.do(t.Context(), "GET", "/edge/v1/changes?"+q, nil).want(http.StatusBadRequest, "bad_request")
	}
}

func event(txn string) conversion.Event {
	return conversion.Event{
		ProgramID: 1, Type: conversion.Sale, TxnID: txn, Amount: &money.Amount{Minor: 149900, Currency: "INR"},
		Channel: conversion.Postback, ReceivedAt: 1,
	}
}

func body(t *testing.T, v any) io.Reader {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b)
}

func TestConversions(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t))
	ctx := t.Context()
	bad := event("")
	var got struct{ Results []conversion.Result }
	s.do(ctx, "POST", "/edge/v1/conversions", body(t, map[string]any{"events": []any{
		event("a"), bad, map[string]any{"program_id": "1", "click_id": "forged"}, event("b"),
	}})).want(http.StatusOK).into(&got)
	outcomes := []conversion.Outcome{conversion.Booked, conversion.Refused, conversion.Refused, conversion.Booked}
	if len(got.Results) != 4 || got.Results[0].Detail != "a" || got.Results[3].Detail != "b" {
		t.Fatalf("results %+v", got.Results)
	}
	for i, want := range outcomes {
		if got.Results[i].Outcome != want {
			t.Errorf("event %d is %s, want %s", i, got.Results[i].Outcome, want)
		}
	}
	// What can be read goes to the books even where it is not valid: they keep it for review.
	if diff := cmp.Diff([]conversion.Event{event("a"), bad, event("b")}, s.books.booked); diff != "" {
		t.Errorf("given to the books (-want +got):\n%s", diff)
	}
	s.do(ctx, "POST", "/edge/v1/conversions", strings.NewReader(`{"events":[]}`)).want(http.StatusOK)
	for _, b := range []string{``, `[]`, `{"events":{}}`, `{"events":`} {
		s.do(ctx, "POST", "/edge/v1/conversions", strings.NewReader(b)).want(http.StatusBadRequest, "bad_request")
	}
	s.do(ctx, "POST", "/edge/v1/conversions", body(t, map[string]any{"events": make([]int, 1001)})).want(http.StatusRequestEntityTooLarge, "too_many_events")
	s.do(ctx, "POST", "/edge/v1/conversions", strings.NewReader(`{"events":["`+strings.Repeat("x", 1<<20)+`"]}`)).
		want(http.StatusRequestEntityTooLarge, "body_too_large")
}

func TestFailedBooking(t *testing.T) {
	for err, want := range map[error]struct {
		status int
		code   string
	}{
		errors.New("hunter2"):                                         {http.StatusInternalServerError, "internal"},
		fmt.Errorf("commit: %w", db.ErrUnknownOutcome):                {http.StatusServiceUnavailable, "unavailable"},
		fmt.Errorf("hunter2: %w", context.DeadlineExceeded):           {http.StatusServiceUnavailable, "unavailable"},
		&net.OpError{Op: "dial", Err: errors.New("hunter2: refused")}: {http.StatusServiceUnavailable, "unavailable"},
	} {
		s := newServer(t, dbtest.SQLite(t))
		s.books.fail = err
		got := s.do(t.Context(), "POST", "/edge/v1/conversions", body(t, map[string]any{"events": []any{event("a")}})).want(want.status, want.code)
		if strings.Contains(string(got.body), "hunter2") {
			t.Errorf("shown: %s", got.body)
		}
	}
}

func record(t *testing.T, n int64) click.Record {
	t.Helper()
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	return click.Record{ID: keys.Mint(time.UnixMilli(1_770_000_000_000), 1, n, 2), ProgramID: 3, Country: "IN", Sub: [5]string{"a", "", "", "", "e"}}
}

func encode(records ...click.Record) []byte {
	var out []byte
	for i := range records {
		b := records[i].Append(nil)
		out = append(binary.AppendUvarint(out, uint64(len(b))), b...)
	}
	return out
}

func TestClicks(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t))
	ctx := t.Context()
	want := []click.Record{record(t, 1), record(t, 2), record(t, 3)}
	post := func(id string, b []byte) answer {
		return s.do(ctx, "POST", "/edge/v1/clicks", bytes.NewReader(b), "Batch-Id", id, "Content-Type", "application/octet-stream")
	}
	post("node-1/7", encode(want...)).want(http.StatusNoContent)
	if diff := cmp.Diff(want, s.clicks.batches["node-1/7"]); diff != "" {
		t.Errorf("clicks (-want +got):\n%s", diff)
	}
	post("empty", nil).want(http.StatusNoContent)
	good := encode(want...)
	for name, b := range map[string][]byte{
		"cut off": good[:len(good)-1], "length too great": append([]byte{0xff, 0x7f}, good...), "endless length": bytes.Repeat([]byte{0xff}, 20),
		"no record": {3, 1, 2, 3}, "trailing": append(encode(want[0]), 0),
	} {
		post("bad", b).want(http.StatusUnprocessableEntity, "batch_refused")
		if _, ok := s.clicks.batches["bad"]; ok {
			t.Errorf("%s: a part of it was stored", name)
		}
	}
	for _, id := range []string{"", strings.Repeat("b", 129), "a b"} {
		post(id, good).want(http.StatusBadRequest, "bad_request")
	}
	post("large", make([]byte, 32<<20+1)).want(http.StatusRequestEntityTooLarge, "body_too_large")
}

func TestClickBatchesAreBounded(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t))
	s.clicks.block, s.clicks.entered = make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	b := encode(record(t, 1))
	for i := range 8 {
		wg.Go(func() {
			a, err := s.try(t.Context(), "POST", "/edge/v1/clicks", bytes.NewReader(b), "Batch-Id", fmt.Sprint(i))
			if err != nil || a.status != http.StatusNoContent {
				t.Errorf("batch %d: status %d, %v", i, a.status, err)
			}
		})
		<-s.clicks.entered
	}
	s.do(t.Context(), "POST", "/edge/v1/clicks", bytes.NewReader(b), "Batch-Id", "9").want(http.StatusServiceUnavailable, "too_many_batches")
	close(s.clicks.block)
	wg.Wait()
	if n := testutil.ToFloat64(counter(t, s.reg, "edgeref_edgeapi_click_batches_refused_total")); n != 1 {
		t.Errorf("%v refused batches counted, want 1", n)
	}
}
