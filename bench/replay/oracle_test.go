package replay

import (
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/edgeref/edgeref/wire/agent"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/report"
)

const (
	firefox   = "Mozilla/5.0 (Windows NT 6.1; rv:11.0) Gecko/20100101 Firefox/11.0"
	googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)

// small is a world of two links in two programs, by two affiliates.
func small() *world {
	w := &world{Run: "t", Programs: programs()[:2]}
	for i := range w.Programs {
		w.Programs[i].ID = ident.Format(ident.Program, int64(10+i))
	}
	for i := range 2 {
		w.Affiliates = append(w.Affiliates, affiliate{ID: ident.Format(ident.Affiliate, int64(20+i))})
		w.Links = append(w.Links, replayLink{Key: string(rune('a' + i)), ID: ident.Format(ident.Link, int64(30+i)), Affiliate: i, Program: i})
	}
	w.reindex()
	return w
}

func smallOracle(t *testing.T) *oracle {
	t.Helper()
	agents, err := agent.New(0)
	if err != nil {
		t.Fatal(err)
	}
	return newOracle(small(), agents)
}

// at makes a Click ID of a time; only its time matters here.
func at(t *testing.T, w *world, link int, text string) click.ID {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	return keys.Mint(when, 7, int64(30+link), int64(20+w.Links[link].Affiliate))
}

func sent(line, link int, addr, userAgent, referrer, country string) *request {
	return &request{Line: line, Link: link, Method: "GET", Addr: netip.MustParseAddr(addr), UserAgent: userAgent,
		Referrer: referrer, Country: country, Params: url.Values{"gclid": {"t-" + string(rune('0'+line))}}}
}

// visitSix adds six clicks: two by one visitor on one UTC day, the same visitor after midnight UTC, a crawler, a client
// without User-Agent, and another visitor by HEAD.
func visitSix(t *testing.T, o *oracle) []*visit {
	head := sent(6, 1, "2001:db8::5", firefox, "", "DE")
	head.Method = "HEAD"
	list := []struct {
		r    *request
		when string
	}{
		{sent(1, 0, "192.0.2.1", firefox, "http://Search.example:8080/find?q=x", "IN"), "2026-03-01T10:15:00Z"},
		{sent(2, 1, "192.0.2.1", firefox, "http://search.example/find", "IN"), "2026-03-01T19:00:00Z"},
		{sent(3, 0, "192.0.2.1", firefox, "", "IN"), "2026-03-02T00:30:00Z"},
		{sent(4, 0, "192.0.2.77", googlebot, "", "US"), "2026-03-01T10:59:59Z"},
		{sent(5, 0, "192.0.2.78", "", "", "US"), "2026-03-01T11:00:00Z"},
		{head, "2026-03-01T11:30:00Z"},
	}
	var visits []*visit
	for _, l := range list {
		visits = append(visits, o.addClick(l.r, at(t, o.world, l.r.Link, l.when)))
	}
	return visits
}

func figures(t *testing.T, o *oracle, q query) map[string]report.Figures {
	t.Helper()
	got := map[string]report.Figures{}
	a := o.answer(&q)
	for c, f := range a.Rows {
		key := c.Key
		if q.Bucket != report.Whole {
			key = c.label(&q)
		}
		got[key] = f.Figures
	}
	got["TOTAL"] = a.Total.Figures
	if a.Other != nil {
		got["OTHER"] = a.Other.Figures
	}
	return got
}

func TestOracleClicks(t *testing.T) {
	o := smallOracle(t)
	visitSix(t, o)
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Skip(err)
	}
	total := report.Figures{Clicks: 6, Bots: 3, Uniques: 2}
	tests := []struct {
		name string
		q    query
		want map[string]report.Figures
	}{
		{"total", query{}, map[string]report.Figures{"": total}},
		{"day UTC", query{Bucket: report.Day, Zone: time.UTC}, map[string]report.Figures{
			`2026-03-01 00:00 UTC, all`: {Clicks: 5, Bots: 3, Uniques: 1},
			`2026-03-02 00:00 UTC, all`: {Clicks: 1, Uniques: 1},
		}},
		// 19:00 UTC is after midnight there: one visitor on two UTC days counts twice in one local day.
		{"day Kolkata", query{Bucket: report.Day, Zone: kolkata}, map[string]report.Figures{
			`2026-03-01 00:00 IST, all`: {Clicks: 4, Bots: 3, Uniques: 1},
			`2026-03-02 00:00 IST, all`: {Clicks: 2, Uniques: 2},
		}},
		{"hour Kolkata", query{Bucket: report.Hour, Zone: kolkata, Filters: []filter{{report.Bot, []string{""}, true}}}, map[string]report.Figures{
			`2026-03-01 16:00 IST, all`: {Clicks: 2, Bots: 2},
			`2026-03-01 17:00 IST, all`: {Clicks: 1, Bots: 1},
			"TOTAL":                     {Clicks: 3, Bots: 3},
		}},
		{"bot", query{Group: report.Bot}, map[string]report.Figures{
			"": {Clicks: 3, Uniques: 2}, "crawler": {Clicks: 1, Bots: 1}, "no_user_agent": {Clicks: 1, Bots: 1}, "head": {Clicks: 1, Bots: 1},
		}},
		{"referrer host", query{Group: report.ReferrerHost}, map[string]report.Figures{
			"search.example": {Clicks: 2, Uniques: 1}, "": {Clicks: 4, Bots: 3, Uniques: 1},
		}},
		{"network", query{Group: report.Network}, map[string]report.Figures{
			"192.0.2.0/24": {Clicks: 5, Bots: 2, Uniques: 2}, "2001:db8::/48": {Clicks: 1, Bots: 1},
		}},
		{"top 1 country", query{Group: report.Country, Limit: 1}, map[string]report.Figures{
			"IN": {Clicks: 3, Uniques: 2}, "OTHER": {Clicks: 3, Bots: 3},
		}},
		{"affiliate", query{Affiliate: ident.Format(ident.Affiliate, 21)}, map[string]report.Figures{
			"": {Clicks: 2, Bots: 1, Uniques: 1}, "TOTAL": {Clicks: 2, Bots: 1, Uniques: 1},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, own := tt.want["TOTAL"]; !own {
				tt.want["TOTAL"] = total
			}
			if diff := cmp.Diff(tt.want, figures(t, o, tt.q)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Amounts are computed by hand: affiliate 1 has 80 % in the first program, affiliate 2 33.33 % in yen.
func TestOracleMoney(t *testing.T) {
	o := smallOracle(t)
	v := visitSix(t, o)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	add := func(v *visit, steps ...step) {
		for _, s := range steps {
			s.Line = v.Line
			o.addStep(v, s, now)
		}
	}
	add(v[0],
		step{Type: conversion.Sale, Txn: "s1", Minor: 149_999}, // 80 %: 119,999.2 -> 119,999
		step{Type: conversion.Sale, Txn: "s1", Minor: 149_999}, // again
		step{Type: conversion.Sale, Txn: "s1", Minor: 150_000}, // conflict
		step{Type: conversion.Sale, Txn: "s1", Minor: 150_000}, // the same conflict
		step{Type: conversion.Refund, Txn: "r1", Ref: "s1", Minor: 50_000},
	) // 80 % of 50,000 = 40,000 taken back
	add(v[1],
		step{Type: conversion.Refund, Txn: "r2", Ref: "s2", Minor: 100}, // before its sale
		step{Type: conversion.Sale, Txn: "s2", Minor: 1_001},            // 33.33 %: 333.63 -> 334
		step{Type: conversion.Refund, Txn: "r3", Ref: "s2"},             // all that is left: 901
	)
	add(v[2], step{Type: conversion.Lead, Txn: "l1"}) // flat 2,550
	add(v[3], step{Type: conversion.Lead, Txn: "l2"}, step{Type: conversion.Rejected, Txn: "x", Ref: "l2"})

	want := map[string]report.Figures{
		ident.Format(ident.Program, 10): {Clicks: 4, Bots: 2, Uniques: 2, Leads: 1, Sales: 1, Refunds: 1,
			Money: []report.Money{{Currency: "INR", Revenue: 99_999, Commission: 119_999 - 40_000 + 2_550}}},
		ident.Format(ident.Program, 11): {Clicks: 2, Bots: 1, Uniques: 1, Sales: 1, Refunds: 2},
		"TOTAL": {Clicks: 6, Bots: 3, Uniques: 2, Leads: 1, Sales: 2, Refunds: 3,
			Money: []report.Money{{Currency: "INR", Revenue: 99_999, Commission: 119_999 - 40_000 + 2_550}}},
	}
	if diff := cmp.Diff(want, figures(t, o, query{Group: report.Program})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	net, count, reversed := o.commissions()
	if diff := cmp.Diff(map[earned]int64{{0, "INR"}: 82_549, {1, "JPY"}: 0}, net); diff != "" || count != 4 || reversed != 2 {
		t.Errorf("%d commissions, %d reversed (-want +got)\n%s", count, reversed, diff)
	}
	if len(o.books.conflicts) != 1 || len(o.books.booked) != 8 {
		t.Errorf("%d conflicts, %d booked; want 1 and 8", len(o.books.conflicts), len(o.books.booked))
	}
}

func TestRecord(t *testing.T) {
	o := smallOracle(t)
	r := sent(1, 0, "192.0.2.1", firefox, "https://user@Ho\xe4st.example:81/p\xffa?q#f", "IN")
	r.Languages, r.Prefetch = "hi-IN,hi;q=0.9,en;q=0.8", "Purpose"
	r.Params.Set("sub1", "s1")
	r.Params.Set("utm_source", "a&b=c")
	want := click.Record{Sub: [5]string{"s1"}, GCLID: "t-1", UTMSource: "a&b=c", ReferrerHost: "ho?st.example", ReferrerPath: "/p?a",
		Browser: "Firefox", OS: "Windows", Device: agent.Desktop, Country: "IN", Language: "hi", Network: "192.0.2.0/24", Bot: click.BotPrefetch}
	if diff := cmp.Diff(want, o.record(r), cmpopts.EquateComparable(click.ID{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestReferrer(t *testing.T) {
	for in, want := range map[string][2]string{
		"":                             {"", ""},
		"/relative":                    {"", ""},
		"http://":                      {"", ""},
		"http://e.com":                 {"e.com", ""},
		"http://e.com?q":               {"e.com", ""},
		"HTTP://E.com:80/A/b?c=/d#e":   {"e.com", "/A/b"},
		"http://[2001:db8::1]:81/x":    {"[2001:db8::1]", "/x"},
		"android-app://com.google.app": {"com.google.app", ""},
	} {
		if host, path := referrer(in); [2]string{host, path} != want {
			t.Errorf("%q: got %q, %q, want %q", in, host, path, want)
		}
	}
}

// The plan of a line never changes, and every kind of conversion comes up in 10,000 lines.
func TestPlan(t *testing.T) {
	w := small()
	kinds := map[string]int{}
	converting := 0
	for n := 1; n <= 10_000; n++ {
		steps := w.steps(n, n%2, DefaultConvert)
		if diff := cmp.Diff(steps, w.steps(n, n%2, DefaultConvert)); diff != "" {
			t.Fatal(diff)
		}
		kind := ""
		for _, s := range steps {
			kind += string(s.Type) + " "
			if s.Pixel {
				kind += "by pixel "
			}
		}
		kinds[kind]++
		if len(steps) > 0 {
			converting++
		}
	}
	if converting < 400 || converting > 600 {
		t.Errorf("%d of 10,000 lines convert, want about 500", converting)
	}
	for _, kind := range []string{"sale ", "lead ", "lead sale ", "sale sale ", "lead lead ", "sale sale sale ", "sale refund ",
		"sale refund refund ", "refund sale ", "lead rejected ", "sale rejected ", "lead by pixel "} {
		if kinds[kind] == 0 {
			t.Errorf("no line is of the kind %q", kind)
		}
	}
}
