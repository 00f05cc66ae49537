package server

import (
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"unsafe"

	"github.com/valyala/fasthttp"

	"github.com/edgeref/edgeref/tracker/problem"
	"github.com/edgeref/edgeref/tracker/redirect"
)

// Results of requests that do not reach a handler, for the metric's label.
const (
	resultPage           = "page"
	resultPanic          = "panic"
	resultMalformed      = "malformed"
	resultHeaderTooLarge = "header_too_large"
	resultBodyTooLarge   = "body_too_large"
	resultTimeout        = "timeout"
)

const robots = "User-agent: *\nDisallow: /\n"

// Handle answers one request. Nothing of req is kept when it returns.
func (s *Server) Handle(req *fasthttp.RequestCtx) {
	defer s.recover(req)
	s.metrics.count(s.route(req))
}

// route returns the result for the metric.
func (s *Server) route(req *fasthttp.RequestCtx) string {
	uri := req.Request.Header.RequestURI()
	path, query := splitTarget(unsafe.String(unsafe.SliceData(uri), len(uri)))
	switch path {
	case "/":
		return string(s.redirects.Root(req))
	case "/postback":
		return string(s.conversions.Postback(req))
	case "/pixel.gif":
		return string(s.conversions.Pixel(req))
	case "/t.js":
		return string(s.conversions.Script(req))
	case "/robots.txt", "/favicon.ico":
		return page(req, path)
	}
	if path == "" || strings.HasPrefix(path, "/.well-known/") {
		problem.Problem{Status: fasthttp.StatusNotFound, Code: "not_found", Detail: "There is nothing here."}.WriteFor(req)
		return string(redirect.NotFound)
	}
	return string(s.redirects.Serve(s.ctx, req, path[1:], query))
}

// page answers the pages that crawlers and browsers ask for by themselves.
func page(req *fasthttp.RequestCtx, path string) string {
	if !req.IsGet() && !req.IsHead() {
		problem.Problem{Status: fasthttp.StatusMethodNotAllowed, Code: "method_not_allowed", Detail: "The page is a GET.", Allow: "GET, HEAD"}.WriteFor(req)
		return string(redirect.MethodNotAllowed)
	}
	req.Response.Header.Set(fasthttp.HeaderCacheControl, "public, max-age=86400")
	if path == "/favicon.ico" {
		req.SetStatusCode(fasthttp.StatusNoContent)
		return resultPage
	}
	req.SetContentType("text/plain; charset=utf-8")
	req.SetBodyString(robots)
	return resultPage
}

// splitTarget separates path and raw query of a request's target, which is a path or, as proxies send it, a whole URL.
// The path is "" or begins with "/"; it is as it was sent, so that nothing but a link's plain slug is a link.
func splitTarget(target string) (path, query string) {
	if target != "" && target[0] != '/' {
		_, rest, ok := strings.Cut(target, "://")
		slash := strings.IndexByte(rest, '/')
		if !ok || slash < 0 {
			return "", ""
		}
		target = rest[slash:]
	}
	target, _, _ = strings.Cut(target, "#")
	path, query, _ = strings.Cut(target, "?")
	return path, query
}

// recover turns a panic into a 500: one request that goes wrong must not take down the others.
func (s *Server) recover(req *fasthttp.RequestCtx) {
	p := recover()
	if p == nil {
		return
	}
	s.metrics.count(resultPanic)
	s.log.Error("answering a request panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	problem.Problem{Status: fasthttp.StatusInternalServerError, Code: "internal", Detail: "Something went wrong."}.WriteFor(req)
}

// handleError answers what never became a request.
func (s *Server) handleError(req *fasthttp.RequestCtx, err error) {
	var small *fasthttp.ErrSmallBuffer
	var timeout net.Error
	result, p := resultMalformed, problem.Problem{Status: fasthttp.StatusBadRequest, Code: "request_malformed", Detail: "The request is not valid HTTP."}
	switch {
	case errors.As(err, &small):
		result = resultHeaderTooLarge
		p = problem.Problem{Status: fasthttp.StatusRequestHeaderFieldsTooLarge, Code: "header_too_large", Detail: "The request's line and header are too long."}
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		result = resultBodyTooLarge
		p = problem.Problem{Status: fasthttp.StatusRequestEntityTooLarge, Code: "body_too_large", Detail: "The body is larger than 64 KiB."}
	case errors.As(err, &timeout) && timeout.Timeout():
		result = resultTimeout
		p = problem.Problem{Status: fasthttp.StatusRequestTimeout, Code: "request_timeout", Detail: "The request did not arrive in time."}
	}
	s.metrics.count(result)
	p.Write(req)
}
