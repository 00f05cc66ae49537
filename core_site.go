package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"gocloud.dev/blob"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/kyc"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/site"
)

// openBucket opens where files are kept: documents of people, sealed, and files that everybody may see.
func (e *environment) openBucket(ctx context.Context) (*blob.Bucket, error) {
	bucket, err := kyc.OpenBucket(ctx, e.config.KYC.Bucket, filepath.Join(e.config.Data, "kyc"))
	if err != nil {
		return nil, fmt.Errorf("kyc.bucket: %w", err)
	}
	e.parts.onStop("bucket of files", func(context.Context) error { return bucket.Close() })
	return bucket, nil
}

// startSite makes what the public pages say and show.
func (e *environment) startSite(database *db.DB, ids *newid.Generator, guards *accessPart, bucket *blob.Bucket) *site.Service {
	s := site.New(site.Options{DB: database, IDs: ids, Bucket: bucket, Audit: guards.audit, Now: time.Now, Logger: e.log.With("part", "site")})
	e.route(site.MediaPath, s.Handler())
	return s
}
