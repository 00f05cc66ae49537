package api

import (
	"bytes"
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/conversion"
)

// Upload is what became of a file.
type Upload conversion.Upload

func uploadOperation(a *API, s *conversion.Service) {
	handle(a, operation{
		id: "upload-conversions", method: http.MethodPost, path: "/conversions/upload", tag: "Conversions", scope: access.ConversionsWrite,
		summary: "Book the conversions of a CSV file", raw: conversion.MaxUpload,
		about: "UTF-8 `text/csv`, at most 10 MiB and 50,000 lines. The first line names the columns, in any order: program_id, type and txn_id must be there; " +
			"ref_txn_id, click_id, amount (decimal), currency, name, customer, coupon and happened_at (RFC 3339) may. Where any line is invalid nothing is booked, and the answer names line, " +
			"column and code; otherwise each line is booked by itself. A file that was cut off may be sent again as it is: what was booked is a duplicate then. " +
			"With `dry_run` nothing is booked. 422 upload_invalid where the file cannot be read as a whole.",
		errors: []int{http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
	}, func(ctx context.Context, in *struct {
		DryRun  bool   `query:"dry_run" doc:"Only check the file"`
		RawBody []byte `contentType:"text/csv" required:"true"`
	}) (*struct{ Body Upload }, error) {
		u, err := s.Upload(ctx, bytes.NewReader(in.RawBody), in.DryRun)
		if err != nil {
			return nil, err
		}
		if u.Booked == 0 {
			unchanged(ctx)
		}
		return &struct{ Body Upload }{Upload(u)}, nil
	})
}
