package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/newid"
)

type fixture struct {
	t   *testing.T
	db  *db.DB
	log *audit.Log
	now atomic.Int64 // Unix ms
}

func each(t *testing.T, test func(f *fixture)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := &fixture{t: t, db: d}
		f.now.Store(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
		f.log = audit.New(audit.Options{DB: d, IDs: newid.New(func() time.Time { return time.UnixMilli(f.now.Load()) })})
		test(f)
	})
}

func (f *fixture) record(ctx context.Context, e audit.Entry) error {
	return f.db.InTx(ctx, func(tx *db.Tx) error { return f.log.Record(ctx, tx, e) })
}

func (f *fixture) must(ctx context.Context, e audit.Entry) {
	f.t.Helper()
	if err := f.record(ctx, e); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) list(filter audit.Filter) []audit.Recorded {
	f.t.Helper()
	filter.Limit = max(filter.Limit, 1)
	rows, err := f.log.List(f.t.Context(), filter)
	if err != nil {
		f.t.Fatal(err)
	}
	return rows
}

func person(ctx context.Context, id int64) context.Context {
	return access.With(ctx, access.Principal{PersonID: id, SessionID: 7, Name: "Ann", Address: "192.0.2.7"})
}

func TestEntryIsKept(t *testing.T) {
	each(t, func(f *fixture) {
		type value struct {
			Name string `json:"name"`
			Big  int64  `json:"big"`
		}
		f.must(person(f.t.Context(), 5), audit.Entry{
			Action: "product.update", Object: "prd_1", Before: value{"a", 9007199254740993}, After: value{"b", 1}, Reason: "Tippfehler ü",
		})
		got := f.list(audit.Filter{})[0]
		want := audit.Actor{Kind: audit.Person, ID: 5, SessionID: 7, Address: "192.0.2.7"}
		if got.Actor != want || got.Action != "product.update" || got.Object != "prd_1" || got.Reason != "Tippfehler ü" || got.At != f.now.Load() {
			f.t.Errorf("got %+v", got)
		}
		if string(got.Before) != `{"big":9007199254740993,"name":"a"}` || string(got.After) != `{"big":1,"name":"b"}` {
			f.t.Errorf("before %s, after %s", got.Before, got.After)
		}
	})
}

func TestActors(t *testing.T) {
	each(t, func(f *fixture) {
		ctx := f.t.Context()
		token := access.With(ctx, access.Principal{TokenID: 3, Name: "shop", Address: "192.0.2.8"})
		for _, c := range []struct {
			ctx  context.Context
			want audit.Actor
		}{
			{ctx, audit.Actor{Kind: audit.System}},
			{token, audit.Actor{Kind: audit.Token, ID: 3, Name: "shop", Address: "192.0.2.8"}},
			{person(ctx, 4), audit.Actor{Kind: audit.Person, ID: 4, SessionID: 7, Address: "192.0.2.7"}},
		} {
			f.must(c.ctx, audit.Entry{Action: "x", Object: "y"})
			got := f.list(audit.Filter{})[0]
			if got.Actor != c.want || len(got.Before) != 0 || len(got.After) != 0 {
				f.t.Errorf("got %+v, want %+v", got, c.want)
			}
		}
	})
}

func TestNothingIsKeptOfAFailedChange(t *testing.T) {
	each(t, func(f *fixture) {
		ctx, note := audit.WithNote(f.t.Context())
		failed := errors.New("no")
		err := f.db.InTx(ctx, func(tx *db.Tx) error {
			if err := f.log.Record(ctx, tx, audit.Entry{Action: "x", Object: "y"}); err != nil {
				return err
			}
			return failed
		})
		if !errors.Is(err, failed) || len(f.list(audit.Filter{})) != 0 || note.Entries() != 0 {
			f.t.Errorf("%v, %d entries noted", err, note.Entries())
		}
		f.must(ctx, audit.Entry{Action: "x", Object: "y"})
		if note.Entries() != 1 {
			f.t.Errorf("%d entries noted", note.Entries())
		}
	})
}

func TestNothingCanBeChanged(t *testing.T) {
	each(t, func(f *fixture) {
		f.must(f.t.Context(), audit.Entry{Action: "x", Object: "y"})
		statements := []string{"UPDATE audit_log SET reason = 'z'", "DELETE FROM audit_log"}
		columns := " INTO audit_log SELECT id, 'system', 0, 0, '', '', 'forged', object, '', '', '' FROM audit_log"
		if f.db.Dialect() == db.SQLite {
			statements = append(statements, "INSERT OR REPLACE"+columns)
		} else {
			statements = append(statements, "REPLACE"+columns)
		}
		for _, statement := range statements {
			err := f.db.InTx(f.t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(f.t.Context(), statement)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				f.t.Errorf("%s: %v", statement, err)
			}
		}
		if got := f.list(audit.Filter{})[0]; got.Action != "x" || got.Reason != "" {
			f.t.Errorf("now %+v", got)
		}
	})
}

func TestSecretsAndSizes(t *testing.T) {
	each(t, func(f *fixture) {
		f.must(f.t.Context(), audit.Entry{Action: "x", Object: "y", Reason: strings.Repeat("ü", 400), After: map[string]any{
			"postback_secret": "hunter2", "Password": "hunter2", "access_token": "hunter2", "token": "", "token_id": "tok_1",
			"list": []any{map[string]string{"secret": "hunter2"}},
		}})
		got := f.list(audit.Filter{})[0]
		if strings.Contains(string(got.After), "hunter2") || !strings.Contains(string(got.After), "tok_1") {
			f.t.Errorf("after %s", got.After)
		}
		if len(got.Reason) != audit.MaxReason {
			f.t.Errorf("reason of %d bytes", len(got.Reason))
		}
		f.must(f.t.Context(), audit.Entry{Action: "x", Object: "y", Before: strings.Repeat("x", audit.MaxValue)})
		got = f.list(audit.Filter{})[0]
		var kept struct {
			Bytes int64  `json:"oversized_bytes"`
			Hash  string `json:"sha256"`
		}
		if err := json.Unmarshal(got.Before, &kept); err != nil || kept.Bytes != audit.MaxValue+2 || len(kept.Hash) != 64 {
			f.t.Errorf("before %.200s", got.Before)
		}
		for _, bad := range []audit.Entry{{Object: "y"}, {Action: "x"}, {Action: strings.Repeat("x", 65), Object: "y"}, {Action: "x", Object: "y", After: func() {}}} {
			if f.record(f.t.Context(), bad) == nil {
				f.t.Errorf("%+v was taken", bad)
			}
		}
	})
}

func TestFilters(t *testing.T) {
	each(t, func(f *fixture) {
		start := f.now.Load()
		for i := range 6 {
			f.now.Store(start + int64(i)*1000)
			f.must(person(f.t.Context(), int64(1+i%2)), audit.Entry{Action: fmt.Sprintf("act.%d", i%3), Object: fmt.Sprintf("obj_%d", i/3), Reason: fmt.Sprint(i)})
		}
		at := func(i int64) time.Time { return time.UnixMilli(start + i*1000) }
		all := f.list(audit.Filter{Limit: 10})
		for name, c := range map[string]struct {
			filter audit.Filter
			want   string
		}{
			"all":       {audit.Filter{}, "543210"},
			"object":    {audit.Filter{Object: "obj_1"}, "543"},
			"actor":     {audit.Filter{ActorID: 2}, "531"},
			"kind":      {audit.Filter{ActorKind: audit.System}, ""},
			"action":    {audit.Filter{Action: "act.2"}, "52"},
			"two":       {audit.Filter{Object: "obj_0", ActorID: 1}, "20"},
			"three":     {audit.Filter{Object: "obj_0", ActorID: 1, Action: "act.2", ActorKind: audit.Person}, "2"},
			"time":      {audit.Filter{From: at(1), To: at(4)}, "321"},
			"page":      {audit.Filter{Before: all[2].ID}, "210"},
			"last page": {audit.Filter{Before: all[5].ID}, ""},
		} {
			got := ""
			c.filter.Limit = 10
			for _, r := range f.list(c.filter) {
				got += r.Reason
			}
			if got != c.want {
				f.t.Errorf("%s: got %s, want %s", name, got, c.want)
			}
		}
		if got := f.list(audit.Filter{Limit: 2}); len(got) != 2 {
			f.t.Errorf("limit 2 gives %d", len(got))
		}
	})
}
