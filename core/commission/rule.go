package commission

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

// Errors about rules, for errors.Is.
var (
	ErrRule         = errors.New("invalid commission rule")
	ErrRuleExists   = errors.New("a rule for this program, affiliate, group, product and trigger exists already; change it, or end it first")
	ErrRuleNotFound = errors.New("no such commission rule")
	ErrRuleEnded    = errors.New("the commission rule has ended")
	ErrNoProgram    = fmt.Errorf("%w: there is no such program", ErrRule)
	ErrNoAffiliate  = fmt.Errorf("%w: there is no such affiliate", ErrRule)
	ErrNoGroup      = fmt.Errorf("%w: there is no such group of affiliates", ErrRule)
)

// NewRule is a rule to be made.
type NewRule struct {
	ProgramID   int64
	AffiliateID int64 // 0: every affiliate of the program
	GroupID     int64 // 0: every group; not beside an affiliate
	ProductID   int64 // 0: every product
	On          conversion.Type
	Terms       Terms
}

// Rule is a rule in its newest version.
type Rule struct {
	ID          int64
	ProgramID   int64
	AffiliateID int64 // 0: every affiliate of the program
	GroupID     int64 // 0: every group
	ProductID   int64 // 0: every product
	On          conversion.Type
	Version     int64
	Terms       Terms
	CreatedAt   int64 // Unix ms
	ValidFrom   int64 // Unix ms, of the version
	EndedAt     int64 // Unix ms; 0: live
}

// CreateRule makes a rule. While it lives, a second one for the same program, affiliate, group, product and trigger is
// refused with ErrRuleExists, so it is never open which of two applies: all others differ in rank, see Rule.rank. The functions in also run in the same transaction.
func (s *Service) CreateRule(ctx context.Context, in NewRule, also ...func(*db.Tx, Rule) error) (Rule, error) {
	if err := in.validate(); err != nil {
		return Rule{}, err
	}
	now := s.now().UnixMilli()
	r := Rule{
		ID: s.ids.New(), ProgramID: in.ProgramID, AffiliateID: in.AffiliateID, GroupID: in.GroupID, ProductID: in.ProductID, On: in.On,
		Version: 1, Terms: in.Terms, CreatedAt: now, ValidFrom: now,
	}
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := in.checkParties(ctx, tx); err != nil {
			return err
		}
		made, err := tx.TryInsert(ctx, `INSERT INTO commission_rules (id, program_id, affiliate_id, group_id, product_id, trigger_type, version, created_at, ended_at, live)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 1)`, r.ID, r.ProgramID, r.AffiliateID, r.GroupID, r.ProductID, r.On, r.Version, r.CreatedAt)
		if err != nil {
			return fmt.Errorf("make commission rule: %w", err)
		}
		if !made {
			return ErrRuleExists
		}
		if err := insertVersion(ctx, tx, r); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Rule{}, err
	}
	return r, nil
}

// validate checks what can be checked without a database.
func (r NewRule) validate() error {
	switch {
	case r.AffiliateID != 0 && r.GroupID != 0:
		return fmt.Errorf("%w: it is for an affiliate or for a group, not for both", ErrRule)
	case r.ProductID != 0 && r.On == conversion.Lead:
		return fmt.Errorf("%w: a lead has no product", ErrRule)
	}
	return r.Terms.validate(r.On)
}

// checkParties makes sure that program, affiliate and group exist; none is ever deleted.
func (r NewRule) checkParties(ctx context.Context, q db.Querier) error {
	var program, affiliate, group bool
	err := q.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM programs WHERE id = ?), EXISTS (SELECT 1 FROM affiliates WHERE id = ?),
		EXISTS (SELECT 1 FROM affiliate_groups WHERE id = ?)`, r.ProgramID, r.AffiliateID, r.GroupID).Scan(&program, &affiliate, &group)
	switch {
	case err != nil:
		return fmt.Errorf("look for the parties of a rule: %w", err)
	case !program:
		return ErrNoProgram
	case !affiliate && r.AffiliateID != 0:
		return ErrNoAffiliate
	case !group && r.GroupID != 0:
		return ErrNoGroup
	}
	return nil
}

// ChangeRule adds a version with other terms, valid from now. Commissions made before keep theirs. The functions in also
// run in the same transaction.
func (s *Service) ChangeRule(ctx context.Context, id int64, terms Terms, also ...func(tx *db.Tx, before, after Rule) error) (Rule, error) {
	var r Rule
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		var err error
		if r, err = lockRule(ctx, tx, id); err != nil {
			return err
		}
		if err := terms.validate(r.On); err != nil {
			return err
		}
		before := r
		r.Version, r.Terms, r.ValidFrom = r.Version+1, terms, max(s.now().UnixMilli(), r.ValidFrom)
		if _, err := tx.Exec(ctx, "UPDATE commission_rules SET version = ? WHERE id = ?", r.Version, id); err != nil {
			return fmt.Errorf("change commission rule: %w", err)
		}
		if err := insertVersion(ctx, tx, r); err != nil {
			return err
		}
		for _, fn := range also {
			if err := fn(tx, before, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Rule{}, err
	}
	return r, nil
}

// EndRule ends a rule. It stays readable, and commissions made by it stay. The functions in also run in the same
// transaction, with the rule as it was.
func (s *Service) EndRule(ctx context.Context, id int64, also ...func(*db.Tx, Rule) error) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		r, err := lockRule(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE commission_rules SET ended_at = ?, live = NULL WHERE id = ?", s.now().UnixMilli(), id); err != nil {
			return fmt.Errorf("end commission rule: %w", err)
		}
		for _, fn := range also {
			if err := fn(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// Rule returns one rule, or ErrRuleNotFound.
func (s *Service) Rule(ctx context.Context, id int64) (Rule, error) {
	return oneRule(ctx, s.db, id, "")
}

// RuleFilter selects rules.
type RuleFilter struct {
	ProgramID   int64 // 0: all
	AffiliateID int64 // 0: all
	GroupID     int64 // 0: all
	ProductID   int64 // 0: all
	Ended       bool  // ended ones too
	Before      int64 // with an ID below this one; 0: from the newest
	Limit       int   // at least 1
}

// Rules returns rules in their newest versions, newest rule first.
func (s *Service) Rules(ctx context.Context, f RuleFilter) ([]Rule, error) {
	where, args := "1 = 1", []any(nil)
	and := func(condition string, arg int64) {
		where, args = where+" AND "+condition, append(args, arg)
	}
	if f.ProgramID != 0 {
		and("r.program_id = ?", f.ProgramID)
	}
	if f.AffiliateID != 0 {
		and("r.affiliate_id = ?", f.AffiliateID)
	}
	if f.GroupID != 0 {
		and("r.group_id = ?", f.GroupID)
	}
	if f.ProductID != 0 {
		and("r.product_id = ?", f.ProductID)
	}
	if f.Before != 0 {
		and("r.id < ?", f.Before)
	}
	if !f.Ended {
		where += " AND r.live = 1"
	}
	rules, err := readRules(ctx, s.db, newest+" WHERE "+where+" ORDER BY r.id DESC LIMIT ?", append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list commission rules: %w", err)
	}
	return rules, nil
}

const (
	ruleColumns = `SELECT r.id, r.program_id, r.affiliate_id, r.group_id, r.product_id, r.trigger_type, r.created_at, r.ended_at,
		v.version, v.percent_bp, v.flat_minor, v.flat_currency, v.terms, v.valid_from FROM commission_rules r JOIN commission_rule_versions v ON v.rule_id = r.id`
	newest = ruleColumns + " AND v.version = r.version"
)

func lockRule(ctx context.Context, tx *db.Tx, id int64) (Rule, error) {
	r, err := oneRule(ctx, tx, id, tx.Dialect().ForUpdate())
	if err == nil && r.EndedAt != 0 {
		err = ErrRuleEnded
	}
	return r, err
}

func oneRule(ctx context.Context, q db.Querier, id int64, lock string) (Rule, error) {
	rules, err := readRules(ctx, q, newest+" WHERE r.id = ?"+lock, id)
	if err != nil {
		return Rule{}, fmt.Errorf("read commission rule: %w", err)
	}
	if len(rules) == 0 {
		return Rule{}, ErrRuleNotFound
	}
	return rules[0], nil
}

func insertVersion(ctx context.Context, tx *db.Tx, r Rule) error {
	var flat money.Amount
	if r.Terms.Flat != nil {
		flat = *r.Terms.Flat
	}
	more, err := r.Terms.More.stored()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO commission_rule_versions (rule_id, version, percent_bp, flat_minor, flat_currency, terms, valid_from)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, r.ID, r.Version, r.Terms.PercentBP, flat.Minor, flat.Currency, more, r.ValidFrom)
	if err != nil {
		return fmt.Errorf("add version of commission rule: %w", err)
	}
	return nil
}

func readRules(ctx context.Context, q db.Querier, query string, args ...any) ([]Rule, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Rule
	for rows.Next() {
		var r Rule
		var flat money.Amount
		var more []byte
		if err := rows.Scan(&r.ID, &r.ProgramID, &r.AffiliateID, &r.GroupID, &r.ProductID, &r.On, &r.CreatedAt, &r.EndedAt,
			&r.Version, &r.Terms.PercentBP, &flat.Minor, &flat.Currency, &more, &r.ValidFrom); err != nil {
			return nil, err
		}
		if r.Terms.More, err = parseMore(more); err != nil {
			return nil, fmt.Errorf("commission rule %d: %w", r.ID, err)
		}
		if flat.Currency != "" {
			r.Terms.Flat = &flat
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// rank orders rules that fit the same line, the most specific first: the affiliate's own with the product, the
// affiliate's own, his group's with the product, his group's, the product's, the program's. Two live rules of one rank
// that fit the same line cannot exist: an affiliate is in one group, and the unique key refuses the rest.
func (r *Rule) rank() int {
	rank := 0
	if r.AffiliateID != 0 {
		rank += 4
	}
	if r.GroupID != 0 {
		rank += 2
	}
	if r.ProductID != 0 {
		rank++
	}
	return rank
}

// choose picks from all versions of the rules of one affiliate, for one product, the one that was in force at the time
// at, of the highest rank. Where none was in force yet, the first version of the rule made since then counts, so that a
// conversion which an edge node with a slow clock stamps just before the program's first rule still earns.
func choose(versions []Rule, product, at int64) *Rule {
	newestFirst := slices.SortedFunc(slices.Values(versions), func(a, b Rule) int {
		return cmp.Or(
			cmp.Compare(b.rank(), a.rank()),
			cmp.Compare(b.ValidFrom, a.ValidFrom),
			cmp.Compare(b.ID, a.ID),
			cmp.Compare(b.Version, a.Version),
		)
	})
	for i, v := range newestFirst {
		if v.fits(product) && v.ValidFrom <= at && (v.EndedAt == 0 || at < v.EndedAt) {
			return &newestFirst[i]
		}
	}
	for i, v := range newestFirst {
		if v.fits(product) && v.EndedAt == 0 && v.Version == 1 && v.ValidFrom > at {
			return &newestFirst[i]
		}
	}
	return nil
}

func (r *Rule) fits(product int64) bool { return r.ProductID == 0 || r.ProductID == product }

// RuleVersion returns a rule as one of its versions had it, or ErrRuleNotFound.
func (s *Service) RuleVersion(ctx context.Context, id, version int64) (Rule, error) {
	rules, err := readRules(ctx, s.db, ruleColumns+" WHERE r.id = ? AND v.version = ?", id, version)
	if err != nil {
		return Rule{}, fmt.Errorf("read version of commission rule: %w", err)
	}
	if len(rules) == 0 {
		return Rule{}, ErrRuleNotFound
	}
	return rules[0], nil
}
