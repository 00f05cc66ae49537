package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

// parts are the bodies of a mail by content type, decoded.
func (l letterIn) parts(t *testing.T) map[string]string {
	t.Helper()
	_, params, err := mime.ParseMediaType(l.msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	out, r := map[string]string{}, multipart.NewReader(l.msg.Body, params["boundary"])
	for {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		out[kind] = string(body)
	}
}

func TestMailArrives(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		p := newPost(t, "none", nil)
		f := newFixture(t, d, smtpTo(t, p, nil))
		queued := f.mustQueue(hello("ann@example.com"))
		if queued.State != Pending || queued.Attempts != 0 {
			t.Errorf("queued as %+v", queued)
		}
		if n := f.step(); n != 1 {
			t.Fatalf("%d tried", n)
		}
		sent := f.newest()
		if sent.State != Sent || sent.SentAt != f.clock.now().UnixMilli() || sent.Attempts != 1 || sent.Text == "" || sent.LastError != "" {
			t.Errorf("sent is %+v", sent)
		}
		got := p.letters()
		if len(got) != 1 || got[0].from != "shop@example.com" || got[0].to != "ann@example.com" {
			t.Fatalf("got %+v", got)
		}
		h := got[0].msg.Header
		if h.Get("From") != `"Course Shop" <shop@example.com>` || h.Get("Subject") != "Hello Ann" || h.Get("Auto-Submitted") != "auto-generated" ||
			h.Get("Message-Id") != "<"+messageID(sent.ID, "example.com")+">" || h.Get("Date") == "" {
			t.Errorf("header %v", h)
		}
		parts := got[0].parts(t)
		if want := "Dear Ann, Q&A <b>free</b>:\r\n\r\nLook & see:\r\nhttps://shop.example/?a=1&b=2\r\n\r\nBye\r\n\r\n-- \r\nCourse Shop\r\n"; parts["text/plain"] != want {
			t.Errorf("text %q", parts["text/plain"])
		}
		for _, want := range []string{"Q&amp;A &lt;b&gt;free&lt;/b&gt;", `href="https://shop.example/?a=1&amp;b=2"`, "Look &amp; see"} {
			if !strings.Contains(parts["text/html"], want) {
				t.Errorf("%q is not in %s", want, parts["text/html"])
			}
		}
		if f.step() != 0 {
			t.Error("sent again")
		}
	})
}

func TestQueueIsPartOfTheTransaction(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, nil)
		failed := errors.New("no")
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			return errors.Join(f.Queue(t.Context(), tx, hello("ann@example.com")), failed)
		})
		list, listErr := f.List(t.Context(), Filter{Limit: 10})
		if !errors.Is(err, failed) || listErr != nil || len(list) != 0 {
			t.Errorf("%v, %v, kept %+v", err, listErr, list)
		}
	})
}

func TestKeyMakesOneMail(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, nil)
		m := hello("ann@example.com")
		m.Key = "welcome per_1"
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := f.queue(m); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		f.mustQueue(hello("ann@example.com"))
		f.mustQueue(hello("ann@example.com"))
		list, err := f.List(t.Context(), Filter{Limit: 20})
		if err != nil || len(list) != 3 {
			t.Errorf("%d mails, %v; want one for the key and two without", len(list), err)
		}
	})
}

func TestRecipients(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t), nil)
	for to, good := range map[string]bool{
		"ann@example.com": true, "ann+tag@sub.example.com": true,
		"": false, "ann": false, "Ann <ann@example.com>": false, "a@example.com, b@example.com": false, "ann@example.com\r\nBcc: all@example.com": false,
		"ann@example.com\nx": false, " ann@example.com": false, strings.Repeat("a", 250) + "@example.com": false, "ann@@example.com": false,
	} {
		if err := f.queue(hello(to)); (err == nil) != good || err != nil && !errors.Is(err, ErrRecipient) {
			t.Errorf("%q: %v", to, err)
		}
	}
}

// What strangers write into a mail stays where it was put.
func TestValuesAreHarmless(t *testing.T) {
	f := newFixture(t, dbtest.SQLite(t), nil)
	m := hello("ann@example.com")
	m.Data["Name"] = "<script>alert(1)</script>\r\nBcc: all@example.com\u202e" + strings.Repeat("x", 5000)
	m.Data["PageURL"] = "javascript:alert(1)"
	got := f.mustQueue(m)
	if strings.ContainsAny(got.Subject, "\r\n\u202e") || len([]rune(got.Subject)) > maxSubject {
		t.Errorf("subject %q", got.Subject)
	}
	if strings.Contains(got.HTML, "<script>") || strings.Contains(got.HTML, "javascript:") || strings.Contains(got.Text, "\nBcc") || len(got.Text) > 3*maxValue {
		t.Errorf("text %q, html %q", got.Text, got.HTML)
	}
	missing := hello("ann@example.com")
	delete(missing.Data, "Name")
	if err := f.queue(missing); err == nil {
		t.Error("a mail with a hole was queued")
	}
	if err := f.queue(Message{To: "ann@example.com", Template: "no-such"}); err == nil {
		t.Error("a mail without a template was queued")
	}
}

// Every template that ships can be filled, and says something in both forms.
func TestTemplates(t *testing.T) {
	tongues, err := loadTemplates(templates)
	if err != nil || tongues[0].letters["test"] == nil {
		t.Fatalf("%d languages, %v", len(tongues), err)
	}
	for name, l := range tongues[0].letters {
		data := map[string]string{}
		for _, v := range l.values {
			data[v] = "value-of-" + v
			if strings.HasSuffix(v, "URL") {
				data[v] = "https://shop.example/value-of-" + v
			}
		}
		r, err := l.render("Course Shop", data)
		if err != nil || r.Subject == "" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for v := range data {
			if chosen(name, v) {
				continue
			}
			if !strings.Contains(r.Subject+r.Text, "value-of-"+v) || !strings.Contains(r.Subject+r.HTML, "value-of-"+v) {
				t.Errorf("%s: %s is not in both forms", name, v)
			}
		}
		if strings.Contains(r.Text, "<no value>") || strings.Contains(r.HTML, "ZgotmplZ") {
			t.Errorf("%s: %s %s", name, r.Text, r.HTML)
		}
	}
	for name, source := range map[string]string{
		"no subject": "secret: yes\n\ntext", "no text": "subject: x", "unknown line": "subject: x\nfrom: y\n\ntext", "bad action": "subject: x\n\n{{.Name",
	} {
		if _, err := parseLetter(name, source); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// A mail that opens an account cannot be read in the database, and its text is gone when it was sent.
func TestSecretMails(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		p := newPost(t, "none", nil)
		f := newFixture(t, d, smtpTo(t, p, nil))
		m := f.mustQueue(Message{To: "ann@example.com", Template: "reset", Data: map[string]string{"ResetURL": "https://shop.example/reset/hunter2"}})
		if !m.Secret || !strings.Contains(m.Text, "hunter2") {
			t.Errorf("queued as %+v", m)
		}
		var text, html string
		read := func() {
			t.Helper()
			if err := d.QueryRow(t.Context(), "SELECT body_text, body_html FROM mails").Scan(&text, &html); err != nil {
				t.Fatal(err)
			}
		}
		if read(); text == "" || strings.Contains(text+html, "hunter2") {
			t.Errorf("stored as %q and %q", text, html)
		}
		f.step()
		if got := p.letters(); len(got) != 1 || !strings.Contains(got[0].raw, "hunter2") {
			t.Errorf("got %+v", got)
		}
		if read(); text != "" || html != "" {
			t.Errorf("left are %q and %q", text, html)
		}
		if got := f.newest(); got.State != Sent || got.Text != "" {
			t.Errorf("now %+v", got)
		}
		if _, err := f.Resend(t.Context(), m.ID); !errors.Is(err, ErrErased) {
			t.Errorf("resend: %v", err)
		}
	})
}

func TestLocalMailbox(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, nil)
		m := f.mustQueue(hello("ann@example.com"))
		if m.State != Local || !strings.Contains(m.Text, "Dear Ann") {
			t.Errorf("kept as %+v", m)
		}
		if _, err := f.Resend(t.Context(), m.ID); !errors.Is(err, ErrNoServer) {
			t.Errorf("resend: %v", err)
		}
		// Once there is a server, it can be sent by hand.
		p := newPost(t, "none", nil)
		f.opts.Sender = smtpTo(t, p, nil)
		if f.step() != 0 {
			t.Error("local mails are sent by themselves")
		}
		if _, err := f.Resend(t.Context(), m.ID); err != nil {
			t.Fatal(err)
		}
		if f.step(); len(p.letters()) != 1 {
			t.Errorf("%d arrived", len(p.letters()))
		}
		if _, err := f.Resend(t.Context(), m.ID+1); !errors.Is(err, ErrNotFound) {
			t.Errorf("resend of another: %v", err)
		}
	})
}

func TestListAndForget(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, nil)
		for i := range 5 {
			f.mustQueue(hello(fmt.Sprintf("p%d@example.com", i%2)))
		}
		all, err := f.List(t.Context(), Filter{Limit: 10})
		if err != nil || len(all) != 5 || all[0].ID < all[1].ID || all[0].Text != "" {
			t.Fatalf("%+v, %v", all, err)
		}
		for name, c := range map[string]struct {
			filter Filter
			want   int
		}{
			"to": {Filter{To: "p0@example.com"}, 3}, "state": {Filter{State: Local}, 5}, "other": {Filter{State: Dead}, 0},
			"both": {Filter{To: "p1@example.com", State: Local}, 2}, "page": {Filter{Before: all[2].ID}, 2},
		} {
			c.filter.Limit = 10
			if got, err := f.List(t.Context(), c.filter); err != nil || len(got) != c.want {
				t.Errorf("%s: %d, %v", name, len(got), err)
			}
		}
		if err := d.InTx(t.Context(), func(tx *db.Tx) error { return f.Forget(t.Context(), tx, "p0@example.com") }); err != nil {
			t.Fatal(err)
		}
		f.clock.advance(Keep + time.Second)
		kept := f.mustQueue(hello("new@example.com"))
		if err := f.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left, err := f.List(t.Context(), Filter{Limit: 10}); err != nil || len(left) != 1 || left[0].ID != kept.ID {
			t.Errorf("left are %+v, %v", left, err)
		}
	})
}

// Run sends what is queued while it runs, and leaves nothing behind.
func TestRun(t *testing.T) {
	others := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, others) }) // when server and database have ended too
	p := newPost(t, "none", func(p *post) { p.took = make(chan struct{}, 100) })
	f := newFixture(t, dbtest.SQLite(t), smtpTo(t, p, nil))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	for range 30 {
		f.mustQueue(hello("ann@example.com"))
	}
	for range 30 {
		<-p.took
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if left, err := f.List(t.Context(), Filter{State: Pending, Limit: 10}); err != nil || len(left) != 0 {
		t.Errorf("after the stop %d are pending, %v", len(left), err)
	}
	if sent := testutil.ToFloat64(f.metrics.attempts.WithLabelValues("sent")); sent != 30 {
		t.Errorf("%v sent", sent)
	}
}

// Two cores that share a database send each mail once.
func TestTwoCores(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		p := newPost(t, "none", func(p *post) { p.took = make(chan struct{}, 100) })
		a := newFixture(t, d, smtpTo(t, p, nil))
		b := newFixture(t, d, smtpTo(t, p, nil))
		b.ids = a.ids
		for i := range 40 {
			a.mustQueue(hello(fmt.Sprintf("p%d@example.com", i)))
		}
		a.run()
		b.run()
		for range 40 {
			<-p.took
		}
		seen := map[string]int{}
		for _, l := range p.letters() {
			if seen[l.to]++; seen[l.to] > 1 {
				t.Errorf("%s got two", l.to)
			}
		}
	})
}

func TestServerIsDown(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p := &post{addr: ln.Addr().String()}
		_ = ln.Close()
		f := newFixture(t, d, smtpTo(t, p, nil))
		f.mustQueue(hello("ann@example.com"))
		tries, began := 0, f.clock.now()
		for f.newest().State == Pending {
			tries += f.step()
			if f.clock.advance(5 * time.Minute); f.clock.now().Sub(began) > 2*RetryFor {
				t.Fatal("tried for ever")
			}
		}
		if took := f.clock.now().Sub(began); took < RetryFor-2*maxBackoff || took > RetryFor+maxBackoff || tries < 15 || tries > 40 {
			t.Errorf("given up after %v and %d tries", took, tries)
		}
		if m := f.newest(); m.State != Dead || m.LastError == "" || testutil.ToFloat64(f.metrics.dead) != 1 {
			t.Errorf("now %+v", m)
		}
		// It can be sent again once the server is back.
		up := newPost(t, "none", nil)
		f.opts.Sender = smtpTo(t, up, nil)
		if _, err := f.Resend(t.Context(), f.newest().ID); err != nil {
			t.Fatal(err)
		}
		if f.step(); f.newest().State != Sent || len(up.letters()) != 1 {
			t.Errorf("then %+v", f.newest())
		}
	})
}

func TestAnswersOfServers(t *testing.T) {
	busy := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try later"}
	never := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	for name, c := range map[string]struct {
		change func(*post)
		first  State // after the first try
		second State
	}{
		"busy once":          {func(p *post) { p.reply = once(busy) }, Pending, Sent},
		"greylisted":         {func(p *post) { p.rcpt = busy }, Pending, Pending},
		"no such user":       {func(p *post) { p.rcpt = never }, Dead, Dead},
		"refused as spam":    {func(p *post) { p.reply = once(never) }, Dead, Dead},
		"wants to know whom": {func(p *post) { p.users = map[string]string{} }, Pending, Pending},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, dbtest.SQLite(t), smtpTo(t, newPost(t, "none", c.change), nil))
			f.mustQueue(hello("ann@example.com"))
			f.step()
			if got := f.newest(); got.State != c.first || got.LastError == "" {
				t.Fatalf("after one: %+v", got)
			}
			f.clock.advance(time.Minute)
			f.step()
			if got := f.newest(); got.State != c.second || got.State == Sent && got.LastError != "" {
				t.Errorf("after two: %+v", got)
			}
		})
	}
}

func once(err error) func(int) error {
	return func(n int) error {
		if n == 0 {
			return err
		}
		return nil
	}
}

// A server that takes the connection and says nothing holds a worker for the timeout, not longer.
func TestServerHangs(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		<-accepted
		for _, c := range conns {
			// The client must have hung up: nothing of ours stays open.
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Errorf("connection left open: %v", err)
			}
			_ = c.Close()
		}
	})
	f := newFixture(t, dbtest.SQLite(t), smtpTo(t, &post{addr: ln.Addr().String()}, func(o *SMTPOptions) { o.Timeout = 100 * time.Millisecond }))
	f.mustQueue(hello("ann@example.com"))
	began := time.Now()
	f.step()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("held for %v", took)
	}
	if got := f.newest(); got.State != Pending || got.Attempts != 1 {
		t.Errorf("now %+v", got)
	}
}

// A worker that dies after the server took the mail leaves it to be sent again: receivers can tell by the Message-ID.
func TestCrashAfterSending(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		p := newPost(t, "none", nil)
		f := newFixture(t, d, smtpTo(t, p, nil))
		f.mustQueue(hello("ann@example.com"))
		jobs, err := f.claim(t.Context(), 1)
		if err != nil || len(jobs) != 1 {
			t.Fatalf("%d, %v", len(jobs), err)
		}
		if err := f.send(t.Context(), &jobs[0]); err != nil {
			t.Fatal(err)
		}
		if f.step() != 0 {
			t.Error("sent by another while the lease lasts")
		}
		f.clock.advance(leaseTime + time.Second)
		if f.step() != 1 {
			t.Error("not sent when the lease was over")
		}
		got := p.letters()
		if len(got) != 2 || got[0].msg.Header.Get("Message-Id") != got[1].msg.Header.Get("Message-Id") {
			t.Errorf("got %d: %+v", len(got), got)
		}
		// The first worker was only slow: what it notes late changes nothing, and is counted.
		before := f.newest()
		if err := f.note(t.Context(), &jobs[0], errors.New("late")); err != nil {
			t.Fatal(err)
		}
		if after := f.newest(); after != before || testutil.ToFloat64(f.metrics.lost) != 1 {
			t.Errorf("before %+v, after %+v", before, after)
		}
	})
}

func TestTLSAndAuthentication(t *testing.T) {
	users := func(p *post) { p.users = map[string]string{"shop": "pass"} }
	good := func(o *SMTPOptions) { o.Username, o.Password = "shop", "pass" }
	for name, c := range map[string]struct {
		server string
		users  bool
		opts   func(*SMTPOptions)
		sent   bool
	}{
		"starttls":             {"starttls", true, func(o *SMTPOptions) { good(o); o.TLS = "starttls" }, true},
		"tls":                  {"tls", true, func(o *SMTPOptions) { good(o); o.TLS = "tls" }, true},
		"none, this machine":   {"none", true, good, true},
		"wrong password":       {"starttls", true, func(o *SMTPOptions) { good(o); o.TLS, o.Password = "starttls", "wrong" }, false},
		"starttls is required": {"none", false, func(o *SMTPOptions) { o.TLS = "starttls" }, false},
		"unknown certificate":  {"starttls", false, func(o *SMTPOptions) { o.TLS, o.TLSRoots = "starttls", nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			var change func(*post)
			if c.users {
				change = users
			}
			p := newPost(t, c.server, change)
			s := smtpTo(t, p, c.opts)
			err := s.Send(t.Context(), Rendered{ID: 1, To: "ann@example.com", Subject: "s", Text: "t", HTML: "<p>t</p>"})
			if (err == nil) != c.sent || len(p.letters()) != map[bool]int{true: 1}[c.sent] {
				t.Fatalf("%v, %d arrived", err, len(p.letters()))
			}
			if err != nil && (errors.Is(err, errPermanent) || strings.Contains(err.Error(), "wrong\"")) {
				t.Errorf("error %v", err)
			}
			if c.sent && c.users && p.letters()[0].user != "shop" {
				t.Errorf("sent as %q", p.letters()[0].user)
			}
		})
	}
	for name, opts := range map[string]SMTPOptions{
		"no port": {Addr: "localhost", TLS: "none", From: "a@b.c"}, "bad from": {Addr: "localhost:25", TLS: "none", From: "a"},
		"bad mode": {Addr: "localhost:25", TLS: "maybe", From: "a@b.c"}, "bad auth": {Addr: "localhost:25", TLS: "none", From: "a@b.c", Auth: "kerberos"},
	} {
		if _, err := NewSMTP(opts); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzTemplateValues(f *testing.F) {
	l, err := parseLetter("x", "subject: Hi {{.Name}}\n\nDear {{.Name}}\n\n[Go]({{.PageURL}})")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("Ann", "https://shop.example")
	f.Add("\r\nBcc: x@y.z", "javascript:alert(1)")
	f.Add("<img src=x onerror=alert(1)>", "\"><script>")
	f.Fuzz(func(t *testing.T, name, url string) {
		r, err := l.render("Shop", map[string]string{"Name": name, "PageURL": url})
		if err != nil {
			t.Skip()
		}
		if strings.ContainsAny(r.Subject, "\r\n\x00") || strings.Count(r.Text, "\n") != 7 {
			t.Errorf("subject %q, text %q", r.Subject, r.Text)
		}
		if strings.Count(r.HTML, "<") != strings.Count(mustRender(t, l), "<") {
			t.Errorf("values made tags: %s", r.HTML)
		}
	})
}

func mustRender(t *testing.T, l *letter) string {
	t.Helper()
	r, err := l.render("Shop", map[string]string{"Name": "Ann", "PageURL": "https://shop.example"})
	if err != nil {
		t.Fatal(err)
	}
	return r.HTML
}
