package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/edgeref/edgeref/wire/money"
)

// api speaks to the core's public API, and fetches metrics.
type api struct {
	base  string
	token string
	http  *http.Client
}

func newAPI(base, token string) *api {
	return &api{base: strings.TrimRight(base, "/"), token: token, http: &http.Client{Timeout: requestTimeout}}
}

// problem is an answer in application/problem+json.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

func (p *problem) Error() string {
	return fmt.Sprintf("%d %s: %s %s", p.Status, p.Code, p.Title, p.Detail)
}

// get decodes the answer to a GET of /api/v1 + path.
func (a *api) get(ctx context.Context, path string, params url.Values, into any) error {
	if len(params) > 0 {
		path += "?" + params.Encode()
	}
	return a.do(ctx, http.MethodGet, path, "", nil, into)
}

// post sends body and decodes the answer. A key makes it safe to send again.
func (a *api) post(ctx context.Context, path, key string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	return a.do(ctx, http.MethodPost, path, key, b, into)
}

func (a *api) do(ctx context.Context, method, path, key string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, a.base+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	status, answer, err := a.send(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if status/100 != 2 {
		p := problem{Status: status}
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

func (a *api) send(req *http.Request) (int, []byte, error) {
	res, err := a.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAPIBody+1))
	if err != nil {
		return 0, nil, err
	}
	if len(body) > maxAPIBody {
		return 0, nil, fmt.Errorf("answer is larger than %d bytes", maxAPIBody)
	}
	return res.StatusCode, body, nil
}

// scrape fetches the metrics of one private listener.
func (a *api) scrape(ctx context.Context, ops string) (samples, error) {
	target := strings.TrimRight(ops, "/") + "/metrics"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", target, err)
	}
	status, body, err := a.send(req)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", target, err)
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("GET %s: status %d", target, status)
	}
	return parseMetrics(string(body))
}

// list calls f with every item of a list, page by page.
func list[T any](ctx context.Context, a *api, path string, params url.Values, f func(T) error) error {
	next := url.Values{}
	for k, v := range params {
		next[k] = v
	}
	for {
		var page struct {
			Items      []T    `json:"items"`
			NextCursor string `json:"next_cursor"`
		}
		if err := a.get(ctx, path, next, &page); err != nil {
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

type named struct {
	ID string `json:"id"`
}

// create makes the world's programs, affiliates, rules and links, and notes their ids.
func (w *world) create(ctx context.Context, a *api, step func()) error {
	for i := range w.Programs {
		if err := w.createProgram(ctx, a, &w.Programs[i]); err != nil {
			return err
		}
		step()
	}
	for i := range w.Affiliates {
		aff := &w.Affiliates[i]
		var made named
		email := fmt.Sprintf("replay-%s-%d@example.com", w.Run, i+1)
		if err := a.post(ctx, "/affiliates", w.Run+"-affiliate-"+email, map[string]any{"name": aff.Name, "email": email}, &made); err != nil {
			return fmt.Errorf("create affiliate %d: %w", i+1, err)
		}
		aff.ID = made.ID
		step()
	}
	for i := range w.Programs {
		if err := w.createRules(ctx, a, &w.Programs[i]); err != nil {
			return err
		}
	}
	for i := range w.Links {
		l := &w.Links[i]
		var made named
		err := a.post(ctx, "/links", w.Run+"-link-"+l.Slug, map[string]any{
			"affiliate_id": w.Affiliates[l.Affiliate].ID, "program_id": w.Programs[l.Program].ID,
			"slug": l.Slug, "destination": l.Destination,
		}, &made)
		if err != nil {
			return fmt.Errorf("create link %s: %w", l.Slug, err)
		}
		l.ID = made.ID
		step()
	}
	return nil
}

func (w *world) createProgram(ctx context.Context, a *api, p *program) error {
	var made struct {
		named
		PostbackSecret string `json:"postback_secret"`
	}
	err := a.post(ctx, "/programs", w.Run+"-program-"+p.Name, map[string]any{
		"name": "Replay " + w.Run + " " + p.Name, "currency": p.Currency, "click_param": p.ClickParam,
		"hold_days": 30, "attribution_window_days": 30, "browser_conversions": p.Browser,
	}, &made)
	if err != nil {
		return fmt.Errorf("create program %s: %w", p.Name, err)
	}
	p.ID, p.Secret = made.ID, made.PostbackSecret
	return nil
}

func (w *world) createRules(ctx context.Context, a *api, p *program) error {
	rule := func(on string, term map[string]any) error {
		term["program_id"], term["on"] = p.ID, on
		key := fmt.Sprintf("%s-rule-%s-%s-%v", w.Run, p.Name, on, term["affiliate_id"])
		if err := a.post(ctx, "/commission-rules", key, term, &named{}); err != nil {
			return fmt.Errorf("create commission rule of program %s: %w", p.Name, err)
		}
		return nil
	}
	flat := func(minor int64) map[string]any {
		return map[string]any{"flat": money.Amount{Minor: minor, Currency: p.Currency}}
	}
	var err error
	if p.SaleBP != 0 {
		err = rule("sale", map[string]any{"percent_bp": p.SaleBP})
	}
	if p.SaleFlat != 0 && err == nil {
		err = rule("sale", flat(p.SaleFlat))
	}
	if p.LeadFlat != 0 && err == nil {
		err = rule("lead", flat(p.LeadFlat))
	}
	if p.FavouriteBP != 0 && err == nil {
		err = rule("sale", map[string]any{"percent_bp": p.FavouriteBP, "affiliate_id": w.Affiliates[0].ID})
	}
	return err
}
