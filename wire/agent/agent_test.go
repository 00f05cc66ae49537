package agent

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/edgeref/edgeref/wire/click"
)

// shared is prepared once: preparing takes longer than any test.
var shared = sync.OnceValues(func() (*Classifier, error) { return New(64) })

func classifier(t testing.TB) *Classifier {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var table = []struct {
	agent string
	want  Class
}{
	{"Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.107 Safari/537.36", Class{"Chrome", "Windows", Desktop, false}},
	{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.73.11 (KHTML, like Gecko) Version/7.0.1 Safari/537.73.11", Class{"Safari", "Mac OS X", Desktop, false}},
	{"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:27.0) Gecko/20100101 Firefox/27.0", Class{"Firefox", "Ubuntu", Desktop, false}},
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", Class{"Edge", "Windows", Desktop, false}},
	{"Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; WOW64; Trident/5.0; Tablet PC 2.0)", Class{"IE", "Windows", Desktop, false}},
	{"Opera/9.80 (X11; Linux x86_64) Presto/2.12.388 Version/12.16", Class{"Opera", "Linux", Desktop, false}},
	{"Mozilla/5.0 (iPhone; CPU iPhone OS 7_0_4 like Mac OS X) AppleWebKit/537.51.1 (KHTML, like Gecko) Version/7.0 Mobile/11B554a Safari/9537.53", Class{"Mobile Safari", "iOS", Mobile, false}},
	{"Mozilla/5.0 (iPad; CPU OS 7_0_4 like Mac OS X) AppleWebKit/537.51.1 (KHTML, like Gecko) Version/7.0 Mobile/11B554a Safari/9537.53", Class{"Mobile Safari", "iOS", Tablet, false}},
	{"Mozilla/5.0 (Linux; Android 4.4.2; Nexus 5 Build/KOT49H) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.99 Mobile Safari/537.36", Class{"Chrome Mobile", "Android", Mobile, false}},
	{"Mozilla/5.0 (Linux; Android 13; SM-X900) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36", Class{"Chrome", "Android", Tablet, false}},
	{"Mozilla/5.0 (Android; Mobile; rv:27.0) Gecko/27.0 Firefox/27.0", Class{"Firefox Mobile", "Android", Mobile, false}},
	{"Mozilla/5.0 (Linux; Android 9; BRAVIA 4K UR2) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/98.0.4758.102 Safari/537.36", Class{"Chrome", "Android", TV, false}},
	{"Mozilla/5.0 (Linux; U; en-us; KFAPWI Build/JDQ39) AppleWebKit/535.19 (KHTML, like Gecko) Silk/3.13 Safari/535.19 Silk-Accelerated=true", Class{"Amazon Silk", "Android", Tablet, false}},
	{"Micromax X351/R2AE SEMC-Browser/4.0.3 Profile/MIDP-2.0 Configuration/CLDC-1.1", Class{"SEMC-Browser", Unknown, Mobile, false}},
	{"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Class{"Googlebot", Unknown, Other, true}},
	{"Mozilla/5.0 (iPhone; CPU iPhone OS 6_0 like Mac OS X) AppleWebKit/536.26 (KHTML, like Gecko) Version/6.0 Mobile/10A5376e Safari/8536.25 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Class{"Googlebot", "iOS", Mobile, true}},
	{"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", Class{"FacebookBot", Unknown, Other, true}},
	{"curl/8.5.0", Class{"curl", Unknown, Other, true}},
	{"Mozilla/4.0 (compatible;)", Class{Unknown, Unknown, Other, false}},
	{"", Class{"", "", Other, false}},
}

func TestClassify(t *testing.T) {
	c := classifier(t)
	for _, tt := range table {
		for _, pass := range []string{"first", "from the cache"} {
			if got := c.Classify(tt.agent); got != tt.want {
				t.Errorf("%s: got %+v, want %+v, for %s", pass, got, tt.want, tt.agent)
			}
		}
	}
}

func TestEveryListedCrawlerIsOne(t *testing.T) {
	var list []struct {
		Pattern   string   `json:"pattern"`
		Instances []string `json:"instances"`
	}
	if err := json.Unmarshal(crawlerList, &list); err != nil {
		t.Fatal(err)
	}
	c, checked := classifier(t), 0
	for _, entry := range list {
		for _, agent := range entry.Instances {
			if len(agent) > MaxLen || plain(agent) != agent {
				continue
			}
			checked++
			if !c.Classify(agent).Crawler {
				t.Errorf("%s: not recognised by its pattern %s", agent, entry.Pattern)
			}
		}
	}
	if checked < 1000 {
		t.Errorf("only %d agents checked", checked)
	}
}

// The cheap test in front of an expression must never keep it from matching.
func TestNeedlesLoseNoMatch(t *testing.T) {
	c := classifier(t)
	var list []struct {
		Instances []string `json:"instances"`
	}
	if err := json.Unmarshal(crawlerList, &list); err != nil {
		t.Fatal(err)
	}
	agents := []string{}
	for _, tt := range table {
		agents = append(agents, tt.agent)
	}
	for i := 0; i < len(list); i += 40 {
		agents = append(agents, list[i].Instances...)
	}
	for _, agent := range agents {
		checkNeedles(t, c, plain(agent), 1)
	}
}

// checkNeedles checks one of every so many patterns, which ones depending on the text's length.
func checkNeedles(t *testing.T, c *Classifier, agent string, every int) {
	t.Helper()
	lower := strings.ToLower(agent)
	for _, families := range [][]family{c.browsers, c.systems} {
		for i, f := range families {
			if i%every == len(agent)%every && f.re().MatchString(agent) && !f.may(lower) {
				t.Errorf("%s: %v is kept from matching by %q", agent, f.re(), f.needles)
			}
		}
	}
	for i, p := range c.crawlers {
		if i%every == len(agent)%every && p.re().MatchString(agent) != p.match(agent, lower) {
			t.Errorf("%s: %v is kept from matching by %q", agent, p.re(), p.needles)
		}
	}
}

func TestNeedles(t *testing.T) {
	for expr, want := range map[string]string{
		`Googlebot\/`: "[googlebot/]", `(Fire|Ice)fox/(\d+)`: "[fox/]", `(Firefox|Iceweasel)`: "[firefox iceweasel]",
		`(?i)YETI`: "[yeti]", `a*b`: "[]", `(abc)?de`: "[de]", `[xX]yz`: "[yz]", `(?:ab){2,}`: "[ab]", `.*`: "[]", `(ab|c*)`: "[]",
	} {
		p, err := parse(expr, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(p.needles); got != want {
			t.Errorf("%s: %s; want %s", expr, got, want)
		}
	}
}

func TestEnrich(t *testing.T) {
	const chrome, bot = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", "Googlebot/2.1"
	c := classifier(t)
	for _, tt := range []struct {
		agent     string
		bot, want click.BotReason
	}{
		{chrome, click.NotBot, click.NotBot},
		{chrome, click.BotPrefetch, click.BotPrefetch},
		{chrome, click.BotHead, click.BotHead},
		{bot, click.BotPrefetch, click.BotCrawler},
		{bot, click.NotBot, click.BotCrawler},
		{"", click.BotHead, click.BotNoAgent},
		{"", click.NotBot, click.BotNoAgent},
	} {
		r := click.Record{UserAgent: tt.agent, Bot: tt.bot, Country: "IN"}
		c.Enrich(&r)
		if r.Bot != tt.want || r.UserAgent != "" || r.Device == "" || r.Country != "IN" {
			t.Errorf("%q with %q: %+v; want %q", tt.agent, tt.bot, r, tt.want)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(100)
	c.put("regular", Class{Browser: "kept"})
	for i := range 10_000 {
		c.put(fmt.Sprint(i), Class{})
		if n := c.len(); n > 200 {
			t.Fatalf("%d entries after %d", n, i)
		}
		if got, ok := c.get("regular"); !ok || got.Browser != "kept" {
			t.Fatalf("what is used all the time was dropped after %d others", i)
		}
	}
	if _, ok := c.get("1"); ok {
		t.Error("what is not used stayed")
	}
}

func TestLongAndUncleanAgents(t *testing.T) {
	c := classifier(t)
	long := "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0 " + strings.Repeat("x", MaxLen)
	if got := c.Classify(long + "Googlebot/2.1"); got.Crawler || got.Browser != "Chrome" {
		t.Errorf("beyond the limit: %+v", got)
	}
	if got := c.Classify("Mozilla/5.0 (Windows NT 10.0) \xff\xfe\x00é Firefox/120.0"); got.Browser != "Firefox" {
		t.Errorf("unclean: %+v", got)
	}
	if _, err := New(-1); err == nil {
		t.Error("negative cache size accepted")
	}
}

// Expressions are compiled when they are needed, which must not be the first time that anybody does.
func TestEveryPatternCompiles(t *testing.T) {
	c := classifier(t)
	for _, families := range [][]family{c.browsers, c.systems} {
		for _, f := range families {
			f.re()
		}
	}
	for _, p := range c.crawlers {
		p.re()
	}
	if len(c.browsers) < 200 || len(c.systems) < 150 || len(c.crawlers) < 500 {
		t.Errorf("only %d browsers, %d systems, %d crawlers", len(c.browsers), len(c.systems), len(c.crawlers))
	}
}

func TestConcurrentUse(t *testing.T) {
	c, err := New(4)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 200 {
				tt := table[i%len(table)]
				if got := c.Classify(tt.agent); got != tt.want {
					t.Errorf("%+v; want %+v", got, tt.want)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzClassify(f *testing.F) {
	for _, tt := range table {
		f.Add(tt.agent)
	}
	f.Add("\xff(UC Browser/\u212a1.1.1")
	c := classifier(f)
	f.Fuzz(func(t *testing.T, agent string) {
		got := c.Classify(agent)
		switch got.Device {
		case Desktop, Mobile, Tablet, TV, Other:
		default:
			t.Errorf("device %q", got.Device)
		}
		if len(got.Browser) > maxFamily || len(got.OS) > maxFamily || plain(got.Browser+got.OS) != got.Browser+got.OS {
			t.Errorf("families %q, %q", got.Browser, got.OS)
		}
		if len(agent) <= MaxLen {
			checkNeedles(t, c, plain(agent), 100) // all of them would leave time for few texts
		}
	})
}

func BenchmarkHit(b *testing.B) {
	c := classifier(b)
	b.ReportAllocs()
	for b.Loop() {
		c.Classify(table[0].agent)
	}
}

func BenchmarkMiss(b *testing.B) {
	c := classifier(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.classify(table[i%(len(table)-1)].agent)
	}
}
