package coreclient

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/tracker/links"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/link"
	"github.com/edgeref/edgeref/wire/money"
	"github.com/edgeref/edgeref/wire/node"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ links.Source = (*Client)(nil)

const token = "edge-token-7f3a"

// serve starts a core of which every request goes to handle, and a client of it.
func serve(t testing.TB, handle http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return connect(t, server.URL)
}

func connect(t testing.TB, at string) *Client {
	t.Helper()
	c, err := New(Options{URL: at, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func problem(status int, code string) http.HandlerFunc {
	return answer(status, "application/problem+json", fmt.Sprintf(`{"status":%d,"code":%q,"detail":"in detail"}`, status, code))
}

func testResolved() link.Resolved {
	return link.Resolved{
		Link: link.Link{
			ID: 1 << 60, Slug: "summer", AffiliateID: 2, ProgramID: 3, Destination: "https://shop.example/?c={click_id}",
			State: link.Active, ExpiresAt: 5, Rev: 6,
		},
		Program: link.Program{
			ID: 3, State: link.Active, ClickParam: "click_id", AllowedHosts: []string{"*.shop.example"}, CookieSeconds: 60,
			PostbackSecrets: []string{"s"}, BrowserConversions: link.BrowserLeads, Currency: "INR", Rev: 4,
		},
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}

func TestLookup(t *testing.T) {
	want := testResolved()
	var seen atomic.Pointer[http.Request]
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r)
		writeJSON(w, want)
	})
	for _, slug := range []string{"summer", "a-b_c.d~e", "a+b@c:d;e,f&g=h!i$j'k(l)m*n", `"<>[]^{|}` + "`"} {
		got, err := c.Lookup(t.Context(), slug)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%+v, %v", got, err)
		}
		r := seen.Load()
		if r.Method != http.MethodGet || r.URL.Path != "/edge/v1/links/"+slug || r.URL.RawQuery != "" {
			t.Errorf("%s %s for %q", r.Method, r.URL, slug)
		}
		if got := r.Header.Get("Authorization"); got != "Bearer "+token {
			t.Errorf("authorization %q", got)
		}
	}
}

func TestImpossibleSlugsAreNotAskedFor(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	for _, slug := range []string{"", ".", "..", "a/b", "a%2fb", "a?b", "a#b", `a\b`, "a b", "a\x00", "é", strings.Repeat("x", link.MaxSlug+1)} {
		if _, err := c.Lookup(t.Context(), slug); !errors.Is(err, link.ErrNotFound) {
			t.Errorf("%q: %v", slug, err)
		}
	}
}

func TestAnswersToALookup(t *testing.T) {
	for name, c := range map[string]struct {
		handle   http.HandlerFunc
		notFound bool
		status   int    // of the Problem, or 0 for none
		text     string // in the error
	}{
		"no such link":          {problem(404, "link_not_found"), true, 0, ""},
		"malformed slug":        {problem(422, "invalid_slug"), true, 0, ""},
		"bad request":           {problem(400, "invalid_request"), true, 0, ""},
		"bad request of others": {answer(400, "text/html", "plain HTTP sent to HTTPS port"), false, 400, "400"},
		"another 404":           {problem(404, "not_found"), false, 404, "not_found: in detail"},
		"404 of another server": {answer(404, "text/html", "<h1>Not here</h1>"), false, 404, "URL"},
		"wrong token":           {problem(401, "unauthorized"), false, 401, "edge token"},
		"core fails":            {problem(500, "internal"), false, 500, "internal"},
		"core starts":           {answer(503, "text/plain", "starting"), false, 503, "503"},
		"redirect":              {answer(302, "text/plain", ""), false, 302, "URL"},
		"problem that is none":  {answer(500, "application/problem+json", "{"), false, 500, "decode problem"},
		"huge problem":          {answer(500, "application/problem+json", strings.Repeat(" ", maxProblemBody+1)), false, 500, "longer"},
		"control characters":    {answer(500, "application/problem+json", `{"title":"a\nb\u001b[31m"}`), false, 500, "a b [31m"},
		"garbage":               {answer(200, "application/json", "garbage"), false, 0, "decode answer"},
		"half":                  {answer(200, "application/json", `{"link":{"id":"1"`), false, 0, "decode answer"},
		"another type":          {answer(200, "text/html", "<html>"), false, 0, "not JSON"},
		"success without body":  {answer(204, "", ""), false, 204, "204"},
		"huge answer":           {answer(200, "application/json", `{"link":{"slug":"`+strings.Repeat("x", maxLookupBody)+`"}}`), false, 0, "longer"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := serve(t, c.handle).Lookup(t.Context(), "summer")
			if err == nil || errors.Is(err, link.ErrNotFound) != c.notFound || !strings.Contains(err.Error(), c.text) || !cmp.Equal(got, link.Resolved{}) {
				t.Fatalf("%+v, %v", got, err)
			}
			var p *Problem
			if errors.As(err, &p) != (c.status != 0) || p != nil && p.Status != c.status {
				t.Errorf("problem %+v", p)
			}
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return r == 0x1b }) || strings.Contains(err.Error(), token) {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer other.Close()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	if _, err := c.Book(t.Context(), []conversion.Event{{}}); err == nil {
		t.Error("no error")
	}
}

func TestContextIsRespected(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	// The headers come, the rest does not.
	stalls := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for name, err := range map[string]error{
		"look-up":     second(c.Lookup(ctx, "summer")),
		"stalls":      second(stalls.Lookup(ctx, "summer")),
		"changes":     second(c.Changes(ctx, "", 0, time.Minute)),
		"conversions": second(c.Book(ctx, []conversion.Event{{}})),
		"clicks":      c.AppendClicks(ctx, "b", []click.Record{{}}),
	} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// trip is a transport for what cannot be seen from the server's side.
type trip func(*http.Request) (*http.Response, error)

func (fn trip) RoundTrip(r *http.Request) (*http.Response, error) { return fn(r) }

func TestEveryRequestHasItsTimeout(t *testing.T) {
	var left time.Duration
	c := connect(t, "http://core.example")
	c.timeout = time.Minute
	c.http.Transport = trip(func(r *http.Request) (*http.Response, error) {
		deadline, ok := r.Context().Deadline()
		if !ok {
			t.Error("no deadline")
		}
		left = time.Until(deadline)
		return nil, errors.New("no network")
	})
	for name, want := range map[string]time.Duration{"look-up": time.Minute, "changes": time.Minute + 25*time.Second} {
		if name == "look-up" {
			_, _ = c.Lookup(t.Context(), "summer")
		} else {
			_, _ = c.Changes(t.Context(), "", 0, 25*time.Second)
		}
		if left > want || left < want-10*time.Second {
			t.Errorf("%s: %v, want %v", name, left, want)
		}
	}
}

func TestCutConnections(t *testing.T) {
	cut := func(reply string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, out, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = out.WriteString(reply)
			_ = out.Flush()
			_ = conn.Close()
		}
	}
	for _, reply := range []string{
		"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"results\":[",
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", "SSH-2.0-OpenSSH\r\n",
	} {
		c := serve(t, cut(reply))
		if _, err := c.Book(t.Context(), []conversion.Event{{}}); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%q: %v", reply, err)
		}
	}
	server := httptest.NewServer(nil)
	server.Close()
	_, err := connect(t, server.URL).Changes(t.Context(), "secret-feed", 1, 0)
	if err == nil || strings.Contains(err.Error(), "secret-feed") {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestChanges(t *testing.T) {
	r := testResolved()
	want := link.Page{
		Feed: "f", Cursor: 9, More: true, Links: []link.Link{r.Link}, Programs: []link.Program{r.Program},
		Salts: []link.Salt{{Day: 20_000, Key: bytes.Repeat([]byte{1}, 16)}},
	}
	var query url.Values
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/edge/v1/changes" || r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		query = r.URL.Query()
		writeJSON(w, want)
	})
	for wait, ms := range map[time.Duration]string{25 * time.Second: "25000", time.Hour: "30000", -1: "0"} {
		got, err := c.Changes(t.Context(), "feed & more", 1<<40, wait)
		if err != nil || !cmp.Equal(got, want) {
			t.Fatalf("%+v, %v", got, err)
		}
		if w := (url.Values{"feed": {"feed & more"}, "cursor": {"1099511627776"}, "wait_ms": {ms}}); !cmp.Equal(query, w) {
			t.Errorf("%v, want %v", query, w)
		}
	}
}

func TestBook(t *testing.T) {
	events := []conversion.Event{
		{ProgramID: 1, Type: conversion.Sale, TxnID: "a", Amount: &money.Amount{Minor: 149900, Currency: "INR"}, Channel: conversion.Postback},
		{ProgramID: 1, Type: conversion.Lead, TxnID: "b", Channel: conversion.Pixel, ReceivedAt: 5, Node: 6},
	}
	results := []conversion.Result{{Outcome: conversion.Booked}, {Outcome: conversion.Refused, Detail: "no such program"}}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var got struct {
			Events []conversion.Event `json:"events"`
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || !cmp.Equal(got.Events, events) {
			t.Errorf("%+v, %v", got, err)
		}
		if r.URL.Path != "/edge/v1/conversions" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		writeJSON(w, map[string]any{"results": results})
	})
	if got, err := c.Book(t.Context(), events); err != nil || !cmp.Equal(got, results) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestResultsThatDoNotMatchTheEvents(t *testing.T) {
	for body, text := range map[string]string{
		`{}`:                                 "0 results for 2",
		`{"results":[{"outcome":"booked"}]}`: "1 results for 2",
		`{"results":[{"outcome":"booked"},{"outcome":"booked"},{"outcome":"booked"}]}`: "3 results for 2",
		`{"results":[{"outcome":"booked"},{"outcome":"postponed"}]}`:                   `"postponed"`,
		`{"results":[{"outcome":"booked"},{}]}`:                                        `outcome ""`,
	} {
		c := serve(t, answer(200, "application/json", body))
		if got, err := c.Book(t.Context(), make([]conversion.Event, 2)); err == nil || got != nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}

func TestLimitsOfRequests(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	long := make([]conversion.Event, MaxEvents)
	for i := range long {
		long[i].Name = strings.Repeat("x", 1000)
	}
	big := click.Record{ReferrerPath: strings.Repeat("x", click.MaxField), UserAgent: strings.Repeat("x", click.MaxField)}
	clicks := make([]click.Record, MaxClicksBody/2000)
	for i := range clicks {
		clicks[i] = big
	}
	for name, err := range map[string]error{
		"too many conversions":    second(c.Book(t.Context(), make([]conversion.Event, MaxEvents+1))),
		"conversions too long":    second(c.Book(t.Context(), long)),
		"clicks too many or long": c.AppendClicks(t.Context(), "b", clicks),
	} {
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, id := range []string{"", strings.Repeat("x", maxBatchID+1), "a b", "a\r\nX-Evil: 1", "é"} {
		if err := c.AppendClicks(t.Context(), id, make([]click.Record, 1)); err == nil || !strings.Contains(err.Error(), "batch id") {
			t.Errorf("batch id %q: %v", id, err)
		}
	}
	if got, err := c.Book(t.Context(), nil); got != nil || err != nil {
		t.Errorf("no conversions: %v, %v", got, err)
	}
	if err := c.AppendClicks(t.Context(), "b", nil); err != nil {
		t.Errorf("no clicks: %v", err)
	}
}

func TestAppendClicks(t *testing.T) {
	want := []click.Record{
		{ID: click.ID{0x41, 1}, ProgramID: 3, ReferrerHost: "blog.example", Visitor: 1 << 63},
		{ID: click.ID{0x41, 2}, Bot: click.BotHead, UserAgent: strings.Repeat("x", 300)},
	}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/edge/v1/clicks" || r.Header.Get("Batch-Id") != "node-1/42-57" || r.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || int64(len(body)) != r.ContentLength {
			t.Errorf("%d bytes of %d, %v", len(body), r.ContentLength, err)
		}
		var got []click.Record
		for len(body) > 0 {
			n, used := binary.Uvarint(body)
			if used <= 0 || n > uint64(len(body)-used) {
				t.Fatalf("length %d", n)
			}
			one, err := click.Parse(string(body[used : used+int(n)]))
			if err != nil {
				t.Fatal(err)
			}
			got, body = append(got, one), body[used+int(n):]
		}
		if !cmp.Equal(got, want) {
			t.Errorf("%+v", got)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if err := c.AppendClicks(t.Context(), "node-1/42-57", want); err != nil {
		t.Error(err)
	}
	refused := serve(t, problem(507, "storage_full"))
	var p *Problem
	if err := refused.AppendClicks(t.Context(), "b", want); !errors.As(err, &p) || p.Code != "storage_full" {
		t.Errorf("error %v", err)
	}
	if err := serve(t, answer(200, "application/json", "{}")).AppendClicks(t.Context(), "b", want); err == nil {
		t.Error("200 passed for 204")
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	addresses := map[string]bool{}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		addresses[r.RemoteAddr] = true
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		problem(404, "link_not_found")(w, r)
	})
	for range 10 {
		_, _ = c.Lookup(t.Context(), "summer")
		_ = c.AppendClicks(t.Context(), "b", make([]click.Record, 1))
	}
	if len(addresses) != 1 {
		t.Errorf("%d connections", len(addresses))
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{URL: "https://core.example:8443/behind/a/proxy/", Token: token}
	c, err := New(good)
	if err != nil || c.base != "https://core.example:8443/behind/a/proxy" {
		t.Fatalf("%+v, %v", c, err)
	}
	with := func(change func(*Options)) Options { o := good; change(&o); return o }
	at := func(text string) Options { return with(func(o *Options) { o.URL = text }) }
	for name, c := range map[string]struct {
		opts Options
		text string
	}{
		"no URL":            {at(""), "URL is missing"},
		"not a URL":         {at("http://us:er pass@[::1"), "URL is not"},
		"no scheme":         {at("core.example"), "http://"},
		"another scheme":    {at("ftp://core.example"), "http://"},
		"no host":           {at("https:///x"), "no host"},
		"port only":         {at("https://:8443"), "no host"},
		"password":          {at("https://u:hunter2@core.example"), "Token"},
		"query":             {at("https://core.example/?a=b"), "query"},
		"empty query":       {at("https://core.example/?"), "query"},
		"fragment":          {at("https://core.example/#a"), "fragment"},
		"no token":          {with(func(o *Options) { o.Token = "" }), "Token is missing"},
		"token with break":  {with(func(o *Options) { o.Token = "hunter2\n" }), "Token has"},
		"negative timeout":  {with(func(o *Options) { o.RequestTimeout = -1 }), "RequestTimeout"},
		"negative connects": {with(func(o *Options) { o.MaxConnections = -1 }), "MaxConnections"},
	} {
		if _, err := New(c.opts); err == nil || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "er pass") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, "application/json", []byte(`{"results":[{"outcome":"booked"},{"outcome":"duplicate"}]}`))
	f.Add(200, "application/json; charset=", []byte(`{"feed":"f","cursor":"x"}`))
	f.Add(404, "application/problem+json", []byte(`{"code":"link_not_found"}`))
	f.Add(500, "application/problem+json", []byte("\xff{"))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		c, err := New(Options{URL: "http://core.example", Token: token})
		if err != nil {
			t.Fatal(err)
		}
		c.http.Transport = trip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(body)), Request: r,
			}, nil
		})
		results, err := c.Book(t.Context(), make([]conversion.Event, 2))
		if (err == nil) != (len(results) == 2) || err == nil && status != 200 {
			t.Errorf("%+v, %v", results, err)
		}
		if _, err := c.Lookup(t.Context(), "summer"); errors.Is(err, link.ErrNotFound) && status != 404 && status != 400 && status != 422 {
			t.Errorf("status %d passes for not found", status)
		}
		_, _ = c.Changes(t.Context(), "", 0, 0)
		if err := c.AppendClicks(t.Context(), "b", make([]click.Record, 1)); (err == nil) != (status == 204) {
			t.Errorf("status %d: %v", status, err)
		}
	})
}

func TestReport(t *testing.T) {
	var got node.Status
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/edge/v1/status" || r.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	want := node.Status{Node: 3, Instance: "x", Feed: node.Feed{Connected: true}, Spools: []node.Spool{{Name: "clicks", Pending: 4}}}
	if err := c.Report(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var p *Problem
	if err := serve(t, problem(http.StatusNotFound, "not_found")).Report(t.Context(), want); !errors.As(err, &p) || p.Status != http.StatusNotFound {
		t.Errorf("a core that does not want to know: %v", err)
	}
}
