// Package replay sends a real access log through a running system, as clicks and conversions, and then checks that
// every report, every commission and the ledger say what the log says. See bench/DESIGN.md.
package replay

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/edgeref/edgeref/bench/meter"
	"github.com/edgeref/edgeref/bench/system"
	"github.com/edgeref/edgeref/wire/agent"
	"github.com/edgeref/edgeref/wire/click"
)

// Run replays a log. It returns what it did also with an error; the error wraps ErrDifferences where the replay went
// through and the figures are wrong, ErrStopped where it ended early. It is meant for one caller at a time.
func Run(ctx context.Context, opts Options) (Summary, error) {
	if err := opts.validate(); err != nil {
		return Summary{}, err
	}
	agents, err := agent.New(0)
	if err != nil {
		return Summary{}, fmt.Errorf("replay: %w", err)
	}
	return run(ctx, opts, agents)
}

func run(ctx context.Context, opts Options, agents *agent.Classifier) (summary Summary, err error) {
	r := &replay{opts: &opts, api: system.NewClient(opts.Core, opts.Token), now: time.Now}
	defer func() {
		if r.journal != nil {
			err = errors.Join(err, r.journal.close())
		}
	}()
	if err := r.prepare(ctx); err != nil {
		return r.summary, err
	}
	if err := r.send(ctx, agents); err != nil {
		return r.summary, err
	}
	if err := r.compare(ctx); err != nil {
		return r.summary, err
	}
	printSummary(opts.Out, &r.summary)
	if err := r.summary.write(opts.SummaryFile); err != nil {
		return r.summary, err
	}
	if n := r.summary.Differences(); n > 0 {
		return r.summary, fmt.Errorf("%w: %d differences", ErrDifferences, n)
	}
	return r.summary, nil
}

// replay is the state of Run.
type replay struct {
	opts    *Options
	api     *system.Client
	now     func() time.Time
	world   *world
	journal *journal
	before  *progress
	started time.Time // of the first part of the replay
	sender  *sender
	summary Summary
}

// prepare lays out and creates what the log needs, or takes it from the journal.
func (r *replay) prepare(ctx context.Context) error {
	r.journal, r.before = &journal{}, newProgress()
	if r.opts.Resume != "" {
		var err error
		if r.journal, r.before, err = openJournal(r.opts.Resume); err != nil {
			return err
		}
	}
	sum, err := logSum(r.opts.Log)
	if err != nil {
		return err
	}
	if r.before.Header != nil {
		return r.goOn(ctx, sum)
	}
	run := r.opts.RunID
	if run == "" {
		run = strings.ToLower(rand.Text()[:6])
	}
	w, stats, err := newWorld(ctx, run, r.opts)
	if err != nil {
		return err
	}
	r.world, r.started = w, r.now()
	r.count(stats)
	bar := meter.New(r.opts.Out, "create links", len(w.Programs)+len(w.Affiliates)+len(w.Links))
	if err := w.create(ctx, r.api, func() { bar.Add(1) }); err != nil {
		return err
	}
	return r.journal.append(entry{Header: &header{Version: journalVersion, Log: sum, World: w, Options: fixedOptions{
		Convert: r.opts.Convert, Concurrency: r.opts.Concurrency, MaxLines: r.opts.MaxLines, Started: r.started,
	}}})
}

// goOn continues the run of the journal. Lines that may have been sent without an answer are noted first: one of each
// lane, the first without an answer.
func (r *replay) goOn(ctx context.Context, sum string) error {
	h := r.before.Header
	if h.Log != sum {
		return fmt.Errorf("journal %s belongs to another log than %s: name the log, or another journal", r.opts.Resume, r.opts.Log)
	}
	r.opts.Convert, r.opts.Concurrency, r.opts.MaxLines = h.Options.Convert, h.Options.Concurrency, h.Options.MaxLines
	r.world, r.started = h.World, h.Options.Started
	r.world.reindex()
	lanes := &sender{opts: r.opts}
	next := map[int]int{}
	stats, err := forEachLine(ctx, r.opts.Log, r.opts.MaxLines, func(n int, l *logLine) error {
		if _, done := r.before.Clicks[n]; done {
			return nil
		}
		req := r.world.newRequest(n, l)
		if lane := lanes.laneOf(&req); next[lane] == 0 {
			next[lane] = n
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.count(stats)
	fmt.Fprintf(r.opts.Out, "continue run %s: %d of %d lines have their answer\n", r.world.Run, len(r.before.Clicks), stats.Lines-stats.Malformed)
	e := entry{}
	for _, n := range next {
		e.Unanswered = append(e.Unanswered, n)
		r.before.Unanswered[n]++
	}
	if len(e.Unanswered) == 0 {
		return nil
	}
	return r.journal.append(e)
}

func (r *replay) count(stats logStats) {
	r.summary.Run, r.summary.Lines, r.summary.Malformed = r.world.Run, stats.Lines, stats.Malformed
	for _, problem := range stats.Problems {
		fmt.Fprintf(r.opts.Out, "skipped %s\n", problem)
	}
	fmt.Fprintf(r.opts.Out, "run %s: %d lines (%d malformed), %d links, %d affiliates, %d programs\n", r.world.Run,
		stats.Lines, stats.Malformed, len(r.world.Links), len(r.world.Affiliates), len(r.world.Programs))
}

func (r *replay) send(ctx context.Context, agents *agent.Classifier) error {
	r.sender = &sender{
		opts: r.opts, world: r.world, journal: r.journal, before: r.before, now: r.now,
		bar:    meter.New(r.opts.Out, "replay", r.summary.Lines-r.summary.Malformed),
		oracle: newOracle(r.world, agents), ids: map[click.ID]int{}, resent: map[int]*request{},
		answers:     Check{Name: "answers to links"},
		conversions: Check{Name: "answers to conversions"},
	}
	begun := r.now()
	err := r.sender.run(ctx)
	r.summary.Sent, r.summary.Elapsed = r.sender.sent, r.now().Sub(begun)
	r.summary.Clicks, r.summary.Conversions = len(r.sender.ids), len(r.sender.oracle.books.booked)
	return err
}

func (r *replay) compare(ctx context.Context) error {
	const slack = time.Hour // for clocks that differ
	c := &comparer{
		opts: r.opts, api: r.api, oracle: r.sender.oracle, sender: r.sender, now: r.now,
		from: r.started.Add(-slack).Truncate(time.Hour), to: r.now().Add(slack).Truncate(time.Hour).Add(time.Hour),
	}
	fmt.Fprintln(r.opts.Out, "wait for the reports to catch up")
	if err := c.settle(ctx); err != nil {
		return err
	}
	checks, err := c.compare(ctx)
	r.summary.Checks, r.summary.Unanswered = checks, c.extra
	return err
}

func (s *Summary) write(path string) error {
	if path == "" {
		return nil
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.WriteFile(path, append(b, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}
