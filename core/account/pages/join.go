package pages

import (
	"errors"
	"net/http"

	"github.com/edgeref/edgeref/core/account"
)

func (p *Pages) showSignUp(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	sponsor := q.Get("sponsor")
	if sponsorOf(sponsor) == 0 {
		sponsor = ""
	}
	p.show(w, r, http.StatusOK, "sign-up", view{
		Title: "Create an account", Request: q.Get("request"), Sponsor: sponsor, Affiliate: sponsor != "" || q.Get("as") == "affiliate",
	})
}

func (p *Pages) signUp(w http.ResponseWriter, r *http.Request) {
	f := r.PostForm
	in := account.SignUp{
		Email: f.Get("email"), Name: f.Get("name"), Affiliate: f.Get("affiliate") == "yes", SponsorID: sponsorOf(f.Get("sponsor")), Address: p.opts.Address(r),
	}
	if err := p.opts.Accounts.RequestSignUp(r.Context(), in); err != nil {
		status, text := p.problem(err)
		p.show(w, r, status, "sign-up", view{
			Title: "Create an account", Request: f.Get("request"), Email: clip(in.Email), Name: clip(in.Name), Affiliate: in.Affiliate, Sponsor: clip(f.Get("sponsor")), Error: text,
		})
		return
	}
	to(w, r, "/account/sent?for=sign-up")
}

func (p *Pages) showForgot(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, http.StatusOK, "forgot", view{Title: "Forgotten password", Request: r.URL.Query().Get("request")})
}

func (p *Pages) forgot(w http.ResponseWriter, r *http.Request) {
	email := r.PostForm.Get("email")
	if err := p.opts.Accounts.RequestReset(r.Context(), email, p.opts.Address(r)); err != nil {
		status, text := p.problem(err)
		p.show(w, r, status, "forgot", view{Title: "Forgotten password", Request: r.PostForm.Get("request"), Email: clip(email), Error: text})
		return
	}
	to(w, r, "/account/sent?for=password")
}

// showSent says the same whether the address is known or not.
func (p *Pages) showSent(w http.ResponseWriter, r *http.Request) {
	text := "If the address can have an account, a mail with a link to finish is on its way to it. It is good for a day."
	if r.URL.Query().Get("for") == "password" {
		text = "If somebody has an account with this address, a mail with a link to a new password is on its way to it. It is good for three hours."
	}
	p.show(w, r, http.StatusOK, "message", view{
		Title: "Look into your mail", Heading: "Look into your mail", Text: text + " If nothing comes within some minutes, look into the folder for spam too.",
		Action: "/account/sign-in", Label: "To the sign-in",
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
	p.show(w, r, http.StatusOK, "password", passwordView(l, secret, ""))
}

func passwordView(l account.Link, secret, problem string) view {
	return view{Title: "Choose a password", Link: secret, Email: l.Email, New: l.Kind != account.ResetLink, Error: problem}
}

func (p *Pages) badLink(w http.ResponseWriter, r *http.Request, err error) {
	status, text := p.problem(err)
	p.show(w, r, status, "message", view{Title: "Not good any more", Heading: "This link is not good any more", Text: text, Action: "/account/forgot", Label: "Ask for another link"})
}

func (p *Pages) password(w http.ResponseWriter, r *http.Request) {
	secret := r.PostForm.Get("link")
	l, err := p.opts.Accounts.OpenLink(r.Context(), secret)
	if err != nil {
		p.badLink(w, r, err)
		return
	}
	if r.PostForm.Get("password") != r.PostForm.Get("again") {
		p.show(w, r, http.StatusUnprocessableEntity, "password", passwordView(l, secret, "The two passwords are not the same."))
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
		status, text := p.problem(err)
		p.show(w, r, status, "password", passwordView(l, secret, text))
		return
	}
	p.jar.SetDevice(w, device)
	p.jar.SetSession(w, "", 0)
	text := "From now on you sign in with it. All other devices were signed out."
	if l.Kind != account.ResetLink {
		text = "Your account is ready: sign in with your address and the password."
	}
	p.show(w, r, http.StatusOK, "message", view{Title: "Password saved", Heading: "Password saved", Text: text, Action: "/account/sign-in", Label: "Sign in"})
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
	p.show(w, r, http.StatusOK, "email", view{Title: "Confirm address", Link: secret, Email: l.Email})
}

func (p *Pages) email(w http.ResponseWriter, r *http.Request) {
	person, err := p.opts.Accounts.ConfirmEmail(r.Context(), r.PostForm.Get("link"))
	if err != nil {
		p.badLink(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, "message", view{Title: "Address confirmed", Heading: "Address confirmed", Text: "Your account has the address " + person.Email + " now.", Action: "/account/", Label: "Go on"})
}
