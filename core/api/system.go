package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/system"
)

// System registers the operations that say how the machinery is.
func System(s *system.Service) Module {
	return func(a *API) {
		handle(a, operation{
			id: "get-system", method: http.MethodGet, path: "/system", tag: "System", scope: access.SystemRead,
			summary: "Show how everything is",
			about: "Trackers, stores, queues, the ledger, and what this process does; each with a state and a sentence that says what to do. Always answers within three seconds: " +
				"what does not answer is `bad`. `state` is the worst of all.",
		}, func(ctx context.Context, _ *struct{}) (*struct{ Body system.Health }, error) {
			return &struct{ Body system.Health }{s.Health(ctx)}, nil
		})
		handle(a, operation{
			id: "forget-edge-node", method: http.MethodDelete, path: "/system/nodes/{node}", tag: "System", scope: access.SettingsWrite, status: http.StatusNoContent,
			summary: "Forget a tracker that is gone for good", about: "One that still runs is there again a few seconds later.", errors: []int{http.StatusNotFound},
		}, func(ctx context.Context, in *struct {
			Node int `path:"node" minimum:"1" maximum:"65535" example:"3"`
		}) (*struct{}, error) {
			return nil, s.Forget(ctx, in.Node)
		})
	}
}
