package oauth

import (
	"net/url"
	"strings"
	"testing"
)

// An access token says nothing but its identifier; and no authorization code can be made the way tokens are.
func TestTokenForm(t *testing.T) {
	secret, _ := newSecret()
	text, err := tokenForm{}.Encrypt(secret + ":per_1")
	if err != nil || text != AccessPrefix+secret {
		t.Errorf("%q, %v", text, err)
	}
	if back, err := (tokenForm{}).Decrypt(text); err != nil || back != secret+":" {
		t.Errorf("%q, %v", back, err)
	}
	for _, id := range []string{secret, "", "x:y", ":"} {
		if text, err := (tokenForm{}).Encrypt(id); err == nil {
			t.Errorf("%q became %q", id, text)
		}
	}
}

func FuzzTokenForm(f *testing.F) {
	f.Add(AccessPrefix + strings.Repeat("A", secretText))
	f.Add(AccessPrefix + strings.Repeat(":", secretText))
	f.Fuzz(func(t *testing.T, token string) {
		plain, err := tokenForm{}.Decrypt(token)
		if err != nil {
			return
		}
		// The library splits at colons and wants two parts.
		if parts := strings.Split(plain, ":"); len(parts) != 2 || AccessPrefix+parts[0] != token {
			t.Errorf("%q became %q", token, plain)
		}
	})
}

func FuzzCheckRedirect(f *testing.F) {
	for _, seed := range []string{
		"https://app.example/cb", "https://app.example/cb?x=1", "http://127.0.0.1:8080/cb", "http://app.example/", "javascript:alert(1)", "https:///x", "//app.example",
		"https://a@b.example/", "https://app.example/\\evil", "https://app.example/#x", "http://localhost.evil.example/", "https://*.example/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkRedirect(text) != "" {
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || strings.ContainsAny(text, "\\# \r\n*") && !strings.Contains(u.Path+u.RawQuery, "*") {
			t.Errorf("%q was taken", text)
		}
		if local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"; u.Scheme != "https" && (u.Scheme != "http" || !local) {
			t.Errorf("%q was taken", text)
		}
	})
}
