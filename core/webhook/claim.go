package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/edgeref/edgeref/core/db"
)

// job is a delivery that this worker has leased, with all that sending it needs.
type job struct {
	delivery int64
	claim    int64 // the lease: whoever notes the outcome must still have it
	attempt  int64 // 1: the first since the event, or since a replay
	started  int64 // Unix ms
	event    int64
	name     Name
	payload  []byte
	endpoint Endpoint
}

// claim leases at most n deliveries that are due, the longest due first, and at most perEndpoint of one endpoint at a
// time in this process. It returns how many it looked at: 0, nothing is to be done. Those of endpoints that are not
// active become dead.
func (s *Service) claim(ctx context.Context, n int) (jobs []job, seen int, err error) {
	if n <= 0 {
		return nil, 0, nil
	}
	var due bool
	err = s.db.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM webhook_deliveries WHERE state = 'pending' AND next_at <= ?)", s.now().UnixMilli()).Scan(&due)
	if err != nil {
		return nil, 0, fmt.Errorf("look for webhook deliveries: %w", err)
	}
	if !due {
		return nil, 0, nil
	}
	s.sending.Lock()
	busy := maps.Clone(s.inFlight)
	s.sending.Unlock()
	dead := 0
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		jobs, seen, dead = nil, 0, 0
		picked, err := s.due(ctx, tx, n, busy)
		if err != nil || len(picked) == 0 {
			return err
		}
		seen = len(picked)
		if err := s.complete(ctx, tx, picked); err != nil {
			return err
		}
		for _, j := range picked {
			if j.endpoint.State == Active {
				jobs = append(jobs, j)
				continue
			}
			dead++
			if err := s.bury(ctx, tx, j.delivery); err != nil {
				return err
			}
		}
		return s.lease(ctx, tx, jobs)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("claim webhook deliveries: %w", err)
	}
	s.metrics.dead.Add(float64(dead))
	s.sending.Lock()
	defer s.sending.Unlock()
	for _, j := range jobs {
		s.inFlight[j.endpoint.ID]++
	}
	return jobs, seen, nil
}

// due locks and picks deliveries. busy holds the sends under way by endpoint.
func (s *Service) due(ctx context.Context, tx *db.Tx, n int, busy map[int64]int) ([]job, error) {
	query := "SELECT id, endpoint_id, event_id, attempts, started_at FROM webhook_deliveries WHERE state = 'pending' AND next_at <= ?"
	args := []any{s.now().UnixMilli()}
	var full []any
	count := map[int64]int{}
	for endpoint, sends := range busy {
		if count[endpoint] = sends; sends >= perEndpoint {
			full = append(full, endpoint)
		}
	}
	if len(full) > 0 {
		query += " AND endpoint_id NOT IN " + db.In(len(full))
		args = append(args, full...)
	}
	rows, err := tx.Query(ctx, query+" ORDER BY next_at, id LIMIT ?"+tx.Dialect().SkipLocked(), append(args, perEndpoint*n)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var picked []job
	for rows.Next() {
		var j job
		if err := rows.Scan(&j.delivery, &j.endpoint.ID, &j.event, &j.attempt, &j.started); err != nil {
			return nil, err
		}
		if len(picked) == n || count[j.endpoint.ID] >= perEndpoint {
			continue
		}
		count[j.endpoint.ID]++
		j.attempt++
		picked = append(picked, j)
	}
	return picked, rows.Err()
}

// complete reads the endpoints and events of jobs.
func (s *Service) complete(ctx context.Context, tx *db.Tx, jobs []job) error {
	ids := make([]any, len(jobs))
	for i, j := range jobs {
		ids[i] = j.endpoint.ID
	}
	endpoints, err := readEndpoints(ctx, tx, "id IN "+db.In(len(ids)), ids...)
	if err != nil {
		return fmt.Errorf("read their endpoints: %w", err)
	}
	for i := range jobs {
		j := &jobs[i]
		for _, e := range endpoints {
			if e.ID == j.endpoint.ID {
				j.endpoint = e
			}
		}
		if err := tx.QueryRow(ctx, "SELECT name, payload FROM webhook_events WHERE id = ?", j.event).Scan(&j.name, &j.payload); err != nil {
			return fmt.Errorf("read event %d: %w", j.event, err)
		}
	}
	return nil
}

// lease makes the jobs this worker's, until leaseTime has passed.
func (s *Service) lease(ctx context.Context, tx *db.Tx, jobs []job) error {
	if len(jobs) == 0 {
		return nil
	}
	claim := s.ids.New()
	args := []any{claim, s.now().Add(leaseTime).UnixMilli()}
	for i := range jobs {
		jobs[i].claim = claim
		args = append(args, jobs[i].delivery)
	}
	_, err := tx.Exec(ctx, "UPDATE webhook_deliveries SET claim = ?, attempts = attempts + 1, next_at = ? WHERE id IN "+db.In(len(jobs)), args...)
	return err
}

// bury makes a delivery dead whose endpoint is not active.
func (s *Service) bury(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.Exec(ctx, "UPDATE webhook_deliveries SET state = 'dead', claim = 0, last_status = 0, last_error = ?, updated_at = ? WHERE id = ?",
		"the webhook is disabled or deleted", s.now().UnixMilli(), id)
	return err
}

// values of the macros of a postback.
func (j *job) values() (map[string]string, error) {
	var p Payload
	if err := json.Unmarshal(j.payload, &p); err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	return p.values(), nil
}
