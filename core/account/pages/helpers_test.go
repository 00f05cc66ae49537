package pages_test

import (
	"encoding/base64"
	"log/slog"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

// TestMain silences the library of the protocol, which tells the default logger of each request that it refuses.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// cookie is the value of one of the browser's cookies, or "".
func (b *browser) cookie(name string) string {
	u, err := url.Parse(b.s.url + "/oauth/session")
	if err != nil {
		b.s.t.Fatal(err)
	}
	for _, c := range b.c.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

func withClient(v url.Values, id string) url.Values {
	out := url.Values{"client_id": {id}}
	for k, x := range v {
		out[k] = x
	}
	return out
}

func sqlite(t *testing.T) *db.DB { t.Helper(); return dbtest.SQLite(t) }

func decode(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
