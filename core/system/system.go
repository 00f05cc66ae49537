package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/edgeref/edgeref/wire/node"
)

const (
	defaultTimeout = 2 * time.Second
	// keepFor is how long an answer is given out again: several operators look at once.
	keepFor  = time.Second
	maxBench = 1 << 20 // bytes
)

// StoreFacts are what a store says of itself.
type StoreFacts struct{ Size, Schema int64 }

// StoreProbe asks a store something small.
type StoreProbe struct {
	Name, Kind string
	Help       string // what to do when it does not answer
	Ask        func(context.Context) (StoreFacts, error)
}

// Backlog is what waits in a queue.
type Backlog struct {
	Pending, Dead int64
	Overdue       time.Duration // of the oldest
}

// QueueProbe asks how long a queue is.
type QueueProbe struct {
	Name string
	Late time.Duration // overdue for so long is worth a warning; ten times as long is bad
	Help string        // what to do then
	Dead string        // what to do about what was given up
	Ask  func(context.Context) (Backlog, error)
}

// LedgerFacts are what is known of the ledger.
type LedgerFacts struct {
	VerifiedAt   time.Time // zero: not since the start
	Holds        bool
	Text         string // of the verification
	Head         string
	Transactions int64
	Unsealed     int64
	OldestAt     time.Time // of the unsealed; zero: none
}

// Options are what New needs. What is nil is not told.
type Options struct {
	Version, Role string
	StartedAt     time.Time
	Instance      string // of the tracker in this process; empty: none is
	Nodes         *Nodes
	Revision      func(context.Context) (int64, error) // newest of the catalogue
	Stores        []StoreProbe
	Queues        []QueueProbe
	Ledger        func(context.Context) (LedgerFacts, error)
	Checks        func(context.Context) ([]CheckState, error)
	Work          func() []Work
	BenchFile     string // empty: none
	Timeout       time.Duration
	Now           func() time.Time
}

// Service says how everything is. It is safe for concurrent use.
type Service struct {
	opts   Options
	nodes  probe[nodeFacts]
	stores []*probe[StoreFacts]
	queues []*probe[Backlog]
	ledger probe[LedgerFacts]
	checks probe[[]CheckState]
	bench  probe[Bench]

	mu   sync.Mutex // also held while asking: others take that answer
	last Health
}

type nodeFacts struct {
	seen     []Seen
	revision int64
}

// New returns a Service.
func New(opts Options) *Service {
	if opts.Now == nil {
		panic("BUG: the state of the system needs a clock")
	}
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	s := &Service{opts: opts}
	s.nodes.ask, s.ledger.ask, s.checks.ask = s.askNodes, opts.Ledger, opts.Checks
	s.bench.ask = func(context.Context) (Bench, error) { return readBench(opts.BenchFile), nil }
	for _, q := range opts.Stores {
		s.stores = append(s.stores, &probe[StoreFacts]{ask: q.Ask})
	}
	for _, q := range opts.Queues {
		s.queues = append(s.queues, &probe[Backlog]{ask: q.Ask})
	}
	return s
}

func (s *Service) askNodes(ctx context.Context) (f nodeFacts, err error) {
	if f.seen, err = s.opts.Nodes.List(ctx); err != nil || s.opts.Revision == nil {
		return f, err
	}
	f.revision, err = s.opts.Revision(ctx)
	return f, err
}

// Forget takes away an edge node that is gone for good. Errors: ErrNotFound.
func (s *Service) Forget(ctx context.Context, number int) error {
	err := s.opts.Nodes.Forget(ctx, number)
	if err == nil {
		s.mu.Lock()
		s.last = Health{}
		s.mu.Unlock()
	}
	return err
}

// Health asks everything at once, and answers after little more than the timeout at the latest, whatever is dead.
func (s *Service) Health(ctx context.Context) Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	if age := now.Sub(s.last.At); !s.last.At.IsZero() && age >= 0 && age < keepFor {
		return s.last
	}
	h := Health{At: now, Process: s.process(now), Nodes: []EdgeNode{}, Checks: []CheckState{}, Work: []Work{}}
	h.Stores, h.Queues = make([]Store, len(s.stores)), make([]Queue, len(s.queues))
	var all sync.WaitGroup
	nodes := Verdict{State: OK}
	if s.opts.Nodes != nil {
		all.Go(func() { h.Nodes, nodes = s.judgeNodes(s.nodes.get(ctx, s.opts.Timeout), now) })
	}
	for i := range s.stores {
		all.Go(func() { h.Stores[i] = judgeStore(&s.opts.Stores[i], s.stores[i].get(ctx, s.opts.Timeout)) })
	}
	for i := range s.queues {
		all.Go(func() { h.Queues[i] = judgeQueue(&s.opts.Queues[i], s.queues[i].get(ctx, s.opts.Timeout)) })
	}
	h.Ledger.Verdict = Verdict{OK, "there is none here"}
	if s.opts.Ledger != nil {
		all.Go(func() { h.Ledger = judgeLedger(s.ledger.get(ctx, s.opts.Timeout), s.opts.StartedAt, now) })
	}
	if s.opts.Checks != nil {
		all.Go(func() { h.Checks = judgeChecks(s.checks.get(ctx, s.opts.Timeout)) })
	}
	all.Go(func() { h.Bench = judgeBench(s.bench.get(ctx, s.opts.Timeout)) })
	all.Wait()
	if s.opts.Work != nil {
		h.Work = s.opts.Work()
	}
	h.summarise(nodes)
	s.last = h
	return h
}

func (s *Service) process(now time.Time) Process {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(sample)
	return Process{
		Version: s.opts.Version, GoVersion: runtime.Version(), Role: s.opts.Role, StartedAt: s.opts.StartedAt.UTC(), UptimeSeconds: int64(now.Sub(s.opts.StartedAt).Seconds()),
		Goroutines: runtime.NumGoroutine(), MemoryBytes: int64(sample[0].Value.Uint64()),
	}
}

// summarise gives the worst state, and names what is not well.
func (h *Health) summarise(nodes Verdict) {
	h.Verdict, h.Troubles = Verdict{OK, "everything is well"}, []Trouble{}
	add := func(kind TroubleKind, name string, v Verdict) {
		if v.State.rank() > 0 {
			h.Troubles = append(h.Troubles, Trouble{v, kind, name})
		}
	}
	add(TroubleNodes, "", nodes)
	for i := range h.Nodes {
		add(TroubleNode, strconv.Itoa(h.Nodes[i].Node), h.Nodes[i].Verdict)
	}
	for i := range h.Stores {
		add(TroubleStore, h.Stores[i].Name, h.Stores[i].Verdict)
	}
	for i := range h.Queues {
		add(TroubleQueue, h.Queues[i].Name, h.Queues[i].Verdict)
	}
	add(TroubleLedger, "", h.Ledger.Verdict)
	for i := range h.Checks {
		add(TroubleCheck, h.Checks[i].Name, h.Checks[i].Verdict)
	}
	for i := range h.Work {
		add(TroubleWork, h.Work[i].Name, h.Work[i].Verdict)
	}
	add(TroubleBench, "", h.Bench.Verdict)
	if len(h.Troubles) == 0 {
		return
	}
	slices.SortStableFunc(h.Troubles, func(a, b Trouble) int { return b.State.rank() - a.State.rank() })
	names := make([]string, len(h.Troubles))
	for i, t := range h.Troubles {
		names[i] = t.named()
	}
	h.Verdict = Verdict{h.Troubles[0].State, "look at: " + strings.Join(names, ", ")}
}

// readBench reads the operator's file of the last load test.
func readBench(path string) Bench {
	b := Bench{Verdict: Verdict{OK, "no load test is shown here; set core.bench_result to the file of edgeref bench --json"}, Result: json.RawMessage("null")}
	if path == "" {
		return b
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		b.Text = "there is no file of a load test yet where core.bench_result says"
		return b
	}
	if err != nil {
		b.Verdict = Verdict{Warn, "the file of core.bench_result cannot be read; let the core's user read it"}
		return b
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxBench+1))
	info, statErr := f.Stat()
	switch {
	case err != nil || statErr != nil:
		b.Verdict = Verdict{Warn, "the file of core.bench_result cannot be read"}
	case len(text) > maxBench:
		b.Verdict = Verdict{Warn, fmt.Sprintf("the file of core.bench_result is larger than %d bytes", maxBench)}
	case !json.Valid(text):
		b.Verdict = Verdict{Warn, "the file of core.bench_result is not JSON; write it with edgeref bench --json"}
	default:
		at := info.ModTime().UTC().Truncate(time.Millisecond)
		b.Verdict, b.At, b.Result = Verdict{OK, "the last load test that was put there"}, &at, text
	}
	return b
}

// here reports whether the tracker of this process said it.
func (s *Service) here(st *node.Status) bool {
	return s.opts.Instance != "" && st.Instance == s.opts.Instance
}
