// Package redirect answers referral links: it records the click, then sends the visitor on.
package redirect

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/edgeref/edgeref/tracker/problem"
	"github.com/edgeref/edgeref/tracker/visitor"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/link"
)

// finder finds links. It is asked on every request: safe for concurrent use, and it answers from memory or after one
// bounded look-up.
type finder interface {
	// Find returns the target of a slug. slug is a view of the request: it must be copied to be kept. An error that
	// wraps link.ErrNotFound means that there is no such link, any other that it cannot be told now.
	Find(ctx context.Context, slug string) (*Target, error)
}

// recorder keeps records of clicks. It is safe for concurrent use.
type recorder interface {
	// Append returns nil once the record outlives the process. It does not keep record.
	Append(record []byte) error
}

// Outcome is how a request was answered, for a metric's label.
type Outcome string

// Outcomes.
const (
	Redirected       Outcome = "redirected"  // to the link's destination: a click
	FellBack         Outcome = "fallback"    // to a fallback: no click
	NotFound         Outcome = "not_found"   // no such link, or it is not active
	Unavailable      Outcome = "unavailable" // whether there is such a link cannot be told now
	MethodNotAllowed Outcome = "method_not_allowed"
)

// Options of New.
type Options struct {
	Finder   finder
	Recorder recorder
	// Reason names a recorder's error in a word of a bounded set, for a metric's label.
	Reason     func(error) string
	Keys       *click.Keyring
	Visitors   *visitor.Identifier
	Now        func() time.Time
	Registerer prometheus.Registerer
	Node       uint16
	// CookieName is the name of the cookie that holds the Click ID; "" means DefaultCookieName.
	CookieName string
	// CookieDomain is the domain the cookie is for, with its subdomains; "" means the tracker's host alone.
	CookieDomain string
	// Fallback is where requests without an active link go; "" means that they get 404.
	Fallback string
}

// DefaultCookieName is the name of the cookie that holds the Click ID.
const DefaultCookieName = "er_cid"

// Handler answers links. It is safe for concurrent use and does not allocate for a link that is in memory.
type Handler struct {
	Options
	metrics      *metrics
	cookieSuffix string
	pool         sync.Pool // of *work
}

// New returns a handler. The error names the option that is wrong.
func New(o Options) (*Handler, error) {
	h := &Handler{Options: o, pool: sync.Pool{New: newWork}}
	if h.CookieName == "" {
		h.CookieName = DefaultCookieName
	}
	if !isToken(h.CookieName) {
		return nil, fmt.Errorf("cookie name: %q has characters that a cookie's name cannot have", o.CookieName)
	}
	h.cookieSuffix = "; Path=/; Secure; HttpOnly; SameSite=Lax"
	if domain := strings.TrimPrefix(o.CookieDomain, "."); domain != "" {
		if !isToken(domain) {
			return nil, fmt.Errorf("cookie domain: %q is not a domain", o.CookieDomain)
		}
		h.cookieSuffix = "; Domain=" + domain + h.cookieSuffix
	}
	var err error
	if o.Fallback != "" {
		if h.Fallback, err = FixedURL(o.Fallback); err != nil {
			return nil, fmt.Errorf("fallback: %w", err)
		}
	}
	if h.metrics, err = newMetrics(o.Registerer); err != nil {
		return nil, err
	}
	return h, nil
}

// isToken reports whether s has only characters that are safe in a cookie's name and a domain.
func isToken(s string) bool {
	for i := range len(s) {
		if !unreserved(s[i]) {
			return false
		}
	}
	return true
}

// Serve answers a request for a slug, which may be a view of the request. query is the raw query. ctx is passed to the
// finder; it must outlive the request, so it is not req.
func (h *Handler) Serve(ctx context.Context, req *fasthttp.RequestCtx, slug, query string) Outcome {
	if !req.IsGet() && !req.IsHead() {
		return refuse(req, MethodNotAllowed)
	}
	if !ValidSlug(slug) {
		return refuse(req, NotFound)
	}
	target, err := h.Finder.Find(ctx, slug)
	if err != nil {
		if h.Fallback != "" {
			return h.fallBack(req, h.Fallback)
		}
		if errors.Is(err, link.ErrNotFound) {
			return refuse(req, NotFound)
		}
		return refuse(req, Unavailable)
	}
	now := h.Now()
	if target.active(now) {
		return h.click(req, target, query, now)
	}
	for _, fallback := range [...]string{target.fallback, h.Fallback} {
		if fallback != "" {
			return h.fallBack(req, fallback)
		}
	}
	return refuse(req, NotFound)
}

// Root answers a request for no link at all.
func (h *Handler) Root(req *fasthttp.RequestCtx) Outcome {
	if !req.IsGet() && !req.IsHead() {
		return refuse(req, MethodNotAllowed)
	}
	if h.Fallback != "" {
		return h.fallBack(req, h.Fallback)
	}
	return refuse(req, NotFound)
}

// ValidSlug reports whether a link can have this slug.
func ValidSlug(slug string) bool {
	if slug == "" || len(slug) > link.MaxSlug {
		return false
	}
	return isToken(slug)
}

// click records the click and then redirects: the Click ID of a click that was not recorded is never given out.
func (h *Handler) click(req *fasthttp.RequestCtx, t *Target, query string, now time.Time) Outcome {
	w := h.pool.Get().(*work)
	defer h.release(w)
	header := &req.Request.Header
	client := h.Visitors.Client(req.RemoteAddr(), peek(header, headerClient))
	w.readQuery(query)
	w.readHeader(header, client)
	w.record.Visitor = h.Visitors.Hash(now, client.Addr, w.record.UserAgent)
	w.record.ProgramID = t.programID
	w.record.ID = h.Keys.Mint(now, h.Node, t.linkID, t.affiliateID)

	id := ""
	w.encoded = w.record.Append(w.encoded[:0])
	if err := h.Recorder.Append(w.encoded); err == nil {
		h.metrics.recorded.Inc()
		n := len(w.text)
		w.text = w.record.ID.Append(w.text)
		id = w.keep(n)
	} else {
		h.metrics.refused.WithLabelValues(h.Reason(err)).Inc()
	}
	h.metrics.received.Inc()

	h.redirect(req, h.locate(t, w, id))
	if id != "" && t.cookieSeconds > 0 {
		w.cookie = h.appendCookie(w.cookie[:0], id, t.cookieSeconds)
		req.Response.Header.SetCanonical(raw(fasthttp.HeaderSetCookie), w.cookie)
	}
	return Redirected
}

func (h *Handler) release(w *work) {
	if w.poolable() {
		h.pool.Put(w)
	}
}

// locate is where the click leads.
func (h *Handler) locate(t *Target, w *work, id string) []byte {
	var dropped int
	if w.to != "" {
		if u, ok := t.deepLink(w.to); ok {
			// Encoded, it may have grown to three times the length that was checked.
			if w.location, dropped = t.appendDeepLink(w.location[:0], u, id, w.query); len(w.location) <= maxLocation {
				h.metrics.deepTaken.Inc()
				h.metrics.drop(dropped)
				return w.location
			}
		}
		h.metrics.deepLeft.Inc()
	}
	w.location, dropped = t.appendLocation(w.location[:0], &w.record, id, w.query)
	h.metrics.drop(dropped)
	return w.location
}

func (h *Handler) appendCookie(dst []byte, id string, seconds int64) []byte {
	dst = append(dst, h.CookieName...)
	dst = append(dst, '=')
	dst = append(dst, id...)
	dst = append(dst, "; Max-Age="...)
	dst = strconv.AppendInt(dst, seconds, 10)
	return append(dst, h.cookieSuffix...)
}

func (h *Handler) fallBack(req *fasthttp.RequestCtx, to string) Outcome {
	h.redirect(req, []byte(to))
	return FellBack
}

// redirect answers 302. It must not be cached: a cached redirect is a lost click. The merchant is to see where the
// visitor came from, but not more of it than its own pages would.
func (h *Handler) redirect(req *fasthttp.RequestCtx, location []byte) {
	req.SetStatusCode(fasthttp.StatusFound)
	header := &req.Response.Header
	header.SetCanonical(raw(fasthttp.HeaderLocation), location)
	header.SetCanonical(raw(fasthttp.HeaderCacheControl), raw("no-store"))
	header.SetCanonical(raw(fasthttp.HeaderReferrerPolicy), raw("strict-origin-when-cross-origin"))
}

// refuse answers a request that leads nowhere.
func refuse(req *fasthttp.RequestCtx, o Outcome) Outcome {
	switch o {
	case MethodNotAllowed:
		problem.Problem{Status: fasthttp.StatusMethodNotAllowed, Code: string(o), Detail: "A link answers GET and HEAD.", Allow: "GET, HEAD"}.WriteFor(req)
	case Unavailable:
		problem.Problem{
			Status: fasthttp.StatusServiceUnavailable, Code: "link_unavailable", RetryAfter: 5,
			Detail: "The link cannot be looked up at the moment. Please try again.",
		}.WriteFor(req)
	default:
		problem.Problem{Status: fasthttp.StatusNotFound, Code: "link_not_found", Detail: "There is no such link."}.WriteFor(req)
	}
	return o
}
