package ledger

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/db"
)

// The hash chain. Its form is stated in core/DESIGN.md; a change of it needs a new version in the first line, and a
// way to verify what was sealed before.
const (
	chainVersion = "edgeref-ledger-chain/1\n"
	// genesis stands for the hash before the first.
	genesis = "0000000000000000000000000000000000000000000000000000000000000000"
	// lateAfter is how much older than the newest sealed transaction one may be that is sealed after it: far longer
	// than any posting transaction takes and core clocks differ, and short for whoever would like to change the past.
	lateAfter = 10 * time.Minute
)

// ErrHead says that a text is not the head of a chain.
var ErrHead = errors.New("not a chain head: want SEQ:HASH as verify-ledger prints it")

// Head names a point of the chain: everything up to transaction number Seq is fixed by Hash. The zero Head is none.
type Head struct {
	Seq  int64
	Hash string // 64 hexadecimal digits in lower case
}

// String is SEQ:HASH.
func (h Head) String() string { return strconv.FormatInt(h.Seq, 10) + ":" + h.Hash }

// ParseHead reads SEQ:HASH. The error is ErrHead.
func ParseHead(text string) (Head, error) {
	seq, hash, ok := strings.Cut(strings.TrimSpace(text), ":")
	n, err := strconv.ParseInt(seq, 10, 64)
	hash = strings.ToLower(hash)
	if _, hexErr := hex.DecodeString(hash); !ok || err != nil || n < 0 || hexErr != nil || len(hash) != len(genesis) {
		return Head{}, ErrHead
	}
	return Head{Seq: n, Hash: hash}, nil
}

// link is one transaction in the chain.
type link struct {
	seq      int64
	sealedAt int64 // Unix ms
	late     bool  // an operator accepted it although it came late
	tx       Transaction
}

// base is the time against which lateness is measured, and what it is after this link. A transaction dated in the
// future counts as of its seal, or one wrong clock would make all others late.
func (l *link) base(before int64) int64 {
	at := min(l.tx.PostedAt, l.sealedAt)
	if l.late {
		return at // begins afresh: the clock from before was wrong
	}
	return max(before, at)
}

// isLate reports whether a transaction is too old to be sealed after what is sealed.
func isLate(postedAt, base int64) bool { return postedAt < base-lateAfter.Milliseconds() }

// appendCanonical appends what is hashed. Numbers are decimal and end a field; texts carry their length, so that no
// two contents have one form.
func (l *link) appendCanonical(b []byte, previous string) []byte {
	number := func(n int64) { b = append(strconv.AppendInt(b, n, 10), '\n') }
	text := func(s string) {
		b = append(strconv.AppendInt(b, int64(len(s)), 10), ':')
		b = append(append(b, s...), '\n')
	}
	b = append(b, chainVersion...)
	text(previous)
	number(l.seq)
	number(l.sealedAt)
	if l.late {
		number(1)
	} else {
		number(0)
	}
	number(l.tx.ID)
	text(string(l.tx.Kind))
	text(l.tx.Reason)
	number(l.tx.ConversionID)
	number(l.tx.CommissionID)
	number(l.tx.PostedAt)
	number(int64(len(l.tx.Entries)))
	for _, e := range l.tx.Entries {
		number(e.Account.ID)
		number(e.Account.OwnerID)
		text(string(e.Account.Kind))
		text(e.Account.Currency)
		number(e.Minor)
	}
	return b
}

// hash is the link's, over its content and the hash before it. buf is scratch space that is returned for the next.
func (l *link) hash(buf []byte, previous string) (string, []byte) {
	slices.SortFunc(l.tx.Entries, func(a, b Entry) int { return cmp.Compare(a.Account.ID, b.Account.ID) })
	buf = l.appendCanonical(buf[:0], previous)
	sum := sha256.Sum256(buf)
	return hex.EncodeToString(sum[:]), buf
}

// end is the row of ledger_chain_head.
type end struct {
	Head
	newestAt int64
}

// readEnd reads the stored head; found is false before the first seal.
func readEnd(ctx context.Context, q db.Querier, lock string) (e end, found bool, err error) {
	err = q.QueryRow(ctx, "SELECT seq, hash, newest_at FROM ledger_chain_head WHERE id = 1"+lock).Scan(&e.Seq, &e.Hash, &e.newestAt)
	if db.IsNoRows(err) {
		return end{Head: Head{Hash: genesis}}, false, nil
	}
	if err != nil {
		return end{}, false, fmt.Errorf("read the head of the ledger chain: %w", err)
	}
	return e, true, nil
}

// tail is what waits to be sealed.
type tail struct{ count, oldestAt int64 } // oldestAt: Unix ms; 0 if there is nothing

func readTail(ctx context.Context, q db.Querier) (t tail, err error) {
	// Identifiers sort by time, so the smallest is the oldest.
	err = q.QueryRow(ctx, `SELECT u.n, COALESCE((SELECT posted_at FROM ledger_transactions WHERE id = u.oldest), 0)
		FROM (SELECT COUNT(*) AS n, MIN(transaction_id) AS oldest FROM ledger_unsealed) u`).Scan(&t.count, &t.oldestAt)
	if err != nil {
		return tail{}, fmt.Errorf("count unsealed ledger transactions: %w", err)
	}
	return t, nil
}
