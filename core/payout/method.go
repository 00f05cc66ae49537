package payout

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/core/tax"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Method is where an affiliate is paid in one currency, as it may be shown.
type Method struct {
	ID          int64
	AffiliateID int64
	Currency    string
	Kind        Kind
	Country     string
	Masked      string
	InUse       bool
	FrozenUntil int64 // Unix ms; nothing is paid before
	SharedOK    bool  // finance lets another affiliate use the same account
	Shared      bool  // another affiliate uses the same account
	CreatedAt   int64 // Unix ms
	EndedAt     int64 // Unix ms; 0: it is in use
}

// SetMethod makes an account the one at which an affiliate is paid in a currency. Nothing is paid to it while it is
// frozen, the first one of an affiliate included: whoever took over the account of an affiliate must wait, and the
// affiliate hears of it. then runs at the end of the transaction. Errors: *InvalidError, ErrMethodExists, ErrNotFound.
func (s *Service) SetMethod(ctx context.Context, affiliateID int64, currency string, d Destination, then func(*db.Tx, Method) error) (m Method, err error) {
	if d, err = d.Normalize(); err != nil {
		return Method{}, err
	}
	if _, err := money.Decimals(currency); err != nil {
		return Method{}, &InvalidError{"currency", "must be an ISO 4217 code"}
	}
	if !d.Kind.Pays(currency) {
		return Method{}, &InvalidError{"currency", "cannot be paid to an account of this kind"}
	}
	now := s.now()
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		m = Method{
			ID: s.ids.New(), AffiliateID: affiliateID, Currency: currency, Kind: d.Kind, Country: d.Country(), Masked: d.Masked(), InUse: true,
			FrozenUntil: now.Add(s.policy.MethodFreeze).UnixMilli(), CreatedAt: now.UnixMilli(),
		}
		// The affiliate's row serializes changes of its methods.
		var exists int64
		if err := tx.QueryRow(ctx, "SELECT id FROM affiliates WHERE id = ?"+tx.Dialect().ForUpdate(), affiliateID).Scan(&exists); err != nil {
			if db.IsNoRows(err) {
				return ErrNotFound
			}
			return fmt.Errorf("lock affiliate: %w", err)
		}
		print, err := s.fingerprint(ctx, tx, d.identity())
		if err != nil {
			return err
		}
		before, err := methodInUse(ctx, tx, affiliateID, currency)
		if err != nil {
			return err
		}
		if before != nil {
			if before.fingerprint == print {
				return ErrMethodExists
			}
			if err := endMethod(ctx, tx, before.ID, now); err != nil {
				return err
			}
		}
		sealed, err := s.sealDestination(m.ID, d)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO payout_methods (id, affiliate_id, currency, kind, country, sealed, masked, fingerprint, slot, frozen_until,
			shared_ok, created_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0, ?, 0)`,
			m.ID, m.AffiliateID, m.Currency, m.Kind, m.Country, sealed, m.Masked, print, m.FrozenUntil, m.CreatedAt)
		if err != nil {
			return fmt.Errorf("make payout method: %w", err)
		}
		if err := s.methodChanged(ctx, tx, "payout_method.set", before, &m); err != nil {
			return err
		}
		if then != nil {
			return then(tx, m)
		}
		return nil
	})
	return m, err
}

// RemoveMethod ends an affiliate's method: nothing is paid in its currency until there is another.
func (s *Service) RemoveMethod(ctx context.Context, affiliateID, id int64) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		list, err := readMethods(ctx, tx, "m.id = ? AND m.affiliate_id = ? AND m.slot = 0"+tx.Dialect().ForUpdate(), id, affiliateID)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return ErrNotFound
		}
		if err := endMethod(ctx, tx, id, s.now()); err != nil {
			return err
		}
		return s.methodChanged(ctx, tx, "payout_method.remove", &list[0], nil)
	})
}

// AllowShared lets, or no longer lets, a method's account be that of another affiliate too.
func (s *Service) AllowShared(ctx context.Context, id int64, allow bool, reason string, then func(*db.Tx, Method) error) (m Method, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		list, err := readMethods(ctx, tx, "m.id = ?"+tx.Dialect().ForUpdate(), id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return ErrNotFound
		}
		flag := 0
		if allow {
			flag = 1
		}
		if _, err := tx.Exec(ctx, "UPDATE payout_methods SET shared_ok = ? WHERE id = ?", flag, id); err != nil {
			return fmt.Errorf("change payout method: %w", err)
		}
		m = list[0].Method
		before := m.SharedOK
		m.SharedOK = allow
		err = s.record(ctx, tx, "payout_method.allow_shared", ident.Format(ident.PayoutMethod, id), reason, map[string]bool{"shared_ok": before}, map[string]bool{"shared_ok": allow})
		if err == nil && then != nil {
			err = then(tx, m)
		}
		return err
	})
	return m, err
}

// methodChanged tells the audit log and the affiliate.
func (s *Service) methodChanged(ctx context.Context, tx *db.Tx, action string, before *keptMethod, after *Method) error {
	show := func(m *Method) any {
		return map[string]any{"currency": m.Currency, "kind": m.Kind, "account": m.Masked, "frozen_until": time.UnixMilli(m.FrozenUntil).UTC()}
	}
	var was, is any
	letter := mail.Message{Template: "payout_method_changed", Data: map[string]string{"Before": "", "After": "", "Until": ""}}
	subject := after
	if before != nil {
		was, letter.Data["Before"] = show(&before.Method), before.Masked
		subject = &before.Method
	}
	if after != nil {
		is, letter.Data["After"], subject = show(after), after.Masked, after
		letter.Times = map[string]int64{"Until": after.FrozenUntil}
	}
	letter.Data["Currency"], letter.Key = subject.Currency, action+" "+ident.Format(ident.PayoutMethod, subject.ID)
	if err := s.record(ctx, tx, action, ident.Format(ident.PayoutMethod, subject.ID), "", was, is); err != nil {
		return err
	}
	return s.tell(ctx, tx, subject.AffiliateID, letter)
}

func endMethod(ctx context.Context, tx *db.Tx, id int64, now time.Time) error {
	if _, err := tx.Exec(ctx, "UPDATE payout_methods SET slot = id, ended_at = ? WHERE id = ? AND slot = 0", now.UnixMilli(), id); err != nil {
		return fmt.Errorf("end payout method: %w", err)
	}
	return nil
}

// keptMethod is a method with what is not shown.
type keptMethod struct {
	Method
	fingerprint string
}

// methodInUse is nil where there is none.
func methodInUse(ctx context.Context, q db.Querier, affiliateID int64, currency string) (*keptMethod, error) {
	list, err := readMethods(ctx, q, "m.affiliate_id = ? AND m.currency = ? AND m.slot = 0", affiliateID, currency)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// readMethods reads methods m.
func readMethods(ctx context.Context, q db.Querier, rest string, args ...any) ([]keptMethod, error) {
	rows, err := q.Query(ctx, `SELECT m.id, m.affiliate_id, m.currency, m.kind, m.country, m.masked, m.fingerprint, m.slot, m.frozen_until, m.shared_ok,
		m.created_at, m.ended_at FROM payout_methods m WHERE `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read payout methods: %w", err)
	}
	defer rows.Close()
	var out []keptMethod
	for rows.Next() {
		var m keptMethod
		var slot, shared int64
		if err := rows.Scan(&m.ID, &m.AffiliateID, &m.Currency, &m.Kind, &m.Country, &m.Masked, &m.fingerprint, &slot, &m.FrozenUntil, &shared,
			&m.CreatedAt, &m.EndedAt); err != nil {
			return nil, fmt.Errorf("read payout methods: %w", err)
		}
		m.InUse, m.SharedOK = slot == 0, shared != 0
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read payout methods: %w", err)
	}
	return out, nil
}

// sharedWith names other affiliates who use the same account.
func sharedWith(ctx context.Context, q db.Querier, m *keptMethod) ([]int64, error) {
	return readIDs(ctx, q, "SELECT affiliate_id FROM payout_methods WHERE fingerprint = ? AND slot = 0 AND affiliate_id <> ? ORDER BY affiliate_id LIMIT 10", m.fingerprint, m.AffiliateID)
}

func readIDs(ctx context.Context, q db.Querier, query string, args ...any) ([]int64, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// MethodFilter selects methods.
type MethodFilter struct {
	AffiliateID int64 // 0: all
	InUse       bool  // only those in use
	Before      int64 // with an ID below this one; 0: from the newest
	Limit       int
}

// Methods returns methods, the newest first.
func (s *Service) Methods(ctx context.Context, f MethodFilter) ([]Method, error) {
	var where []string
	var args []any
	if f.AffiliateID != 0 {
		where, args = append(where, "m.affiliate_id = ?"), append(args, f.AffiliateID)
	}
	if f.InUse {
		where = append(where, "m.slot = 0")
	}
	if f.Before == 0 {
		f.Before = math.MaxInt64
	}
	where, args = append(where, "m.id < ?"), append(args, f.Before)
	list, err := readMethods(ctx, s.db, strings.Join(where, " AND ")+" ORDER BY m.id DESC LIMIT ?", append(args, f.Limit)...)
	if err != nil {
		return nil, err
	}
	out := make([]Method, len(list))
	for i := range list {
		if list[i].InUse {
			others, err := sharedWith(ctx, s.db, &list[i])
			if err != nil {
				return nil, fmt.Errorf("look for the same account: %w", err)
			}
			list[i].Shared = len(others) > 0
		}
		out[i] = list[i].Method
	}
	return out, nil
}

// TaxProfile is what is known of an affiliate for tax, as it may be shown.
type TaxProfile struct {
	AffiliateID int64
	Country     string
	Masked      string // of the tax identity; empty: none was given
	UpdatedAt   int64  // Unix ms
}

// SetTaxProfile says where an affiliate pays tax, and its identity there; an empty one removes it. Errors:
// *tax.InvalidError, ErrNotFound.
func (s *Service) SetTaxProfile(ctx context.Context, affiliateID int64, country, identity string, then func(*db.Tx, TaxProfile) error) (p TaxProfile, err error) {
	if !tax.ValidCountry(country) {
		return p, &tax.InvalidError{Field: "country", Reason: "must be two capital letters (ISO 3166-1)"}
	}
	if identity != "" {
		if identity, err = tax.ParseIdentity(country, identity); err != nil {
			return p, err
		}
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		var exists int64
		if err := tx.QueryRow(ctx, "SELECT id FROM affiliates WHERE id = ?"+tx.Dialect().ForUpdate(), affiliateID).Scan(&exists); err != nil {
			if db.IsNoRows(err) {
				return ErrNotFound
			}
			return fmt.Errorf("lock affiliate: %w", err)
		}
		before, err := taxProfile(ctx, tx, affiliateID)
		if err != nil {
			return err
		}
		p = TaxProfile{AffiliateID: affiliateID, Country: country, UpdatedAt: s.now().UnixMilli()}
		sealed, print := "", ""
		if identity != "" {
			p.Masked = tax.Mask(identity)
			if sealed, err = s.opts.Ring.Seal([]byte(identity), profileContext(affiliateID)); err != nil {
				return err
			}
			if print, err = s.fingerprint(ctx, tx, "tax\x00"+country+"\x00"+identity); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, "INSERT INTO payee_tax_profiles (affiliate_id, country, sealed, masked, fingerprint, updated_at) VALUES (?, ?, ?, ?, ?, ?)"+
			tx.Dialect().Upsert([]string{"affiliate_id"}, "country", "sealed", "masked", "fingerprint", "updated_at"),
			affiliateID, country, sealed, p.Masked, print, p.UpdatedAt)
		if err != nil {
			return fmt.Errorf("keep tax profile: %w", err)
		}
		show := func(p TaxProfile) any { return map[string]string{"country": p.Country, "tax_id": p.Masked} }
		if err := s.record(ctx, tx, "tax_profile.set", ident.Format(ident.Affiliate, affiliateID), "", show(before), show(p)); err != nil {
			return err
		}
		if then != nil {
			return then(tx, p)
		}
		return nil
	})
	return p, err
}

// TaxProfileOf returns what is known of an affiliate for tax; the zero profile where nothing is.
func (s *Service) TaxProfileOf(ctx context.Context, affiliateID int64) (TaxProfile, error) {
	return taxProfile(ctx, s.db, affiliateID)
}

func taxProfile(ctx context.Context, q db.Querier, affiliateID int64) (p TaxProfile, err error) {
	err = q.QueryRow(ctx, "SELECT affiliate_id, country, masked, updated_at FROM payee_tax_profiles WHERE affiliate_id = ?", affiliateID).
		Scan(&p.AffiliateID, &p.Country, &p.Masked, &p.UpdatedAt)
	if db.IsNoRows(err) {
		return TaxProfile{AffiliateID: affiliateID}, nil
	}
	if err != nil {
		return p, fmt.Errorf("read tax profile: %w", err)
	}
	return p, nil
}
