package edgeapi_test

import (
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

func TestStatus(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newServer(t, d)
		post := func(body string) answer { return s.do(t.Context(), "POST", "/edge/v1/status", strings.NewReader(body)) }
		post(`{"node":3,"instance":"x","spools":[{"name":"clicks"}]}`).want(204)
		post(`{"node":3,"instance":"x"}`).want(204)
		post(`{"node":0,"instance":"x"}`).want(400, "bad_request")
		post(`{"node":`).want(400, "bad_request")
		post(`{"instance":"`+strings.Repeat("x", 20<<10)+`"}`).want(413, "body_too_large")
		var nodes int
		if err := d.QueryRow(t.Context(), "SELECT COUNT(*) FROM edge_nodes WHERE node = 3 AND instance = 'x'").Scan(&nodes); err != nil || nodes != 1 {
			t.Errorf("%d nodes, %v", nodes, err)
		}
		s.token = "not-a-token-of-the-edge"
		post(`{"node":4,"instance":"x"}`).want(401, "unauthenticated")
	})
}
