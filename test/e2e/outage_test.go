package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// shop is a program with one affiliate and one link, made through the API.
type shop struct {
	core, program, secret, affiliate, slug string
}

func newShop(t *testing.T, core string) *shop {
	t.Helper()
	s := &shop{core: core, slug: "outage"}
	var program struct {
		ID             string `json:"id"`
		PostbackSecret string `json:"postback_secret"`
	}
	var made struct {
		ID string `json:"id"`
	}
	create := func(path string, in, out any) {
		if status := call(t, http.MethodPost, core+"/api/v1"+path, in, out); status != http.StatusCreated {
			t.Fatalf("POST %s: %d", path, status)
		}
	}
	create("/programs", map[string]any{"name": "Outage", "currency": "INR", "fallback_url": "https://shop.example.com/gone"}, &program)
	create("/commission-rules", map[string]any{"program_id": program.ID, "on": "sale", "percent_bp": 8000}, nil)
	create("/affiliates", map[string]any{"name": "Asha", "email": "asha@example.com"}, &made)
	create("/links", map[string]any{"affiliate_id": made.ID, "program_id": program.ID, "slug": s.slug, "destination": "https://shop.example.com/course"}, nil)
	s.program, s.secret, s.affiliate = program.ID, program.PostbackSecret, made.ID
	return s
}

// click follows the link and returns the Click ID, "" if there is none.
func (s *shop) click(t *testing.T, tracker string) (int, string) {
	t.Helper()
	resp, err := client.Get(tracker + "/" + s.slug)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	location, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, location.Query().Get("click_id")
}

func (s *shop) mustClick(t *testing.T, tracker string) string {
	t.Helper()
	status, id := s.click(t, tracker)
	if status != http.StatusFound || id == "" {
		t.Fatalf("link answered %d with Click ID %q", status, id)
	}
	return id
}

// sale sends one sale by postback; it must be acknowledged.
func (s *shop) sale(t *testing.T, tracker, clickID, txid string) {
	t.Helper()
	status, body := get(t, tracker+"/postback?"+url.Values{
		"click_id": {clickID}, "txid": {txid}, "amount": {"1000.00"}, "currency": {"INR"}, "secret": {s.secret},
	}.Encode())
	if status != http.StatusOK {
		t.Fatalf("postback answered %d: %s", status, body)
	}
}

type figures struct {
	Total struct {
		Clicks int64 `json:"clicks"`
		Sales  int64 `json:"sales"`
		Money  []struct {
			Revenue    int64 `json:"revenue_minor"`
			Commission int64 `json:"commission_minor"`
		} `json:"money"`
	} `json:"total"`
}

func (s *shop) report(t *testing.T) figures {
	t.Helper()
	var f figures
	q := url.Values{"from": {time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)}, "to": {time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}, "affiliate_id": {s.affiliate}}
	if status := call(t, http.MethodGet, s.core+"/api/v1/reports?"+q.Encode(), nil, &f); status != http.StatusOK {
		t.Fatalf("report: %d", status)
	}
	return f
}

// settle waits until the reports show exactly this, and fails if they show more.
func (s *shop) settle(t *testing.T, clicks, sales int64) {
	t.Helper()
	var f figures
	waitFor(t, 30*time.Second, func() bool {
		f = s.report(t)
		if f.Total.Clicks > clicks || f.Total.Sales > sales {
			t.Fatalf("reports show %d clicks and %d sales; want %d and %d", f.Total.Clicks, f.Total.Sales, clicks, sales)
		}
		return f.Total.Clicks == clicks && f.Total.Sales == sales
	}, func() string { return fmt.Sprintf("reports show %+v; want %d clicks, %d sales", f, clicks, sales) })
	if sales > 0 && (len(f.Total.Money) != 1 || f.Total.Money[0].Revenue != sales*100_000 || f.Total.Money[0].Commission != sales*80_000) {
		t.Errorf("money is %+v for %d sales of 1000.00 at 80 %%", f.Total.Money, sales)
	}
}

// With the core down and the tracker restarted, known links redirect, and what was taken is booked once afterwards.
func TestEdgeOutlivesTheCore(t *testing.T) {
	d := startDistributed(t)
	s := newShop(t, d.core.core)
	waitFor(t, 10*time.Second, func() bool { status, _ := s.click(t, d.tracker.tracker); return status == http.StatusFound },
		func() string { return "the new link never reached the tracker\n" + d.tracker.output.String() })
	before := s.mustClick(t, d.tracker.tracker)
	s.settle(t, 2, 0)

	coreArgs := d.core.cmd.Args[1:]
	for i, arg := range coreArgs {
		if arg == "--core-listen" {
			coreArgs[i+1] = trimURL(d.core.core)
		}
	}
	d.core.terminate()
	// The link is in the snapshot once the tracker has stopped in order; a kill later must find it there too.
	trackerArgs := d.tracker.cmd.Args[1:]
	d.tracker.terminate()
	d.tracker = launchUnready(t, d.env, trackerArgs...)
	during := s.mustClick(t, d.tracker.tracker)
	s.sale(t, d.tracker.tracker, before, "order-1")
	s.sale(t, d.tracker.tracker, during, "order-2")
	s.sale(t, d.tracker.tracker, during, "order-2")

	// A killed tracker keeps what it acknowledged, and still knows its links.
	d.tracker.kill()
	d.tracker = launchUnready(t, d.env, trackerArgs...)
	s.mustClick(t, d.tracker.tracker)
	s.sale(t, d.tracker.tracker, before, "order-1")

	d.core = launch(t, d.env, coreArgs...)
	s.settle(t, 4, 2)
	verifyLedger(t, d.env)
}

// An edited link is right at the edge within a second, a disabled one goes to the fallback.
func TestEditsReachTheEdgeAtOnce(t *testing.T) {
	p := embedded(t, t.TempDir())
	s := newShop(t, p.core)
	s.mustClick(t, p.tracker)
	var list struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	call(t, http.MethodGet, p.core+"/api/v1/links?affiliate_id="+s.affiliate, nil, &list)
	if len(list.Items) != 1 {
		t.Fatalf("links: %+v", list)
	}
	link := p.core + "/api/v1/links/" + list.Items[0].ID
	location := func() string {
		resp, err := client.Get(p.tracker + "/" + s.slug)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		return resp.Header.Get("Location")
	}
	for _, edit := range []struct {
		patch map[string]any
		want  string
	}{
		{map[string]any{"destination": "https://shop.example.com/new?a=1"}, "https://shop.example.com/new?a=1&click_id="},
		{map[string]any{"status": "disabled"}, "https://shop.example.com/gone"},
		{map[string]any{"status": "active"}, "https://shop.example.com/new?a=1&click_id="},
	} {
		if status := call(t, http.MethodPatch, link, edit.patch, nil); status != http.StatusOK {
			t.Fatalf("PATCH %v: %d", edit.patch, status)
		}
		got := ""
		waitFor(t, time.Second, func() bool { got = location(); return len(got) >= len(edit.want) && got[:len(edit.want)] == edit.want },
			func() string { return fmt.Sprintf("after %v the link leads to %q", edit.patch, got) })
	}
}

// With ClickHouse down from before the start, tracker and core start, redirect and book; figures follow when it is up.
func TestStartWithoutClickHouse(t *testing.T) {
	d := startDistributed(t)
	s := newShop(t, d.core.core)
	waitFor(t, 10*time.Second, func() bool { status, _ := s.click(t, d.tracker.tracker); return status == http.StatusFound },
		func() string { return "the new link never reached the tracker\n" + d.tracker.output.String() })
	s.settle(t, 1, 0)
	coreArgs, trackerArgs := d.core.cmd.Args[1:], d.tracker.cmd.Args[1:]
	d.tracker.terminate()
	d.core.terminate()
	d.clicks.Kill(t)
	for i, arg := range coreArgs {
		if arg == "--core-listen" {
			coreArgs[i+1] = trimURL(d.core.core)
		}
	}
	d.core = launch(t, d.env, coreArgs...)
	d.tracker = launch(t, d.env, trackerArgs...)
	s.sale(t, d.tracker.tracker, s.mustClick(t, d.tracker.tracker), "order-1")
	waitFor(t, 10*time.Second, func() bool {
		var list struct {
			Items []struct{} `json:"items"`
		}
		call(t, http.MethodGet, s.core+"/api/v1/conversions?txn_id=order-1", nil, &list)
		return len(list.Items) == 1
	}, func() string { return "the sale is not booked while ClickHouse is down\n" + d.core.output.String() })
	d.clicks.Restart(t)
	s.settle(t, 2, 1)
}
