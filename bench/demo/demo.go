// Package demo fills an empty system with a small, believable business, through the same doors that everybody uses:
// the public API makes programs, affiliates and links; visitors' requests make clicks; postbacks make conversions.
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/edgeref/edgeref/wire/money"
)

// Options says where the system is.
type Options struct {
	Core, Tracker string // base URLs
	AdminToken    string
	Clicks        int // how many visitors' requests to send; 0: 400
}

// Demo is what was made, for showing to a person.
type Demo struct {
	PostbackSecret string
	ReportsToken   string // may read reports only
	Slug           string // a link to try
	Affiliates     int
	Links          int
	Clicks         int
	Conversions    int
}

const (
	defaultClicks  = 400
	maxAnswer      = 1 << 20
	requestTimeout = 10 * time.Second
	settleTimeout  = 30 * time.Second
	seed           = 20200401
)

// seeder talks to one system. Its random numbers are the same in every run.
type seeder struct {
	Options
	client *http.Client
	random *rand.Rand
	secret string
}

// Seed makes the demo business. It is meant for an empty system and stops at the first error.
func Seed(ctx context.Context, o Options) (Demo, error) {
	if o.Clicks == 0 {
		o.Clicks = defaultClicks
	}
	s := &seeder{
		Options: o,
		client: &http.Client{
			Timeout:       requestTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		random: rand.New(rand.NewPCG(seed, seed)),
	}
	d, links, err := s.catalogue(ctx)
	if err != nil {
		return Demo{}, fmt.Errorf("make demo catalogue: %w", err)
	}
	d.Slug = links[0].slug
	for i := range o.Clicks {
		id, err := s.visit(ctx, links)
		if err != nil {
			return Demo{}, fmt.Errorf("make demo click: %w", err)
		}
		d.Clicks++
		n, err := s.convert(ctx, i, id)
		if err != nil {
			return Demo{}, fmt.Errorf("make demo conversion: %w", err)
		}
		d.Conversions += n
	}
	if err := s.settle(ctx, d); err != nil {
		return Demo{}, fmt.Errorf("wait for the demo's figures: %w", err)
	}
	return d, nil
}

// settle waits until the reports show every click and conversion, so that the first look finds them.
func (s *seeder) settle(ctx context.Context, d Demo) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	now := time.Now()
	query := url.Values{"from": {now.Add(-time.Hour).UTC().Format(time.RFC3339)}, "to": {now.Add(time.Hour).UTC().Format(time.RFC3339)}}
	for {
		var figures struct {
			Total struct{ Clicks, Leads, Sales, Refunds int } `json:"total"`
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Core+"/api/v1/reports?"+query.Encode(), nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+s.AdminToken)
		if err := s.do(req, &figures); err != nil {
			return err
		}
		if t := figures.Total; t.Clicks >= d.Clicks && t.Leads+t.Sales+t.Refunds >= d.Conversions {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

type object = map[string]any

type demoLink struct {
	slug   string
	weight float64
}

// catalogue makes one program with its rules, its affiliates and their links.
func (s *seeder) catalogue(ctx context.Context) (Demo, []demoLink, error) {
	var program struct {
		ID             string `json:"id"`
		PostbackSecret string `json:"postback_secret"`
	}
	if err := s.post(ctx, "/programs", object{
		"name": "Demo: online trainings", "currency": "INR", "attribution_window_days": 30, "hold_days": 15,
		"allowed_hosts": []string{"trainings.example.com"}, "fallback_url": "https://trainings.example.com/",
		"browser_conversions": "leads",
	}, &program); err != nil {
		return Demo{}, nil, err
	}
	s.secret = program.PostbackSecret
	for _, rule := range []object{
		{"program_id": program.ID, "on": "sale", "percent_bp": 7500},
		{"program_id": program.ID, "on": "lead", "flat": money.Amount{Minor: 2000, Currency: "INR"}},
	} {
		if err := s.post(ctx, "/commission-rules", rule, nil); err != nil {
			return Demo{}, nil, err
		}
	}
	var present struct{ Items []struct{ ID, Email string } }
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Core+"/api/v1/affiliates?limit=100", nil)
	if err != nil {
		return Demo{}, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.AdminToken)
	if err := s.do(req, &present); err != nil {
		return Demo{}, nil, err
	}
	d := Demo{PostbackSecret: s.secret, Affiliates: len(people)}
	var links []demoLink
	for i, person := range people {
		var affiliate struct {
			ID string `json:"id"`
		}
		for _, a := range present.Items {
			if strings.HasPrefix(a.Email, person.slug+"@") {
				affiliate.ID = a.ID
			}
		}
		if affiliate.ID == "" {
			if err := s.post(ctx, "/affiliates", object{"name": person.name, "email": person.slug + "@example.com"}, &affiliate); err != nil {
				return Demo{}, nil, err
			}
		}
		for j, training := range trainings {
			if j > 0 && (i+j)%3 == 0 {
				continue // not everybody promotes everything
			}
			slug := person.slug + "-" + training
			if len(links) == 0 {
				slug = "demo"
			}
			if err := s.post(ctx, "/links", object{
				"affiliate_id": affiliate.ID, "program_id": program.ID, "slug": slug,
				"destination": "https://trainings.example.com/" + training + "?utm_source=" + person.slug,
			}, nil); err != nil {
				return Demo{}, nil, err
			}
			// A few people bring most of the visitors.
			links = append(links, demoLink{slug: slug, weight: 1 / float64((i+1)*(j+1))})
		}
	}
	d.Links = len(links)
	var token struct {
		Secret string `json:"secret"`
	}
	if err := s.post(ctx, "/tokens", object{"name": "demo: reports only", "scopes": []string{"reports:read"}}, &token); err != nil {
		return Demo{}, nil, err
	}
	d.ReportsToken = token.Secret
	return d, links, nil
}

// visit follows a link as a visitor would and returns the Click ID.
func (s *seeder) visit(ctx context.Context, links []demoLink) (string, error) {
	v := visitors[s.random.IntN(len(visitors))]
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Tracker+"/"+s.pick(links)+"?sub1="+placements[s.random.IntN(len(placements))], nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("User-Agent", v.agent)
	req.Header.Set("Accept-Language", v.language)
	req.Header.Set("CF-IPCountry", v.country)
	req.Header.Set("CF-Connecting-IP", fmt.Sprintf("203.0.113.%d", s.random.IntN(250)+1))
	if referrer := referrers[s.random.IntN(len(referrers))]; referrer != "" {
		req.Header.Set("Referer", referrer)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		return "", fmt.Errorf("%s answered %s", req.URL, resp.Status)
	}
	target, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		return "", err
	}
	id := target.Query().Get("click_id")
	if id == "" {
		return "", errors.New("redirect without a Click ID: see edgeref_tracker_clicks_refused_total")
	}
	return id, nil
}

func (s *seeder) pick(links []demoLink) string {
	total := 0.0
	for _, l := range links {
		total += l.weight
	}
	x := s.random.Float64() * total
	for _, l := range links {
		if x -= l.weight; x < 0 {
			return l.slug
		}
	}
	return links[0].slug
}

// convert lets some clicks become leads, some of those sales, and a few sales come back.
func (s *seeder) convert(ctx context.Context, n int, clickID string) (int, error) {
	roll, sent := s.random.IntN(100), 0
	send := func(v url.Values) error {
		v.Set("click_id", clickID)
		v.Set("secret", s.secret)
		sent++
		return s.postback(ctx, v)
	}
	if roll < 8 {
		if err := send(url.Values{"status": {"lead"}, "txid": {fmt.Sprintf("signup-%d", n)}}); err != nil {
			return sent, err
		}
	}
	order := fmt.Sprintf("order-%d", n)
	if roll < 4 {
		price := prices[s.random.IntN(len(prices))]
		if err := send(url.Values{"status": {"sale"}, "txid": {order}, "amount": {price}, "currency": {"INR"}}); err != nil {
			return sent, err
		}
	}
	if roll == 0 {
		if err := send(url.Values{"status": {"refund"}, "txid": {"refund-" + order}, "ref_txid": {order}, "amount": {"500.00"}, "currency": {"INR"}}); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

func (s *seeder) postback(ctx context.Context, v url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Tracker+"/postback", strings.NewReader(v.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(req, nil)
}

func (s *seeder) post(ctx context.Context, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Core+"/api/v1"+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.AdminToken)
	return s.do(req, out)
}

func (s *seeder) do(req *http.Request, out any) error {
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s answered %s: %s", req.Method, req.URL.Path, resp.Status, bytes.TrimSpace(b))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}
