package faces

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/edgeref/edgeref/test/browser"
	"github.com/edgeref/edgeref/test/system"
)

var binary = system.Builder("../..")

func TestMain(m *testing.M) {
	code := m.Run()
	binary.Remove()
	os.Exit(code)
}

// business is a running serve with the demo business.
type business struct {
	*system.Process
	data string
	env  map[string]string // of demo.env
	used map[string]int64  // the step of the last code that somebody gave, by address: no code is good twice
}

// Sizes of the demo business.
const (
	small = "small" // 6,000 clicks, made in two seconds
	large = "whole"
)

// open starts the demo business of a size. Its pages must be part of the binary.
func open(t testing.TB, size string) *business {
	t.Helper()
	if _, err := os.Stat("../../core/web/dist/index.html"); err != nil {
		if os.Getenv("EDGEREF_TEST_REQUIRE") != "" {
			t.Fatal("the pages are not built: run make web")
		}
		t.Skip("the pages are not built: run make web")
	}
	data := filepath.Join(t.TempDir(), "data")
	b := &business{Process: &system.Process{T: t, Binary: binary, Role: "serve", Args: []string{"--demo", "--demo-size", size, "--data", data, "--payout-two-approvals", "INR:10000"}, Patience: 5 * time.Minute}, data: data, env: map[string]string{}, used: map[string]int64{}}
	b.Start()
	t.Cleanup(b.Terminate)
	f, err := os.Open(filepath.Join(data, "demo.env"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	line := regexp.MustCompile(`^export (\w+)='(.*)'$`)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if m := line.FindStringSubmatch(lines.Text()); m != nil {
			b.env[m[1]] = m[2]
		}
	}
	return b
}

// code is what somebody's authenticator shows now, or next, if the code of now was given already: it is taken half a minute early.
func (b *business) code(email string) string {
	b.T.Helper()
	const step = 30 // seconds
	now := max(time.Now().Unix()/step, b.used[email]+1)
	b.used[email] = now
	code, err := totp.GenerateCode(b.env["DEMO_TOTP_SECRET"], time.Unix(now*step, 0))
	if err != nil {
		b.T.Fatal(err)
	}
	return code
}

// signIn opens a window of one of the demo's people, by the name in demo.env, as DEMO_ADMIN.
func (b *business) signIn(t testing.TB, chromium *browser.Browser, who string) *browser.Tab {
	t.Helper()
	tab := chromium.Open(t, b.Core, b.Tracker)
	tab.Viewport(1440, 900)
	b.enter(tab, b.env[who], b.env["DEMO_PASSWORD"])
	return tab
}

// enter signs somebody in, from the page that wants it to the page that was wanted.
func (b *business) enter(tab *browser.Tab, email, password string) {
	tab.Go(b.Core + "/app/")
	tab.WaitAddress("/account/sign-in")
	tab.Fill("E-mail address", email)
	tab.Fill("Password", password)
	tab.Click("button", "Sign in")
	tab.Wait("the pages, or a second factor", func() bool {
		return strings.Contains(tab.Address(), "/app/") || strings.Contains(tab.Address(), "second-factor")
	})
	if strings.Contains(tab.Address(), "second-factor") {
		tab.Fill("Code", b.code(email))
		tab.Click("button", "Go on")
	}
	tab.WaitAddress("/app/")
	tab.Find("heading", "")
}
