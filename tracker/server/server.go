// Package server puts the tracker's public face together: links, conversions and the few fixed pages, behind limits on
// everything that a client can make it hold.
package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/edgeref/edgeref/tracker/convert"
	"github.com/edgeref/edgeref/tracker/redirect"
	"github.com/edgeref/edgeref/tracker/visitor"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/link"
)

// finder finds links: see the contract in package redirect. The context ends with Shutdown.
type finder interface {
	Find(ctx context.Context, slug string) (*redirect.Target, error)
}

// directory knows links and programs by id: see the contract in package convert.
type directory interface {
	ByID(id int64) (link.Resolved, bool)
	Program(id int64) (link.Program, bool)
	Fresh() bool
}

// recorder keeps records. Clicks must outlive the process once Append returns nil, conversions power loss too.
type recorder interface {
	Append(record []byte) error
}

// salts holds the keys of visitor hashes: see the contract in package visitor.
type salts interface {
	Salt(day int64) ([16]byte, bool)
}

// Options of New. Everything but the texts and Limits is required.
type Options struct {
	Links       finder
	Directory   directory
	Clicks      recorder
	Conversions recorder
	// Reason names an error of Clicks in a word of a bounded set, for a metric's label.
	Reason func(error) string
	Keys   *click.Keyring
	Salts  salts
	// Trusted are the networks of the proxies in front, whose headers about the client are believed.
	Trusted    []netip.Prefix
	Now        func() time.Time
	Registerer prometheus.Registerer
	Logger     *slog.Logger
	Node       uint16
	// CookieName is the name of the cookie that holds the Click ID; "" means redirect.DefaultCookieName.
	CookieName string
	// CookieDomain is the domain of that cookie; "" means the tracker's host alone.
	CookieDomain string
	// Fallback is the URL where requests without an active link go; "" means 404.
	Fallback string
	Limits   Limits
}

// Limits bound what clients can make the server hold. A zero value stands for the default.
type Limits struct {
	HeaderBytes  int           // request line and header; default 16 KiB
	Connections  int           // open at a time, further ones get 503; default 16384
	ReadTimeout  time.Duration // for one whole request, from its first byte; default 5 s
	WriteTimeout time.Duration // for one answer; default 5 s
	IdleTimeout  time.Duration // before each request of a connection; default 60 s
}

func (l Limits) withDefaults() (Limits, error) {
	for name, n := range map[string]int64{
		"header bytes": int64(l.HeaderBytes), "connections": int64(l.Connections),
		"read timeout": int64(l.ReadTimeout), "write timeout": int64(l.WriteTimeout), "idle timeout": int64(l.IdleTimeout),
	} {
		if n < 0 {
			return l, fmt.Errorf("limits: %s must not be negative", name)
		}
	}
	l.HeaderBytes = orDefault(l.HeaderBytes, 16<<10)
	l.Connections = orDefault(l.Connections, 16384)
	l.ReadTimeout = orDefault(l.ReadTimeout, 5*time.Second)
	l.WriteTimeout = orDefault(l.WriteTimeout, 5*time.Second)
	l.IdleTimeout = orDefault(l.IdleTimeout, time.Minute)
	return l, nil
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// Server answers the tracker's public listener. It is safe for concurrent use.
type Server struct {
	redirects   *redirect.Handler
	conversions *convert.Handler
	metrics     *metrics
	log         *throttled
	http        *fasthttp.Server
	limits      Limits
	ctx         context.Context // of look-ups; they outlive requests
	cancel      context.CancelFunc
}

// New returns a server that is ready to Serve. The error names the option that is wrong.
func New(o Options) (*Server, error) {
	limits, err := o.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	o.CookieName = orDefault(o.CookieName, redirect.DefaultCookieName)
	s := &Server{log: newThrottled(o.Logger), limits: limits}
	visitors, err := visitor.New(visitor.Options{Trusted: o.Trusted, Salts: o.Salts, Registerer: o.Registerer})
	if err != nil {
		return nil, err
	}
	if s.redirects, err = redirect.New(redirect.Options{
		Finder: o.Links, Recorder: o.Clicks, Reason: o.Reason, Keys: o.Keys, Visitors: visitors, Now: o.Now, Registerer: o.Registerer,
		Node: o.Node, CookieName: o.CookieName, CookieDomain: o.CookieDomain, Fallback: o.Fallback,
	}); err != nil {
		return nil, err
	}
	if s.conversions, err = convert.New(convert.Options{
		Directory: o.Directory, Recorder: o.Conversions, Keys: o.Keys, Now: o.Now, Registerer: o.Registerer, Node: o.Node, CookieName: o.CookieName,
	}); err != nil {
		return nil, err
	}
	s.http = s.newHTTP(limits)
	if s.metrics, err = newMetrics(o.Registerer, s.http); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

func (s *Server) newHTTP(l Limits) *fasthttp.Server {
	return &fasthttp.Server{
		Handler:                      s.Handle,
		ErrorHandler:                 s.handleError,
		Logger:                       s.log,
		ReadBufferSize:               l.HeaderBytes,
		MaxRequestBodySize:           convert.MaxBody,
		Concurrency:                  l.Connections,
		ReadTimeout:                  l.ReadTimeout,
		WriteTimeout:                 l.WriteTimeout,
		IdleTimeout:                  l.IdleTimeout,
		LazyRequestTime:              true,
		NoDefaultServerHeader:        true,
		CloseOnShutdown:              true,
		DisablePreParseMultipartForm: true,
		SecureErrorLogMessage:        true,
	}
}

// Serve answers connections of ln until Shutdown, and then returns nil. It owns ln.
func (s *Server) Serve(ln net.Listener) error {
	if err := s.http.Serve(patientListener{steadyListener{ln, s.metrics.acceptErrors, s.log}, &s.limits}); err != nil {
		return fmt.Errorf("serve tracker on %s: %w", ln.Addr(), err)
	}
	return nil
}

// Shutdown stops taking connections, lets requests that have begun finish, and returns when all connections are closed
// or ctx ends; then some may still be open. A server is not used again after it.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.cancel()
	if err := s.http.ShutdownWithContext(ctx); err != nil {
		return fmt.Errorf("stop tracker: %d connections still open: %w", s.http.GetOpenConnectionsCount(), err)
	}
	return nil
}
