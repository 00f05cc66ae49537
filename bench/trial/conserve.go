package trial

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/edgeref/edgeref/bench/load"
	"github.com/edgeref/edgeref/bench/system"
)

// Check is one equation between what was sent and what the system says of it.
type Check struct {
	Name  string `json:"name"`
	Want  int64  `json:"want"`
	Got   int64  `json:"got"`
	Slack int64  `json:"slack,omitempty"` // Got may be this much above Want: requests without an answer may have been served
	Below int64  `json:"below,omitempty"` // Got may be this much below Want: so may refunds
	Held  bool   `json:"held"`
	Note  string `json:"note,omitempty"`
}

func equal(name string, want, got int64) Check { return within(name, want, got, 0) }

// within demands that got is want or up to slack more.
func within(name string, want, got, slack int64) Check {
	return Check{Name: name, Want: want, Got: got, Slack: slack, Held: got >= want && got <= want+slack}
}

// between demands that got is at most below under want and at most slack above it.
func between(name string, want, got, below, slack int64) Check {
	return Check{Name: name, Want: want, Got: got, Slack: slack, Below: below, Held: got >= want-below && got <= want+slack}
}

// totals are counters of all processes together.
type totals struct {
	received, recorded, accepted         int64
	appended, delivered, quarantined     int64 // of the spool of clicks
	refused, outcomes                    map[string]int64
	starts                               map[string]float64 // when each process began
	equations                            []Check            // that hold at all times
	convAppended, convDelivered, convBad int64              // of the spool of conversions
}

func (r *rig) readTotals(ctx context.Context) (totals, error) {
	t := totals{refused: map[string]int64{}, outcomes: map[string]int64{}, starts: map[string]float64{}}
	for _, ops := range r.Ops {
		s, err := r.api.Scrape(ctx, ops)
		if err != nil {
			return t, err
		}
		t.add(ops, s)
	}
	return t, nil
}

func (t *totals) add(ops string, s system.Samples) {
	sum := func(name, label string) int64 {
		v, _ := s.Sum(name, label)
		return int64(v)
	}
	const clicks, conversions = `spool="clicks"`, `spool="conversions"`
	t.received += sum("edgeref_tracker_clicks_received_total", "")
	t.recorded += sum("edgeref_tracker_clicks_recorded_total", "")
	t.accepted += sum("edgeref_tracker_conversions_accepted_total", "")
	t.appended += sum("edgeref_spool_appended_records_total", clicks)
	t.delivered += sum("edgeref_spool_delivered_records_total", clicks)
	t.quarantined += sum("edgeref_spool_quarantined_records_total", clicks)
	t.convAppended += sum("edgeref_spool_appended_records_total", conversions)
	t.convDelivered += sum("edgeref_spool_delivered_records_total", conversions)
	t.convBad += sum("edgeref_spool_quarantined_records_total", conversions)
	for reason, n := range s.By("edgeref_tracker_clicks_refused_total", "reason") {
		t.refused[reason] += int64(n)
	}
	for outcome, n := range s.By("edgeref_delivery_conversions_total", "outcome") {
		t.outcomes[outcome] += int64(n)
	}
	t.starts[ops], _ = s.Sum("process_start_time_seconds", "")
	for _, eq := range s.Equations() {
		t.equations = append(t.equations, equal(eq.Name+" at "+ops, int64(eq.Left), int64(eq.Right)))
	}
}

// evidence is everything that the checks compare.
type evidence struct {
	links         load.Result
	postbacks     *load.Result // nil: none were sent
	tally         *tally
	converter     *converter
	before, after totals
	report        figures
	ledgerHolds   bool
	listed        []listed // the list of clicks; nil: not compared
	found         *found   // the list of conversions; nil: not compared
	faults        bool     // the run went through faults: what was away may have no counters to show
}

// figures are the totals of a report.
type figures struct {
	Clicks  int64 `json:"clicks"`
	Bots    int64 `json:"bots"`
	Leads   int64 `json:"leads"`
	Sales   int64 `json:"sales"`
	Refunds int64 `json:"refunds"`
	Money   []struct {
		Currency   string `json:"currency"`
		Revenue    int64  `json:"revenue_minor"`
		Commission int64  `json:"commission_minor"`
	} `json:"money"`
}

func (f *figures) booked() booked {
	b := booked{Leads: f.Leads, Sales: f.Sales, Refunds: f.Refunds}
	for _, m := range f.Money {
		b.Revenue += m.Revenue
		b.Commission += m.Commission
	}
	return b
}

// checks are the conservation equations.
func (e *evidence) checks() []Check {
	ledger := equal("ledger verification", 1, 0)
	if e.ledgerHolds {
		ledger.Got, ledger.Held = 1, true
	}
	return append(e.flows(), ledger)
}

// flows are those of what flows: it takes its time until they hold.
func (e *evidence) flows() []Check {
	list := e.clickChecks()
	if e.postbacks != nil {
		list = append(list, e.conversionChecks()...)
	}
	return append(list, e.after.equations...)
}

func (e *evidence) clickChecks() []Check {
	t, unsure := e.tally, e.unsure()
	sent := int64(e.links.Scheduled - e.links.Unsent)
	other := int64(0)
	for _, n := range t.other {
		other += n
	}
	list := []Check{
		equal("requests sent = answered + failed", sent, int64(e.links.Answered+e.links.Failed)),
		equal("answered = 302 with Click ID + without + with a damaged one + other status", int64(e.links.Answered), t.tracked+t.bare+t.badID+other),
		equal("damaged Click IDs", 0, t.badID),
		equal("Click IDs handed out twice", 0, t.doubles()),
		within("302 with Click ID = clicks in the reports", t.tracked, e.report.Clicks, unsure),
		within("of those, bots", t.bots, e.report.Bots, unsure),
	}
	if e.faults {
		list = append(list, Check{Name: "something was answered between the faults", Want: 1, Got: min(t.tracked, 1), Held: t.tracked > 0})
	}
	if e.restarted() {
		list = append(list, Check{Name: "counters of the trackers", Held: true, Note: "a server process was started anew during the run: its counters began at 0; the store and the books decide"})
	} else {
		refused, reasons := e.refusedByReason()
		bare := within("302 without Click ID = clicks refused by the trackers", t.bare, refused, unsure)
		bare.Note = reasons
		list = append(list,
			within("302 with Click ID = clicks recorded by the trackers", t.tracked, e.after.recorded-e.before.recorded, unsure),
			bare,
			equal("clicks received = recorded + refused", e.after.received-e.before.received, e.after.recorded-e.before.recorded+refused),
			equal("clicks recorded = spooled", e.after.recorded-e.before.recorded, e.after.appended-e.before.appended),
			equal("clicks spooled = delivered", e.after.appended-e.before.appended, e.after.delivered-e.before.delivered),
		)
	}
	if e.listed != nil {
		list = append(list, e.eachClick(unsure)...)
	}
	return list
}

// unsure is how many requests to links may have been served although nobody got their answer. Through faults 5xx is no answer.
func (e *evidence) unsure() int64 {
	n := int64(e.links.Failed - e.links.Unreached)
	if e.faults {
		n += e.tally.broken()
	}
	return n
}

func (e *evidence) restarted() bool { return !maps.Equal(e.before.starts, e.after.starts) }

// refusedByReason adds up the clicks that were refused during the run and names the reasons.
func (e *evidence) refusedByReason() (int64, string) {
	sum, why := int64(0), []string(nil)
	for _, reason := range slices.Sorted(maps.Keys(e.after.refused)) {
		if n := e.after.refused[reason] - e.before.refused[reason]; n != 0 {
			sum += n
			why = append(why, fmt.Sprintf("%s: %d", reason, n))
		}
	}
	return sum, strings.Join(why, ", ")
}

func (e *evidence) conversionChecks() []Check {
	c := e.converter
	want, got := c.booked, e.report.booked()
	more, less := c.maybe()
	list := []Check{
		within("leads acknowledged = in the reports", want.Leads, got.Leads, more.Leads),
		within("sales acknowledged = in the reports", want.Sales, got.Sales, more.Sales),
		within("refunds acknowledged = in the reports", want.Refunds, got.Refunds, less.Refunds),
		between("revenue acknowledged = in the reports (minor units)", want.Revenue, got.Revenue, -less.Revenue, more.Revenue),
		between("commission reckoned = in the reports (minor units)", want.Commission, got.Commission, -less.Commission, more.Commission),
	}
	if e.found != nil {
		list = append(list, e.eachConversion()...)
	}
	if e.restarted() {
		return list
	}
	list = append(list,
		within("postbacks acknowledged = accepted by the trackers", c.acknowledged(), e.after.accepted-e.before.accepted, c.unsure),
		equal("conversions spooled = delivered", e.after.convAppended-e.before.convAppended, e.after.convDelivered-e.before.convDelivered),
	)
	outcome := func(name string) int64 { return e.after.outcomes[name] - e.before.outcomes[name] }
	list = append(list, equal("conflicts and refusals by the core", 0, outcome("conflict")+outcome("refused")))
	if e.faults {
		return list // a delivery whose answer was cut is repeated, and a booking is then told as a duplicate
	}
	first := want.Leads + want.Sales + want.Refunds
	return append(list,
		within("acknowledged for the first time = booked", first, outcome("booked"), more.Leads+more.Sales+less.Refunds),
		within("acknowledged again = duplicates", c.duplicates, outcome("duplicate"), c.unsure),
	)
}

// gather waits for the system to catch up, at most Settle, and asks it for the rest of the evidence.
func (r *rig) gather(ctx context.Context, e *evidence) error {
	deadline := time.Now().Add(r.Settle)
	if err := r.drain(ctx); err != nil {
		return err
	}
	e.tally, e.before = r.tally, r.baseline
	for {
		if err := r.patiently(ctx, deadline, func() error { return r.askFlows(ctx, e) }); err != nil {
			return err
		}
		if !slices.ContainsFunc(e.flows(), func(c Check) bool { return !c.Held }) || time.Now().After(deadline) {
			break
		}
		if err := pause(ctx, drainStep); err != nil {
			return err
		}
	}
	if err := r.patiently(ctx, time.Now().Add(r.Settle), func() error { return r.askLedger(ctx, e) }); err != nil {
		return err
	}
	if r.EachClick {
		return r.list(ctx, e)
	}
	return nil
}

func (r *rig) ask(ctx context.Context, e *evidence) error {
	return errors.Join(r.askFlows(ctx, e), r.askLedger(ctx, e))
}

func (r *rig) askFlows(ctx context.Context, e *evidence) (err error) {
	if e.after, err = r.readTotals(ctx); err != nil {
		return err
	}
	var answer struct {
		Total figures `json:"total"`
	}
	if err := r.api.Get(ctx, "/reports", r.span(), &answer); err != nil {
		return err
	}
	e.report = answer.Total
	return nil
}

func (r *rig) askLedger(ctx context.Context, e *evidence) error {
	var ledger struct {
		OK bool `json:"ok"`
	}
	err := r.api.Get(ctx, "/ledger/verification", nil, &ledger)
	e.ledgerHolds = ledger.OK
	return err
}

// span asks for everything that belongs to this run's program.
func (r *rig) span() url.Values {
	const slack = time.Hour // for clocks that differ
	return url.Values{
		"from":   {r.began.Add(-slack).UTC().Format(apiTime)},
		"to":     {time.Now().Add(slack).UTC().Format(apiTime)},
		"filter": {"program:" + r.world.program.id},
	}
}
