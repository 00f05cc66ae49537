package account_test

import (
	"context"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/secret"
)

const goodPassword = "a sail over the green lake"

// home and abroad are networks of an owner; enemy is one of somebody else.
var home, abroad, enemy = netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("192.0.2.66")

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// mailbox queues mails as the core does, and remembers them.
type mailbox struct {
	*mail.Service
	mu   sync.Mutex
	sent []mail.Message
}

func (m *mailbox) Queue(ctx context.Context, tx *db.Tx, msg mail.Message) error {
	if err := m.Service.Queue(ctx, tx, msg); err != nil {
		return err
	}
	tx.OnCommit(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sent = append(m.sent, msg)
	})
	return nil
}

// world is accounts with all that they need.
type world struct {
	*account.Service
	t       *testing.T
	db      *db.DB
	clock   *clock
	mails   *mailbox
	catalog *catalog.Catalog
	audit   *audit.Log
	reg     *prometheus.Registry
	ring    *secret.Ring
	opts    account.Options
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, db: d, clock: &clock{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}, reg: prometheus.NewRegistry()}
	ids := newid.New(w.clock.Now)
	var err error
	if w.ring, err = secret.NewRing([]string{secret.NewKey("1")}); err != nil {
		t.Fatal(err)
	}
	service, err := mail.New(mail.Options{DB: d, IDs: ids, Now: w.clock.Now, Ring: w.ring})
	if err != nil {
		t.Fatal(err)
	}
	w.mails = &mailbox{Service: service}
	if w.catalog, err = catalog.New(t.Context(), catalog.Options{DB: d, IDs: ids, Now: w.clock.Now}); err != nil {
		t.Fatal(err)
	}
	w.audit = audit.New(audit.Options{DB: d, IDs: ids})
	w.opts = account.Options{
		DB: d, IDs: ids, Now: w.clock.Now, Registerer: w.reg, Ring: w.ring, Mail: w.mails, Audit: w.audit, Affiliates: w.catalog,
		Passwords: password.New(password.Options{Params: cheap()}), URL: "https://core.example",
	}
	w.Service = account.New(w.opts)
	return w
}

// cheap are parameters for tests, where nothing is worth guessing.
func cheap() password.Params { return password.Params{Memory: 64, Time: 1, Threads: 1} }

// lastMail is the newest mail to an address.
func (w *world) lastMail(to string) mail.Message {
	w.t.Helper()
	w.mails.mu.Lock()
	defer w.mails.mu.Unlock()
	for i := len(w.mails.sent) - 1; i >= 0; i-- {
		if w.mails.sent[i].To == to {
			return w.mails.sent[i]
		}
	}
	w.t.Fatalf("no mail to %s", to)
	return mail.Message{}
}

func (w *world) mailCount(to string) (n int) {
	w.mails.mu.Lock()
	defer w.mails.mu.Unlock()
	for _, m := range w.mails.sent {
		if m.To == to {
			n++
		}
	}
	return n
}

// linkOf is the secret of the link in a mail.
func linkOf(t *testing.T, m mail.Message) string {
	t.Helper()
	u, err := url.Parse(m.Data["URL"])
	if err != nil || !strings.HasPrefix(m.Data["URL"], "https://core.example/account/") {
		t.Fatalf("link %q: %v", m.Data["URL"], err)
	}
	return u.Query().Get("link")
}

func (w *world) process() {
	w.t.Helper()
	if err := w.ProcessRequests(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// person makes somebody with roles, as an owner's invitation does.
func (w *world) person(email string, roles ...access.Role) account.Person {
	w.t.Helper()
	owner := access.Principal{PersonID: 1, Roles: []access.Role{access.RoleOwner}}
	if err := w.Invite(w.t.Context(), owner, email, "Somebody", roles); err != nil {
		w.t.Fatal(err)
	}
	p, err := w.SetPassword(w.t.Context(), linkOf(w.t, w.lastMail(email)), goodPassword, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func attempt(email string, from netip.Addr) account.Attempt {
	return account.Attempt{Email: email, Password: goodPassword, Address: from, UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
}

func (w *world) signIn(email string) account.SignedIn {
	w.t.Helper()
	in, err := w.SignIn(w.t.Context(), attempt(email, home))
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

// enrol sets up a second factor and returns its secret and the recovery codes.
func (w *world) enrol(in account.SignedIn) (secret string, codes []string) {
	w.t.Helper()
	e, err := w.BeginEnrolment(w.t.Context(), in.Person.ID, goodPassword)
	if err != nil {
		w.t.Fatal(err)
	}
	if codes, err = w.ConfirmEnrolment(w.t.Context(), in.Person.ID, in.Session.ID, w.code(e.Secret)); err != nil {
		w.t.Fatal(err)
	}
	return e.Secret, codes
}

// code is what an authenticator shows now.
func (w *world) code(secret string) string {
	w.t.Helper()
	code, err := totp.GenerateCode(secret, w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}
