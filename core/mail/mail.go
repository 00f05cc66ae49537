// Package mail sends mail: queued in the transaction of what it is about, sent afterwards by workers, at least once. What
// fails for the moment is tried again for a day and then kept as dead. Without a server mails stay in a local mailbox.
package mail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/text/language"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/locale"
	"github.com/edgeref/edgeref/wire/money"
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

// Message is a mail to be sent. Template names a file in the folders of templates, without its ending; Data, Amounts and Times
// are the values that it uses: what is no name, address or number of ours belongs into the template, in each language. Key makes
// it one of a kind: a second message with the same key is not sent. An empty key never meets another.
type Message struct {
	To       string
	Template string
	Data     map[string]string
	Amounts  map[string]money.Amount // written in the receiver's format
	Times    map[string]int64        // Unix ms; written in the receiver's format, in the time zone of the business
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
	DB     *db.DB
	IDs    IDs
	Now    func() time.Time
	Ring   sealer // seals mails that hold secrets
	Sender sender // nil: mails stay in the local mailbox
	Site   string // name of the business, in every mail; default Edgeref
	// Locale is that (BCP 47) of who receives mail at an address; "" where it is not known. It reads by q, which is the
	// transaction that the mail is queued in. Default: known of nobody.
	Locale     func(ctx context.Context, q db.Querier, to string) (string, error)
	Zone       *time.Location        // of times in mails, which name it; default UTC
	Logger     *slog.Logger          // default: none
	Registerer prometheus.Registerer // default: metrics are not exported
	Workers    int                   // sends at once; default 4
	Poll       time.Duration         // how often to look for what is due; default 2 s

	templates fs.FS // default: those of this package
}

// Service queues mails and sends them. It is safe for concurrent use.
type Service struct {
	db      *db.DB
	ids     IDs
	now     func() time.Time
	log     *slog.Logger
	opts    Options
	tongues []tongue
	matcher language.Matcher // of tongues
	metrics *metrics
	wake    chan struct{}
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
	if opts.templates == nil {
		opts.templates = templates
	}
	tongues, err := loadTemplates(opts.templates)
	if err != nil {
		return nil, err
	}
	tags := make([]language.Tag, len(tongues))
	for i, t := range tongues {
		tags[i] = t.tag
	}
	s := &Service{
		db: opts.DB, ids: opts.IDs, now: opts.Now, log: opts.Logger, opts: opts, tongues: tongues, matcher: language.NewMatcher(tags), wake: make(chan struct{}, 1),
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
	l, r, err := s.write(ctx, tx, m)
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

// write fills the template of a message in the language and format of its receiver.
func (s *Service) write(ctx context.Context, tx *db.Tx, m Message) (*letter, Rendered, error) {
	wish := ""
	if s.opts.Locale != nil {
		var err error
		if wish, err = s.opts.Locale(ctx, tx, m.To); err != nil {
			return nil, Rendered{}, fmt.Errorf("read locale of the receiver: %w", err)
		}
	}
	_, i := language.MatchStrings(s.matcher, wish)
	l, ok := s.tongues[i].letters[m.Template]
	if !ok { // not translated yet
		l, ok = s.tongues[0].letters[m.Template]
	}
	if !ok {
		return nil, Rendered{}, fmt.Errorf("there is no template %q", m.Template)
	}
	tag, err := language.Parse(wish)
	if err != nil {
		tag = locale.Default()
	}
	format := locale.New(tag, s.opts.Zone)
	values := make(map[string]string, len(m.Data)+len(m.Amounts)+len(m.Times))
	maps.Copy(values, m.Data)
	for name, amount := range m.Amounts {
		values[name] = format.Coded(amount)
	}
	for name, at := range m.Times {
		values[name] = format.Moment(at)
	}
	r, err := l.render(s.opts.Site, values)
	return l, r, err
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
