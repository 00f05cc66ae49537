package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/edgeref/edgeref/test/browser"
)

// restless moves within itself once it is being left, as pages do that are still at work.
const restless = `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>A</title><h1>A</h1><script>
addEventListener("beforeunload", () => setInterval(() => { history.replaceState(null, "", "#" + Math.random()); fetch("/moved") }, 10))</script>`

// What is asked after Go is asked of the page that was gone to, which has been seen: also where the page before moves
// within itself while the next one is on its way.
func TestGoWaitsForThePage(t *testing.T) {
	moved := make(chan struct{}, 100)
	mux := http.NewServeMux()
	mux.HandleFunc("/a", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, restless) })
	mux.HandleFunc("/moved", func(http.ResponseWriter, *http.Request) {
		select {
		case moved <- struct{}{}:
		default:
		}
	})
	mux.HandleFunc("/b", func(w http.ResponseWriter, r *http.Request) {
		for range 2 { // the page before has moved meanwhile
			select {
			case <-moved:
			case <-r.Context().Done():
			}
		}
		fmt.Fprint(w, `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>B</title><h1>B</h1>`)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	tab := browser.Start(t).Open(t, server.URL)
	for range 3 {
		tab.Go(server.URL + "/a")
		for len(moved) > 0 {
			<-moved
		}
		tab.Go(server.URL + "/b")
		got := browser.Eval[string](tab, `document.title + " " + performance.getEntriesByName("first-contentful-paint").length`)
		if got != "B 1" {
			t.Fatalf("after Go the page is %q", got)
		}
	}
}
