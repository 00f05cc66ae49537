package catalog

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/link"
)

const (
	saltSize = 16 // bytes
	// saltDays: a salt is deleted 48 hours after its UTC day began.
	saltDays = 2
)

// validSalts returns the salts of yesterday, today and tomorrow (UTC). It makes those of today and tomorrow and deletes
// what is older than yesterday, once a day and process. The caller must not change the slice.
//
// Tomorrow's is made in advance so that trackers have it before midnight, whatever happens to us then.
func (c *Catalog) validSalts(ctx context.Context) ([]link.Salt, error) {
	c.saltMu.Lock()
	defer c.saltMu.Unlock()
	today := c.now().Unix() / int64(24*time.Hour/time.Second)
	if c.salts != nil && c.saltOf == today {
		return c.salts, nil
	}
	var salts []link.Salt
	err := c.db.InTx(ctx, func(tx *db.Tx) error {
		for _, day := range []int64{today, today + 1} {
			var salt [saltSize]byte
			_, _ = rand.Read(salt[:]) // never fails
			// Another core may have been first; then its salt counts.
			if _, err := tx.TryInsert(ctx, "INSERT INTO visitor_salts (day, salt) VALUES (?, ?)", day, salt[:]); err != nil {
				return fmt.Errorf("make salt: %w", err)
			}
		}
		if _, err := tx.Exec(ctx, "DELETE FROM visitor_salts WHERE day <= ?", today-saltDays); err != nil {
			return fmt.Errorf("delete salts: %w", err)
		}
		var err error
		salts, err = collect(ctx, tx, scanSalt, "salts", "SELECT day, salt FROM visitor_salts WHERE day <= ? ORDER BY day", today+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.salts, c.saltOf = salts, today
	return salts, nil
}

func scanSalt(r row) (s link.Salt, err error) {
	err = r.Scan(&s.Day, &s.Key)
	return s, err
}
