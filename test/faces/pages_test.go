package faces

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/test/browser"
)

// widths are those of a telephone and of a desk.
var widths = []int64{375, 1440}

// kept says whether somebody will look at the pictures.
func kept() bool { return os.Getenv("EDGEREF_TEST_ARTEFACTS") != "" }

// TestFaces shares one business, which is a large one where pictures are kept.
func TestFaces(t *testing.T) {
	size := small
	if kept() {
		size = large
	}
	b := open(t, size)
	chromium := browser.Start(t)
	t.Run("light", func(t *testing.T) { light(t, b, chromium) })
	t.Run("story", func(t *testing.T) { story(t, b, chromium) })
	t.Run("office", func(t *testing.T) { office(t, b, chromium) })
	t.Run("pages", func(t *testing.T) { pages(t, b, chromium) })
}

// pages looks at every page that the navigation of each kind of person leads to, and at the first entry of each list: it must
// have a heading, fit a telephone, shut nobody out, log no error, and ask nobody but this machine.
func pages(t *testing.T, b *business, chromium *browser.Browser) {
	axe := readAxe(t)
	t.Run("public", func(t *testing.T) {
		tab := chromium.Open(t, b.Core, b.Tracker)
		tab.Dark(false)
		for _, path := range []string{
			"/", "/products", "/products/sales-basics", "/checkout/sales-basics", "/affiliates", "/legal/terms", "/legal/contact",
			"/account/sign-in", "/account/sign-up", "/account/forgot",
		} {
			look(t, b, tab, axe, "DEMO_PUBLIC", path, widths)
		}
	})
	shown := map[string]bool{} // to an earlier person: another sees it again on a telephone only, with what is theirs
	for _, who := range []string{"DEMO_AFFILIATE", "DEMO_NEW_AFFILIATE", "DEMO_OWNER", "DEMO_FINANCE", "DEMO_SUPPORT", "DEMO_INSTRUCTOR", "DEMO_LEARNER"} {
		t.Run(strings.ToLower(strings.TrimPrefix(who, "DEMO_")), func(t *testing.T) {
			tab := b.signIn(t, chromium, who)
			tab.Dark(false)
			tab.Problems()
			seen := map[string]bool{}
			paths := navigation(tab)
			if len(paths) == 0 {
				t.Fatal("the navigation leads nowhere")
			}
			for len(paths) > 0 {
				path := paths[0]
				paths = paths[1:]
				if seen[shape(path)] {
					continue
				}
				seen[shape(path)] = true
				tab.Viewport(1440, 900)
				tab.Go(b.Core + path)
				for _, next := range append(navigation(tab), firstEntry(b, tab, path)...) {
					if !seen[shape(next)] && !slices.Contains(paths, next) {
						paths = append(paths, next)
					}
				}
				at := widths
				if shown[shape(path)] {
					at = widths[:1]
				}
				look(t, b, tab, axe, who, path, at)
			}
			maps.Copy(shown, seen)
			t.Logf("%d pages", len(seen))
		})
	}
}

// readAxe is the source of axe-core.
func readAxe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../../core/web/app/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("axe-core is missing, run make web: %v", err)
	}
	return string(source)
}

// shape is a path without what tells one entry of a list from another.
func shape(path string) string {
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	parts := strings.Split(u.Path, "/")
	for i, part := range parts {
		if kind, id, found := strings.Cut(part, "_"); found && len(id) == 13 {
			parts[i] = kind + "_"
		}
	}
	return strings.Join(parts, "/")
}

// navigation returns where the navigation and the choice of areas lead.
func navigation(tab *browser.Tab) []string {
	return browser.Eval[[]string](tab, `[...document.querySelectorAll("nav a[href^='/app/']")].map(a => a.getAttribute("href"))`)
}

// firstEntry opens the first row of a list and returns where it leads, if to another page.
func firstEntry(b *business, tab *browser.Tab, path string) []string {
	opened := browser.Eval[bool](tab, `(() => { const row = document.querySelector("table tbody tr button"); row?.click(); return !!row })()`)
	if !opened {
		return nil
	}
	tab.Settle()
	now := strings.TrimPrefix(tab.Address(), b.Core)
	tab.Go(b.Core + path)
	if now == path {
		return nil
	}
	return []string{now}
}

// inTheDark looks at the page that is open with other colours. Only where pictures are kept: what else there is to find is found in light.
func inTheDark(t *testing.T, tab *browser.Tab, axe, path, name string) {
	t.Helper()
	tab.Dark(true)
	defer tab.Dark(false)
	tab.Settle()
	tab.Screenshot(browser.Artefact(name+"-dark"), true)
	for _, v := range tab.Axe(axe) {
		if v.Rule == "color-contrast" {
			t.Errorf("%s in the dark: %s: %s", path, v.Help, strings.Join(v.Nodes[:min(3, len(v.Nodes))], "\n\t"))
		}
	}
}

func look(t *testing.T, b *business, tab *browser.Tab, axe, who, path string, widths []int64) {
	t.Helper()
	for _, width := range widths {
		tab.Viewport(width, 900)
		tab.Go(b.Core + path)
		name := fmt.Sprintf("%s%s-%d", strings.ToLower(strings.TrimPrefix(who, "DEMO_")), path, width)
		if kept() {
			tab.Screenshot(browser.Artefact(name), true)
		}
		if wide := browser.Eval[int](tab, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
			t.Errorf("%s at %d pixels is %d pixels too wide", path, width, wide)
		}
		if n := browser.Eval[int](tab, "document.querySelectorAll('h1').length"); n != 1 {
			t.Errorf("%s has %d first headings", path, n)
		}
		if strings.Contains(tab.Text(), "There is nothing here") {
			t.Errorf("%s is in the navigation and not there", path)
		}
		if alert := browser.Eval[string](tab, `document.querySelector("[data-error]")?.innerText ?? ""`); alert != "" {
			t.Errorf("%s shows an error: %s", path, alert)
		}
		accessible(t, tab, axe, fmt.Sprintf("%s at %d pixels", path, width))
		for _, problem := range tab.Problems() {
			t.Errorf("%s at %d pixels: %s", path, width, problem)
		}
		if kept() {
			inTheDark(t, tab, axe, path, name)
		}
	}
}

// accessible finds no serious violation of axe-core's rules on the page that is shown.
func accessible(t *testing.T, tab *browser.Tab, axe, what string) {
	t.Helper()
	for _, v := range tab.Axe(axe) {
		if v.Impact == "serious" || v.Impact == "critical" {
			t.Errorf("%s: %s (%s): %s", what, v.Help, v.Rule, strings.Join(v.Nodes[:min(3, len(v.Nodes))], "\n\t"))
		}
	}
}
