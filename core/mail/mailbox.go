package mail

import (
	"context"
	"fmt"
	"strconv"

	"github.com/edgeref/edgeref/core/db"
)

// State says how far a mail is.
type State string

// States of a mail.
const (
	Pending State = "pending"
	Sent    State = "sent"
	Dead    State = "dead"  // not tried any more; it can be sent again by hand
	Local   State = "local" // kept in the local mailbox: no server was configured
)

// ErrNoServer says that there is nothing to send with.
var ErrNoServer = fmt.Errorf("no mail server is configured (setting mail.smtp)")

// Mail is a mail as it is kept. Times are Unix ms.
type Mail struct {
	ID         int64
	To         string
	Template   string
	Subject    string
	State      State
	Attempts   int64 // since it was queued, or sent again by hand
	NextAt     int64 // when it is tried again; meaningless unless pending
	LastError  string
	SentAt     int64 // 0: not
	CreatedAt  int64
	Secret     bool   // it opens an account: only for owners' eyes, and erased once it is sent
	Text, HTML string // Get only; empty where they were erased
}

// Filter selects mails; zero values select all.
type Filter struct {
	To    string
	State State
	// Template is looked at where another filter or the time has narrowed the list down: no index has it.
	Template string
	Since    int64 // identifiers of this or above only
	Before   int64 // identifiers below this only
	Limit    int
}

const columns = "id, recipient, template, subject, state, attempts, next_at, last_error, sent_at, created_at, sealed"

// List returns mails without their text, the newest first.
func (s *Service) List(ctx context.Context, f Filter) ([]Mail, error) {
	where, args := "1 = 1", []any{}
	add := func(condition string, value any) { where, args = where+" AND "+condition, append(args, value) }
	if f.To != "" {
		add("recipient = ?", f.To)
	}
	if f.State != "" {
		column := "state"
		if f.To != "" && s.db.Dialect() == db.SQLite {
			column = "+state" // of two indexes, that of the recipient narrows down most
		}
		add(column+" = ?", string(f.State))
	}
	if f.Template != "" {
		add("template = ?", f.Template)
	}
	if f.Since != 0 {
		add("id >= ?", f.Since)
	}
	if f.Before != 0 {
		add("id < ?", f.Before)
	}
	return s.read(ctx, where+" ORDER BY id DESC LIMIT ?", append(args, f.Limit)...)
}

func (m *Mail) fields() []any {
	return []any{&m.ID, &m.To, &m.Template, &m.Subject, &m.State, &m.Attempts, &m.NextAt, &m.LastError, &m.SentAt, &m.CreatedAt, &m.Secret}
}

// Get reads one mail with its text. Whoever shows a mail that is Secret must see to it who looks. Errors: ErrNotFound.
func (s *Service) Get(ctx context.Context, id int64) (Mail, error) {
	var m Mail
	err := s.db.QueryRow(ctx, "SELECT "+columns+", body_text, body_html FROM mails WHERE id = ?", id).Scan(append(m.fields(), &m.Text, &m.HTML)...)
	if db.IsNoRows(err) {
		return Mail{}, ErrNotFound
	}
	if err != nil {
		return Mail{}, fmt.Errorf("read mail: %w", err)
	}
	if !m.Secret || m.Text == "" {
		return m, nil
	}
	r := Rendered{Text: m.Text, HTML: m.HTML}
	if err := s.open(id, &r); err != nil {
		return Mail{}, err
	}
	m.Text, m.HTML = r.Text, r.HTML
	return m, nil
}

// Resend makes a mail due again that is not pending, for another RetryFor and under the same Message-ID. Functions in also
// run at the end of its transaction. Errors: ErrNotFound, ErrPending, ErrErased, ErrNoServer.
func (s *Service) Resend(ctx context.Context, id int64, also ...func(tx *db.Tx, before, after Mail) error) (m Mail, err error) {
	if s.opts.Sender == nil {
		return Mail{}, ErrNoServer
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		var erased bool
		err := tx.QueryRow(ctx, "SELECT "+columns+", body_text = '' FROM mails WHERE id = ?"+tx.Dialect().ForUpdate(), id).Scan(append(m.fields(), &erased)...)
		switch {
		case db.IsNoRows(err):
			return ErrNotFound
		case err != nil:
			return fmt.Errorf("read mail: %w", err)
		case m.State == Pending:
			return ErrPending
		case erased:
			return ErrErased
		}
		before, now := m, s.now().UnixMilli()
		m.State, m.Attempts, m.NextAt = Pending, 0, now
		if _, err := tx.Exec(ctx, "UPDATE mails SET state = 'pending', attempts = 0, next_at = ?, claim = 0, started_at = ? WHERE id = ?", now, now, id); err != nil {
			return fmt.Errorf("send mail again: %w", err)
		}
		for _, fn := range also {
			if err := fn(tx, before, m); err != nil {
				return err
			}
		}
		tx.OnCommit(s.Wake)
		return nil
	})
	if err != nil {
		return Mail{}, err
	}
	return m, nil
}

// Forget deletes all mails to an address, as the erasure of a person does. What is being sent is sent.
func (s *Service) Forget(ctx context.Context, tx *db.Tx, to string) error {
	_, err := tx.Exec(ctx, "DELETE FROM mails WHERE recipient = ?", to)
	return wrap("forget mails", err)
}

// Test queues a mail that says that mail arrives. Functions in also run at the end of its transaction. Errors: ErrRecipient.
func (s *Service) Test(ctx context.Context, to string, also ...func(*db.Tx, Mail) error) (m Mail, err error) {
	key := "test " + strconv.FormatInt(s.ids.New(), 10)
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := s.Queue(ctx, tx, Message{To: to, Template: "test", Key: key}); err != nil {
			return err
		}
		m = Mail{}
		if err := tx.QueryRow(ctx, "SELECT "+columns+" FROM mails WHERE mail_key = ?", []byte(key)).Scan(m.fields()...); err != nil {
			return fmt.Errorf("read mail: %w", err)
		}
		for _, fn := range also {
			if err := fn(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Mail{}, err
	}
	return m, nil
}

// ByKeys returns the mails that were queued under some of the keys, without their text, the oldest first.
func (s *Service) ByKeys(ctx context.Context, keys []string) ([]Mail, error) {
	var out []Mail
	for part, args := range db.Chunks(keys) {
		for i := range part {
			args[i] = []byte(part[i])
		}
		list, err := s.read(ctx, "mail_key IN "+db.In(len(part))+" ORDER BY id", args...)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// read reads mails without their text.
func (s *Service) read(ctx context.Context, rest string, args ...any) ([]Mail, error) {
	rows, err := s.db.Query(ctx, "SELECT "+columns+" FROM mails WHERE "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("list mails: %w", err)
	}
	defer rows.Close()
	var out []Mail
	for rows.Next() {
		var m Mail
		if err := rows.Scan(m.fields()...); err != nil {
			return nil, fmt.Errorf("list mails: %w", err)
		}
		out = append(out, m)
	}
	return out, wrap("list mails", rows.Err())
}
