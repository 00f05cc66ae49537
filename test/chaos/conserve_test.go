package chaos

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

const settleTimeout = 90 * time.Second

// row is one line of the table.
type row struct {
	fault                                     string
	clicks, stored, lostClicks, doubledClicks int
	sales, booked, lostSales, doubledSales    int
	failed, without                           int
	lostAllowed                               string // why lost clicks are not a failure
	leftOut                                   bool
}

// leaveOut says, in the log and in the table, that a fault could not be caused here.
func (s *world) leaveOut(fault string, why error) {
	s.t.Helper()
	s.t.Logf("LEFT OUT: %s: %v", fault, why)
	s.table = append(s.table, row{fault: fault, leftOut: true})
}

// settle waits until everything is delivered and compares what was answered with what is kept. allowed says which clicks
// may be missing; nil: none.
func (s *world) settle(fault string, tr *traffic, allowed func(answered time.Time) bool) row {
	s.t.Helper()
	s.drain()
	r := row{fault: fault, clicks: len(tr.clicks), sales: len(tr.sales), failed: tr.failed, without: tr.without}
	forbidden := 0
	waitFor(s.t, settleTimeout, func() bool {
		kept := s.listedClicks(tr)
		r.stored, r.lostClicks, r.doubledClicks, forbidden = len(kept), 0, 0, 0
		for id, at := range tr.clicks {
			if kept[id] == 0 {
				r.lostClicks++
				if allowed == nil || !allowed(at) {
					forbidden++
				}
			}
		}
		for _, n := range kept {
			r.doubledClicks += n - 1
		}
		return forbidden == 0
	}, func() string {
		return fmt.Sprintf("%s: %+v, lost %d that had to be kept\n%s", fault, r, forbidden, s.logs())
	})
	s.settleSales(&r, tr)
	s.table = append(s.table, r)
	if r.doubledClicks != 0 || r.doubledSales != 0 {
		s.t.Errorf("%s: doubled: %+v", fault, r)
	}
	if extra := r.stored - (r.clicks - r.lostClicks); extra > tr.failed {
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
		r.booked, r.lostSales, r.doubledSales = len(kept), 0, 0
		for txn := range tr.sales {
			if kept[txn] == 0 {
				r.lostSales++
			}
		}
		for txn, n := range kept {
			r.doubledSales += n - 1
			if !tr.sales[txn] && !tr.maybe[txn] {
				s.t.Fatalf("%s: sale %s is booked and was never sent", r.fault, txn)
			}
		}
		return r.lostSales == 0
	}, func() string { return fmt.Sprintf("%s: %+v\n%s", r.fault, *r, s.logs()) })
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
		return report.Total.Clicks >= r.stored && report.Total.Sales >= r.booked
	}, func() string { return fmt.Sprintf("%s: report %+v, lists %+v", fault, report, r) })
	t := report.Total
	if t.Clicks != r.stored || t.Sales != r.booked {
		s.t.Errorf("%s: roll-ups have %d clicks, %d sales; the lists %d and %d", fault, t.Clicks, t.Sales, r.stored, r.booked)
	}
	if r.booked > 0 && (len(t.Money) != 1 || t.Money[0].Revenue != r.booked*priceMinor || t.Money[0].Commission != r.booked*shareMinor) {
		s.t.Errorf("%s: money %+v for %d sales", fault, t.Money, r.booked)
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

// print writes the table to the test's log, and to standard error where it is seen without -v.
func (s *world) print(t *testing.T) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nfault\tclicks sent\tstored\tlost\tdoubled\tsales sent\tbooked\tlost\tdoubled\tunanswered\twithout ID")
	for _, r := range s.table {
		lost := fmt.Sprint(r.lostClicks)
		if r.lostAllowed != "" {
			lost += " (" + r.lostAllowed + ")"
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", r.fault, r.clicks, r.stored, lost, r.doubledClicks,
			r.sales, r.booked, r.lostSales, r.doubledSales, r.failed, r.without)
	}
	w.Flush()
	t.Log(b.String())
	fmt.Fprintln(os.Stderr, b.String())
}
