package system

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const scrape = `# HELP edgeref_spool_appended_records_total Records.
# TYPE edgeref_spool_appended_records_total counter
edgeref_spool_appended_records_total{spool="clicks"} 10
edgeref_spool_appended_records_total{spool="conversions"} 3
edgeref_spool_recovered_records{spool="clicks"} 2
edgeref_spool_delivered_records_total{spool="clicks"} 7 1700000000000
edgeref_spool_delivered_records_total{spool="conversions"} 3
edgeref_spool_quarantined_records_total{spool="clicks"} 1
edgeref_spool_pending_records{spool="clicks"} 4

edgeref_tracker_clicks_received_total 12
edgeref_tracker_clicks_recorded_total 1e+01
edgeref_tracker_clicks_refused_total{reason="full",why="a } and \"b\", spool=\"clicks\""} 1
edgeref_tracker_clicks_refused_total{reason="broken"} 1
go_gc_duration_seconds{quantile="0"} NaN
`

func TestConservations(t *testing.T) {
	s, err := ParseMetrics(scrape)
	if err != nil {
		t.Fatal(err)
	}
	want := []Equation{
		{"clicks received = recorded + refused", 12, 12},
		{"clicks recovered + appended = delivered + quarantined + pending", 12, 12},
		{"conversions recovered + appended = delivered + quarantined + pending", 3, 3},
	}
	if diff := cmp.Diff(want, s.Equations()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if s.Pending() != 4 {
		t.Errorf("%v pending, want 4", s.Pending())
	}
	if v, ok := s.Sum("edgeref_tracker_clicks_refused_total", `reason="full"`); v != 1 || !ok {
		t.Errorf("refused for full: %v, %v", v, ok)
	}
	if diff := cmp.Diff(map[string]float64{"full": 1, "broken": 1}, s.By("edgeref_tracker_clicks_refused_total", "reason")); diff != "" {
		t.Errorf("refused by reason (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"clicks": 10, "conversions": 3}, s.By("edgeref_spool_appended_records_total", "spool")); diff != "" {
		t.Errorf("appended by spool (-want +got)\n%s", diff)
	}
}

func TestParseMetricsMalformed(t *testing.T) {
	for _, text := range []string{"a", "a x", `a{b="c"`, `a{b="c"}`, `{b="c"} 1`, "a\t"} {
		if s, err := ParseMetrics(text); err == nil {
			t.Errorf("%q: got %v", text, s)
		}
	}
}

func FuzzParseMetrics(f *testing.F) {
	f.Add(scrape)
	f.Add(`a{b="\"}"} +Inf`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseMetrics(text)
		if err != nil {
			return
		}
		for series := range s {
			if series == "" || series[0] == '#' {
				t.Fatalf("series %q", series)
			}
		}
		s.Equations()
	})
}
