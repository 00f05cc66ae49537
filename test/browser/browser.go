// Package browser drives the system's Chromium for tests, as a person uses it: things are found by the role and the name that a
// screen reader tells, clicked where they are, and typed into. What goes wrong in the page is kept: errors of the
// console, exceptions, requests to elsewhere.
package browser

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Timeout bounds everything that is waited for in a page.
const Timeout = 20 * time.Second

// Browser is a running Chromium with a profile of its own, which ends with the test.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Start starts Chromium. Without one the test is skipped, or fails where EDGEREF_TEST_REQUIRE is set.
func Start(t testing.TB) *Browser {
	t.Helper()
	path := find()
	if path == "" {
		if os.Getenv("EDGEREF_TEST_REQUIRE") != "" {
			t.Fatal("Chromium is missing: run make test-deps")
		}
		t.Skip("Chromium is missing: run make test-deps")
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("lang", "en-IN"), chromedp.Flag("accept-lang", "en-IN"), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true),
	)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		cancel()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return &Browser{t: t, ctx: ctx}
}

// find looks for the browser: EDGEREF_TEST_CHROMIUM, or what distributions call it.
func find() string {
	if path := os.Getenv("EDGEREF_TEST_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Tab is a window of somebody who has nothing in common with other tabs: no cookies, no storage. Its methods fail the test;
// they are for the test's goroutine.
type Tab struct {
	t     testing.TB
	ctx   context.Context
	hosts []string // may be asked

	unrest error // why the page could not be asked last, if so

	mu       sync.Mutex
	problems []string
	shown    map[cdp.LoaderID]struct{}     // pages that were begun to be shown
	pending  map[network.RequestID]request // without an answer
	quiet    chan struct{}                 // closed and made anew when pending changes
}

// Open opens a tab that may talk to the given base URLs and nobody else.
func (b *Browser) Open(t testing.TB, bases ...string) *Tab {
	t.Helper()
	tab := &Tab{t: t, shown: map[cdp.LoaderID]struct{}{}, pending: map[network.RequestID]request{}, quiet: make(chan struct{})}
	for _, base := range bases {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		tab.hosts = append(tab.hosts, u.Host)
	}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tab.listen))
	t.Cleanup(cancel)
	tab.ctx = ctx
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open tab: %v", err)
	}
	tab.prepare()
	return tab
}

type request struct {
	address string
	page    cdp.LoaderID // whose it is
}

func (tab *Tab) listen(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		tab.sent(e)
	case *page.EventFrameNavigated:
		if e.Frame.ParentID == "" {
			tab.shown[e.Frame.LoaderID] = struct{}{}
			tab.left(e.Frame.LoaderID)
		}
	case *network.EventLoadingFinished:
		tab.answered(e.RequestID)
	case *network.EventLoadingFailed:
		tab.answered(e.RequestID)
	case *network.EventResponseReceived:
		if e.Response.MimeType == "text/event-stream" {
			tab.answered(e.RequestID) // it never ends
		}
	case *runtime.EventExceptionThrown:
		d := e.ExceptionDetails
		text := d.Text
		if d.Exception != nil {
			text += " " + d.Exception.Description
		}
		tab.problems = append(tab.problems, "exception: "+text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			var words []string
			for _, arg := range e.Args {
				words = append(words, string(arg.Value)+arg.Description)
			}
			tab.problems = append(tab.problems, "console: "+strings.Join(words, " "))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			tab.problems = append(tab.problems, fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL))
		}
	}
}

func (tab *Tab) sent(e *network.EventRequestWillBeSent) {
	u, err := url.Parse(e.Request.URL)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "ws" || u.Scheme == "wss") && !slices.Contains(tab.hosts, u.Host) {
		tab.problems = append(tab.problems, "request to elsewhere: "+e.Request.URL)
	}
	if err == nil && strings.HasPrefix(u.Scheme, "http") {
		tab.pending[e.RequestID] = request{e.Request.URL, e.LoaderID}
	}
}

// left forgets what the page before waited for: nobody tells what became of it.
func (tab *Tab) left(now cdp.LoaderID) {
	for id, r := range tab.pending {
		if r.page != now {
			tab.answered(id)
		}
	}
}

func (tab *Tab) answered(id network.RequestID) {
	delete(tab.pending, id)
	close(tab.quiet)
	tab.quiet = make(chan struct{})
}

// Problems returns what went wrong in the page since it was last asked.
func (tab *Tab) Problems() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	found := tab.problems
	tab.problems = nil
	return found
}
