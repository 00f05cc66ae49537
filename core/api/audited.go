package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// auditor writes down what somebody did, in the transaction in which it was done.
type auditor interface {
	Record(ctx context.Context, tx *db.Tx, e audit.Entry) error
}

// audited writes that an object was changed, in the transaction of the change. before and after are as the API shows
// them; nil: there was, or is, nothing.
func (a *API) audited(ctx context.Context, tx *db.Tx, action, kind string, id int64, before, after any) error {
	if a.audit == nil {
		return nil
	}
	return a.audit.Record(ctx, tx, audit.Entry{Action: action, Object: ident.Format(kind, id), Before: before, After: after})
}

// changed is a function for the end of a domain's transaction that writes down what was changed; body makes of the
// domain's value what the API shows.
func changed[T, B any](ctx context.Context, a *API, action, kind string, id int64, body func(T) B) func(tx *db.Tx, before, after T) error {
	return func(tx *db.Tx, before, after T) error {
		return a.audited(ctx, tx, action, kind, id, body(before), body(after))
	}
}

// changedFor is changed with the reason that was given.
func changedFor[T, B any](ctx context.Context, a *API, action, reason, kind string, id int64, body func(T) B) func(tx *db.Tx, before, after T) error {
	return func(tx *db.Tx, before, after T) error {
		if a.audit == nil {
			return nil
		}
		return a.audit.Record(ctx, tx, audit.Entry{Action: action, Object: ident.Format(kind, id), Before: body(before), After: body(after), Reason: reason})
	}
}

// ended is changed for what is no more.
func ended[T, B any](ctx context.Context, a *API, action, kind string, id int64, body func(T) B) func(*db.Tx, T) error {
	return func(tx *db.Tx, before T) error { return a.audited(ctx, tx, action, kind, id, body(before), nil) }
}

// isAudited reports whether a success of the operation must leave an audit entry.
func (a *API) isAudited(op operation) bool {
	return op.method != http.MethodGet && !op.public && op.unaudited == "" && a.audit != nil
}

// watch counts a success that should have left an audit entry and did not. done takes the handler's error.
func (a *API) watch(ctx context.Context, op operation) (with context.Context, done func(error)) {
	if !a.isAudited(op) {
		return ctx, func(error) {}
	}
	info := infoOf(ctx)
	with, note := audit.WithNote(ctx)
	return with, func(err error) {
		if err != nil || note.Entries() > 0 || info.unchanged {
			return
		}
		a.metrics.unlogged.WithLabelValues(op.id).Inc()
		a.log.Error("a change left no audit entry", "request_id", info.id, "operation", op.id)
	}
}

// unchanged says that a request succeeds because what it asks for is so already: it leaves no audit entry.
func unchanged(ctx context.Context) { infoOf(ctx).unchanged = true }
