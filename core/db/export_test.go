package db

import "context"

// MigrateTo brings the schema to one version, for tests of what a later one does with rows that are there.
func (d *DB) MigrateTo(ctx context.Context, version int64) error {
	provider, err := d.provider()
	if err != nil {
		return err
	}
	_, err = provider.UpTo(ctx, version)
	return err
}
