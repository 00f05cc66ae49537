package trial

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeref/edgeref/bench/load"
	"github.com/edgeref/edgeref/bench/system"
	"github.com/edgeref/edgeref/wire/conversion"
)

// shaken is the evidence of a run through faults in which everything is as it must be: of five requests to links without
// an answer two found nobody, and one was answered 502; a refund, a sale and a lead were never acknowledged, and nobody was
// reached with the lead.
func shaken(t *testing.T) *evidence {
	e := sound()
	e.faults = true
	e.links.Scheduled, e.links.Answered, e.links.Failed, e.links.Unreached = 109, 102, 5, 2
	e.tally.other[502] = 1
	id := testID(t, 1)
	e.converter.open = map[uint64]*openEvent{
		1: {event: event{n: 1, kind: conversion.Sale, minor: 800, click: id}, maybe: true},
		2: {event: event{n: 2, kind: conversion.Refund, minor: 400, click: id}, maybe: true},
		3: {event: event{n: 3, kind: conversion.Lead, click: id}},
	}
	e.converter.unsure = 2
	return e
}

// Through faults an equation has bounds: what was answered at least, and at most what may have been served beside it.
func TestEquationsThroughFaults(t *testing.T) {
	type change = func(*evidence)
	money := func(e *evidence, revenue, commission int64) {
		e.report.Money[0].Revenue += revenue
		e.report.Money[0].Commission += commission
	}
	for name, c := range map[string]struct {
		change change
		found  string // "": it holds
	}{
		"nothing of it was served":    {func(*evidence) {}, ""},
		"all that may have been":      {func(e *evidence) { e.report.Clicks += 4; e.listed = append(e.listed, lists(6, 7, 8, 9)...) }, ""},
		"a request that found nobody": {func(e *evidence) { e.report.Clicks += 5 }, "clicks in the reports"},
		"and in the list":             {func(e *evidence) { e.listed = append(e.listed, lists(5, 6, 7, 8, 9)...) }, "nobody was told of"},
		"an answered click lost":      {func(e *evidence) { e.report.Clicks-- }, "clicks in the reports"},
		"an answered click lost among others": {func(e *evidence) { e.report.Clicks += 3; e.listed = lists(1, 2, 6, 7, 8, 9) },
			"without a click in the list"},
		"a click doubled":                     {func(e *evidence) { e.listed = append(e.listed, lists(3)...) }, "listed twice"},
		"5xx where no faults are":             {func(e *evidence) { e.faults = false; e.report.Clicks += 4; e.links.Unreached = 3 }, "clicks in the reports"},
		"the sale was booked":                 {func(e *evidence) { e.report.Sales++; money(e, 800, 600); e.found.booked[1] = 1 }, ""},
		"the refund was booked":               {func(e *evidence) { e.report.Refunds++; money(e, -400, -300); e.found.booked[2] = 1 }, ""},
		"both":                                {func(e *evidence) { e.report.Sales++; e.report.Refunds++; money(e, 400, 300) }, ""},
		"the sale was booked twice":           {func(e *evidence) { e.report.Sales += 2 }, "sales acknowledged"},
		"more money than the sale's":          {func(e *evidence) { money(e, 801, 0) }, "revenue acknowledged"},
		"less money than the refund's":        {func(e *evidence) { money(e, -401, 0) }, "revenue acknowledged"},
		"more commission than the sale's":     {func(e *evidence) { money(e, 0, 601) }, "commission reckoned"},
		"less commission than the refund's":   {func(e *evidence) { money(e, 0, -301) }, "commission reckoned"},
		"a lead that reached nobody":          {func(e *evidence) { e.report.Leads++ }, "leads acknowledged"},
		"and in the list of conversions":      {func(e *evidence) { e.found.booked[3] = 1 }, "never sent"},
		"an acknowledged sale lost":           {func(e *evidence) { delete(e.found.booked, 4); e.found.booked[1] = 1 }, "not booked in the list"},
		"a booking told as a duplicate":       {func(e *evidence) { e.after.outcomes["booked"]--; e.after.outcomes["duplicate"]++ }, ""},
		"a booking told as a conflict":        {func(e *evidence) { e.after.outcomes["conflict"]++ }, "conflicts and refusals"},
		"more postbacks taken than were sent": {func(e *evidence) { e.after.accepted += 3 }, "accepted by the trackers"},
		"nothing was answered at all":         {func(e *evidence) { e.tally.tracked = 0 }, "something was answered"},
		"the counters of a new process":       {func(e *evidence) { e.after = totals{starts: map[string]float64{"http://ops": 8}} }, ""},
		"a loss behind a new process":         {func(e *evidence) { e.after = totals{}; e.listed = lists(1, 2) }, "without a click in the list"},
	} {
		e := shaken(t)
		c.change(e)
		names := strings.Join(broken(e.checks()), "\n")
		if c.found == "" && names != "" || !strings.Contains(names, c.found) {
			t.Errorf("%s: broken: %q; want %q", name, names, c.found)
		}
	}
}

// Each second has what became of its own clicks and conversions, and seconds with failures make outages.
func TestFaultsBySecond(t *testing.T) {
	began := time.Unix(100, 0)
	tl := newTimeline()
	e := sound()
	for _, l := range lists(1, 2, 3) { // of seconds 101, 102, 103
		tl.at(l.unix, func(m *Moment) { m.Clicks++; m.Answered++ })
	}
	for _, a := range e.converter.acks {
		tl.at(a.unix, func(m *Moment) { m.Conversions++ })
	}
	for unix, cause := range map[int64]string{102: "links: refused", 103: "links: reset", 105: "reports: answered 503", 108: "links: refused"} {
		tl.at(unix, func(m *Moment) { m.Unanswered = map[string]int64{cause: unix} })
	}
	tl.at(108, func(m *Moment) { m.Answered++ })
	e.listed = lists(1, 2, 2, 4)
	e.found.booked = map[uint64]int{4: 1, 8: 3}
	e.account(tl)
	f := tl.faults(began, began.Add(10*time.Second))
	want := &Faults{
		Unanswered: 102 + 103 + 105 + 108, Causes: map[string]int64{"links: refused": 102 + 108, "links: reset": 103, "reports: answered 503": 105},
		Outages: []Outage{
			{From: 2, Seconds: 4, Silent: 2, Unanswered: 310, Causes: map[string]int64{"links: refused": 102, "links: reset": 103, "reports: answered 503": 105}},
			{From: 8, Seconds: 1, Unanswered: 108, Causes: map[string]int64{"links: refused": 108}},
		},
		Seconds: []Moment{
			{Unix: 100, Conversions: 2, ConversionsBooked: 1, ConversionsLost: 1},
			{Unix: 101, Answered: 1, Clicks: 1, ClicksStored: 1, Conversions: 1, ConversionsBooked: 1, ConversionsDoubled: 2},
			{Unix: 102, Answered: 1, Clicks: 1, ClicksStored: 1, ClicksDoubled: 1, Unanswered: map[string]int64{"links: refused": 102}},
			{Unix: 103, Answered: 1, Clicks: 1, ClicksLost: 1, Unanswered: map[string]int64{"links: reset": 103}},
			{Unix: 104, ClicksStored: 1},
			{Unix: 105, Unanswered: map[string]int64{"reports: answered 503": 105}},
			{Unix: 108, Answered: 1, Unanswered: map[string]int64{"links: refused": 108}},
		},
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if text := f.table().Rows; len(text) != 2 || !strings.Contains(text[0][4], "103 links: reset; 105 reports: answered 503") {
		t.Errorf("%q", text)
	}
	var none *timeline
	none.unanswered("links", "x") // counts nothing
}

// trackerOf is a tracker that answers postbacks as told, by how often it has seen the transaction.
func trackerOf(t *testing.T, answer func(w http.ResponseWriter, txn string, times int)) (addr string, seen func() map[string][]string) {
	t.Helper()
	var mu sync.Mutex
	all := map[string][]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		txn := r.URL.Query().Get("txid")
		all[txn] = append(all[txn], r.RequestURI+" "+r.Header.Get("Authorization"))
		times := len(all[txn])
		mu.Unlock()
		answer(w, txn, times)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), func() map[string][]string { mu.Lock(); defer mu.Unlock(); return all }
}

// What is not acknowledged is sent again, the same with the same transaction, until it is.
func TestPostbacksAreSentAgain(t *testing.T) {
	v := testVisitors(t, 10)
	c := newConverter("go.example", v.world, newTally(v))
	c.patient, c.each, c.timeline = true, true, newTimeline()
	c.tally.take(0, redirected("https://x/?click_id="+testID(t, 1).String()))
	const n = 40
	addr, seen := trackerOf(t, func(w http.ResponseWriter, txn string, times int) {
		switch {
		case times == 1 && strings.HasSuffix(txn, "1"):
			panic(http.ErrAbortHandler)
		case times == 1 && strings.HasSuffix(txn, "2"):
			w.WriteHeader(http.StatusServiceUnavailable)
		case strings.HasSuffix(txn, "-13"):
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	want := map[string]string{}
	for i := range uint64(n) {
		raw := c.request(nil, i)
		e := c.pending[i]
		if e.duplicate {
			t.Fatal("a duplicate before anything was acknowledged")
		}
		want[e.txn], _, _ = strings.Cut(strings.TrimPrefix(string(raw), "GET "), " ")
		if i%2 == 0 {
			c.take(load.Answer{N: i, Status: 503})
		} else {
			c.failed(load.Failure{N: i, Why: "reset", Sent: i%4 == 1})
		}
	}
	more, _ := c.maybe()
	if len(c.open) != n || more.Leads+more.Sales != n*3/4 || c.unsure != n*3/4 {
		t.Fatalf("%d open, maybe booked %v, unsure %d", len(c.open), more, c.unsure)
	}
	loaded := make(chan struct{})
	close(loaded)
	if err := c.resend(t.Context(), loaded, addr, time.Minute); err != nil {
		t.Fatal(err)
	}
	if len(c.open) != 1 || !c.open[13].given || c.refused[401] != 1 || c.late != n-1 || c.acknowledged() != n-1 || len(c.acks) != n-1 {
		t.Errorf("%d open, refused %v, %d late, %d acknowledged; want all but number 13", len(c.open), c.refused, c.late, c.acknowledged())
	}
	again := int64(0)
	for txn, requests := range seen() {
		again += int64(len(requests))
		for _, r := range requests {
			if r != want[txn]+" Bearer s3cret" {
				t.Errorf("sent again with other input: %s; want %s", r, want[txn])
			}
		}
	}
	if again != c.resent || again < n+7 {
		t.Errorf("%d attempts arrived, %d were counted", again, c.resent)
	}
	moments := c.timeline.faults(time.Now(), time.Now())
	if moments.Causes["postbacks: reset"] != n/2 || moments.Causes["postbacks: sent again, closed by the server before its answer"] != 4 || moments.Causes["postbacks: answered 503"] != n/2+4 {
		t.Errorf("%v", moments.Causes)
	}
}

// Patience ends. What never reached a tracker cannot be booked, what may have is told apart.
func TestPatienceEnds(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	v := testVisitors(t, 10)
	c := newConverter("go.example", v.world, newTally(v))
	c.patient, c.timeline = true, newTimeline()
	for i := range uint64(2) {
		c.request(nil, i)
		c.failed(load.Failure{N: i, Why: "x", Sent: i == 1})
	}
	loaded := make(chan struct{})
	close(loaded)
	if err := c.resend(t.Context(), loaded, addr, 2*resendFirst); err != nil {
		t.Fatal(err)
	}
	if len(c.open) != 2 || c.open[0].maybe || !c.open[1].maybe || c.resent == 0 || c.late != 0 {
		t.Errorf("%+v; want both open, the second perhaps booked", c.open)
	}
	if d := []time.Duration{delay(0), delay(1), delay(2), delay(3), delay(50)}; !slices.Equal(d, []time.Duration{resendFirst, resendFirst, 2 * resendFirst, 4 * resendFirst, resendLongest}) {
		t.Errorf("delays %v", d)
	}
}

// Through faults, only what a server that is there gets wrong is an error.
func TestErrorsThroughFaults(t *testing.T) {
	d := &driven{
		links:     load.Result{Failed: 3, Unsent: 2, Failures: map[string]uint64{"reset": 3}},
		postbacks: &load.Result{Failed: 1, Unsent: 1, Failures: map[string]uint64{"reset": 1}},
		converter: &converter{refused: map[int]int64{401: 1}}, reader: &reader{failed: 1, why: "404", absent: 4},
	}
	tl := &tally{bare: 1, other: map[int]int64{404: 1, 503: 5}}
	if n, notes := d.errors(tl, false, true); n != 4 {
		t.Errorf("%d errors: %q; want the click without a record, both refusals and the report", n, notes)
	}
	if n, notes := d.errors(tl, false, false); n != 3+2+1+1+4+5 {
		t.Errorf("%d errors: %q; want all", n, notes)
	}
}

// A reader tells servers that are away from those that answer wrongly.
func TestReaderThroughFaults(t *testing.T) {
	r := newReader(nil, nil, 1)
	r.timeline = newTimeline()
	r.fail(&net.OpError{Op: "dial", Err: errors.New("no route")})
	r.fail(errCrowded)
	r.fail(errors.New("nonsense"))
	if r.absent != 2 || r.failed != 1 || r.asked != 3 {
		t.Errorf("%d absent, %d failed of %d", r.absent, r.failed, r.asked)
	}
	r = newReader(nil, nil, 1)
	r.fail(errCrowded)
	if r.absent != 0 || r.failed != 1 {
		t.Errorf("without faults: %d absent, %d failed", r.absent, r.failed)
	}
}

// Reads wait for servers that are away, and for nothing else.
func TestPatience(t *testing.T) {
	tries := 0
	answers := []int{500, 503, 200}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(answers[min(tries, len(answers)-1)])
		tries++
		w.Write([]byte("edgeref_spool_pending_records 3\n"))
	}))
	defer server.Close()
	o := Options{Tracker: server.URL, Core: server.URL, Ops: []string{server.URL}, Token: "t", ThroughFaults: true}
	r := &rig{Options: o, api: system.NewClient(o.Core, o.Token)}
	read := func(deadline time.Time) (n float64, err error) {
		err = r.patiently(t.Context(), deadline, func() (err error) { n, err = r.pending(t.Context()); return err })
		return n, err
	}
	if n, err := read(time.Now().Add(time.Minute)); n != 3 || err != nil || tries != 3 {
		t.Errorf("%v pending, %v after %d tries", n, err, tries)
	}
	tries = 0
	if _, err := read(time.Now()); err == nil || tries != 1 {
		t.Errorf("%v after %d tries; want one, for the time is over", err, tries)
	}
	r.ThroughFaults, tries = false, 0
	if _, err := read(time.Now().Add(time.Minute)); err == nil || tries != 1 {
		t.Errorf("%v after %d tries; want one", err, tries)
	}
	answers, tries = []int{429, 200}, 0
	if n, err := read(time.Now().Add(time.Minute)); n != 3 || err != nil || tries != 2 {
		t.Errorf("%v pending, %v after %d tries; want two, for the first was one too many", n, err, tries)
	}
	answers, tries, r.ThroughFaults = []int{404}, 0, true
	if _, err := read(time.Now().Add(time.Minute)); err == nil || tries != 1 {
		t.Errorf("%v after %d tries; want one, for that is an answer", err, tries)
	}
	for _, run := range []func() error{
		func() error { _, err := FindMax(t.Context(), o, Search{Start: 1, Step: time.Second}); return err },
		func() error {
			_, err := Reports(t.Context(), o, History{Rows: 1, Days: 1, Sizes: 1, Repeat: 1, EdgeToken: "t"})
			return err
		},
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), "--through-faults") {
			t.Errorf("%v; want a refusal of --through-faults", err)
		}
	}
}
