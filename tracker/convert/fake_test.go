package convert

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/valyala/fasthttp"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/link"
)

const (
	linkID, affiliateID, programID = 11, 22, 33
	otherProgram                   = 34
	secret, oldSecret              = "the current secret", "the previous secret"
)

var (
	noon    = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	errDisk = errors.New("disk is full")
)

// memory knows one link and two programs, and keeps what is recorded.
type memory struct {
	program link.Program
	stale   bool  // nothing is known, and the core cannot be asked
	refuse  error // of Append
	events  []conversion.Event
}

func (m *memory) Fresh() bool { return !m.stale }

func (m *memory) ByID(id int64) (link.Resolved, bool) {
	if id != linkID || m.stale {
		return link.Resolved{}, false
	}
	return link.Resolved{Link: link.Link{ID: linkID, AffiliateID: affiliateID, ProgramID: programID}, Program: m.program}, true
}

func (m *memory) Program(id int64) (link.Program, bool) {
	switch {
	case m.stale:
	case id == programID:
		return m.program, true
	case id == otherProgram:
		return link.Program{ID: otherProgram, PostbackSecrets: []string{"of the other program"}}, true
	}
	return link.Program{}, false
}

func (m *memory) Append(record []byte) error {
	if m.refuse != nil {
		return m.refuse
	}
	e, err := conversion.Parse(record)
	if err != nil {
		return err
	}
	m.events = append(m.events, e)
	return nil
}

type fixture struct {
	*Handler
	memory  *memory
	clickID string
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{program: link.Program{
		ID: programID, State: link.Active, PostbackSecrets: []string{secret, oldSecret}, Currency: "INR", AllowedHosts: []string{"shop.example", "*.shop.example"},
		BrowserConversions: link.BrowserAll,
	}}
	h, err := New(Options{
		Directory: m, Recorder: m, Keys: keys, Now: func() time.Time { return noon }, Registerer: prometheus.NewRegistry(), Node: 7, CookieName: "er_cid",
	})
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{Handler: h, memory: m, clickID: keys.Mint(noon.Add(-time.Hour), 3, linkID, affiliateID).String()}
}

func request(method, uri string, header ...string) *fasthttp.RequestCtx {
	var req fasthttp.Request
	req.Header.SetMethod(method)
	req.SetRequestURI(uri)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	ctx := &fasthttp.RequestCtx{}
	ctx.Init(&req, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1000}, nil)
	return ctx
}

func query(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// code is the code of an answer: of the problem, or "accepted".
func code(t testing.TB, ctx *fasthttp.RequestCtx) string {
	t.Helper()
	var body struct {
		Status any
		Code   string
	}
	kind := string(ctx.Response.Header.ContentType())
	if kind == "image/gif" {
		return "accepted"
	}
	if err := json.Unmarshal(ctx.Response.Body(), &body); err != nil {
		t.Fatalf("%v in %q", err, ctx.Response.Body())
	}
	if body.Code == "" {
		return body.Status.(string)
	}
	if kind != "application/problem+json" || body.Status != float64(ctx.Response.StatusCode()) || ctx.Response.StatusCode() < 400 {
		t.Errorf("%s has status %d and type %s", body.Code, ctx.Response.StatusCode(), kind)
	}
	return body.Code
}

// send makes a postback with the program's secret, unless another is among the pairs, and returns the answer's code.
func (f *fixture) send(t testing.TB, pairs ...string) string {
	t.Helper()
	q := query(pairs...)
	if !strings.Contains(q, "secret=") {
		q += "&" + query("secret", secret)
	}
	ctx := request("GET", "/postback?"+q)
	return f.check(t, ctx, f.Postback(ctx), conversion.Postback)
}

// check checks that the metrics, the outcome and what was recorded agree with the answer, and returns its code.
func (f *fixture) check(t testing.TB, ctx *fasthttp.RequestCtx, o Outcome, channel conversion.Channel) string {
	t.Helper()
	got := code(t, ctx)
	if (got == "accepted") != (o == Accepted) || (got == "accepted") != (ctx.Response.StatusCode() == 200) {
		t.Errorf("%s with outcome %s, status %d", got, o, ctx.Response.StatusCode())
	}
	if got != "accepted" && testutil.ToFloat64(f.refused.WithLabelValues(string(channel), got)) == 0 {
		t.Errorf("%s is not counted for %s", got, channel)
	}
	total := 0.0
	for _, c := range []string{"postback", "pixel", "script"} {
		total += testutil.ToFloat64(f.accepted.WithLabelValues(c))
	}
	if total != float64(len(f.memory.events)) {
		t.Errorf("%v counted as accepted, %d recorded", total, len(f.memory.events))
	}
	return got
}

func (f *fixture) last(t testing.TB) conversion.Event {
	t.Helper()
	if len(f.memory.events) == 0 {
		t.Fatal("nothing was recorded")
	}
	return f.memory.events[len(f.memory.events)-1]
}

func programText(id int64) string { return ident.Format(ident.Program, id) }

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func sign(key, message string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(message))
	return hex.EncodeToString(mac.Sum(nil))
}
