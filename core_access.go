package main

import (
	"context"
	"time"

	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/secret"
)

// accessPart is what every domain of the core needs beside its database.
type accessPart struct {
	ring  *secret.Ring
	audit *audit.Log
	mail  *mail.Service
}

// startAccess makes the keys, the audit log and the mail of a core.
func (e *environment) startAccess(ctx context.Context, database *db.DB, ids *newid.Generator) (*accessPart, error) {
	ring, err := secret.NewRing(e.config.Core.EncryptionKeys)
	if err != nil {
		return nil, err
	}
	if err := ring.Prove(ctx, database); err != nil {
		return nil, err
	}
	letters, err := mail.New(mail.Options{
		DB: database, IDs: ids, Now: time.Now, Ring: ring, Logger: e.log.With("part", "mail"), Registerer: e.registry,
	})
	if err != nil {
		return nil, err
	}
	return &accessPart{
		ring: ring, mail: letters, audit: audit.New(audit.Options{DB: database, IDs: ids, Registerer: e.registry}),
	}, nil
}
