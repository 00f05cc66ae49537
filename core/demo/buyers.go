package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/edgeref/edgeref/core/shop"
)

// buyer is somebody who buys.
type buyer struct {
	shop.Buyer
	currency string
	orders   int
	enrolled bool            // has an account
	owns     map[string]bool // courses, by slug
}

// meet is who comes to the checkout: somebody new, or one who was there before.
func (w *world) meet(country string) *buyer {
	r := w.fates
	if len(w.buyers) > 50 && chance(r, 0.18) {
		return one(r, w.buyers)
	}
	b := newBuyer(r, country)
	for n := 2; w.buyerAt[b.Email] != nil; n++ {
		b.Email = strings.Replace(b.Email, "@", fmt.Sprintf("%d@", n), 1)
	}
	w.remember(b)
	return b
}

func (w *world) remember(b *buyer) {
	w.buyerAt[b.Email] = b
	w.buyers = append(w.buyers, b)
}

func newBuyer(r *rand.Rand, country string) *buyer {
	name := one(r, firstNames()) + " " + one(r, lastNames())
	b := &buyer{currency: "INR", owns: map[string]bool{}}
	b.Country = "IN"
	if country != "IN" && country != "XX" && country != "NP" {
		b.Country, b.currency = country, "USD"
		if chance(r, 0.4) {
			name = one(r, foreignNames())
		}
	} else {
		for p := pickPlace(r); ; p = pickPlace(r) {
			if p.country != "IN" {
				continue
			}
			b.Region = p.region
			if p.town != "" && chance(r, 0.5) {
				b.Address = fmt.Sprintf("%d, %s Road\n%s %s", 1+r.IntN(240), one(r, []string{"Station", "Temple", "Lake", "Mahatma Gandhi", "College", "Market"}), p.town, p.pin)
			}
			break
		}
	}
	b.Name = name
	b.Email = strings.ReplaceAll(slugOf(name), "-", ".") + "@" + one(r, []string{"mailbox.example", "mailbox.example", "post.example", "inbox.example"})
	return b
}

// choose puts something into the cart that the buyer does not own yet.
func (w *world) choose(b *buyer, wanted string) []shop.Item {
	r := w.fates
	goods := courses()
	pick := func() string {
		total := 0
		for _, c := range goods {
			total += c.weight
		}
		n := r.IntN(total)
		for _, c := range goods {
			if n -= c.weight; n < 0 {
				return c.slug
			}
		}
		return goods[0].slug
	}
	if wanted == "" || b.owns[wanted] || !chance(r, 0.75) {
		wanted = pick()
	}
	items := []shop.Item{{Slug: wanted}}
	p := w.products[wanted]
	if second := goods[r.IntN(7)].slug; p.Kind == shop.Single && p.ProgramID != 0 && second != wanted && chance(r, 0.12) {
		items = append(items, shop.Item{Slug: second})
	}
	for _, i := range items {
		b.owns[i.Slug] = true
	}
	return items
}
