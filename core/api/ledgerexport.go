package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/ledger"
)

type ledgerExportInput struct {
	Format string `query:"format" enum:"csv,hledger,beancount" default:"csv"`
	From   Time   `query:"from" doc:"Transactions posted at this time or later; absent: from the first"`
	To     Time   `query:"to" doc:"Transactions posted before this time; absent: to the last"`
}

// options reads the times; an absent one is zero.
func (in *ledgerExportInput) options() (ledger.ExportOptions, error) {
	read := func(location string, t Time) (time.Time, error) {
		if t == "" {
			return time.Time{}, nil
		}
		ms, err := parseTime(location, t)
		return time.UnixMilli(ms), err
	}
	from, err1 := read("query.from", in.From)
	to, err2 := read("query.to", in.To)
	return ledger.ExportOptions{Format: ledger.ExportFormat(in.Format), From: from, To: to}, invalidAll(err1, err2)
}

// exportLedger registers the export. Its body is written as it is read.
func exportLedger(a *API, l *ledger.Ledger) {
	handle(a, operation{
		id: "export-ledger", method: http.MethodGet, path: "/ledger/export", tag: "Ledger", scope: access.LedgerRead,
		summary: "Export the ledger", about: "As a table, or as a journal for hledger or beancount, in the order in which transactions were made. " +
			"An answer that takes too long is cut off and its connection closed: ask for shorter spans, or use `edgeref core export-ledger`.",
	}, func(_ context.Context, in *ledgerExportInput) (*huma.StreamResponse, error) {
		opts, err := in.options()
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(c huma.Context) { a.streamLedger(c, l, opts) }}, nil
	})
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	a.huma.OpenAPI().Paths[prefix+"/ledger/export"].Get.Responses["200"] = &huma.Response{
		Description: "The export", Content: map[string]*huma.MediaType{"text/csv": text, "text/plain": text},
	}
}

// begun notes whether anything was written.
type begun struct {
	io.Writer
	yes bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.yes = true
	return b.Writer.Write(p)
}

func (a *API) streamLedger(c huma.Context, l *ledger.Ledger, opts ledger.ExportOptions) {
	mime, name := "text/plain; charset=utf-8", "ledger."+string(opts.Format)
	switch opts.Format {
	case ledger.CSV:
		mime = "text/csv; charset=utf-8"
	case ledger.Hledger:
		name = "ledger.journal"
	}
	c.SetHeader("Content-Type", mime)
	c.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
	out := &begun{Writer: c.BodyWriter()}
	_, err := l.Export(c.Context(), out, opts)
	if err == nil {
		return
	}
	if !out.yes {
		c.SetHeader("Content-Disposition", "inline")
		writeProblemTo(c, a.toProblem(c.Context(), err))
		return
	}
	a.log.Warn("ledger export was cut off", "request_id", infoOf(c.Context()).id, "error", err)
	panic(http.ErrAbortHandler) // so that nobody takes a part for the whole
}
