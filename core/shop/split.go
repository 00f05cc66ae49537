package shop

import (
	"github.com/edgeref/edgeref/wire/money"
)

// split divides total over weights: the parts sum to total, each is within one of its exact share, and where total is
// not more than the sum of the weights, no part is more than its weight. total and weights must not be negative. Where
// all weights are 0, the first part gets all.
func split(total int64, weights []int64) []int64 {
	parts := make([]int64, len(weights))
	var sum int64
	for _, w := range weights {
		sum += w
	}
	if sum == 0 {
		if len(parts) > 0 {
			parts[0] = total
		}
		return parts
	}
	// Rounding the running sum, and not each part, is what keeps the sum.
	var before, done int64
	for i, w := range weights {
		before += w
		upTo := ratio(total, before, sum)
		parts[i], done = upTo-done, upTo
	}
	return parts
}

// ratio is n·num/den, rounded half away from zero; 0 where den is 0. num must not be more than den, so it cannot
// overflow.
func ratio(n, num, den int64) int64 {
	if den == 0 {
		return 0
	}
	a, err := money.Amount{Minor: n}.Ratio(num, den)
	if err != nil {
		panic("BUG: a share is larger than the whole")
	}
	return a.Minor
}
