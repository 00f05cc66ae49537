// Package trial runs load tests against a running system and proves from outside that nothing was lost: every answer is
// found again in the system's own metrics and reports. See bench/DESIGN.md.
package trial

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/edgeref/edgeref/bench/load"
	"github.com/edgeref/edgeref/bench/system"
)

// Defaults and limits of Options.
const (
	DefaultConnections = 64
	DefaultLinks       = 1000
	DefaultSettle      = time.Minute

	maxLinks      = 100_000
	maxAffiliates = 500
	maxGenerators = 64
	maxDuration   = 24 * time.Hour
)

// Errors of the commands, for errors.Is.
var (
	// ErrTargets says that the run went through and a target was missed, or that something was lost.
	ErrTargets = errors.New("not all targets held")
	// ErrInterrupted says that the run was ended early. It was measured and checked all the same.
	ErrInterrupted = errors.New("the load test was interrupted")
)

// Options are what all load tests share.
type Options struct {
	Tracker string   // base URL of the tracker, plain HTTP
	Core    string   // base URL of the core
	Ops     []string // base URLs of the private listeners of all server processes
	Token   string   // API token with the admin scope

	Connections int  // 0: DefaultConnections
	Generators  int  // threads that send; 0: 1
	Links       int  // 0: DefaultLinks
	Sleep       bool // let generators sleep between arrivals instead of spinning on their cores

	Settle    time.Duration // how long spools and reports may take to catch up afterwards; 0: DefaultSettle
	EachClick bool          // compare the lists of single clicks and conversions with what was answered, one by one
	// ThroughFaults says that servers are broken meanwhile: requests that find nobody, get no answer or 5xx are counted and
	// are no failure; postbacks are sent again until they are acknowledged; and what is asked for afterwards is waited for.
	ThroughFaults bool
	Targets       Targets

	JSON, HTML string    // files to write; "": none
	Version    string    // of this program, for the result
	Out        io.Writer // progress and tables
}

func (o *Options) validate() error {
	for name, value := range map[string]string{"tracker": o.Tracker, "core": o.Core} {
		if value == "" {
			return fmt.Errorf("--%s URL is required", name)
		}
	}
	if len(o.Ops) == 0 {
		return errors.New("--ops URL is required: conservation is checked with the metrics of the private listeners")
	}
	if o.Token == "" {
		return errors.New("an admin token is required: a load test makes programs and links through the API")
	}
	for _, limit := range []struct {
		name           string
		value          *int
		byDefault, top int
	}{
		{"connections", &o.Connections, DefaultConnections, load.MaxConnections},
		{"generators", &o.Generators, 1, maxGenerators},
		{"links", &o.Links, DefaultLinks, maxLinks},
	} {
		if *limit.value == 0 {
			*limit.value = limit.byDefault
		}
		if *limit.value < 1 || *limit.value > limit.top {
			return fmt.Errorf("--%s must be 1 to %d", limit.name, limit.top)
		}
	}
	if o.Generators > o.Connections {
		return errors.New("--generators must not be more than --connections")
	}
	if o.Settle == 0 {
		o.Settle = DefaultSettle
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	return nil
}

// rig is a system that has been prepared for a load test.
type rig struct {
	Options
	api      *system.Client
	addr     netip.AddrPort // of the tracker
	world    *world
	visitors *visitors
	tally    *tally
	began    time.Time
	baseline totals // of the metrics, before the first request
	observer *observer
	timeline *timeline // of faults; nil: there are to be none
}

// spareThreads is how many threads run beside the generators: postbacks, queries, metrics, progress.
const spareThreads = 4

// letThreadsRun makes the kernel share out the cores. With as many running threads as cores, Go's own scheduler would let
// one generator wait for another's time slice, 10 ms, and the server would be blamed.
func letThreadsRun(generators int) {
	if n := generators + spareThreads; runtime.GOMAXPROCS(0) < n {
		runtime.GOMAXPROCS(n)
	}
}

// prepare checks the options, makes the world and takes the metrics' baseline.
func prepare(ctx context.Context, o Options) (*rig, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	letThreadsRun(o.Generators)
	addr, host, err := trackerAddr(ctx, o.Tracker)
	if err != nil {
		return nil, err
	}
	r := &rig{Options: o, addr: addr, api: system.NewClient(o.Core, o.Token)}
	if r.world, err = makeWorld(ctx, r.api, strings.ToLower(rand.Text()[:6]), o.Links, o.Out); err != nil {
		return nil, err
	}
	if r.visitors, err = newVisitors(host, r.world); err != nil {
		return nil, err
	}
	r.tally = newTally(r.visitors)
	if o.ThroughFaults {
		r.timeline = newTimeline()
		r.tally.timeline = r.timeline
	}
	// Work left by others must be over before it is told apart from ours.
	if err := r.drain(ctx); err != nil {
		return nil, err
	}
	if r.baseline, err = r.readTotals(ctx); err != nil {
		return nil, err
	}
	r.began = time.Now()
	r.observer = observe(r.api, o.Ops)
	return r, nil
}

// trackerAddr resolves the tracker's URL once, so that the generator need not.
func trackerAddr(ctx context.Context, base string) (netip.AddrPort, string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return netip.AddrPort{}, "", fmt.Errorf("--tracker: %w", err)
	}
	if u.Scheme != "http" || u.Hostname() == "" {
		return netip.AddrPort{}, "", fmt.Errorf("--tracker %s: a load test speaks plain HTTP to the tracker's own listener, as in http://127.0.0.1:8080", base)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return netip.AddrPort{}, "", fmt.Errorf("--tracker: %w", err)
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return netip.AddrPort{}, "", fmt.Errorf("--tracker: %w", err)
	}
	return netip.AddrPortFrom(addrs[0].Unmap(), uint16(n)), u.Host, nil
}

// drain waits until nothing is on its way to a store, at most Settle. Through faults it also waits for who is away.
func (r *rig) drain(ctx context.Context) error {
	deadline := time.Now().Add(r.Settle)
	for {
		pending := 0.0
		if err := r.patiently(ctx, deadline, func() (err error) { pending, err = r.pending(ctx); return err }); err != nil {
			return err
		}
		if pending == 0 || time.Now().After(deadline) {
			return nil
		}
		if err := pause(ctx, drainStep); err != nil {
			return err
		}
	}
}

// pending is how many records have not reached their store.
func (r *rig) pending(ctx context.Context) (n float64, err error) {
	for _, ops := range r.Ops {
		s, err := r.api.Scrape(ctx, ops)
		if err != nil {
			return 0, err
		}
		n += s.Pending()
	}
	return n, nil
}

// drainStep is the time between two looks at whether something has arrived.
const drainStep = 100 * time.Millisecond

// busyStep is how long to leave a core alone that was asked too often.
const busyStep = time.Second

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
