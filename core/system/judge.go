package system

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/wire/node"
)

// When an edge node is worth a look. It reports every few seconds.
const (
	silentWarn = 20 * time.Second
	silentBad  = time.Minute
	spoolWarn  = time.Minute // of the oldest record
	spoolBad   = 10 * time.Minute
	feedWarn   = 15 * time.Second
	skewWarn   = 5 * time.Second
	clashFor   = 5 * time.Minute
	verifyWarn = 24 * time.Hour
	sealWarn   = time.Minute
	sealBad    = 10 * time.Minute // payouts stop then
)

// span writes a duration for people.
func span(d time.Duration) string { return max(d, 0).Round(time.Second).String() }

func (s *Service) judgeNodes(a answer[nodeFacts], now time.Time) ([]EdgeNode, Verdict) {
	if a.err != nil {
		return []EdgeNode{}, Verdict{Bad, "nothing is known of the edge nodes: the core's database " + a.err.Error()}
	}
	out := make([]EdgeNode, 0, len(a.value.seen))
	for i := range a.value.seen {
		n := judgeNode(&a.value.seen[i], a.value.revision, now)
		n.Here = s.here(&a.value.seen[i].Status)
		out = append(out, n)
	}
	return out, Verdict{OK, ""}
}

func judgeNode(s *Seen, revision int64, now time.Time) EdgeNode {
	silent := now.Sub(s.SeenAt)
	n := EdgeNode{
		Verdict: Verdict{OK, "it follows the core, and delivers what it takes"}, Node: s.Node, Version: s.Version, StartedAt: time.UnixMilli(s.StartedAt).UTC(),
		SeenAt: s.SeenAt.UTC(), SilentSeconds: max(0, silent.Seconds()), SkewSeconds: s.Skew.Seconds(), FeedConnected: s.Feed.Connected, FeedRevision: s.Feed.Cursor,
		FeedBehind: max(0, revision-s.Feed.Cursor), FeedLag: float64(s.Feed.LagMS) / 1000, Links: s.Feed.Links, Spools: make([]EdgeSpool, len(s.Spools)),
	}
	switch {
	case silent >= silentBad:
		n.worse(Bad, "nothing was heard of it for "+span(silent)+": see whether it runs and reaches the core; if it is gone for good, forget it")
	case silent >= silentWarn:
		n.worse(Warn, "nothing was heard of it for "+span(silent)+": it may be restarting, or cut off")
	}
	if !s.ClashAt.IsZero() && now.Sub(s.ClashAt) < clashFor {
		n.worse(Bad, fmt.Sprintf("two trackers run as node %d: give each a tracker.node of its own, Click IDs depend on it", s.Node))
	}
	for i := range s.Spools {
		n.Spools[i] = spoolBody(&s.Spools[i])
		judgeSpool(&n.Verdict, &s.Spools[i])
	}
	if lag := time.Duration(s.Feed.LagMS) * time.Millisecond; !s.Feed.Connected || lag > feedWarn {
		n.worse(Warn, "it does not follow the changes of links: known links redirect, new ones do not; see its log and the network between")
	}
	if s.Skew > skewWarn || s.Skew < -skewWarn-silentWarn {
		n.worse(Warn, "its clock is off by "+s.Skew.Round(time.Second).String()+": set it, attribution compares times")
	}
	return n
}

func spoolBody(s *node.Spool) EdgeSpool {
	out := EdgeSpool{
		Name: s.Name, Pending: s.Pending, PendingBytes: s.PendingBytes, OldestSeconds: float64(s.OldestMS) / 1000, Delivered: s.Delivered, Quarantined: s.Quarantined,
		DiskBytes: s.DiskBytes, LimitBytes: s.LimitBytes,
	}
	if s.LastDeliveredAt > 0 {
		at := time.UnixMilli(s.LastDeliveredAt).UTC()
		out.LastDeliveredAt = &at
	}
	return out
}

func judgeSpool(v *Verdict, s *node.Spool) {
	oldest := time.Duration(s.OldestMS) * time.Millisecond
	what := "its spool of " + s.Name + " "
	switch {
	case s.Error != "":
		v.worse(Bad, what+"cannot write, so nothing is recorded: "+s.Error)
	case s.Full:
		v.worse(Bad, what+"is full, so nothing is recorded: free disk, or raise spool.max_bytes")
	case s.Stalled:
		v.worse(Bad, what+"waits for a disk that does not answer")
	case oldest >= spoolBad:
		v.worse(Bad, fmt.Sprintf("%sholds %d records, the oldest for %s: what takes them does not; see the stores, and its log", what, s.Pending, span(oldest)))
	case oldest >= spoolWarn:
		v.worse(Warn, fmt.Sprintf("%sis behind by %s: see the stores, and its log", what, span(oldest)))
	case s.LimitBytes > 0 && s.DiskBytes > s.LimitBytes/5*4:
		v.worse(Warn, what+"is more than 80 % full: free disk, or raise spool.max_bytes")
	case s.Quarantined > 0:
		v.worse(Warn, fmt.Sprintf("%s has put %d records aside: edgeref tracker spool ls says why", what[:len(what)-1], s.Quarantined))
	}
}

func judgeStore(p *StoreProbe, a answer[StoreFacts]) Store {
	s := Store{Verdict: Verdict{OK, "it answers"}, Name: p.Name, Kind: p.Kind, LatencyMS: float64(a.took.Microseconds()) / 1000, SizeBytes: a.value.Size, Schema: a.value.Schema}
	switch {
	case a.err != nil:
		s.worse(Bad, "it does not answer: "+a.err.Error()+". "+p.Help)
	case a.took > time.Second:
		s.worse(Warn, "it answers slowly: see its load and its disk")
	}
	return s
}

func judgeQueue(p *QueueProbe, a answer[Backlog]) Queue {
	b := a.value
	q := Queue{Verdict: Verdict{OK, "nothing waits for long"}, Name: p.Name, Pending: b.Pending, OldestSeconds: max(0, b.Overdue.Seconds()), Dead: b.Dead}
	switch {
	case a.err != nil:
		q.worse(Bad, "it is not known: the core's database "+a.err.Error())
	case b.Overdue >= 10*p.Late:
		q.worse(Bad, "the oldest has been due for "+span(b.Overdue)+": "+p.Help)
	case b.Overdue >= p.Late:
		q.worse(Warn, "the oldest has been due for "+span(b.Overdue)+": "+p.Help)
	case b.Dead > 0:
		q.worse(Warn, fmt.Sprintf("%d were given up: %s", b.Dead, p.Dead))
	}
	return q
}

func judgeLedger(a answer[LedgerFacts], started, now time.Time) LedgerCheck {
	f := a.value
	c := LedgerCheck{Verdict: Verdict{OK, "it held when it was verified last"}, Holds: f.Holds, Head: f.Head, Transactions: f.Transactions, Unsealed: f.Unsealed}
	if !f.VerifiedAt.IsZero() {
		at := f.VerifiedAt.UTC()
		c.VerifiedAt = &at
	}
	waited := time.Duration(0)
	if !f.OldestAt.IsZero() {
		waited = now.Sub(f.OldestAt)
		c.OldestSeconds = max(0, waited.Seconds())
	}
	switch {
	case a.err != nil:
		c.worse(Bad, "nothing is known of it: the core's database "+a.err.Error())
	case !f.VerifiedAt.IsZero() && !f.Holds:
		c.worse(Bad, f.Text+". Payouts stop; see the operators' guide, The ledger")
	case waited >= sealBad:
		c.worse(Bad, "transactions are not sealed for "+span(waited)+", so payouts stop: see the core's log for the ledger chain")
	case waited >= sealWarn:
		c.worse(Warn, "transactions are not sealed for "+span(waited)+": see the core's log for the ledger chain")
	case f.VerifiedAt.IsZero() && now.Sub(started) < verifyWarn:
		c.Text = "it was not verified since this core started"
	case f.VerifiedAt.IsZero() || now.Sub(f.VerifiedAt) >= verifyWarn:
		c.worse(Warn, "it was not verified for a day: verify it, and keep the head elsewhere")
	}
	return c
}

func judgeChecks(a answer[[]CheckState]) []CheckState {
	if a.err != nil {
		return []CheckState{{Verdict{Bad, "the checks of this process " + a.err.Error()}, "readiness"}}
	}
	return append([]CheckState{}, a.value...)
}

func judgeBench(a answer[Bench]) Bench {
	if a.err != nil {
		return Bench{Verdict: Verdict{Warn, "the file of core.bench_result " + a.err.Error()}, Result: json.RawMessage("null")}
	}
	return a.value
}
