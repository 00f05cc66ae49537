package site

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/edgeref/edgeref/wire/click"
)

const (
	maxForm   = 16 << 10 // bytes
	maxClicks = 10
	onceLen   = 32 // bytes
)

// wish is the form of the checkout as it was sent. Its texts are bounded and hold no control characters, but are
// otherwise not checked: that is the shop's affair.
type wish struct {
	Name, Email, Address, Country, Region, GSTIN string
	Coupon, Currency, Gateway                    string
	Once                                         string // secret of the form: sent twice, it is one order
	Seen                                         string // the total that was shown
	Order                                        bool   // false: only work the total out anew
	Clicks                                       []click.ID
	TooLong                                      []string // fields that were cut
}

// parseWish reads the form. Of a field that is there twice, the first counts.
func parseWish(f url.Values) wish {
	var v wish
	take := func(field string, limit int, lines bool) string {
		text, cut := clean(f.Get(field), limit, lines)
		if cut {
			v.TooLong = append(v.TooLong, field)
		}
		return text
	}
	v.Name, v.Email, v.Address = take("name", 255, false), take("email", 254, false), take("address", 500, true)
	v.Country, v.Region, v.GSTIN = strings.ToUpper(take("country", 2, false)), take("state", 64, false), strings.ToUpper(take("gstin", 20, false))
	v.Coupon, v.Currency, v.Gateway = take("coupon", 40, false), take("currency", 3, false), take("gateway", 32, false)
	v.Seen, v.Order = take("seen", 40, false), f.Get("action") == "order"
	if once := f.Get("once"); validOnce(once) {
		v.Once = once
	}
	v.Clicks = clicksOf(f["click_id"])
	return v
}

// clean trims a text, takes what is no text out of it, and cuts it at the end of a character.
func clean(s string, limit int, lines bool) (out string, cut bool) {
	if len(s) > maxForm {
		s, cut = s[:maxForm], true
	}
	s = strings.ToValidUTF8(s, "")
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case lines && (r == '\n' || r == '\t'):
			return r
		case r < ' ' || r == 0x7f:
			return -1
		}
		return r
	}, s))
	if len(s) <= limit {
		return s, cut
	}
	end := limit
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.TrimSpace(s[:end]), true
}

// clicksOf are the Click IDs of texts. What is none is left out: it must not keep anybody from buying.
func clicksOf(texts []string) (out []click.ID) {
	for _, text := range texts[:min(len(texts), maxClicks)] {
		if id, err := click.ParseID(strings.TrimSpace(text)); err == nil {
			out = append(out, id)
		}
	}
	return out
}

// touches are the clicks of the form and of the tracker's cookies.
func (s *Site) touches(r *http.Request, v *wish) []click.ID {
	out := slices.Clone(v.Clicks)
	if s.opts.CookieName == "" {
		return out
	}
	for _, c := range r.CookiesNamed(s.opts.CookieName) {
		out = append(out, clicksOf([]string{c.Value})...)
	}
	return out
}

func newOnce() string {
	var b [onceLen]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func validOnce(text string) bool {
	b, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && len(b) == onceLen && base64.RawURLEncoding.EncodeToString(b) == text
}

// form lets a form through that this browser was given by us.
func (s *Site) form(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		refuse := func(reason string, status int, text string) {
			s.refused.WithLabelValues(reason).Inc()
			s.message(w, r, status, s.text().RefusedTitle, text)
		}
		if err := s.cross.Check(r); err != nil {
			refuse("cross_site", http.StatusForbidden, s.text().CrossSite)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			refuse("unreadable", http.StatusBadRequest, s.text().Unreadable)
			return
		}
		if !s.jar.ValidCSRF(r, r.PostForm.Get("csrf")) {
			refuse("token", http.StatusForbidden, s.text().Stale)
			return
		}
		if !s.forms.Allow(s.opts.Address(r)) {
			w.Header().Set("Retry-After", "60")
			refuse("too_many", http.StatusTooManyRequests, s.text().TooMany)
			return
		}
		next(w, r)
	}
}

// look lets a look at something pass that costs us a little, or answers it.
func (s *Site) look(w http.ResponseWriter, r *http.Request) bool {
	if s.looks.Allow(s.opts.Address(r)) {
		return true
	}
	s.refused.WithLabelValues("too_many").Inc()
	w.Header().Set("Retry-After", "60")
	s.message(w, r, http.StatusTooManyRequests, s.text().RefusedTitle, s.text().TooMany)
	return false
}
