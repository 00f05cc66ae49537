package site

import (
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"gocloud.dev/gcerrors"

	"github.com/edgeref/edgeref/wire/ident"
)

// MediaPath is the path of the core under which Handler serves files.
const MediaPath = "/site/media/"

// Handler serves files by their identifier: GET and HEAD of MediaPath + id, with ranges and conditions. A file never
// changes, so browsers and proxies may keep it for a year.
func (s *Service) Handler() http.Handler { return http.HandlerFunc(s.serveMedia) }

func (s *Service) serveMedia(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	id, err := ident.Parse(ident.Media, strings.TrimPrefix(r.URL.Path, MediaPath))
	if err != nil {
		missing(w)
		return
	}
	m, err := s.Media(r.Context(), id)
	if errors.Is(err, ErrNotFound) {
		missing(w)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	content, err := s.opts.Bucket.NewReader(r.Context(), m.storageKey, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		s.log.Error("a file of the site is not in the bucket", "key", m.storageKey)
		missing(w)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer content.Close()
	h := w.Header()
	h.Set("Content-Type", m.ContentType)
	h.Set("ETag", `"`+m.SHA256+`"`)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // affiliates show banners on their own pages
	if !m.IsPicture() {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": m.FileName}))
	}
	http.ServeContent(w, r, "", time.UnixMilli(m.CreatedAt), content)
}

// missing answers what may exist later with nothing that is kept.
func missing(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "there is nothing at this path", http.StatusNotFound)
}

func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Context().Err() == nil {
		s.log.Warn("a file of the site could not be read", "error", err)
	}
	http.Error(w, "try again later", http.StatusServiceUnavailable)
}
