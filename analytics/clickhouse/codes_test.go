package clickhouse_test

import (
	"errors"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/edgeref/edgeref/analytics/clickhouse"
	server "github.com/edgeref/edgeref/test/clickhouse"
)

// What the server refuses for its own sake is never taken for a fault of the batch, unless the operator says so.
func TestWhoIsToBlame(t *testing.T) {
	const readOnlyTable, tooManyParts = 774, 252
	s := server.Start(t)
	opts := clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(t)}
	store := openWith(t, opts)
	opts.ContentCodes = []int32{readOnlyTable}
	told := openWith(t, opts)
	conn, err := driver.Open(&driver.Options{Addr: opts.Addr, Auth: driver.Auth{Database: opts.Database}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exec := func(statement string) {
		t.Helper()
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	batches := (&batchSource{traffic: newTraffic(t)}).batches(2)
	try := func(store *clickhouse.Store, code int32, permanent bool) {
		t.Helper()
		err := store.AppendClicks(t.Context(), batches[1].id, batches[1].clicks)
		var exception *driver.Exception
		if !errors.As(err, &exception) || exception.Code != code {
			t.Fatalf("%v; want code %d", err, code)
		}
		if errors.As(err, new(*clickhouse.RefusedError)) != permanent {
			t.Errorf("code %d is about the content: %v", code, !permanent)
		}
	}
	if err := store.AppendClicks(t.Context(), batches[0].id, batches[0].clicks); err != nil {
		t.Fatal(err)
	}
	exec("ALTER TABLE clicks MODIFY SETTING table_readonly = 1")
	try(store, readOnlyTable, false)
	try(told, readOnlyTable, true)
	exec("ALTER TABLE clicks RESET SETTING table_readonly")
	exec("SYSTEM STOP MERGES clicks")
	exec("ALTER TABLE clicks MODIFY SETTING parts_to_delay_insert = 1, parts_to_throw_insert = 1, max_avg_part_size_for_too_many_parts = 0")
	try(store, tooManyParts, false)
	exec("ALTER TABLE clicks RESET SETTING parts_to_delay_insert, parts_to_throw_insert, max_avg_part_size_for_too_many_parts")
	if err := store.AppendClicks(t.Context(), batches[1].id, batches[1].clicks); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, store, 2*clicksPerBatch, 0)
}
