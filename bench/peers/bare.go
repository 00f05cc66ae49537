package main

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/valyala/fasthttp"
)

const bareCommand = "serve-bare"

// bareLocation is as long as our locations, which carry a Click ID of 60 characters.
const bareLocation = destination + "&click_id=F-3kQ2mZ8Tq0xV7bN1cR5dL9wH4sJ6gYpKtUeAoXiEhBnMfCvDzSrWqGyI4x&sub=1"

const bareCookie = "er_cid=F-3kQ2mZ8Tq0xV7bN1cR5dL9wH4sJ6gYpKtUeAoXiEhBnMfCvDzSrWqGyI4x; Max-Age=2592000; Path=/; Secure; HttpOnly; SameSite=Lax"

// serveBare answers every request with the same 302 and the headers that ours has, and records nothing: what the HTTP
// server alone can do.
func serveBare(ctx context.Context, addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &fasthttp.Server{
		NoDefaultServerHeader: true,
		Handler: func(req *fasthttp.RequestCtx) {
			req.SetStatusCode(fasthttp.StatusFound)
			h := &req.Response.Header
			h.Set(fasthttp.HeaderLocation, bareLocation)
			h.Set(fasthttp.HeaderCacheControl, "no-store")
			h.Set(fasthttp.HeaderReferrerPolicy, "strict-origin-when-cross-origin")
			h.Set(fasthttp.HeaderSetCookie, bareCookie)
		},
	}
	context.AfterFunc(ctx, func() { ln.Close() })
	if err := server.Serve(ln); ctx.Err() == nil {
		return err
	}
	return nil
}

func startBare(ctx context.Context, addr netip.AddrPort) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := launch("fasthttp", []string{"GOMAXPROCS=1"}, self, bareCommand, addr.String())
	if err != nil {
		return nil, err
	}
	return p, p.listens(ctx, addr)
}

// writeFile writes one of a server's files.
func writeFile(dir, name, text string) (string, error) {
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}
