package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/edgeref/edgeref/bench/load"
)

// Names of the peers.
const (
	nameOurs  = "edgeref"
	nameNginx = "nginx"
	nameBare  = "fasthttp"
	namePHP   = "php"
)

// warmUp is how long a peer is driven before each measurement, which does not count.
const warmUp = 300 * time.Millisecond

// peer is one of the servers that are compared.
type peer struct {
	name      string
	addr      netip.AddrPort
	processes []*process
	settle    func(context.Context) error // after a round: what it put off is done; nil: it puts nothing off

	max     []sample // closed loop
	latency []sample // open loop
}

// sample is one round.
type sample struct {
	rate        float64 // answers per second
	cpu         float64 // microseconds per answer, while it was driven
	cpuWhole    float64 // the same with what it had put off
	utilisation float64 // of the servers' core, 0 to 1
	p50, p99    time.Duration
}

// bench is one run.
type bench struct {
	options
	out     io.Writer
	dir     string
	request func([]byte, uint64) []byte
	ours    *edgeref
	peers   []*peer
}

func measure(ctx context.Context, o options, out io.Writer) (r *report, err error) {
	dir, err := os.MkdirTemp("", "edgeref-peers-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // Apache's children have another user
		return nil, err
	}
	b := &bench{options: o, out: out, dir: dir, request: requests(o.links)}
	r = newReport(o)
	if o.many > 0 {
		fmt.Fprintf(out, "memory: a tracker with %d and with %d links\n", o.links, o.many)
		if r.Memory, err = b.measureMemory(ctx); err != nil {
			return nil, err
		}
	}
	defer func() {
		for _, p := range b.peers {
			for _, process := range p.processes {
				process.stop()
			}
		}
	}()
	if err := b.start(ctx); err != nil {
		return nil, err
	}
	if err := b.rounds(ctx); err != nil {
		return nil, err
	}
	if r.Clicks, err = b.ours.counts(ctx); err != nil {
		return nil, err
	}
	r.fill(b.peers)
	return r, nil
}

// start starts all peers.
func (b *bench) start(ctx context.Context) error {
	wanted := func(name string) bool { return b.only == "" || slices.Contains(strings.Split(b.only, ","), name) }
	add := func(name string, start func(dir string, addr netip.AddrPort) ([]*process, error)) error {
		if !wanted(name) {
			return nil
		}
		addr, err := freePort()
		if err != nil {
			return err
		}
		dir := filepath.Join(b.dir, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		fmt.Fprintf(b.out, "start %s\n", name)
		processes, err := start(dir, addr)
		if err != nil {
			return err
		}
		b.peers = append(b.peers, &peer{name: name, addr: addr, processes: processes})
		return nil
	}
	fmt.Fprintf(b.out, "start edgeref, make %d links\n", b.links)
	var err error
	if b.ours, err = startEdgeref(ctx, b.binary, b.dir); err != nil {
		return err
	}
	b.peers = append(b.peers, &peer{name: nameOurs, addr: b.ours.addr, processes: []*process{b.ours.process}, settle: b.ours.drained})
	if err := b.ours.makeLinks(ctx, b.links); err != nil {
		return err
	}
	if err := add(nameNginx, func(dir string, addr netip.AddrPort) ([]*process, error) {
		p, err := startNginx(ctx, dir, addr)
		return []*process{p}, err
	}); err != nil {
		return err
	}
	if err := add(nameBare, func(_ string, addr netip.AddrPort) ([]*process, error) {
		p, err := startBare(ctx, addr)
		return []*process{p}, err
	}); err != nil {
		return err
	}
	return add(namePHP, func(dir string, addr netip.AddrPort) ([]*process, error) {
		apache, database, err := startPHP(ctx, dir, addr, b.links)
		return []*process{apache, database}, err
	})
}

// rounds measures the maximum of all, then the latency of all.
func (b *bench) rounds(ctx context.Context) error {
	for i := range b.options.rounds {
		for _, p := range b.turns(i) {
			s, err := b.round(ctx, p, nil)
			if err != nil {
				return err
			}
			p.max = append(p.max, s)
			fmt.Fprintf(b.out, "round %d  %-9s %8.0f requests/s  %6.2f us of CPU each  core %3.0f %%\n", i+1, p.name, s.rate, s.cpu, 100*s.utilisation)
			if p.name == nameOurs && i == 0 && b.profile != "" {
				if err := b.takeProfile(ctx, p); err != nil {
					return err
				}
			}
		}
	}
	// The same rate for all that can: half of what the slower of the two compared can do.
	half := 0.0
	for _, p := range b.peers {
		if p.name == nameOurs || p.name == nameNginx {
			if m := median(p.max, func(s sample) float64 { return s.rate }) / 2; half == 0 || m < half {
				half = m
			}
		}
	}
	for i := range b.options.rounds {
		for _, p := range b.turns(i) {
			rate := min(half, median(p.max, func(s sample) float64 { return s.rate })/2)
			s, err := b.round(ctx, p, func(time.Duration) float64 { return rate })
			if err != nil {
				return err
			}
			p.latency = append(p.latency, s)
			fmt.Fprintf(b.out, "round %d  %-9s at %8.0f/s  p50 %v  p99 %v\n", i+1, p.name, rate, s.p50, s.p99)
		}
	}
	return nil
}

// turns are the peers in the order of a round, which begins with another one each time.
func (b *bench) turns(round int) []*peer {
	n := round % len(b.peers)
	return append(slices.Clone(b.peers[n:]), b.peers[:n]...)
}

// attempts is how often a peer may begin a round anew that did not answer everything; ours may not.
const attempts = 3

// round drives one peer, on schedule or, without a rate, as fast as it answers.
func (b *bench) round(ctx context.Context, p *peer, rate func(time.Duration) float64) (s sample, err error) {
	for range attempts {
		if s, err = b.drive(ctx, p, rate); err == nil || p.name == nameOurs || ctx.Err() != nil {
			return s, err
		}
		fmt.Fprintf(b.out, "again: %v\n", err)
	}
	return s, err
}

func (b *bench) drive(ctx context.Context, p *peer, rate func(time.Duration) float64) (sample, error) {
	o := load.Options{Addr: p.addr, Connections: b.connections, Duration: warmUp, Rate: rate, Spin: true, Request: b.request}
	if _, err := load.Run(ctx, o); err != nil {
		return sample{}, fmt.Errorf("drive %s: %w", p.name, err)
	}
	o.Duration = b.duration
	before, err := cpu(p.processes)
	if err != nil {
		return sample{}, err
	}
	began := time.Now()
	result, err := load.Run(ctx, o)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return sample{}, fmt.Errorf("drive %s: %w", p.name, err)
	}
	wall := time.Since(began)
	after, err := cpu(p.processes)
	if err != nil {
		return sample{}, err
	}
	if result.Failed > 0 || result.Status[http.StatusFound] != result.Answered || result.Answered == 0 {
		return sample{}, fmt.Errorf("%s: of %d requests %d failed and %d were answered, by status %v; its last words:\n%s",
			p.name, result.Scheduled, result.Failed, result.Answered, result.Status, p.processes[0].log)
	}
	if p.settle != nil {
		if err := p.settle(ctx); err != nil {
			return sample{}, err
		}
	}
	whole, err := cpu(p.processes)
	if err != nil {
		return sample{}, err
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(result.Answered) }
	return sample{
		rate: float64(result.Answered) / result.Elapsed.Seconds(), cpu: each(after - before), cpuWhole: each(whole - before),
		utilisation: (after - before).Seconds() / wall.Seconds(),
		p50:         time.Duration(result.Latency.ValueAtQuantile(50)) * time.Microsecond,
		p99:         time.Duration(result.Latency.ValueAtQuantile(99)) * time.Microsecond,
	}, nil
}

// takeProfile drives our server once more while it profiles itself.
func (b *bench) takeProfile(ctx context.Context, p *peer) error {
	seconds := max(1, int(b.duration.Seconds()))
	done := make(chan error, 1)
	go func() {
		done <- download(ctx, fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", b.ours.ops, seconds), b.profile)
	}()
	o := load.Options{Addr: p.addr, Connections: b.connections, Duration: time.Duration(seconds)*time.Second + warmUp, Spin: true, Request: b.request}
	if _, err := load.Run(ctx, o); err != nil {
		return fmt.Errorf("drive %s: %w", p.name, err)
	}
	if err := <-done; err != nil {
		return fmt.Errorf("take profile: %w", err)
	}
	return p.settle(ctx)
}

func download(ctx context.Context, url, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, resp.Body); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// median of one figure of samples.
func median(samples []sample, figure func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = figure(s)
	}
	slices.Sort(values)
	n := len(values)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}
