package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/wire/ident"
)

func testRing(t *testing.T) *secret.Ring {
	t.Helper()
	ring, err := secret.NewRing([]string{"1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// letters is the mail of a server; with a server's address, what is queued waits to be sent there.
func (s *server) letters(smtp string) *mail.Service {
	s.t.Helper()
	opts := mail.Options{DB: s.db, IDs: s.ids, Now: s.clock.Now, Ring: testRing(s.t)}
	if smtp != "" {
		sender, err := mail.NewSMTP(mail.SMTPOptions{Addr: smtp, TLS: "none", From: "shop@example.com"})
		if err != nil {
			s.t.Fatal(err)
		}
		opts.Sender = sender
	}
	m, err := mail.New(opts)
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func TestMails(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		var made api.Mail
		s.do("POST", "/api/v1/mails/test", map[string]any{"to": "ann@example.com"}, "Idempotency-Key", "k").want(http.StatusAccepted).into(&made)
		s.do("POST", "/api/v1/mails/test", map[string]any{"to": "ann@example.com"}, "Idempotency-Key", "k").want(http.StatusAccepted)
		s.do("POST", "/api/v1/mails/test", map[string]any{"to": "Ann <ann@example.com>"}).want(http.StatusUnprocessableEntity, "validation_failed")
		var list struct{ Items []api.Mail }
		s.do("GET", "/api/v1/mails?to=ann@example.com&state=local", nil).want(http.StatusOK).into(&list)
		if len(list.Items) != 1 || list.Items[0].ID != made.ID || made.State != "local" || made.Secret {
			t.Fatalf("made %+v, listed %+v", made, list.Items)
		}
		s.do("GET", "/api/v1/mails/mal_0000000000001", nil).want(http.StatusNotFound, "not_found")
		s.do("POST", "/api/v1/mails/"+made.ID+"/resend", nil).want(http.StatusConflict, "no_mail_server")
		var got api.MailDetail
		s.bearer = s.signIn(7, nil, access.RoleSupport)
		s.do("GET", "/api/v1/mails/"+made.ID, nil).want(http.StatusOK).into(&got)
		if !strings.Contains(got.Text, "whether mail arrives") || !strings.Contains(got.HTML, "<p>") {
			t.Errorf("got %+v", got)
		}
		// Once there is a server, what stayed here can be sent.
		s.bearer = adminSecret
		later := newServer(t, s.db, func(later *server) []api.Module {
			return []api.Module{api.Mails(later.letters("127.0.0.1:1")), api.Audit(later.audit)}
		})
		later.clock.add(time.Second)
		var again api.Mail
		later.do("POST", "/api/v1/mails/mal_0000000000001/resend", nil).want(http.StatusNotFound, "not_found")
		later.do("POST", "/api/v1/mails/"+made.ID+"/resend", nil).want(http.StatusOK).into(&again)
		if again.State != "pending" || again.NextAt == nil {
			t.Errorf("sent again: %+v", again)
		}
		later.do("POST", "/api/v1/mails/"+made.ID+"/resend", nil).want(http.StatusConflict, "mail_pending")
		if got := later.auditLog("?object=" + made.ID); len(got) != 2 || got[0].Action != "mail.resend" || strings.Contains(string(got[0].After), "ann@") {
			t.Errorf("log: %+v", got)
		}
	})
}

// Whoever may read mails must not become an owner by one that resets the owner's password.
func TestSecretMailsAreForOwners(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t), modules)
	var made api.Mail
	s.do("POST", "/api/v1/mails/test", map[string]any{"to": "owner@example.com"}).want(http.StatusAccepted).into(&made)
	id, err := ident.Parse(ident.Mail, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	sealed := map[string]string{}
	for _, part := range []string{"text", "html"} {
		if sealed[part], err = testRing(t).Seal([]byte("hunter2"), fmt.Appendf(nil, "mail %d %s", id, part)); err != nil {
			t.Fatal(err)
		}
	}
	err = s.db.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE mails SET sealed = 1, body_text = ?, body_html = ? WHERE id = ?", sealed["text"], sealed["html"], id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []access.Role{access.RoleOwner, access.RoleAdmin, access.RoleSupport} {
		var got api.MailDetail
		s.bearer = s.signIn(7, nil, role)
		s.do("GET", "/api/v1/mails/"+made.ID, nil).want(http.StatusOK).into(&got)
		if shown := got.Text == "hunter2" && got.HTML == "hunter2"; shown != (role == access.RoleOwner) || !got.Secret {
			t.Errorf("%s sees %+v", role, got)
		}
	}
}
