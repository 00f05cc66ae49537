package config

import (
	"net"
	"net/mail"
	"time"
)

// Mail is how the core sends mail.
type Mail struct {
	SMTP     string        `default:"" unit:"host:port" help:"mail server; empty: mails stay in the core's local mailbox, where owners read them"`
	TLS      string        `default:"starttls" unit:"starttls|tls|none" help:"starttls: refused by a server without it; tls: from the first byte (port 465)"`
	Username string        `default:"" help:"for authentication; empty: none"`
	Password string        `default:"" secret:"true" help:"for authentication"`
	Auth     string        `default:"plain" unit:"plain|login|cram-md5|scram-sha-256" help:"plain and login are refused without TLS, except to this machine"`
	From     string        `default:"Edgeref <noreply@localhost>" unit:"Name <address>" help:"sender of all mails"`
	Site     string        `default:"Edgeref" help:"name of the business, in every mail"`
	Timeout  time.Duration `default:"10s" unit:"duration, at most 15s" help:"longest time that the server may take to answer"`
}

func (m Mail) validate(bad func(path, format string, args ...any), oneOf func(path, value string, allowed ...string)) {
	oneOf("mail.tls", m.TLS, "starttls", "tls", "none")
	oneOf("mail.auth", m.Auth, "plain", "login", "cram-md5", "scram-sha-256")
	if _, _, err := net.SplitHostPort(m.SMTP); m.SMTP != "" && err != nil {
		bad("mail.smtp", "%q is not host:port", m.SMTP)
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		bad("mail.from", "%q is not an address such as Shop <shop@example.com>", m.From)
	}
	if m.Timeout <= 0 || m.Timeout > 15*time.Second {
		bad("mail.timeout", "%s is not more than 0 and at most 15s", m.Timeout)
	}
	if m.Password != "" && m.Username == "" {
		bad("mail.username", "is required with mail.password")
	}
}
