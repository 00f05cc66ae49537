// Package system says how the machinery is: edge nodes, stores, queues, the ledger, work in the background. Each thing has a
// state and a sentence that tells an operator what to do; none of them can keep the others from being told.
package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/node"
)

// MaxNodes is how many edge nodes are remembered; beyond, those that are silent for a day make room.
const MaxNodes = 512

// Errors of this package.
var (
	ErrNotFound     = errors.New("no such edge node")
	ErrTooManyNodes = fmt.Errorf("%d edge nodes are known; forget those that are gone", MaxNodes)
)

// auditor keeps who changed what.
type auditor interface {
	Record(ctx context.Context, tx *db.Tx, e audit.Entry) error
}

// Nodes remembers what edge nodes say of themselves, whichever core they tell. It is safe for concurrent use.
type Nodes struct {
	db    *db.DB
	audit auditor // nil: nothing is recorded
	now   func() time.Time
}

// NewNodes returns the edge nodes of a database.
func NewNodes(d *db.DB, a auditor, now func() time.Time) *Nodes {
	return &Nodes{db: d, audit: a, now: now}
}

// Seen is an edge node as it was heard of last.
type Seen struct {
	node.Status
	SeenAt  time.Time
	Skew    time.Duration // how far its clock is ahead of this one, the way included
	ClashAt time.Time     // when two processes of its number were seen; zero: never
}

// Report takes what a node says. Two processes of one number are noticed: the older one speaks after the younger.
func (n *Nodes) Report(ctx context.Context, s node.Status) error {
	if err := s.Validate(); err != nil {
		return err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode status of edge node: %w", err)
	}
	return n.db.InTx(ctx, func(tx *db.Tx) error {
		now := n.now().UnixMilli()
		var instance string
		var started, clash int64
		err := tx.QueryRow(ctx, "SELECT instance, started_at, clash_at FROM edge_nodes WHERE node = ?"+tx.Dialect().ForUpdate(), s.Node).Scan(&instance, &started, &clash)
		switch {
		case db.IsNoRows(err):
			if err := n.makeRoom(ctx, tx, now); err != nil {
				return err
			}
		case err != nil:
			return fmt.Errorf("read edge node: %w", err)
		case instance != s.Instance && s.StartedAt < started:
			clash = now
		}
		_, err = tx.Exec(ctx, `INSERT INTO edge_nodes (node, instance, started_at, seen_at, clash_at, skew_ms, status) VALUES (?, ?, ?, ?, ?, ?, ?)`+
			tx.Dialect().Upsert([]string{"node"}, "instance", "started_at", "seen_at", "clash_at", "skew_ms", "status"),
			s.Node, s.Instance, s.StartedAt, now, clash, s.SentAt-now, string(text))
		if err != nil {
			return fmt.Errorf("note edge node: %w", err)
		}
		return nil
	})
}

func (n *Nodes) makeRoom(ctx context.Context, tx *db.Tx, now int64) error {
	var known int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM edge_nodes").Scan(&known); err != nil {
		return fmt.Errorf("count edge nodes: %w", err)
	}
	if known < MaxNodes {
		return nil
	}
	gone, err := tx.Exec(ctx, "DELETE FROM edge_nodes WHERE seen_at < ?", now-(24*time.Hour).Milliseconds())
	if err != nil {
		return fmt.Errorf("forget silent edge nodes: %w", err)
	}
	if deleted, err := gone.RowsAffected(); err != nil || deleted == 0 {
		return ErrTooManyNodes
	}
	return nil
}

// List returns all edge nodes by their number.
func (n *Nodes) List(ctx context.Context) ([]Seen, error) {
	rows, err := n.db.Query(ctx, "SELECT status, seen_at, clash_at, skew_ms FROM edge_nodes ORDER BY node")
	if err != nil {
		return nil, fmt.Errorf("read edge nodes: %w", err)
	}
	defer rows.Close()
	var out []Seen
	for rows.Next() {
		var s Seen
		var text string
		var seen, clash, skew int64
		if err := rows.Scan(&text, &seen, &clash, &skew); err != nil {
			return nil, fmt.Errorf("read edge nodes: %w", err)
		}
		if err := json.Unmarshal([]byte(text), &s.Status); err != nil {
			return nil, fmt.Errorf("decode edge node: %w", err)
		}
		s.SeenAt, s.Skew = time.UnixMilli(seen), time.Duration(skew)*time.Millisecond
		if clash != 0 {
			s.ClashAt = time.UnixMilli(clash)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read edge nodes: %w", err)
	}
	return out, nil
}

// Forget takes away a node that is gone for good. One that still runs comes back by itself. Errors: ErrNotFound.
func (n *Nodes) Forget(ctx context.Context, number int) error {
	return n.db.InTx(ctx, func(tx *db.Tx) error {
		gone, err := tx.Exec(ctx, "DELETE FROM edge_nodes WHERE node = ?", number)
		if err != nil {
			return fmt.Errorf("forget edge node: %w", err)
		}
		if deleted, err := gone.RowsAffected(); err != nil || deleted == 0 {
			return errors.Join(err, ErrNotFound)
		}
		if n.audit == nil {
			return nil
		}
		return n.audit.Record(ctx, tx, audit.Entry{Action: "edge_node.forget", Object: fmt.Sprintf("node_%d", number), Before: map[string]any{"node": number}})
	})
}
