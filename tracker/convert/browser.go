package convert

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/edgeref/edgeref/tracker/hosts"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/link"
)

//go:embed t.js
var script string

// scriptMaxAge is how long browsers keep t.js before they ask whether it changed, in seconds.
const scriptMaxAge = "3600"

// gif is a transparent image of one pixel.
const gif = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

func etagOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// Pixel answers /pixel.gif: a lead or a sale told by a page, as an image or by t.js (via=script). The Click ID, from
// the parameter or the tracker's cookie, is its only proof, so it is taken only as far as the program allows it.
func (h *Handler) Pixel(req *fasthttp.RequestCtx) Outcome {
	channel := conversion.Pixel
	if string(req.QueryArgs().Peek(fieldVia().String())) == string(conversion.Script) {
		channel = conversion.Script
	}
	origin, refused := h.pixel(req, channel)
	outcome := Accepted
	if refused != nil {
		outcome = h.refuse(req, channel, refused)
		if origin == "" {
			origin = "*" // a refusal tells a page no more than a server could ask for
		}
	} else {
		h.accepted.WithLabelValues(string(channel)).Inc()
		req.Response.Header.Set(fasthttp.HeaderCacheControl, "no-store")
		req.SetContentType("image/gif")
		req.SetBodyString(gif)
	}
	header := &req.Response.Header
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set(fasthttp.HeaderVary, fasthttp.HeaderOrigin)
	if origin != "" {
		header.Set(fasthttp.HeaderAccessControlAllowOrigin, origin)
	}
	return outcome
}

// pixel returns the Origin that the program allows, "" if there is none or it was not looked at.
func (h *Handler) pixel(req *fasthttp.RequestCtx, channel conversion.Channel) (string, *refusal) {
	if !req.IsGet() {
		r := refuse(fasthttp.StatusMethodNotAllowed, codeMethod, "The pixel is a GET.")
		r.Allow = "GET"
		return "", r
	}
	now := h.Now()
	p, refused := parseForm(nil, string(req.URI().QueryString()))
	if refused != nil {
		return "", refused
	}
	r := &reader{params: p}
	text := r.get(fieldClickID())
	if r.err != nil {
		return "", r.err
	}
	if text == "" {
		text = string(req.Request.Header.Cookie(h.CookieName))
	}
	if text == "" {
		return "", bad(codeClickIDMissing, "There is no Click ID, in the parameters or in the cookie: the visitor did not come through a link.")
	}
	id, refused := h.readClickID(text)
	if refused != nil {
		return "", refused
	}
	resolved, known := h.Directory.ByID(id.LinkID())
	if !known {
		return "", later(codeProgramUnavailable, "The program cannot be looked up at the moment. Send the conversion again.")
	}
	program := &resolved.Program
	origin, refused := allowedOrigin(&req.Request.Header, program)
	if refused != nil {
		return "", refused
	}
	e, refused := eventOf(r, program)
	if refused != nil {
		return origin, refused
	}
	if refused := browserMay(program, e.Type); refused != nil {
		return origin, refused
	}
	e.ClickID, e.Channel = id, channel
	return origin, h.record(&e, now)
}

// browserMay refuses what the program does not take from browsers. None takes refunds: nothing proves them.
func browserMay(p *link.Program, t conversion.Type) *refusal {
	leads := p.BrowserConversions == link.BrowserLeads || p.BrowserConversions == link.BrowserAll
	sales := p.BrowserConversions == link.BrowserAll
	if t == conversion.Lead && leads || t == conversion.Sale && sales {
		return nil
	}
	return refuse(fasthttp.StatusForbidden, codeBrowserOff, "The program does not take a %s from a browser; send it from the server as a postback.", t)
}

// allowedOrigin checks the page that the browser says it comes from: where it says so, the program must allow the
// page's host. It returns the Origin header, if there is one.
func allowedOrigin(h *fasthttp.RequestHeader, p *link.Program) (string, *refusal) {
	origin := string(h.Peek(fasthttp.HeaderOrigin))
	page := origin
	if page == "" {
		page = string(h.Referer())
	}
	if page == "" {
		return "", nil
	}
	u, err := hosts.Parse(page)
	if err != nil || !hosts.NewSet(p.AllowedHosts).Allows(u) {
		return "", refuse(fasthttp.StatusForbidden, codeOriginRefused, "The page's host is not among the hosts that the program allows.")
	}
	return origin, nil
}

// Script answers /t.js.
func (h *Handler) Script(req *fasthttp.RequestCtx) Outcome {
	if !req.IsGet() && !req.IsHead() {
		r := refuse(fasthttp.StatusMethodNotAllowed, codeMethod, "The script is a GET.")
		r.Allow = "GET, HEAD"
		r.Write(req)
		return Script
	}
	header := &req.Response.Header
	header.Set(fasthttp.HeaderCacheControl, "public, max-age="+scriptMaxAge)
	header.Set(fasthttp.HeaderETag, h.etag)
	header.Set(fasthttp.HeaderXContentTypeOptions, "nosniff")
	header.Set(fasthttp.HeaderAccessControlAllowOrigin, "*")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	for tag := range strings.SplitSeq(string(req.Request.Header.Peek(fasthttp.HeaderIfNoneMatch)), ",") {
		// Caches on the way may have made the tag a weak one.
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == h.etag || tag == "*" {
			req.SetStatusCode(fasthttp.StatusNotModified)
			return Script
		}
	}
	req.SetContentType("text/javascript; charset=utf-8")
	req.SetBodyString(script)
	return Script
}
