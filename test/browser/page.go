package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// look is how often a condition is looked at again.
const look = 25 * time.Millisecond

func (tab *Tab) prepare() {
	tab.t.Helper()
	call(tab, log.Enable, cdp.Empty{})
	call(tab, network.Enable, network.EnableParams{})
	call(tab, accessibility.Enable, cdp.Empty{})
	call(tab, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}) // tabs behind others are drawn too
	call(tab, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "en_IN"})
	call(tab, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kolkata"})
}

// call runs a command of the protocol, and fails the test if it fails.
func call[P, R any](tab *Tab, command cdp.Command[P, R], params P) R {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, Timeout)
	defer cancel()
	answer, err := chromedp.Call(ctx, command, params)
	if err != nil {
		tab.t.Fatalf("%s: %v", command.Method, err)
	}
	return answer
}

// Do runs steps of chromedp.
func (tab *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, Timeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tab.t.Fatalf("in the browser: %v", err)
	}
}

// Go opens an address and waits until the page has nothing more to load. A page that was still at work before, and moves
// within itself meanwhile, is not taken for the one that was asked for.
func (tab *Tab) Go(address string) {
	tab.t.Helper()
	answer := call(tab, page.Navigate, page.NavigateParams{URL: address})
	if answer.ErrorText != "" {
		tab.t.Fatalf("open %s: %s", address, answer.ErrorText)
	}
	if answer.LoaderID != "" { // empty where only the part behind # differs
		tab.Wait("the page "+address, func() bool {
			tab.mu.Lock()
			defer tab.mu.Unlock()
			_, shown := tab.shown[answer.LoaderID]
			return shown
		})
	}
	tab.Settle()
}

// idle waits until the page has nothing to do, and says what it still lacks: what an answer leads to has begun by then.
//
// A page that draws all the time is never idle; half a second of its work is then enough. A paint is known only once it
// was seen, which may be after the page is idle.
const idle = `new Promise(done => requestIdleCallback(() => setTimeout(() => requestIdleCallback(() => done(
	document.readyState !== "complete" ? "it is loading" :
	performance.getEntriesByName("first-contentful-paint").length === 0 ? "it has painted nothing" : ""
), {timeout: 500})), {timeout: 500}))`

// rounds is how often in a row the page must be found idle, with no request under way.
const rounds = 3

// Settle waits until no request is under way and the page has nothing to do.
func (tab *Tab) Settle() {
	tab.t.Helper()
	deadline := time.NewTimer(Timeout)
	defer deadline.Stop()
	for quiet := 0; quiet < rounds; {
		tab.mu.Lock()
		waiting, changed := len(tab.pending), tab.quiet
		tab.mu.Unlock()
		if waiting == 0 && tab.isIdle() {
			quiet++
			continue
		}
		quiet = 0
		if waiting == 0 {
			changed = nil
		}
		select {
		case <-changed:
		case <-time.After(look):
		case <-deadline.C:
			tab.mu.Lock()
			waiting := fmt.Sprint(tab.pending)
			tab.mu.Unlock()
			tab.t.Fatalf("%s is not done after %v (%v); requests without an answer: %s; the page says:\n%s", tab.Address(), Timeout, tab.unrest, waiting, tab.Text())
		}
	}
}

// isIdle waits until the page has nothing to do; false if it has not come so far, or went elsewhere meanwhile.
func (tab *Tab) isIdle() bool {
	ctx, cancel := context.WithTimeout(tab.ctx, Timeout/4)
	defer cancel()
	lacks, err := chromedp.Run(ctx, chromedp.Evaluate[string](idle, chromedp.EvalAwaitPromise))
	if err == nil && lacks != "" {
		err = errors.New(lacks)
	}
	tab.unrest = err
	return err == nil
}

// Eval returns the value of an expression in the page; promises are waited for.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, 3*Timeout)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatalf("evaluate %.80s: %v", expression, err)
	}
	return value
}

// Wait waits until a condition holds.
func (tab *Tab) Wait(what string, condition func() bool) {
	tab.t.Helper()
	deadline := time.Now().Add(Timeout)
	tick := time.NewTicker(look)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			tab.Screenshot(filepath.Join(artefacts(), "failure-"+safe(tab.t.Name())+".png"), true)
			tab.t.Fatalf("waited in vain for %s at %s; the page says:\n%s", what, tab.Address(), tab.Text())
		}
		<-tick.C
	}
}

// Address is that of the page; empty while it goes elsewhere.
func (tab *Tab) Address() string { return tab.say("location.href") }

// Text is what the page says; empty while it goes elsewhere.
func (tab *Tab) Text() string { return tab.say(`document.body?.innerText ?? ""`) }

func (tab *Tab) say(expression string) string {
	ctx, cancel := context.WithTimeout(tab.ctx, Timeout)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		return ""
	}
	return text
}

// WaitText waits until the page says something.
func (tab *Tab) WaitText(text string) {
	tab.t.Helper()
	tab.Wait(fmt.Sprintf("the words %q", text), func() bool { return strings.Contains(tab.Text(), text) })
}

// WaitAddress waits until the page's address holds something.
func (tab *Tab) WaitAddress(part string) {
	tab.t.Helper()
	tab.Wait("an address with "+part, func() bool { return strings.Contains(tab.Address(), part) })
	tab.Settle()
}

// Viewport sets the size of the window, in CSS pixels.
func (tab *Tab) Viewport(width, height int64) {
	tab.t.Helper()
	var options []chromedp.EmulateViewportOption
	if width < 600 {
		options = append(options, chromedp.EmulateMobile)
	}
	tab.Do(chromedp.EmulateViewport(width, height, options...))
}

// Dark makes the reader prefer dark pages, or light ones.
func (tab *Tab) Dark(dark bool) {
	tab.t.Helper()
	value := "light"
	if dark {
		value = "dark"
	}
	call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: value}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// ClearCache forgets what was loaded before.
func (tab *Tab) ClearCache() {
	tab.t.Helper()
	call(tab, network.ClearBrowserCache, cdp.Empty{})
}

// Screenshot keeps a picture of the window, or of the whole page.
func (tab *Tab) Screenshot(path string, whole bool) {
	tab.t.Helper()
	shoot := chromedp.CaptureScreenshot()
	if whole {
		shoot = chromedp.FullScreenshot(100)
	}
	ctx, cancel := context.WithTimeout(tab.ctx, Timeout)
	defer cancel()
	picture, err := chromedp.Run(ctx, shoot)
	if err != nil {
		tab.t.Fatalf("take a picture: %v", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tab.t.Fatal(err)
	}
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		tab.t.Fatal(err)
	}
}

// Node is one thing on the page.
type Node struct {
	tab  *Tab
	id   cdp.BackendNodeID
	name string
}

// All returns the things of a role whose names are name, or all of the role.
func (tab *Tab) All(role, name string) []Node {
	tab.t.Helper()
	root := call(tab, dom.GetDocument, dom.GetDocumentParams{}).Root
	answer, err := chromedp.Call(tab.ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{BackendNodeID: root.BackendNodeID, Role: role, AccessibleName: name})
	if err != nil {
		return nil // the document changed under it
	}
	var found []Node
	for _, n := range answer.Nodes {
		if !n.Ignored && n.BackendDOMNodeID != 0 {
			found = append(found, Node{tab, n.BackendDOMNodeID, nameOf(n)})
		}
	}
	return found
}

func nameOf(n *accessibility.Node) (name string) {
	if n.Name != nil {
		_ = json.Unmarshal(n.Name.Value, &name) // no text, no name
	}
	return name
}

// Find waits for the thing of a role with a name; the first, if there are several.
func (tab *Tab) Find(role, name string) Node {
	tab.t.Helper()
	var found []Node
	tab.Wait(fmt.Sprintf("a %s named %q", role, name), func() bool { found = tab.All(role, name); return len(found) > 0 })
	return found[0]
}

// Click clicks the thing of a role with a name, where it is.
func (tab *Tab) Click(role, name string) {
	tab.t.Helper()
	// It may move, or be drawn anew, between being found and being clicked.
	tab.Wait(fmt.Sprintf("a %s named %q that can be clicked", role, name), func() bool {
		found := tab.All(role, name)
		return len(found) > 0 && found[0].click() == nil
	})
	tab.Settle()
}

// ClickLast clicks the last of several: the one in a dialog, which is behind the page's own in the document.
func (tab *Tab) ClickLast(role, name string) {
	tab.t.Helper()
	tab.Wait(fmt.Sprintf("a %s named %q that can be clicked", role, name), func() bool {
		found := tab.All(role, name)
		return len(found) > 0 && found[len(found)-1].click() == nil
	})
	tab.Settle()
}

// ClickStarting clicks the first thing of a role whose name begins with a text.
func (tab *Tab) ClickStarting(role, beginning string) {
	tab.t.Helper()
	tab.Wait(fmt.Sprintf("a %s whose name begins with %q", role, beginning), func() bool {
		for _, n := range tab.All(role, "") {
			if strings.HasPrefix(n.name, beginning) && n.click() == nil {
				return true
			}
		}
		return false
	})
	tab.Settle()
}

// Select takes an option of a native choice.
func (tab *Tab) Select(label, option string) {
	tab.t.Helper()
	n := tab.Find("combobox", label)
	call(tab, dom.Focus, dom.FocusParams{BackendNodeID: n.id})
	chosen := Eval[bool](tab, fmt.Sprintf(`(() => { const s = document.activeElement, o = [...s.options].find(o => o.text === %q);
		if (o) { s.value = o.value; s.dispatchEvent(new Event("change", {bubbles: true})) } return !!o })()`, option))
	if !chosen {
		tab.t.Fatalf("%s offers no %q", label, option)
	}
}

// Fill puts a text into the field with a label.
func (tab *Tab) Fill(label, text string) {
	tab.t.Helper()
	tab.fill(tab.Find("textbox", label), text)
}

func (tab *Tab) fill(n Node, text string) {
	tab.t.Helper()
	call(tab, dom.Focus, dom.FocusParams{BackendNodeID: n.id})
	tab.Do(chromedp.Evaluate[chromedp.Void]("document.activeElement.select && document.activeElement.select()"))
	if text == "" {
		tab.Do(chromedp.KeyEvent("\b"))
		return
	}
	tab.Do(chromedp.KeyEvent(text))
}

// Upload gives a file to the field for files at a place among those of the page, as if it had been chosen.
func (tab *Tab) Upload(place int, path string) {
	tab.t.Helper()
	root := call(tab, dom.GetDocument, dom.GetDocumentParams{}).Root
	found := call(tab, dom.QuerySelectorAll, dom.QuerySelectorAllParams{NodeID: root.NodeID, Selector: `input[type="file"]`}).NodeIDs
	if place >= len(found) {
		tab.t.Fatalf("the page has %d fields for files", len(found))
	}
	call(tab, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{path}, NodeID: found[place]})
}

// Slow lets the page send no more than so many bytes a second; 0: as many as it can.
func (tab *Tab) Slow(upload int) {
	tab.t.Helper()
	conditions := []*network.Conditions{}
	if upload > 0 {
		conditions = append(conditions, &network.Conditions{DownloadThroughput: -1, UploadThroughput: float64(upload)})
	}
	call(tab, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: conditions})
}

// Escape presses the key that closes what is open above the page.
func (tab *Tab) Escape() {
	tab.t.Helper()
	tab.Do(chromedp.KeyEvent(kb.Escape))
	tab.Settle()
}

// Choose opens the choice with a label and takes an option.
func (tab *Tab) Choose(label, option string) {
	tab.t.Helper()
	tab.Wait(fmt.Sprintf("a choice labelled %q", label), func() bool {
		for _, role := range []string{"combobox", "textbox"} {
			if found := tab.All(role, label); len(found) > 0 && found[0].click() == nil {
				return true
			}
		}
		return false
	})
	tab.Settle() // the list opens
	tab.Click("option", option)
}

func (n Node) click() error {
	ctx, cancel := context.WithTimeout(n.tab.ctx, Timeout)
	defer cancel()
	if _, err := chromedp.Call(ctx, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: n.id}); err != nil {
		return err
	}
	answer, err := chromedp.Call(ctx, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: n.id})
	if err != nil {
		return err
	}
	if len(answer.Quads) == 0 {
		return fmt.Errorf("it has no place on the page")
	}
	q := answer.Quads[0]
	return chromedp.Do(ctx, chromedp.MouseClickXY((q[0]+q[2]+q[4]+q[6])/4, (q[1]+q[3]+q[5]+q[7])/4))
}

// artefacts is where pictures are kept: EDGEREF_TEST_ARTEFACTS, or a directory that is forgotten.
func artefacts() string {
	if dir := os.Getenv("EDGEREF_TEST_ARTEFACTS"); dir != "" {
		return dir
	}
	return filepath.Join(os.TempDir(), "edgeref-pages")
}

// Artefact is the path of a picture that is kept for people to look at.
func Artefact(name string) string { return filepath.Join(artefacts(), safe(name)+".png") }

func safe(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, name), "-")
}

// Violation is something on a page that keeps people out (axe-core's rules).
type Violation struct {
	Rule   string   `json:"id"`
	Impact string   `json:"impact"` // minor, moderate, serious, critical
	Help   string   `json:"help"`
	Nodes  []string `json:"nodes"`
}

// Axe returns what axe-core, whose source is given, finds on the page.
func (tab *Tab) Axe(source string) []Violation {
	tab.t.Helper()
	tab.Do(chromedp.Evaluate[chromedp.Void](source + "\n;void 0"))
	return Eval[[]Violation](tab, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v => ({
		id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.map(n => n.html.slice(0, 300) + " " + (n.any[0] || n.all[0] || n.none[0] || {}).message)})))`)
}
