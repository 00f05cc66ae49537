package pages

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/oauth"
	"github.com/edgeref/edgeref/wire/ident"
)

// withRequest is a path of ours that keeps the request that a program waits with.
func withRequest(path, id string) string {
	if id == "" {
		return path
	}
	return path + "?request=" + url.QueryEscape(id)
}

func to(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// session is the sign-in of this browser; nil if there is none. Errors of the database count as none here and are logged:
// the person signs in again.
func (p *Pages) session(r *http.Request) (*account.Session, account.Person) {
	secret := p.jar.Session(r)
	if secret == "" {
		return nil, account.Person{}
	}
	v, person, err := p.opts.Accounts.SessionBySecret(r.Context(), secret)
	if err != nil {
		if !errors.Is(err, account.ErrNoSession) {
			p.opts.Logger.Error("read session", "error", err)
		}
		return nil, account.Person{}
	}
	return &v, person
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request) {
	v, person := p.session(r)
	switch {
	case v == nil:
		to(w, r, "/account/sign-in")
	case v.Pending:
		to(w, r, "/account/second-factor")
	case p.opts.Home != "":
		to(w, r, p.opts.Home)
	default:
		t := p.text(r)
		p.show(w, r, http.StatusOK, "message", view{
			Title: t.SignedIn, Heading: fmt.Sprintf(t.Hello, person.Name), Text: fmt.Sprintf(t.SignedInAs, person.Email), Action: "/account/sign-out", Label: t.SignOut,
		})
	}
}

// goOn brings a request of a program one step further.
func (p *Pages) goOn(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("request")
	waiting, err := p.request(r, id)
	if err != nil {
		p.lost(w, r, err)
		return
	}
	session, _ := p.session(r)
	step, err := p.opts.OAuth.Next(r.Context(), waiting, session)
	if err != nil {
		p.failed(w, r, err)
		return
	}
	if waiting.NoPrompt() && step != oauth.StepDone {
		refusal := "login_required"
		if step == oauth.StepConsent {
			refusal = "consent_required"
		}
		to(w, r, p.opts.OAuth.RefuseURL(waiting, refusal))
		return
	}
	switch step {
	case oauth.StepSignIn:
		to(w, r, withRequest("/account/sign-in", id))
	case oauth.StepSecondFactor:
		to(w, r, withRequest("/account/second-factor", id))
	case oauth.StepConsent:
		to(w, r, withRequest("/account/consent", id))
	default:
		target, err := p.opts.OAuth.IssueCode(r.Context(), waiting, *session)
		if err != nil {
			p.lost(w, r, err)
			return
		}
		to(w, r, target)
	}
}

// lost is the page for a request that cannot go on in this browser.
func (p *Pages) lost(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, oauth.ErrRequest) {
		p.failed(w, r, err)
		return
	}
	t := p.text(r)
	p.message(w, r, http.StatusGone, t.BeginAgain, t.Begun)
}

// failed is the page for what went wrong beside any form.
func (p *Pages) failed(w http.ResponseWriter, r *http.Request, err error) {
	t := p.text(r)
	status, text := p.problem(t, err)
	p.message(w, r, status, t.Refused, text)
}

// done goes on after a sign-in.
func (p *Pages) done(w http.ResponseWriter, r *http.Request, request string) {
	if request != "" {
		to(w, r, withRequest("/account/continue", request))
		return
	}
	to(w, r, "/account/")
}

func (p *Pages) showSignIn(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("request")
	v := view{Title: p.text(r).SignIn, Request: id}
	if waiting, err := p.request(r, id); err == nil {
		v.Email = waiting.LoginHint
	}
	p.show(w, r, http.StatusOK, "sign-in", v)
}

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) {
	device := p.jar.Device(r)
	if device == "" {
		device = account.NewDevice()
	}
	in, err := p.opts.Accounts.SignIn(r.Context(), account.Attempt{
		Email: r.PostForm.Get("email"), Password: r.PostForm.Get("password"), Device: device, UserAgent: r.UserAgent(), Address: p.opts.Address(r),
	})
	if err != nil {
		t := p.text(r)
		status, text := p.problem(t, err)
		p.show(w, r, status, "sign-in", view{Title: t.SignIn, Request: r.PostForm.Get("request"), Email: clip(r.PostForm.Get("email")), Error: text})
		return
	}
	p.begin(w, r, in)
	p.jar.SetDevice(w, device)
	if in.Session.Pending {
		to(w, r, withRequest("/account/second-factor", r.PostForm.Get("request")))
		return
	}
	p.done(w, r, r.PostForm.Get("request"))
}

// begin gives the browser its session. One that it had before ends: a new sign-in is a new session, with a secret that
// was not there before.
func (p *Pages) begin(w http.ResponseWriter, r *http.Request, in account.SignedIn) {
	if before, person := p.session(r); before != nil && before.ID != in.Session.ID {
		if err := p.opts.Accounts.EndSession(r.Context(), person.ID, before.ID); err != nil && !errors.Is(err, account.ErrNoSession) {
			p.opts.Logger.Warn("end the session before", "error", err)
		}
	}
	p.jar.SetSession(w, in.Secret, account.SessionLifetime)
}

func clip(s string) string { return s[:min(len(s), 254)] }

func (p *Pages) showFactor(w http.ResponseWriter, r *http.Request) {
	v, _ := p.session(r)
	id := r.URL.Query().Get("request")
	if v == nil || !v.Pending {
		to(w, r, withRequest("/account/sign-in", id))
		return
	}
	p.show(w, r, http.StatusOK, "second-factor", view{Title: p.text(r).FactorTitle, Request: id})
}

func (p *Pages) factor(w http.ResponseWriter, r *http.Request) {
	id := r.PostForm.Get("request")
	device := p.jar.Device(r)
	in, err := p.opts.Accounts.SecondFactor(r.Context(), p.jar.Session(r), r.PostForm.Get("code"), device, p.opts.Address(r))
	if errors.Is(err, account.ErrNoSession) {
		to(w, r, withRequest("/account/sign-in", id))
		return
	}
	if err != nil {
		t := p.text(r)
		status, text := p.problem(t, err)
		p.show(w, r, status, "second-factor", view{Title: t.FactorTitle, Request: id, Error: text})
		return
	}
	p.jar.SetSession(w, in.Secret, account.SessionLifetime)
	p.done(w, r, id)
}

func (p *Pages) showConsent(w http.ResponseWriter, r *http.Request) {
	p.consentPage(w, r, r.URL.Query().Get("request"), "")
}

func (p *Pages) consentPage(w http.ResponseWriter, r *http.Request, id, problem string) {
	waiting, err := p.request(r, id)
	if err != nil {
		p.lost(w, r, err)
		return
	}
	session, person := p.session(r)
	if session == nil || session.Pending {
		to(w, r, withRequest("/account/continue", id))
		return
	}
	client, err := p.opts.OAuth.Client(r.Context(), waiting.ClientID)
	if err != nil {
		p.lost(w, r, oauth.ErrRequest)
		return
	}
	t := p.text(r)
	v := view{Title: t.ConsentTitle, Request: id, Client: client.Name, Email: person.Email, Error: problem}
	if u, err := url.Parse(waiting.RedirectURI); err == nil {
		v.Target = u.Host
	}
	for _, scope := range waiting.Scopes {
		v.Permissions = append(v.Permissions, t.describe(scope))
	}
	p.show(w, r, http.StatusOK, "consent", v)
}

func (p *Pages) consent(w http.ResponseWriter, r *http.Request) {
	id := r.PostForm.Get("request")
	waiting, err := p.request(r, id)
	if err != nil {
		p.lost(w, r, err)
		return
	}
	session, _ := p.session(r)
	if session == nil || session.Pending {
		to(w, r, withRequest("/account/continue", id))
		return
	}
	if r.PostForm.Get("answer") != "allow" {
		to(w, r, p.opts.OAuth.RefuseURL(waiting, "access_denied"))
		return
	}
	if err := p.opts.OAuth.Agree(r.Context(), session.PersonID, waiting); err != nil {
		_, text := p.problem(p.text(r), err)
		p.consentPage(w, r, id, text)
		return
	}
	to(w, r, withRequest("/account/continue", id))
}

// describe says in plain words what a scope allows.
func (t *Text) describe(scope string) string {
	if text := t.Scopes[scope]; text != "" {
		return text
	}
	return fmt.Sprintf(t.OtherScope, scope)
}

func (p *Pages) showSignOut(w http.ResponseWriter, r *http.Request) {
	if v, _ := p.session(r); v == nil {
		to(w, r, "/account/signed-out")
		return
	}
	p.show(w, r, http.StatusOK, "sign-out", view{Title: p.text(r).SignOut})
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	v, person := p.session(r)
	if v != nil {
		if err := p.opts.Accounts.EndSession(r.Context(), person.ID, v.ID); err != nil && !errors.Is(err, account.ErrNoSession) {
			p.failed(w, r, err)
			return
		}
	}
	p.jar.SetSession(w, "", 0)
	p.jar.SetRefresh(w, "", 0)
	to(w, r, "/account/signed-out")
}

func (p *Pages) showSignedOut(w http.ResponseWriter, r *http.Request) {
	t := p.text(r)
	p.show(w, r, http.StatusOK, "message", view{
		Title: t.SignedOut, Heading: t.SignedOutHeading, Text: t.SignedOutText, Action: "/account/sign-in", Label: t.SignInAgain,
	})
}

// sponsorOf reads the affiliate who brought somebody. What is no affiliate is nobody.
func sponsorOf(text string) int64 {
	id, err := ident.Parse(ident.Affiliate, text)
	if err != nil {
		return 0
	}
	return id
}
