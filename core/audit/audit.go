// Package audit keeps the log of who changed what: append-only, written in the transaction of the change itself, so
// that there is no change without its entry and no entry without its change.
package audit

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
)

// Limits, in bytes. A value that is larger is kept as its length and hash: a change must not fail for its description.
const (
	MaxValue  = 16 << 10
	MaxAction = 64
	MaxObject = 64
	MaxReason = 500
	maxName   = 128
	maxAddr   = 64
)

// ActorKind says what kind of actor made a change.
type ActorKind string

// Kinds of actors.
const (
	Person ActorKind = "person"
	Token  ActorKind = "token"  // a machine
	System ActorKind = "system" // the core's own work
)

// Entry is what the caller knows of a change. Before and After become JSON in their public form; nil is "there was
// none". They must hold no secrets: as a second line of defence, members named like secrets are blanked.
type Entry struct {
	Action string // what was done, as in "product.create"
	Object string // to what, as shown outside: "prd_01J8Z0QK5T2VG"
	Before any
	After  any
	Reason string // what the actor said, if he had to
}

// IDs makes identifiers.
type IDs interface{ New() int64 }

// Options of a Log.
type Options struct {
	DB         *db.DB
	IDs        IDs
	Registerer prometheus.Registerer // default: metrics are not exported
}

// Log is the audit log of one database. It is safe for concurrent use.
type Log struct {
	db      *db.DB
	ids     IDs
	entries *prometheus.CounterVec
	cut     prometheus.Counter
}

// New returns the log of a database.
func New(opts Options) *Log {
	if opts.DB == nil || opts.IDs == nil {
		panic("BUG: the audit log needs a database and identifiers")
	}
	f := promauto.With(opts.Registerer)
	l := &Log{
		db: opts.DB, ids: opts.IDs,
		entries: f.NewCounterVec(prometheus.CounterOpts{
			Name: "edgeref_audit_entries_total", Help: "Entries written to the audit log, by kind of actor: person, token or system.",
		}, []string{"actor"}),
		cut: f.NewCounter(prometheus.CounterOpts{
			Name: "edgeref_audit_oversized_values_total", Help: "Values too large for the audit log, of which it keeps length and hash.",
		}),
	}
	for _, kind := range []ActorKind{Person, Token, System} {
		l.entries.WithLabelValues(string(kind))
	}
	return l
}

// Record writes an entry in the transaction of the change. Who acts is read from ctx; without a principal it is the
// system. Overlong reasons are cut; an action or object that is empty or too long is a bug and an error.
func (l *Log) Record(ctx context.Context, tx *db.Tx, e Entry) error {
	if e.Action == "" || len(e.Action) > MaxAction || e.Object == "" || len(e.Object) > MaxObject {
		return fmt.Errorf("write audit log: action %.80q on %.80q: both need 1 to %d bytes", e.Action, e.Object, MaxAction)
	}
	before, cutBefore, err := encode(e.Before)
	if err != nil {
		return fmt.Errorf("write audit log: encode before: %w", err)
	}
	after, cutAfter, err := encode(e.After)
	if err != nil {
		return fmt.Errorf("write audit log: encode after: %w", err)
	}
	w := actorOf(ctx)
	_, err = tx.Exec(ctx, `INSERT INTO audit_log (id, actor_kind, actor_id, session_id, actor_name, address, action, object,
		before_value, after_value, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		l.ids.New(), string(w.Kind), w.ID, w.SessionID, w.Name, w.Address, e.Action, e.Object, before, after, clip(e.Reason, MaxReason))
	if err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	n, noted := ctx.Value(noteKey{}).(*Note)
	tx.OnCommit(func() {
		l.entries.WithLabelValues(string(w.Kind)).Inc()
		l.cut.Add(float64(cutBefore + cutAfter))
		if noted {
			n.entries++
		}
	})
	return nil
}

// Actor is who made a change.
type Actor struct {
	Kind      ActorKind
	ID        int64  // of the person or token; 0 for the system
	SessionID int64  // of a person
	Name      string // of a token; a person's is not kept here, where it could never be erased
	Address   string // of the client
}

func actorOf(ctx context.Context) Actor {
	p, ok := access.From(ctx)
	switch {
	case ok && p.ViewerID != 0:
		return Actor{Kind: Person, ID: p.ViewerID, SessionID: p.SessionID, Address: clip(p.Address, maxAddr)}
	case ok && p.PersonID != 0:
		return Actor{Kind: Person, ID: p.PersonID, SessionID: p.SessionID, Address: clip(p.Address, maxAddr)}
	case ok && p.TokenID != 0:
		return Actor{Kind: Token, ID: p.TokenID, Name: clip(p.Name, maxName), Address: clip(p.Address, maxAddr)}
	}
	return Actor{Kind: System, Address: clip(p.Address, maxAddr)}
}

// clip cuts s to at most limit bytes of valid text.
func clip(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
		for len(s) > 0 {
			if r, size := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || size > 1 {
				break
			}
			s = s[:len(s)-1]
		}
	}
	return s
}

type noteKey struct{}

// Note counts the entries that were committed in the context that carries it. It belongs to one goroutine.
type Note struct{ entries int }

// Entries is how many were committed.
func (n *Note) Entries() int { return n.entries }

// WithNote returns a context whose entries are counted.
func WithNote(ctx context.Context) (context.Context, *Note) {
	n := &Note{}
	return context.WithValue(ctx, noteKey{}, n), n
}

// Filter selects entries; zero values select all.
type Filter struct {
	Object    string
	ActorKind ActorKind
	ActorID   int64
	Action    string
	From, To  time.Time // From and later, before To
	Before    int64     // identifiers below this only
	Limit     int
}

// Recorded is an entry as it is in the log.
type Recorded struct {
	ID     int64
	At     int64 // Unix ms
	Actor  Actor
	Action string
	Object string
	// Before and After are JSON, or empty for none.
	Before, After []byte
	Reason        string
}

// List returns entries, the newest first. Entries of transactions that are under way may appear below newer ones later.
func (l *Log) List(ctx context.Context, f Filter) ([]Recorded, error) {
	query, args := listQuery(l.db.Dialect(), f)
	rows, err := l.db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Recorded
	for rows.Next() {
		var r Recorded
		if err := rows.Scan(&r.ID, &r.Actor.Kind, &r.Actor.ID, &r.Actor.SessionID, &r.Actor.Name, &r.Actor.Address, &r.Action, &r.Object,
			&r.Before, &r.After, &r.Reason); err != nil {
			return nil, fmt.Errorf("read audit log: %w", err)
		}
		r.At = newid.Time(r.ID).UnixMilli()
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return out, nil
}

// listQuery reads off one index in the order of ids: that of the object, else of the actor, else of the action. SQLite
// knows no statistics, so the others are hidden from it behind a +.
func listQuery(dialect db.Dialect, f Filter) (query string, args []any) {
	where, chosen := "1 = 1", false
	add := func(column string, value any) {
		if chosen && dialect == db.SQLite {
			column = "+" + column
		}
		chosen = true
		where, args = where+" AND "+column+" = ?", append(args, value)
	}
	if f.Object != "" {
		add("object", f.Object)
	}
	if f.ActorID != 0 {
		add("actor_id", f.ActorID)
	}
	if f.Action != "" {
		add("action", f.Action)
	}
	if f.ActorKind != "" {
		where, args = where+" AND actor_kind = ?", append(args, string(f.ActorKind)) // no index: three values only
	}
	bound := func(condition string, id int64) { where, args = where+" AND id "+condition+" ?", append(args, id) }
	if !f.From.IsZero() {
		bound(">=", newid.First(f.From))
	}
	if !f.To.IsZero() {
		bound("<", newid.First(f.To))
	}
	if f.Before != 0 {
		bound("<", f.Before)
	}
	return `SELECT id, actor_kind, actor_id, session_id, actor_name, address, action, object, before_value, after_value, reason
		FROM audit_log WHERE ` + where + " ORDER BY id DESC LIMIT ?", append(args, f.Limit)
}
