// Package edgeapi is the core's side of the wire to the trackers: links and their changes out, conversions and clicks in.
package edgeapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/link"
	"github.com/edgeref/edgeref/wire/node"
)

// minToken is the shortest edge token, in bytes: it opens the postback secrets of all programs.
const minToken = 16

// Catalog is the source of links. Both methods are safe for concurrent use; Changes may block for the time of wait.
// The error of Lookup is link.ErrNotFound if there is no such link.
type Catalog interface {
	Lookup(ctx context.Context, slug string) (link.Resolved, error)
	Changes(ctx context.Context, feed string, cursor int64, wait time.Duration) (link.Page, error)
}

// Booker books events and answers for each, in order; those that are not valid it refuses and keeps for review. After an
// error nothing is known about any of them, and all are sent again. It is safe for concurrent use.
type Booker interface {
	Book(ctx context.Context, events []conversion.Event) ([]conversion.Result, error)
}

// Clicks stores clicks, once for each batch id. It keeps none of their strings. It is safe for concurrent use.
type Clicks interface {
	AppendClicks(ctx context.Context, batchID string, clicks []click.Record) error
}

// Nodes remembers what edge nodes say of themselves. It is safe for concurrent use.
type Nodes interface {
	Report(ctx context.Context, s node.Status) error
}

// Options of the Edge API.
type Options struct {
	Tokens     []string // edge tokens that are accepted; several while one is being replaced
	Catalog    Catalog
	Booker     Booker
	Clicks     Clicks // nil: trackers must store their clicks themselves
	Nodes      Nodes  // nil: nobody wants to know
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

type server struct {
	tokens  [][sha256.Size]byte
	catalog Catalog
	booker  Booker
	clicks  Clicks
	nodes   Nodes
	log     *slog.Logger
	metrics *metrics
	batches chan struct{} // slots for batches of clicks, which are large
}

// New returns the handler of /edge/v1/. It is safe for concurrent use.
func New(opts Options) (http.Handler, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	s := &server{
		catalog: opts.Catalog, booker: opts.Booker, clicks: opts.Clicks, nodes: opts.Nodes, log: opts.Logger,
		metrics: newMetrics(opts.Registerer), batches: make(chan struct{}, maxBatches),
	}
	for _, token := range opts.Tokens {
		if len(token) < minToken {
			return nil, fmt.Errorf("edge token: has %d characters, at least %d are needed", len(token), minToken)
		}
		s.tokens = append(s.tokens, sha256.Sum256([]byte(token)))
	}
	if len(s.tokens) == 0 {
		return nil, errors.New("edge token: none is configured")
	}
	mux := http.NewServeMux()
	s.route(mux, "GET /edge/v1/links/{slug}", lookupTimeout, s.getLink)
	s.route(mux, "GET /edge/v1/changes", maxWait+lookupTimeout, s.getChanges)
	s.route(mux, "POST /edge/v1/conversions", bookTimeout, s.postConversions)
	if s.clicks != nil {
		s.route(mux, "POST /edge/v1/clicks", clicksTimeout, s.postClicks)
	}
	if s.nodes != nil {
		s.route(mux, "POST /edge/v1/status", lookupTimeout, s.postStatus)
	}
	s.route(mux, "/edge/v1/", lookupTimeout, func(http.ResponseWriter, *http.Request) error {
		return &problem{Status: http.StatusNotFound, Code: "not_found", Detail: "the Edge API has nothing at this path for this method"}
	})
	return mux, nil
}

// route registers a handler whose error becomes a problem, for those who have the token.
func (s *server) route(mux *http.ServeMux, pattern string, timeout time.Duration, handler func(http.ResponseWriter, *http.Request) error) {
	_, route, found := strings.Cut(pattern, " ")
	if !found {
		route = "unmatched"
	}
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		control := http.NewResponseController(w)
		// The server's own timeouts are for short answers; not every writer has deadlines to set.
		_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
		_ = control.SetWriteDeadline(time.Now().Add(timeout + writeTimeout))
		w.Header().Set("Cache-Control", "no-store")
		rec := &recorder{ResponseWriter: w}
		err := error(errUnauthenticated)
		if s.authentic(r) {
			err = handler(rec, r.WithContext(ctx))
		}
		if err != nil {
			s.fail(rec, r, route, err)
		}
		s.metrics.requests.WithLabelValues(route, strconv.Itoa(rec.status())).Inc()
	})
}

// authentic reports whether a request carries an edge token, in time that does not tell how much of it is right.
func (s *server) authentic(r *http.Request) bool {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	hash := sha256.Sum256([]byte(strings.TrimSpace(secret)))
	match := 0
	for i := range s.tokens {
		match |= subtle.ConstantTimeCompare(hash[:], s.tokens[i][:])
	}
	return match == 1 && strings.EqualFold(scheme, "Bearer")
}

// permanent is an error about the content: the same records would be refused for ever. The tracker takes them apart.
type permanent interface{ Permanent() bool }

func isPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p) && p.Permanent()
}

// fail answers with a problem. What is nobody's business but ours is logged and not shown.
func (s *server) fail(w *recorder, r *http.Request, route string, err error) {
	var p *problem
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
	case errors.As(err, &tooLarge):
		p = &problem{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large", Detail: fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit)}
	case isPermanent(err):
		p = &problem{Status: http.StatusUnprocessableEntity, Code: codeRefused, Detail: err.Error()}
		s.log.Warn("a batch was refused for its content", "route", route, "error", err)
	case r.Context().Err() != nil: // the tracker has gone
		p = &problem{Status: http.StatusServiceUnavailable, Code: "canceled", Detail: "the request was canceled"}
	default:
		p = &problem{Status: http.StatusInternalServerError, Code: "internal", Detail: "an unexpected error; the log of the core has it"}
		if db.IsTemporary(err) || errors.Is(err, db.ErrUnknownOutcome) || errors.Is(err, context.DeadlineExceeded) {
			p = &problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: "the core cannot do this now; send it again later"}
		}
		s.log.Error("edge request failed", "route", route, "code", p.Code, "error", err)
	}
	if w.code != 0 {
		return // too late
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="edge"`)
	}
	p.write(w)
}
