package redirect

import (
	"net/url"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/link"
)

func TestLocation(t *testing.T) {
	affiliate, linkID, program := ident.Format(ident.Affiliate, 22), ident.Format(ident.Link, 11), ident.Format(ident.Program, 33)
	for _, tt := range []struct{ name, destination, query, want string }{
		{"plain", "https://shop.example", "", "https://shop.example/?click_id=CID"},
		{"path and fragment", "https://shop.example/a#top", "", "https://shop.example/a?click_id=CID#top"},
		{"own query", "https://shop.example/a?p=1", "", "https://shop.example/a?p=1&click_id=CID"},
		{"port and case", "HTTPS://Shop.Example:8443/A", "", "https://shop.example:8443/A?click_id=CID"},
		{"click id placed", "https://shop.example/a?cid={click_id}", "", "https://shop.example/a?cid=CID"},
		{"click id in the path", "https://shop.example/c/{click_id}/x", "", "https://shop.example/c/CID/x"},
		{"click id in the fragment", "https://shop.example/#{click_id}", "", "https://shop.example/#CID"},
		{"link's own macros", "https://shop.example/{slug}?a={affiliate_id}&l={link_id}&p={program_id}", "",
			"https://shop.example/go?a=" + affiliate + "&l=" + linkID + "&p=" + program + "&click_id=CID"},
		{"values are escaped", "https://shop.example/{sub1}?s={sub2}#{sub3}", "sub1=a/b%3Fc&sub2=x%26y%3Dz+w&sub3=%23é",
			"https://shop.example/a%2Fb%3Fc?s=x%26y%3Dz%20w&click_id=CID#%23%C3%A9"},
		{"dots cannot leave a folder", "https://shop.example/a/{sub1}/b{sub2}", "sub1=..&sub2=.c", "https://shop.example/a//b.c?click_id=CID"},
		{"unknown macro is text", "https://shop.example/{who}?x={", "", "https://shop.example/%7Bwho%7D?x=%7B&click_id=CID"},
		{"absent values are empty", "https://shop.example/?s={sub1}&c={country}", "", "https://shop.example/?s=&c=&click_id=CID"},
		{"unsafe text is encoded", "https://shop.example/é%zz%41?q=\"<>", "", "https://shop.example/%C3%A9%25zz%41?q=%22%3C%3E&click_id=CID"},
		{"fixed click parameter gives way", "https://shop.example/?click_id=old&a=1", "", "https://shop.example/?a=1&click_id=CID"},
		{"visitor's parameters pass", "https://shop.example/?a=1", "utm_source=x&b=%20%2f&flag&c=", "https://shop.example/?a=1&click_id=CID&utm_source=x&b=%20%2f&flag&c="},
		{"visitors do not name parameters", "https://shop.example/?{sub1}=x&{sub2}&{slug}=1", "sub1=click_id&sub2=click_id", "https://shop.example/?%7Bsub1%7D=x&%7Bsub2%7D&go=1&click_id=CID"},
		{"in their order, doubled", "https://shop.example/", "b=1&a=2&b=3", "https://shop.example/?click_id=CID&b=1&a=2&b=3"},
		{"before the fragment", "https://shop.example/#f", "b=1", "https://shop.example/?click_id=CID&b=1#f"},
		{"without our own", "https://shop.example/", "sub1=x&SUB2=y&to=z&%74o=z&a=1", "https://shop.example/?click_id=CID&a=1"},
		{"not over the destination's", "https://shop.example/?price=10", "price=1&Price=1&%70rice=1&price[]=1&a=1", "https://shop.example/?price=10&click_id=CID&a=1"},
		{"bad encoding is dropped", "https://shop.example/", "a=%&b=%4&c=%zz&d=%u0041&%=1&e=1", "https://shop.example/?click_id=CID&e=1"},
		{"raw bytes are encoded", "https://shop.example/", "a=\xff\"<\x00\r\n #&é=1", "https://shop.example/?click_id=CID&a=%FF%22%3C%00%0D%0A%20%23&%C3%A9=1"},
		{"semicolons do not separate", "https://shop.example/", "a=1;click_id=evil;b=2", "https://shop.example/?click_id=CID&a=1%3Bclick_id=evil%3Bb=2"},
		{"empty parameters", "https://shop.example/", "&&a=1&&", "https://shop.example/?click_id=CID&a=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.add(t, "go", resolved(tt.destination))
			if got := f.location(t, "go", tt.query); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Every way in which some server would take a visitor's parameter for the Click ID.
func clickIDAttacks() []string {
	return []string{
		"click_id=evil", "CLICK_ID=evil", "Click_Id=evil", "%63lick_id=evil", "click%5fid=evil", "click%5Fid=evil", "click_id[]=evil", "click_id%5B%5D=evil",
		"click_id[x]=evil", "click_id%00=evil", "click_id%00x=evil", "click.id=evil", "click+id=evil", "click%20id=evil", "click[id=evil", "+click_id=evil", "%20click_id=evil",
		"click_id+=evil", "click_id%20=evil", "%09click_id=evil", "click_id%0a=evil", "click%C2%AD_id=evil", "click_id", "click_id=", "%EF%BB%BFclick_id=evil",
	}
}

func TestVisitorCannotOverrideTheClickID(t *testing.T) {
	f := newFixture(t)
	f.add(t, "go", resolved("https://shop.example/?a=1"))
	f.add(t, "placed", resolved("https://shop.example/?cid={click_id}"))
	for _, attack := range clickIDAttacks() {
		if got, want := f.location(t, "go", "x=1&"+attack+"&y=2"), "https://shop.example/?a=1&click_id=CID&x=1&y=2"; got != want {
			t.Errorf("%s: %s; want %s", attack, got, want)
		}
		if got, want := f.location(t, "go", "to=https%3A%2F%2Fshop.example%2F%3F"+url.QueryEscape(attack)), "https://shop.example/?click_id=CID"; got != want {
			t.Errorf("%s in a deep link: %s; want %s", attack, got, want)
		}
		placed := strings.Replace(attack, "click_id", "cid", 1)
		if strings.HasPrefix(placed, "cid") {
			if got, want := f.location(t, "placed", placed), "https://shop.example/?cid=CID"; got != want {
				t.Errorf("%s: %s; want %s", placed, got, want)
			}
		}
	}
	for _, other := range []string{"click_idx=1", "xclick_id=1", "click-id=1", "clickid=1", "click__id=1", "b[click_id]=1"} {
		if got, want := f.location(t, "go", other), "https://shop.example/?a=1&click_id=CID&"+other; got != want {
			t.Errorf("%s: %s; want %s", other, got, want)
		}
	}
}

func TestDeepLink(t *testing.T) {
	const normal = "https://shop.example/home?click_id=CID"
	for to, want := range map[string]string{
		"https://shop.example/course/7":                            "https://shop.example/course/7?click_id=CID",
		"https://shop.example":                                     "https://shop.example/?click_id=CID",
		"https://shop.example?a=1":                                 "https://shop.example/?a=1&click_id=CID",
		"https://SHOP.example:443/a?b=1&c=2#d":                     "https://shop.example/a?b=1&c=2&click_id=CID#d",
		"https://a.wild.example/é":                                 "https://a.wild.example/%C3%A9?click_id=CID",
		"https://shop.example//evil.example":                       "https://shop.example//evil.example?click_id=CID",
		"https://shop.example/%2f%2fevil.example":                  "https://shop.example/%2f%2fevil.example?click_id=CID",
		"https://evil.example":                                     normal,
		"//evil.example":                                           normal,
		"/\\evil.example":                                          normal,
		"https:evil.example":                                       normal,
		"https:\\\\evil.example":                                   normal,
		"https://shop.example@evil.example":                        normal,
		"https://evil.example#@shop.example":                       normal,
		"https://evil.example\\@shop.example":                      normal,
		"https://shop.example.evil.example":                        normal,
		"https://wild.example":                                     normal,
		"https://evilwild.example":                                 normal,
		"https://shop.example:8443":                                normal,
		"https://shop.example.":                                    normal,
		"https://shop.example%2eevil.example":                      normal,
		"https://shop\u3002example.evil.example":                   normal,
		"https://ｅｖｉｌ.example":                                     normal,
		"https://shop.example\t.evil.example":                      normal,
		"https://shop.example/\r\nSet-Cookie: a=b":                 normal,
		"javascript:alert(1)":                                      normal,
		"data:text/html,x":                                         normal,
		"ftp://shop.example":                                       normal,
		"https://shop.example/%zz":                                 normal,
		"https://[::1]/":                                           normal,
		"https://shop.example/" + strings.Repeat("a", maxLocation): normal,
	} {
		f := newFixture(t)
		f.add(t, "go", resolved("https://shop.example/home"))
		if got := f.location(t, "go", "to="+url.QueryEscape(to)); got != want {
			t.Errorf("%q:\n got %s\nwant %s", to, got, want)
		}
	}
}

func TestDeepLinkKeepsTheVisitorsParameters(t *testing.T) {
	f := newFixture(t)
	f.add(t, "go", resolved("https://shop.example/home"))
	got := f.location(t, "go", "utm_source=x&to=https%3A%2F%2Fshop.example%2Fc%3Fa%3D1&sub1=s")
	if want := "https://shop.example/c?a=1&click_id=CID&utm_source=x"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLocationIsBounded(t *testing.T) {
	f := newFixture(t)
	f.add(t, "go", resolved("https://shop.example/"))
	got := f.location(t, "go", "a="+strings.Repeat("x", maxLocation)+"&b=1")
	if want := "https://shop.example/?click_id=CID&b=1"; got != want {
		t.Errorf("got %.200s, want %s", got, want)
	}
}

// A page whose address outgrows the limit once it is encoded is not led to: proxies would answer an error for us.
func TestDeepLinkIsBounded(t *testing.T) {
	f := newFixture(t)
	f.add(t, "go", resolved("https://shop.example/home"))
	for _, to := range []string{"https://shop.example/" + strings.Repeat("é", maxLocation/6), "https://shop.example/?a=" + strings.Repeat(";", maxLocation/3)} {
		if got, want := f.location(t, "go", "to="+url.QueryEscape(to)), "https://shop.example/home?click_id=CID"; got != want {
			t.Errorf("%.40s: %d bytes, %.80s; want %s", to, len(got), got, want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for name, r := range map[string]link.Resolved{
		"no URL": resolved("shop.example"), "empty": resolved(""), "script": resolved("javascript:alert(1)"),
		"macro in the host": resolved("https://{sub1}.example/"), "macro as host": resolved("https://{sub1}/"), "macro as user": resolved("https://{sub1}@shop.example/"),
		"no link":         resolved("https://shop.example", func(r *link.Resolved) { r.Link.ID = 0 }),
		"another program": resolved("https://shop.example", func(r *link.Resolved) { r.Program.ID = 34 }),
	} {
		if got, err := Compile(r); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestClickParam(t *testing.T) {
	for param, want := range map[string]string{"": "click_id", "s2s": "s2s", "a&b=c": "a%26b%3Dc"} {
		f := newFixture(t)
		f.add(t, "go", resolved("https://shop.example/", func(r *link.Resolved) { r.Program.ClickParam = param }))
		if got := f.location(t, "go", "a&b=1"); !strings.HasPrefix(got, "https://shop.example/?"+want+"=CID") {
			t.Errorf("%q: %s", param, got)
		}
	}
}
