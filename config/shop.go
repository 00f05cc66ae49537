package config

import (
	"strings"
	"time"

	"github.com/edgeref/edgeref/wire/money"
)

// Shop is what the core's own shop sells under.
type Shop struct {
	Currency  string        `default:"INR" unit:"ISO 4217" help:"currency of a checkout that names none"`
	OrderTTL  time.Duration `default:"24h" unit:"duration" help:"how long an order may be paid; then it expires and its coupon is free again"`
	ReturnURL string        `default:"" unit:"URL with {token}" help:"where a buyer goes after paying, {token} is the order's; empty: our own page about the order"`
	Seller    Seller
	Invoice   Invoice
}

// Seller is the business, as invoices name it.
type Seller struct {
	Name    string `default:"" help:"name of the business on invoices"`
	Address string `default:"" unit:"lines, separated by |" help:"its address"`
	Email   string `default:"" help:"its address for questions"`
	Country string `default:"IN" unit:"ISO 3166-1" help:"its country; in IN, GST is shown apart"`
	State   string `default:"" unit:"ISO 3166-2:IN, as KA" help:"its state in India: decides between CGST/SGST and IGST"`
	TaxID   string `default:"" unit:"GSTIN" help:"its tax number; empty: it is not registered, and no tax is charged"`
}

// Invoice is how documents are numbered.
type Invoice struct {
	Prefix       string `default:"INV" unit:"1 to 3 characters" help:"begins the numbers of invoices"`
	CreditPrefix string `default:"CN" unit:"1 to 3 characters" help:"begins the numbers of credit notes"`
	YearStart    int    `default:"4" unit:"month" help:"first month of the financial year, with which numbers begin anew"`
	Zone         string `default:"Asia/Kolkata" unit:"IANA time zone" help:"of the dates on invoices, and of the financial year"`
}

func (c *Config) validateShop(bad func(path, format string, args ...any)) {
	s := &c.Shop
	if _, err := money.Decimals(s.Currency); err != nil {
		bad("shop.currency", "%q is not an ISO 4217 code in upper case", s.Currency)
	}
	if s.OrderTTL < time.Minute {
		bad("shop.order_ttl", "is shorter than a minute")
	}
	if u := s.ReturnURL; u != "" && (!strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "http://") || !strings.Contains(u, "{token}")) {
		bad("shop.return_url", "%q is not an absolute http(s) URL with {token} in it", u)
	}
	if len(s.Seller.Country) != 2 || strings.ToUpper(s.Seller.Country) != s.Seller.Country {
		bad("shop.seller.country", "%q is not a code of two capital letters", s.Seller.Country)
	}
	if s.Seller.Country == "IN" && s.Seller.TaxID != "" && len(s.Seller.State) != 2 {
		bad("shop.seller.state", "is required for a seller with a GSTIN, as KA")
	}
	for path, prefix := range map[string]string{"shop.invoice.prefix": s.Invoice.Prefix, "shop.invoice.credit_prefix": s.Invoice.CreditPrefix} {
		odd := strings.ContainsFunc(prefix, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' })
		if len(prefix) < 1 || len(prefix) > 3 || odd {
			bad(path, "must have 1 to 3 characters of A-Z 0-9 -")
		}
	}
	if s.Invoice.Prefix == s.Invoice.CreditPrefix {
		bad("shop.invoice.credit_prefix", "must differ from shop.invoice.prefix")
	}
	if s.Invoice.YearStart < 1 || s.Invoice.YearStart > 12 {
		bad("shop.invoice.year_start", "%d is not 1 to 12", s.Invoice.YearStart)
	}
	if _, err := time.LoadLocation(s.Invoice.Zone); err != nil {
		bad("shop.invoice.zone", "%q is not a time zone", s.Invoice.Zone)
	}
}
