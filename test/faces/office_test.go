package faces

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/test/browser"
	"github.com/edgeref/edgeref/test/system"
)

// office does what the back office does least often and must not get wrong: webhooks, tokens, people and what they may, their
// sign-ins, mails, materials, looks at others. Each dialog is pictured, and looked at with the rules for access.
func office(t *testing.T, b *business, chromium *browser.Browser) {
	o := &officer{business: b, t: t, axe: readAxe(t)}
	o.Tab = b.signIn(t, chromium, "DEMO_OWNER")
	o.Dark(false)
	o.webhook()
	o.tokens()
	o.mail()
	o.material()
	o.people(chromium)
	o.looks()
	for _, problem := range o.Problems() {
		t.Error(problem)
	}
}

// officer is an owner at a desk.
type officer struct {
	*business
	*browser.Tab
	t   *testing.T
	axe string
}

// picture looks at what is shown, and where pictures are kept, keeps it as it is on a telephone and at a desk.
func (o *officer) picture(name string) {
	o.t.Helper()
	if os.Getenv("EDGEREF_TEST_ARTEFACTS") == "" {
		accessible(o.t, o.Tab, o.axe, name)
		return
	}
	o.Viewport(375, 900)
	o.Settle()
	o.Screenshot(browser.Artefact("office-"+name+"-375"), false)
	if wide := browser.Eval[int](o.Tab, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
		o.t.Errorf("%s on a telephone is %d pixels too wide", name, wide)
	}
	o.Viewport(1440, 900)
	o.Settle()
	o.Screenshot(browser.Artefact("office-"+name+"-1440"), false)
	accessible(o.t, o.Tab, o.axe, name)
}

// confirm gives the reason that a dialog asks for, presses its button, and waits until it is done.
func (o *officer) confirm(action, reason string) {
	o.t.Helper()
	if reason != "" {
		o.Fill("Reason", reason)
	}
	before := o.dialogs()
	o.ClickLast("button", action)
	o.Wait("the dialog to close", func() bool { return o.dialogs() < before })
}

func (o *officer) dialogs() int {
	return browser.Eval[int](o.Tab, `document.querySelectorAll("[role=dialog]").length`)
}

// deed opens an entry of a menu. A dialog that has just closed may close the menu with it, which is then opened again.
func (o *officer) deed(menu, entry string) {
	o.t.Helper()
	o.Wait("the menu "+menu, func() bool {
		o.Click("button", menu)
		return len(o.All("menuitem", entry)) > 0
	})
	o.Click("menuitem", entry)
}

// webhook makes one, sends a test, reads its log, sends it again, and lets it rest.
func (o *officer) webhook() {
	o.Go(o.Core + "/app/admin/webhooks")
	o.Click("button", "New webhook")
	o.picture("webhook-new")
	o.Fill("Address", "https://crm.reader.example/hook")
	o.Fill("What it is for", "Our CRM")
	o.ClickLast("button", "Create")
	o.WaitText("The secret of the webhook")
	o.picture("webhook-secret")
	o.Click("button", "I have kept it")
	o.Find("heading", "Our CRM")
	o.Click("button", "Send a test")
	o.WaitText("What came back")
	o.WaitText("200")
	o.picture("webhook-test")
	o.Escape()
	o.Wait("what was open to close", func() bool { return o.dialogs() == 0 })
	o.Click("button", "A test")
	o.WaitText("What was sent")
	o.picture("webhook-delivery")
	o.Click("button", "Send again")
	o.picture("webhook-replay")
	o.confirm("Send again", "")
	o.Wait("a second attempt in the log", func() bool {
		return browser.Eval[int](o.Tab, `document.querySelectorAll("[aria-label='What was sent'] tr").length`) > 1
	})
	o.Escape()
	o.Wait("what was open to close", func() bool { return o.dialogs() == 0 })
	o.deed("More", "Disable")
	o.picture("webhook-disable")
	o.confirm("Disable", "")
	o.WaitText("It is disabled: nothing is sent.")
	o.deed("More", "Enable")
	o.confirm("Enable", "")
	o.Wait("the webhook to be active again", func() bool { return !strings.Contains(o.Text(), "It is disabled") })
	o.picture("webhook")
}

var tokenSecret = regexp.MustCompile(`ert_[A-Za-z0-9_-]+`)

// tokens makes one, sees its secret once, and revokes it; and registers a program for people.
func (o *officer) tokens() {
	o.Go(o.Core + "/app/admin/tokens")
	o.Click("button", "New token")
	o.picture("token-new")
	o.Fill("Name", "status board")
	o.Click("checkbox", "Read how trackers, stores and queues are")
	o.ClickLast("button", "Create")
	o.WaitText("The secret of status board")
	o.picture("token-secret")
	secret := tokenSecret.FindString(o.Text())
	if got := o.status("/api/v1/system", secret); got != http.StatusOK {
		o.t.Errorf("the new token is answered %d", got)
	}
	o.Click("button", "I have kept it")
	o.Find("button", "Revoke status board")
	if strings.Contains(o.Text(), secret) {
		o.t.Error("the secret is shown twice")
	}
	o.Click("button", "Revoke status board")
	o.picture("token-revoke")
	o.confirm("Revoke", "")
	o.Wait("the token to be gone", func() bool { return len(o.All("button", "Revoke status board")) == 0 })
	if got := o.status("/api/v1/system", secret); got != http.StatusUnauthorized {
		o.t.Errorf("the revoked token is answered %d", got)
	}
	o.Click("tab", "OAuth clients")
	o.ClickLast("button", "New client")
	o.picture("client-new")
	o.Fill("Name", "Partner app")
	o.Fill("Where it may return to", "https://app.reader.example/callback")
	o.ClickLast("button", "Create")
	o.Click("button", "Disable Partner app")
	o.picture("client-disable")
	o.confirm("Disable", "")
	o.WaitText("Disabled")
	o.picture("clients")
}

// status is the answer of the API to whoever has a token.
func (o *officer) status(path, token string) int {
	o.t.Helper()
	req, err := http.NewRequestWithContext(o.t.Context(), http.MethodGet, o.Core+path, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := system.NewClient().Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func (o *officer) mail() {
	o.Go(o.Core + "/app/admin/mails")
	o.open()
	o.picture("mail")
	o.Click("button", "Send again")
	o.picture("mail-again")
	o.ClickLast("button", "Send again")
	o.WaitText("No mail server is configured") // the demo has none, and says so
	o.ClickLast("button", "Cancel")
	for _, problem := range o.Problems() {
		if !strings.Contains(problem, "/resend") {
			o.t.Error(problem)
		}
	}
}

// open opens the first entry of the list.
func (o *officer) open() {
	o.t.Helper()
	o.Wait("an entry", func() bool {
		return browser.Eval[bool](o.Tab, `(() => { const row = document.querySelector("table tbody tr button"); row?.click(); return !!row })()`)
	})
	o.Settle()
}

// material makes a text, changes it, and stops the upload of a picture.
func (o *officer) material() {
	o.Go(o.Core + "/app/admin/materials")
	o.Click("button", "New material")
	path := filepath.Join(o.t.TempDir(), "banner.png")
	if err := os.WriteFile(path, bytes.Repeat([]byte("not yet a picture "), 200_000), 0o600); err != nil {
		o.t.Fatal(err)
	}
	o.Slow(100_000)
	o.Upload(0, path)
	o.WaitText("Sending banner.png")
	o.Screenshot(browser.Artefact("office-material-upload-1440"), false)
	o.ClickLast("button", "Cancel")
	o.Wait("the upload to be stopped", func() bool { return !strings.Contains(o.Text(), "Sending banner.png") })
	o.Slow(0)
	o.Choose("Kind", "Text ad")
	o.Fill("Name", "Short praise")
	o.Fill("Text", "Learn to sell with {name}: {link}")
	o.picture("material-new")
	o.ClickLast("button", "Create")
	o.Click("button", "Short praise")
	o.Fill("Name", "Longer praise")
	o.picture("material-edit")
	o.ClickLast("button", "Save")
	o.Find("button", "Longer praise")
	o.picture("materials")
}

// people invites somebody, gives him roles, ends his sign-ins, suspends him, lets him in again, and erases him.
func (o *officer) people(chromium *browser.Browser) {
	const email = "ravi@reader.example"
	o.Go(o.Core + "/app/admin/people")
	o.Click("button", "Invite")
	o.Fill("E-mail address", email)
	o.Fill("Name", "Ravi Menon")
	o.picture("person-invite")
	o.confirm("Invite", "")
	// He signs in at two places.
	var at [2]*browser.Tab
	for i := range at {
		at[i] = chromium.Open(o.t, o.Core, o.Tracker)
		at[i].Viewport(1440, 900)
	}
	at[0].Go(o.mailedLink(email))
	at[0].Fill("Password", newPassword)
	at[0].Fill("The same once more", newPassword)
	at[0].Click("button", "Save password")
	o.enter(at[0], email, newPassword)
	o.enter(at[1], email, newPassword)

	o.Go(o.Core + "/app/admin/people")
	o.Click("button", "Ravi Menon")
	o.deed("Change", "Change roles")
	o.Click("checkbox", "Instructor")
	o.picture("person-roles")
	o.confirm("Save", "teaches too")
	o.WaitText("Instructor")
	o.picture("person")

	o.ClickStarting("button", "End the sign-in with") // the newest
	o.picture("person-session")
	o.confirm("End", "lost telephone")
	o.WaitText("Person: session end")
	at[1].Click("link", "System")
	at[1].WaitText("Your session has ended")
	at[1].Click("button", "Sign in")
	at[1].WaitAddress("/account/sign-in")
	at[0].Click("link", "System")
	at[0].Find("heading", "System")
	o.Click("button", "Sign out everywhere")
	o.picture("person-sessions")
	o.confirm("Sign out everywhere", "to be sure")
	o.WaitText("Person: sessions end")
	at[0].Go(at[0].Address())
	at[0].WaitAddress("/account/sign-in")

	o.deed("Change", "Suspend")
	o.picture("person-suspend")
	o.confirm("Suspend", "on leave")
	o.WaitText("Suspended")
	o.deed("Change", "Activate")
	o.picture("person-activate")
	o.confirm("Activate", "is back")
	o.WaitText("Active")
	o.deed("Change", "Erase")
	o.picture("person-erase")
	o.Fill("Type the address "+email+" to go on", email)
	o.confirm("Erase", "asked for by letter")
	o.WaitText("This person was erased.")
	o.picture("person-erased")
}

// looks looks at an affiliate's pages, where nothing can be changed, and comes back.
func (o *officer) looks() {
	var list struct {
		Items []struct{ ID string }
	}
	o.get("/api/v1/people?email="+o.env["DEMO_AFFILIATE"], &list)
	if len(list.Items) != 1 {
		o.t.Fatalf("%d people", len(list.Items))
	}
	o.Go(o.Core + "/app/admin/people/" + list.Items[0].ID)
	o.Click("button", "View as")
	o.picture("view-as")
	o.Fill("Why do you need to look?", "ticket 17")
	o.ClickLast("button", "View as")
	o.WaitText("Nothing can be changed.")
	o.picture("viewing")
	o.Click("link", "Links")
	o.Find("heading", "Links")
	o.picture("viewing-links")
	if len(o.All("button", "New link")) > 0 {
		o.t.Error("who looks is offered to make links")
	}
	o.Click("button", "Back to your own")
	o.WaitAddress("/app/")
	o.Wait("his own pages", func() bool {
		return !strings.Contains(o.Text(), "Nothing can be changed.") && strings.Contains(o.Text(), "Back office")
	})
}
