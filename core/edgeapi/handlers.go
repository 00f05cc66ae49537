package edgeapi

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/link"
	"github.com/edgeref/edgeref/wire/node"
)

// Limits of the Edge API.
const (
	maxWait      = 30 * time.Second // of a long poll
	maxFeed      = 128              // bytes
	maxEvents    = 1000             // in one request
	maxEventBody = 1 << 20          // bytes
	maxClickBody = 32 << 20         // bytes
	maxClicks    = 50_000           // in one batch; a tracker sends 10,000
	maxBatchID   = 128              // bytes
	maxBatches   = 8                // batches of clicks in memory at once

	lookupTimeout = 10 * time.Second
	bookTimeout   = 30 * time.Second
	clicksTimeout = 60 * time.Second
	bodyTimeout   = 60 * time.Second
	writeTimeout  = 30 * time.Second
)

func (s *server) getLink(w http.ResponseWriter, r *http.Request) error {
	resolved, err := s.catalog.Lookup(r.Context(), r.PathValue("slug"))
	if errors.Is(err, link.ErrNotFound) {
		return errNoLink
	}
	if err != nil {
		return err
	}
	return writeJSON(w, resolved)
}

func (s *server) getChanges(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	cursor, err := number(q.Get("cursor"))
	if err != nil {
		return badRequest("cursor must be a number")
	}
	waitMS, err := number(q.Get("wait_ms"))
	if err != nil || waitMS < 0 {
		return badRequest("wait_ms must be a number of milliseconds")
	}
	feed := q.Get("feed")
	if len(feed) > maxFeed {
		return badRequest("feed is not one that this core gave")
	}
	wait := min(time.Duration(min(waitMS, maxWait.Milliseconds()))*time.Millisecond, maxWait)
	page, err := s.catalog.Changes(r.Context(), feed, cursor, wait)
	if errors.Is(err, catalog.ErrBusy) {
		return errTooManyWaiters
	}
	if err != nil {
		return err
	}
	return writeJSON(w, page)
}

// number reads a decimal; an empty text is 0.
func number(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	return strconv.ParseInt(s, 10, 64)
}

func (s *server) postConversions(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Events []json.RawMessage `json:"events"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxEventBody)).Decode(&in); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return badRequest("the body is not {\"events\": [...]}")
	}
	if len(in.Events) > maxEvents {
		return &problem{
			Status: http.StatusRequestEntityTooLarge, Code: "too_many_events",
			Detail: fmt.Sprintf("%d events, at most %d are taken at once", len(in.Events), maxEvents),
		}
	}
	// An event that cannot be read is answered alone: refusing the request would stop all behind it for ever. One that
	// can be read and is not valid is for the booker to refuse, who keeps it for review.
	results := make([]conversion.Result, len(in.Events))
	events, place := make([]conversion.Event, 0, len(in.Events)), make([]int, 0, len(in.Events))
	for i, raw := range in.Events {
		var event conversion.Event
		if err := json.Unmarshal(raw, &event); err != nil {
			s.metrics.conversions.WithLabelValues("invalid").Inc()
			s.log.Error("conversion from a tracker cannot be read and is lost; do tracker and core have the same version?", "error", err, "bytes", len(raw))
			results[i] = conversion.Result{Outcome: conversion.Refused, Detail: "cannot be read: " + err.Error()}
			continue
		}
		events, place = append(events, event), append(place, i)
	}
	if len(events) > 0 {
		booked, err := s.booker.Book(r.Context(), events)
		if err != nil {
			return fmt.Errorf("book conversions: %w", err)
		}
		if len(booked) != len(events) {
			return fmt.Errorf("book conversions: %d results for %d events", len(booked), len(events))
		}
		for i, result := range booked {
			results[place[i]] = result
			s.metrics.conversions.WithLabelValues(string(result.Outcome)).Inc()
		}
	}
	return writeJSON(w, map[string]any{"results": results})
}

func (s *server) postClicks(w http.ResponseWriter, r *http.Request) error {
	batch := r.Header.Get("Batch-Id")
	if !validBatchID(batch) {
		return badRequest("the header Batch-Id must have 1 to 128 visible ASCII characters")
	}
	select {
	case s.batches <- struct{}{}:
		defer func() { <-s.batches }()
	default:
		s.metrics.batchesRefused.Inc()
		return errTooManyBatches
	}
	var body strings.Builder
	if r.ContentLength > 0 && r.ContentLength <= maxClickBody {
		body.Grow(int(r.ContentLength))
	}
	if _, err := io.Copy(&body, http.MaxBytesReader(w, r.Body, maxClickBody)); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return &problem{Status: http.StatusRequestTimeout, Code: "request_timeout", Detail: "the body did not arrive"}
	}
	clicks, err := parseClicks(body.String())
	if err != nil {
		return &problem{Status: http.StatusUnprocessableEntity, Code: codeRefused, Detail: err.Error()}
	}
	if err := s.clicks.AppendClicks(r.Context(), batch, clicks); err != nil {
		return fmt.Errorf("append clicks: %w", err)
	}
	s.metrics.clicks.Add(float64(len(clicks)))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postStatus takes what a tracker says of itself.
func (s *server) postStatus(w http.ResponseWriter, r *http.Request) error {
	var status node.Status
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, node.MaxBody)).Decode(&status); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return badRequest("the body is not the status of an edge node")
	}
	if err := status.Validate(); err != nil {
		return badRequest(err.Error())
	}
	if err := s.nodes.Report(r.Context(), status); err != nil {
		return fmt.Errorf("note status of edge node %d: %w", status.Node, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func validBatchID(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != "" && len(s) <= maxBatchID
}

// parseClicks reads records, each behind its length as an unsigned varint. Their strings are parts of src.
func parseClicks(src string) ([]click.Record, error) {
	clicks := make([]click.Record, 0, min(len(src)/click.IDSize, maxClicks))
	for src != "" {
		if len(clicks) == maxClicks {
			return nil, fmt.Errorf("more than %d clicks", maxClicks)
		}
		size, n := binary.Uvarint([]byte(src[:min(len(src), binary.MaxVarintLen64)]))
		if n <= 0 || size > uint64(len(src)-n) {
			return nil, fmt.Errorf("click %d: its length is wrong", len(clicks))
		}
		record, err := click.Parse(src[n : n+int(size)])
		if err != nil {
			return nil, fmt.Errorf("click %d: %w", len(clicks), err)
		}
		clicks = append(clicks, record)
		src = src[n+int(size):]
	}
	return clicks, nil
}

func writeJSON(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // the tracker has gone; it asks again
	return nil
}
