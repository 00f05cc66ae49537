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
	"github.com/edgeref/edgeref/wire/click"
)

// Check is one equation between what was sent and what the system says of it.
type Check struct {
	Name  string `json:"name"`
	Want  int64  `json:"want"`
	Got   int64  `json:"got"`
	Slack int64  `json:"slack,omitempty"` // Got may be this much above Want: requests without an answer may have been served
	Held  bool   `json:"held"`
	Note  string `json:"note,omitempty"`
}

func equal(name string, want, got int64) Check { return within(name, want, got, 0) }

// within demands that got is want or up to slack more.
func within(name string, want, got, slack int64) Check {
	return Check{Name: name, Want: want, Got: got, Slack: slack, Held: got >= want && got <= want+slack}
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
	listed        []uint64 // fingerprints of the clicks in the list of clicks; nil: not compared
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
	list := e.clickChecks()
	if e.postbacks != nil {
		list = append(list, e.conversionChecks()...)
	}
	list = append(list, e.after.equations...)
	ledger := equal("ledger verification", 1, 0)
	if e.ledgerHolds {
		ledger.Got, ledger.Held = 1, true
	}
	return append(list, ledger)
}

func (e *evidence) clickChecks() []Check {
	t, lost := e.tally, int64(e.links.Failed)
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
		within("302 with Click ID = clicks in the reports", t.tracked, e.report.Clicks, lost),
		within("of those, bots", t.bots, e.report.Bots, lost),
	}
	if e.restarted() {
		list = append(list, Check{Name: "counters of the trackers", Held: true, Note: "a server process was started anew during the run: its counters began at 0; the reports decide"})
	} else {
		refused, reasons := e.refusedByReason()
		bare := within("302 without Click ID = clicks refused by the trackers", t.bare, refused, lost)
		bare.Note = reasons
		list = append(list,
			within("302 with Click ID = clicks recorded by the trackers", t.tracked, e.after.recorded-e.before.recorded, lost),
			bare,
			equal("clicks received = recorded + refused", e.after.received-e.before.received, e.after.recorded-e.before.recorded+refused),
			equal("clicks recorded = spooled", e.after.recorded-e.before.recorded, e.after.appended-e.before.appended),
			equal("clicks spooled = delivered", e.after.appended-e.before.appended, e.after.delivered-e.before.delivered),
		)
	}
	if e.listed != nil {
		list = append(list, e.eachClick(lost)...)
	}
	return list
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
	lost := int64(e.postbacks.Failed)
	want, got := c.booked, e.report.booked()
	list := []Check{
		within("leads acknowledged = in the reports", want.Leads, got.Leads, lost),
		within("sales acknowledged = in the reports", want.Sales, got.Sales, lost),
		within("refunds acknowledged = in the reports", want.Refunds, got.Refunds, lost),
	}
	if lost == 0 {
		list = append(list,
			equal("revenue acknowledged = in the reports (minor units)", want.Revenue, got.Revenue),
			equal("commission reckoned = in the reports (minor units)", want.Commission, got.Commission),
		)
	}
	if e.restarted() {
		return list
	}
	outcome := func(name string) int64 { return e.after.outcomes[name] - e.before.outcomes[name] }
	first := want.Leads + want.Sales + want.Refunds
	return append(list,
		within("postbacks acknowledged = accepted by the trackers", c.acknowledged(), e.after.accepted-e.before.accepted, lost),
		within("acknowledged for the first time = booked", first, outcome("booked"), lost),
		within("acknowledged again = duplicates", c.duplicates, outcome("duplicate"), lost),
		equal("conflicts and refusals by the core", 0, outcome("conflict")+outcome("refused")),
		equal("conversions spooled = delivered", e.after.convAppended-e.before.convAppended, e.after.convDelivered-e.before.convDelivered),
	)
}

// eachClick compares the clicks handed out with those listed, one by one. Both must be sorted: doubles has done it.
func (e *evidence) eachClick(lost int64) []Check {
	slices.Sort(e.listed)
	missing, extra, twice := int64(0), int64(0), int64(0)
	sent, i := e.tally.prints, 0
	for n, print := range e.listed {
		if n > 0 && e.listed[n-1] == print {
			twice++
			continue
		}
		for i < len(sent) && sent[i] < print {
			missing++
			i++
		}
		if i < len(sent) && sent[i] == print {
			i++
		} else {
			extra++
		}
	}
	missing += int64(len(sent) - i)
	return []Check{
		equal("Click IDs without a click in the list", 0, missing),
		equal("clicks that are listed twice", 0, twice),
		within("clicks in the list that nobody was told of", 0, extra, lost),
	}
}

// gather waits for the system to catch up, at most Settle, and asks it for the rest of the evidence.
func (r *rig) gather(ctx context.Context, e *evidence) error {
	deadline := time.Now().Add(r.Settle)
	if err := r.drain(ctx); err != nil {
		return err
	}
	e.tally, e.before = r.tally, r.baseline
	for {
		if err := r.ask(ctx, e); err != nil {
			return err
		}
		if !slices.ContainsFunc(e.checks(), func(c Check) bool { return !c.Held }) || time.Now().After(deadline) {
			break
		}
		if err := pause(ctx, drainStep); err != nil {
			return err
		}
	}
	if r.EachClick {
		return r.listClicks(ctx, e)
	}
	return nil
}

func (r *rig) ask(ctx context.Context, e *evidence) (err error) {
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
	var ledger struct {
		OK bool `json:"ok"`
	}
	err = r.api.Get(ctx, "/ledger/verification", nil, &ledger)
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

func (r *rig) listClicks(ctx context.Context, e *evidence) error {
	params := r.span()
	params.Set("limit", "1000")
	e.listed = []uint64{}
	return system.List(ctx, r.api, "/reports/clicks", params, func(item struct {
		ID string `json:"id"`
	}) error {
		id, err := click.ParseID(item.ID)
		if err != nil {
			return errors.Join(errors.New("list of clicks"), err)
		}
		e.listed = append(e.listed, fingerprint(id))
		return nil
	})
}
