package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/system"
	"github.com/edgeref/edgeref/wire/node"
)

func (s *server) nodes() *system.Nodes { return system.NewNodes(s.db, s.audit, s.clock.Now) }

func systemService(s *server) *system.Service {
	keys := api.ExpiredKeys(s.db, s.clock.Now)
	return system.New(system.Options{
		Version: "test", Role: "core", StartedAt: s.clock.Now(), Nodes: s.nodes(), Now: s.clock.Now,
		Stores: []system.StoreProbe{{Name: "core", Kind: s.db.Dialect().String(), Ask: func(ctx context.Context) (f system.StoreFacts, err error) {
			f.Size, err = s.db.Size(ctx)
			return f, err
		}}},
		Queues: []system.QueueProbe{{Name: "idempotency keys", Late: 1e12, Ask: func(ctx context.Context) (b system.Backlog, err error) {
			b.Pending, b.Dead, b.Overdue, err = keys(ctx)
			return b, err
		}}},
		Ledger: func(context.Context) (system.LedgerFacts, error) { return s.ledgerFacts, nil },
	})
}

func TestSystem(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		now := s.clock.Now().UnixMilli()
		if err := s.nodes().Report(t.Context(), node.Status{Node: 3, Instance: "x", StartedAt: now, SentAt: now, Feed: node.Feed{Connected: true}}); err != nil {
			t.Fatal(err)
		}
		s.bearer = s.signIn(7, nil, access.RoleSupport)
		answer := s.do("GET", "/api/v1/system", nil).want(http.StatusOK)
		var h system.Health
		answer.into(&h)
		if h.State != system.OK || len(h.Nodes) != 1 || h.Nodes[0].Node != 3 || h.Stores[0].SizeBytes == 0 || h.Process.Version != "test" {
			t.Errorf("%s", answer.body)
		}
		if !strings.Contains(string(answer.body), `"result":null`) {
			t.Errorf("%s", answer.body)
		}
		s.do("DELETE", "/api/v1/system/nodes/3", nil).want(http.StatusForbidden, "forbidden")
		s.bearer = s.signIn(8, nil, access.RoleAdmin)
		s.do("DELETE", "/api/v1/system/nodes/3", nil).want(http.StatusNoContent)
		s.do("DELETE", "/api/v1/system/nodes/3", nil).want(http.StatusNotFound, "not_found")
		s.do("DELETE", "/api/v1/system/nodes/0", nil).want(http.StatusUnprocessableEntity, "validation_failed")
		if log := s.auditLog("?object=node_3"); len(log) != 1 || log[0].Action != "edge_node.forget" {
			t.Errorf("%+v", log)
		}
	})
}
