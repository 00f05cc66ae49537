package catalog

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/link"
)

// MaxOwnLinks is how many links an affiliate may make himself.
const MaxOwnLinks = 1_000

// Errors of what affiliates do themselves.
var (
	ErrSuspended    = errors.New("the affiliate is not active: suspended, or not approved yet")
	ErrTooManyLinks = fmt.Errorf("an affiliate may have %d links; change one instead", MaxOwnLinks)
)

// checkOwn applies what holds for links that affiliates make or change themselves. They are strangers who choose where
// visitors of our domain are sent, so only to the program's hosts.
func checkOwn(ctx context.Context, tx *db.Tx, l *Link, isNew bool) error {
	a, err := ReadAffiliate(ctx, tx, l.AffiliateID)
	if err != nil {
		return err
	}
	if a.Status != Active {
		return ErrSuspended
	}
	p, err := ReadProgram(ctx, tx, l.ProgramID)
	if err != nil {
		return err
	}
	var check checker
	if isNew && p.Status != link.Active {
		check.fail("program_id", "names no program that is open")
	}
	if !p.Allows(l.Destination) {
		check.fail("destination", "must lead to a host of the program: "+strings.Join(p.AllowedHosts, ", "))
	}
	if err := check.err(); err != nil || !isNew {
		return err
	}
	var links int64
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM links WHERE affiliate_id = ?", l.AffiliateID).Scan(&links); err != nil {
		return fmt.Errorf("count links: %w", err)
	}
	if links >= MaxOwnLinks {
		return ErrTooManyLinks
	}
	return nil
}

// Allows reports whether a destination, which has been validated, is on one of the program's hosts: as the trackers decide
// for deep links. "*.shop.example" is every host below; a port must be named unless it is the scheme's own.
func (p *Program) Allows(destination string) bool {
	u, err := url.Parse(destination)
	if err != nil || u.Host == "" {
		return false
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	for _, entry := range p.AllowedHosts {
		name, wantPort, _ := strings.Cut(strings.ToLower(entry), ":")
		if port != wantPort {
			continue
		}
		if parent, wild := strings.CutPrefix(name, "*"); wild {
			if strings.HasSuffix(host, parent) && len(host) > len(parent) && len(parent) > 1 {
				return true
			}
		} else if host == name {
			return true
		}
	}
	return false
}

// OpenPrograms returns programs that affiliates may make links in, with an id below before (0: from the newest), the newest
// first.
func (c *Catalog) OpenPrograms(ctx context.Context, before int64, limit int) ([]Program, error) {
	return programs(ctx, c.db, " WHERE id < ? AND status = ? ORDER BY id DESC LIMIT ?", below(before), string(link.Active), limit)
}
