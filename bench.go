package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/edgeref/edgeref/bench/replay"
)

// adminTokenEnv is where bench commands find the API token; a flag would show it to every user of the machine.
const adminTokenEnv = "EDGEREF_ADMIN_TOKEN"

func (p *program) benchCommands() *cobra.Command {
	parent := &cobra.Command{Use: "bench", Short: "Send traffic to a running system and check what it makes of it"}
	parent.AddCommand(p.replayCommand(), p.redirectCommand(), p.mixedCommand(), p.dayCommand(), p.reportsCommand())
	return parent
}

func (p *program) replayCommand() *cobra.Command {
	var o replay.Options
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Replay an access log as clicks and conversions, and compare every report and the ledger with the log",
		Long: "Replay an access log (combined format, plain or gzip) as clicks and conversions, and compare every report and\n" +
			"the ledger with what the log says. Exit code 1 on any difference. The admin token comes from " + adminTokenEnv + ".",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Token = p.environment(adminTokenEnv)
			if o.Token == "" {
				return fmt.Errorf("%s is not set: the replay makes programs and links through the API", adminTokenEnv)
			}
			for name, value := range map[string]string{"log": o.Log, "tracker": o.Tracker, "core": o.Core} {
				if value == "" {
					return errors.New("--" + name + " is required")
				}
			}
			o.Out = p.stdout
			_, err := replay.Run(cmd.Context(), o)
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.Log, "log", "", "access log, combined format, plain or gzip")
	f.StringVar(&o.Tracker, "tracker", "", "base URL of the tracker")
	f.StringVar(&o.Core, "core", "", "base URL of the core")
	f.StringSliceVar(&o.Ops, "ops", nil, "base URLs of the private listeners, whose /metrics must balance; none: not compared")
	f.Float64Var(&o.Speed, "speed", 0, "times the log's own pace; 0: as fast as answers come")
	f.IntVar(&o.Convert, "convert", replay.DefaultConvert, "share of clicks that convert, permille")
	f.IntVar(&o.Affiliates, "affiliates", replay.DefaultAffiliates, "affiliates to make")
	f.IntVar(&o.Links, "links", replay.DefaultLinks, "links to make at most")
	f.IntVar(&o.Concurrency, "concurrency", 1, "connections; each client's lines stay in order")
	f.IntVar(&o.MaxLines, "lines", 0, "replay the first lines only; 0: all")
	f.StringVar(&o.RunID, "run", "", "name of this run in what it makes; empty: random")
	f.StringVar(&o.Resume, "resume", "", "journal file: continue the run in it, or start one there that can be continued")
	f.DurationVar(&o.Settle, "settle", replay.DefaultSettle, "how long reports may take to catch up")
	f.StringVar(&o.SummaryFile, "json", "", "write a JSON summary there")
	return cmd
}
