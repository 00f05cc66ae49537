package site

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account/cookie"
	"github.com/edgeref/edgeref/core/locale"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/money"
)

//go:embed templates/*.html
var templates embed.FS

// How long an answer may be kept. What is the same for everybody may be kept by proxies for a minute, and shown for ten
// while they ask for it anew; what is somebody's is kept nowhere.
const (
	forAll  = "public, max-age=60, stale-while-revalidate=600"
	forOne  = "private, no-store"
	forEver = "public, max-age=31536000, immutable"
	forADay = "public, max-age=86400"
)

// page is what every template is given.
type page struct {
	T           *Text
	Site        string
	Title       string // without the name of the site
	Description string
	Canonical   string // absolute; empty: the page is not to be found
	Picture     string // absolute, for previews; empty: none
	Kind        string // of Open Graph
	Data        any    // JSON-LD; nil: none
	Style       string // path of the stylesheet
	Section     string // of the header's links that is marked
	Demo        bool
	Seller      Seller
	Support     string // address; empty: none
	CSRF        string
	Notice      notice
	Body        any // of the page's own

	clicks url.Values // what links within the site carry on
	format locale.Format
	root   string
}

// notice is shown above the content.
type notice struct{ Tone, Text string }

// To is a path of ours with the click that brought the visitor.
func (p *page) To(parts ...string) string {
	target := path.Join(append([]string{"/"}, parts...)...)
	if len(p.clicks) > 0 {
		target += "?" + p.clicks.Encode()
	}
	return target
}

// Money is an amount in full, Brief without decimals that are zero.
func (p *page) Money(a money.Amount) string { return p.format.Money(a) }

// Brief is an amount for price tags.
func (p *page) Brief(a money.Amount) string { return p.format.Brief(a) }

// Date is a day, Moment a time of it.
func (p *page) Date(millis int64) string { return p.format.Date(millis) }

// Moment is a day and a time of it.
func (p *page) Moment(millis int64) string { return p.format.Moment(millis) }

func parseTemplates() (map[string]*template.Template, error) {
	names, err := templates.ReadDir("templates")
	if err != nil {
		return nil, err
	}
	shared, err := template.New("").Funcs(template.FuncMap{"inc": func(i int) int { return i + 1 }, "lines": func(s string) []string { return strings.Split(s, "\n") }}).
		ParseFS(templates, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("read templates of the site: %w", err)
	}
	out := map[string]*template.Template{}
	for _, entry := range names {
		name := strings.TrimSuffix(entry.Name(), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		t, err := shared.Clone()
		if err == nil {
			t, err = t.ParseFS(templates, "templates/"+entry.Name())
		}
		if err != nil {
			return nil, fmt.Errorf("read templates of the site: %w", err)
		}
		out[name] = t
	}
	return out, nil
}

// page begins the page of a request. What brought the visitor goes on with him, which makes the page his own.
func (s *Site) page(w http.ResponseWriter, r *http.Request, d *drawn) *page {
	p := &page{
		T: d.text, Site: d.content.Name, Style: "/assets/" + d.sheet.Name, Demo: s.opts.Demo, Seller: s.opts.Seller, Support: d.content.SupportEmail, Kind: "website",
		format: d.format, root: s.opts.URL,
	}
	if p.Support == "" {
		p.Support = s.opts.Seller.Email
	}
	if id := clickIn(r.URL); id != "" {
		p.clicks = url.Values{"click_id": {id}}
		if c, err := r.Cookie(s.opts.CookieName); s.opts.CookieName != "" && (err != nil || c.Value != id) {
			http.SetCookie(w, &http.Cookie{
				Name: s.opts.CookieName, Value: id, Path: "/", MaxAge: clickAge, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
			})
		}
	}
	return p
}

const (
	clickAge  = 90 * 24 * 3600 // s; how long a click counts is the program's affair
	maxParams = 30             // of a query, that are looked at
)

// clickIn is a Click ID in the query, under whatever name the program gives it: it is known by its form.
func clickIn(u *url.URL) string {
	for i, pair := range strings.SplitN(u.RawQuery, "&", maxParams+1) {
		if i == maxParams {
			break
		}
		_, value, _ := strings.Cut(pair, "=")
		if _, err := click.ParseID(value); err == nil {
			return value
		}
	}
	return ""
}

// own makes a page one of this browser's, with a form in it.
func (s *Site) own(w http.ResponseWriter, r *http.Request, p *page) {
	p.CSRF = cookie.CSRF(s.jar.Browser(w, r))
}

// show answers with a page. One that was given a click or a form is kept by nobody.
func (s *Site) show(w http.ResponseWriter, r *http.Request, status int, name string, p *page) {
	var b bytes.Buffer
	if err := s.templates[name].ExecuteTemplate(&b, "layout", p); err != nil {
		s.opts.Logger.Error("show page of the site", "page", name, "error", err)
		w.Header().Set("Cache-Control", forOne)
		http.Error(w, s.text().FailedText, http.StatusInternalServerError)
		return
	}
	h := w.Header()
	keep := forAll
	if p.CSRF != "" || len(p.clicks) > 0 || status != http.StatusOK || h.Get("Set-Cookie") != "" {
		keep = forOne
	}
	h.Set("Cache-Control", keep)
	h.Set("Content-Type", "text/html; charset=utf-8")
	if h.Get("Content-Security-Policy") == "" {
		h.Set("Content-Security-Policy", policy("'self'", ""))
	}
	s.send(w, r, status, b.Bytes())
}

// policy lets in what is ours, and forms that go to actions. script is "" or where from one may come.
func policy(actions, script string) string {
	text := "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action " + actions
	if script != "" {
		text += "; script-src " + script
	}
	return text
}

// worthZipping is the least that is compressed, in bytes: below, it is one packet either way.
const worthZipping = 1200

// send writes a body under a tag of its content. Who has it already is told so.
func (s *Site) send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if status == http.StatusOK && h.Get("Cache-Control") != forOne {
		sum := sha256.Sum256(body)
		tag := `W/"` + hex.EncodeToString(sum[:12]) + `"` // weak: the same, compressed or not
		h.Set("ETag", tag)
		if matches(r.Header.Get("If-None-Match"), tag) {
			h.Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if len(body) >= worthZipping && h.Get("Content-Type") != "image/png" && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		var z bytes.Buffer
		s.zip(&z, body)
		h.Set("Content-Encoding", "gzip")
		body = z.Bytes()
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// matches reports whether a list of tags has one, compared weakly.
func matches(list, tag string) bool {
	for have := range strings.SplitSeq(list, ",") {
		if have = strings.TrimSpace(have); have == "*" || strings.TrimPrefix(have, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// zip compresses with a writer that was used before: each takes some hundred KiB.
func (s *Site) zip(into *bytes.Buffer, body []byte) {
	z, _ := s.zippers.Get().(*gzip.Writer)
	if z == nil {
		z = gzip.NewWriter(into)
	} else {
		z.Reset(into)
	}
	_, _ = z.Write(body) // a buffer takes all
	_ = z.Close()
	s.zippers.Put(z)
}

// message is a page that says one thing.
func (s *Site) message(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	d, err := s.now(r.Context())
	if err != nil {
		s.opts.Logger.Error("read content of the site", "error", err)
		d = &drawn{}
		*d = s.draw(Content{Name: "Edgeref"})
	}
	p := s.page(w, r, d)
	p.Title = title
	p.Body = notice{Text: text}
	s.show(w, r, status, "message", p)
}

func (s *Site) notFound(w http.ResponseWriter, r *http.Request) {
	s.message(w, r, http.StatusNotFound, s.text().NotFoundTitle, s.text().NotFoundText)
}

// fail is the page for what is not the visitor's fault. It is logged, unless he has gone.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		s.opts.Logger.Error("page of the site", "page", r.Pattern, "error", err)
	}
	s.message(w, r, http.StatusInternalServerError, s.text().FailedTitle, s.text().FailedText)
}

func moved(w http.ResponseWriter, r *http.Request, target string) {
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	http.Redirect(w, r, target, http.StatusPermanentRedirect)
}

// public is the context of somebody who has not signed in.
func (s *Site) public(r *http.Request) context.Context {
	address := ""
	if addr := s.opts.Address(r); addr.IsValid() {
		address = addr.String()
	}
	return access.With(r.Context(), access.Principal{Name: "public", Address: address})
}
