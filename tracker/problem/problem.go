// Package problem answers requests that a tracker refuses: as application/problem+json (RFC 9457) with a stable code,
// or as a small page where a browser asks.
package problem

import (
	"bytes"
	"encoding/json"
	"html"
	"strconv"

	"github.com/valyala/fasthttp"
)

// Problem is a refusal.
type Problem struct {
	Status     int    // HTTP status
	Code       string // stable, for programs: "link_not_found"
	Detail     string // for people; says what to do, holds nothing secret
	RetryAfter int    // seconds; 0: no such header
	Allow      string // methods that are allowed instead; "": no such header
}

// document is the form of RFC 9457.
type document struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"`
}

// Write makes p the response, as JSON.
func (p Problem) Write(ctx *fasthttp.RequestCtx) {
	p.head(ctx)
	ctx.SetContentType("application/problem+json")
	body, err := json.Marshal(document{Type: "about:blank", Title: fasthttp.StatusMessage(p.Status), Status: p.Status, Code: p.Code, Detail: p.Detail})
	if err != nil {
		panic("BUG: encode problem: " + err.Error())
	}
	ctx.SetBody(body)
}

// WriteFor makes p the response, as a page if the client is a browser and as JSON if not.
func (p Problem) WriteFor(ctx *fasthttp.RequestCtx) {
	if !bytes.Contains(ctx.Request.Header.Peek(fasthttp.HeaderAccept), []byte("text/html")) {
		p.Write(ctx)
		return
	}
	p.head(ctx)
	ctx.SetContentType("text/html; charset=utf-8")
	ctx.Response.Header.Set(fasthttp.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'")
	title := html.EscapeString(fasthttp.StatusMessage(p.Status))
	ctx.SetBodyString(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
		`<meta name="robots" content="noindex"><title>` + title + `</title>` +
		`<body style="font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem"><h1>` + title + `</h1><p>` +
		html.EscapeString(p.Detail) + `</p></body></html>`)
}

func (p Problem) head(ctx *fasthttp.RequestCtx) {
	ctx.Response.Reset()
	ctx.SetStatusCode(p.Status)
	ctx.Response.Header.Set(fasthttp.HeaderCacheControl, "no-store")
	ctx.Response.Header.Set(fasthttp.HeaderXContentTypeOptions, "nosniff")
	if p.Allow != "" {
		ctx.Response.Header.Set(fasthttp.HeaderAllow, p.Allow)
	}
	if p.RetryAfter > 0 {
		ctx.Response.Header.Set(fasthttp.HeaderRetryAfter, strconv.Itoa(p.RetryAfter))
	}
}
