// Package site is the public face: landing page, products, checkout, receipt, legal pages, the way in for affiliates. It is
// plain HTML from the server that works without scripts, up to the page of the payment provider.
package site

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/text/language"

	"github.com/edgeref/edgeref/core/account/cookie"
	"github.com/edgeref/edgeref/core/account/pace"
	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/core/locale"
	"github.com/edgeref/edgeref/core/payment"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/core/web/look"
)

// Requests of one network in a minute.
const (
	formsPerMinute = 60  // orders, coupons tried, payments begun
	looksPerMinute = 240 // at checkouts and orders; a page that waits for its payment looks again by itself
)

// payments is what the checkout asks of core/payment.
type payments interface {
	// Gateways are the names of those there are, sorted.
	Gateways() []string
	// Begin gives the place to pay; asked again, the same while that can be paid. It calls the gateway.
	Begin(ctx context.Context, orderID int64, gateway string) (payment.Session, error)
}

// Seller is the business, as receipts and the foot of each page name it.
type Seller struct{ Name, Address, Country, TaxID, Email string }

// Options are what New needs.
type Options struct {
	Shop     *shop.Service
	Invoices *invoice.Service
	Payments payments
	Content  writer
	// Markdown makes safe HTML of what products say about themselves.
	Markdown func(string) (template.HTML, error)
	// Picture is the path of the picture of a product; "" where it has none. nil: none has.
	Picture    func(shop.Product) string
	Seller     Seller
	Currency   string         // of the shop
	Zone       *time.Location // of dates on pages
	URL        string         // where browsers reach the core, without a slash at the end
	CookieName string         // of the tracker's cookie that holds the Click ID
	Demo       bool           // say on each page that the data is made up
	// Address is the network address of the client of a request.
	Address    func(*http.Request) netip.Addr
	Now        func() time.Time
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported

	texts []*Text // default: languages()
}

// Site serves the pages. It is safe for concurrent use.
type Site struct {
	opts      Options
	jar       cookie.Jar
	secure    bool
	texts     []*Text          // the first is that of who asks for none there is
	matcher   language.Matcher // of texts
	templates map[string]*template.Template
	files     map[string]file
	forms     *pace.Limiter
	looks     *pace.Limiter
	cross     *http.CrossOriginProtection
	requests  *prometheus.CounterVec
	refused   *prometheus.CounterVec
	mux       *http.ServeMux
	countries map[*Text][]country
	zippers   sync.Pool // of *gzip.Writer
	painter   *painter

	mu    sync.Mutex
	drawn drawn // what was last made of the content
}

// drawn is what is made once of a content and not for each page.
type drawn struct {
	content  Content
	sheet    look.Sheet
	lead     template.HTML
	sections []part
	format   locale.Format
	text     *Text
}

// New returns the site.
func New(opts Options) (*Site, error) {
	if opts.Shop == nil || opts.Invoices == nil || opts.Payments == nil || opts.Content == nil || opts.Markdown == nil || opts.Address == nil || opts.Now == nil {
		return nil, errors.New("site: shop, invoices, payments, content, markdown, addresses and clock are required")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Zone == nil {
		opts.Zone = time.UTC
	}
	if opts.Currency == "" {
		opts.Currency = "INR"
	}
	if opts.Picture == nil {
		opts.Picture = func(shop.Product) string { return "" }
	}
	secure := strings.HasPrefix(opts.URL, "https://")
	s := &Site{
		opts: opts, jar: cookie.Jar{Secure: secure}, secure: secure, texts: opts.texts, forms: pace.New(formsPerMinute, opts.Now),
		looks: pace.New(looksPerMinute, opts.Now), cross: http.NewCrossOriginProtection(), mux: http.NewServeMux(), countries: map[*Text][]country{},
		requests: promauto.With(opts.Registerer).NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_site_requests_total", Help: "Requests to public pages, by page and status.",
		}, []string{"page", "status"}),
		refused: promauto.With(opts.Registerer).NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_site_refused_total", Help: "Requests refused before they were looked at, by reason: cross_site, token, too_many, unreadable.",
		}, []string{"reason"}),
	}
	for _, reason := range []string{"cross_site", "token", "too_many", "unreadable"} {
		s.refused.WithLabelValues(reason)
	}
	s.requests.WithLabelValues("landing", "2xx") // from zero on
	if s.texts == nil {
		s.texts = languages()
	}
	tags := make([]language.Tag, len(s.texts))
	for i, t := range s.texts {
		tags[i] = t.Tag
		s.countries[t] = countries(t.Tag)
	}
	s.matcher = language.NewMatcher(tags)
	var err error
	if s.templates, err = parseTemplates(); err != nil {
		return nil, err
	}
	if s.painter, err = newPainter(); err != nil {
		return nil, err
	}
	s.files = staticFiles()
	s.routes()
	return s, nil
}

// routes are the pages. A path that takes no other method says so in a page.
func (s *Site) routes() {
	type methods map[string]http.HandlerFunc
	for path, m := range map[string]methods{
		"/{$}":                   {"GET": s.landing},
		"/products":              {"GET": s.list},
		"/products/{slug}":       {"GET": s.product},
		"/checkout/{slug}":       {"GET": s.showCheckout, "POST": s.form(s.checkout)},
		"/pay/{token}/{gateway}": {"GET": s.pay},
		"/thank-you/{token}":     {"GET": s.thanks, "POST": s.form(s.payAgain)},
		"/affiliates":            {"GET": s.affiliates},
		"/legal/{page}":          {"GET": s.legal},
		"/sitemap.xml":           {"GET": s.sitemap},
		"/robots.txt":            {"GET": s.robots},
		"/favicon.ico":           {"GET": s.icon},
		"/assets/{name}":         {"GET": s.asset},
		"/assets/art/{slug}":     {"GET": s.art},
		"/assets/preview.png":    {"GET": s.showPreview},
		"/assets/preview/{slug}": {"GET": s.showPreview},
		"/products/{slug}/{$}":   {"GET": func(w http.ResponseWriter, r *http.Request) { moved(w, r, "/products/"+r.PathValue("slug")) }},
		"/products/{$}":          {"GET": func(w http.ResponseWriter, r *http.Request) { moved(w, r, "/products") }},
		"/affiliates/{$}":        {"GET": func(w http.ResponseWriter, r *http.Request) { moved(w, r, "/affiliates") }},
		"/legal/{$}":             {"GET": func(w http.ResponseWriter, r *http.Request) { moved(w, r, "/legal/terms") }},
	} {
		allow := "GET, HEAD"
		if m["POST"] != nil {
			allow += ", POST"
		}
		s.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			method := r.Method
			if method == http.MethodHead {
				method = http.MethodGet
			}
			if h := m[method]; h != nil {
				h(w, r)
				return
			}
			w.Header().Set("Allow", allow)
			s.message(w, r, http.StatusMethodNotAllowed, s.text().MethodTitle, s.text().MethodText)
		})
	}
	s.mux.HandleFunc("/", s.notFound)
}

// Paths are the patterns of the pages, for the mux that they share with others.
func (s *Site) Paths() []string {
	return []string{
		"/{$}", "/products", "/products/", "/checkout/", "/pay/", "/thank-you/", "/affiliates", "/affiliates/", "/legal/", "/sitemap.xml", "/robots.txt", "/favicon.ico",
		"/assets/",
	}
}

// ServeHTTP implements http.Handler.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	if s.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	counted := &counter{ResponseWriter: w}
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
				panic(p)
			}
			s.opts.Logger.Error("a page panicked", "path", r.Pattern, "panic", p)
			if counted.status == 0 {
				s.message(counted, r, http.StatusInternalServerError, s.text().FailedTitle, s.text().FailedText)
			}
		}
		s.requests.WithLabelValues(pageName(r.Pattern), statusClass(counted.status)).Inc()
	}()
	s.mux.ServeHTTP(counted, r)
}

// Fallback shows browsers a page where there is nothing, and leaves all others to next.
func (s *Site) Fallback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html") && !ofProgram(r.URL.Path) {
			s.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ofProgram reports whether a path is one that programs ask for.
func ofProgram(path string) bool {
	for _, prefix := range []string{"/api/", "/docs", "/openapi", "/edge/", "/oauth/", "/.well-known/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// counter remembers the status of an answer.
type counter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (c *counter) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (c *counter) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	return c.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// pageName is a label for the pattern of a page: one word.
func pageName(pattern string) string {
	name, _, _ := strings.Cut(strings.Trim(pattern, "/"), "/")
	switch name {
	case "{$}":
		return "landing"
	case "":
		return "none"
	}
	return name
}

func statusClass(status int) string {
	if status == http.StatusNotModified {
		return "304"
	}
	return string(rune('0'+status/100)) + "xx"
}

// now is what was made of the content as it stands.
func (s *Site) now(ctx context.Context) (*drawn, error) {
	c, err := s.opts.Content.Content(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn.sheet.Name == "" || c.Revision != s.drawn.content.Revision {
		s.drawn = s.draw(c)
	}
	d := s.drawn
	return &d, nil
}

// text is what the pages say in the language of the content.
func (s *Site) text() *Text {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn.text == nil { // nobody could read it yet
		return s.texts[0]
	}
	return s.drawn.text
}

func (s *Site) draw(c Content) drawn {
	_, i := language.MatchStrings(s.matcher, c.Locale)
	text := s.texts[i]
	tag, err := language.Parse(c.Locale)
	if err != nil {
		tag = text.Tag
	}
	d := drawn{content: c, sheet: look.NewSheet("site", c.Accent, styles), format: locale.New(tag, s.opts.Zone), text: text}
	d.lead, d.sections = parts(settled(c.Text))
	return d
}
