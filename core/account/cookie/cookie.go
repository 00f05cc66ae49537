// Package cookie names the cookies of people's browsers and sets them so that neither scripts nor other sites get at
// them.
package cookie

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"time"
)

const (
	secretLen  = 32 // bytes
	secretText = 43
	// RefreshPath is where the refresh cookie is sent, and nowhere else.
	RefreshPath = "/oauth/session"
	browserAge  = 24 * time.Hour
	deviceAge   = 180 * 24 * time.Hour
)

// Jar reads and sets cookies. With Secure, which every site on https must have, their names begin with __Host-, so that
// no other host of the domain can set them.
type Jar struct{ Secure bool }

func (j Jar) name(short string) string {
	if j.Secure {
		return "__Host-er_" + short
	}
	return "er_" + short
}

func (j Jar) set(w http.ResponseWriter, short, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: j.name(short), Value: value, Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true, Secure: j.Secure, SameSite: http.SameSiteLaxMode,
	})
}

func (j Jar) get(r *http.Request, short string) string {
	c, err := r.Cookie(j.name(short))
	if err != nil || len(c.Value) != secretText {
		return ""
	}
	return c.Value
}

// Browser is the secret that tells one browser from another before anybody has signed in; it is made where it is
// missing. What one browser began, another cannot finish.
func (j Jar) Browser(w http.ResponseWriter, r *http.Request) string {
	if secret := j.get(r, "browser"); secret != "" {
		return secret
	}
	var b [secretLen]byte
	_, _ = rand.Read(b[:]) // never fails
	secret := base64.RawURLEncoding.EncodeToString(b[:])
	j.set(w, "browser", secret, browserAge)
	// Later handlers of this request see it too.
	r.AddCookie(&http.Cookie{Name: j.name("browser"), Value: secret})
	return secret
}

// BrowserHash is what is kept of a browser's secret.
func BrowserHash(secret string) []byte {
	hash := sha256.Sum256([]byte("browser " + secret))
	return hash[:]
}

// CSRF is what a form must carry to be taken from a browser: other sites cannot read it.
func CSRF(browser string) string {
	hash := sha256.Sum256([]byte("form " + browser))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// ValidCSRF reports whether a form came from a page that this browser was given. It does not make the cookie.
func (j Jar) ValidCSRF(r *http.Request, token string) bool {
	browser := j.get(r, "browser")
	return browser != "" && subtle.ConstantTimeCompare([]byte(token), []byte(CSRF(browser))) == 1
}

// Session is the secret of the sign-in, or "".
func (j Jar) Session(r *http.Request) string { return j.get(r, "session") }

// SetSession keeps the secret of a sign-in; age 0 removes it.
func (j Jar) SetSession(w http.ResponseWriter, secret string, age time.Duration) {
	if age <= 0 {
		age = -time.Second
	}
	j.set(w, "session", secret, age)
}

// Device is the secret by which a browser is known again after its sign-ins have ended, or "".
func (j Jar) Device(r *http.Request) string { return j.get(r, "device") }

// SetDevice keeps it.
func (j Jar) SetDevice(w http.ResponseWriter, secret string) { j.set(w, "device", secret, deviceAge) }

func (j Jar) refreshName() string {
	if j.Secure {
		return "__Secure-er_refresh"
	}
	return "er_refresh"
}

// Refresh is the refresh token of the pages' own client, or "".
func (j Jar) Refresh(r *http.Request) string {
	c, err := r.Cookie(j.refreshName())
	if err != nil || len(c.Value) > 2*secretText {
		return ""
	}
	return c.Value
}

// SetRefresh keeps it; age 0 removes it. It is sent with requests that begin on our own pages, and to RefreshPath only.
func (j Jar) SetRefresh(w http.ResponseWriter, token string, age time.Duration) {
	if age <= 0 {
		age = -time.Second
	}
	http.SetCookie(w, &http.Cookie{
		Name: j.refreshName(), Value: token, Path: RefreshPath, MaxAge: int(age.Seconds()), HttpOnly: true, Secure: j.Secure, SameSite: http.SameSiteStrictMode,
	})
}

// Known is the secret of Browser, or "" where it has none yet.
func (j Jar) Known(r *http.Request) string { return j.get(r, "browser") }
