package ledger

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// identOrNone is empty for 0, which means none.
func identOrNone(kind string, id int64) string {
	if id <= 0 {
		return ""
	}
	return ident.Format(kind, id)
}

func (e Entry) amount() money.Amount {
	return money.Amount{Minor: e.Minor, Currency: e.Account.Currency}
}

// day is the date in UTC.
func (t *Transaction) day() string { return time.UnixMilli(t.PostedAt).UTC().Format(time.DateOnly) }

// csvExport has one line for each entry, with the signs of the ledger.
type csvExport struct{ w *csv.Writer }

func (x *csvExport) begin(w *bufio.Writer, _ ExportOptions) {
	// Hidden, or the two would share one buffer and every Flush would reach the reader.
	x.w = csv.NewWriter(struct{ io.Writer }{w})
	_ = x.w.Write([]string{"transaction_id", "posted_at", "kind", "reason", "conversion_id", "commission_id", "account_id", "account", "affiliate_id", "amount", "currency"})
	x.w.Flush()
}

func (x *csvExport) transaction(_ *bufio.Writer, t *Transaction) {
	for _, e := range t.Entries {
		_ = x.w.Write([]string{
			ident.Format(ident.LedgerTransaction, t.ID), instant(t.PostedAt), inert(string(t.Kind)), inert(t.Reason),
			identOrNone(ident.Conversion, t.ConversionID), identOrNone(ident.Commission, t.CommissionID),
			ident.Format(ident.LedgerAccount, e.Account.ID), inert(string(e.Account.Kind)), identOrNone(ident.Affiliate, e.Account.OwnerID),
			e.amount().Decimal(), inert(e.Account.Currency),
		})
	}
	x.w.Flush() // into the buffer below it, which remembers errors
}

func (x *csvExport) end(*bufio.Writer, int64) {}

// inert keeps a spreadsheet from taking a text for a formula.
func inert(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

// plain is text on one line without control characters; what is in drop becomes a space as well.
func plain(text, drop string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar || strings.ContainsRune(drop, r) {
			return ' '
		}
		return r
	}, text))
}

// place is where an account stands in a chart of accounts: its root, and the parts below it.
func (a Account) place() (root string, parts []string) {
	owner := identOrNone(ident.Affiliate, a.OwnerID)
	switch a.Kind {
	case Expense:
		return "expenses", []string{"commissions"}
	case Pending, Payable, InFlight:
		return "liabilities", []string{"affiliates", owner, string(a.Kind)}
	case Withheld:
		return "liabilities", []string{"withheld", owner}
	case Paid:
		return "assets", []string{"paid-out", owner}
	}
	parts = []string{string(a.Kind)}
	if owner != "" {
		parts = append(parts, owner)
	}
	return "equity", parts
}

// hledgerExport declares accounts and commodities before their first use, so that strict checks pass.
type hledgerExport struct{ declared map[string]bool }

func (x *hledgerExport) begin(w *bufio.Writer, opts ExportOptions) {
	fmt.Fprintf(w, "; Edgeref ledger%s. Debts to affiliates are negative, what commissions cost is positive.\ndecimal-mark .\n", span(opts))
}

func (x *hledgerExport) transaction(w *bufio.Writer, t *Transaction) {
	for _, e := range t.Entries {
		if c := e.Account.Currency; !x.declared[c] {
			x.declared[c] = true
			// The sample shows the decimals; without one the mark itself is wanted.
			sample := money.Amount{Minor: 0, Currency: c}.Decimal()
			if !strings.Contains(sample, ".") {
				sample += "."
			}
			fmt.Fprintf(w, "\ncommodity %s %s\n", sample, c)
		}
		if name := hledgerName(e.Account); !x.declared[name] {
			x.declared[name] = true
			fmt.Fprintf(w, "\naccount %s\n", name)
		}
	}
	fmt.Fprintf(w, "\n%s * (%s) %s", t.day(), ident.Format(ident.LedgerTransaction, t.ID), plain(string(t.Kind), ";|"))
	if reason := plain(t.Reason, ";|"); reason != "" {
		fmt.Fprintf(w, " | %s", reason)
	}
	fmt.Fprintf(w, "\n    ; posted_at:%s\n", instant(t.PostedAt))
	for _, tag := range [][2]string{{"conversion", identOrNone(ident.Conversion, t.ConversionID)}, {"commission", identOrNone(ident.Commission, t.CommissionID)}} {
		if tag[1] != "" {
			fmt.Fprintf(w, "    ; %s:%s\n", tag[0], tag[1])
		}
	}
	for _, e := range t.Entries {
		fmt.Fprintf(w, "    %s  %s\n", hledgerName(e.Account), e.amount().Neg())
	}
}

func (x *hledgerExport) end(w *bufio.Writer, n int64) {
	fmt.Fprintf(w, "\n; complete: %d transactions\n", n)
}

// hledgerName has no spaces, brackets or signs that hledger reads.
func hledgerName(a Account) string {
	root, parts := a.place()
	name := root
	for _, part := range parts {
		name += ":" + word(part, "_")
	}
	return name
}

// word keeps ASCII letters, digits, - and what is in also.
func word(text, also string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || strings.ContainsRune(also, r) {
			return r
		}
		return '-'
	}, text)
}

// beancountExport opens accounts before their first use.
type beancountExport struct{ opened map[string]bool }

// openedOn is before every transaction: the order of identifiers and of dates may differ around midnight.
const openedOn = "1970-01-01"

func (x *beancountExport) begin(w *bufio.Writer, opts ExportOptions) {
	fmt.Fprintf(w, "; Edgeref ledger%s. Debts to affiliates are negative, what commissions cost is positive.\noption \"title\" \"Edgeref ledger\"\n", span(opts))
}

func (x *beancountExport) transaction(w *bufio.Writer, t *Transaction) {
	for _, e := range t.Entries {
		if name := beancountName(e.Account); !x.opened[name] {
			x.opened[name] = true
			fmt.Fprintf(w, "\n%s open %s\n", openedOn, name)
		}
	}
	fmt.Fprintf(w, "\n%s * %s %s\n  id: \"%s\"\n  posted-at: \"%s\"\n", t.day(), quoted(string(t.Kind)), quoted(t.Reason),
		ident.Format(ident.LedgerTransaction, t.ID), instant(t.PostedAt))
	for _, meta := range [][2]string{{"conversion", identOrNone(ident.Conversion, t.ConversionID)}, {"commission", identOrNone(ident.Commission, t.CommissionID)}} {
		if meta[1] != "" {
			fmt.Fprintf(w, "  %s: \"%s\"\n", meta[0], meta[1])
		}
	}
	for _, e := range t.Entries {
		fmt.Fprintf(w, "  %s  %s\n", beancountName(e.Account), e.amount().Neg())
	}
}

func (x *beancountExport) end(w *bufio.Writer, n int64) {
	fmt.Fprintf(w, "\n; complete: %d transactions\n", n)
}

// quoted is a string of beancount.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(plain(text, "")) + `"`
}

// beancountName has parts that begin with an upper-case letter.
func beancountName(a Account) string {
	root, parts := a.place()
	name := strings.ToUpper(root[:1]) + root[1:]
	for _, part := range parts {
		part = word(part, "")
		if c := part[0]; c == '-' {
			part = "X" + part
		} else if c >= 'a' && c <= 'z' {
			part = strings.ToUpper(part[:1]) + part[1:]
		}
		name += ":" + part
	}
	return name
}

// span says what part of the ledger this is.
func span(opts ExportOptions) string {
	text := ""
	if !opts.From.IsZero() {
		text += " from " + opts.From.UTC().Format(time.RFC3339)
	}
	if !opts.To.IsZero() {
		text += " to " + opts.To.UTC().Format(time.RFC3339)
	}
	return text
}
