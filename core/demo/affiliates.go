package demo

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/audit"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/link"
)

// fate is what becomes of an affiliate.
type fate int

const (
	works fate = iota
	applies
	getsSuspended
)

// affiliate is one of the business's affiliates. ID is 0 until he has joined.
type affiliate struct {
	ID       int64
	PersonID int64
	Name     string
	email    string
	factor   bool
	weight   float64
	joins    time.Time
	links    int        // to be made
	sponsor  *affiliate // nil: nobody
	group    int        // -1: none
	fate     fate
	place    place
	site     string // of his own, where visitors come from
}

// referral is a link with what it brings.
type referral struct {
	catalog.Link
	owner  *affiliate
	weight float64
	site   string
	course string // "": not a course's
}

// Places of the cast's affiliates among all, which are in the order of their weight.
const (
	bigOne   = 0
	smallOne = 60
)

// castAffiliates draws everybody who will be an affiliate.
func (w *world) castAffiliates() {
	r := random("affiliates", 0)
	n := w.o.Size.Affiliates
	seen := map[string]int{}
	for i := range n {
		a := &affiliate{Name: one(r, firstNames()) + " " + one(r, lastNames()), weight: 1 / math.Pow(float64(i)+2.5, 0.95), group: -1, place: pickPlace(r)}
		seen[a.Name]++
		a.email = strings.ReplaceAll(slugOf(a.Name), "-", ".")
		if seen[a.Name] > 1 {
			a.email += fmt.Sprint(seen[a.Name])
		}
		a.email += "@post.example"
		a.site = slugOf(a.Name) + ".example"
		// The first ones were there when the business began; the others came since, fewer of the strong ones.
		if i > n/5 && chance(r, 0.7) {
			a.joins = w.day(0).Add(time.Duration(r.Float64() * float64(w.o.Size.Days-3) * float64(day)))
		} else {
			a.joins = w.day(-1).Add(time.Hour + time.Duration(i)*20*time.Second)
		}
		switch {
		case i < 9:
			a.group = goldPartners
		case i%6 == 1:
			a.group = creators
		case i%5 == 2:
			a.group = ambassadors
		}
		if i > 3 && chance(r, 0.7) {
			a.sponsor = w.affiliates[min(int(r.ExpFloat64()*float64(i)/5), i-1)]
		}
		a.links = linksOf(r, i, n)
		w.affiliates = append(w.affiliates, a)
	}
	w.castOthers(r)
}

// linksOf is how many links the affiliate of a rank makes: three on average, more of the strong ones.
func linksOf(r *rand.Rand, rank, of int) int {
	switch {
	case rank < of/20:
		return 8 + r.IntN(5)
	case rank < of/4:
		return 4 + r.IntN(3)
	}
	return 1 + r.IntN(4)
}

// castOthers puts the cast in, and those who wait or were suspended.
func (w *world) castOthers(r *rand.Rand) {
	n := len(w.affiliates)
	for _, who := range Cast() {
		place := -1
		switch who.Variable {
		case "DEMO_AFFILIATE":
			place = bigOne
		case "DEMO_SMALL_AFFILIATE":
			place = min(smallOne, n/2)
		case "DEMO_NEW_AFFILIATE":
			place = n - 1
		}
		if place < 0 {
			continue
		}
		a := w.affiliates[place]
		a.Name, a.email, a.factor, a.fate = who.Name, who.Email, who.Factor, works
		a.site = slugOf(who.Name) + ".example"
		a.joins, a.sponsor, a.place = w.day(-1).Add(time.Hour+time.Duration(place)*20*time.Second), nil, places()[place%5]
		if who.Variable == "DEMO_NEW_AFFILIATE" {
			a.joins, a.links, a.weight, a.group = w.day(w.o.Size.Days-1), 0, 0, -1
			a.sponsor = w.affiliates[bigOne]
		}
	}
	// Three levels below the big one, whatever chance has made.
	for i := 4; i+1 < n-1 && i < 25; i += 3 {
		w.affiliates[i].sponsor = w.affiliates[bigOne]
		w.affiliates[i+1].sponsor = w.affiliates[i]
		if i+2 < n-1 {
			w.affiliates[i+2].sponsor = w.affiliates[i+1]
		}
	}
	for _, a := range w.affiliates {
		if a.sponsor != nil && a.joins.Before(a.sponsor.joins) {
			a.joins = a.sponsor.joins.Add(time.Duration(1+r.IntN(600)) * time.Second)
		}
	}
	for i := range n / 30 {
		a := w.affiliates[n-2-i]
		a.fate, a.links, a.weight, a.sponsor = applies, 0, 0, w.affiliates[i%5]
		a.joins = w.o.now().Add(-time.Duration(3+r.IntN(80)) * time.Hour)
	}
	for i := range n / 40 {
		w.affiliates[n/3+4*i].fate = getsSuspended
	}
}

// recruit lets those join who are there from the beginning, and puts the others on the agenda.
func (w *world) recruit(ctx context.Context, keys Keys) error {
	w.castAffiliates()
	for i, a := range w.affiliates {
		join := func(ctx context.Context) error { return w.join(ctx, i, a, keys) }
		if i != bigOne && i != 2 && i != 3 && i != 5 { // those whom rules and coupons are for are there before them
			w.at(a.joins, join)
			continue
		}
		if err := join(ctx); err != nil {
			return err
		}
	}
	return nil
}

// join makes an affiliate of somebody who signed up, and approves him.
func (w *world) join(ctx context.Context, rank int, a *affiliate, keys Keys) error {
	in := account.Introduction{Email: a.email, Name: a.Name, Roles: []access.Role{access.RoleAffiliate}, PasswordHash: keys.PasswordHash, Applies: true}
	if a.sponsor != nil {
		in.SponsorID = a.sponsor.ID
	}
	if a.factor {
		in.FactorSecret = keys.FactorSecret
	}
	p, err := w.people.Introduce(ctx, in)
	if err != nil {
		return err
	}
	a.ID, a.PersonID = p.AffiliateID, p.ID
	w.byID[a.ID] = a
	w.note(a, p)
	if a.fate == applies {
		return nil
	}
	patch := catalog.AffiliatePatch{Status: ptr(catalog.Active)}
	if a.group >= 0 {
		patch.GroupID = &w.groups[a.group].ID
	}
	if err := w.change(w.as(ctx, "DEMO_ADMIN"), a, patch, "approved"); err != nil {
		return err
	}
	if a.fate == getsSuspended {
		w.at(w.day(w.o.Size.Days*2/3).Add(time.Duration(rank)*11*time.Minute), func(ctx context.Context) error {
			a.weight /= 20
			return w.change(w.as(ctx, "DEMO_ADMIN"), a, catalog.AffiliatePatch{Status: ptr(catalog.Suspended)}, "the same people buy and refer: "+one(random("reason", rank), []string{"self-referrals", "copied the brand", "sent spam"}))
		})
	}
	if a.links > 0 {
		w.identify(rank, a)
	}
	r := random("links", rank)
	for j := range a.links {
		at := time.Duration(j) * time.Minute
		if j > 2 {
			at = time.Duration(r.IntN(w.o.Size.Days*12)) * time.Hour
		}
		w.after(at, func(ctx context.Context) error { return w.makeLink(ctx, rank, a, j) })
	}
	return nil
}

// note keeps the people of the cast who join as affiliates.
func (w *world) note(a *affiliate, p account.Person) {
	for _, who := range Cast() {
		if who.Email == a.email {
			w.cast[who.Variable] = p
		}
	}
}

func ptr[T any](v T) *T { return &v }

// change changes an affiliate as the API does.
func (w *world) change(ctx context.Context, a *affiliate, patch catalog.AffiliatePatch, reason string) error {
	_, err := w.catalog.UpdateAffiliate(ctx, a.ID, patch, func(tx *db.Tx, before, after catalog.Affiliate) error {
		body := func(a catalog.Affiliate) any { return map[string]any{"name": a.Name, "status": a.Status} }
		return w.audit.Record(ctx, tx, audit.Entry{
			Action: "affiliate.update", Object: ident.Format(ident.Affiliate, a.ID), Before: body(before), After: body(after), Reason: reason,
		})
	})
	return err
}

// makeLink makes link j of an affiliate.
func (w *world) makeLink(ctx context.Context, rank int, a *affiliate, j int) error {
	r := random("link "+a.email, j)
	l := &referral{owner: a, site: a.site, weight: a.weight / float64(j+1)}
	in := catalog.NewLink{AffiliateID: a.ID, ProgramID: w.academy.ID, Own: false}
	goods := courses()
	switch {
	case j > 3 && j%5 == 4:
		in.ProgramID, in.Destination = w.partners.ID, "https://"+one(r, []string{"hostwren.example/start", "books.ledgerleaf.example/trial"})
		l.weight /= 3
	default:
		c := goods[(rank+j)%8]
		if j == 0 && rank == bigOne {
			c = goods[0]
		}
		l.course, in.Destination = c.slug, w.o.URL+"/products/"+c.slug
	}
	word := l.course
	if word == "" {
		word = "tools"
	}
	in.Slug = strings.ToLower(strings.Fields(a.Name)[0]) + "-" + word
	switch {
	case rank == bigOne && j == 0:
		in.Slug = "demo"
	case w.slugs[in.Slug] > 0:
		in.Slug += fmt.Sprint("-", w.slugs[in.Slug]+1)
	}
	w.slugs[strings.ToLower(strings.Fields(a.Name)[0])+"-"+word]++
	if rank == 8 && j == 2 {
		in.ExpiresAt = w.day(w.o.Size.Days * 2 / 3).UnixMilli()
	}
	made, err := w.catalog.CreateLink(access.With(ctx, access.Principal{PersonID: a.PersonID, AffiliateID: a.ID, Name: a.Name}), in,
		noted(ctx, w, "link.create", ident.Link, func(l catalog.Link) int64 { return l.ID }, func(l catalog.Link) any {
			return map[string]any{"slug": l.Slug, "destination": l.Destination}
		}))
	if err != nil {
		return fmt.Errorf("link %s: %w", in.Slug, err)
	}
	l.Link = made
	w.links = append(w.links, l)
	if rank%23 == 11 && j == 1 {
		w.after(20*day, func(ctx context.Context) error {
			l.weight = 0
			_, err := w.catalog.UpdateLink(ctx, l.ID, catalog.LinkPatch{Status: ptr(link.Disabled), Own: a.ID})
			return err
		})
	}
	return nil
}

// couponOf is the code of an affiliate's coupon.
func couponOf(name string) string { return strings.ToUpper(strings.Fields(name)[0]) + "10" }
