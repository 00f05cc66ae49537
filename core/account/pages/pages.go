// Package pages shows people the few pages that signing in needs: plain HTML from the server, that works without
// scripts. Everything else that people see is made by programs that use the API.
package pages

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/text/language"

	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/cookie"
	"github.com/edgeref/edgeref/core/account/oauth"
	"github.com/edgeref/edgeref/core/account/pace"
	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/web/look"
)

const (
	maxForm   = 16 << 10 // bytes
	perMinute = 60       // forms and sign-ins begun from one network
)

//go:embed templates/*.html style.css
var files embed.FS

// Options are what New needs.
type Options struct {
	Accounts *account.Service
	OAuth    *oauth.Service
	Secure   bool   // the site is on https
	Site     string // name of the business; default Edgeref
	Home     string // where somebody goes who has signed in for no program; "": a page that says so
	// Brand is what the pages belong to, where it may change; nil: Site, and the defaults.
	Brand func(context.Context) Brand
	Demo  bool // say on each page that the data is made up
	// Address is the network address of the client of a request.
	Address    func(*http.Request) netip.Addr
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported

	texts []*Text // default: languages()
}

// Brand is a business as people know it.
type Brand struct {
	Name   string
	Accent string // colour as #rrggbb; "": the default
	Locale string // BCP 47, of who asks for no language that there is
}

// Pages serves them. It is safe for concurrent use.
type Pages struct {
	opts      Options
	jar       cookie.Jar
	templates map[string]*template.Template
	texts     []*Text
	matcher   language.Matcher // of texts
	own       string           // rules of these pages beside those that all pages share

	mu      sync.Mutex
	accent  string // that sheet was made for
	sheet   look.Sheet
	pace    *pace.Limiter
	cross   *http.CrossOriginProtection
	refused *prometheus.CounterVec
	mux     *http.ServeMux
}

// New returns the pages. The error is a template that cannot be read, which is a bug.
func New(opts Options) (*Pages, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Site == "" {
		opts.Site = "Edgeref"
	}
	p := &Pages{
		opts: opts, jar: cookie.Jar{Secure: opts.Secure}, templates: map[string]*template.Template{}, texts: opts.texts, pace: pace.New(perMinute, opts.Now),
		cross: http.NewCrossOriginProtection(), mux: http.NewServeMux(),
		refused: promauto.With(opts.Registerer).NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_account_pages_refused_total", Help: "Forms refused before they were looked at, by reason: cross_site, token, too_many, unreadable.",
		}, []string{"reason"}),
	}
	for _, reason := range []string{"cross_site", "token", "too_many", "unreadable"} {
		p.refused.WithLabelValues(reason)
	}
	for _, name := range []string{"sign-in", "second-factor", "sign-up", "forgot", "password", "email", "consent", "sign-out", "message"} {
		t, err := template.New(name).Funcs(template.FuncMap{"say": say, "strong": strong}).ParseFS(files, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, err
		}
		p.templates[name] = t
	}
	own, err := files.ReadFile("style.css")
	if err != nil {
		return nil, err
	}
	if p.texts == nil {
		p.texts = languages()
	}
	tags := make([]language.Tag, len(p.texts))
	for i, t := range p.texts {
		tags[i] = t.Tag
	}
	p.matcher = language.NewMatcher(tags)
	p.own, p.sheet = string(own), look.NewSheet("style", "", string(own))
	p.routes()
	return p, nil
}

func (p *Pages) routes() {
	p.mux.HandleFunc("GET /account/styles/{name}", p.showStyle)
	for path, h := range map[string]http.HandlerFunc{
		"/account/{$}": p.home, "/account/continue": p.goOn, "/account/sign-in": p.showSignIn, "/account/second-factor": p.showFactor,
		"/account/sign-up": p.showSignUp, "/account/forgot": p.showForgot, "/account/password": p.showPassword, "/account/email": p.showEmail,
		"/account/consent": p.showConsent, "/account/sign-out": p.showSignOut, "/account/signed-out": p.showSignedOut, "/account/sent": p.showSent,
	} {
		p.mux.HandleFunc("GET "+path, h)
	}
	for path, h := range map[string]http.HandlerFunc{
		"/account/sign-in": p.signIn, "/account/second-factor": p.factor, "/account/sign-up": p.signUp, "/account/forgot": p.forgot,
		"/account/password": p.password, "/account/email": p.email, "/account/consent": p.consent, "/account/sign-out": p.signOut,
	} {
		p.mux.HandleFunc("POST "+path, p.form(h))
	}
	p.mux.HandleFunc("/account/", func(w http.ResponseWriter, r *http.Request) {
		t := p.text(r)
		p.message(w, r, http.StatusNotFound, t.NotFound, t.NotFoundText)
	})
}

// ServeHTTP implements http.Handler. It serves /account/ and below.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer") // links from mails hold secrets
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	p.mux.ServeHTTP(w, r)
}

// brand is what the page says it belongs to.
func (p *Pages) brand(ctx context.Context) Brand {
	if p.opts.Brand == nil {
		return Brand{Name: p.opts.Site}
	}
	return p.opts.Brand(ctx)
}

// style is the stylesheet for an accent.
func (p *Pages) style(accent string) look.Sheet {
	p.mu.Lock()
	defer p.mu.Unlock()
	if accent != p.accent {
		p.accent, p.sheet = accent, look.NewSheet("style", accent, p.own)
	}
	return p.sheet
}

// text is what the pages say to who sent a request: in the language that the browser asks for, or else the business's.
func (p *Pages) text(r *http.Request) *Text {
	if len(p.texts) == 1 {
		return p.texts[0]
	}
	_, i := language.MatchStrings(p.matcher, r.Header.Get("Accept-Language"), p.brand(r.Context()).Locale)
	return p.texts[i]
}

// showStyle answers with the sheet of now, also for the name of an older one: that of a page which was open for long.
func (p *Pages) showStyle(w http.ResponseWriter, r *http.Request) {
	sheet := p.style(p.brand(r.Context()).Accent)
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	if r.PathValue("name") == sheet.Name {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(sheet.Body)
}

// form lets a form through that this browser was given by us.
func (p *Pages) form(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t := p.text(r)
		refuse := func(reason string, status int, text string) {
			p.refused.WithLabelValues(reason).Inc()
			p.message(w, r, status, t.Refused, text)
		}
		if err := p.cross.Check(r); err != nil {
			refuse("cross_site", http.StatusForbidden, t.CrossSite)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			refuse("unreadable", http.StatusBadRequest, t.Unreadable)
			return
		}
		if !p.jar.ValidCSRF(r, r.PostForm.Get("csrf")) {
			refuse("token", http.StatusForbidden, t.Stale)
			return
		}
		if !p.pace.Allow(p.opts.Address(r)) {
			w.Header().Set("Retry-After", "60")
			refuse("too_many", http.StatusTooManyRequests, t.TooManyForms)
			return
		}
		next(w, r)
	}
}

// view is what templates are given. Fields that a page does not use stay empty.
type view struct {
	T                 *Text
	Site, Title, CSRF string
	Style             string // path of the stylesheet
	Demo              bool
	Request           string // of a program that waits for the sign-in
	Link              string // secret of a link from a mail
	Error, Wrong      string // what went wrong, and the field that it is about
	Email, Name       string
	Affiliate         bool
	Sponsor           string
	Heading, Text     string
	New               bool // the link makes a person
	Client            string
	Target            string // host that a consent sends the browser to
	Permissions       []string
	Action, Label     string // a link at the end of a message
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, page string, v view) {
	brand := p.brand(r.Context())
	v.T, v.Site, v.Style, v.Demo, v.CSRF = p.text(r), brand.Name, "/account/styles/"+p.style(brand.Accent).Name, p.opts.Demo, cookie.CSRF(p.jar.Browser(w, r))
	var b bytes.Buffer
	if err := p.templates[page].ExecuteTemplate(&b, "layout", v); err != nil {
		p.opts.Logger.Error("show page", "page", page, "error", err)
		http.Error(w, v.T.Failed, http.StatusInternalServerError)
		return
	}
	// A form's answer may send the browser on to the program that waits; browsers hold form-action against that too.
	actions := "'self'"
	if v.Request != "" {
		if waiting, err := p.request(r, v.Request); err == nil {
			if u, err := url.Parse(waiting.RedirectURI); err == nil {
				actions += " " + u.Scheme + "://" + u.Host
			}
		}
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action "+actions+"; frame-ancestors 'none'; base-uri 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

func (p *Pages) message(w http.ResponseWriter, r *http.Request, status int, heading, text string) {
	p.show(w, r, status, "message", view{Title: heading, Heading: heading, Text: text, Action: "/account/", Label: p.text(r).ToSignIn})
}

// request is the one that a program waits with, if this browser began it.
func (p *Pages) request(r *http.Request, id string) (*oauth.Request, error) {
	return p.opts.OAuth.Request(r.Context(), id, p.jar.Known(r))
}

// problem says what went wrong in words for the person, with the status of the page. What is not the person's fault is
// logged.
func (p *Pages) problem(t *Text, err error) (int, string) {
	var invalid *account.InvalidError
	var many *account.TooManyError
	switch {
	case errors.As(err, &invalid):
		return http.StatusUnprocessableEntity, cmp.Or(t.Invalid[invalid.Reason], t.InvalidOther)
	case errors.As(err, &many):
		return http.StatusTooManyRequests, t.wait(many.Wait)
	case errors.Is(err, account.ErrCredentials):
		return http.StatusUnauthorized, t.Credentials
	case errors.Is(err, account.ErrCode):
		return http.StatusUnauthorized, t.BadCode
	case errors.Is(err, account.ErrSuspended):
		return http.StatusForbidden, t.Suspended
	case errors.Is(err, account.ErrLink):
		return http.StatusGone, t.BadLink
	case errors.Is(err, account.ErrTaken):
		return http.StatusConflict, t.Taken
	case errors.Is(err, password.ErrBusy) || errors.Is(err, account.ErrCrowded):
		return http.StatusServiceUnavailable, t.Busy
	}
	p.opts.Logger.Error("account page", "error", err)
	return http.StatusInternalServerError, t.Failed
}

// fieldOf is the field that an error is about; "" where it is about none.
func fieldOf(err error) string {
	var invalid *account.InvalidError
	if errors.As(err, &invalid) {
		return invalid.Field
	}
	return ""
}

// wait says when to try again, as people say it: rounded up, and in hours where there are many minutes.
func (t *Text) wait(d time.Duration) string {
	minutes := max(int((d+time.Minute-1)/time.Minute), 1)
	if minutes <= 90 {
		return t.TooManyMinutes.Of(t.Tag, minutes)
	}
	return t.TooManyHours.Of(t.Tag, (minutes+59)/60)
}
