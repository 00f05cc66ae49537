package hosts

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]URL{
		"https://shop.example":                      {HTTPS, "shop.example", "", ""},
		"HTTP://Shop.Example:80/a?b#c":              {HTTP, "shop.example", "", "/a?b#c"},
		"https://shop.example:443?x=1":              {HTTPS, "shop.example", "", "?x=1"},
		"https://shop.example:80/":                  {HTTPS, "shop.example", "80", "/"},
		"http://127.0.0.1:8080/":                    {HTTP, "127.0.0.1", "8080", "/"},
		"https://bücher.example/":                   {HTTPS, "xn--bcher-kva.example", "", "/"},
		"https://XN--Bcher-KVA.example/":            {HTTPS, "xn--bcher-kva.example", "", "/"},
		"https://shop.example//evil.example/@x:1":   {HTTPS, "shop.example", "", "//evil.example/@x:1"},
		"https://ｓhop。example/":                     {HTTPS, "shop.example", "", "/"},
		"https://shop_1.example/?u=https://e.test/": {HTTPS, "shop_1.example", "", "/?u=https://e.test/"},
	} {
		if got, err := Parse(in); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", in, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, in := range []string{
		"", "https:", "https:/", "https://", "https:///x", "//shop.example", "/x", "shop.example", "javascript:alert(1)", "ftp://shop.example",
		"https:\\\\evil.example", "https://shop.example\\@evil.example", "https://shop.example\\.evil.example",
		"https://shop.example@evil.example", "https://shop.example:x@evil.example/", "https://user@shop.example",
		"https://shop.example:", "https://shop.example:0", "https://shop.example:080", "https://shop.example:65536", "https://shop.example:99999999999999999999",
		"https://[::1]/", "https://127.1/", "https://0x7f000001/", "https://2130706433/", "https://127.0.0.1.1/", "https://127.0.0.01/",
		"https://shop.example./", "https://.shop.example", "https://shop..example", "https://shop%2eexample", "https://shop.example%00.evil.example",
		"https://shop.example\t/", " https://shop.example", "https://shop.example/\r\nSet-Cookie:x", "https://shop.example/\x00", "https://sh op.example",
		"https://" + strings.Repeat("a", 254), "https://" + strings.Repeat("é", 5000), "https://\xff.example", "https://a\u200db.example", "https://evil.example\uff0f.shop.example",
	} {
		if got, err := Parse(in); !errors.Is(err, ErrURL) {
			t.Errorf("%q: %+v, %v; want ErrURL", in, got, err)
		}
	}
}

func TestAllows(t *testing.T) {
	s := NewSet([]string{"Shop.Example", "*.wild.example", "dev.example:8443", "bücher.example", "", "*", "*.", "https://bad.example", "a b", "x:y"})
	for in, want := range map[string]bool{
		"https://shop.example/": true, "http://shop.example:80": true, "https://shop.example:8443": false, "https://www.shop.example": false,
		"https://shop.example.evil.example": false, "https://evilshop.example": false,
		"https://a.wild.example": true, "https://a.b.wild.example": true, "https://wild.example": false, "https://evilwild.example": false,
		"https://a.wild.example:444": false,
		"https://dev.example:8443":   true, "https://dev.example": false, "https://xn--bcher-kva.example": true,
		"https://bad.example": false, "https://anything.example": false,
	} {
		u, err := Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Allows(u); got != want {
			t.Errorf("%s: %v; want %v", in, got, want)
		}
		if (Set{}).Allows(u) {
			t.Errorf("the empty set allows %s", in)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"https://shop.example:8443/a?b#c", "https://bücher.example", "http://a@b", "https://a\\b", "https://ａ.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := Parse(s)
		if err != nil {
			return
		}
		text := u.Scheme + "://" + u.Host
		if u.Port != "" {
			text += ":" + u.Port
		}
		again, err := Parse(text + u.Rest)
		if err != nil || again != u {
			t.Fatalf("%q reads as %+v, and that as %+v, %v", s, u, again, err)
		}
		// The host means the same to another reader.
		if std, err := url.Parse(text); err != nil || std.Hostname() != u.Host || std.User != nil {
			t.Fatalf("%q has host %q; net/url reads %v, %v", s, u.Host, std, err)
		}
	})
}
