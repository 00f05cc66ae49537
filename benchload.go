package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/edgeref/edgeref/bench/trial"
)

// edgeTokensEnv is where the load test of reports finds what a tracker shows to the core.
const edgeTokensEnv = "EDGEREF_EDGE_TOKENS"

const loadTestHelp = `

The load is open: requests are sent when they are due, whatever the answers do, and latency counts from then. Afterwards
the spools are given time to drain, and what was sent is compared with the system's own metrics, reports and ledger: one
click lost or doubled fails the test. Run it against a system that serves nobody else meanwhile.
Exit code 1 if a target was missed; Ctrl-C ends the load early and still checks. The admin token comes from ` + adminTokenEnv + "."

// loadTest is a command with what all load tests share.
func (p *program) loadTest(use, short, long string, run func(context.Context, trial.Options) error) *cobra.Command {
	var o trial.Options
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long + loadTestHelp, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Token, o.Out, o.Version = p.environment(adminTokenEnv), p.stdout, version
			if o.Token == "" {
				return fmt.Errorf("%s is not set: load tests make programs and links through the API", adminTokenEnv)
			}
			return run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.Tracker, "tracker", "", "base URL of the tracker, plain HTTP")
	f.StringVar(&o.Core, "core", "", "base URL of the core")
	f.StringSliceVar(&o.Ops, "ops", nil, "base URLs of the private listeners of all server processes")
	f.IntVar(&o.Connections, "connections", trial.DefaultConnections, "connections of visitors")
	f.IntVar(&o.Generators, "generators", 1, "threads that send; more than one only helps where the load test has as many cores")
	f.BoolVar(&o.Sleep, "sleep", false, "sleep between requests instead of taking a whole core; adds some 50 us to latencies")
	f.IntVar(&o.Links, "links", trial.DefaultLinks, "links to make; the kth is asked for 1/k times as often as the first")
	f.DurationVar(&o.Settle, "settle", trial.DefaultSettle, "how long spools and reports may take to catch up afterwards")
	f.BoolVar(&o.EachClick, "each-click", false, "also compare the lists of clicks and conversions with what was answered, one by one (1,000 clicks a request)")
	f.BoolVar(&o.ThroughFaults, "through-faults", false, "servers are broken meanwhile: requests without an answer, or with 5xx, are listed and are no failure;\n"+
		"postbacks are sent again until they are acknowledged; conservation must be exact all the same")
	f.StringVar(&o.JSON, "json", "", "write the result there as JSON")
	f.StringVar(&o.HTML, "html", "", "write the result there as one HTML page with plots")
	addTargets(f, &o.Targets)
	return cmd
}

func addTargets(f *pflag.FlagSet, t *trial.Targets) {
	f.DurationVar(&t.P50, "target-p50", 0, "links: median at most; 0: no target")
	f.DurationVar(&t.P99, "target-p99", 0, "links: 99th percentile at most; 0: no target")
	f.DurationVar(&t.P999, "target-p999", 0, "links: 99.9th percentile at most; 0: no target")
	f.DurationVar(&t.Max, "target-max", 0, "links: slowest at most; 0: no target")
	f.Float64Var(&t.Rate, "target-rate", 0, "links: answers a second at least; 0: no target")
	f.DurationVar(&t.Postback, "target-postback-p99", 0, "postbacks: 99th percentile at most; 0: no target")
	f.DurationVar(&t.Report, "target-report-p95", 0, "reports: 95th percentile at most; 0: no target")
	f.Float64Var(&t.MemoryMiB, "target-memory", 0, "resident memory of each server process at most, MiB; 0: no target")
	f.Int64Var(&t.Errors, "target-errors", 0, "requests that may fail")
}

func (p *program) redirectCommand() *cobra.Command {
	var rate float64
	var duration time.Duration
	var findMax bool
	var limit time.Duration
	cmd := p.loadTest("redirect", "Send visitors to links at a steady rate, or find the highest rate that is served well",
		"Send visitors to links, with real user agents and referrers.\n\n"+
			"With --find-max the rate is doubled from --rate until p99 is above --limit or something fails, and then narrowed\n"+
			"down; each rate is tried for --duration, and once more if it fails.",
		func(ctx context.Context, o trial.Options) (err error) {
			if findMax {
				_, err = trial.FindMax(ctx, o, trial.Search{Start: rate, Step: duration, Limit: limit})
			} else {
				_, err = trial.Redirect(ctx, o, rate, duration)
			}
			return err
		})
	f := cmd.Flags()
	f.Float64Var(&rate, "rate", 1000, "requests a second")
	f.DurationVar(&duration, "duration", 10*time.Second, "how long; with --find-max, how long each rate")
	f.BoolVar(&findMax, "find-max", false, "search for the highest rate")
	f.DurationVar(&limit, "limit", 10*time.Millisecond, "with --find-max: p99 at most")
	return cmd
}

func (p *program) mixedCommand() *cobra.Command {
	var rate, postbacks, reports float64
	var duration time.Duration
	cmd := p.loadTest("mixed", "Send visitors, postbacks and report queries, each at a steady rate",
		"Send visitors to links; postbacks of their clicks (sales, leads, refunds of sales, and some sent twice); and the\n"+
			"queries of dashboards.",
		func(ctx context.Context, o trial.Options) error {
			_, err := trial.Mixed(ctx, o, rate, postbacks, reports, duration)
			return err
		})
	f := cmd.Flags()
	f.Float64Var(&rate, "rate", 1000, "requests to links a second")
	f.Float64Var(&postbacks, "postbacks", 20, "postbacks a second; 0: none")
	f.Float64Var(&reports, "reports", 2, "report queries a second; 0: none")
	f.DurationVar(&duration, "duration", 10*time.Second, "how long")
	return cmd
}

func (p *program) dayCommand() *cobra.Command {
	var d trial.Day
	cmd := p.loadTest("day", "Send a promotion day in minutes, with its evening peak and two mails to everybody",
		"Send the visitors of a promotion day: a quiet night, an evening peak between 20 and 22 o'clock, and two mails to\n"+
			"everybody at 10:00 and 19:00, each of which brings 6 % of the day's requests, most of them within minutes. A share\n"+
			"of the clicks leads to postbacks (sales, leads, refunds, some sent twice), and dashboards are looked at meanwhile.",
		func(ctx context.Context, o trial.Options) error {
			_, err := trial.RunDay(ctx, o, d)
			return err
		})
	f := cmd.Flags()
	f.Uint64Var(&d.Requests, "requests", 500_000, "requests to links in the day")
	f.Float64Var(&d.Compress, "compress", 60, "times the pace of a real day: 60 takes 24 minutes, 144 takes 10")
	f.Float64Var(&d.Convert, "convert", 0.01, "postbacks for each request to a link")
	f.Float64Var(&d.Reports, "reports", 1, "report queries a second of the test; 0: none")
	return cmd
}

func (p *program) reportsCommand() *cobra.Command {
	var h trial.History
	cmd := p.loadTest("reports", "Fill the click store and time every report of the dashboards at several sizes",
		"Fill the click store with clicks of the past and time every report of the dashboards at several sizes. The clicks are\n"+
			"written in batches over the core's edge API, as a tracker delivers its own, whatever the store behind it is; the edge\n"+
			"token comes from "+edgeTokensEnv+" (the first of the list). They stay there: use a system made for it.\n\n"+
			"With --program and --affiliate nothing is filled: the reports are asked for over the clicks of that program, of\n"+
			"the last --days, however they came there.",
		func(ctx context.Context, o trial.Options) error {
			h.EdgeToken, _, _ = strings.Cut(p.environment(edgeTokensEnv), ",")
			if h.EdgeToken == "" && h.Program == "" {
				return fmt.Errorf("%s is not set: clicks of the past are written the way trackers deliver theirs", edgeTokensEnv)
			}
			_, err := trial.Reports(ctx, o, h)
			return err
		})
	f := cmd.Flags()
	f.Uint64Var(&h.Rows, "rows", 1_000_000, "clicks in the end")
	f.StringVar(&h.Program, "program", "", "fill nothing, and ask about the clicks of this program (prg_...)")
	f.StringVar(&h.Affiliate, "affiliate", "", "with --program: whose dashboard to ask for (aff_...)")
	f.IntVar(&h.Days, "days", 90, "days that they are spread over")
	f.IntVar(&h.Sizes, "sizes", 4, "sizes at which reports are timed, each twice the one before")
	f.IntVar(&h.Repeat, "repeat", 20, "times that each report is asked for after the first, at most 10 seconds each")
	return cmd
}
