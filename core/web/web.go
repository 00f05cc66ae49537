// Package web serves the pages for people who are signed in: one application that runs in the browser and uses nothing
// but the public API. Its sources are in app; what `make web` builds from them in dist is part of the binary.
package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// Prefix is where the application lives.
const Prefix = "/app/"

// ErrNotBuilt means that the binary was made without the pages.
var ErrNotBuilt = errors.New("the pages are not part of this binary: run make build, which needs Node")

// Bootstrap is what the application knows before its first request. Nothing in it is secret.
type Bootstrap struct {
	Origin  string   `json:"origin"` // where browsers reach the core, without a slash at the end
	Site    string   `json:"site"`   // name of the business
	Demo    bool     `json:"demo"`   // the data was made to look at
	Version string   `json:"version"`
	Scopes  []string `json:"scopes"`  // what is asked for at sign-in
	Locale  string   `json:"locale"`  // BCP 47; empty: the browser's
	Tracker string   `json:"tracker"` // where links answer, without a slash at the end
}

// Handler serves the application. It is safe for concurrent use.
type Handler struct {
	files      map[string]file
	head, tail []byte // of the page, around the bootstrap; nil: the pages were not built
	bootstrap  func(context.Context) Bootstrap
}

type file struct {
	content, gzipped []byte
	mime             string
	etag             string
	immutable        bool // its name changes with its content
}

// New returns the handler of what the binary carries; bootstrap is asked for each page. A binary without pages answers
// with ErrNotBuilt.
func New(bootstrap func(context.Context) Bootstrap) (*Handler, error) {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("open pages: %w", err)
	}
	return newHandler(built, bootstrap)
}

func newHandler(built fs.FS, bootstrap func(context.Context) Bootstrap) (*Handler, error) {
	h := &Handler{files: map[string]file{}, bootstrap: bootstrap}
	err := fs.WalkDir(built, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Base(name) == ".keep" {
			return err
		}
		content, err := fs.ReadFile(built, name)
		if err != nil {
			return err
		}
		h.files[name] = newFile(name, content)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read pages: %w", err)
	}
	page, ok := h.files["index.html"]
	delete(h.files, "index.html")
	if !ok {
		return h, nil
	}
	head, tail, found := bytes.Cut(page.content, []byte("</head>"))
	if !found {
		return nil, errors.New("read pages: index.html has no head: build the pages again")
	}
	h.head, h.tail = head, tail
	return h, nil
}

// page is index.html with what it must know.
func (h *Handler) page(ctx context.Context) (file, error) {
	config, err := json.Marshal(h.bootstrap(ctx)) // escapes < and >, so that no value ends the element
	if err != nil {
		return file{}, fmt.Errorf("describe pages: %w", err)
	}
	content := bytes.Join([][]byte{h.head, []byte(`<script type="application/json" id="config">`), config, []byte("</script></head>"), h.tail}, nil)
	return file{content: content, mime: "text/html; charset=utf-8", etag: etagOf(content)}, nil
}

func newFile(name string, content []byte) file {
	f := file{content: content, mime: mime.TypeByExtension(path.Ext(name)), etag: etagOf(content), immutable: strings.HasPrefix(name, "assets/")}
	if f.mime == "" {
		f.mime = "application/octet-stream"
	}
	if compressible(f.mime) {
		f.gzipped = compress(content)
	}
	return f
}

func etagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// policy lets the application load itself and nothing else. Mantine sets sizes by style attributes, so styles may be
// inline; scripts may not.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// ServeHTTP implements http.Handler for paths below Prefix.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "this is a page: it can be read only", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, Prefix)
	if f, ok := h.files[name]; ok {
		f.serve(w, r)
		return
	}
	if strings.HasPrefix(name, "assets/") {
		// Of another version: a page that is still open asks for a part that this binary does not have.
		header.Set("Cache-Control", "no-store")
		http.NotFound(w, r)
		return
	}
	if h.head == nil {
		header.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintln(w, ErrNotBuilt)
		return
	}
	// The application knows its own paths, and says so where there is nothing.
	page, err := h.page(r.Context())
	if err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	page.serve(w, r)
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", f.mime)
	header.Set("Cache-Control", "no-cache")
	if f.immutable {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	content, etag := f.content, f.etag
	if f.gzipped != nil {
		header.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			header.Set("Content-Encoding", "gzip")
			content, etag = f.gzipped, strings.TrimSuffix(etag, `"`)+`-gz"`
		}
	}
	header.Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Length", fmt.Sprint(len(content)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(content)
	}
}
