package payout_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/core/payout"
)

func TestNormalizeDestinations(t *testing.T) {
	for _, tt := range []struct {
		name          string
		in            payout.Destination
		account, mask string
		field         string // wrong; "" : none
	}{
		{"india", payout.Destination{Kind: "bank_in", Holder: " Asha  Rao ", Account: "5010 0123-456789", IFSC: "hdfc0001234"}, "50100123456789", "HDFC0001234 ****6789", ""},
		{"india, nine digits", payout.Destination{Kind: "bank_in", Holder: "A", Account: "123456789", IFSC: "SBIN0000001"}, "123456789", "SBIN0000001 ****6789", ""},
		{"india, short", payout.Destination{Kind: "bank_in", Holder: "A", Account: "12345678", IFSC: "SBIN0000001"}, "", "", "account"},
		{"india, long", payout.Destination{Kind: "bank_in", Holder: "A", Account: strings.Repeat("1", 19), IFSC: "SBIN0000001"}, "", "", "account"},
		{"india, zeros", payout.Destination{Kind: "bank_in", Holder: "A", Account: "000000000000", IFSC: "SBIN0000001"}, "", "", "account"},
		{"india, letters", payout.Destination{Kind: "bank_in", Holder: "A", Account: "12345678O", IFSC: "SBIN0000001"}, "", "", "account"},
		{"ifsc with the letter O", payout.Destination{Kind: "bank_in", Holder: "A", Account: "123456789", IFSC: "SBINO000001"}, "", "", "ifsc"},
		{"ifsc, short", payout.Destination{Kind: "bank_in", Holder: "A", Account: "123456789", IFSC: "SBIN000001"}, "", "", "ifsc"},
		{"ifsc, not ASCII", payout.Destination{Kind: "bank_in", Holder: "A", Account: "123456789", IFSC: "SBIÑ000001"}, "", "", "ifsc"},
		{"ifsc without need", payout.Destination{Kind: "upi", Holder: "A", Account: "asha@upi", IFSC: "SBIN0000001"}, "", "", "ifsc"},
		{"german", payout.Destination{Kind: "iban", Holder: "A", Account: "de89 3704 0044 0532 0130 00"}, "DE89370400440532013000", "DE****3000", ""},
		{"british", payout.Destination{Kind: "iban", Holder: "A", Account: "GB82 WEST 1234 5698 7654 32"}, "GB82WEST12345698765432", "GB****5432", ""},
		{"norwegian", payout.Destination{Kind: "iban", Holder: "A", Account: "NO9386011117947"}, "NO9386011117947", "NO****7947", ""},
		{"maltese", payout.Destination{Kind: "iban", Holder: "A", Account: "MT84MALT011000012345MTLCAST001S"}, "MT84MALT011000012345MTLCAST001S", "MT****001S", ""},
		{"two digits exchanged", payout.Destination{Kind: "iban", Holder: "A", Account: "DE89370400440532031000"}, "", "", "account"},
		{"one digit wrong", payout.Destination{Kind: "iban", Holder: "A", Account: "DE89370400440532013001"}, "", "", "account"},
		{"too short for its country", payout.Destination{Kind: "iban", Holder: "A", Account: "DE8937040044053201300"}, "", "", "account"},
		{"no IBAN country", payout.Destination{Kind: "iban", Holder: "A", Account: "IN89370400440532013000"}, "", "", "account"},
		{"check digits nobody gives", payout.Destination{Kind: "iban", Holder: "A", Account: "DE00370400440532013000"}, "", "", "account"},
		{"not an IBAN", payout.Destination{Kind: "iban", Holder: "A", Account: "??"}, "", "", "account"},
		{"upi", payout.Destination{Kind: "upi", Holder: "A", Account: "Asha.Rao-1@OkAxis"}, "asha.rao-1@okaxis", "a****@okaxis", ""},
		{"upi that is an e-mail address", payout.Destination{Kind: "upi", Holder: "A", Account: "asha@example.com"}, "", "", "account"},
		{"upi without handle", payout.Destination{Kind: "upi", Holder: "A", Account: "asha@"}, "", "", "account"},
		{"upi with two", payout.Destination{Kind: "upi", Holder: "A", Account: "asha@a@b"}, "", "", "account"},
		{"upi that breaks a line", payout.Destination{Kind: "upi", Holder: "A", Account: "as\nha@ybl"}, "", "", "account"},
		{"paypal", payout.Destination{Kind: "paypal", Holder: "A", Account: "Asha@Example.com"}, "Asha@example.com", "A****@example.com", ""},
		{"paypal with a name", payout.Destination{Kind: "paypal", Holder: "A", Account: "Asha <asha@example.com>"}, "", "", "account"},
		{"paypal, two", payout.Destination{Kind: "paypal", Holder: "A", Account: "a@example.com,b@example.com"}, "", "", "account"},
		{"paypal, one label", payout.Destination{Kind: "paypal", Holder: "A", Account: "a@localhost"}, "", "", "account"},
		{"unknown kind", payout.Destination{Kind: "cash", Holder: "A", Account: "x"}, "", "", "kind"},
		{"no holder", payout.Destination{Kind: "upi", Account: "asha@upi"}, "", "", "holder"},
		{"holder that hides text", payout.Destination{Kind: "upi", Holder: "A\u202eB", Account: "asha@upi"}, "", "", "holder"},
		{"long", payout.Destination{Kind: "upi", Holder: "A", Account: strings.Repeat("a", 200) + "@upi"}, "", "", "account"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.in.Normalize()
			var in *payout.InvalidError
			switch {
			case tt.field != "":
				if !errors.As(err, &in) || in.Field != tt.field {
					t.Errorf("error %v, want one about %s", err, tt.field)
				}
			case err != nil:
				t.Error(err)
			case got.Account != tt.account || got.Masked() != tt.mask:
				t.Errorf("account %q, masked %q; want %q, %q", got.Account, got.Masked(), tt.account, tt.mask)
			}
		})
	}
}

// Any single digit that is mistyped, and any two neighbours that are exchanged, are found.
func TestIBANFindsTypos(t *testing.T) {
	const good = "DE89370400440532013000"
	for i := 4; i < len(good); i++ {
		for d := byte('0'); d <= '9'; d++ {
			bad := good[:i] + string(d) + good[i+1:]
			if _, err := payout.ParseIBAN(bad); bad != good && err == nil {
				t.Errorf("%s is accepted", bad)
			}
		}
		if i+1 < len(good) && good[i] != good[i+1] {
			bad := good[:i] + string(good[i+1]) + string(good[i]) + good[i+2:]
			if _, err := payout.ParseIBAN(bad); err == nil {
				t.Errorf("%s is accepted", bad)
			}
		}
	}
}

func FuzzNormalize(f *testing.F) {
	f.Add("bank_in", "Asha", "50100123456789", "HDFC0001234")
	f.Add("iban", "Asha", "DE89370400440532013000", "")
	f.Add("upi", "Asha", "asha@okaxis", "")
	f.Add("paypal", "Asha", "asha@example.com", "")
	f.Fuzz(func(t *testing.T, kind, holder, account, ifsc string) {
		d, err := payout.Destination{Kind: payout.Kind(kind), Holder: holder, Account: account, IFSC: ifsc}.Normalize()
		if err != nil {
			return
		}
		again, err := d.Normalize()
		if err != nil || again != d {
			t.Fatalf("%+v, then %+v, %v", d, again, err)
		}
		for _, part := range []string{d.Account, d.Holder, d.IFSC} {
			if strings.ContainsAny(part, "\r\n\x00") {
				t.Fatalf("a control character is left in %q", part)
			}
		}
		if masked := d.Masked(); strings.Contains(masked, d.Account) {
			t.Fatalf("%q shows the account", masked)
		}
	})
}
