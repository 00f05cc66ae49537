package money

import (
	"cmp"
	"math/big"
	"slices"
)

// Split cuts total into parts in proportion to weights. The parts always sum to total: each is rounded towards zero first, and
// the minor units that are left go one by one to the parts that lost most by that, the first of equals first. Neither
// total nor a weight may be negative. Where all weights are zero, the first part gets all.
func Split(total int64, weights []int64) []int64 {
	parts := make([]int64, len(weights))
	if len(weights) == 0 {
		return parts
	}
	sum := new(big.Int)
	for _, w := range weights {
		if w < 0 || total < 0 {
			panic("BUG: split of a negative total, or by a negative weight")
		}
		sum.Add(sum, big.NewInt(w))
	}
	if sum.Sign() == 0 {
		parts[0] = total
		return parts
	}
	lost := make([]*big.Int, len(weights))
	order := make([]int, len(weights))
	left := total
	for i, w := range weights {
		product := new(big.Int).Mul(big.NewInt(total), big.NewInt(w))
		quotient, remainder := product.QuoRem(product, sum, new(big.Int))
		parts[i], lost[i], order[i] = quotient.Int64(), remainder, i
		left -= parts[i]
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(lost[b].Cmp(lost[a]), cmp.Compare(a, b)) })
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts
}
