package invoice

import (
	"fmt"
	"strings"
	"time"

	"github.com/johnfercher/maroto/v2"
	"github.com/johnfercher/maroto/v2/pkg/components/col"
	"github.com/johnfercher/maroto/v2/pkg/components/row"
	"github.com/johnfercher/maroto/v2/pkg/components/text"
	"github.com/johnfercher/maroto/v2/pkg/config"
	"github.com/johnfercher/maroto/v2/pkg/consts/align"
	"github.com/johnfercher/maroto/v2/pkg/consts/border"
	"github.com/johnfercher/maroto/v2/pkg/consts/fontstyle"
	"github.com/johnfercher/maroto/v2/pkg/consts/pagesize"
	"github.com/johnfercher/maroto/v2/pkg/core"
	"github.com/johnfercher/maroto/v2/pkg/props"
	"github.com/johnfercher/maroto/v2/pkg/repository"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/edgeref/edgeref/wire/money"
)

// font is embedded in every document. It has Latin, Greek and Cyrillic letters.
const font = "go"

// Sizes in points, and millimetres of a margin.
const (
	margin = 16
	small  = 8
	normal = 9.5
	large  = 16
)

// PDF draws a document from its snapshot: the same one always says the same.
func PDF(s *Snapshot) ([]byte, error) {
	fonts, err := repository.New().AddUTF8FontFromBytes(font, fontstyle.Normal, goregular.TTF).AddUTF8FontFromBytes(font, fontstyle.Bold, gobold.TTF).Load()
	if err != nil {
		return nil, fmt.Errorf("draw %s: load fonts: %w", s.Number, err)
	}
	m := maroto.New(config.NewBuilder().
		WithCustomFonts(fonts).WithDefaultFont(&props.Font{Family: font, Size: normal}).WithPageSize(pagesize.A4).
		WithLeftMargin(margin).WithRightMargin(margin).WithTopMargin(margin).WithBottomMargin(margin).
		WithPageNumber(props.PageNumber{Pattern: "Page {current} of {total}", Place: props.RightBottom, Family: font, Size: small, Color: grey()}).
		WithTitle(s.title()+" "+s.Number, true).WithAuthor(s.Seller.Name, true).WithCreator("Edgeref", true).
		WithCreationDate(time.UnixMilli(s.IssuedAt).UTC()).WithCompression(true).Build())
	p := &painter{s: s}
	m.AddRows(p.head()...)
	m.AddRows(p.lines()...)
	m.AddRows(p.sums()...)
	m.AddRows(p.foot()...)
	doc, err := m.Generate()
	if err != nil {
		return nil, fmt.Errorf("draw %s: %w", s.Number, err)
	}
	return doc.GetBytes(), nil
}

// title is what the law calls the document.
func (s *Snapshot) title() string {
	switch {
	case s.Kind == KindCreditNote:
		return "Credit note"
	case s.TaxKind == "none":
		return "Invoice"
	}
	return "Tax invoice"
}

func (s *Snapshot) gst() bool { return s.TaxKind == "gst_intra" || s.TaxKind == "gst_inter" }

// painter lays one document out.
type painter struct{ s *Snapshot }

func grey() *props.Color { return &props.Color{Red: 95, Green: 99, Blue: 104} }

func pale() *props.Color { return &props.Color{Red: 241, Green: 243, Blue: 244} }

// cell is a piece of text in a row; width is in twelfths of the page.
type cell struct {
	width int
	text  string
	right bool
	bold  bool
	size  float64
	color *props.Color
}

func line(style *props.Cell, space float64, cells ...cell) core.Row {
	r := row.New()
	for _, c := range cells {
		p := props.Text{Family: font, Size: normal, Top: space, Bottom: space, Left: 1, Right: 1, Color: c.color, VerticalPadding: 0.6}
		if c.size > 0 {
			p.Size = c.size
		}
		if c.right {
			p.Align = align.Right
		}
		if c.bold {
			p.Style = fontstyle.Bold
		}
		r.Add(text.NewCol(c.width, printable(c.text), p))
	}
	return r.WithStyle(style)
}

// printable leaves out what the font cannot draw or what would break a line of text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f:
			return -1
		case r > 0xffff: // outside of what the PDF library can embed
			return '?'
		}
		return r
	}, s)
}

func gap(height float64) core.Row { return row.New(height).Add(col.New(12)) }

// head names the document and both sides.
func (p *painter) head() []core.Row {
	s := p.s
	rows := []core.Row{
		line(nil, 0, cell{width: 7, text: s.Seller.Name, bold: true, size: 13}, cell{width: 5, text: s.title(), right: true, bold: true, size: large}),
		gap(3),
	}
	left := append(p.party("", s.Seller, sellerTaxName(s)), "")
	right := [][2]string{{"Number", s.Number}, {"Date", s.Date}, {"Order", s.OrderNumber}}
	if s.Against != "" {
		right = append(right, [2]string{"Against invoice", s.Against}, [2]string{"of", s.AgainstDate})
	}
	if s.SupplyPlace != "" && s.TaxKind != "none" {
		right = append(right, [2]string{"Place of supply", s.SupplyPlace})
	}
	for i := range max(len(left), len(right)) {
		c := []cell{{width: 6}, {width: 3, right: true, color: grey()}, {width: 3, right: true}}
		if i < len(left) {
			c[0].text = left[i]
		}
		if i < len(right) {
			c[1].text, c[2].text = right[i][0], right[i][1]
		}
		rows = append(rows, line(nil, 0.3, c...))
	}
	rows = append(rows, gap(5), line(nil, 0.3, cell{width: 12, text: "Billed to", color: grey()}))
	for i, text := range p.party(s.Buyer.Name, s.Buyer, "GSTIN") {
		rows = append(rows, line(nil, 0.3, cell{width: 12, text: text, bold: i == 0}))
	}
	return append(rows, gap(6))
}

func sellerTaxName(s *Snapshot) string {
	if s.Seller.Country == "IN" {
		return "GSTIN"
	}
	return "Tax ID"
}

// party is name, address, region and tax number, each on its line.
func (p *painter) party(name string, who Party, taxName string) []string {
	var out []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, text)
		}
	}
	add(name)
	for text := range strings.Lines(who.Address) {
		add(text)
	}
	add(strings.Trim(who.Region+", "+who.Country, ", "))
	add(who.Email)
	if who.TaxID != "" {
		add(taxName + ": " + who.TaxID)
	}
	return out
}

func (p *painter) money(minor int64) string {
	return strings.TrimPrefix(Money(money.Amount{Minor: minor, Currency: p.s.Currency}), p.s.Currency+" ")
}

// lines is the table.
func (p *painter) lines() []core.Row {
	taxed := p.s.TaxKind != "none"
	headings := []cell{{width: 5, text: "Description"}, {width: 2, text: "HSN/SAC"}, {width: 2, text: "Net", right: true}, {width: 1, text: "Tax", right: true}, {width: 2, text: "Total " + p.s.Currency, right: true}}
	if !taxed {
		headings = []cell{{width: 9, text: "Description"}, {width: 3, text: "Total " + p.s.Currency, right: true}}
	}
	for i := range headings {
		headings[i].bold, headings[i].size = true, small
	}
	rows := []core.Row{line(&props.Cell{BackgroundColor: pale()}, 1.2, headings...)}
	under := &props.Cell{BorderType: border.Bottom, BorderColor: pale(), BorderThickness: 0.3}
	for i := range p.s.Lines {
		l := &p.s.Lines[i]
		name := l.Name
		if l.SKU != "" {
			name += " (" + l.SKU + ")"
		}
		if l.Discount > 0 {
			name += ", after " + p.money(l.Discount) + " discount"
		}
		if !taxed {
			rows = append(rows, line(under, 1.2, cell{width: 9, text: name}, cell{width: 3, text: p.money(l.Gross), right: true}))
			continue
		}
		rows = append(rows, line(under, 1.2, cell{width: 5, text: name}, cell{width: 2, text: l.TaxCode}, cell{width: 2, text: p.money(l.Net), right: true},
			cell{width: 1, text: percent(l.TaxBP), right: true}, cell{width: 2, text: p.money(l.Gross), right: true}))
	}
	return append(rows, gap(3))
}

// percent is basis points as a person writes them: 18 %, 2.5 %.
func percent(bp int64) string {
	text := fmt.Sprintf("%d.%02d", bp/100, bp%100)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

// sums are the totals, with the tax apart for each rate.
func (p *painter) sums() []core.Row {
	total := func(name string, minor int64, bold bool) core.Row {
		return line(nil, 0.8, cell{width: 6}, cell{width: 3, text: name, right: true, bold: bold}, cell{width: 3, text: p.money(minor), right: true, bold: bold})
	}
	var rows []core.Row
	if p.s.TaxKind != "none" {
		rows = append(rows, total("Net", p.s.Net, false))
		for _, t := range p.taxes() {
			rows = append(rows, total(t.name, t.minor, false))
		}
	}
	rows = append(rows, total("Total "+p.s.Currency, p.s.Gross, true))
	return append(rows, gap(6))
}

type taxSum struct {
	name  string
	minor int64
}

// taxes adds the tax up by kind and rate, in the order of the lines.
func (p *painter) taxes() []taxSum {
	var out []taxSum
	add := func(name string, minor int64) {
		for i := range out {
			if out[i].name == name {
				out[i].minor += minor
				return
			}
		}
		out = append(out, taxSum{name, minor})
	}
	for i := range p.s.Lines {
		l := &p.s.Lines[i]
		switch p.s.TaxKind {
		case "gst_intra":
			add("CGST "+halfPercent(l.TaxBP), l.CGST)
			add("SGST "+halfPercent(l.TaxBP), l.SGST)
		case "gst_inter":
			add("IGST "+percent(l.TaxBP), l.IGST)
		case "tax":
			add("Tax "+percent(l.TaxBP), l.Tax)
		}
	}
	return out
}

// halfPercent is half of a rate, which may have a third decimal: 0.125 % of 25 basis points.
func halfPercent(bp int64) string {
	text := fmt.Sprintf("%d.%03d", bp*5/1000, bp*5%1000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

// foot says how it was paid, and what the law wants said.
func (p *painter) foot() []core.Row {
	s := p.s
	var rows []core.Row
	add := func(text string) {
		rows = append(rows, line(nil, 0.3, cell{width: 12, text: text, size: small, color: grey()}))
	}
	if s.Kind == KindInvoice && s.PaymentID != "" {
		add("Paid through " + s.PaidThrough + ", payment " + s.PaymentID + ".")
	}
	if s.Reason != "" {
		add("Reason: " + s.Reason)
	}
	if s.TaxKind == "export" && s.Seller.Country == "IN" {
		add("Supply meant for export under letter of undertaking without payment of integrated tax.")
	}
	if s.gst() {
		add("Tax is not payable on reverse charge. Amounts are in " + s.Currency + ".")
	}
	add("Issued electronically; valid without signature.")
	return rows
}
