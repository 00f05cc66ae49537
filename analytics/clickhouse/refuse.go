package clickhouse

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/edgeref/edgeref/wire/click"
)

// ClickHouse's codes for what is about the rows of a batch, and not about the server, the tables or the way there.
const (
	tooLargeStringSize = 131
	valueOutOfRange    = 321
	violatedConstraint = 469
)

// RefusedError says that the server refused a batch for what is in it. Nothing of it is stored, and the same batch will
// be refused again.
type RefusedError struct{ err error }

func (e *RefusedError) Error() string { return e.err.Error() }

// Unwrap returns the server's answer.
func (e *RefusedError) Unwrap() error { return e.err }

// Permanent is true.
func (e *RefusedError) Permanent() bool { return true }

// refused makes a RefusedError of an error that is one. Every other code may be about the server, and is so until an
// operator says otherwise (Options.ContentCodes): taking a batch apart because the server is read-only in a new way
// would set aside all of it.
func (s *Store) refused(err error) error {
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) {
		return err
	}
	switch code := exception.Code; {
	case code == tooLargeStringSize, code == valueOutOfRange, code == violatedConstraint, slices.Contains(s.opts.ContentCodes, code):
		return &RefusedError{err}
	}
	return err
}

// confirmRefusal looks whether clicks that were just refused are stored nevertheless: by an earlier call whose answer
// was lost, before somebody added a constraint. A batch is stored month by month, so one click of each month tells.
func (s *Store) confirmRefusal(ctx context.Context, ids iter.Seq[click.ID], refusal error) error {
	months := make(map[string]click.ID)
	for id := range ids {
		months[time.UnixMilli(id.UnixMilli()).UTC().Format("200601")] = id
	}
	found := 0
	for _, id := range slices.Collect(maps.Values(months)) {
		var v params
		text := fmt.Sprintf("SELECT click_id FROM clicks WHERE affiliate_id = %s AND click_id = toFixedString(unhex(%s), %d) LIMIT 1",
			v.add("Int64", id.AffiliateID()), v.add("String", hex.EncodeToString(id[:])), click.IDSize)
		if err := s.each(ctx, text, v.named, func(driver.Rows) error { found++; return nil }); err != nil {
			return fmt.Errorf("see whether a refused batch is stored: %w", err)
		}
	}
	switch found {
	case 0:
		return refusal
	case len(months):
		return nil
	}
	// Without Unwrap to the refusal: it is not permanent.
	return fmt.Errorf("a part of a batch is stored and the rest is refused; drop the constraint that refuses it until it is stored: %v", refusal) //nolint:errorlint
}
