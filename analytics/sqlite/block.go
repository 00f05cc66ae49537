package sqlite

import (
	"slices"
	"strconv"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

// Kinds of blocks and batches, as stored.
const (
	kindClicks = 0
	kindFacts  = 1
)

const dayMilli = 24 * 3600 * 1000

// Column numbers, as stored: a number never changes its meaning. Dimensions come first.
const (
	colCurrency   = 32 // of facts
	colAt         = 33 // ms since the beginning of the UTC day
	colVisitor    = 34 // of clicks
	colID         = 35 // of the click; of facts: the click that the fact names, or zero
	colLeads      = 36 // of facts, as all below
	colSales      = 37
	colRefunds    = 38
	colRevenue    = 39
	colCommission = 40
	numColumns    = 41
)

// Columns of dimensions that need more than a plain text of the record, and the bounds of those that do not.
const (
	colAffiliate = 0
	colProgram   = 1
	colLink      = 2
	colFirst     = 3  // sub1
	colBot       = 25 // the last plain text
	colNode      = 26
)

// columnOf is the column of a dimension that Validate has let through. The columns of dimensions are numbered in the
// order of report.Dimensions at the time of the first release; one that is added there gets a case of its own here.
func columnOf(d report.Dimension) int {
	if col := slices.Index(report.Dimensions(), d); col >= 0 && col <= colNode {
		return col
	}
	panic("BUG: dimension without a column: " + string(d))
}

// field is the text of a click that a column from colFirst to colBot holds.
func field(c *click.Record, col int) *string {
	switch col {
	case 3:
		return &c.Sub[0]
	case 4:
		return &c.Sub[1]
	case 5:
		return &c.Sub[2]
	case 6:
		return &c.Sub[3]
	case 7:
		return &c.Sub[4]
	case 8:
		return &c.GCLID
	case 9:
		return &c.FBCLID
	case 10:
		return &c.TTCLID
	case 11:
		return &c.MSCLKID
	case 12:
		return &c.UTMSource
	case 13:
		return &c.UTMMedium
	case 14:
		return &c.UTMCampaign
	case 15:
		return &c.UTMTerm
	case 16:
		return &c.UTMContent
	case 17:
		return &c.ReferrerHost
	case 18:
		return &c.ReferrerPath
	case 19:
		return &c.Browser
	case 20:
		return &c.OS
	case 21:
		return &c.Device
	case 22:
		return &c.Country
	case 23:
		return &c.Language
	case 24:
		return &c.Network
	case colBot:
		return (*string)(&c.Bot)
	}
	panic("BUG: column " + strconv.Itoa(col) + " is no text of a click")
}

// detail says whether retention deletes the column: what may tell a single click or person apart, and has so many
// values that it makes up most of the file. These are the IDs, sub1-5, the advertising networks' ids, the path of the
// referrer and the visitor's network.
func detail(col int) bool {
	return col == colID || col >= colFirst && col <= 11 || col == 18 || col == 24
}

// block is a block in memory, whole. Which slices are in use depends on its kind.
type block struct {
	id      int64 // 0: not stored
	kind    int
	day     int64
	rows    int
	text    [colCurrency + 1]texts
	at      []uint32
	visitor []uint64
	ids     []click.ID
	ints    [colCommission - colLeads + 1][]int64
	names   namer
}

// namer makes texts of ids; clicks of one link tend to come together.
type namer struct{ known map[int64]string }

func (n *namer) text(id int64) string {
	if id == 0 {
		return ""
	}
	s, ok := n.known[id]
	if !ok {
		if n.known == nil {
			n.known = make(map[int64]string)
		}
		s = strconv.FormatInt(id, 10)
		n.known[id] = s
	}
	return s
}

// span is the first and the last time of a row, in Unix ms.
func (b *block) span() (first, last int64) {
	lo, hi := b.at[0], b.at[0]
	for _, at := range b.at {
		lo, hi = min(lo, at), max(hi, at)
	}
	return b.day*dayMilli + int64(lo), b.day*dayMilli + int64(hi)
}

// addClick appends a click of the block's day. The texts are kept by reference.
func (b *block) addClick(c *click.Record) {
	b.rows++
	b.at = append(b.at, uint32(c.ID.UnixMilli()-b.day*dayMilli))
	b.ids = append(b.ids, c.ID)
	b.visitor = append(b.visitor, c.Visitor)
	b.text[colAffiliate].add(b.names.text(c.ID.AffiliateID()))
	b.text[colProgram].add(b.names.text(c.ProgramID))
	b.text[colLink].add(b.names.text(c.ID.LinkID()))
	for col := colFirst; col <= colBot; col++ {
		b.text[col].add(*field(c, col))
	}
	b.text[colNode].add(node(c))
}

func node(c *click.Record) string { return strconv.Itoa(int(c.ID.Node())) }

// addFact appends a fact of the block's day, with the properties of its click if that is known.
func (b *block) addFact(f *report.Fact, c *click.Record) {
	b.rows++
	b.at = append(b.at, uint32(f.Time-b.day*dayMilli))
	b.ids = append(b.ids, f.ClickID)
	b.text[colAffiliate].add(b.names.text(f.AffiliateID))
	b.text[colProgram].add(b.names.text(f.ProgramID))
	b.text[colLink].add(b.names.text(f.LinkID))
	b.text[colCurrency].add(f.Currency)
	for i, n := range [...]int64{f.Leads, f.Sales, f.Refunds, f.Revenue, f.Commission} {
		b.ints[i] = append(b.ints[i], n)
	}
	for col := colFirst; col <= colNode; col++ {
		b.text[col].add(factText(c, col))
	}
}

// factText is what a fact has of its click in a column; nil: no click.
func factText(c *click.Record, col int) string {
	switch {
	case c == nil:
		return ""
	case col == colNode:
		return node(c)
	}
	return *field(c, col)
}

// setClicks gives facts, by row, the properties of their clicks.
func (b *block) setClicks(clicks map[int]*click.Record) {
	for col := colFirst; col <= colNode; col++ {
		// Rebuilt, so that the dictionary has no text without a row.
		var changed texts
		for row := range b.rows {
			if c := clicks[row]; c != nil {
				changed.add(factText(c, col))
			} else {
				changed.add(b.text[col].at(row))
			}
		}
		b.text[col] = changed
	}
}

// clickAt is the click in row of a whole block of clicks. Its texts are views of the block's.
func (b *block) clickAt(row int) (click.Record, error) {
	c := click.Record{ID: b.ids[row], Visitor: b.visitor[row]}
	if s := b.text[colProgram].at(row); s != "" {
		id, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return click.Record{}, errColumn
		}
		c.ProgramID = id
	}
	for col := colFirst; col <= colBot; col++ {
		*field(&c, col) = b.text[col].at(row)
	}
	return c, nil
}

// concat appends the rows of o, a block of the same kind and day.
func (b *block) concat(o *block) {
	for col := range b.text {
		if hasColumn(b.kind, col) {
			b.text[col].concat(&o.text[col])
		}
	}
	b.rows += o.rows
	b.at = append(b.at, o.at...)
	b.visitor = append(b.visitor, o.visitor...)
	b.ids = append(b.ids, o.ids...)
	for i := range b.ints {
		b.ints[i] = append(b.ints[i], o.ints[i]...)
	}
}

// hasColumn says whether blocks of the kind have the column.
func hasColumn(kind, col int) bool {
	switch {
	case col <= colNode, col == colAt, col == colID:
		return true
	case col == colVisitor:
		return kind == kindClicks
	case col == colCurrency, col >= colLeads:
		return kind == kindFacts
	}
	return false
}

// appendColumn encodes one column.
func (b *block) appendColumn(dst []byte, col int) []byte {
	switch col {
	case colAt:
		return appendUint32s(dst, b.at)
	case colVisitor:
		return appendUint64s(dst, b.visitor)
	case colID:
		return appendIDs(dst, b.ids)
	case colLeads, colSales, colRefunds, colRevenue, colCommission:
		return appendInts(dst, b.ints[col-colLeads])
	}
	return b.text[col].append(dst)
}

// decodeColumn reads one column of n rows.
func (b *block) decodeColumn(col int, src []byte, n int) (err error) {
	switch col {
	case colAt:
		b.at, err = decodeUint32s(b.at, src, n)
	case colVisitor:
		b.visitor, err = decodeUint64s(b.visitor, src, n)
	case colID:
		b.ids, err = decodeIDs(b.ids, src, n)
	case colLeads, colSales, colRefunds, colRevenue, colCommission:
		b.ints[col-colLeads], err = decodeInts(b.ints[col-colLeads], src, n)
	default:
		err = b.text[col].decode(src, n)
	}
	return err
}
