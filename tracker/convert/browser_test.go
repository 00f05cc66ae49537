package convert

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/link"
)

// callPixel calls /pixel.gif and returns the answer's code.
func (f *fixture) callPixel(t testing.TB, q string, header ...string) (string, string) {
	t.Helper()
	ctx := request("GET", "/pixel.gif?"+q, header...)
	channel := conversion.Pixel
	if strings.Contains(q, "via=script") {
		channel = conversion.Script
	}
	got := f.check(t, ctx, f.Pixel(ctx), channel)
	return got, string(ctx.Response.Header.Peek("Access-Control-Allow-Origin"))
}

func TestPixelRecords(t *testing.T) {
	f := newFixture(t)
	ctx := request("GET", "/pixel.gif?"+query("cid", f.clickID, "txid", "o1", "amount", "5", "via", "script"))
	if o := f.Pixel(ctx); o != Accepted || string(ctx.Response.Body()) != gif || string(ctx.Response.Header.Peek("Cache-Control")) != "no-store" {
		t.Fatalf("%s, %s", o, ctx.Response.String())
	}
	if e := f.last(t); e.Channel != conversion.Script || e.Type != conversion.Sale || e.ProgramID != programID || e.Amount.Minor != 500 || e.ClickID.String() != f.clickID || e.Node != 7 {
		t.Errorf("%+v", e)
	}
	if got, _ := f.callPixel(t, query("txid", "o2"), "Cookie: a=b; er_cid="+f.clickID); got != "accepted" {
		t.Errorf("Click ID from the cookie: %s", got)
	}
	if e := f.last(t); e.Channel != conversion.Pixel || e.Type != conversion.Lead {
		t.Errorf("%+v", e)
	}
}

func TestPixelRefuses(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct{ name, query, header, want string }{
		{"no Click ID", query("txid", "a"), "", codeClickIDMissing},
		{"malformed", query("txid", "a", "click_id", "x"), "", codeClickIDMalformed},
		{"malformed cookie", query("txid", "a"), "Cookie: er_cid=x", codeClickIDMalformed},
		{"two", query("txid", "a", "click_id", f.clickID, "cid", "x"), "", codeParameterRepeated},
		{"no txid", query("click_id", f.clickID), "", codeTxidMissing},
		{"refund", query("click_id", f.clickID, "txid", "a", "status", "refund"), "", codeBrowserOff},
		{"rejection", query("click_id", f.clickID, "txid", "a", "status", "rejected"), "", codeBrowserOff},
		{"unknown link", query("click_id", f.Keys.Mint(noon, 1, 99, 1).String(), "txid", "a"), "", codeProgramUnavailable},
		{"bad encoding", "click_id=%", "", codeParameterMalformed},
	} {
		if got, _ := f.callPixel(t, tt.query, tt.header); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
	ctx := request("POST", "/pixel.gif?"+query("click_id", f.clickID, "txid", "a"))
	if got := f.check(t, ctx, f.Pixel(ctx), conversion.Pixel); got != codeMethod {
		t.Errorf("POST: %s", got)
	}
}

func TestBrowserConversionsAsFarAsTheProgramAllows(t *testing.T) {
	for setting, want := range map[link.BrowserConversions][2]string{
		link.BrowserAll: {"accepted", "accepted"}, link.BrowserLeads: {"accepted", codeBrowserOff}, link.BrowserOff: {codeBrowserOff, codeBrowserOff}, "": {codeBrowserOff, codeBrowserOff},
	} {
		f := newFixture(t)
		f.memory.program.BrowserConversions = setting
		lead, _ := f.callPixel(t, query("click_id", f.clickID, "txid", "a"))
		sale, _ := f.callPixel(t, query("click_id", f.clickID, "txid", "b", "amount", "1"))
		if got := [2]string{lead, sale}; got != want {
			t.Errorf("%q: %v; want %v", setting, got, want)
		}
	}
}

func TestOrigins(t *testing.T) {
	for header, want := range map[string][2]string{
		"X: none":                                     {"accepted", ""},
		"Origin: https://shop.example":                {"accepted", "https://shop.example"},
		"Origin: https://www.shop.example":            {"accepted", "https://www.shop.example"},
		"Origin: https://evil.example":                {codeOriginRefused, "*"},
		"Origin: https://shop.example.evil":           {codeOriginRefused, "*"},
		"Origin: https://shop.example:8443":           {codeOriginRefused, "*"},
		"Origin: null":                                {codeOriginRefused, "*"},
		"Referer: https://shop.example/thanks?a":      {"accepted", ""},
		"Referer: https://evil.example/":              {codeOriginRefused, "*"},
		"Referer: https://shop.example@evil.example/": {codeOriginRefused, "*"},
	} {
		f := newFixture(t)
		got, allowed := f.callPixel(t, query("click_id", f.clickID, "txid", "a", "via", "script"), header)
		if [2]string{got, allowed} != want {
			t.Errorf("%s: %s, %q; want %v", header, got, allowed, want)
		}
	}
	// Any page may read why it was refused.
	f := newFixture(t)
	for _, q := range []string{query("txid", "a"), query("txid", "a", "click_id", "x"), "click_id=%", query("txid", "a", "click_id", f.Keys.Mint(noon, 1, 99, 1).String())} {
		if got, allowed := f.callPixel(t, q, "Origin: https://shop.example"); got == "accepted" || allowed != "*" {
			t.Errorf("%s: %s, %q", q, got, allowed)
		}
	}
	if got, allowed := f.callPixel(t, query("click_id", f.clickID), "Origin: https://shop.example"); got != codeTxidMissing || allowed != "https://shop.example" {
		t.Errorf("%s, %q", got, allowed)
	}
}

func TestScriptIsCached(t *testing.T) {
	f := newFixture(t)
	ctx := request("GET", "/t.js")
	f.Script(ctx)
	etag := string(ctx.Response.Header.Peek("ETag"))
	if ctx.Response.StatusCode() != 200 || string(ctx.Response.Body()) != script || etag == "" || !strings.HasPrefix(string(ctx.Response.Header.ContentType()), "text/javascript") {
		t.Errorf("%s", ctx.Response.Header.String())
	}
	for tag, want := range map[string]int{etag: 304, `"x", W/` + etag: 304, "*": 304, `"x"`: 200} {
		ctx := request("GET", "/t.js", "If-None-Match: "+tag)
		if f.Script(ctx); ctx.Response.StatusCode() != want {
			t.Errorf("%s: %d; want %d", tag, ctx.Response.StatusCode(), want)
		}
	}
	ctx = request("POST", "/t.js")
	if f.Script(ctx); ctx.Response.StatusCode() != 405 {
		t.Errorf("POST: %d", ctx.Response.StatusCode())
	}
}

// scriptHarness runs t.js on a page that a visitor comes to with a Click ID, then on a later one without.
const scriptHarness = `
const vm = require("node:vm"), assert = require("node:assert"), source = require("node:fs").readFileSync(0, "utf8");
const id = "A".repeat(60);
let cookies = "other=1", stored = {}, sent = [];
function page(search, attributes) {
  const window = {};
  vm.runInNewContext(source, {
    window, URL, URLSearchParams, Date, JSON, Number, String,
    location: { search, protocol: "https:" },
    localStorage: { getItem: (k) => stored[k] ?? null, setItem: (k, v) => { stored[k] = v; } },
    document: {
      currentScript: { src: "https://go.example/t.js?v=1", getAttribute: (a) => (attributes || {})[a] ?? null },
      get cookie() { return cookies; },
      set cookie(c) { assert.match(c, /^er_cid=A{60}; Max-Age=\d+; Path=\/; SameSite=Lax; Secure$/); cookies += "; " + c.split(";")[0]; },
    },
    fetch: (url, options) => { sent.push(url); assert.ok(options.keepalive); return Promise.resolve(answer); },
  });
  return window.edgeref;
}
let answer = { ok: true };
(async () => {
  assert.strictEqual(page("?click_id=short").clickId(), "");
  assert.strictEqual(page("?click_id=" + "<".repeat(60)).clickId(), "");
  assert.strictEqual(page("?cid=" + id, { "data-param": "cid", "data-days": "1" }).clickId(), id);
  assert.ok(JSON.parse(stored.er_cid).until - Date.now() <= 86400000);
  let e = page("");
  assert.strictEqual(e.clickId(), id);
  cookies = "";
  assert.strictEqual(e.clickId(), id, "from local storage");
  stored.er_cid = "{broken";
  assert.strictEqual(e.clickId(), "");
  stored.er_cid = JSON.stringify({ id, until: Date.now() - 1 });
  assert.strictEqual(e.clickId(), "", "expired");
  cookies = "x=1; er_cid=" + id;
  assert.deepStrictEqual({ ...(await e.sale({ txid: "o&1", amount: 1499.5, currency: "INR", secret: "no" })) }, { ok: true, code: "accepted" });
  const u = new URL(sent.pop());
  assert.strictEqual(u.origin + u.pathname, "https://go.example/pixel.gif");
  assert.deepStrictEqual(Object.fromEntries(u.searchParams), { via: "script", status: "sale", click_id: id, txid: "o&1", amount: "1499.5", currency: "INR" });
  answer = { ok: false, json: () => Promise.resolve({ code: "txid_missing" }) };
  assert.deepStrictEqual({ ...(await e.lead()) }, { ok: false, code: "txid_missing" });
  assert.strictEqual(new URL(sent.pop()).searchParams.get("status"), "lead");
  answer = { ok: false, json: () => Promise.reject(new Error("no JSON")) };
  assert.deepStrictEqual({ ...(await e.lead({ txid: "1" })) }, { ok: false, code: "unreachable" });
})().catch((e) => { console.error(e); process.exit(1); });
`

func TestScriptRuns(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "-e", scriptHarness)
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
