package payout

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
)

// fingerprintKey is the row of meta that holds the sealed key of fingerprints. The key is made once in the life of a
// database and never rotates: fingerprints of then and now must be comparable. Who has it can only find out whether an
// account that he knows is one of ours.
const fingerprintKey = "payout_fingerprint_key"

// fingerprint is the keyed hash of a text that must be comparable and not readable, in hexadecimal.
func (s *Service) fingerprint(ctx context.Context, tx *db.Tx, text string) (string, error) {
	var fresh [32]byte
	_, _ = rand.Read(fresh[:]) // never fails
	var sealed string
	err := tx.QueryRow(ctx, "SELECT value FROM meta WHERE name = ?", fingerprintKey).Scan(&sealed)
	if db.IsNoRows(err) {
		if sealed, err = s.opts.Ring.Seal([]byte(base64.StdEncoding.EncodeToString(fresh[:])), []byte(fingerprintKey)); err != nil {
			return "", err
		}
		if _, err = tx.TryInsert(ctx, "INSERT INTO meta (name, value) VALUES (?, ?)", fingerprintKey, sealed); err != nil {
			return "", fmt.Errorf("keep fingerprint key: %w", err)
		}
		err = tx.QueryRow(ctx, "SELECT value FROM meta WHERE name = ?", fingerprintKey).Scan(&sealed)
	}
	if err != nil {
		return "", fmt.Errorf("read fingerprint key: %w", err)
	}
	key, err := s.opts.Ring.Open(sealed, []byte(fingerprintKey))
	if err != nil {
		return "", fmt.Errorf("open fingerprint key: %w", err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

func methodContext(id int64) []byte {
	return []byte("payout method " + ident.Format(ident.PayoutMethod, id))
}

func profileContext(affiliateID int64) []byte {
	return []byte("tax identity " + ident.Format(ident.Affiliate, affiliateID))
}

func (s *Service) sealDestination(id int64, d Destination) (string, error) {
	plain, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("encode payout method: %w", err)
	}
	return s.opts.Ring.Seal(plain, methodContext(id))
}

// destination opens the account of a method.
func (s *Service) destination(ctx context.Context, q db.Querier, methodID int64) (d Destination, err error) {
	var sealed string
	if err := q.QueryRow(ctx, "SELECT sealed FROM payout_methods WHERE id = ?", methodID).Scan(&sealed); err != nil {
		return d, fmt.Errorf("read payout method: %w", err)
	}
	plain, err := s.opts.Ring.Open(sealed, methodContext(methodID))
	if err != nil {
		return d, fmt.Errorf("open payout method %s: %w", ident.Format(ident.PayoutMethod, methodID), err)
	}
	if err := json.Unmarshal(plain, &d); err != nil {
		return d, fmt.Errorf("decode payout method: %w", err)
	}
	return d, nil
}

// Reseal encrypts anew, with the newest key, what older keys sealed: payout methods, tax identities and the key of
// fingerprints. It returns how many it changed. It may run beside everything else, and be stopped and run again.
func (s *Service) Reseal(ctx context.Context) (int, error) {
	changed := 0
	for _, t := range []struct {
		table, id, where string
		context          func(int64) []byte
	}{
		{"payout_methods", "id", " AND sealed <> ''", methodContext},
		{"payee_tax_profiles", "affiliate_id", " AND sealed <> ''", profileContext},
	} {
		for after := int64(0); ; {
			last, n, err := s.resealPart(ctx, t.table, t.id, t.where, after, t.context)
			changed += n
			if err != nil {
				return changed, err
			}
			if last == 0 {
				break
			}
			after = last
		}
	}
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		var sealed string
		err := tx.QueryRow(ctx, "SELECT value FROM meta WHERE name = ?"+tx.Dialect().ForUpdate(), fingerprintKey).Scan(&sealed)
		if db.IsNoRows(err) {
			return nil
		}
		if err != nil {
			return err
		}
		text, fresh, err := s.opts.Ring.Reseal(sealed, []byte(fingerprintKey))
		if err != nil || !fresh {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE meta SET value = ? WHERE name = ?", text, fingerprintKey)
		return err
	})
	if err != nil {
		return changed, fmt.Errorf("seal fingerprint key anew: %w", err)
	}
	return changed, nil
}

// resealPart does some rows after an id; last is 0 where there were none.
func (s *Service) resealPart(ctx context.Context, table, idColumn, where string, after int64, seal func(int64) []byte) (last int64, changed int, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		last, changed = 0, 0
		rows, err := tx.Query(ctx, "SELECT "+idColumn+", sealed FROM "+table+" WHERE "+idColumn+" > ?"+where+" ORDER BY "+idColumn+" LIMIT 100"+tx.Dialect().ForUpdate(), after)
		if err != nil {
			return err
		}
		defer rows.Close()
		type row struct {
			id     int64
			sealed string
		}
		var found []row
		for rows.Next() {
			var r row
			if err := rows.Scan(&r.id, &r.sealed); err != nil {
				return err
			}
			found = append(found, r)
		}
		if err := errorsOf(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for _, r := range found {
			last = r.id
			text, fresh, err := s.opts.Ring.Reseal(r.sealed, seal(r.id))
			if err != nil {
				return fmt.Errorf("%d: %w", r.id, err)
			}
			if !fresh {
				continue
			}
			if _, err := tx.Exec(ctx, "UPDATE "+table+" SET sealed = ? WHERE "+idColumn+" = ?", text, r.id); err != nil {
				return err
			}
			changed++
		}
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("seal rows of %s anew: %w", table, err)
	}
	return last, changed, nil
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
