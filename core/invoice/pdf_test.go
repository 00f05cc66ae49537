package invoice_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/invoice"
	"github.com/edgeref/edgeref/wire/money"
)

func snapshot() *invoice.Snapshot {
	return &invoice.Snapshot{
		Number: "INV/26-27/000042", Date: "2026-11-24", IssuedAt: 1_795_500_000_000, Net: 4_110_085, Tax: 739_815, Gross: 4_849_900,
		Seller: invoice.Party{Name: "GrowWell Learning Private Limited", Address: "4th Floor, 12 Residency Road\nBengaluru 560025", Country: "IN", Region: "Karnataka", TaxID: "29AAPFU0939F1ZR", Email: "accounts@growwell.example"},
		Document: invoice.Document{
			Kind: invoice.KindInvoice, OrderNumber: "2611-7K3M-9QXT", Currency: "INR", TaxKind: "gst_intra", SupplyPlace: "Karnataka (29)",
			Buyer:       invoice.Party{Name: "Zoë Ångström & Söhne Жанна", Address: "7 Lake View\nMysuru 570001", Country: "IN", Region: "Karnataka", Email: "zoe@example.com"},
			PaidThrough: "razorpay", PaymentID: "pay_29QQoUBi66xm2f",
			Lines: []invoice.Line{
				{Name: "Complete sales training, with everything that one could want to know about selling to people who did not ask", SKU: "SALES-1", TaxCode: "999293", TaxBP: 1800, Net: 4_000_000, Tax: 720_000, CGST: 360_000, SGST: 360_000, Gross: 4_720_000, Discount: 150_000},
				{Name: "E-book", TaxCode: "4901", TaxBP: 1800, Net: 110_085, Tax: 19_815, CGST: 9_907, SGST: 9_908, Gross: 129_900},
			},
		},
	}
}

// text is the document as text, by a program of its own.
func text(t *testing.T, pdf []byte) string {
	t.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Skip("pdftotext (poppler-utils) is not installed")
	}
	name := filepath.Join(t.TempDir(), "invoice.pdf")
	if err := os.WriteFile(name, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), tool, "-layout", name, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestPDFSaysWhatTheSnapshotSays(t *testing.T) {
	s := snapshot()
	note := snapshot()
	note.Kind, note.Number, note.Against, note.AgainstDate, note.Reason, note.TaxKind = invoice.KindCreditNote, "CN/26-27/000007", s.Number, s.Date, "not as described", "gst_inter"
	for i := range note.Lines {
		l := &note.Lines[i]
		l.IGST, l.CGST, l.SGST = l.Tax, 0, 0
	}
	abroad := snapshot()
	abroad.TaxKind, abroad.Currency = "export", "JPY"
	plain := snapshot()
	plain.TaxKind = "none"
	for name, c := range map[string]struct {
		s    *invoice.Snapshot
		want []string
		not  string
	}{
		"invoice": {s, []string{"Tax invoice", "INV/26-27/000042", "Zoë Ångström & Söhne Жанна", "29AAPFU0939F1ZR", "999293", "CGST 9%", "SGST 9%", "3,699.07", "3,699.08", "48,499.00",
			"41,100.85", "2611-7K3M-9QXT", "Karnataka (29)", "pay_29QQoUBi66xm2f", "2026-11-24"}, "IGST"},
		"credit note":  {note, []string{"Credit note", "CN/26-27/000007", "INV/26-27/000042", "IGST 18%", "not as described"}, "CGST"},
		"export":       {abroad, []string{"letter of undertaking", "Total JPY", "4,849,900"}, "GST 18%"},
		"unregistered": {plain, []string{"Invoice", "48,499.00"}, "Tax invoice"},
	} {
		t.Run(name, func(t *testing.T) {
			pdf, err := invoice.PDF(c.s)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
				t.Fatalf("no PDF: %.20q", pdf)
			}
			if dir := os.Getenv("EDGEREF_TEST_PDF"); dir != "" { // to look at them
				if err := os.WriteFile(filepath.Join(dir, name+".pdf"), pdf, 0o600); err != nil {
					t.Error(err)
				}
			}
			got := text(t, pdf)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is missing in:\n%s", want, got)
				}
			}
			if strings.Contains(got, c.not) {
				t.Errorf("%q stands in:\n%s", c.not, got)
			}
		})
	}
}

func TestLongInvoicesHaveSeveralPages(t *testing.T) {
	s := snapshot()
	for range 80 {
		s.Lines = append(s.Lines, s.Lines[1])
	}
	pdf, err := invoice.PDF(s)
	if err != nil {
		t.Fatal(err)
	}
	if got := text(t, pdf); !strings.Contains(got, "Page 2 of ") {
		t.Errorf("one page: %s", got)
	}
}

// What buyers write must not break a document that has to be issued.
func FuzzPDF(f *testing.F) {
	f.Add("Ann", "1 Street\nTown", "x")
	f.Add("अन्ना 😀", "\x00\t\r\n", strings.Repeat("w", 300))
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, name, address, product string) {
		s := snapshot()
		s.Buyer.Name, s.Buyer.Address, s.Lines[0].Name = name, address, product
		if _, err := invoice.PDF(s); err != nil {
			t.Error(err)
		}
	})
}

func TestMoney(t *testing.T) {
	for want, a := range map[string]money.Amount{
		"INR 0.05": {Minor: 5, Currency: "INR"}, "INR 999.00": {Minor: 99_900, Currency: "INR"}, "INR 1,499.00": {Minor: 149_900, Currency: "INR"},
		"INR 1,49,900.00": {Minor: 14_990_000, Currency: "INR"}, "INR 1,23,45,678.90": {Minor: 1_234_567_890, Currency: "INR"},
		"INR -1,00,000.00": {Minor: -10_000_000, Currency: "INR"}, "USD 1,234,567.89": {Minor: 123_456_789, Currency: "USD"},
		"JPY 1,000": {Minor: 1000, Currency: "JPY"}, "KWD 12,345.678": {Minor: 12_345_678, Currency: "KWD"},
	} {
		if got := invoice.Money(a); got != want {
			t.Errorf("%v: %q, want %q", a, got, want)
		}
	}
}
