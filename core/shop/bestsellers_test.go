package shop_test

import (
	"slices"
	"testing"
	"time"

	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/shop"
	"github.com/edgeref/edgeref/wire/money"
)

func TestBestsellers(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		a, b, c := f.product(t, "a", 118_000), f.product(t, "b", 59_000), f.product(t, "c", 11_800)
		first := f.buy(t, "", a, b)
		last := f.buy(t, "", b, c)
		for range 2 {
			last = f.buy(t, "", b)
		}
		f.order(t, "", a) // nobody pays it
		from, to := newid.Time(first.ID), newid.Time(last.ID).Add(time.Millisecond)
		amount := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "INR"} }
		list := func(from, to time.Time, limit int) []shop.Bestseller {
			got, err := f.Bestsellers(t.Context(), from, to, limit)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		want := []shop.Bestseller{
			{ProductID: b.ID, Name: "Course b", Sold: 4, Net: amount(200_000)}, {ProductID: a.ID, Name: "Course a", Sold: 1, Net: amount(100_000)},
			{ProductID: c.ID, Name: "Course c", Sold: 1, Net: amount(10_000)},
		}
		if got := list(from, to, 5); !slices.Equal(got, want) {
			t.Errorf("bestsellers %+v", got)
		}
		if got := list(from, to, 2); !slices.Equal(got, want[:2]) {
			t.Errorf("two bestsellers %+v", got)
		}
		if got := list(to, to.Add(time.Hour), 5); len(got) != 0 {
			t.Errorf("bestsellers of later %+v", got)
		}
	})
}
