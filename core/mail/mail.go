// Package mail sends mail: queued in the transaction of what it is about, sent afterwards by workers, at least once. What
// fails for the moment is tried again for a day and then kept as dead. Without a server mails stay in a local mailbox.
package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/db"
)

// Limits and times.
const (
	MaxAddress  = 254 // bytes, RFC 5321
	MaxKey      = 255 // bytes
	maxSubject  = 200 // characters
	maxValue    = 2_000
	maxURLValue = 4_000
	maxError    = 250 // bytes

	RetryFor     = 24 * time.Hour
	Keep         = 90 * 24 * time.Hour // how long mails stay
	sendTimeout  = 30 * time.Second
	firstBackoff = 15 * time.Second
	maxBackoff   = 2 * time.Hour
	// leaseTime must outlast any send and its note in the database, so that no other worker sends meanwhile.
	leaseTime      = 2 * time.Minute
	defaultWorkers = 4
	defaultPoll    = 2 * time.Second
	pruneEvery     = 10 * time.Minute
)

// Errors of this package.
var (
	ErrNotFound  = errors.New("no such mail")
	ErrRecipient = errors.New("the recipient is not one plain e-mail address")
	ErrPending   = errors.New("the mail is pending: it will be sent without being asked for again")
	ErrErased    = errors.New("the text of the mail was erased after it had been sent, because it held a secret; make a new one")
)

// Message is a mail to be sent. Template names a file of the folder templates, without its ending; Data are the values
// that it uses. Key makes it one of a kind: a second message with the same key is not sent. An empty key never meets another.
type Message struct {
	To       string
	Template string
	Data     map[string]string
	Key      string
}

// IDs makes identifiers.
type IDs interface{ New() int64 }

// sender hands one mail to a server. An error that is permanent wraps errPermanent. It is safe for concurrent use.
type sender interface {
	Send(ctx context.Context, m Rendered) error
}

// sealer encrypts what must not be read in the database. It is safe for concurrent use.
type sealer interface {
	Seal(plain, context []byte) (string, error)
	Open(sealed string, context []byte) ([]byte, error)
}

// Options are what New needs.
type Options struct {
	DB         *db.DB
	IDs        IDs
	Now        func() time.Time
	Ring       sealer                // seals mails that hold secrets
	Sender     sender                // nil: mails stay in the local mailbox
	Site       string                // name of the business, in every mail; default Edgeref
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
	Workers    int                   // sends at once; default 4
	Poll       time.Duration         // how often to look for what is due; default 2 s
}

// Service queues mails and sends them. It is safe for concurrent use.
type Service struct {
	db        *db.DB
	ids       IDs
	now       func() time.Time
	log       *slog.Logger
	opts      Options
	templates map[string]*letter
	metrics   *metrics
	wake      chan struct{}
}

// New returns a Service. Run sends. The error is a template that cannot be read, which is a bug.
func New(opts Options) (*Service, error) {
	if opts.DB == nil || opts.IDs == nil || opts.Now == nil || opts.Ring == nil {
		panic("BUG: mail needs a database, identifiers, a clock and encryption keys")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Site == "" {
		opts.Site = "Edgeref"
	}
	if opts.Workers <= 0 {
		opts.Workers = defaultWorkers
	}
	if opts.Poll <= 0 {
		opts.Poll = defaultPoll
	}
	letters, err := loadTemplates()
	if err != nil {
		return nil, err
	}
	s := &Service{
		db: opts.DB, ids: opts.IDs, now: opts.Now, log: opts.Logger, opts: opts, templates: letters, wake: make(chan struct{}, 1),
	}
	s.metrics = newMetrics(opts.Registerer, s)
	return s, nil
}

// Queue writes a mail in tx, to be sent once tx is committed. A message whose key is taken changes nothing. Errors:
// ErrRecipient; a template that does not exist or lacks a value is a bug.
func (s *Service) Queue(ctx context.Context, tx *db.Tx, m Message) error {
	to, err := checkAddress(m.To)
	if err != nil {
		return err
	}
	l, ok := s.templates[m.Template]
	if !ok {
		return fmt.Errorf("queue mail: there is no template %q", m.Template)
	}
	r, err := l.render(s.opts.Site, m.Data)
	if err != nil {
		return fmt.Errorf("queue mail: %w", err)
	}
	id := s.ids.New()
	key := m.Key
	if key == "" {
		key = "id " + strconv.FormatInt(id, 10)
	}
	if len(key) > MaxKey {
		return fmt.Errorf("queue mail: the key is longer than %d bytes", MaxKey)
	}
	if l.secret {
		if err := s.seal(id, &r); err != nil {
			return err
		}
	}
	state := Pending
	if s.opts.Sender == nil {
		state = Local
	}
	at := s.now().UnixMilli()
	made, err := tx.TryInsert(ctx, `INSERT INTO mails (id, mail_key, template, recipient, subject, body_text, body_html, sealed, state, attempts,
		next_at, claim, started_at, last_error, sent_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0, ?, '', 0, ?)`,
		id, []byte(key), m.Template, to, r.Subject, r.Text, r.HTML, l.secret, string(state), at, at, at)
	if err != nil {
		return fmt.Errorf("queue mail: %w", err)
	}
	if made {
		tx.OnCommit(func() {
			s.metrics.queued.WithLabelValues(m.Template).Inc()
			s.Wake()
		})
	}
	return nil
}

// Wake makes the workers look at once.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// checkAddress returns an address that names one mailbox and nothing else: no display name, no list, no line break.
func checkAddress(text string) (string, error) {
	if len(text) > MaxAddress || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", ErrRecipient
	}
	a, err := mail.ParseAddress(text)
	if err != nil || a.Name != "" || a.Address != text || !strings.Contains(text, "@") {
		return "", ErrRecipient
	}
	return text, nil
}

// seal encrypts the bodies of a mail.
func (s *Service) seal(id int64, r *Rendered) error {
	var err error
	if r.Text, err = s.opts.Ring.Seal([]byte(r.Text), sealContext(id, "text")); err != nil {
		return fmt.Errorf("seal mail: %w", err)
	}
	if r.HTML, err = s.opts.Ring.Seal([]byte(r.HTML), sealContext(id, "html")); err != nil {
		return fmt.Errorf("seal mail: %w", err)
	}
	return nil
}

// open decrypts the bodies of a mail.
func (s *Service) open(id int64, r *Rendered) error {
	text, err := s.opts.Ring.Open(r.Text, sealContext(id, "text"))
	if err != nil {
		return fmt.Errorf("open mail: %w", err)
	}
	html, err := s.opts.Ring.Open(r.HTML, sealContext(id, "html"))
	if err != nil {
		return fmt.Errorf("open mail: %w", err)
	}
	r.Text, r.HTML = string(text), string(html)
	return nil
}

func sealContext(id int64, part string) []byte {
	return []byte("mail " + strconv.FormatInt(id, 10) + " " + part)
}

// messageID is the Message-ID of a mail, the same in every attempt: receivers can drop what a crash sent twice.
func messageID(id int64, domain string) string { return strconv.FormatInt(id, 36) + "@" + domain }
