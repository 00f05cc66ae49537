// Package invoice makes the documents that the law asks for: invoices and credit notes, numbered without gaps, frozen as
// they were issued, and drawn as PDF from what was frozen.
package invoice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/money"
)

// ErrNotFound says that there is no such document.
var ErrNotFound = errors.New("no such invoice")

// Kind of a document.
type Kind string

// Kinds.
const (
	KindInvoice    Kind = "invoice"
	KindCreditNote Kind = "credit_note"
)

// Party is who sells or buys.
type Party struct {
	Name    string `json:"name"`
	Address string `json:"address,omitempty"` // lines
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2
	Region  string `json:"region,omitempty"`
	TaxID   string `json:"tax_id,omitempty"`
	Email   string `json:"email,omitempty"`
}

// Line is one line. Amounts are minor units of the document's currency.
type Line struct {
	Name     string `json:"name"`
	SKU      string `json:"sku,omitempty"`
	TaxCode  string `json:"tax_code,omitempty"` // HSN or SAC
	TaxBP    int64  `json:"tax_bp"`
	Discount int64  `json:"discount,omitempty"` // taken off before
	Net      int64  `json:"net"`
	Tax      int64  `json:"tax"`
	CGST     int64  `json:"cgst,omitempty"`
	SGST     int64  `json:"sgst,omitempty"`
	IGST     int64  `json:"igst,omitempty"`
	Gross    int64  `json:"gross"`
}

// Document is what a document is about. Amounts of a credit note are positive too.
type Document struct {
	Kind        Kind   `json:"kind"`
	OrderID     int64  `json:"-"`
	RefID       int64  `json:"-"` // of a credit note: the refund; with order and kind it makes the document one of a kind
	OrderNumber string `json:"order_number"`
	Currency    string `json:"currency"`
	TaxKind     string `json:"tax_kind"` // none, tax, gst_intra, gst_inter or export
	SupplyPlace string `json:"supply_place,omitempty"`
	Buyer       Party  `json:"buyer"`
	Lines       []Line `json:"lines"`
	PaidThrough string `json:"paid_through,omitempty"`
	PaymentID   string `json:"payment_id,omitempty"`
	Against     string `json:"against,omitempty"`      // of a credit note: the number of the invoice
	AgainstDate string `json:"against_date,omitempty"` // its date
	Reason      string `json:"reason,omitempty"`
}

// Snapshot is a document as it was issued, and the form in which it is kept.
type Snapshot struct {
	Document
	Number   string `json:"number"`
	Date     string `json:"date"` // in the seller's time zone, as 2026-04-01
	IssuedAt int64  `json:"issued_at"`
	Seller   Party  `json:"seller"`
	Net      int64  `json:"total_net"`
	Tax      int64  `json:"total_tax"`
	Gross    int64  `json:"total_gross"`
}

// Invoice is an issued document.
type Invoice struct {
	ID       int64
	Kind     Kind
	Number   string
	OrderID  int64
	RefID    int64
	Total    money.Amount
	IssuedAt int64 // Unix ms
	Snapshot Snapshot
}

// IDs makes identifiers.
type IDs interface{ New() int64 }

// Options are what New needs.
type Options struct {
	DB     *db.DB
	IDs    IDs
	Seller Party
	// Prefix and CreditPrefix begin the numbers; default INV and CN. With three characters a number has the sixteen that
	// Indian law allows, up to a million documents a year.
	Prefix, CreditPrefix string
	YearStart            time.Month     // of the financial year; default April
	Zone                 *time.Location // of the seller, for dates; default UTC
	Now                  func() time.Time
}

// Service issues documents. It is safe for concurrent use.
type Service struct{ opts Options }

// New returns a Service.
func New(opts Options) *Service {
	if opts.DB == nil || opts.IDs == nil || opts.Now == nil {
		panic("BUG: invoices need a database, identifiers and a clock")
	}
	if opts.Prefix == "" {
		opts.Prefix = "INV"
	}
	if opts.CreditPrefix == "" {
		opts.CreditPrefix = "CN"
	}
	if opts.YearStart == 0 {
		opts.YearStart = time.April
	}
	if opts.Zone == nil {
		opts.Zone = time.UTC
	}
	return &Service{opts: opts}
}

// Issue numbers a document and freezes it, in the caller's transaction. The number belongs to whoever commits: until
// then nobody else gets one of the series, so call it last. Issued again, the same document is returned as it is.
func (s *Service) Issue(ctx context.Context, tx *db.Tx, d Document) (Invoice, error) {
	known, err := read(ctx, tx, "order_id = ? AND kind = ? AND ref_id = ?", d.OrderID, d.Kind, d.RefID)
	if err != nil {
		return Invoice{}, err
	}
	if len(known) > 0 {
		return known[0], nil
	}
	series := s.opts.Prefix
	if d.Kind == KindCreditNote {
		series = s.opts.CreditPrefix
	}
	now := s.opts.Now() // once: the date and the year of the number must agree
	year := s.year(now.In(s.opts.Zone))
	seq, err := nextNumber(ctx, tx, series, year)
	if err != nil {
		return Invoice{}, fmt.Errorf("number %s: %w", d.Kind, err)
	}
	snap := Snapshot{
		Document: d, Number: fmt.Sprintf("%s/%s/%06d", series, s.yearName(year), seq), Date: now.In(s.opts.Zone).Format(time.DateOnly),
		IssuedAt: now.UnixMilli(), Seller: s.opts.Seller,
	}
	for i := range d.Lines {
		snap.Net += d.Lines[i].Net
		snap.Tax += d.Lines[i].Tax
		snap.Gross += d.Lines[i].Gross
	}
	text, err := json.Marshal(snap)
	if err != nil {
		return Invoice{}, fmt.Errorf("encode %s: %w", d.Kind, err)
	}
	inv := Invoice{
		ID: s.opts.IDs.New(), Kind: d.Kind, Number: snap.Number, OrderID: d.OrderID, RefID: d.RefID,
		Total: money.Amount{Minor: snap.Gross, Currency: d.Currency}, IssuedAt: snap.IssuedAt, Snapshot: snap,
	}
	if _, err := tx.Exec(ctx, `INSERT INTO invoices (id, kind, number, series, year, seq, order_id, ref_id, currency, total_minor, snapshot, issued_at)
		VALUES `+db.In(12), inv.ID, inv.Kind, inv.Number, series, year, seq, inv.OrderID, inv.RefID, d.Currency, snap.Gross, string(text), inv.IssuedAt); err != nil {
		return Invoice{}, fmt.Errorf("store %s: %w", d.Kind, err)
	}
	return inv, nil
}

// nextNumber takes the next number of a series, and with it the lock of its row.
func nextNumber(ctx context.Context, tx *db.Tx, series string, year int) (seq int64, err error) {
	advance := func() (int64, error) {
		res, err := tx.Exec(ctx, "UPDATE invoice_series SET last = last + 1 WHERE series = ? AND year = ?", series, year)
		if err != nil {
			return 0, err
		}
		return res.RowsAffected()
	}
	n, err := advance()
	if err == nil && n == 0 {
		// The first of its year. An upsert, because a refused insert would leave MySQL with a shared lock, and two that
		// hold one cannot both go on.
		if _, err := tx.Exec(ctx, "INSERT INTO invoice_series (series, year, last) VALUES (?, ?, 0)"+
			tx.Dialect().Upsert([]string{"series", "year"}), series, year); err != nil {
			return 0, err
		}
		_, err = advance()
	}
	if err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, "SELECT last FROM invoice_series WHERE series = ? AND year = ?", series, year).Scan(&seq)
	return seq, err
}

// year is the calendar year in which the financial year of a day began.
func (s *Service) year(day time.Time) int {
	if day.Month() < s.opts.YearStart {
		return day.Year() - 1
	}
	return day.Year()
}

func (s *Service) yearName(year int) string {
	if s.opts.YearStart == time.January {
		return fmt.Sprintf("%04d", year)
	}
	return fmt.Sprintf("%02d-%02d", year%100, (year+1)%100)
}

// OfOrder returns the documents of an order, the oldest first.
func (s *Service) OfOrder(ctx context.Context, q db.Querier, orderID int64) ([]Invoice, error) {
	return read(ctx, q, "order_id = ? ORDER BY id", orderID)
}

// List is OfOrder outside of a transaction.
func (s *Service) List(ctx context.Context, orderID int64) ([]Invoice, error) {
	return s.OfOrder(ctx, s.opts.DB, orderID)
}

// Find returns the document of an order with a number, or where that is empty its invoice. Errors: ErrNotFound.
func (s *Service) Find(ctx context.Context, orderID int64, number string) (Invoice, error) {
	list, err := s.OfOrder(ctx, s.opts.DB, orderID)
	if err != nil {
		return Invoice{}, err
	}
	for i := range list {
		if number == "" && list[i].Kind == KindInvoice || number != "" && list[i].Number == number {
			return list[i], nil
		}
	}
	return Invoice{}, ErrNotFound
}

// ByNumber returns the document with a number. Errors: ErrNotFound.
func (s *Service) ByNumber(ctx context.Context, number string) (Invoice, error) {
	return s.one(ctx, "number = ?", number)
}

// Get returns one document. Errors: ErrNotFound.
func (s *Service) Get(ctx context.Context, id int64) (Invoice, error) {
	return s.one(ctx, "id = ?", id)
}

func (s *Service) one(ctx context.Context, where string, arg any) (Invoice, error) {
	list, err := read(ctx, s.opts.DB, where, arg)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Invoice{}, err
	}
	return list[0], nil
}

func read(ctx context.Context, q db.Querier, rest string, args ...any) ([]Invoice, error) {
	rows, err := q.Query(ctx, "SELECT id, kind, number, order_id, ref_id, currency, total_minor, snapshot, issued_at FROM invoices WHERE "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read invoices: %w", err)
	}
	defer rows.Close()
	var out []Invoice
	for rows.Next() {
		var inv Invoice
		var text string
		if err := rows.Scan(&inv.ID, &inv.Kind, &inv.Number, &inv.OrderID, &inv.RefID, &inv.Total.Currency, &inv.Total.Minor, &text, &inv.IssuedAt); err != nil {
			return nil, fmt.Errorf("read invoices: %w", err)
		}
		if err := json.Unmarshal([]byte(text), &inv.Snapshot); err != nil {
			return nil, fmt.Errorf("read snapshot of invoice %s: %w", inv.Number, err)
		}
		out = append(out, inv)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read invoices: %w", err)
	}
	return out, nil
}

// Money is an amount for people: with its code, and digits in groups of three, of rupees as in India (1,49,900.00).
func Money(a money.Amount) string {
	text, sign := a.Decimal(), ""
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		text, sign = rest, "-"
	}
	whole, fraction, dotted := strings.Cut(text, ".")
	size := 3
	var groups []string
	for len(whole) > size {
		groups = append([]string{whole[len(whole)-size:]}, groups...)
		whole = whole[:len(whole)-size]
		if a.Currency == "INR" {
			size = 2
		}
	}
	text = strings.Join(append([]string{whole}, groups...), ",")
	if dotted {
		text += "." + fraction
	}
	return a.Currency + " " + sign + text
}
