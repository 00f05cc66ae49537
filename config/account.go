package config

import (
	"net/mail"
	"net/url"
)

// Account is how people sign in.
type Account struct {
	Owner        string   `default:"" unit:"e-mail address" help:"first owner of an empty database: a link to choose a password is printed once; empty: serve prints one for owner@edgeref.localhost"`
	WebRedirects []string `default:"" unit:"URL list" help:"where our own pages take up after a sign-in (redirect URIs of the built-in OAuth client web); empty: /app/callback below core.public_url"`
	WebSignOut   []string `default:"" unit:"URL list" help:"where our own pages may go after a sign-out; empty: /app/ below core.public_url"`
	Home         string   `default:"" unit:"URL or path" help:"where somebody goes who signs in for no program; empty: the application at /app/"`
	HashMemory   Size     `default:"19MiB" unit:"bytes, 8MiB to 256MiB" help:"memory of one password hash (argon2id, 2 passes); raise it as machines grow: hashes are renewed at sign-in"`
	HashesAtOnce int      `default:"2" unit:"1 to 64" help:"password hashes at once; more sign-ins wait, and beyond 64 that wait are turned away"`
}

func (c *Config) validateAccount(bad func(path, format string, args ...any)) {
	a := &c.Account
	if a.Owner != "" {
		if addr, err := mail.ParseAddress(a.Owner); err != nil || addr.Address != a.Owner {
			bad("account.owner", "%q is not an address like ann@example.com", a.Owner)
		}
	}
	for path, list := range map[string][]string{"account.web_redirects": a.WebRedirects, "account.web_sign_out": a.WebSignOut} {
		for _, text := range list {
			if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
				bad(path, "%q is not an absolute http(s) URL", text)
			}
		}
	}
	if a.HashMemory < 8<<20 || a.HashMemory > 256<<20 {
		bad("account.hash_memory", "%s is not 8MiB to 256MiB", a.HashMemory)
	}
	if a.HashesAtOnce < 1 || a.HashesAtOnce > 64 {
		bad("account.hashes_at_once", "%d is not 1 to 64", a.HashesAtOnce)
	}
}
