package conversion

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/edgeref/edgeref/core/attribution"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// lockSubject makes sure that nothing else about the same merchant transaction is booked until tx ends.
func lockSubject(ctx context.Context, tx *db.Tx, programID int64, subject string) error {
	_, err := tx.Exec(ctx, "INSERT INTO conversion_subjects (program_id, subject) VALUES (?, ?)"+
		tx.Dialect().Upsert([]string{"program_id", "subject"}), programID, subject)
	if err != nil {
		return fmt.Errorf("lock subject: %w", err)
	}
	return nil
}

// readFamily returns all conversions about a subject, oldest first.
func readFamily(ctx context.Context, tx *db.Tx, programID int64, subject string) ([]Conversion, error) {
	list, err := read(ctx, tx, "program_id = ? AND subject = ? ORDER BY id", programID, subject)
	if err != nil {
		return nil, fmt.Errorf("read conversions about the same subject: %w", err)
	}
	return list, nil
}

func readKey(ctx context.Context, q db.Querier, programID int64, kind wire.Type, txnID string) (*Conversion, error) {
	list, err := read(ctx, q, "program_id = ? AND type = ? AND txn_id = ?", programID, kind, txnID)
	if err == nil && len(list) == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return nil, fmt.Errorf("read conversion: %w", err)
	}
	return &list[0], nil
}

// insert claims the key and stores c; false: the key is taken.
func insert(ctx context.Context, tx *db.Tx, c *Conversion) (bool, error) {
	explanation, err := json.Marshal(c.Attribution)
	if err != nil {
		return false, fmt.Errorf("explain attribution: %w", err)
	}
	var amount money.Amount
	if c.Amount != nil {
		amount = *c.Amount
	}
	clickID := ""
	if !c.ClickID.IsZero() {
		clickID = c.ClickID.String()
	}
	claimed, err := tx.TryInsert(ctx, `INSERT INTO conversions (id, program_id, type, txn_id, subject, hash, click_id, amount_minor, currency,
		name, channel, node, received_at, booked_at, state, reason, affiliate_id, link_id, attribution, explanation, no_commission,
		refunded_minor, refunded_currency, closed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, '', 0)`,
		c.ID, c.ProgramID, c.Type, c.TxnID, c.Subject, c.hash, clickID, amount.Minor, amount.Currency,
		c.Name, c.Channel, c.Node, c.ReceivedAt, c.BookedAt, c.State, c.Reason, c.AffiliateID, c.LinkID, c.Attribution.Reason, string(explanation))
	if err != nil {
		return false, fmt.Errorf("store conversion: %w", err)
	}
	return claimed, nil
}

// updateTaking stores what became of a refund or rejection.
func updateTaking(ctx context.Context, tx *db.Tx, c *Conversion) error {
	explanation, err := json.Marshal(c.Attribution)
	if err != nil {
		return fmt.Errorf("explain attribution: %w", err)
	}
	_, err = tx.Exec(ctx, `UPDATE conversions SET state = ?, reason = ?, affiliate_id = ?, link_id = ?, attribution = ?, explanation = ?,
		refunded_minor = ?, refunded_currency = ? WHERE id = ?`,
		c.State, c.Reason, c.AffiliateID, c.LinkID, c.Attribution.Reason, string(explanation), c.refunded(), c.refundedIn(), c.ID)
	if err != nil {
		return fmt.Errorf("update %s: %w", c.Type, err)
	}
	return nil
}

// updateTaken stores what is left of a sale or lead.
func updateTaken(ctx context.Context, tx *db.Tx, c *Conversion) error {
	_, err := tx.Exec(ctx, "UPDATE conversions SET refunded_minor = ?, refunded_currency = ?, closed = ? WHERE id = ?",
		c.refunded(), c.refundedIn(), c.Closed, c.ID)
	if err != nil {
		return fmt.Errorf("update what is left of a %s: %w", c.Type, err)
	}
	return nil
}

func (c *Conversion) refundedIn() string {
	if c.Refunded == nil {
		return ""
	}
	return c.Refunded.Currency
}

func updateNoCommission(ctx context.Context, tx *db.Tx, c *Conversion) error {
	if _, err := tx.Exec(ctx, "UPDATE conversions SET no_commission = ? WHERE id = ?", c.NoCommission, c.ID); err != nil {
		return fmt.Errorf("note that there is no commission: %w", err)
	}
	return nil
}

// readTerms reads the catalogue inside tx: what is booked fits what is committed at that moment. It returns nil where
// there is no such program.
func readTerms(ctx context.Context, tx *db.Tx, programID, linkID int64) (*terms, error) {
	var windowDays, holdDays int64
	var model string
	var stored []byte
	var link struct {
		id, affiliate, program, disabledAt sql.NullInt64
		affiliateStatus                    sql.NullString
	}
	err := tx.QueryRow(ctx, `SELECT p.attribution_window_days, p.attribution_model, p.hold_days, p.terms, l.id, l.affiliate_id, l.program_id, l.disabled_at, a.status
		FROM programs p LEFT JOIN links l ON l.id = ? LEFT JOIN affiliates a ON a.id = l.affiliate_id WHERE p.id = ?`, linkID, programID).
		Scan(&windowDays, &model, &holdDays, &stored, &link.id, &link.affiliate, &link.program, &link.disabledAt, &link.affiliateStatus)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read program and link: %w", err)
	}
	t := &terms{hold: attribution.Days(holdDays)}
	if t.Terms, err = catalog.ParseTerms(stored); err != nil {
		return nil, err
	}
	t.policy = attribution.PolicyOf(windowDays, model, &t.Terms)
	if link.id.Valid && link.affiliateStatus.Valid {
		t.link = &attribution.Link{
			ID: link.id.Int64, AffiliateID: link.affiliate.Int64, ProgramID: link.program.Int64,
			DisabledAt: link.disabledAt.Int64, Suspended: link.affiliateStatus.String != "active",
		}
	}
	return t, nil
}

// keep stores the event for review, once for each distinct one, and returns its identifier.
func (b *booking) keep(ctx context.Context, detail string) (string, error) {
	e := b.event
	text, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("keep event for review: %w", err)
	}
	hash := e.Hash()
	// The event may be of any form here, the columns are not.
	kind, txnID := clip(string(e.Type), 8), clip(e.TxnID, wire.MaxText)
	id := b.s.ids.New()
	kept, err := b.tx.TryInsert(ctx, `INSERT INTO conversion_conflicts (id, program_id, type, txn_id, hash, event, detail, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, id, e.ProgramID, kind, txnID, hash[:], string(text), clip(detail, 1024), b.now)
	if err == nil && !kept {
		err = b.tx.QueryRow(ctx, "SELECT id FROM conversion_conflicts WHERE program_id = ? AND type = ? AND txn_id = ? AND hash = ?",
			e.ProgramID, kind, txnID, hash[:]).Scan(&id)
	}
	if err != nil {
		return "", fmt.Errorf("keep event for review: %w", err)
	}
	return ident.Format(ident.Conflict, id), nil
}

func clip(s string, limit int) string {
	return strings.ToValidUTF8(s[:min(len(s), limit)], "")
}

func read(ctx context.Context, q db.Querier, rest string, args ...any) ([]Conversion, error) {
	rows, err := q.Query(ctx, `SELECT id, program_id, type, txn_id, subject, hash, click_id, amount_minor, currency, name, channel, node,
		received_at, booked_at, state, reason, affiliate_id, link_id, explanation, no_commission, refunded_minor, refunded_currency, closed
		FROM conversions WHERE `+rest, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Conversion
	for rows.Next() {
		var c Conversion
		var amount, refunded money.Amount
		var clickID, explanation []byte
		if err := rows.Scan(&c.ID, &c.ProgramID, &c.Type, &c.TxnID, &c.Subject, &c.hash, &clickID, &amount.Minor, &amount.Currency, &c.Name, &c.Channel,
			&c.Node, &c.ReceivedAt, &c.BookedAt, &c.State, &c.Reason, &c.AffiliateID, &c.LinkID, &explanation, &c.NoCommission, &refunded.Minor, &refunded.Currency, &c.Closed); err != nil {
			return nil, err
		}
		if amount.Currency != "" {
			c.Amount = &amount
		}
		if refunded.Currency != "" {
			c.Refunded = &refunded
		}
		if err := errors.Join(c.ClickID.UnmarshalText(clickID), json.Unmarshal(explanation, &c.Attribution)); err != nil {
			return nil, fmt.Errorf("conversion %d: %w", c.ID, err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// updateOwner stores to whom a sale or lead belongs, and why.
func updateOwner(ctx context.Context, tx *db.Tx, c *Conversion) error {
	explanation, err := json.Marshal(c.Attribution)
	if err != nil {
		return fmt.Errorf("explain attribution: %w", err)
	}
	_, err = tx.Exec(ctx, "UPDATE conversions SET affiliate_id = ?, link_id = ?, attribution = ?, explanation = ?, no_commission = ? WHERE id = ?",
		c.AffiliateID, c.LinkID, c.Attribution.Reason, string(explanation), c.NoCommission, c.ID)
	if err != nil {
		return fmt.Errorf("assign conversion: %w", err)
	}
	return nil
}
