package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/token"
	"github.com/edgeref/edgeref/wire/ident"
)

// tokenCommand is the way back in for whoever lost the last admin token: who can read the database's configuration owns it
// anyway.
func (p *program) tokenCommand() *cobra.Command {
	return p.role(config.Any, "new-admin-token", "Make an admin token, where the last one was lost; a running core takes it at once", p.newAdminToken)
}

func (p *program) newAdminToken(ctx context.Context, c *config.Config, log *slog.Logger) error {
	database, err := openBooks(ctx, c, log)
	if err != nil {
		return err
	}
	defer database.Close()
	ids := newid.New(time.Now)
	entries := audit.New(audit.Options{DB: database, IDs: ids})
	tokens := token.New(token.Options{DB: database, IDs: ids, Logger: log, Now: time.Now})
	made, secret, err := tokens.Create(ctx, "admin, from the command line", []access.Scope{access.Admin}, func(tx *db.Tx, t token.Token, _ string) error {
		return entries.Record(ctx, tx, audit.Entry{
			Action: "token.create", Object: ident.Format(ident.Token, t.ID), After: map[string]any{"name": t.Name, "scopes": t.Scopes}, Reason: "edgeref core new-admin-token",
		})
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "admin token %s, shown this once: %s\nrevoke those that were lost: GET and DELETE /api/v1/tokens\n", ident.Format(ident.Token, made.ID), secret)
	return nil
}
