package convert

import (
	"bytes"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

func TestPostbackRecords(t *testing.T) {
	inr := func(minor int64) *money.Amount { return &money.Amount{Minor: minor, Currency: "INR"} }
	for _, tt := range []struct {
		name  string
		pairs []string
		want  conversion.Event
	}{
		{"sale by amount", []string{"txid", "o1", "amount", "1499.50"}, conversion.Event{Type: conversion.Sale, TxnID: "o1", Amount: inr(149950)}},
		{"lead without amount", []string{"transaction_id", "o1", "event", "signup"}, conversion.Event{Type: conversion.Lead, TxnID: "o1", Name: "signup"}},
		{"currency", []string{"order_id", "o1", "amount", "12", "currency", "usd", "status", "SALE"},
			conversion.Event{Type: conversion.Sale, TxnID: "o1", Amount: &money.Amount{Minor: 1200, Currency: "USD"}}},
		{"refund", []string{"txid", "r1", "sale_txid", "o1", "amount", "1", "status", "Refund"}, conversion.Event{Type: conversion.Refund, TxnID: "r1", RefTxnID: "o1", Amount: inr(100)}},
		{"whole refund", []string{"txid", "o1", "status", "refund"}, conversion.Event{Type: conversion.Refund, TxnID: "o1"}},
		{"rejection", []string{"txid", "o1", "status", "rejected", "ref_transaction_id", "o0"}, conversion.Event{Type: conversion.Rejected, TxnID: "o1", RefTxnID: "o0"}},
		{"empty parameters are absent", []string{"txid", "o1", "amount", "", "status", "", "currency", "", "program", ""}, conversion.Event{Type: conversion.Lead, TxnID: "o1"}},
		{"the same twice", []string{"txid", "o1", "txid", "o1", "order_id", "o1"}, conversion.Event{Type: conversion.Lead, TxnID: "o1"}},
		{"unknown parameters", []string{"txid", "o1", "x", "1", "x", "2"}, conversion.Event{Type: conversion.Lead, TxnID: "o1"}},
	} {
		for _, alias := range fieldClickID() {
			f := newFixture(t)
			if got := f.send(t, append(tt.pairs, alias, f.clickID)...); got != "accepted" {
				t.Errorf("%s: %s", tt.name, got)
				continue
			}
			want := tt.want
			want.ProgramID, want.Channel, want.ReceivedAt, want.Node = programID, conversion.Postback, noon.UnixMilli(), 7
			want.ClickID, _ = click.ParseID(f.clickID)
			if got := f.last(t); !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, want)
			}
		}
	}
}

func TestPostbackRefuses(t *testing.T) {
	f := newFixture(t)
	stranger, err := click.NewKeyring(click.Key{ID: 9, Secret: bytes.Repeat([]byte{9}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	other := byte('A')
	if f.clickID[20] == other {
		other = 'B'
	}
	forged := f.clickID[:20] + string(other) + f.clickID[21:]
	cid := func(pairs ...string) []string { return append([]string{"click_id", f.clickID}, pairs...) }
	long := strings.Repeat("x", conversion.MaxText+1)
	for _, tt := range []struct {
		pairs []string
		want  string
	}{
		{cid("txid", "a", "secret", "wrong"), codeSecretWrong},
		{[]string{"program", programText(99), "txid", "a"}, codeSecretWrong},
		{[]string{"program", programText(otherProgram), "txid", "a"}, codeSecretWrong},
		{cid("txid", "a", "program", programText(otherProgram)), codeProgramMismatch},
		{[]string{"txid", "a"}, codeProgramMissing},
		{[]string{"program", "33", "txid", "a"}, codeProgramMalformed},
		{[]string{"click_id", "x", "txid", "a"}, codeClickIDMalformed},
		{[]string{"click_id", f.clickID + "x", "txid", "a"}, codeClickIDMalformed},
		{[]string{"click_id", "{click_id}", "txid", "a"}, codeClickIDMalformed},
		{[]string{"click_id", forged, "txid", "a"}, codeClickIDForged},
		{[]string{"click_id", stranger.Mint(noon, 1, linkID, affiliateID).String(), "txid", "a"}, codeClickIDKeyUnknown},
		{cid("cid", f.clickID[:59]+"-", "txid", "a"), codeParameterRepeated},
		{cid("txid", "a", "order_id", "b"), codeParameterRepeated},
		{cid("txid", "a", "amount", "1", "amount", "2"), codeParameterRepeated},
		{cid("txid", "a", "secret", secret, "secret", "wrong"), codeParameterRepeated},
		{cid(), codeTxidMissing},
		{cid("txid", long), codeTxidInvalid},
		{cid("txid", "a\x00"), codeTxidInvalid},
		{cid("txid", "a\xff"), codeParameterMalformed},
		{cid("txid", "a", "status", "refund", "ref_txid", long), codeRefTxidInvalid},
		{cid("txid", "a", "ref_txid", "b"), codeRefTxidUnexpected},
		{cid("txid", "a", "event", "a\nb"), codeEventInvalid},
		{cid("txid", "a", "customer", "a\nb"), codeCustomerInvalid},
		{cid("txid", "a", "coupon", "a\nb"), codeCustomerInvalid},
		{cid("txid", "a", "status", "paid"), codeStatusUnknown},
		{cid("txid", "a", "status", "sale"), codeAmountMissing},
		{cid("txid", "a", "status", "lead", "amount", "1"), codeAmountUnexpected},
		{cid("txid", "a", "status", "rejected", "amount", "1"), codeAmountUnexpected},
		{cid("txid", "a", "status", "refund", "amount", "0.00"), codeAmountOutOfRange},
		{cid("txid", "a", "amount", "1.001"), codeAmountPrecision},
		{cid("txid", "a", "amount", "1.5", "currency", "JPY"), codeAmountPrecision},
		{cid("txid", "a", "amount", "-1"), codeAmountNegative},
		{cid("txid", "a", "amount", "1e3"), codeAmountMalformed},
		{cid("txid", "a", "amount", "1,50"), codeAmountMalformed},
		{cid("txid", "a", "amount", "NaN"), codeAmountMalformed},
		{cid("txid", "a", "amount", "10000000000000.01"), codeAmountOutOfRange},
		{cid("txid", "a", "amount", strings.Repeat("9", 5000)), codeAmountOutOfRange},
		{cid("txid", "a", "amount", "1", "currency", "ZZZ"), codeCurrencyUnknown},
		{cid("txid", "a", "currency", "RUPEE"), codeCurrencyUnknown},
	} {
		if got := f.send(t, tt.pairs...); got != tt.want {
			t.Errorf("%q: %s; want %s", tt.pairs, got, tt.want)
		}
	}
	f.memory.program.Currency = ""
	if got := f.send(t, cid("txid", "a", "amount", "1")...); got != codeCurrencyMissing {
		t.Errorf("without a currency: %s", got)
	}
	if len(f.memory.events) != 0 {
		t.Errorf("recorded: %+v", f.memory.events)
	}
}

func TestUnknownProgramLooksLikeAWrongSecret(t *testing.T) {
	f := newFixture(t)
	answer := func(program int64) string {
		ctx := request("GET", "/postback?"+query("program", programText(program), "txid", "a", "secret", "wrong"))
		f.Postback(ctx)
		return ctx.Response.String()
	}
	if a, b := answer(programID), answer(99); a != b {
		t.Errorf("a program that exists:\n%s\none that does not:\n%s", a, b)
	}
}

func TestCredentials(t *testing.T) {
	f := newFixture(t)
	uri := "/postback?" + query("click_id", f.clickID, "txid", "a")
	for _, tt := range []struct{ name, uri, header, want string }{
		{"none", uri, "X: y", codeCredentialsMissing},
		{"bearer", uri, "Authorization: Bearer " + secret, "accepted"},
		{"bearer in lower case", uri, "Authorization: bearer " + secret, "accepted"},
		{"previous secret", uri, "Authorization: Bearer " + oldSecret, "accepted"},
		{"wrong bearer", uri, "Authorization: Bearer x", codeSecretWrong},
		{"empty bearer", uri, "Authorization: Bearer ", codeCredentialsMissing},
		{"basic", uri, "Authorization: Basic eDp5", codeCredentialsMissing},
		{"bearer before secret", uri + "&secret=x", "Authorization: Bearer " + secret, "accepted"},
	} {
		ctx := request("GET", tt.uri, tt.header)
		if got := f.check(t, ctx, f.Postback(ctx), conversion.Postback); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
	f.memory.program.PostbackSecrets = []string{""}
	ctx := request("GET", uri, "Authorization: Bearer x")
	if got := f.check(t, ctx, f.Postback(ctx), conversion.Postback); got != codeSecretWrong {
		t.Errorf("a program without a secret: %s", got)
	}
}

func TestUnavailable(t *testing.T) {
	for name, spoil := range map[string]func(*fixture){
		codeProgramUnavailable: func(f *fixture) { f.memory.stale = true },
		codeNotRecorded:        func(f *fixture) { f.memory.refuse = errDisk },
	} {
		f := newFixture(t)
		spoil(f)
		ctx := request("GET", "/postback?"+query("click_id", f.clickID, "txid", "a", "secret", secret))
		if got := f.check(t, ctx, f.Postback(ctx), conversion.Postback); got != name || ctx.Response.StatusCode() != 503 || string(ctx.Response.Header.Peek("Retry-After")) != "5" {
			t.Errorf("%s: %s, %s", name, got, ctx.Response.Header.String())
		}
	}
	f := newFixture(t)
	f.memory.stale = true
	if got := f.send(t, "program", programText(programID), "txid", "a"); got != codeProgramUnavailable {
		t.Errorf("a program that may exist: %s", got)
	}
	// The link of a genuine Click ID exists somewhere, so the sender is asked to come again.
	f = newFixture(t)
	if got := f.send(t, "click_id", f.Keys.Mint(noon, 1, 999, 1).String(), "txid", "a"); got != codeProgramUnavailable {
		t.Errorf("a link that is not known yet: %s", got)
	}
}

func TestMethods(t *testing.T) {
	f := newFixture(t)
	for _, method := range []string{"HEAD", "PUT", "DELETE", "OPTIONS"} {
		ctx := request(method, "/postback?"+query("click_id", f.clickID, "txid", "a", "secret", secret))
		if got := f.check(t, ctx, f.Postback(ctx), conversion.Postback); got != codeMethod || string(ctx.Response.Header.Peek("Allow")) != "GET, POST" {
			t.Errorf("%s: %s", method, got)
		}
	}
}

func TestBodies(t *testing.T) {
	f := newFixture(t)
	form := query("click_id", f.clickID, "txid", "a", "secret", secret, "amount", "10")
	asJSON := `{"click_id":"` + f.clickID + `","txid":17,"secret":"` + secret + `"`
	for _, tt := range []struct{ name, kind, uri, body, want string }{
		{"form", "application/x-www-form-urlencoded; charset=utf-8", "/postback", form, "accepted"},
		{"query", "", "/postback?" + form, "", "accepted"},
		{"both", "application/x-www-form-urlencoded", "/postback?status=sale", form, "accepted"},
		{"both, contradicting", "application/x-www-form-urlencoded", "/postback?amount=11", form, codeParameterRepeated},
		{"json", "application/json", "/postback", asJSON + `,"amount":1499.50,"currency":null,"test":true}`, "accepted"},
		{"json, name twice", "application/json", "/postback", asJSON + `,"amount":1,"amount":2}`, codeParameterRepeated},
		{"json, exponent", "application/json", "/postback", asJSON + `,"amount":1e3}`, codeAmountMalformed},
		{"json, nested", "application/json", "/postback", asJSON + `,"x":{"amount":1}}`, codeBodyMalformed},
		{"json, array", "application/json", "/postback", `[1]`, codeBodyMalformed},
		{"json, cut", "application/json", "/postback", asJSON, codeBodyMalformed},
		{"json, two", "application/json", "/postback", asJSON + `}{}`, codeBodyMalformed},
		{"json, invalid UTF-8", "application/json", "/postback", asJSON + ",\"x\":\"\xff\"}", codeBodyMalformed},
		{"xml", "application/xml", "/postback", "<x/>", codeContentType},
		{"multipart", "multipart/form-data; boundary=x", "/postback", "--x--", codeContentType},
		{"no type", "", "/postback", form, codeContentType},
		{"bad encoding", "application/x-www-form-urlencoded", "/postback", form + "&x=%zz", codeParameterMalformed},
		{"bad name", "application/x-www-form-urlencoded", "/postback", form + "&%=1", codeParameterMalformed},
		{"too many", "application/x-www-form-urlencoded", "/postback", form + strings.Repeat("&x=1", maxParams), codeParametersTooMany},
	} {
		ctx := request("POST", tt.uri)
		ctx.Request.Header.SetContentType(tt.kind)
		ctx.Request.SetBodyString(tt.body)
		if got := f.check(t, ctx, f.Postback(ctx), conversion.Postback); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
		if tt.name == "json" {
			if e := f.last(t); e.TxnID != "17" || e.Amount.Minor != 149950 {
				t.Errorf("%+v", e)
			}
		}
	}
}

func FuzzPostback(f *testing.F) {
	fx := newFixture(f)
	good := query("click_id", fx.clickID, "txid", "a", "secret", secret, "amount", "10")
	f.Add("GET", good, "", "")
	f.Add("POST", "", "application/x-www-form-urlencoded", good)
	f.Add("POST", "", "application/json", `{"click_id":"`+fx.clickID+`","txid":"a","secret":"`+secret+`","amount":1.5}`)
	f.Add("POST", good+"&amount=10&txid=b", "application/json", `{"a":[{}]}`)
	f.Add("GET", "sig=00&ts=1&%zz", "", "")
	f.Fuzz(func(t *testing.T, method, q, kind, body string) {
		fx.memory.events = nil
		ctx := request("GET", "/postback")
		ctx.Request.URI().SetQueryString(q)
		ctx.Request.Header.SetMethod(method)
		ctx.Request.Header.SetContentType(kind)
		ctx.Request.SetBodyString(body)
		o := fx.Postback(ctx)
		if got := code(t, ctx); (got == "accepted") != (o == Accepted) || (o == Accepted) != (len(fx.memory.events) == 1) {
			t.Fatalf("%s, %s, %d recorded", got, o, len(fx.memory.events))
		}
		if o == Accepted && !strings.Contains(q+body, "secret") && !strings.Contains(q+body, "%") && !strings.Contains(body, `\u`) {
			t.Fatalf("accepted without a credential: %q %q", q, body)
		}
	})
}

func TestSignature(t *testing.T) {
	f := newFixture(t)
	signed := func(at time.Time, key string, pairs ...string) params {
		var p params
		for i := 0; i < len(pairs); i += 2 {
			p = append(p, param{pairs[i], pairs[i+1]})
		}
		p = append(p, param{"ts", unix(at)})
		return append(p, param{"sig", sign(key, signedMessage(p))})
	}
	encode := func(p params) string {
		var pairs []string
		for _, param := range p {
			pairs = append(pairs, param.name, param.value)
		}
		return query(pairs...)
	}
	good := []string{"click_id", f.clickID, "txid", "order/42 é", "amount", "1499.50", "x", "2", "x", "1"}
	tampered := signed(noon, secret, good...)
	tampered[2].value = "9999.00"
	added := append(params{{"currency", "USD"}}, signed(noon, secret, good...)...)
	for _, tt := range []struct {
		name string
		p    params
		want string
	}{
		{"good", signed(noon, secret, good...), "accepted"},
		{"previous secret", signed(noon, oldSecret, good...), "accepted"},
		{"early enough", signed(noon.Add(tolerance), secret, good...), "accepted"},
		{"late enough", signed(noon.Add(-tolerance), secret, good...), "accepted"},
		{"too early", signed(noon.Add(tolerance+time.Second), secret, good...), codeTimestampOutOfRange},
		{"too late", signed(noon.Add(-tolerance-time.Second), secret, good...), codeTimestampOutOfRange},
		{"wrong secret", signed(noon, "wrong", good...), codeSignatureWrong},
		{"unknown program", signed(noon, secret, "program", programText(99), "txid", "a"), codeSignatureWrong},
		{"changed", tampered, codeSignatureWrong},
		{"added to", added, codeSignatureWrong},
		{"short", append(signed(noon, secret, good...)[:6], param{"sig", "00ff"}), codeSignatureWrong},
		{"no hex", append(signed(noon, secret, good...)[:6], param{"sig", strings.Repeat("z", 64)}), codeSignatureWrong},
		{"no time", params{{"click_id", f.clickID}, {"txid", "a"}, {"sig", strings.Repeat("0", 64)}}, codeTimestampMalformed},
		{"far time", params{{"ts", "9223372036854775807"}, {"sig", strings.Repeat("0", 64)}}, codeTimestampOutOfRange},
		{"past time", params{{"ts", "-9223372036854775808"}, {"sig", strings.Repeat("0", 64)}}, codeTimestampOutOfRange},
	} {
		ctx := request("GET", "/postback?"+encode(tt.p))
		if got := f.check(t, ctx, f.Postback(ctx), conversion.Postback); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
}

func TestSignedMessage(t *testing.T) {
	p := params{{"txid", "order-42"}, {"a-b", "1"}, {"a", "é &"}, {"sig", "x"}, {"amount", "1499.50"}, {"a", "b"}, {"ts", "1777896000"}}
	if got, want := signedMessage(p), "a=%C3%A9%20%26&a=b&a-b=1&amount=1499.50&ts=1777896000&txid=order-42"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The example that docs/postback.md gives to check one's code with, and its list of codes.
func TestDocumentation(t *testing.T) {
	raw, err := os.ReadFile("../../docs/postback.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	message := signedMessage(params{{"txid", "order 42"}, {"amount", "1499.50"}, {"ts", "1777896000"}})
	for _, want := range []string{message, sign("edgeref-example", message)} {
		if !strings.Contains(text, "`"+want+"`") {
			t.Errorf("%s is not in it", want)
		}
	}
	source, err := os.ReadFile("refusal.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`code[A-Z]\w+ += "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) < 30 {
		t.Fatalf("%d codes found", len(codes))
	}
	for _, c := range codes {
		if !strings.Contains(text, "`"+c[1]+"`") {
			t.Errorf("code %s is not explained", c[1])
		}
	}
}
