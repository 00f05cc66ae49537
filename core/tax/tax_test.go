package tax_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/tax"
)

func TestApply(t *testing.T) {
	whole := tax.Rule{Terms: tax.Example()}
	excess := whole
	excess.Mode = tax.Excess
	paise := whole
	paise.RoundTo = 1
	for _, tt := range []struct {
		name                string
		rule                tax.Rule
		gross, before, done int64
		hasID               bool
		taxable, tax        int64
	}{
		{"below", whole, 19_999_99, 0, 0, true, 0, 0},
		{"at the threshold", whole, 20_000_00, 0, 0, true, 0, 0},
		{"one paisa above", paise, 20_000_01, 0, 0, true, 20_000_01, 400_00},
		{"all at once", whole, 25_000_00, 0, 0, true, 25_000_00, 500_00},
		{"crossing takes the earlier with it", whole, 10_000_00, 15_000_00, 0, true, 25_000_00, 500_00},
		{"after the crossing", whole, 10_000_00, 25_000_00, 25_000_00, true, 10_000_00, 200_00},
		{"without PAN", whole, 10_000_00, 15_000_00, 0, false, 25_000_00, 5_000_00},
		{"excess: below", excess, 20_000_00, 0, 0, true, 0, 0},
		{"excess: crossing", excess, 10_000_00, 15_000_00, 0, true, 5_000_00, 100_00},
		{"excess: after", excess, 10_000_00, 25_000_00, 5_000_00, true, 10_000_00, 200_00},
		{"half a rupee is rounded away from zero", whole, 20_025_00, 0, 0, true, 20_025_00, 401_00},
		{"less than half down", whole, 20_024_00, 0, 0, true, 20_024_00, 400_00},
		{"what came back was taxed with a later one", whole, 10_000_00, 25_000_00, 35_000_00, true, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.rule.Apply(tt.gross, tax.Before{Gross: tt.before, Taxed: tt.done}, tt.hasID)
			if err != nil || got.Taxable != tt.taxable || got.Tax != tt.tax {
				t.Errorf("taxable %d, tax %d, %v; want %d, %d", got.Taxable, got.Tax, err, tt.taxable, tt.tax)
			}
		})
	}
}

// Into however many payouts a year is cut: all that was due is taxed, once, and each rounding is off by half a unit at most.
func TestCutsOfAYear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := tax.Rule{Terms: tax.Example()}
		r.Mode = rapid.SampledFrom([]tax.Mode{tax.Whole, tax.Excess}).Draw(t, "mode")
		r.RoundTo = rapid.SampledFrom([]int64{1, 100}).Draw(t, "unit")
		r.RateBP = rapid.Int64Range(0, 3_000).Draw(t, "rate")
		r.NoIDRateBP = 3_000
		var before tax.Before
		var withheld int64
		parts := rapid.SliceOfN(rapid.Int64Range(1, 30_000_00), 1, 12).Draw(t, "parts")
		for _, gross := range parts {
			got, err := r.Apply(gross, before, true)
			if err != nil {
				t.Fatal(err)
			}
			before.Gross, before.Taxed, withheld = before.Gross+gross, before.Taxed+got.Taxable, withheld+got.Tax
		}
		once, err := r.Apply(before.Gross, tax.Before{}, true)
		if err != nil {
			t.Fatal(err)
		}
		if before.Taxed != once.Taxable {
			t.Fatalf("taxed %d in parts, %d at once", before.Taxed, once.Taxable)
		}
		if off := withheld - once.Tax; off > int64(len(parts)+1)*r.RoundTo/2+1 || off < -int64(len(parts)+1)*r.RoundTo/2-1 {
			t.Fatalf("withheld %d in parts, %d at once", withheld, once.Tax)
		}
	})
}

func TestYear(t *testing.T) {
	r := tax.Example()
	for at, want := range map[string]string{
		"2026-03-31T18:29:59Z": "2025-03-31T18:30:00Z", // still 31 March in India
		"2026-03-31T18:30:00Z": "2026-03-31T18:30:00Z",
		"2026-12-31T00:00:00Z": "2026-03-31T18:30:00Z",
		"2027-01-01T00:00:00Z": "2026-03-31T18:30:00Z",
	} {
		moment, _ := time.Parse(time.RFC3339, at)
		start, end := r.Year(moment)
		if start.Format(time.RFC3339) != want || !end.Equal(start.AddDate(1, 0, 0)) || moment.Before(start) || !moment.Before(end) {
			t.Errorf("%s: %s to %s", at, start, end)
		}
	}
}

func TestRulesOfTheirTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		now := func() time.Time { return time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC) }
		s := tax.New(tax.Options{DB: d, IDs: newid.New(now), Now: now})
		first, err := s.Create(t.Context(), tax.Example(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Create(t.Context(), tax.Example(), nil); !errors.Is(err, tax.ErrExists) {
			t.Errorf("the same again: %v", err)
		}
		later := tax.Example()
		later.ValidFrom, later.RateBP, later.ConfirmedBy = first.ValidFrom+1_000, 500, "A. Accountant"
		second, err := s.Create(t.Context(), later, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			country string
			at      int64
			want    int64
		}{{"IN", first.ValidFrom - 1, 0}, {"IN", first.ValidFrom, first.ID}, {"IN", second.ValidFrom - 1, first.ID}, {"IN", second.ValidFrom, second.ID}, {"DE", second.ValidFrom, 0}} {
			got, ok, err := tax.InForce(t.Context(), d, tt.country, "INR", tt.at)
			if err != nil || got.ID != tt.want || ok != (tt.want != 0) {
				t.Errorf("%s at %d: rule %d, %v", tt.country, tt.at, got.ID, err)
			}
		}
		list, err := s.List(t.Context(), 0, 10)
		if err != nil || len(list) != 2 || list[0] != second || list[1] != first {
			t.Errorf("list %+v, %v", list, err)
		}
	})
}

func TestRefusedTerms(t *testing.T) {
	now := func() time.Time { return time.UnixMilli(1) }
	s := tax.New(tax.Options{DB: dbtest.SQLite(t), IDs: newid.New(now), Now: now})
	for field, change := range map[string]func(*tax.Terms){
		"name": func(r *tax.Terms) { r.Name = " " }, "country": func(r *tax.Terms) { r.Country = "in" }, "currency": func(r *tax.Terms) { r.Currency = "XXX" },
		"rate_bp": func(r *tax.Terms) { r.RateBP = -1 }, "no_id_rate_bp": func(r *tax.Terms) { r.NoIDRateBP = 100 },
		"threshold_minor": func(r *tax.Terms) { r.Threshold = -1 }, "threshold_mode": func(r *tax.Terms) { r.Mode = "half" },
		"year_month": func(r *tax.Terms) { r.YearMonth = 13 }, "year_day": func(r *tax.Terms) { r.YearDay = 31 },
		"utc_offset_minutes": func(r *tax.Terms) { r.UTCOffset = 5000 }, "round_to_minor": func(r *tax.Terms) { r.RoundTo = 0 },
		"valid_from": func(r *tax.Terms) { r.ValidFrom = 0 }, "note": func(r *tax.Terms) { r.Note = "two\nlines" },
	} {
		terms := tax.Example()
		change(&terms)
		var in *tax.InvalidError
		if _, err := s.Create(t.Context(), terms, nil); !errors.As(err, &in) || in.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestParseIdentity(t *testing.T) {
	for _, tt := range []struct{ country, in, want string }{
		{"IN", " abcpk1234l ", "ABCPK1234L"}, {"IN", "ABCCK1234L", "ABCCK1234L"},
		{"IN", "ABCDK1234L", ""}, // no kind of person D
		{"IN", "ABCPK0000L", ""}, {"IN", "ABCPK12345", ""}, {"IN", "ABCP11234L", ""}, {"IN", "ABCPK1234LL", ""}, {"IN", "", ""}, {"IN", "ÀBCPK123L", ""},
		{"DE", "de 123/456-7", "DE 123/456-7"}, {"DE", "<b>", ""}, {"DE", "1", ""},
	} {
		got, err := tax.ParseIdentity(tt.country, tt.in)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s %q: %q, %v", tt.country, tt.in, got, err)
		}
	}
}

func FuzzParsePAN(f *testing.F) {
	f.Add("ABCPK1234L")
	f.Add("abcpk1234l")
	f.Fuzz(func(t *testing.T, text string) {
		pan, err := tax.ParsePAN(text)
		if err != nil {
			return
		}
		if again, err := tax.ParsePAN(pan); err != nil || again != pan || len(pan) != 10 || tax.Mask(pan) == pan {
			t.Fatalf("%q is %q, then %q, %v", text, pan, again, err)
		}
	})
}
