package payout

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/johnfercher/maroto/v2"
	"github.com/johnfercher/maroto/v2/pkg/components/row"
	"github.com/johnfercher/maroto/v2/pkg/components/text"
	"github.com/johnfercher/maroto/v2/pkg/config"
	"github.com/johnfercher/maroto/v2/pkg/consts/align"
	"github.com/johnfercher/maroto/v2/pkg/consts/fontstyle"
	"github.com/johnfercher/maroto/v2/pkg/consts/pagesize"
	"github.com/johnfercher/maroto/v2/pkg/core"
	"github.com/johnfercher/maroto/v2/pkg/props"
	"github.com/johnfercher/maroto/v2/pkg/repository"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/locale"
	"github.com/edgeref/edgeref/core/tax"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// maxStatement bounds the payouts of one statement.
const maxStatement = 2_000

// Statement tells an affiliate what was paid and withheld in a span of time: one payout, or a tax year.
type Statement struct {
	Title    string
	Payer    string
	Name     string // of the affiliate
	TaxID    string // masked
	Currency string
	From, To int64 // Unix ms; To is not part of it
	Payouts  []Payout
	// Sums of what was paid; payouts in other states are listed and not counted.
	Gross, Tax, Net int64

	zone *time.Location // where the tax year begins, or of the business: its days are shown
}

// StatementOf is the statement of one payout that was sent. affiliateID is its owner, or 0 for anybody's.
func (s *Service) StatementOf(ctx context.Context, id, affiliateID int64) (Statement, error) {
	p, err := s.Payout(ctx, id, affiliateID)
	if err != nil {
		return Statement{}, err
	}
	if p.State != Paid && p.State != Returned {
		return Statement{}, ErrState
	}
	st := Statement{Title: "Payout statement " + ident.Format(ident.Payout, p.ID), Currency: p.Currency, From: p.CreatedAt, To: p.CreatedAt + 1, Payouts: []Payout{p}, zone: s.opts.Zone}
	return st, s.fill(ctx, p.AffiliateID, &st)
}

// StatementFor is the statement of the tax year that begins in a calendar year, in one currency. The year is that of the rule
// in force for the affiliate's country then, and the calendar year in UTC where there is none.
func (s *Service) StatementFor(ctx context.Context, affiliateID int64, currency string, year int) (st Statement, err error) {
	if _, err := money.Decimals(currency); err != nil {
		return st, &InvalidError{"currency", "must be an ISO 4217 code"}
	}
	if year < 2000 || year > 9000 {
		return st, &InvalidError{"year", "must be 2000 to 9000"}
	}
	profile, err := s.TaxProfileOf(ctx, affiliateID)
	if err != nil {
		return st, err
	}
	country := profile.Country
	if m, err := methodInUse(ctx, s.db, affiliateID, currency); err != nil {
		return st, err
	} else if country == "" && m != nil {
		country = m.Country
	}
	last := time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC)
	rule, found, err := tax.InForce(ctx, s.db, country, currency, last.UnixMilli())
	if err != nil {
		return st, err
	}
	zone := time.UTC
	from, to := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC)
	if found {
		from, to = rule.Year(last)
		zone = offset(rule.UTCOffset)
	}
	st = Statement{zone: zone, Title: fmt.Sprintf("Statement of payouts %d", year), Currency: currency, From: from.UnixMilli(), To: to.UnixMilli()}
	st.Payouts, err = readPayouts(ctx, s.db, "p.affiliate_id = ? AND p.currency = ? AND p.created_at >= ? AND p.created_at < ? AND p.state IN ('paid', 'returned') ORDER BY p.id LIMIT ?",
		affiliateID, currency, st.From, st.To, maxStatement)
	if err != nil {
		return st, err
	}
	return st, s.fill(ctx, affiliateID, &st)
}

func (s *Service) fill(ctx context.Context, affiliateID int64, st *Statement) error {
	err := s.db.QueryRow(ctx, "SELECT name FROM affiliates WHERE id = ?", affiliateID).Scan(&st.Name)
	if db.IsNoRows(err) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read affiliate: %w", err)
	}
	profile, err := s.TaxProfileOf(ctx, affiliateID)
	if err != nil {
		return err
	}
	st.Payer, st.TaxID = s.opts.Payer, profile.Masked
	for i := range st.Payouts {
		if p := &st.Payouts[i]; p.State == Paid {
			st.Gross, st.Tax, st.Net = st.Gross+p.Gross, st.Tax+p.Tax, st.Net+p.Net
		}
	}
	return nil
}

// offset is a time zone that is so many minutes east of UTC, and named so.
func offset(minutes int) *time.Location {
	sign, size := '+', minutes
	if minutes < 0 {
		sign, size = '-', -minutes
	}
	return time.FixedZone(fmt.Sprintf("UTC%c%02d:%02d", sign, size/60, size%60), minutes*60)
}

// day is a date in the statement's zone.
func (st *Statement) day(ms int64) string {
	return time.UnixMilli(ms).In(st.zone).Format(time.DateOnly)
}

// CSV is the statement as a table, for programs: amounts are plain decimals, and days as ISO 8601 has them.
func (st *Statement) CSV() []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"payout_id", "made_on", "paid_on", "state", "account", "reference", "gross", "tax", "tax_rule", "net", "currency", "time_zone"})
	for i := range st.Payouts {
		p := &st.Payouts[i]
		amount := func(minor int64) string { return money.Amount{Minor: minor, Currency: p.Currency}.Decimal() }
		_ = w.Write([]string{
			ident.Format(ident.Payout, p.ID), st.day(p.CreatedAt), st.day(p.PaidAt), string(p.State), p.Masked, inert(p.Reference), amount(p.Gross), amount(p.Tax),
			inert(p.TaxText()), amount(p.Net), p.Currency, st.zone.String(),
		})
	}
	w.Flush()
	return out.Bytes()
}

// inert keeps a spreadsheet from taking a text for a formula.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// PDF draws the statement.
func (st *Statement) PDF() ([]byte, error) {
	const font, margin, columns = "go", 16, 24
	fonts, err := repository.New().AddUTF8FontFromBytes(font, fontstyle.Normal, goregular.TTF).AddUTF8FontFromBytes(font, fontstyle.Bold, gobold.TTF).Load()
	if err != nil {
		return nil, fmt.Errorf("draw statement: load fonts: %w", err)
	}
	grey := &props.Color{Red: 95, Green: 99, Blue: 104}
	m := maroto.New(config.NewBuilder().WithCustomFonts(fonts).WithDefaultFont(&props.Font{Family: font, Size: 9}).WithPageSize(pagesize.A4).
		WithLeftMargin(margin).WithRightMargin(margin).WithTopMargin(margin).WithBottomMargin(margin).WithMaxGridSize(columns).
		WithPageNumber(props.PageNumber{Pattern: "Page {current} of {total}", Place: props.RightBottom, Family: font, Size: 8, Color: grey}).
		WithTitle(st.Title, true).WithAuthor(st.Payer, true).WithCreator("Edgeref", true).WithCreationDate(time.UnixMilli(st.To).UTC()).WithCompression(true).Build())
	format := locale.New(locale.Default(), st.zone)
	amount := func(minor int64) string { return format.Plain(money.Amount{Minor: minor, Currency: st.Currency}) }
	m.AddRows(
		words(16, true, columns, st.Title), words(10, false, columns, st.Payer),
		words(10, false, columns, "To: "+st.Name), words(10, false, columns, "Tax identity: "+orNone(st.TaxID)),
		words(10, false, columns, "Payouts made from "+format.Date(st.From)+" to "+format.Date(st.To-1)),
		words(10, false, columns, "Amounts in "+st.Currency+". Days in the time zone "+st.zone.String()+"."), words(5, false, columns, ""),
		words(9, true, 3, "Made on", 6, "Account", 4, "Reference", 4, "Commissions", 3, "Tax", 4, "Paid"),
	)
	for i := range st.Payouts {
		p := &st.Payouts[i]
		paid := amount(p.Net)
		if p.State == Returned {
			paid = "came back"
		}
		m.AddRows(words(8, false, 3, st.day(p.CreatedAt), 6, p.Masked, 4, orNone(p.Reference), 4, amount(p.Gross), 3, amount(p.Tax), 4, paid))
		if p.Tax != 0 {
			m.AddRows(words(8, false, columns, "    tax withheld: "+p.TaxText()))
		}
	}
	m.AddRows(words(10, true, 13, "Sum of what was paid", 4, amount(st.Gross), 3, amount(st.Tax), 4, amount(st.Net)))
	doc, err := m.Generate()
	if err != nil {
		return nil, fmt.Errorf("draw statement: %w", err)
	}
	return doc.GetBytes(), nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// words is a row of texts, each behind its width in columns of the page. The last three of many are amounts.
func words(size float64, bold bool, cells ...any) core.Row {
	r := row.New(size * 0.7)
	for i := 0; i+1 < len(cells); i += 2 {
		p := props.Text{Family: "go", Size: size, Top: 1}
		if bold {
			p.Style = fontstyle.Bold
		}
		if len(cells) > 2 && i >= len(cells)-6 {
			p.Align = align.Right
		}
		r.Add(text.NewCol(cells[i].(int), printable(cells[i+1].(string)), p))
	}
	return r
}

// printable leaves out what cannot be drawn.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r > 0xffff {
			return -1
		}
		return r
	}, s)
}
