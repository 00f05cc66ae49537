package trial

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/bench/load"
	"github.com/edgeref/edgeref/wire/agent"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

func testWorld(links int) *world {
	w := &world{run: "test", program: program{id: ident.Format(ident.Program, 5), secret: "s3cret"}, popular: zipf(links)}
	for i := range 3 {
		w.affiliates = append(w.affiliates, ident.Format(ident.Affiliate, int64(i+1)))
	}
	for i := range links {
		w.links = append(w.links, madeLink{slug: fmt.Sprintf("lt-test-%d", i), id: ident.Format(ident.Link, int64(i+1)), affiliate: i % 3})
	}
	return w
}

func testVisitors(t testing.TB, links int) *visitors {
	t.Helper()
	v, err := newVisitors("go.example", testWorld(links))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What is sent is HTTP, the same whenever it is asked for, and what isBot says of it is what a tracker will say.
func TestRequestsOfVisitors(t *testing.T) {
	v := testVisitors(t, 100)
	agents, err := agent.New(0)
	if err != nil {
		t.Fatal(err)
	}
	const n = 20_000
	bots, heads, slugs, addrs := 0, 0, map[string]int{}, map[netip.Addr]bool{}
	for i := range uint64(n) {
		raw := v.request(nil, i)
		if !bytes.Equal(raw, v.request(nil, i)) {
			t.Fatalf("request %d differs when it is made again", i)
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			t.Fatalf("request %d: %v\n%s", i, err, raw)
		}
		addr, err := netip.ParseAddr(r.Header.Get("CF-Connecting-IP"))
		if err != nil || r.Host != "go.example" || r.Header.Get("CF-IPCountry") == "" || r.URL.Query().Get("sub1") == "" {
			t.Fatalf("request %d: %v %+v", i, err, r)
		}
		addrs[addr] = true
		slugs[strings.TrimPrefix(r.URL.Path, "/")]++
		bot := r.Method == "HEAD" || r.UserAgent() == "" || agents.Classify(r.UserAgent()).Crawler
		if bot != v.isBot(i) {
			t.Fatalf("request %d: bot %v, said to be %v", i, bot, v.isBot(i))
		}
		if bot {
			bots++
		}
		if r.Method == "HEAD" {
			heads++
		}
	}
	if bots < n/10 || bots > n/2 || heads < n/200 || heads > n/50 {
		t.Errorf("%d bots and %d HEAD of %d", bots, heads, n)
	}
	// Zipf: the first is asked for about twice as often as the second, ten times as often as the tenth.
	first, second, tenth := slugs["lt-test-0"], slugs["lt-test-1"], slugs["lt-test-9"]
	if first < second*17/10 || first > second*23/10 || first < tenth*7 || first > tenth*14 {
		t.Errorf("popularity %d, %d, ... %d", first, second, tenth)
	}
	if len(addrs) < n/2 {
		t.Errorf("%d addresses of %d visitors", len(addrs), n)
	}
}

func redirected(location string) load.Answer {
	return load.Answer{Status: 302, Head: []byte("HTTP/1.1 302 Found\r\nServer: x\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n")}
}

func testID(t testing.TB, n int64) click.ID {
	t.Helper()
	keys, err := click.NewKeyring(click.Key{ID: 1, Secret: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	return keys.Mint(time.UnixMilli(1_770_000_000_000+n), 1, n, 1)
}

func TestTally(t *testing.T) {
	v := testVisitors(t, 10)
	tl := newTally(v)
	bots := int64(0)
	for n := range int64(500) {
		tl.take(uint64(n), redirected("https://shop.example/?a=1&click_id="+testID(t, n).String()+"&b=2"))
		if v.isBot(uint64(n)) {
			bots++
		}
	}
	tl.take(1, redirected("https://shop.example/?click_id=short"))
	tl.take(2, redirected("https://shop.example/"))
	tl.take(3, load.Answer{Status: 302, Head: []byte("HTTP/1.1 302 Found\r\n\r\n")})
	tl.take(4, load.Answer{Status: 404, Head: []byte("HTTP/1.1 404 Not Found\r\n\r\n")})
	if tl.tracked != 500 || tl.bots != bots || tl.badID != 1 || tl.bare != 2 || tl.other[404] != 1 || tl.notTracked() != 4 || tl.doubles() != 0 {
		t.Errorf("%+v; want 500 tracked, %d bots, 1 damaged, 2 without", tl, bots)
	}
	tl.take(5, redirected("https://shop.example/?click_id="+testID(t, 7).String()))
	tl.prints = append(tl.prints, tl.prints[0])
	if tl.doubles() != 1 {
		t.Errorf("%d doubles; want 1", tl.doubles())
	}
	if _, ok := tl.pick(12345); !ok {
		t.Error("no recent click")
	}
}

func FuzzClickID(f *testing.F) {
	f.Add(redirected("https://x/?click_id=" + testID(f, 1).String()).Head)
	f.Add([]byte("HTTP/1.1 302 Found\r\nLOCATION:click_id=\r\n\r\n"))
	f.Add([]byte("\r"))
	f.Fuzz(func(t *testing.T, head []byte) {
		id, state := clickID(head)
		if (state == idPresent) == id.IsZero() {
			t.Fatalf("state %d with %v", state, id)
		}
		if state == idPresent && !bytes.Contains(head, []byte(id.String())) {
			t.Fatalf("%s is not in %q", id, head)
		}
	})
}

// The merchant's own books: every acknowledged event once, whatever is sent again, and nothing of what was refused.
func TestConverterReckons(t *testing.T) {
	v := testVisitors(t, 10)
	tl := newTally(v)
	c := newConverter("go.example", v.world, tl)
	type key struct{ kind, txn string }
	seen, amounts, want := map[key]string{}, map[string]int64{}, booked{}
	duplicates, refused := int64(0), int64(0)
	for n := range uint64(20_000) {
		if n == 50 { // before, no click is known
			tl.take(0, redirected("https://x/?click_id="+testID(t, 1).String()))
		}
		raw := c.request(nil, n)
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			t.Fatalf("postback %d: %v\n%s", n, err, raw)
		}
		q := r.URL.Query()
		k := key{q.Get("status"), q.Get("txid")}
		if n%97 == 0 {
			refused++
			c.take(load.Answer{N: n, Status: 503})
			continue
		}
		c.take(load.Answer{N: n, Status: 200})
		if before, again := seen[k]; again {
			if before != string(raw) {
				t.Fatalf("sent again with other input:\n%s\n%s", before, raw)
			}
			duplicates++
			continue
		}
		seen[k] = string(raw)
		paid := int64(1)
		if n < 50 && conversion.Type(k.kind) != conversion.Refund {
			paid = 0
		}
		switch conversion.Type(k.kind) {
		case conversion.Lead:
			want.Leads++
			want.Commission += paid * leadFlat
		case conversion.Sale:
			amount, err := money.Parse(q.Get("amount"), currency)
			if err != nil {
				t.Fatal(err)
			}
			amounts[k.txn] = amount.Minor
			want.Sales++
			want.Revenue += amount.Minor
			want.Commission += paid * amount.Minor * 3 / 4
		case conversion.Refund:
			amount, known := amounts[q.Get("ref_txid")]
			if !known {
				t.Fatalf("refund of an unknown sale: %s", raw)
			}
			delete(amounts, q.Get("ref_txid")) // one refund a sale
			want.Refunds++
			want.Revenue -= amount
			if !strings.Contains(seen[key{"sale", q.Get("ref_txid")}], "program=") {
				want.Commission -= amount * 3 / 4
			}
		}
	}
	if c.booked != want || c.duplicates != duplicates || c.refused[503] != refused || c.acknowledged() != 20_000-refused {
		t.Errorf("booked %v, %d duplicates, refused %v\nwant   %v, %d, %d", c.booked, c.duplicates, c.refused, want, duplicates, refused)
	}
	if want.Leads == 0 || want.Sales == 0 || want.Refunds == 0 || duplicates == 0 || len(c.pending) != 0 {
		t.Errorf("not everything was tried: %v, %d duplicates", want, duplicates)
	}
}

func TestFilledClicks(t *testing.T) {
	v := testVisitors(t, 30)
	from := time.UnixMilli(1_770_000_000_000)
	const rows = 5000
	f, err := newFiller("http://core.example/", "token", v.world, v, from, 10*day, rows)
	if err != nil {
		t.Fatal(err)
	}
	last, visitorsByDay := int64(0), map[uint64]int64{}
	for n := range uint64(rows) {
		r := f.record(n)
		if back, err := click.Parse(string(r.Append(nil))); err != nil || back != r {
			t.Fatalf("click %d: %v", n, err)
		}
		at := r.ID.UnixMilli()
		if at < last || at < from.UnixMilli() || at >= from.Add(10*day).UnixMilli() {
			t.Fatalf("click %d at %d, after %d", n, at, last)
		}
		last = at
		if (r.Bot != click.NotBot) != v.isBot(n) || r.ProgramID != 5 || r.ID.LinkID() < 1 || r.ID.LinkID() > 30 || r.ID.AffiliateID() != (r.ID.LinkID()-1)%3+1 {
			t.Fatalf("click %d: %+v", n, r)
		}
		if before, known := visitorsByDay[r.Visitor]; known && before != at/86_400_000 {
			t.Fatalf("visitor %d is known on two days", r.Visitor)
		}
		visitorsByDay[r.Visitor] = at / 86_400_000
	}
}
