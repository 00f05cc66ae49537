package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/edgeref/edgeref/config"
)

// program is what every command needs of the outside.
type program struct {
	environ        []string
	stdout, stderr io.Writer
	loaded         *config.Loader // of the one command that runs; nil before
}

// commands builds the command tree.
func commands(environ []string, stdout, stderr io.Writer) *cobra.Command {
	p := &program{environ: environ, stdout: stdout, stderr: stderr}
	root := &cobra.Command{
		Use:           "edgeref",
		Short:         "The whole of an affiliate business: referral links, clicks, conversions, commissions, ledger",
		Version:       fmt.Sprintf("%s (%s, %s/%s)", version, runtime.Version(), runtime.GOOS, runtime.GOARCH),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())
	})
	core := p.role(config.CoreRole, "core", "Run the core: API, money, link feed for trackers", p.runCore)
	core.AddCommand(p.ledgerCommands()...)
	core.AddCommand(p.paymentCommands()...)
	core.AddCommand(p.inviteOwnerCommand())
	core.AddCommand(p.uploadCommand())
	core.AddCommand(p.factsCommand())
	core.AddCommand(p.tokenCommand())
	tracker := p.role(config.TrackerRole, "tracker", "Run an edge node: redirects, postbacks, spool", p.runTracker)
	tracker.AddCommand(p.spoolCommands())
	root.AddCommand(
		p.role(config.Serve, "serve", "Run everything in one process (SQLite in the data directory unless configured otherwise)", p.runServe),
		tracker,
		core,
		p.role(config.Migrate, "migrate", "Bring the databases to this version's schema", p.runMigrate),
		p.configCommands(),
		p.demoCodeCommand(),
		p.benchCommands(),
	)
	return root
}

// role is a command that takes the whole configuration.
func (p *program) role(role config.Role, use, short string, fn func(context.Context, *config.Config, *slog.Logger) error) *cobra.Command {
	loader := config.NewLoader()
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loader.Load(role, p.environ)
			if err != nil {
				return err
			}
			p.loaded = loader
			return fn(cmd.Context(), c, newLogger(c, p.stderr))
		},
	}
	loader.AddFlags(cmd.Flags())
	cmd.Flags().SortFlags = false
	return cmd
}

func newLogger(c *config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		panic("BUG: log level was validated: " + err.Error())
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func (p *program) configCommands() *cobra.Command {
	parent := &cobra.Command{Use: "config", Short: "Check or print the configuration"}
	for _, c := range []struct {
		use, short string
		fn         func(*config.Loader) error
	}{
		{"check", "Say whether the configuration is valid, and what is wrong", func(*config.Loader) error {
			fmt.Fprintln(p.stdout, "configuration is valid")
			return nil
		}},
		{"print", "Print the effective configuration and where each value comes from, secrets hidden", func(l *config.Loader) error {
			return l.Print(p.stdout)
		}},
	} {
		loader := config.NewLoader()
		role := ""
		cmd := &cobra.Command{Use: c.use, Short: c.short, Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
			switch config.Role(role) {
			case config.Any, config.Serve, config.TrackerRole, config.CoreRole, config.Migrate:
			default:
				return fmt.Errorf("--role %q is not one of serve, tracker, core, migrate", role)
			}
			if _, err := loader.Load(config.Role(role), p.environ); err != nil {
				return err
			}
			return c.fn(loader)
		}}
		cmd.Flags().StringVar(&role, "role", "", "also check what this role requires: serve, tracker, core or migrate")
		loader.AddFlags(cmd.Flags())
		cmd.Flags().SortFlags = false
		parent.AddCommand(cmd)
	}
	return parent
}

// environment returns the value of a variable, "" if it is not set.
func (p *program) environment(name string) string {
	for _, kv := range p.environ {
		if len(kv) > len(name) && kv[:len(name)] == name && kv[len(name)] == '=' {
			return kv[len(name)+1:]
		}
	}
	return ""
}
