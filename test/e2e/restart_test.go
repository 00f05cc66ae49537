package e2e

import (
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"
)

// While a node restarts behind a socket that the service manager holds, no visitor is refused and no click is lost.
func TestRestartBehindAPassedSocket(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	socket, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	dir := t.TempDir()
	env := []string{"EDGEREF_ADMIN_TOKEN=" + adminToken}
	run := func(core, ops string) *process {
		return launchOn(t, socket, env, "serve", "--data", dir, "--core-listen", core, "--ops-listen", ops)
	}
	p := run("127.0.0.1:0", "127.0.0.1:0")
	tracker := "http://" + ln.Addr().String()
	if p.tracker != tracker {
		t.Fatalf("listens on %s, not on the socket passed, %s", p.tracker, tracker)
	}
	s := newShop(t, p.core)
	s.mustClick(t, tracker)

	// Visitors come as they do: each with a connection of its own.
	visitors := &http.Client{
		Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	stop := make(chan struct{})
	var clicks sync.Map
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := visitors.Get(tracker + "/" + s.slug)
				if err != nil {
					t.Errorf("a visitor was refused: %v", err)
					return
				}
				resp.Body.Close()
				location, err := url.Parse(resp.Header.Get("Location"))
				if err != nil || resp.StatusCode != http.StatusFound || location.Query().Get("click_id") == "" {
					t.Errorf("a visitor got %d to %q (%v)", resp.StatusCode, location, err)
					return
				}
				clicks.Store(location.Query().Get("click_id"), true)
			}
		})
	}
	for range 3 {
		before := count(&clicks)
		waitFor(t, 10*time.Second, func() bool { return count(&clicks) > before+50 }, func() string { return "no traffic" })
		p.terminate()
		p = run(trimURL(p.core), trimURL(p.ops))
	}
	close(stop)
	wg.Wait()
	s.settle(t, int64(1+count(&clicks)), 0)
}

func count(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}
