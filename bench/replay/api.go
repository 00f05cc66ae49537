package replay

import (
	"context"
	"fmt"

	"github.com/edgeref/edgeref/bench/system"
	"github.com/edgeref/edgeref/wire/money"
)

type named struct {
	ID string `json:"id"`
}

// create makes the world's programs, affiliates, rules and links, and notes their ids.
func (w *world) create(ctx context.Context, a *system.Client, step func()) error {
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
		if err := a.Post(ctx, "/affiliates", w.Run+"-affiliate-"+email, map[string]any{"name": aff.Name, "email": email}, &made); err != nil {
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
		err := a.Post(ctx, "/links", w.Run+"-link-"+l.Slug, map[string]any{
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

func (w *world) createProgram(ctx context.Context, a *system.Client, p *program) error {
	var made struct {
		named
		PostbackSecret string `json:"postback_secret"`
	}
	err := a.Post(ctx, "/programs", w.Run+"-program-"+p.Name, map[string]any{
		"name": "Replay " + w.Run + " " + p.Name, "currency": p.Currency, "click_param": p.ClickParam,
		"hold_days": 30, "attribution_window_days": 30, "browser_conversions": p.Browser,
	}, &made)
	if err != nil {
		return fmt.Errorf("create program %s: %w", p.Name, err)
	}
	p.ID, p.Secret = made.ID, made.PostbackSecret
	return nil
}

func (w *world) createRules(ctx context.Context, a *system.Client, p *program) error {
	rule := func(on string, term map[string]any) error {
		term["program_id"], term["on"] = p.ID, on
		key := fmt.Sprintf("%s-rule-%s-%s-%v", w.Run, p.Name, on, term["affiliate_id"])
		if err := a.Post(ctx, "/commission-rules", key, term, &named{}); err != nil {
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
