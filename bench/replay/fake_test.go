package replay

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/agent"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
	"github.com/edgeref/edgeref/wire/report"
)

// fake stands for the system, only to show that Run finds what is wrong with one: it keeps its books with an oracle of
// its own and makes the mistakes that a test asks for. It says nothing about the real system.
type fake struct {
	*httptest.Server
	faults faults

	mu      sync.Mutex
	keys    *click.Keyring
	oracle  *oracle
	nextID  int64
	bySlug  map[string]int
	byID    map[click.ID]*visit
	clicks  int // requests for links so far
	dead    bool
	doubled bool

	received map[txnKey]time.Time
}

// faults are mistakes. Counts are of requests for links, from 1; 0: never.
type faults struct {
	drop         int  // answer this one, record nothing
	twice        int  // record this one twice, under two Click IDs
	misroute     int  // record this one with another referrer host
	notFound     int  // answer this one with 404
	noCookie     int  // answer this one without a cookie
	dieBefore    int  // close the connection instead of recording this one, then refuse all until revived
	dieAfter     int  // record this one, then close the connection without an answer, and so on
	doubleSale   bool // book a sale that is sent twice two times
	loseRefund   bool // forget refunds
	payTooMuch   bool // keep a minor unit more in one balance
	leak         bool // lose a record between spool and store, by the metrics
	hideConflict bool
}

func newFake(t *testing.T, agents *agent.Classifier, f faults) *fake {
	t.Helper()
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	s := &fake{faults: f, keys: keys, nextID: 1000, bySlug: map[string]int{}, byID: map[click.ID]*visit{}, received: map[txnKey]time.Time{},
		oracle: newOracle(&world{Programs: programs()}, agents)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/programs", s.createProgram)
	mux.HandleFunc("POST /api/v1/affiliates", s.createAffiliate)
	mux.HandleFunc("POST /api/v1/commission-rules", func(w http.ResponseWriter, _ *http.Request) { s.reply(w, map[string]any{"id": "rul_1"}) })
	mux.HandleFunc("POST /api/v1/links", s.createLink)
	mux.HandleFunc("GET /api/v1/reports", s.report)
	mux.HandleFunc("GET /api/v1/reports/clicks", s.listClicks)
	mux.HandleFunc("GET /api/v1/conversions", s.listConversions)
	mux.HandleFunc("GET /api/v1/conversion-conflicts", s.listConflicts)
	mux.HandleFunc("GET /api/v1/commissions", s.listCommissions)
	mux.HandleFunc("GET /api/v1/ledger/balances", s.listBalances)
	mux.HandleFunc("GET /api/v1/ledger/verification", func(w http.ResponseWriter, _ *http.Request) { s.reply(w, map[string]any{"ok": true}) })
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("/postback", s.postback)
	mux.HandleFunc("/pixel.gif", s.postback)
	mux.HandleFunc("/{slug}", s.link)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// revive lets a dead fake answer again.
func (s *fake) revive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = false
}

// requests is how many requests for links came in.
func (s *fake) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clicks
}

func (s *fake) id(kind string) string {
	s.nextID++
	return ident.Format(kind, s.nextID)
}

func (s *fake) reply(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func (s *fake) replyList(w http.ResponseWriter, items []any) {
	s.reply(w, map[string]any{"items": items, "next_cursor": ""})
}

func decode(r *http.Request) map[string]any {
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		panic(http.ErrAbortHandler)
	}
	return body
}

func (s *fake) createProgram(w http.ResponseWriter, r *http.Request) {
	body := decode(r)
	for i := range s.oracle.world.Programs {
		p := &s.oracle.world.Programs[i]
		if p.Currency == body["currency"] {
			p.ID, p.Secret = s.id(ident.Program), "secret-"+p.Name
			s.reply(w, map[string]any{"id": p.ID, "postback_secret": p.Secret})
		}
	}
}

func (s *fake) createAffiliate(w http.ResponseWriter, _ *http.Request) {
	a := affiliate{ID: s.id(ident.Affiliate)}
	s.oracle.world.Affiliates = append(s.oracle.world.Affiliates, a)
	s.reply(w, map[string]any{"id": a.ID})
}

func (s *fake) createLink(w http.ResponseWriter, r *http.Request) {
	body := decode(r)
	l := replayLink{ID: s.id(ident.Link), Slug: body["slug"].(string), Destination: body["destination"].(string)}
	for i := range s.oracle.world.Affiliates {
		if s.oracle.world.Affiliates[i].ID == body["affiliate_id"] {
			l.Affiliate = i
		}
	}
	for i := range s.oracle.world.Programs {
		if s.oracle.world.Programs[i].ID == body["program_id"] {
			l.Program = i
		}
	}
	s.bySlug[l.Slug] = len(s.oracle.world.Links)
	s.oracle.world.Links = append(s.oracle.world.Links, l)
	s.reply(w, map[string]any{"id": l.ID})
}

// link answers a click.
func (s *fake) link(w http.ResponseWriter, r *http.Request) {
	if s.clicks++; s.dead || s.clicks == s.faults.dieBefore {
		s.dead = true
		panic(http.ErrAbortHandler)
	}
	i, known := s.bySlug[r.PathValue("slug")]
	if !known || s.clicks == s.faults.notFound {
		http.NotFound(w, r)
		return
	}
	l := &s.oracle.world.Links[i]
	p := &s.oracle.world.Programs[l.Program]
	in := &request{Link: i, Method: r.Method, Addr: netip.MustParseAddr(r.Header.Get("CF-Connecting-IP")), UserAgent: r.UserAgent(),
		Referrer: r.Referer(), Country: r.Header.Get("CF-IPCountry"), Languages: r.Header.Get("Accept-Language"),
		Prefetch: cmp.Or(r.Header.Get("Sec-Purpose"), r.Header.Get("Purpose")), Params: r.URL.Query()}
	_, in.Line = s.lineOf(in)
	if s.clicks == s.faults.misroute {
		in.Referrer = "http://elsewhere.example/"
	}
	id := s.record(in)
	if s.clicks == s.faults.twice {
		s.record(in)
	}
	if s.clicks == s.faults.dieAfter {
		s.dead = true
		panic(http.ErrAbortHandler)
	}
	to, err := url.Parse(strings.ReplaceAll(l.Destination, "{sub1}", url.QueryEscape(in.Params.Get("sub1"))))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	query := to.Query()
	for name, values := range in.Params {
		if !strings.HasPrefix(name, "sub") {
			query[name] = values
		}
	}
	query.Set(p.ClickParam, id.String())
	to.RawQuery = query.Encode()
	if s.clicks != s.faults.noCookie {
		http.SetCookie(w, &http.Cookie{Name: "er_cid", Value: id.String()})
	}
	w.Header().Set("Location", to.String())
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}

func (s *fake) lineOf(r *request) (run string, line int) {
	run, number, _ := strings.Cut(r.Params.Get("gclid"), "-")
	line, err := strconv.Atoi(number)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return run, line
}

func (s *fake) record(r *request) click.ID {
	w := s.oracle.world
	number := func(kind, text string) int64 {
		id, err := ident.Parse(kind, text)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		return id
	}
	l := &w.Links[r.Link]
	id := s.keys.Mint(time.Now(), 1, number(ident.Link, l.ID), number(ident.Affiliate, w.Affiliates[l.Affiliate].ID))
	if s.clicks == s.faults.drop {
		return id
	}
	s.byID[id] = s.oracle.addClick(r, id)
	return id
}

// postback takes a conversion.
func (s *fake) postback(w http.ResponseWriter, r *http.Request) {
	values := parameters(r)
	first := func(names ...string) string {
		for _, name := range names {
			if v := values.Get(name); v != "" {
				return v
			}
		}
		return ""
	}
	ref := first("ref_txid", "sale_txid", "ref_transaction_id")
	v := s.visitOf(first("click_id", "cid", "clickid", "subid"), ref)
	if v == nil {
		http.Error(w, "no such click", http.StatusBadRequest)
		return
	}
	p := &s.oracle.world.Programs[s.oracle.world.Links[v.Link].Program]
	if r.URL.Path == "/postback" && values.Get("secret") != p.Secret && r.Header.Get("Authorization") != "Bearer "+p.Secret {
		http.Error(w, "wrong secret", http.StatusUnauthorized)
		return
	}
	st := step{Line: v.Line, Type: conversion.Type(values.Get("status")), Ref: ref,
		Txn: first("txid", "transaction_id", "order_id"), NoClick: values.Has("program")}
	if text := values.Get("amount"); text != "" {
		amount, err := money.Parse(text, cmp.Or(values.Get("currency"), p.Currency))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		st.Minor = amount.Minor
	}
	if s.faults.loseRefund && st.Type == conversion.Refund {
		return
	}
	if _, again := s.oracle.books.booked[txnKey{st.Type, st.Txn}]; again && st.Type == conversion.Sale && s.faults.doubleSale && !s.doubled {
		s.doubled = true
		st.Txn += "-again"
	}
	key, now := txnKey{st.Type, st.Txn}, time.Now().UTC().Truncate(time.Millisecond)
	if s.received[key].IsZero() {
		s.received[key] = now
	}
	s.oracle.addStep(v, st, now)
}

// parameters are those of a query, a form or a JSON object.
func parameters(r *http.Request) url.Values {
	if r.Header.Get("Content-Type") != "application/json" {
		if err := r.ParseForm(); err != nil {
			panic(http.ErrAbortHandler)
		}
		return r.Form
	}
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	var body map[string]any
	if err := decoder.Decode(&body); err != nil {
		panic(http.ErrAbortHandler)
	}
	values := url.Values{}
	for name, v := range body {
		values.Set(name, fmt.Sprint(v))
	}
	return values
}

// visitOf finds the click that a conversion names, or that of the transaction that it takes back.
func (s *fake) visitOf(text, ref string) *visit {
	if ord := s.oracle.books.orders[ref]; text == "" && ord != nil {
		return ord.visit
	}
	if text == "" {
		run, rest, _ := strings.Cut(ref, "-")
		line, _, _ := strings.Cut(rest, "-")
		for _, v := range s.byID {
			if v.Record.GCLID == run+"-"+line {
				return v
			}
		}
	}
	id, err := click.ParseID(text)
	if err != nil {
		return nil
	}
	return s.byID[id]
}

func (s *fake) query(r *http.Request) *query {
	v := r.URL.Query()
	q := &query{Bucket: report.Bucket(v.Get("bucket")), Group: report.Dimension(v.Get("group_by")), Affiliate: v.Get("affiliate_id"), Zone: time.UTC}
	if zone := v.Get("zone"); zone != "" {
		var err error
		if q.Zone, err = time.LoadLocation(zone); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	q.Limit, _ = strconv.Atoi(v.Get("limit"))
	for _, text := range v["filter"] {
		name, value, _ := strings.Cut(text, ":")
		value, not := strings.CutPrefix(value, "!")
		f := filter{report.Dimension(name), []string{value}, not}
		if i := slices.IndexFunc(q.Filters, func(o filter) bool { return o.Dimension == f.Dimension && o.Not == not }); i >= 0 {
			q.Filters[i].Values = append(q.Filters[i].Values, value)
			continue
		}
		q.Filters = append(q.Filters, f)
	}
	return q
}

func (s *fake) report(w http.ResponseWriter, r *http.Request) {
	q := s.query(r)
	a := s.oracle.answer(q)
	figures := func(t *tally) reportFigures {
		f := reportFigures{Clicks: t.Clicks, Bots: t.Bots, Uniques: t.Uniques, Leads: t.Leads, Sales: t.Sales, Refunds: t.Refunds}
		f.Rate = t.ConversionRate()
		for _, m := range t.Money {
			f.Money = append(f.Money, reportMoney{m.Currency, m.Revenue, m.Commission, t.EPC(m)})
		}
		return f
	}
	out := reportAnswer{Total: figures(a.Total)}
	if a.Other != nil {
		other := figures(a.Other)
		out.Other = &other
	}
	cells := make([]cell, 0, len(a.Rows))
	for at := range a.Rows {
		cells = append(cells, at)
	}
	slices.SortFunc(cells, func(x, y cell) int {
		return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(a.Rows[y].Clicks, a.Rows[x].Clicks), cmp.Compare(x.Key, y.Key))
	})
	for _, at := range cells {
		start := time.UnixMilli(at.Start).In(q.Zone).Format(time.RFC3339)
		out.Rows = append(out.Rows, reportRow{start, at.Key, figures(a.Rows[at])})
	}
	s.reply(w, out)
}

func (s *fake) listClicks(w http.ResponseWriter, r *http.Request) {
	q := s.query(r)
	var items []any
	visits := slices.Clone(s.oracle.visits)
	slices.SortFunc(visits, func(a, b *visit) int { return cmp.Compare(b.Record.ID.String(), a.Record.ID.String()) })
	for _, v := range visits {
		if !s.oracle.keeps(q, v) {
			continue
		}
		item := map[string]any{"id": v.Record.ID.String(), "time": v.Record.ID.Time().Format(time.RFC3339Nano)}
		for _, d := range report.Dimensions() {
			item[string(d)] = s.oracle.value(v, d)
		}
		for _, d := range []report.Dimension{report.Affiliate, report.Program, report.Link} {
			item[string(d)+"_id"] = s.oracle.value(v, d)
		}
		items = append(items, item)
	}
	s.replyList(w, items)
}

func (s *fake) conversion(st *step) map[string]any {
	v := s.oracle.books.visits[st.Line]
	l := &s.oracle.world.Links[v.Link]
	p := &s.oracle.world.Programs[l.Program]
	id := v.Record.ID.String()
	if st.NoClick {
		id = ""
	}
	item := map[string]any{"program_id": p.ID, "type": st.Type, "txn_id": st.Txn, "ref_txn_id": st.Ref, "state": "booked", "click_id": id, "link_id": l.ID,
		"affiliate_id": s.oracle.world.Affiliates[l.Affiliate].ID, "received_at": s.received[txnKey{st.Type, st.Txn}]}
	if st.Minor > 0 {
		item["amount"] = money.Amount{Minor: st.Minor, Currency: p.Currency}
	}
	return item
}

func (s *fake) listConversions(w http.ResponseWriter, r *http.Request) {
	var items []any
	for _, st := range s.oracle.books.booked {
		if item := s.conversion(&st); item["program_id"] == r.FormValue("program_id") {
			items = append(items, item)
		}
	}
	s.replyList(w, items)
}

func (s *fake) listConflicts(w http.ResponseWriter, _ *http.Request) {
	var items []any
	for st := range s.oracle.books.conflicts {
		if !s.faults.hideConflict {
			items = append(items, s.conversion(&st))
		}
	}
	s.replyList(w, items)
}

func (s *fake) listCommissions(w http.ResponseWriter, r *http.Request) {
	var items []any
	for _, ord := range s.oracle.books.orders {
		id := s.oracle.world.Affiliates[s.oracle.world.Links[ord.visit.Link].Affiliate].ID
		if ord.commission == 0 || id != r.FormValue("affiliate_id") {
			continue
		}
		state := "pending"
		if ord.closed {
			state = "reversed"
		}
		items = append(items, map[string]any{"affiliate_id": id, "state": state,
			"amount":   money.Amount{Minor: ord.commission, Currency: ord.program.Currency},
			"reversed": money.Amount{Minor: ord.reversed, Currency: ord.program.Currency}})
	}
	s.replyList(w, items)
}

func (s *fake) listBalances(w http.ResponseWriter, r *http.Request) {
	var items []any
	net, _, _ := s.oracle.commissions()
	for key, minor := range net {
		if s.oracle.world.Affiliates[key.Affiliate].ID != r.FormValue("affiliate_id") {
			continue
		}
		if s.faults.payTooMuch && len(items) == 0 {
			minor++
		}
		items = append(items, map[string]any{"kind": "pending", "amount": money.Amount{Minor: minor, Currency: key.Currency}})
	}
	s.replyList(w, items)
}

func (s *fake) metrics(w http.ResponseWriter, _ *http.Request) {
	delivered := len(s.oracle.visits)
	if s.faults.leak {
		delivered--
	}
	fmt.Fprintf(w, `# HELP edgeref_spool_appended_records_total x
edgeref_tracker_clicks_received_total %[1]d
edgeref_tracker_clicks_recorded_total %[1]d
edgeref_spool_appended_records_total{spool="clicks"} %[1]d
edgeref_spool_delivered_records_total{spool="clicks"} %[2]d
edgeref_spool_pending_records{spool="clicks"} 0
`, len(s.oracle.visits), delivered)
}
