// Package system speaks to a running system as bench sees it: its public API, and the metrics of its private listeners
// with the equations that hold between them.
package system

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Limits of one request.
const (
	RequestTimeout = 15 * time.Second // of a Client made without one
	maxBody        = 64 << 20         // bytes
)

// Client speaks to the core's public API, and fetches metrics. It is safe for concurrent use.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// NewClient returns a client of the core at base, with an API token. Each request may take RequestTimeout.
func NewClient(base, token string) *Client {
	return &Client{base: strings.TrimRight(base, "/"), token: token, http: &http.Client{Timeout: RequestTimeout}}
}

// Problem is an answer in application/problem+json.
type Problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%d %s: %s %s", p.Status, p.Code, p.Title, p.Detail)
}

// Get decodes the answer to a GET of /api/v1 + path.
func (c *Client) Get(ctx context.Context, path string, params url.Values, into any) error {
	if len(params) > 0 {
		path += "?" + params.Encode()
	}
	return c.do(ctx, http.MethodGet, path, "", nil, into)
}

// Post sends body and decodes the answer. A key makes it safe to send again.
func (c *Client) Post(ctx context.Context, path, key string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	return c.do(ctx, http.MethodPost, path, key, b, into)
}

func (c *Client) do(ctx context.Context, method, path, key string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	status, answer, err := c.send(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if status/100 != 2 {
		p := Problem{Status: status}
		if json.Unmarshal(answer, &p) != nil {
			p.Title = strings.TrimSpace(string(answer[:min(len(answer), 200)]))
		}
		p.Status = status
		return fmt.Errorf("%s %s: %w", method, path, &p)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func (c *Client) send(req *http.Request) (int, []byte, error) {
	res, err := c.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err != nil {
		return 0, nil, err
	}
	if len(body) > maxBody {
		return 0, nil, fmt.Errorf("answer is larger than %d bytes", maxBody)
	}
	return res.StatusCode, body, nil
}

// Scrape fetches the metrics of one private listener.
func (c *Client) Scrape(ctx context.Context, ops string) (Samples, error) {
	target := strings.TrimRight(ops, "/") + "/metrics"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", target, err)
	}
	status, body, err := c.send(req)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", target, err)
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %w", target, &Problem{Status: status, Title: http.StatusText(status)})
	}
	return ParseMetrics(string(body))
}

// List calls f with every item of a list, page by page.
func List[T any](ctx context.Context, c *Client, path string, params url.Values, f func(T) error) error {
	next := url.Values{}
	for k, v := range params {
		next[k] = v
	}
	for {
		var page struct {
			Items      []T    `json:"items"`
			NextCursor string `json:"next_cursor"`
		}
		if err := c.Get(ctx, path, next, &page); err != nil {
			return err
		}
		for _, item := range page.Items {
			if err := f(item); err != nil {
				return err
			}
		}
		if page.NextCursor == "" {
			return nil
		}
		if page.NextCursor == next.Get("cursor") {
			return fmt.Errorf("GET %s: the cursor does not move", path)
		}
		next.Set("cursor", page.NextCursor)
	}
}
