package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/payout"
	"github.com/edgeref/edgeref/wire/ident"
)

// ledgerCommands are what can be done with the books from outside.
func (p *program) ledgerCommands() []*cobra.Command {
	var expect, format, from, to string
	var late bool
	verify := p.role(config.Any, "verify-ledger", "Recompute the ledger and its hash chain and compare; exit 0 where it holds",
		func(ctx context.Context, c *config.Config, log *slog.Logger) error {
			return p.verifyLedger(ctx, c, log, expect)
		})
	verify.Flags().StringVar(&expect, "expect-head", "", "SEQ:HASH that an earlier run printed: fail where the chain does not contain it")
	export := p.role(config.Any, "export-ledger", "Write the ledger to standard output",
		func(ctx context.Context, c *config.Config, log *slog.Logger) error {
			return p.exportLedger(ctx, c, log, format, from, to)
		})
	export.Flags().StringVar(&format, "format", string(ledger.CSV), "csv, hledger or beancount")
	export.Flags().StringVar(&from, "from", "", "only what was posted on this day (UTC) or at this time (RFC 3339) or later")
	export.Flags().StringVar(&to, "to", "", "only what was posted before this day (UTC) or time")
	seal := p.role(config.Any, "seal-ledger", "Append what was posted to the hash chain, as a running core does by itself",
		func(ctx context.Context, c *config.Config, log *slog.Logger) error {
			return p.sealLedger(ctx, c, log, late)
		})
	seal.Flags().BoolVar(&late, "accept-late", false, "also what is dated long before what is sealed already; it stays marked in the chain")
	return []*cobra.Command{verify, export, seal}
}

// openBooks opens the core's database, which must exist: an empty ledger holds.
func openBooks(ctx context.Context, c *config.Config, log *slog.Logger) (*db.DB, error) {
	if path, ok := strings.CutPrefix(c.CoreDSN(), "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("open ledger: %w; --data names the data directory of a system that has run", err)
		}
	}
	e := &environment{config: c, log: log, registry: prometheus.NewRegistry()}
	return e.openDatabase(ctx, false)
}

// verifyLedger recomputes the ledger and prints one line of sums, or names the first break.
func (p *program) verifyLedger(ctx context.Context, c *config.Config, log *slog.Logger, expectHead string) error {
	var expect ledger.Head
	if expectHead != "" {
		var err error
		if expect, err = ledger.ParseHead(expectHead); err != nil {
			return fmt.Errorf("--expect-head: %w", err)
		}
	}
	database, err := openBooks(ctx, c, log)
	if err != nil {
		return err
	}
	defer database.Close()
	books := ledger.New(ledger.Options{DB: database, Reconcile: payout.Reconcile})
	found, err := books.VerifyFrom(ctx, expect)
	if err != nil {
		return fmt.Errorf("verify ledger: %w", err)
	}
	if found.Break != nil {
		return fmt.Errorf("the ledger does not hold: %s; correct it by new transactions or restore a backup, never by editing", describe(found.Break))
	}
	fmt.Fprintln(p.stdout, found)
	return nil
}

// exportLedger writes the ledger to standard output.
func (p *program) exportLedger(ctx context.Context, c *config.Config, log *slog.Logger, format, from, to string) error {
	opts := ledger.ExportOptions{Format: ledger.ExportFormat(format)}
	if err := opts.Valid(); err != nil {
		return fmt.Errorf("--format: %w", err)
	}
	var err error
	if opts.From, err = parseMoment("--from", from); err != nil {
		return err
	}
	if opts.To, err = parseMoment("--to", to); err != nil {
		return err
	}
	database, err := openBooks(ctx, c, log)
	if err != nil {
		return err
	}
	defer database.Close()
	_, err = ledger.New(ledger.Options{DB: database, Reconcile: payout.Reconcile}).Export(ctx, p.stdout, opts)
	return err
}

// parseMoment reads a day in UTC or a time; empty is zero.
func parseMoment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s must be a day like 2026-04-01 or a time like 2026-04-01T00:00:00+05:30", flag)
}

// sealLedger seals what waits.
func (p *program) sealLedger(ctx context.Context, c *config.Config, log *slog.Logger, acceptLate bool) error {
	database, err := openBooks(ctx, c, log)
	if err != nil {
		return err
	}
	defer database.Close()
	sealer := ledger.NewSealer(ledger.SealerOptions{DB: database, Now: time.Now, Logger: log})
	seal := sealer.Seal
	if acceptLate {
		seal = sealer.SealLate
	}
	done, err := seal(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "sealed %d transactions, %d of them late; %d refused\n", done.Sealed, done.Late, done.Refused)
	if done.Refused > 0 {
		return fmt.Errorf("%d transactions are dated long before what is sealed already: verify-ledger names the first; look at each before --accept-late", done.Refused)
	}
	return nil
}

// describe says where the ledger breaks, with the ids that the API shows.
func describe(b *ledger.Break) string {
	text := b.Check + ": " + b.Detail
	if b.TransactionID != 0 {
		text += " (transaction " + ident.Format(ident.LedgerTransaction, b.TransactionID) + ")"
	}
	if b.CommissionID != 0 {
		text += " (commission " + ident.Format(ident.Commission, b.CommissionID) + ")"
	}
	return text
}
