package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/live"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/report"
)

const (
	// LiveFor is how long one stream lasts; then its reader connects again, and its rights are looked at again.
	LiveFor = 5 * time.Minute
	// beatEvery keeps proxies from taking a quiet stream for a dead one.
	beatEvery = 15 * time.Second
	// livePath ends the path of streams, whose requests last longer than others.
	livePath = "/live"
	// livePages bounds how many clicks are read at once, 1000 a page; a promotion that brings more is shown in part.
	livePages = 3
	liveBatch = 200 // conversions or commissions read at once

	liveCommission = "commission" // the kind of event that is about money
)

// clickSource gives new clicks from analytics.
type clickSource struct {
	reports reporter
	now     func() time.Time
}

// ClickSource gives those who watch the new clicks.
func ClickSource(r reporter, now func() time.Time) live.Source { return &clickSource{r, now} }

// Since implements live.Source.
func (s *clickSource) Since(ctx context.Context, since time.Time) (out []live.Event, err error) {
	// Clocks of trackers may be ahead a little.
	q := report.ClickQuery{From: since, To: s.now().Add(time.Minute), Limit: report.MaxLimit}
	for range livePages {
		if err := q.Validate(); err != nil {
			return nil, err
		}
		rows, err := s.reports.Clicks(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			e, err := clickEvent(&rows[i])
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		if len(rows) < q.Limit {
			break
		}
		q.Before = rows[len(rows)-1].ID
	}
	slices.Reverse(out)
	return out, nil
}

func clickEvent(r *click.Record) (live.Event, error) {
	body := clickBody(r)
	data, err := json.Marshal(body)
	if err != nil {
		return live.Event{}, fmt.Errorf("encode click: %w", err)
	}
	body.Network = "" // the visitor is the business's, not the affiliate's
	own, err := json.Marshal(body)
	return live.Event{ID: body.ID, Kind: "click", AffiliateID: r.ID.AffiliateID(), Data: data, Own: own}, err
}

// conversionSource gives new conversions from the books.
type conversionSource struct{ books *conversion.Service }

// ConversionSource gives those who watch the new conversions.
func ConversionSource(s *conversion.Service) live.Source { return conversionSource{s} }

// Since implements live.Source.
func (s conversionSource) Since(ctx context.Context, since time.Time) (out []live.Event, err error) {
	rows, err := s.books.List(ctx, conversion.Filter{Limit: liveBatch})
	if err != nil {
		return nil, err
	}
	for _, c := range rows {
		if c.BookedAt < since.UnixMilli() {
			continue
		}
		data, err := json.Marshal(conversionBody(c))
		if err != nil {
			return nil, fmt.Errorf("encode conversion: %w", err)
		}
		out = append(out, live.Event{ID: ident.Format(ident.Conversion, c.ID), Kind: "conversion", AffiliateID: c.AffiliateID, Data: data, Own: data})
	}
	slices.Reverse(out)
	return out, nil
}

// commissionSource gives new commissions.
type commissionSource struct{ commissions *commission.Service }

// CommissionSource gives those who watch the new commissions.
func CommissionSource(s *commission.Service) live.Source { return commissionSource{s} }

// Since implements live.Source.
func (s commissionSource) Since(ctx context.Context, since time.Time) (out []live.Event, err error) {
	rows, err := s.commissions.List(ctx, commission.Filter{Since: newid.First(since), Limit: liveBatch})
	if err != nil {
		return nil, err
	}
	for _, c := range rows {
		body := commissionBody(c)
		data, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode commission: %w", err)
		}
		out = append(out, live.Event{ID: body.ID, Kind: liveCommission, AffiliateID: c.AffiliateID, Data: data, Own: data})
	}
	slices.Reverse(out)
	return out, nil
}

const liveAbout = "A stream of server-sent events (`text/event-stream`): `event: click`, `event: conversion` and `event: commission` (to affiliates, and with `ledger:read`), each with the same JSON as in the lists, within a second or two of " +
	"reaching their store; `event: missed` with a number where the reader was too slow; a comment every 15 seconds. It begins with what happens after the request, holds " +
	"nothing twice, and ends after five minutes: connect again then, and read the list for what was between. Read it with fetch, which can send the token. " +
	"At most 5 streams of one person or token, 500 of one core (429 `too_many_listeners`)."

// Live registers the streams of what happens; each lasts as long as lasting says, LiveFor where it is 0.
func Live(h *live.Hub, lasting time.Duration) Module {
	if lasting <= 0 {
		lasting = LiveFor
	}
	return func(a *API) {
		op := operation{
			id: "watch", method: http.MethodGet, path: livePath, tag: "Reports", scope: access.ReportsRead, summary: "Watch clicks, conversions and commissions",
			about: liveAbout, errors: []int{http.StatusTooManyRequests},
		}
		handle(a, op, func(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) { return watch(ctx, h, 0, lasting) })
		handleSelf(a, operation{
			id: "watch-mine", method: http.MethodGet, path: livePath, summary: "Watch clicks, conversions and commissions of yours", about: liveAbout, errors: []int{http.StatusTooManyRequests},
		}, func(ctx context.Context, affiliate int64, _ *struct{}) (*huma.StreamResponse, error) {
			return watch(ctx, h, affiliate, lasting)
		})
		for _, path := range []string{livePath, "/me/affiliate" + livePath} {
			a.huma.OpenAPI().Paths[prefix+path].Get.Responses["200"] = &huma.Response{
				Description: "Events as they come", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
			}
		}
	}
}

func watch(ctx context.Context, h *live.Hub, affiliate int64, lasting time.Duration) (*huma.StreamResponse, error) {
	p := principalOf(ctx)
	l, err := h.Listen(cmp.Or(p.ViewerID, p.PersonID, p.TokenID), affiliate) // who looks at another's pages watches himself
	if err != nil {
		return nil, err
	}
	view := liveView{own: affiliate != 0, money: affiliate != 0 || p.Can(access.LedgerRead)}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer l.Close()
		hc.SetHeader("Content-Type", "text/event-stream")
		hc.SetHeader("X-Accel-Buffering", "no") // nginx would hold events back
		hc.SetStatus(http.StatusOK)
		w, ok := hc.BodyWriter().(http.ResponseWriter)
		if !ok {
			return
		}
		stream(hc.Context(), w, l, view, lasting)
	}}, nil
}

// liveView is what of the events a reader is given.
type liveView struct {
	own   bool // as the affiliate whose they are sees them
	money bool // commissions too
}

// stream writes events until the reader goes, its time is over, or the process stops.
func stream(ctx context.Context, w http.ResponseWriter, l *live.Listener, view liveView, lasting time.Duration) {
	control := http.NewResponseController(w)
	var b strings.Builder
	send := func(text string) bool {
		_ = control.SetWriteDeadline(time.Now().Add(beatEvery)) // the server's own is for short answers
		_, err := w.Write([]byte(text))
		return err == nil && control.Flush() == nil
	}
	beat, end := time.NewTicker(beatEvery), time.NewTimer(lasting)
	defer beat.Stop()
	defer end.Stop()
	open := send("retry: 2000\n: watching\n\n")
	for open {
		select {
		case <-ctx.Done():
			return
		case <-l.Done():
			return
		case <-end.C:
			return
		case <-beat.C:
			open = send(": beat\n\n")
		case e := <-l.Events():
			b.Reset()
			view.append(&b, e)
			for more := len(l.Events()); more > 0; more-- { // in one write, so that a burst costs one
				view.append(&b, <-l.Events())
			}
			if n := l.Missed(); n > 0 {
				fmt.Fprintf(&b, "event: missed\ndata: %d\n\n", n)
			}
			open = b.Len() == 0 || send(b.String())
		}
	}
}

func (v liveView) append(b *strings.Builder, e live.Event) {
	if e.Kind == liveCommission && !v.money {
		return
	}
	data := e.Data
	if v.own {
		data = e.Own
	}
	b.WriteString("event: " + e.Kind + "\nid: " + e.ID + "\ndata: ")
	b.Write(data)
	b.WriteString("\n\n")
}
