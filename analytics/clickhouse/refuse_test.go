package clickhouse_test

import (
	"errors"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/edgeref/edgeref/analytics/clickhouse"
	server "github.com/edgeref/edgeref/test/clickhouse"
)

// A constraint makes the server refuse a batch for its content. That is permanent, unless the batch is stored already,
// by a call whose answer was lost before the constraint was made.
func TestRefusedContent(t *testing.T) {
	s := server.Start(t)
	opts := clickhouse.Options{Addr: []string{s.Addr()}, Database: s.Database(t)}
	store := openWith(t, opts)
	source := &batchSource{traffic: newTraffic(t)}
	batches := source.batches(3)
	if err := store.AppendClicks(t.Context(), batches[0].id, batches[0].clicks); err != nil {
		t.Fatal(err)
	}
	conn, err := driver.Open(&driver.Options{Addr: opts.Addr, Auth: driver.Auth{Database: opts.Database}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Exec(t.Context(), "ALTER TABLE clicks ADD CONSTRAINT none CHECK link_id < 0"); err != nil {
		t.Fatal(err)
	}
	var refused *clickhouse.RefusedError
	for _, b := range batches[1:] { // the last one crosses a month
		if err := store.AppendClicks(t.Context(), b.id, b.clicks); !errors.As(err, &refused) || !refused.Permanent() {
			t.Errorf("batch %s: %v; want a permanent refusal", b.id, err)
		}
	}
	if err := store.AppendClicks(t.Context(), batches[0].id, batches[0].clicks); err != nil {
		t.Errorf("a batch that is stored: %v", err)
	}
	// Half of it is stored: taking it apart would double that half, so it is no refusal for good.
	mixed := append(batches[0].clicks[:1:1], source.traffic.batch(1, time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC), time.Minute)...)
	if err := store.AppendClicks(t.Context(), "mixed", mixed); err == nil || errors.As(err, new(*clickhouse.RefusedError)) {
		t.Errorf("a batch that is stored in part: %v; want an error that is not permanent", err)
	}
	wantCounts(t, store, clicksPerBatch, 0)
}
