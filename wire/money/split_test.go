package money

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		total   int64
		weights []int64
		want    []int64
	}{
		{100, []int64{1, 1, 1}, []int64{34, 33, 33}},
		{100, []int64{1, 2}, []int64{33, 67}},
		{1, []int64{0, 5, 5}, []int64{0, 1, 0}},
		{7, []int64{0, 0}, []int64{7, 0}},
		{0, []int64{3, 4}, []int64{0, 0}},
		{MaxMinor, []int64{MaxMinor, MaxMinor}, []int64{MaxMinor / 2, MaxMinor / 2}},
		{5, nil, []int64{}},
	} {
		if got := Split(c.total, c.weights); !slices.Equal(got, c.want) {
			t.Errorf("%d by %v: %v, want %v", c.total, c.weights, got, c.want)
		}
	}
}

// Nothing is lost or made, no part is off by a whole unit, and no weight gets less than a smaller one.
func TestSplitProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(0, 1_000_000).Draw(t, "total")
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1_000_000), 1, 12).Draw(t, "weights")
		parts := Split(total, weights)
		sum, all := int64(0), int64(0)
		for i := range parts {
			sum, all = sum+parts[i], all+weights[i]
		}
		if sum != total {
			t.Fatalf("parts %v come to %d", parts, sum)
		}
		for i := range parts {
			if all > 0 && (parts[i] < total*weights[i]/all || parts[i] > total*weights[i]/all+1) {
				t.Fatalf("part %d is %d of %d by %v", i, parts[i], total, weights)
			}
			for j := range parts {
				if weights[i] > weights[j] && parts[i] < parts[j] {
					t.Fatalf("%v by %v", parts, weights)
				}
			}
		}
	})
}
