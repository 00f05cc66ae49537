package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/mail"
	"github.com/edgeref/edgeref/wire/ident"
)

// Admit makes an affiliate of somebody in the caller's transaction, for accounts. A pending one waits for approval: he is
// suspended for all that looks at links and money, until UpdateAffiliate makes him active. A sponsor who is not an active
// affiliate is taken as nobody, so that a stranger's link cannot keep anybody from signing up. The error is an *InvalidError
// if name or email is not valid.
func (c *Catalog) Admit(ctx context.Context, tx *db.Tx, name, email string, sponsor int64, pending bool) (int64, error) {
	now := c.now().UnixMilli()
	a := Affiliate{ID: c.ids.New(), Name: name, Email: email, Status: Active, CreatedAt: now, UpdatedAt: now}
	if err := a.validate(); err != nil {
		return 0, err
	}
	if pending {
		a.Status = Pending
	}
	a.SponsorID = sponsor
	if err := a.checkSponsor(ctx, tx); err != nil {
		return 0, err
	}
	_, err := tx.Exec(ctx, "INSERT INTO affiliates (id, name, email, status, sponsor_id, group_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
		a.ID, a.Name, a.Email, a.Status.stored(), a.SponsorID, now, now)
	if err != nil {
		return 0, fmt.Errorf("insert affiliate: %w", err)
	}
	if !pending {
		return a.ID, nil
	}
	if _, err := tx.Exec(ctx, "INSERT INTO affiliate_applications (affiliate_id, created_at) VALUES (?, ?)", a.ID, now); err != nil {
		return 0, fmt.Errorf("insert application: %w", err)
	}
	return a.ID, nil
}

// checkSponsor makes nobody the sponsor where the one that is named cannot be.
func (a *Affiliate) checkSponsor(ctx context.Context, tx *db.Tx) error {
	var active int
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM affiliates WHERE id = ? AND status = 'active'", a.SponsorID).Scan(&active)
	if err != nil {
		return fmt.Errorf("read sponsor: %w", err)
	}
	var invalid *InvalidError
	if err := a.checkParties(ctx, tx); errors.As(err, &invalid) || active == 0 {
		a.SponsorID = 0
		return nil
	} else if err != nil {
		return err
	}
	return nil
}

// stored is the status as it stands in the table: who waits is suspended there, so that trackers and attribution, which
// look at nothing else, do right.
func (s Status) stored() string {
	if s == Pending {
		return string(Suspended)
	}
	return string(s)
}

// maxReason bounds the reason of a refusal, in bytes.
const maxReason = 500

// decide ends the application of an affiliate whose status changes, if there is one, and tells him: that he is approved, or
// that and why he is refused.
func (c *Catalog) decide(ctx context.Context, tx *db.Tx, before, after Affiliate, reason string) error {
	if before.Status != Pending {
		return nil
	}
	refused := after.Status != Active
	if refused {
		var check checker
		check.text("reason", reason, maxReason)
		if err := check.err(); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "DELETE FROM affiliate_applications WHERE affiliate_id = ?", after.ID); err != nil {
		return fmt.Errorf("end application: %w", err)
	}
	if c.mail == nil {
		return nil
	}
	m := mail.Message{
		To: after.Email, Template: "affiliate_approved", Key: "application " + ident.Format(ident.Affiliate, after.ID),
		Data: map[string]string{"Name": after.Name, "URL": c.url},
	}
	if refused {
		m.Template, m.Data = "affiliate_refused", map[string]string{"Name": after.Name, "Reason": reason}
	}
	err := c.mail.Queue(ctx, tx, m)
	if errors.Is(err, mail.ErrRecipient) {
		c.log.Warn("an affiliate has no address that can be written to", "affiliate", ident.Format(ident.Affiliate, after.ID), "template", m.Template)
		return nil
	}
	return err
}

// Part names what EraseAffiliate forgets and ExportAffiliate gives.
const Part = "affiliate"

// EraseAffiliate forgets who an affiliate was, in the caller's transaction. Links, conversions and the ledger stay.
func (c *Catalog) EraseAffiliate(ctx context.Context, tx *db.Tx, id int64, pseudonym, email string) error {
	_, err := tx.Exec(ctx, "UPDATE affiliates SET name = ?, email = ?, updated_at = ? WHERE id = ?", pseudonym, email, c.now().UnixMilli(), id)
	if err != nil {
		return fmt.Errorf("erase affiliate: %w", err)
	}
	return nil
}

// ExportAffiliate gives what is kept about an affiliate and his links, as it is shown.
func (c *Catalog) ExportAffiliate(ctx context.Context, id int64) (any, error) {
	a, err := c.Affiliate(ctx, id)
	if err != nil {
		return nil, err
	}
	out := map[string]any{
		"id": ident.Format(ident.Affiliate, a.ID), "name": a.Name, "email": a.Email, "status": a.Status, "created_at_ms": a.CreatedAt,
	}
	links := []map[string]any{}
	for before := int64(0); ; {
		page, err := c.Links(ctx, LinkFilter{AffiliateID: id}, before, maxExportPage)
		if err != nil {
			return nil, err
		}
		for _, l := range page {
			links = append(links, map[string]any{
				"id": ident.Format(ident.Link, l.ID), "slug": l.Slug, "destination": l.Destination, "status": l.Status, "created_at_ms": l.CreatedAt,
			})
			before = l.ID
		}
		if len(page) < maxExportPage || len(links) >= maxExportLinks {
			out["links"] = links
			return out, nil
		}
	}
}

const (
	maxExportPage  = 500
	maxExportLinks = 20_000
)
