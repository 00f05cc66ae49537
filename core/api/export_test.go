package api

import (
	"context"
	"net/http"

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
