package conversion_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/commission"
	"github.com/edgeref/edgeref/core/conversion"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
)

// A file is checked as a whole, booked line by line, and may be sent again.
func TestUpload(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d)
		b := f.business(t)
		f.rule(t, b, 0, wire.Sale, commission.Terms{PercentBP: 5000})
		program := ident.Format(ident.Program, b.program)
		file := "\ufeffTxn_ID,type,program_id,amount,currency,click_id,ref_txn_id\n" +
			fmt.Sprintf("a,sale,%s,10.00,inr,%s,\n\nb,sale,%s,20.00,INR,%s,\nr,refund,%s,,,,a\n", program, b.click, program, b.click, program)
		send := func(text string, dry bool) conversion.Upload {
			t.Helper()
			u, err := f.conversions.Upload(t.Context(), strings.NewReader(text), dry)
			if err != nil {
				t.Fatal(err)
			}
			return u
		}
		if u := send(file, true); u.Lines != 3 || u.Valid != 3 || u.Booked != 0 || len(u.Errors) != 0 {
			t.Errorf("dry run %+v", u)
		}
		if u := send(file, false); u.Booked != 3 || len(u.Errors) != 0 {
			t.Errorf("upload %+v", u)
		}
		if u := send(file, false); u.Booked != 0 || u.Duplicates != 3 {
			t.Errorf("again %+v", u)
		}
		if got := f.balances(t, b.affiliate); got != "pending 10.00 INR; " {
			t.Errorf("balances %q", got)
		}
		u := send(strings.Replace(file, "20.00", "21.00", 1), false)
		if u.Conflicts != 1 || len(u.Errors) != 1 || u.Errors[0].Line != 4 || u.Errors[0].Code != "conversion_conflict" {
			t.Errorf("with another amount %+v", u)
		}
		u = send(file+fmt.Sprintf("c,sale,%s,1.001,INR,,\n", program), false)
		if u.Invalid != 1 || u.Duplicates != 0 || u.Errors[0].Line != 6 || u.Errors[0].Column != "amount" {
			t.Errorf("with an invalid line %+v", u)
		}
		f.verify(t)
	})
}

func TestUploadErrors(t *testing.T) {
	const head = "program_id,type,txn_id,ref_txn_id,click_id,amount,currency,customer,happened_at\n"
	const prg = "prg_0000000000001"
	for _, c := range []struct{ line, column, code string }{
		{"x,sale,a,,,1,INR,,", "program_id", "program_invalid"},
		{prg + ",gift,a,,,1,INR,,", "type", "type_invalid"},
		{prg + ",sale,,,,1,INR,,", "txn_id", "conversion_invalid"},
		{prg + ",sale,a,b,,1,INR,,", "ref_txn_id", "conversion_invalid"},
		{prg + ",sale,a,,xyz,1,INR,,", "click_id", "click_id_invalid"},
		{prg + ",sale,a,,,1,XYZ,,", "currency", "currency_invalid"},
		{prg + ",sale,a,,,1,,,", "currency", "currency_invalid"},
		{prg + ",sale,a,,,-1,INR,,", "amount", "amount_invalid"},
		{prg + ",sale,a,,,,INR,,", "amount", "conversion_invalid"},
		{prg + ",lead,a,,,,," + strings.Repeat("c", 129) + ",", "customer", "conversion_invalid"},
		{prg + ",sale,a,,,1,INR,,yesterday", "happened_at", "happened_at_invalid"},
		{prg + ",sale,a,,,1,INR,,2999-01-01T00:00:00Z", "happened_at", "happened_at_invalid"},
		{prg + ",sale", "", "columns_mismatch"},
		{`"` + prg, "", "csv_malformed"},
	} {
		_, u, err := conversion.ParseUpload(strings.NewReader(head+c.line+"\n"), start.UnixMilli())
		if err != nil || u.Invalid != 1 || len(u.Errors) != 1 || u.Errors[0].Column != c.column || u.Errors[0].Code != c.code || u.Errors[0].Line != 2 {
			t.Errorf("%s: %+v, %v", c.line, u, err)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "no type": "program_id,txn_id\n", "unknown": "program_id,type,txn_id,colour\n", "twice": "program_id,type,txn_id,type\n",
		"not UTF-8": "program_id,type,txn_id\n\xff\n", "large": head + strings.Repeat("x", conversion.MaxUpload),
		"many": head + strings.Repeat(prg+",lead,a,,,,,,\n", conversion.MaxUploadLines+1),
	} {
		if _, _, err := conversion.ParseUpload(strings.NewReader(text), 1); !errors.Is(err, conversion.ErrUpload) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever comes in: lines are counted, errors are in order and name a line of the file, and what is valid can be booked.
func FuzzParseUpload(f *testing.F) {
	f.Add("program_id,type,txn_id,amount,currency\nprg_0000000000001,sale,a,1.5,INR\n")
	f.Add("txn_id,type,program_id\n\"a\nb\",lead,prg_0000000000001\nx\n")
	f.Add("program_id,type,txn_id\nprg_0000000000001,lead,\"a\n")
	f.Add("\ufeffprogram_id,type,txn_id\r\nprg_0000000000001,lead,a\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		events, u, err := conversion.ParseUpload(strings.NewReader(text), start.UnixMilli())
		if err != nil {
			if !errors.Is(err, conversion.ErrUpload) {
				t.Fatal(err)
			}
			return
		}
		if u.Valid+u.Invalid != u.Lines || len(events) != u.Valid || len(u.Errors) > u.Invalid {
			t.Fatalf("%d events, %+v", len(events), u)
		}
		last := 0
		for _, e := range u.Errors {
			if e.Code == "" || e.Line < last || e.Line > strings.Count(text, "\n")+1 {
				t.Fatalf("after line %d: %+v", last, e)
			}
			last = e.Line
		}
		for i := range events {
			if err := events[i].Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
