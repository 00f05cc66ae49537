package payout

import (
	"context"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// maxRecords bounds what one export shows of each kind, the newest first.
const maxRecords = 10_000

// Records are what payouts keep about an affiliate, for the affiliate to read. Accounts and identities are masked.
type Records struct {
	Methods    []MethodRecord  `json:"methods"`
	TaxCountry string          `json:"tax_country"`
	TaxID      string          `json:"tax_id"`
	Payouts    []PayoutRecord  `json:"payouts"`
	Requests   []RequestRecord `json:"requests"`
}

// MethodRecord is an account that an affiliate gave.
type MethodRecord struct {
	Currency  string    `json:"currency"`
	Kind      Kind      `json:"kind"`
	Account   string    `json:"account"`
	InUse     bool      `json:"in_use"`
	CreatedAt time.Time `json:"created_at"`
}

// PayoutRecord is a payout to the affiliate.
type PayoutRecord struct {
	ID        string       `json:"id"`
	State     State        `json:"state"`
	Gross     money.Amount `json:"gross"`
	Tax       money.Amount `json:"tax"`
	Net       money.Amount `json:"net"`
	Account   string       `json:"account"`
	Reference string       `json:"reference"`
	CreatedAt time.Time    `json:"created_at"`
}

// RequestRecord is a request of the affiliate to be paid.
type RequestRecord struct {
	ID        string       `json:"id"`
	State     RequestState `json:"state"`
	Gross     money.Amount `json:"gross"`
	Reason    string       `json:"reason"`
	CreatedAt time.Time    `json:"created_at"`
}

// ExportAffiliate returns what payouts keep about an affiliate.
func (s *Service) ExportAffiliate(ctx context.Context, affiliateID int64) (r Records, err error) {
	methods, err := s.Methods(ctx, MethodFilter{AffiliateID: affiliateID, Limit: maxRecords})
	if err != nil {
		return r, err
	}
	r.Methods = make([]MethodRecord, 0, len(methods))
	for _, m := range methods {
		r.Methods = append(r.Methods, MethodRecord{m.Currency, m.Kind, m.Masked, m.InUse, time.UnixMilli(m.CreatedAt).UTC()})
	}
	profile, err := s.TaxProfileOf(ctx, affiliateID)
	if err != nil {
		return r, err
	}
	r.TaxCountry, r.TaxID = profile.Country, profile.Masked
	payouts, err := s.Payouts(ctx, Filter{AffiliateID: affiliateID, Limit: maxRecords})
	if err != nil {
		return r, err
	}
	r.Payouts = make([]PayoutRecord, 0, len(payouts))
	for _, p := range payouts {
		in := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: p.Currency} }
		r.Payouts = append(r.Payouts, PayoutRecord{
			ident.Format(ident.Payout, p.ID), p.State, in(p.Gross), in(p.Tax), in(p.Net), p.Masked, p.Reference, time.UnixMilli(p.CreatedAt).UTC(),
		})
	}
	requests, err := s.Requests(ctx, RequestFilter{AffiliateID: affiliateID, Limit: maxRecords})
	if err != nil {
		return r, err
	}
	r.Requests = make([]RequestRecord, 0, len(requests))
	for _, q := range requests {
		r.Requests = append(r.Requests, RequestRecord{
			ident.Format(ident.PayoutRequest, q.ID), q.State, money.Amount{Minor: q.Gross, Currency: q.Currency}, q.Reason, time.UnixMilli(q.CreatedAt).UTC(),
		})
	}
	return r, nil
}

// EraseAffiliate ends the methods and requests of an affiliate who is to be forgotten, and forgets accounts to which nothing was ever
// paid; where nothing was paid at all, the tax identity too. What was paid, to where and with which tax, stays sealed: the
// books must show it.
func (s *Service) EraseAffiliate(ctx context.Context, tx *db.Tx, affiliateID int64) error {
	for _, q := range []struct {
		text string
		args []any
	}{
		{"UPDATE payout_methods SET slot = id, ended_at = ? WHERE affiliate_id = ? AND slot = 0", []any{s.now().UnixMilli(), affiliateID}},
		{"UPDATE payout_methods SET sealed = '', masked = '', fingerprint = '' WHERE affiliate_id = ? AND id NOT IN (SELECT method_id FROM payouts WHERE affiliate_id = ?)",
			[]any{affiliateID, affiliateID}},
		{"UPDATE payout_requests SET state = 'withdrawn', slot = id, updated_at = ? WHERE affiliate_id = ? AND slot = 0", []any{s.now().UnixMilli(), affiliateID}},
		{"UPDATE payout_requests SET reason = '' WHERE affiliate_id = ?", []any{affiliateID}},
		{"DELETE FROM payee_tax_profiles WHERE affiliate_id = ? AND NOT EXISTS (SELECT 1 FROM payouts WHERE affiliate_id = ?)", []any{affiliateID, affiliateID}},
	} {
		if _, err := tx.Exec(ctx, q.text, q.args...); err != nil {
			return fmt.Errorf("forget accounts of an affiliate: %w", err)
		}
	}
	return nil
}
