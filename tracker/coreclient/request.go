package coreclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// request is one call of the edge API.
type request struct {
	what        string // for errors
	method      string
	path        string // escaped
	query       url.Values
	contentType string
	batchID     string
	body        []byte
	timeout     time.Duration
	answer      any   // decoded from a 200; nil: a 204 is expected
	limit       int64 // most bytes of the answer
}

// do makes one attempt. Neither token nor query is ever part of an error.
func (c *Client) do(ctx context.Context, r request) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	if err := c.exchange(ctx, &r); err != nil {
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err // without the URL
		}
		return fmt.Errorf("%s: %w", r.what, err)
	}
	return nil
}

func (c *Client) exchange(ctx context.Context, r *request) error {
	target := c.base + "/edge/v1" + r.path
	if r.query != nil {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", "application/json, application/problem+json")
	req.Header.Set("User-Agent", "edgeref-tracker")
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if r.batchID != "" {
		req.Header.Set("Batch-Id", r.batchID)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close() // unread answers take their connection with them
	return r.read(res)
}

func (r *request) read(res *http.Response) error {
	switch {
	case r.answer == nil && res.StatusCode == http.StatusNoContent:
		return nil
	case r.answer != nil && res.StatusCode == http.StatusOK:
	default:
		return readProblem(res)
	}
	if media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); media != "application/json" {
		return fmt.Errorf("the answer is not JSON but %.64q; check that the core URL is that of a core", media)
	}
	body, err := readLimited(res.Body, r.limit)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, r.answer); err != nil {
		return fmt.Errorf("decode answer: %w", err)
	}
	return nil
}

// readLimited reads all, or fails if that is more than limit bytes.
func readLimited(from io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return b, nil
}
