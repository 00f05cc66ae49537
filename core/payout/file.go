package payout

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// fileFormat names the form of a bank file, which docs/payouts.md describes. Another form gets another name.
const fileFormat = "edgeref-payouts/1"

// File is a bank file: instructions for a bank, with control totals and a checksum.
type File struct {
	Name    string
	Content []byte
	SHA256  string // of the whole content
	Rows    int64
	Total   money.Amount
}

// BankFile returns the bank file of an approved batch. The first time, its payouts become sent; those whose method has
// changed meanwhile are cancelled and left out. Later it is given again only with a reason, with the same content to the byte.
// Errors: ErrNotFound, ErrState, ErrDownloaded, ErrFileChanged, *InvalidError; ledger.ErrClosed.
func (s *Service) BankFile(ctx context.Context, batchID int64, again string, then func(*db.Tx, File) error) (f File, err error) {
	if err := oneLine("again", again, false); err != nil {
		return f, err
	}
	if _, err := s.opts.Guard.Check(ctx); err != nil {
		s.metrics.refused.Inc()
		return f, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		b, err := readBatch(ctx, tx, batchID, tx.Dialect().ForUpdate())
		if err != nil {
			return err
		}
		if b.Executor != BankFile {
			return fmt.Errorf("%w: the batch is not paid by bank file", ErrState)
		}
		switch {
		case b.State == BatchApproved && b.FileDownloads == 0:
			b.FileAt = s.now().UnixMilli()
			if err := s.handOver(ctx, tx, &b); err != nil {
				return err
			}
		case b.FileDownloads > 0 && again == "":
			return ErrDownloaded
		case b.FileDownloads == 0:
			return ErrState
		}
		if f, err = s.file(ctx, tx, &b); err != nil {
			return err
		}
		if b.FileSHA256 != "" && b.FileSHA256 != f.SHA256 {
			return ErrFileChanged
		}
		if _, err := tx.Exec(ctx, "UPDATE payout_batches SET file_sha256 = ?, file_at = ?, file_downloads = file_downloads + 1 WHERE id = ?", f.SHA256, b.FileAt, b.ID); err != nil {
			return fmt.Errorf("mark bank file: %w", err)
		}
		err = s.record(ctx, tx, "payout_batch.file", ident.Format(ident.PayoutBatch, b.ID), again, nil,
			map[string]any{"sha256": f.SHA256, "rows": f.Rows, "total": f.Total.String(), "download": b.FileDownloads + 1})
		if err == nil && then != nil {
			err = then(tx, f)
		}
		return err
	})
	return f, err
}

// handOver makes the payouts of a batch sent.
func (s *Service) handOver(ctx context.Context, tx *db.Tx, b *Batch) error {
	if err := s.setBatch(ctx, tx, b, BatchExecuting, ""); err != nil {
		return err
	}
	ids, err := readIDs(ctx, tx, "SELECT id FROM payouts WHERE batch_id = ? AND state = 'reserved' ORDER BY id"+tx.Dialect().ForUpdate(), b.ID)
	if err != nil {
		return fmt.Errorf("lock payouts: %w", err)
	}
	for _, id := range ids {
		p, err := s.lockPayout(ctx, tx, id)
		if err != nil {
			return err
		}
		why, err := s.stillPayable(ctx, tx, &p)
		if err != nil {
			return err
		}
		to := Sent
		if why != "" {
			to = Cancelled
		}
		if err := s.move(ctx, tx, &p, to, change{reason: why}); err != nil {
			return err
		}
	}
	return nil
}

// file builds the content from what never changes: the payouts of the batch, their accounts, and the time of the first download.
func (s *Service) file(ctx context.Context, tx *db.Tx, b *Batch) (f File, err error) {
	list, err := readPayouts(ctx, tx, "p.batch_id = ? AND p.state <> 'cancelled' ORDER BY p.id", b.ID)
	if err != nil {
		return f, err
	}
	if len(list) == 0 {
		return f, ErrNothing
	}
	name := ident.Format(ident.PayoutBatch, b.ID)
	f.Name, f.Total = name+".csv", money.Amount{Currency: b.Currency}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	_ = w.Write([]string{"H", fileFormat, name, b.Currency, time.UnixMilli(b.FileAt).UTC().Format(time.RFC3339), s.opts.Payer, "", ""})
	for i := range list {
		p := &list[i]
		d, err := s.destination(ctx, tx, p.MethodID)
		if err != nil {
			return f, err
		}
		if f.Total, err = f.Total.Add(p.NetAmount()); err != nil {
			return f, fmt.Errorf("sum up bank file: %w", err)
		}
		f.Rows++
		_ = w.Write([]string{"D", ident.Format(ident.Payout, p.ID), d.Holder, string(d.Kind), d.Account, d.IFSC, p.NetAmount().Decimal(), b.Currency})
	}
	w.Flush()
	sum := sha256.Sum256(out.Bytes())
	_ = w.Write([]string{"T", strconv.FormatInt(f.Rows, 10), f.Total.Decimal(), b.Currency, hex.EncodeToString(sum[:]), "", "", ""})
	w.Flush()
	f.Content = out.Bytes()
	whole := sha256.Sum256(f.Content)
	f.SHA256 = hex.EncodeToString(whole[:])
	return f, nil
}
