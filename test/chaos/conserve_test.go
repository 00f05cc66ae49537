package chaos

import (
	"fmt"
	"net/http"
	"net/url"
	"time"
)

const settleTimeout = 90 * time.Second

// leaveOut says, in the log and in the table, that a fault could not be caused here.
func (s *world) leaveOut(fault string, why error) {
	s.t.Helper()
	s.t.Logf("LEFT OUT: %s: %v", fault, why)
	s.table = append(s.table, row{Fault: fault, LeftOut: why.Error()})
}

// settle waits until everything is delivered and compares what was answered with what is kept. allowed says which clicks
// may be missing; nil: none.
func (s *world) settle(fault string, tr *traffic, allowed func(answered time.Time) bool) row {
	s.t.Helper()
	s.drain()
	r := row{Fault: fault, Rounds: 1, Clicks: len(tr.clicks), Sales: len(tr.sales), Unanswered: tr.failed, WithoutID: tr.without}
	forbidden := 0
	waitFor(s.t, settleTimeout, func() bool {
		kept := s.listedClicks(tr)
		r.Stored, r.LostClicks, r.DoubledClicks, forbidden = len(kept), 0, 0, 0
		for id, at := range tr.clicks {
			if kept[id] == 0 {
				r.LostClicks++
				if allowed == nil || !allowed(at) {
					forbidden++
				}
			}
		}
		for _, n := range kept {
			r.DoubledClicks += n - 1
		}
		return forbidden == 0
	}, func() string {
		return fmt.Sprintf("%s: %+v, lost %d that had to be kept\n%s", fault, r, forbidden, s.logs())
	})
	s.settleSales(&r, tr)
	s.table = append(s.table, r)
	if r.DoubledClicks != 0 || r.DoubledSales != 0 {
		s.t.Errorf("%s: doubled: %+v", fault, r)
	}
	if extra := r.Stored - (r.Clicks - r.LostClicks); extra > tr.failed {
		s.t.Errorf("%s: %d clicks are stored that nobody was told of, but only %d requests had no answer", fault, extra, tr.failed)
	}
	s.adds(fault)
	s.rollUps(fault, tr, r)
	if out, err := run(s.t, s.core.Env, "core", "verify-ledger"); err != nil {
		s.t.Errorf("%s: %v\n%s", fault, err, out)
	}
	if s.t.Failed() {
		s.t.Fatalf("%s: other answers %v, failures %v\n%s", fault, tr.other, tr.reasons, s.logs())
	}
	return r
}

func (s *world) settleSales(r *row, tr *traffic) {
	s.t.Helper()
	waitFor(s.t, settleTimeout, func() bool {
		kept := map[string]int{}
		for _, c := range all[struct {
			TxnID string `json:"txn_id"`
			State string `json:"state"`
		}](s, "/conversions", url.Values{"affiliate_id": {tr.affiliate}, "limit": {"200"}}) {
			if c.State == "booked" {
				kept[c.TxnID]++
			}
		}
		r.Booked, r.LostSales, r.DoubledSales = len(kept), 0, 0
		for txn := range tr.sales {
			if kept[txn] == 0 {
				r.LostSales++
			}
		}
		for txn, n := range kept {
			r.DoubledSales += n - 1
			if !tr.sales[txn] && !tr.maybe[txn] {
				s.t.Fatalf("%s: sale %s is booked and was never sent", r.Fault, txn)
			}
		}
		return r.LostSales == 0
	}, func() string { return fmt.Sprintf("%s: %+v\n%s", r.Fault, *r, s.logs()) })
}

func (s *world) listedClicks(tr *traffic) map[string]int {
	s.t.Helper()
	kept := map[string]int{}
	now := time.Now().UTC()
	for _, c := range all[struct {
		ID string `json:"id"`
	}](s, "/reports/clicks", url.Values{
		"affiliate_id": {tr.affiliate}, "limit": {"1000"},
		"from": {now.Add(-48 * time.Hour).Format(time.RFC3339)}, "to": {now.Add(48 * time.Hour).Format(time.RFC3339)},
	}) {
		kept[c.ID]++
	}
	return kept
}

// rollUps compares the report, which comes from roll-ups, with the lists, and the money with the sales.
func (s *world) rollUps(fault string, tr *traffic, r row) {
	s.t.Helper()
	var report struct {
		Total struct {
			Clicks int `json:"clicks"`
			Sales  int `json:"sales"`
			Money  []struct {
				Revenue    int `json:"revenue_minor"`
				Commission int `json:"commission_minor"`
			} `json:"money"`
		} `json:"total"`
	}
	now := time.Now().UTC()
	q := url.Values{"affiliate_id": {tr.affiliate}, "from": {now.Add(-48 * time.Hour).Format(time.RFC3339)}, "to": {now.Add(48 * time.Hour).Format(time.RFC3339)}}
	waitFor(s.t, settleTimeout, func() bool {
		s.call(http.MethodGet, "/reports?"+q.Encode(), nil, &report)
		return report.Total.Clicks >= r.Stored && report.Total.Sales >= r.Booked
	}, func() string { return fmt.Sprintf("%s: report %+v, lists %+v", fault, report, r) })
	t := report.Total
	if t.Clicks != r.Stored || t.Sales != r.Booked {
		s.t.Errorf("%s: roll-ups have %d clicks, %d sales; the lists %d and %d", fault, t.Clicks, t.Sales, r.Stored, r.Booked)
	}
	if r.Booked > 0 && (len(t.Money) != 1 || t.Money[0].Revenue != r.Booked*priceMinor || t.Money[0].Commission != r.Booked*shareMinor) {
		s.t.Errorf("%s: money %+v for %d sales", fault, t.Money, r.Booked)
	}
}

// drain waits until spools and outbox are empty.
func (s *world) drain() {
	s.t.Helper()
	last := ""
	waitFor(s.t, settleTimeout, func() bool {
		for _, p := range append([]*process{s.tracker}, s.more...) {
			n, ok := p.Metric("edgeref_spool_pending_records", "")
			if last = fmt.Sprintf("%v records pending in a spool (%v)", n, ok); !ok || n > 0 {
				return false
			}
		}
		n, ok := s.core.Metric("edgeref_outbox_pending_records", "")
		last = fmt.Sprintf("%v facts pending (%v)", n, ok)
		return ok && n == 0
	}, func() string { return last + "\n" + s.logs() })
}

// adds checks the equations of the trackers' metrics.
func (s *world) adds(fault string) {
	s.t.Helper()
	for _, p := range append([]*process{s.tracker}, s.more...) {
		m := func(name, label string) float64 {
			v, _ := p.Metric("edgeref_"+name, label)
			return v
		}
		if in, out := m("tracker_clicks_received_total", ""), m("tracker_clicks_recorded_total", "")+m("tracker_clicks_refused_total", ""); in != out {
			s.t.Errorf("%s: %v clicks received, %v recorded and refused", fault, in, out)
		}
		for _, label := range []string{`spool="clicks"`, `spool="conversions"`} {
			in := m("spool_recovered_records", label) + m("spool_appended_records_total", label)
			out := m("spool_delivered_records_total", label) + m("spool_quarantined_records_total", label) + m("spool_pending_records", label)
			if in != out {
				s.t.Errorf("%s: %s: %v came in, %v are accounted for", fault, label, in, out)
			}
		}
	}
}

func (s *world) logs() string {
	out := "core:\n" + s.core.Output.String()
	for _, p := range append([]*process{s.tracker}, s.more...) {
		out += "\ntracker:\n" + p.Output.String()
	}
	return out
}
