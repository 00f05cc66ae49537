package commission

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/ledger"
	"github.com/edgeref/edgeref/core/webhook"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/money"
)

// Line is one line of an order.
type Line struct {
	ID        int64
	ProductID int64
	Quantity  int64
	Net       money.Amount
}

// Source is the sale or lead that commissions are for.
type Source struct {
	ConversionID int64
	ProgramID    int64
	AffiliateID  int64
	LinkID       int64
	On           conversion.Type
	Amount       *money.Amount // nil for a lead
	Lines        []Line        // that Amount consists of; none: it is one
	Customer     string        // his key; "": unknown
	At           int64         // Unix ms, when it happened: the rule in force then counts, and the hold begins
	Hold         time.Duration // of the program
	Terms        catalog.Terms // of the program
}

// Earn makes the commissions of a sale or lead in tx, pending: the affiliate's own on each line, and those of his
// sponsors. Where he earns nothing himself, it returns the reason.
func (s *Service) Earn(ctx context.Context, tx *db.Tx, src Source) ([]Commission, string, error) {
	versions, err := rulesFor(ctx, tx, src.ProgramID, src.AffiliateID, src.On)
	if err != nil {
		return nil, "", err
	}
	awards, grown, none, err := calculate(ctx, versions, &src, bookingLookup(tx, &src))
	if err != nil || len(awards) == 0 {
		return nil, none, err
	}
	for _, v := range grown {
		if err := v.write(ctx, tx); err != nil {
			return nil, "", err
		}
	}
	out := make([]Commission, len(awards))
	for i, a := range awards {
		out[i] = s.commissionOf(&src, &a)
	}
	if err := insertCommissions(ctx, tx, out); err != nil {
		return nil, "", err
	}
	for i := range out {
		c := &out[i]
		err := s.post(ctx, tx, c, ledger.CommissionEarned, earnedReason(c), c.ConversionID, c.Amount.Minor,
			ledger.Account{Kind: ledger.Expense}, ledger.Account{Kind: ledger.Pending, OwnerID: c.AffiliateID})
		if err == nil {
			err = s.announce(ctx, tx, c, webhook.CommissionCreated, c.Amount.Minor)
		}
		if err != nil {
			return nil, "", err
		}
	}
	return out, "", nil
}

func earnedReason(c *Commission) string {
	if c.Level > 0 {
		return fmt.Sprintf("commission on a %s, as sponsor of level %d", c.Explanation.On, c.Level)
	}
	return "commission on a " + string(c.Explanation.On)
}

// rulesFor reads all versions of the rules that may pay an affiliate: his own, his group's and the program's.
func rulesFor(ctx context.Context, q db.Querier, program, affiliate int64, on conversion.Type) ([]Rule, error) {
	versions, err := readRules(ctx, q, ruleColumns+` WHERE r.program_id = ? AND r.affiliate_id IN (0, ?) AND r.trigger_type = ?
		AND (r.group_id = 0 OR r.group_id = (SELECT group_id FROM affiliates WHERE id = ?))`, program, affiliate, on, affiliate)
	if err != nil {
		return nil, fmt.Errorf("read commission rules: %w", err)
	}
	return versions, nil
}

func (s *Service) commissionOf(src *Source, a *award) Commission {
	now := s.now().UnixMilli()
	c := Commission{
		ID: s.ids.New(), ConversionID: src.ConversionID, LineID: a.line, Level: a.level, ProgramID: src.ProgramID, AffiliateID: a.affiliate,
		State: Pending, Amount: a.explanation.Result, RuleID: a.rule.ID, RuleVersion: a.rule.Version, Explanation: a.explanation,
		CreatedAt: now, ReleaseAt: src.At + src.hold(a.product).Milliseconds(),
	}
	if a.level == 0 {
		c.LinkID = src.LinkID
	}
	return c
}

// hold is how long a commission on a product is held: the longer of the program's hold and the product's own.
func (src *Source) hold(product int64) time.Duration {
	return max(src.Hold, time.Duration(src.Terms.HoldDays(0, product))*24*time.Hour)
}

func insertCommissions(ctx context.Context, tx *db.Tx, list []Commission) error {
	args := make([]any, 0, 16*len(list))
	for i := range list {
		c := &list[i]
		explanation, err := json.Marshal(c.Explanation)
		if err != nil {
			return fmt.Errorf("explain commission: %w", err)
		}
		args = append(args, c.ID, c.ConversionID, c.LineID, c.Level, c.ProgramID, c.AffiliateID, c.LinkID, c.State, c.Amount.Currency, c.Amount.Minor,
			c.RuleID, c.RuleVersion, string(explanation), c.CreatedAt, c.ReleaseAt)
	}
	_, err := tx.Exec(ctx, `INSERT INTO commissions (id, conversion_id, line_id, level, program_id, affiliate_id, link_id, state, currency, amount_minor,
		rule_id, rule_version, explanation, created_at, release_at, reversed_minor, released_at) VALUES `+
		strings.Repeat(", (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)", len(list))[2:], args...)
	if err != nil {
		return fmt.Errorf("make commissions: %w", err)
	}
	return nil
}

// bookingLookup asks the database inside tx.
func bookingLookup(tx *db.Tx, src *Source) lookup {
	return lookup{
		volume: func(ctx context.Context, rule int64, month int, currency string) (*volume, error) {
			return lockVolume(ctx, tx, rule, src.AffiliateID, month, currency)
		},
		firstSale: func(ctx context.Context, product int64) (int64, bool, error) {
			return firstSale(ctx, tx, src, product)
		},
		upline: func(ctx context.Context, depth int) ([]sponsor, error) {
			return readUpline(ctx, tx, src.AffiliateID, depth)
		},
	}
}

// firstSale is when the customer of src first bought a product in its program, before this sale. Without a product, as in
// sales that come from elsewhere, it is his first sale.
func firstSale(ctx context.Context, q db.Querier, src *Source, product int64) (at int64, found bool, err error) {
	if src.Customer == "" {
		return 0, false, nil
	}
	query, args := `SELECT MIN(c.received_at) FROM conversion_customers k JOIN conversions c ON c.id = k.conversion_id
		WHERE k.program_id = ? AND k.customer = ? AND c.type = 'sale' AND c.state = 'booked' AND c.closed <> 2 AND c.id <> ?`,
		[]any{src.ProgramID, src.Customer, src.ConversionID}
	if product != 0 {
		query, args = query+" AND EXISTS (SELECT 1 FROM conversion_lines l WHERE l.conversion_id = c.id AND l.product_id = ?)", append(args, product)
	}
	var first *int64
	if err := q.QueryRow(ctx, query, args...).Scan(&first); err != nil {
		return 0, false, fmt.Errorf("read the first sale of a customer: %w", err)
	}
	if first == nil {
		return 0, false, nil
	}
	return *first, true, nil
}

// readUpline is who stands above an affiliate, the nearest first.
func readUpline(ctx context.Context, q db.Querier, affiliate int64, depth int) ([]sponsor, error) {
	var out []sponsor
	for range depth {
		var id int64
		var status *string
		err := q.QueryRow(ctx, "SELECT a.sponsor_id, s.status FROM affiliates a LEFT JOIN affiliates s ON s.id = a.sponsor_id WHERE a.id = ?", affiliate).Scan(&id, &status)
		if err != nil && !db.IsNoRows(err) {
			return nil, fmt.Errorf("read sponsors: %w", err)
		}
		if id == 0 {
			break
		}
		out = append(out, sponsor{id: id, suspended: status == nil || *status != "active"})
		affiliate = id
	}
	return out, nil
}

// lockVolume makes the row of a month where there is none, and keeps others from it until tx ends: sales of one affiliate
// that tiers or caps of one rule count therefore queue, and each sees those before it.
func lockVolume(ctx context.Context, tx *db.Tx, rule, affiliate int64, month int, currency string) (*volume, error) {
	v := &volume{rule: rule, affiliate: affiliate, month: month, currency: currency}
	key := []string{"rule_id", "affiliate_id", "month", "currency"}
	_, err := tx.Exec(ctx, `INSERT INTO commission_volumes (rule_id, affiliate_id, month, currency, sales, net_minor, earned_minor)
		VALUES (?, ?, ?, ?, 0, 0, 0)`+tx.Dialect().Upsert(key), rule, affiliate, month, currency)
	if err != nil {
		return nil, fmt.Errorf("lock volume of the month: %w", err)
	}
	err = tx.QueryRow(ctx, `SELECT sales, net_minor, earned_minor FROM commission_volumes
		WHERE rule_id = ? AND affiliate_id = ? AND month = ? AND currency = ?`+tx.Dialect().ForUpdate(), rule, affiliate, month, currency).
		Scan(&v.sales, &v.net, &v.earned)
	if err != nil {
		return nil, fmt.Errorf("lock volume of the month: %w", err)
	}
	return v, nil
}

func (v *volume) write(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, "UPDATE commission_volumes SET sales = ?, net_minor = ?, earned_minor = ? WHERE rule_id = ? AND affiliate_id = ? AND month = ? AND currency = ?",
		v.sales, v.net, v.earned, v.rule, v.affiliate, v.month, v.currency)
	if err != nil {
		return fmt.Errorf("write volume of the month: %w", err)
	}
	return nil
}
