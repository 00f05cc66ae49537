package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/kyc"
	"github.com/edgeref/edgeref/core/payout"
)

// asAffiliate is a context in which an affiliate acts.
func (w *world) asAffiliate(ctx context.Context, a *affiliate) context.Context {
	roles := []access.Role{access.RoleAffiliate}
	return access.With(ctx, access.Principal{
		PersonID: a.PersonID, SessionID: a.PersonID, AffiliateID: a.ID, Name: a.Name, Roles: roles, Scopes: access.GrantsOf(roles),
		SecondFactorAt: w.clock.Now().UnixMilli(), Address: "198.51.100.77",
	})
}

// identify lets an affiliate say, some days after he joined, who he is and where he is paid. Not everybody gets so far.
func (w *world) identify(rank int, a *affiliate) {
	r := random("papers", rank)
	known := rank == bigOne || a.factor || chance(r, 0.82)
	if !known {
		return
	}
	when := w.clock.Now().Add(time.Duration((0.5 + r.Float64()*4) * float64(day)))
	if waitsForReview(rank) {
		when = w.end.Add(-time.Duration(3+rank%50) * time.Hour)
	}
	w.at(when, func(ctx context.Context) error {
		if err := w.setMethod(ctx, r, a); err != nil {
			return err
		}
		if a.place.country != "IN" {
			return nil
		}
		if rank == bigOne || chance(r, 0.9) {
			if _, err := w.payouts.SetTaxProfile(w.asAffiliate(ctx, a), a.ID, "IN", panOf(r), nil); err != nil {
				return err
			}
		}
		return w.sendPaper(ctx, r, rank, a)
	})
}

// waitsForReview says whose document came so late that nobody has looked at it.
func waitsForReview(rank int) bool { return rank%19 == 7 }

// setMethod says where an affiliate is paid in rupees or, where he lives elsewhere, in both currencies.
func (w *world) setMethod(ctx context.Context, r *rand.Rand, a *affiliate) error {
	holder := a.Name
	set := func(currency string, d payout.Destination) error {
		_, err := w.payouts.SetMethod(w.asAffiliate(ctx, a), a.ID, currency, d, nil)
		return err
	}
	if a.place.country == "IN" {
		d := payout.Destination{Kind: payout.UPI, Holder: holder, Account: strings.ReplaceAll(slugOf(a.Name), "-", ".") + fmt.Sprintf("%d@demobank", r.IntN(1000))}
		if chance(r, 0.88) { // the others wait until somebody pays them by hand
			d = bankOf(r, holder)
		}
		if err := set("INR", d); err != nil {
			return err
		}
	}
	return set("USD", payout.Destination{Kind: payout.PayPal, Holder: holder, Account: a.email})
}

func bankOf(r *rand.Rand, holder string) payout.Destination {
	return payout.Destination{
		Kind: payout.BankIN, Holder: holder, Account: fmt.Sprintf("%d%09d", 10+r.IntN(80), r.IntN(1e9)),
		IFSC: one(r, []string{"DEMO", "NIMB", "EXMP"}) + "0" + fmt.Sprintf("%06d", r.IntN(1e6)),
	}
}

func panOf(r *rand.Rand) string {
	letter := func() string { return string(rune('A' + r.IntN(26))) }
	return letter() + letter() + letter() + "P" + letter() + fmt.Sprintf("%04d", r.IntN(10_000)) + letter()
}

// sendPaper sends the document by which an affiliate is known, which finance looks at within two days.
func (w *world) sendPaper(ctx context.Context, r *rand.Rand, rank int, a *affiliate) error {
	own := w.asAffiliate(ctx, a)
	d, err := w.documents.Announce(own, a.ID, "IN", "pan_card", "pan-card.pdf", nil)
	if err != nil {
		return err
	}
	if rank != bigOne && chance(r, 0.04) {
		return nil // and its file never came
	}
	if _, err := w.documents.Upload(own, a.ID, d.ID, "application/pdf", specimen("PAN card of "+a.Name)); err != nil {
		return err
	}
	if waitsForReview(rank) {
		return nil
	}
	accept := rank == bigOne || a.factor || chance(r, 0.92)
	w.after(time.Duration(4+r.IntN(60))*time.Hour, func(ctx context.Context) error {
		reason := ""
		if !accept {
			reason = one(r, []string{"the number cannot be read", "the name is not that of the account", "this is a copy of a copy"})
			w.after(time.Duration(20+r.IntN(60))*time.Hour, func(ctx context.Context) error { return w.sendPaper(ctx, r, rank, a) })
		}
		_, err := w.documents.Review(w.as(ctx, "DEMO_FINANCE"), d.ID, accept, reason, nil)
		if errors.Is(err, kyc.ErrState) {
			return nil
		}
		return err
	})
	return nil
}

// specimen is a document of one page that says what it would be.
func specimen(title string) []byte {
	var b bytes.Buffer
	var at []int
	object := func(format string, args ...any) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n"+format+"\nendobj\n", append([]any{len(at)}, args...)...)
	}
	text := "BT /F1 20 Tf 60 250 Td (" + strings.NewReplacer("(", "", ")", "", `\`, "").Replace(title) + ") Tj 0 -34 Td (SPECIMEN of a demo, of no value) Tj ET\n0.2 0.5 0.4 RG 40 40 420 260 re S\n"
	b.WriteString("%PDF-1.4\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 500 340] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>")
	object("<< /Length %d >>\nstream\n%sendstream", len(text), text)
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}
