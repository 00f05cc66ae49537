package mail

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	stdmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/secret"
)

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// post is a real SMTP server that keeps what it takes.
type post struct {
	addr  string
	roots *tls.Config

	mu    sync.Mutex
	got   []letterIn
	reply func(n int) error // answers DATA; n: how many were tried before
	rcpt  error             // answers RCPT
	tries int
	took  chan struct{}     // nil, or told of every mail that was taken
	users map[string]string // nil: no authentication
}

// letterIn is a mail as the server got it.
type letterIn struct {
	from, to, user string
	msg            *stdmail.Message
	raw            string
}

// newPost starts a server. mode is as in SMTPOptions.TLS.
func newPost(t *testing.T, mode string, change func(*post)) *post {
	t.Helper()
	p := &post{}
	if change != nil {
		change(p)
	}
	srv := smtp.NewServer(p)
	srv.Domain, srv.AllowInsecureAuth, srv.MaxMessageBytes = "localhost", mode == "none", 1<<20
	srv.ReadTimeout, srv.WriteTimeout, srv.ErrorLog = 10*time.Second, 10*time.Second, silent{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = "localhost:" + strings.TrimPrefix(ln.Addr().String(), "127.0.0.1:")
	if mode != "none" {
		srv.TLSConfig, p.roots = certificate(t)
	}
	if mode == "tls" {
		ln = tls.NewListener(ln, srv.TLSConfig)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return p
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// certificate makes one for localhost, and the configuration of a client that trusts it.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: pool}
}

func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) {
	s := &session{post: p}
	if p.users != nil {
		return &authSession{s}, nil
	}
	return s, nil
}

type session struct {
	post           *post
	from, to, user string
}

func (s *session) Reset()        { s.from, s.to = "", "" }
func (s *session) Logout() error { return nil }
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.post.users != nil && s.user == "" {
		return &smtp.SMTPError{Code: 530, Message: "authentication required"}
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.post.rcpt
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	p := s.post
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.tries
	p.tries++
	if p.reply != nil {
		if err := p.reply(n); err != nil {
			return err
		}
	}
	msg, err := stdmail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		return err
	}
	p.got = append(p.got, letterIn{from: s.from, to: s.to, user: s.user, msg: msg, raw: string(raw)})
	if p.took != nil {
		p.took <- struct{}{}
	}
	return nil
}

type authSession struct{ *session }

func (s *authSession) AuthMechanisms() []string { return []string{sasl.Plain} }
func (s *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if want, ok := s.post.users[user]; !ok || want != password {
			return errors.New("wrong password")
		}
		s.user = user
		return nil
	}), nil
}

func (p *post) letters() []letterIn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]letterIn(nil), p.got...)
}

// fixture is a Service on a database, with a clock.
type fixture struct {
	*Service
	t     *testing.T
	clock *clock
	reg   *prometheus.Registry
}

func newFixture(t *testing.T, d *db.DB, to sender) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: &clock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}, reg: prometheus.NewRegistry()}
	ring, err := secret.NewRing([]string{"1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="})
	if err != nil {
		t.Fatal(err)
	}
	f.Service, err = New(Options{
		DB: d, IDs: newid.New(f.clock.now), Now: f.clock.now, Ring: ring, Sender: to, Site: "Course Shop", Registerer: f.reg, Poll: 5 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	// Templates of other domains come and go; these are the tests' own.
	for name, source := range map[string]string{
		"hello": "subject: Hello {{.Name}}\n\nDear {{.Name}}, Q&A <b>free</b>:\n\n[Look & see]({{.PageURL}})\n\nBye",
		"reset": "subject: Reset\nsecret: yes\n\n[Choose a password]({{.ResetURL}})",
	} {
		if f.tongues[0].letters[name], err = parseLetter(name, source); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func each(t *testing.T, test func(t *testing.T, d *db.DB)) { dbtest.Each(t, test) }

func smtpTo(t *testing.T, p *post, change func(*SMTPOptions)) *SMTP {
	t.Helper()
	opts := SMTPOptions{Addr: p.addr, TLS: "none", From: "Course Shop <shop@example.com>", TLSRoots: p.roots}
	if change != nil {
		change(&opts)
	}
	s, err := NewSMTP(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f *fixture) queue(m Message) error {
	return f.db.InTx(f.t.Context(), func(tx *db.Tx) error { return f.Queue(f.t.Context(), tx, m) })
}

func (f *fixture) mustQueue(m Message) Mail {
	f.t.Helper()
	if err := f.queue(m); err != nil {
		f.t.Fatal(err)
	}
	return f.newest()
}

func (f *fixture) newest() Mail {
	f.t.Helper()
	list, err := f.List(f.t.Context(), Filter{Limit: 1})
	if err != nil || len(list) == 0 {
		f.t.Fatalf("%d mails, %v", len(list), err)
	}
	m, err := f.Get(f.t.Context(), list[0].ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

// step sends what is due, once, and returns how many were tried.
func (f *fixture) step() int {
	f.t.Helper()
	jobs, err := f.claim(f.t.Context(), 10)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, j := range jobs {
		f.process(f.t.Context(), j)
	}
	return len(jobs)
}

func hello(to string) Message {
	return Message{To: to, Template: "hello", Data: map[string]string{"Name": "Ann", "PageURL": "https://shop.example/?a=1&b=2"}}
}

// run starts the workers until the test ends.
func (f *fixture) run() {
	f.t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(f.t.Context()))
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	f.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
	})
}
