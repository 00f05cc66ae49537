package webhook

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/edgeref/edgeref/core/db"
)

// Secrets are stored sealed, bound to their endpoint: whoever reads the database can sign nothing, and a secret that is
// moved to another endpoint does not open. Older versions stored them as they are; those still sign until Reseal.

func secretContext(endpoint int64) []byte {
	return []byte("webhook " + strconv.FormatInt(endpoint, 10))
}

func (s *Service) sealSecret(endpoint int64, secret string) (string, error) {
	sealed, err := s.opts.Ring.Seal([]byte(secret), secretContext(endpoint))
	if err != nil {
		return "", fmt.Errorf("seal webhook secret: %w", err)
	}
	return sealed, nil
}

// openSecrets are the secrets that sign at a time in Unix ms, the current one first.
func (s *Service) openSecrets(e *Endpoint, at int64) ([]string, error) {
	stored := e.secrets(at)
	out := make([]string, len(stored))
	for i, text := range stored {
		if strings.HasPrefix(text, secretPrefix) {
			out[i] = text
			continue
		}
		plain, err := s.opts.Ring.Open(text, secretContext(e.ID))
		if err != nil {
			return nil, fmt.Errorf("open webhook secret: %w", err)
		}
		out[i] = string(plain)
	}
	return out, nil
}

// Reseal seals what older versions left open and what an older key sealed, and returns how many endpoints it changed. It may
// run beside others.
func (s *Service) Reseal(ctx context.Context) (changed int, err error) {
	for after := int64(0); ; {
		ids, err := column(ctx, s.db, "SELECT id FROM webhook_endpoints WHERE id > ? AND state <> 'deleted' ORDER BY id LIMIT ?", after, db.MaxIn)
		if err != nil {
			return changed, fmt.Errorf("look for webhook secrets: %w", err)
		}
		for _, id := range ids {
			did, err := s.resealOne(ctx, id)
			if err != nil {
				return changed, fmt.Errorf("seal the secrets of webhook %d anew: %w", id, err)
			}
			if did {
				changed++
			}
			after = id
		}
		if len(ids) < db.MaxIn {
			return changed, nil
		}
	}
}

func (s *Service) resealOne(ctx context.Context, id int64) (changed bool, err error) {
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		var current, previous string
		err := tx.QueryRow(ctx, "SELECT secret, previous_secret FROM webhook_endpoints WHERE id = ?"+tx.Dialect().ForUpdate(), id).Scan(&current, &previous)
		if err != nil {
			return err
		}
		first, a, err := s.reseal(id, current)
		if err != nil {
			return err
		}
		second, b, err := s.reseal(id, previous)
		if changed = a || b; err != nil || !changed {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE webhook_endpoints SET secret = ?, previous_secret = ? WHERE id = ?", first, second, id)
		return err
	})
	return changed, err
}

func (s *Service) reseal(endpoint int64, text string) (string, bool, error) {
	switch {
	case text == "":
		return "", false, nil
	case strings.HasPrefix(text, secretPrefix):
		sealed, err := s.sealSecret(endpoint, text)
		return sealed, true, err
	}
	return s.opts.Ring.Reseal(text, secretContext(endpoint))
}
