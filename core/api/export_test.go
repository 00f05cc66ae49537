package api

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
)

// Probe registers POST /probe, which answers 201 with {"n": 1} unless run fails.
func Probe(run func(ctx context.Context) error) Module {
	return func(a *API) {
		handle(a, operation{
			id: "probe", method: http.MethodPost, path: "/probe", tag: "Test", scope: access.Admin, status: http.StatusCreated, summary: "Probe",
		}, func(ctx context.Context, _ *struct{}) (*struct{ Body ProbeBody }, error) {
			return &struct{ Body ProbeBody }{ProbeBody{1}}, run(ctx)
		})
	}
}

// ProbeBody is the answer of Probe.
type ProbeBody struct {
	N int `json:"n"`
}

// Record is record, with the answer of Probe.
func Record(ctx context.Context, tx *db.Tx) error {
	return record(ctx, tx, http.StatusCreated, ProbeBody{1})
}

// Sweep forgets expired idempotency keys.
func (a *API) Sweep(ctx context.Context) (int64, error) { return a.keys.sweep(ctx) }

// Lease is how long a run that vanished holds its idempotency key.
const Lease = lease

// ProbePublic registers POST /probe-public, which needs no token and answers with the address of its client.
func ProbePublic(perMinute int) Module {
	return func(a *API) {
		handle(a, operation{
			id: "probe-public", method: http.MethodPost, path: "/probe-public", tag: "Test", public: true, perMinute: perMinute, summary: "Probe",
		}, func(ctx context.Context, in *struct{ Body AddressBody }) (*struct{ Body AddressBody }, error) {
			return &struct{ Body AddressBody }{AddressBody{principalOf(ctx).Address}}, nil
		})
	}
}

// AddressBody is the answer of ProbePublic.
type AddressBody struct {
	Address string `json:"address"`
}

// Declare registers an operation that says of itself what it is given.
func Declare(scope access.Scope, public bool, perMinute int) Module {
	return func(a *API) {
		handle(a, operation{id: "declared", method: http.MethodGet, path: "/declared", scope: scope, public: public, perMinute: perMinute},
			func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	}
}

// Limiter is what keeps the addresses of one public operation apart.
type Limiter struct{ l *limiter }

// NewLimiter returns one that knows at most so many addresses.
func NewLimiter(perMinute, addresses int) Limiter {
	l := newLimiter(perMinute)
	l.limit = addresses
	return Limiter{l}
}

// Allow is limiter.allow.
func (l Limiter) Allow(addr netip.Addr, at time.Time) (ok, crowded bool, wait time.Duration) {
	return l.l.allow(addr, at)
}

// Demand registers POST /id, which demands something beside the scope admin.
func Demand(id string, secondFactor, needsPerson bool) Module {
	return func(a *API) {
		handle(a, operation{
			id: id, method: http.MethodPost, path: "/" + id, tag: "Test", scope: access.Admin, status: http.StatusNoContent,
			secondFactor: secondFactor, needsPerson: needsPerson, summary: "Demand", unaudited: "it changes nothing",
		}, func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	}
}
