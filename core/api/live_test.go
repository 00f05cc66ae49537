package api_test

import (
	"bufio"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/live"
	"github.com/edgeref/edgeref/wire/click"
)

func liveModule(s *server) api.Module {
	h := live.New(live.Options{
		Sources: []live.Source{api.ClickSource(s.self.Reports, s.clock.Now), api.ConversionSource(s.self.Conversions), api.CommissionSource(s.self.Commissions)},
		Now:     s.clock.Now, Every: 10 * time.Millisecond,
	})
	s.t.Cleanup(h.Close)
	if s.watching == 0 {
		s.watching = time.Millisecond // the tests of all operations read them to their end
	}
	return api.Live(h, s.watching)
}

// watch opens a stream and gives its lines; the first says that it is open.
func (s *server) watch(path, bearer string) (lines <-chan string, end func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("X-Accel-Buffering") != "no" || resp.Header.Get("Cache-Control") != "no-store" {
		s.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	out := make(chan string, 100)
	go func() {
		defer close(out)
		defer resp.Body.Close()
		for scanner := bufio.NewScanner(resp.Body); scanner.Scan(); {
			out <- scanner.Text()
		}
	}()
	for line := range out {
		if line == ": watching" {
			break
		}
	}
	return out, cancel
}

// next is the next line that begins so, within a time that only a broken stream needs.
func next(t *testing.T, lines <-chan string, begin string) string {
	t.Helper()
	end := time.After(10 * time.Second)
	for {
		select {
		case line, open := <-lines:
			if !open {
				t.Fatalf("the stream ended before %q", begin)
			}
			if strings.HasPrefix(line, begin) {
				return line
			}
		case <-end:
			t.Fatalf("no %q", begin)
		}
	}
}

// events reads a stream until events with all these texts came, in whatever order, and gives all that came.
func events(t *testing.T, lines <-chan string, texts ...string) (out []string) {
	t.Helper()
	for len(texts) > 0 {
		kind := strings.TrimPrefix(next(t, lines, "event: "), "event: ")
		e := kind + next(t, lines, "data: ")
		out = append(out, e)
		texts = slices.DeleteFunc(texts, func(text string) bool { return strings.Contains(e, text) })
	}
	return out
}

func longLived(s *server) []api.Module {
	s.watching = time.Minute
	return modules(s)
}

// Everybody is told what is his and nothing else: the business all of it, money only to who may read the ledger; an
// affiliate what his lists show, as they show it; his sponsor the commission alone.
func TestLive(t *testing.T) {
	eachWith(t, longLived, func(t *testing.T, s *server) {
		sh, sponsor := s.sponsored()
		watch := func(path, bearer string) <-chan string {
			lines, end := s.watch(path, bearer)
			t.Cleanup(end)
			return lines
		}
		all, figures := watch("/api/v1/live", adminSecret), watch("/api/v1/live", s.token(access.ReportsRead))
		own := watch(mine+"/live", s.asAffiliate(7, sh.affiliate.ID))
		above := watch(mine+"/live", s.asAffiliate(8, sponsor.ID))
		stranger := s.signIn(9, func(p *access.Principal) { p.AffiliateID = s.otherAffiliate() }, access.RoleAffiliate)
		others, leave := s.watch(mine+"/live", stranger)
		s.do("POST", "/api/v1/conversions", sh.sale("o-1", 10_000)).want(http.StatusCreated)
		count := func(got []string, kind string) (n int) {
			for _, e := range got {
				if strings.HasPrefix(e, kind+"data: ") {
					n++
				}
			}
			return n
		}
		if got := events(t, all, `"txn_id":"o-1"`, sponsor.ID, `"minor":7000`); len(got) != 3 || count(got, "commission") != 2 {
			t.Errorf("the business is told %q", got)
		}
		if got := events(t, own, `"txn_id":"o-1"`, `"minor":7000`); len(got) != 2 || count(got, "commission") != 1 {
			t.Errorf("the affiliate is told %q", got)
		}
		s.do("POST", "/api/v1/conversions", sh.sale("o-2", 20_000)).want(http.StatusCreated)
		if got := events(t, above, `"minor":700,`, `"minor":1400,`); len(got) != 2 || count(got, "commission") != 2 ||
			strings.Contains(got[0]+got[1], sh.affiliate.ID) || !strings.Contains(got[0], sponsor.ID) {
			t.Errorf("his sponsor is told %q", got)
		}
		if got := events(t, own, `"txn_id":"o-2"`, `"minor":14000`); len(got) != 2 || strings.Contains(got[0]+got[1], sponsor.ID) {
			t.Errorf("the affiliate is told %q", got)
		}
		s.do("POST", "/api/v1/conversions", sh.sale("o-3", 30_000)).want(http.StatusCreated)
		if got := events(t, figures, `"txn_id":"o-3"`); count(got, "commission") != 0 {
			t.Errorf("who may not read the ledger is told %q", got)
		}
		// By now whatever he could be told was handed out.
		events(t, above, `"minor":2100,`)
		leave()
		for line := range others {
			if strings.HasPrefix(line, "event:") {
				t.Errorf("another affiliate is told %q", line)
			}
		}
	})
}

// What an affiliate is told of a click is what his list says: nothing of the visitor's network.
func TestLiveClickIsAsInTheList(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t), longLived)
	sh := s.shop()
	s.analytics.rows = []click.Record{{ID: sh.click, ProgramID: 1, Country: "IN", Network: "203.0.113.0/24"}}
	bearer := s.asAffiliate(7, sh.affiliate.ID)
	lines, end := s.watch(mine+"/live", bearer)
	defer end()
	next(t, lines, "event: click")
	data := strings.TrimPrefix(next(t, lines, "data: "), "data: ")
	s.bearer = bearer
	list := string(s.do("GET", mine+"/clicks?from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z", nil).want(http.StatusOK).body)
	if !strings.Contains(list, data) || !strings.Contains(data, `"network":""`) {
		t.Errorf("told %s, the list is %s", data, list)
	}
}

// Nobody holds more streams than he may, and a closed one makes room.
func TestLiveIsLimited(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t), longLived)
	sh := s.shop()
	own := s.asAffiliate(7, sh.affiliate.ID)
	s.bearer = own
	s.do("GET", "/api/v1/live", nil).want(http.StatusForbidden, "forbidden")
	var last func()
	for range live.MaxOfOne {
		_, end := s.watch(mine+"/live", own)
		t.Cleanup(end)
		last = end
	}
	s.do("GET", mine+"/live", nil).want(http.StatusTooManyRequests, "too_many_listeners")
	_, end := s.watch(mine+"/live", s.signIn(8, func(p *access.Principal) { p.AffiliateID = s.otherAffiliate() }, access.RoleAffiliate)) // is not counted with his
	defer end()
	last()
	// The core notices a little later that the reader has gone.
	for deadline := time.After(10 * time.Second); ; {
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+mine+"/live", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+own)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("a place that was left stays taken: %d", resp.StatusCode)
		default:
		}
	}
}
