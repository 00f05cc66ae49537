package web

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func built() fstest.MapFS {
	return fstest.MapFS{
		"index.html":           {Data: []byte("<!doctype html><html><head><title>t</title></head><body></body></html>")},
		"assets/index-abc.js":  {Data: []byte(strings.Repeat("console.log(1);", 100))},
		"assets/picture-1.png": {Data: []byte("\x89PNG")},
		"icon.svg":             {Data: []byte("<svg/>")},
		".keep":                {Data: []byte("nothing")},
	}
}

func handler(t *testing.T, files fstest.MapFS, b Bootstrap) *Handler {
	t.Helper()
	h, err := newHandler(files, func(context.Context) Bootstrap { return b })
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(h http.Handler, method, path string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestFiles(t *testing.T) {
	h := handler(t, built(), Bootstrap{Site: "Shop"})
	for name, c := range map[string]struct {
		method, path  string
		status        int
		mime, caching string
	}{
		"page":                  {"GET", "/app/", 200, "text/html", "no-cache"},
		"page of a path":        {"GET", "/app/admin/orders/ord_1", 200, "text/html", "no-cache"},
		"head of the page":      {"HEAD", "/app/", 200, "text/html", "no-cache"},
		"index by name":         {"GET", "/app/index.html", 200, "text/html", "no-cache"},
		"script":                {"GET", "/app/assets/index-abc.js", 200, "javascript", "public, max-age=31536000, immutable"},
		"picture":               {"GET", "/app/assets/picture-1.png", 200, "image/png", "public, max-age=31536000, immutable"},
		"icon":                  {"GET", "/app/icon.svg", 200, "image/svg", "no-cache"},
		"part of another build": {"GET", "/app/assets/index-old.js", 404, "text/plain", "no-store"},
		"outside":               {"GET", "/app/assets/../../web.go", 404, "text/plain", "no-store"},
		"placeholder":           {"GET", "/app/.keep", 200, "text/html", "no-cache"},
		"post":                  {"POST", "/app/", 405, "text/plain", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(h, c.method, c.path, nil)
			if w.Code != c.status || !strings.Contains(w.Header().Get("Content-Type"), c.mime) || w.Header().Get("Cache-Control") != c.caching {
				t.Errorf("got %d %q %q", w.Code, w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"))
			}
			policy := w.Header().Get("Content-Security-Policy")
			scripts, _, _ := strings.Cut(policy[strings.Index(policy, "script-src"):], ";")
			if scripts != "script-src 'self'" || !strings.HasPrefix(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
				t.Errorf("policy %q", policy)
			}
			if c.method == "HEAD" && w.Body.Len() > 0 {
				t.Error("HEAD has a body")
			}
		})
	}
}

func TestBootstrapCannotLeaveItsElement(t *testing.T) {
	h := handler(t, built(), Bootstrap{Site: `</script><script>alert(1)</script>`, Scopes: []string{"me"}})
	body := ask(h, "GET", "/app/", nil).Body.String()
	if strings.Count(body, "</script>") != 1 || strings.Contains(body, "<script>") || !strings.Contains(body, `"scopes":["me"]`) {
		t.Errorf("page: %s", body)
	}
}

func TestNotModified(t *testing.T) {
	b := Bootstrap{Site: "A"}
	h, err := newHandler(built(), func(context.Context) Bootstrap { return b })
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/app/", "/app/assets/index-abc.js"} {
		tag := ask(h, "GET", path, nil).Header().Get("ETag")
		if w := ask(h, "GET", path, map[string]string{"If-None-Match": tag}); tag == "" || w.Code != http.StatusNotModified || w.Body.Len() > 0 {
			t.Errorf("%s: got %d with tag %q", path, w.Code, tag)
		}
	}
	tag := ask(h, "GET", "/app/", nil).Header().Get("ETag")
	b.Site = "B"
	if w := ask(h, "GET", "/app/", map[string]string{"If-None-Match": tag}); w.Code != 200 || !strings.Contains(w.Body.String(), `"site":"B"`) {
		t.Errorf("after the name changed: got %d", w.Code)
	}
}

func TestGzip(t *testing.T) {
	h := handler(t, built(), Bootstrap{})
	for accept, want := range map[string]bool{
		"gzip, deflate, br": true, "br;q=1.0, GZIP;q=0.8": true, "": false, "br": false, "gzip;q=0": false, "gzip; q=0.5": true, "gzip;q=x": false, "xgzip": false,
	} {
		w := ask(h, "GET", "/app/assets/index-abc.js", map[string]string{"Accept-Encoding": accept})
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != want || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: gzip %v", accept, got)
		}
		body := io.Reader(w.Body)
		if want {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		if content, err := io.ReadAll(body); err != nil || string(content) != strings.Repeat("console.log(1);", 100) {
			t.Errorf("%q: content differs: %v", accept, err)
		}
	}
}

func TestWithoutPages(t *testing.T) {
	h := handler(t, fstest.MapFS{".keep": {}}, Bootstrap{})
	if w := ask(h, "GET", "/app/", nil); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	if _, err := newHandler(fstest.MapFS{"index.html": {Data: []byte("torn")}}, nil); err == nil || errors.Is(err, ErrNotBuilt) {
		t.Errorf("a page without a head: %v", err)
	}
}
