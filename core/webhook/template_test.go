package webhook

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTemplates(t *testing.T) {
	g := newGuard(false, false)
	values := map[string]string{"txn_id": "a&b=c/../ä #", "amount": "1499.00", "currency": "INR", "event": "conversion.booked", "click_id": "CLICK"}
	for text, want := range map[string]string{
		"https://example.com/p":                                        "https://example.com/p",
		"https://example.com/p?t={txn_id}":                             "https://example.com/p?t=a%26b%3Dc%2F..%2F%C3%A4+%23",
		"https://example.com/{event}/{currency}?a={amount}":            "https://example.com/conversion.booked/INR?a=1499.00",
		"https://example.com?c={click_id}&{event}={amount}&x=1":        "https://example.com?c=CLICK&conversion.booked=1499.00&x=1",
		"https://example.com/?none={commission}&c={click_id}-{amount}": "https://example.com/?none=&c=CLICK-1499.00",
	} {
		tpl, err := parseTemplate(g, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := tpl.expand(values); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{
		"", "{event}", "{event}://example.com/", "https://{event}/", "https://{event}.example.com/", "https://example.com:{amount}/", "https://example.com{event}/", "https:/{event}/",
		"https://{click_id}@example.com/", "https://example.com/{nothing}", "https://example.com/{}", "https://example.com/{event", "https://example.com/event}", "https://example.com/{{event}}",
		"https://example.com/{ event }", "https://example.com/{EVENT}", "https://example.com/{txn_id}", "https://example.com/#{event}", "https://example.com/?a=%{event}", "https://127.0.0.1/?{event}",
		"http://example.com/?{event}", "https://example.com/?a=1#{txn_id}",
	} {
		if _, err := parseTemplate(g, text); err == nil {
			t.Errorf("%q is allowed", text)
		}
	}
}

// Whatever the values are, scheme, host, path depth and the other parameters stay, and each value arrives as it is.
func TestValuesStayWhereTheyStand(t *testing.T) {
	g := newGuard(false, false)
	tpl, err := parseTemplate(g, "https://hooks.example.com:8443/in/{event}/end?fixed=1&txn={txn_id}&both={amount}-{currency}&last={click_id}")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[&=?#/%+.:@\\;{}\x00-\x20]{0,20}`), rapid.SampledFrom([]string{"", "..", "%2e%2e", "//evil.com", "\r\nX: y", "{txn_id}"}))
		v := map[string]string{"event": "conversion.booked"}
		for _, name := range []string{"txn_id", "amount", "currency", "click_id"} {
			v[name] = value.Draw(rt, name)
		}
		got := tpl.expand(v)
		u, err := g.checkURL(got)
		if err != nil {
			if len(got) > maxExpanded {
				return
			}
			rt.Fatalf("%q: %v", got, err)
		}
		if u.Host != "hooks.example.com:8443" || u.EscapedPath() != "/in/conversion.booked/end" {
			rt.Fatalf("%q leads to %s%s", got, u.Host, u.EscapedPath())
		}
		q, err := url.ParseQuery(u.RawQuery)
		if err != nil {
			rt.Fatal(err)
		}
		want := url.Values{"fixed": {"1"}, "txn": {v["txn_id"]}, "both": {v["amount"] + "-" + v["currency"]}, "last": {v["click_id"]}}
		if q.Encode() != want.Encode() {
			rt.Fatalf("%q has %v, want %v", got, q, want)
		}
	})
}

// What a stranger saves as a template never leads to another host than it shows.
func FuzzTemplate(f *testing.F) {
	f.Add("https://example.com/p?t={txn_id}", "x")
	f.Add("https://example.com/{event}", "../..")
	f.Add("https://{event}@example.com/", "evil.com")
	f.Add("https://example.com?{txn_id}", "@evil.com/")
	g := newGuard(false, false)
	f.Fuzz(func(t *testing.T, text, value string) {
		tpl, err := parseTemplate(g, text)
		if err != nil {
			return
		}
		values := map[string]string{}
		for _, name := range Macros() {
			values[name] = value
		}
		got := tpl.expand(values)
		u, err := url.Parse(got)
		if err != nil {
			t.Fatalf("%q gives %q: %v", text, got, err)
		}
		plain, err := url.Parse(tpl.expand(map[string]string{}))
		if err != nil {
			t.Fatal(err)
		}
		if u.Host != plain.Host || u.Scheme != "https" || u.User != nil || u.Fragment != "" {
			t.Fatalf("%q with %q leads to %q, not %q", text, value, u.Host, plain.Host)
		}
		if !strings.HasPrefix(strings.ToLower(text), "https://") {
			t.Fatalf("%q is allowed", text)
		}
	})
}
