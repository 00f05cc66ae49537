package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	stdmail "net/mail"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// errPermanent says that a server will never take this mail.
var errPermanent = errors.New("refused for good")

// SMTPOptions say how to reach a mail server.
type SMTPOptions struct {
	Addr     string // host:port
	TLS      string // starttls (required), tls (from the first byte) or none
	Username string // empty: no authentication
	Password string
	Auth     string // plain, login, cram-md5 or scram-sha-256; plain and login are refused without TLS except to this machine
	From     string // "Name <address>" or an address
	Timeout  time.Duration
	TLSRoots *tls.Config // for tests; nil: the system's roots
}

// SMTP sends through one mail server, over a connection for each mail. It is safe for concurrent use.
type SMTP struct {
	opts SMTPOptions
	host string
	port int
	from *stdmail.Address
}

// NewSMTP checks options. Errors name the option and never the password.
func NewSMTP(opts SMTPOptions) (*SMTP, error) {
	host, portText, err := net.SplitHostPort(opts.Addr)
	if err != nil {
		return nil, fmt.Errorf("mail server: %q is not host:port", opts.Addr)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("mail server: port %q is not 1 to 65535", portText)
	}
	from, err := stdmail.ParseAddress(opts.From)
	if err != nil {
		return nil, fmt.Errorf("mail sender: %q is not an address such as Shop <shop@example.com>", opts.From)
	}
	if opts.TLS != "starttls" && opts.TLS != "tls" && opts.TLS != "none" {
		return nil, fmt.Errorf("mail server: TLS mode %q is not starttls, tls or none", opts.TLS)
	}
	if _, ok := authType(opts.Auth); !ok {
		return nil, fmt.Errorf("mail server: authentication %q is not plain, login, cram-md5 or scram-sha-256", opts.Auth)
	}
	if opts.Timeout <= 0 || opts.Timeout > sendTimeout/2 {
		opts.Timeout = sendTimeout / 2
	}
	return &SMTP{opts: opts, host: host, port: int(port), from: from}, nil
}

func authType(name string) (gomail.SMTPAuthType, bool) {
	switch name {
	case "plain", "":
		return gomail.SMTPAuthPlain, true
	case "login":
		return gomail.SMTPAuthLogin, true
	case "cram-md5":
		return gomail.SMTPAuthCramMD5, true
	case "scram-sha-256":
		return gomail.SMTPAuthSCRAMSHA256, true
	}
	return "", false
}

// Send hands a mail to the server. An error that is permanent is about this mail; what is about the server, as a wrong
// password, is not: then all mails wait until it is mended.
func (s *SMTP) Send(ctx context.Context, m Rendered) error {
	msg, err := s.message(m)
	if err != nil {
		return fmt.Errorf("%w: %w", errPermanent, err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	// The library leaves a connection open whose greeting fails, so we keep hold of it.
	var conn net.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	client, err := s.client(func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		dialer := &net.Dialer{Timeout: s.opts.Timeout}
		if s.opts.TLS == "tls" {
			c, err = (&tls.Dialer{NetDialer: dialer, Config: s.tlsConfig()}).DialContext(ctx, network, addr)
		} else {
			c, err = dialer.DialContext(ctx, network, addr)
		}
		conn = c
		return c, err
	})
	if err != nil {
		return err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("reach mail server: %w", err)
	}
	if err := client.SendWithSMTPClient(session, msg); err != nil {
		return classify(err)
	}
	// The mail is the server's now: a failing goodbye must not send it again.
	_ = client.CloseWithSMTPClient(session)
	return nil
}

// classify tells what a server said about the mail from what it said about itself.
func classify(err error) error {
	var refused *gomail.SendError
	if errors.As(err, &refused) && refused.ErrorCode() >= 500 && refused.Reason != gomail.ErrSMTPMailFrom && refused.Reason != gomail.ErrConnCheck {
		return fmt.Errorf("%w: %w", errPermanent, err)
	}
	return err
}

func (s *SMTP) client(dial gomail.DialContextFunc) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(s.opts.Timeout), gomail.WithTLSConfig(s.tlsConfig()), gomail.WithDialContextFunc(dial), gomail.WithoutNoop(),
	}
	switch s.opts.TLS {
	case "starttls":
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case "tls":
		options = append(options, gomail.WithSSL())
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.opts.Username != "" {
		kind, _ := authType(s.opts.Auth)
		options = append(options, gomail.WithSMTPAuth(kind), gomail.WithUsername(s.opts.Username), gomail.WithPassword(s.opts.Password))
	}
	client, err := gomail.NewClient(s.host, options...)
	if err != nil {
		return nil, fmt.Errorf("prepare mail client: %w", err)
	}
	return client, nil
}

func (s *SMTP) tlsConfig() *tls.Config {
	c := s.opts.TLSRoots.Clone()
	if c == nil {
		c = &tls.Config{}
	}
	c.MinVersion, c.ServerName = tls.VersionTLS12, s.host
	return c
}

func (s *SMTP) message(m Rendered) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("address mail: %w", err)
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	_, domain, _ := strings.Cut(s.from.Address, "@")
	msg.SetMessageIDWithValue(messageID(m.ID, domain))
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return msg, nil
}
