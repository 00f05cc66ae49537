package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/outbox"
)

// factsCommand sends what analytics has refused once more.
func (p *program) factsCommand() *cobra.Command {
	return p.role(config.Any, "requeue-facts", "Send facts that analytics refused for their content again, once it takes them",
		func(ctx context.Context, c *config.Config, log *slog.Logger) error {
			database, err := openBooks(ctx, c, log)
			if err != nil {
				return err
			}
			defer database.Close()
			n, err := outbox.Requeue(ctx, database)
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "%d facts requeued\n", n)
			return nil
		})
}
