package chaos

import (
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// engineFaults are what ClickHouse itself refuses, without anything being wrong with what is sent.
func (s *world) engineFaults() {
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{s.clicks.Addr()}, Auth: clickhouse.Auth{Database: database}})
	s.must(err)
	defer conn.Close()
	exec := func(statements ...string) {
		s.t.Helper()
		for _, statement := range statements {
			s.must(conn.Exec(s.t.Context(), statement))
		}
	}
	for _, f := range []struct {
		fault         string
		begin, finish []string
	}{
		{"ClickHouse read-only", []string{"ALTER TABLE clicks MODIFY SETTING table_readonly = 1", "ALTER TABLE facts MODIFY SETTING table_readonly = 1"},
			[]string{"ALTER TABLE clicks RESET SETTING table_readonly", "ALTER TABLE facts RESET SETTING table_readonly"}},
		{"ClickHouse takes clicks, its roll-up is read-only", []string{"ALTER TABLE clicks_quarterly MODIFY SETTING table_readonly = 1"},
			[]string{"ALTER TABLE clicks_quarterly RESET SETTING table_readonly"}},
		{"ClickHouse has too many parts", []string{
			"SYSTEM STOP MERGES clicks",
			"ALTER TABLE clicks MODIFY SETTING parts_to_delay_insert = 1, parts_to_throw_insert = 1, max_avg_part_size_for_too_many_parts = 0",
		}, []string{
			"ALTER TABLE clicks RESET SETTING parts_to_delay_insert, parts_to_throw_insert, max_avg_part_size_for_too_many_parts",
			"SYSTEM START MERGES clicks",
		}},
	} {
		failures := func() float64 {
			n, _ := s.tracker.Metric("edgeref_delivery_failures_total", `step="send"`)
			return n
		}
		r := s.scenario(f.fault, func(*traffic) {
			pass(300 * time.Millisecond)
			before := failures()
			exec(f.begin...)
			pass(1500 * time.Millisecond)
			if failures() == before {
				s.t.Errorf("%s: nothing was refused: the test shows nothing", f.fault)
			}
			if n, _ := s.tracker.Metric("edgeref_delivery_refused_records_total", ""); n > 0 {
				s.t.Errorf("%s: %v clicks are in quarantine for it", f.fault, n)
			}
			exec(f.finish...)
		})
		if r.Unanswered > 0 || r.WithoutID > 0 {
			s.t.Errorf("%s: visitors noticed: %+v", f.fault, r)
		}
	}
}
