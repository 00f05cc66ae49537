package faces

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/test/browser"
	"github.com/edgeref/edgeref/test/system"
)

const (
	newPassword = "seven lanterns over quiet water"
	payeeName   = "Asha Verma" // DEMO_AFFILIATE, who has earned for long
)

// story is the business's main story, as its people live it: somebody applies, is approved and shares a link; a visitor
// clicks and buys; the affiliate sees the commission and why; finance refunds what is not wanted; an affiliate asks for what is due, and is
// paid.
func story(t *testing.T, b *business, chromium *browser.Browser) {
	admin := b.signIn(t, chromium, "DEMO_ADMIN")
	affiliate := b.apply(t, chromium, "Meera Nair", "meera@reader.example")
	approve(b, admin, "Meera Nair")
	b.enter(affiliate, "meera@reader.example", newPassword)
	link := b.makeLink(affiliate, b.Core+"/products/sales-basics")
	order := b.buy(t, chromium, link, "Kiran Rao", "kiran@buyer.example")
	seesWhy(t, b, affiliate)
	refund(b, admin, order)
	affiliate.Go(b.Core + "/app/affiliate/commissions")
	affiliate.WaitText("Reversed")
	payee := b.ask(t, chromium)
	b.pay(t, chromium)
	seesPayout(b, payee)
	for who, tab := range map[string]*browser.Tab{"admin": admin, "affiliate": affiliate, "payee": payee} {
		for _, problem := range tab.Problems() {
			t.Errorf("%s: %s", who, problem)
		}
	}
	if out, problems, err := system.Run(t, binary, nil, "core", "verify-ledger", "--data", b.data); err != nil {
		t.Errorf("verify-ledger: %v\n%s%s", err, out, problems)
	}
}

// apply signs up as an affiliate by the public pages, without a sponsor, and signs in.
func (b *business) apply(t testing.TB, chromium *browser.Browser, name, email string) *browser.Tab {
	t.Helper()
	tab := chromium.Open(t, b.Core, b.Tracker)
	tab.Viewport(375, 812)
	tab.Go(b.Core + "/affiliates")
	tab.Click("link", "Apply as an affiliate")
	tab.Fill("Name", name)
	tab.Fill("E-mail address", email)
	tab.Click("button", "Send me the link")
	tab.WaitText("mail")
	tab.Go(b.mailedLink(email))
	tab.Fill("Password", newPassword)
	tab.Fill("The same once more", newPassword)
	tab.Click("button", "Save password")
	return tab
}

var accountLink = regexp.MustCompile(`https?://[^\s"<]+/account/password\?[^\s"<]+`)

// mailedLink is the link of the newest mail to somebody that lets him choose a password.
func (b *business) mailedLink(email string) string {
	b.T.Helper()
	var link string
	system.WaitFor(b.T, browser.Timeout, func() bool {
		var list struct {
			Items []struct{ ID string }
		}
		b.get("/api/v1/mails?to="+url.QueryEscape(email), &list)
		if len(list.Items) == 0 {
			return false
		}
		var mail struct{ Text string }
		b.get("/api/v1/mails/"+list.Items[0].ID, &mail)
		link = accountLink.FindString(mail.Text)
		return link != ""
	}, func() string { return "no mail with a link came to " + email })
	return link
}

// get asks the API as a machine that may do everything.
func (b *business) get(path string, into any) {
	b.T.Helper()
	req, err := http.NewRequest(http.MethodGet, b.Core+path, nil)
	if err != nil {
		b.T.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+b.env["EDGEREF_ADMIN_TOKEN"])
	res, err := system.NewClient().Do(req)
	if err != nil {
		b.T.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		b.T.Fatalf("GET %s: %d %s %v", path, res.StatusCode, body, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		b.T.Fatal(err)
	}
}

func approve(b *business, admin *browser.Tab, name string) {
	admin.Go(b.Core + "/app/admin/affiliates?status=pending")
	admin.Click("button", name)
	admin.WaitText(name)
	admin.Click("button", "Approve")
	admin.ClickLast("button", "Approve") // in the dialog
	admin.WaitText(name + " is approved.")
}

// makeLink makes a link to a page of the shop by the dialog, and returns where it answers.
func (b *business) makeLink(affiliate *browser.Tab, destination string) string {
	affiliate.Go(b.Core + "/app/affiliate/links")
	affiliate.Click("button", "New link")
	affiliate.Choose("Program", "Nimbak courses")
	affiliate.Fill("Leads to", destination)
	affiliate.Fill("Short name", "meera-sales")
	affiliate.ClickLast("button", "Make link")
	affiliate.Click("button", "Done") // it is made, and its address was shown
	affiliate.Find("button", "meera-sales")
	return b.Tracker + "/meera-sales"
}

// buy follows a link as a visitor, buys what it leads to without an account, and returns the order's number.
func (b *business) buy(t *testing.T, chromium *browser.Browser, link, name, email string) string {
	t.Helper()
	tab := chromium.Open(t, b.Core, b.Tracker)
	tab.Viewport(375, 812)
	tab.Go(link)
	tab.WaitAddress("/products/sales-basics")
	if !strings.Contains(tab.Address(), "click_id=") {
		t.Fatalf("the click came without its id: %s", tab.Address())
	}
	tab.Click("link", "Buy now")
	tab.Fill("Name", name)
	tab.Fill("E-mail address", email)
	tab.Select("State", "Karnataka")
	tab.ClickStarting("button", "Pay ₹")
	tab.WaitText("Sandbox")
	tab.ClickStarting("button", "Pay")
	tab.WaitAddress("/thank-you/")
	tab.WaitText("Thank you")
	tab.Screenshot(browser.Artefact("story-thank-you-375"), true)
	number := regexp.MustCompile(`\d{4}-[0-9A-Z]{4}-[0-9A-Z]{4}`).FindString(tab.Text())
	if number == "" {
		t.Fatalf("the receipt names no order: %s", tab.Text())
	}
	for _, problem := range tab.Problems() {
		t.Error(problem)
	}
	return number
}

func seesWhy(t *testing.T, b *business, affiliate *browser.Tab) {
	affiliate.Go(b.Core + "/app/affiliate/commissions")
	affiliate.Wait("a commission", func() bool {
		if len(affiliate.All("row", "")) > 1 {
			return true
		}
		affiliate.Go(b.Core + "/app/affiliate/commissions")
		return false
	})
	open := browser.Eval[bool](affiliate, `(() => { const row = document.querySelector("table tbody tr button"); row?.click(); return !!row })()`)
	if !open {
		t.Fatal("no commission can be opened")
	}
	affiliate.WaitText("How much")
	affiliate.WaitText("%")
	affiliate.Screenshot(browser.Artefact("story-commission-why-375"), true)
}

func refund(b *business, admin *browser.Tab, number string) {
	admin.Go(b.Core + "/app/admin/orders?q=" + number)
	admin.Click("button", number)
	admin.WaitText("The whole story")
	admin.WaitText("Commission of the affiliate")
	admin.Click("button", "Refund")
	admin.Fill("Reason", "not what was expected")
	admin.ClickLast("button", "Refund")
	admin.WaitText("The refund is on its way")
	admin.Wait("the commission to be taken back", func() bool {
		admin.Go(admin.Address())
		return strings.Contains(admin.Text(), "Commission taken back")
	})
	admin.Screenshot(browser.Artefact("story-order-1440"), true)
}

// ask requests a payout as an affiliate, on a telephone.
func (b *business) ask(t *testing.T, chromium *browser.Browser) *browser.Tab {
	t.Helper()
	tab := b.signIn(t, chromium, "DEMO_AFFILIATE")
	tab.Viewport(375, 812)
	tab.Go(b.Core + "/app/affiliate/payouts")
	tab.Click("button", "Request a payout in INR")
	tab.Click("button", "Send the request")
	tab.WaitText("You asked to be paid")
	tab.Find("button", "Withdraw")
	tab.Screenshot(browser.Artefact("story-request-375"), true)
	return tab
}

// seesPayout finds the request answered, and the payout that answers it.
func seesPayout(b *business, payee *browser.Tab) {
	payee.Go(b.Core + "/app/affiliate/payouts")
	payee.WaitText("became a payout.")
	payee.Screenshot(browser.Artefact("story-request-taken-375"), true)
	payee.Click("link", "See the payout")
	payee.WaitAddress("/app/affiliate/payouts/pyt_")
	payee.WaitText("It is part of a batch that waits for approval. Nothing was sent yet.")
}

// pay makes a batch of those who asked, whom it pays by hand, and one of everybody else, for whom the bank gets a file.
func (b *business) pay(t *testing.T, chromium *browser.Browser) {
	t.Helper()
	maker := b.signIn(t, chromium, "DEMO_FINANCE")
	var approvers []*browser.Tab
	for _, who := range []string{"DEMO_FINANCE2", "DEMO_OWNER"} {
		approvers = append(approvers, b.signIn(t, chromium, who))
	}
	maker.Go(b.Core + "/app/admin/payout-requests")
	maker.Find("button", payeeName)
	maker.Screenshot(browser.Artefact("story-requests-1440"), true)
	maker.Click("link", "Batch of those who asked (INR)")
	maker.WaitAddress("requested=1")
	maker.Choose("How", "By hand, marked as paid")
	maker.Find("button", payeeName)
	if n := approveBatch(maker, approvers); n != 2 {
		t.Errorf("a large batch needs %d approvals", n)
	}
	maker.Screenshot(browser.Artefact("story-batch-asked-1440"), true)
	maker.Go(b.Core + "/app/admin/payout-requests?state=taken")
	maker.Find("button", payeeName)
	maker.Go(b.Core + "/app/admin/payout-requests")
	if len(maker.All("button", payeeName)) > 0 {
		t.Error("the request that a batch took still waits")
	}
	maker.Go(b.Core + "/app/admin/payouts/new")
	approveBatch(maker, approvers)
	maker.Click("button", "Download the bank file")
	maker.Click("button", "Download")
	maker.WaitText("Sent")
	maker.Screenshot(browser.Artefact("story-batch-1440"), true)
}

var approvalsNeeded = regexp.MustCompile(`Waits for approval: 0 of ([12])`)

// approveBatch makes the batch that is previewed; its maker cannot approve it: another must, and two where it is large.
func approveBatch(maker *browser.Tab, approvers []*browser.Tab) (needed int) {
	maker.ClickStarting("button", "Make the batch")
	maker.Fill("Note", "weekly")
	maker.Click("button", "Make a payout batch")
	maker.WaitText("Waits for approval: 0 of ")
	need := int(approvalsNeeded.FindStringSubmatch(maker.Text())[1][0] - '0')
	maker.WaitText("You made this batch, so somebody else must approve it.")
	batch := maker.Address()
	for i, approver := range approvers[:need] {
		approver.Go(batch)
		approver.WaitText(fmt.Sprintf("Waits for approval: %d of %d", i, need))
		approver.Click("button", "Approve")
		approver.ClickLast("button", "Approve") // in the dialog
		approver.WaitText([]string{fmt.Sprintf("Waits for approval: %d of %d", i+1, need), "Approved"}[(i+1)/need])
	}
	maker.Go(batch)
	maker.WaitText("Approved by")
	return need
}
