package pages

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/edgeref/edgeref/core/account"
)

func (p *Pages) showSignUp(w http.ResponseWriter, r *http.Request) {
	q, t := r.URL.Query(), p.text(r)
	sponsor := q.Get("sponsor")
	if sponsorOf(sponsor) == 0 {
		sponsor = ""
	}
	p.show(w, r, http.StatusOK, "sign-up", view{
		Title: t.SignUp, Request: q.Get("request"), Sponsor: sponsor, Affiliate: sponsor != "" || q.Get("as") == "affiliate",
	})
}

func (p *Pages) signUp(w http.ResponseWriter, r *http.Request) {
	f, t := r.PostForm, p.text(r)
	in := account.SignUp{
		Email: f.Get("email"), Name: f.Get("name"), Affiliate: f.Get("affiliate") == "yes", SponsorID: sponsorOf(f.Get("sponsor")), Address: p.opts.Address(r),
	}
	if err := p.opts.Accounts.RequestSignUp(r.Context(), in); err != nil {
		status, text := p.problem(t, err)
		p.show(w, r, status, "sign-up", view{
			Title: t.SignUp, Request: f.Get("request"), Email: clip(in.Email), Name: clip(in.Name), Affiliate: in.Affiliate, Sponsor: clip(f.Get("sponsor")), Error: text, Wrong: fieldOf(err),
		})
		return
	}
	to(w, r, "/account/sent?for=sign-up")
}

func (p *Pages) showForgot(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, http.StatusOK, "forgot", view{Title: p.text(r).Forgot, Request: r.URL.Query().Get("request")})
}

func (p *Pages) forgot(w http.ResponseWriter, r *http.Request) {
	email, t := r.PostForm.Get("email"), p.text(r)
	if err := p.opts.Accounts.RequestReset(r.Context(), email, p.opts.Address(r)); err != nil {
		status, text := p.problem(t, err)
		p.show(w, r, status, "forgot", view{Title: t.Forgot, Request: r.PostForm.Get("request"), Email: clip(email), Error: text, Wrong: fieldOf(err)})
		return
	}
	to(w, r, "/account/sent?for=password")
}

// showSent says the same whether the address is known or not.
func (p *Pages) showSent(w http.ResponseWriter, r *http.Request) {
	t := p.text(r)
	text := t.SentSignUp
	if r.URL.Query().Get("for") == "password" {
		text = t.SentReset
	}
	p.show(w, r, http.StatusOK, "message", view{
		Title: t.Sent, Heading: t.Sent, Text: text + " " + t.SentHint, Action: "/account/sign-in", Label: t.ToSignIn,
	})
}

// showPassword asks for a password and uses nothing up: mail programs open links as well.
func (p *Pages) showPassword(w http.ResponseWriter, r *http.Request) {
	secret := r.URL.Query().Get("link")
	l, err := p.opts.Accounts.OpenLink(r.Context(), secret)
	if err == nil && l.Kind == account.EmailLink {
		err = account.ErrLink
	}
	if err != nil {
		p.badLink(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, "password", passwordView(p.text(r), l, secret, ""))
}

func passwordView(t *Text, l account.Link, secret, problem string) view {
	return view{Title: t.ChoosePassword, Link: secret, Email: l.Email, New: l.Kind != account.ResetLink, Error: problem}
}

func (p *Pages) badLink(w http.ResponseWriter, r *http.Request, err error) {
	t := p.text(r)
	status, text := p.problem(t, err)
	p.show(w, r, status, "message", view{Title: t.BadLinkTitle, Heading: t.BadLinkHeading, Text: text, Action: "/account/forgot", Label: t.AskForLink})
}

func (p *Pages) password(w http.ResponseWriter, r *http.Request) {
	secret, t := r.PostForm.Get("link"), p.text(r)
	l, err := p.opts.Accounts.OpenLink(r.Context(), secret)
	if err != nil {
		p.badLink(w, r, err)
		return
	}
	if r.PostForm.Get("password") != r.PostForm.Get("again") {
		p.show(w, r, http.StatusUnprocessableEntity, "password", passwordView(t, l, secret, t.PasswordsDiffer))
		return
	}
	device := p.jar.Device(r)
	if device == "" {
		device = account.NewDevice()
	}
	_, err = p.opts.Accounts.SetPassword(r.Context(), secret, r.PostForm.Get("password"), device)
	if errors.Is(err, account.ErrLink) || errors.Is(err, account.ErrTaken) {
		p.badLink(w, r, err)
		return
	}
	if err != nil {
		status, text := p.problem(t, err)
		p.show(w, r, status, "password", passwordView(t, l, secret, text))
		return
	}
	p.jar.SetDevice(w, device)
	p.jar.SetSession(w, "", 0)
	text := t.PasswordSavedReset
	if l.Kind != account.ResetLink {
		text = t.PasswordSavedNew
	}
	p.show(w, r, http.StatusOK, "message", view{Title: t.PasswordSaved, Heading: t.PasswordSaved, Text: text, Action: "/account/sign-in", Label: t.SignIn})
}

func (p *Pages) showEmail(w http.ResponseWriter, r *http.Request) {
	secret := r.URL.Query().Get("link")
	l, err := p.opts.Accounts.OpenLink(r.Context(), secret)
	if err == nil && l.Kind != account.EmailLink {
		err = account.ErrLink
	}
	if err != nil {
		p.badLink(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, "email", view{Title: p.text(r).EmailTitle, Link: secret, Email: l.Email})
}

func (p *Pages) email(w http.ResponseWriter, r *http.Request) {
	person, err := p.opts.Accounts.ConfirmEmail(r.Context(), r.PostForm.Get("link"))
	if err != nil {
		p.badLink(w, r, err)
		return
	}
	t := p.text(r)
	p.show(w, r, http.StatusOK, "message", view{
		Title: t.EmailConfirmed, Heading: t.EmailConfirmed, Text: fmt.Sprintf(t.EmailConfirmedText, person.Email), Action: "/account/", Label: t.GoOn,
	})
}
