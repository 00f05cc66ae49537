package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/outbox"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/core/webhook"
	"github.com/edgeref/edgeref/wire/report"
)

// uploadCommand books the conversions of a file, beside a running core or without one.
func (p *program) uploadCommand() *cobra.Command {
	var dry bool
	var file string
	cmd := p.role(config.Any, "upload-conversions", "Book the conversions of a CSV file; exit 0 where all of it is booked",
		func(ctx context.Context, c *config.Config, log *slog.Logger) error {
			return p.uploadConversions(ctx, c, log, file, dry)
		})
	cmd.Use, cmd.Args = "upload-conversions FILE", cobra.ExactArgs(1)
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		file = args[0]
		return run(cmd, nil)
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only check the file")
	return cmd
}

// later leaves facts in the outbox: the running core publishes them.
type later struct{}

func (later) AppendFacts(context.Context, string, []report.Fact) error {
	return errors.New("only a running core publishes")
}

func (p *program) uploadConversions(ctx context.Context, c *config.Config, log *slog.Logger, path string, dry bool) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("upload conversions: %w", err)
	}
	defer file.Close()
	database, err := openBooks(ctx, c, log)
	if err != nil {
		return err
	}
	defer database.Close()
	service, err := uploader(c, database)
	if err != nil {
		return err
	}
	u, err := service.Upload(ctx, file, dry)
	for _, e := range u.Errors {
		fmt.Fprintf(p.stdout, "%s:%d: %s %s: %s\n", path, e.Line, e.Column, e.Code, e.Detail)
	}
	fmt.Fprintf(p.stdout, "%d lines, %d invalid; %d booked, %d duplicates, %d conflicts, %d refused\n", u.Lines, u.Invalid, u.Booked, u.Duplicates, u.Conflicts, u.Refused)
	if bad := u.Invalid + u.Conflicts + u.Refused; err == nil && bad > 0 {
		err = fmt.Errorf("%d lines were not booked; where any is invalid, none is: correct them and send the file again", bad)
	}
	return err
}

// uploader is the money side of a core, without its background work.
func uploader(c *config.Config, database *db.DB) (*conversion.Service, error) {
	if len(c.Click.Keys) == 0 { // of a system in one process they are in its data directory
		kept, err := readSecrets(filepath.Join(c.Data, secretsFile))
		if err != nil {
			return nil, err
		}
		c.Click.Keys = kept.ClickKeys
	}
	keys, err := keyring(c)
	if err != nil {
		return nil, fmt.Errorf("read click keys (set click.keys as the core has them): %w", err)
	}
	ids := newid.New(time.Now)
	books := ledger.New(ledger.Options{DB: database, IDs: ids, Now: time.Now, Reconcile: payout.Reconcile})
	hooks := webhook.New(webhook.Options{DB: database, IDs: ids, Now: time.Now})
	return conversion.New(conversion.Options{
		DB: database, IDs: ids, Keys: keys, Announcer: hooks, Now: time.Now,
		Commissions: commission.New(commission.Options{DB: database, IDs: ids, Ledger: books, Announcer: hooks, Now: time.Now}),
		Outbox:      outbox.New(outbox.Options{DB: database, IDs: ids, Sink: later{}, Now: time.Now}),
	})
}
