package convert

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// tolerance is how far a signature's time may be from ours, either way. A postback that is sent again within it is
// the same conversion, and booked once.
const tolerance = 300 * time.Second

// credential is how a postback says who sent it: a secret, or a signature made with one.
type credential struct {
	secret    string
	signature []byte // nil: secret
	message   string // what is signed
}

// credentialOf reads the credential. The error does not depend on any program.
func credentialOf(header *fasthttp.RequestHeader, r *reader, now time.Time) (credential, *refusal) {
	sig, ts, secret := r.get(fieldSig()), r.get(fieldTime()), r.get(fieldSecret())
	if r.err != nil {
		return credential{}, r.err
	}
	if sig != "" {
		return signatureOf(r.params, sig, ts, now)
	}
	const scheme = "Bearer "
	if h := string(header.Peek(fasthttp.HeaderAuthorization)); len(h) > len(scheme) && strings.EqualFold(h[:len(scheme)], scheme) {
		secret = strings.TrimSpace(h[len(scheme):])
	}
	if secret == "" {
		return credential{}, refuse(fasthttp.StatusUnauthorized, codeCredentialsMissing,
			"Send the program's secret as Authorization: Bearer or as secret, or sign with ts and sig.")
	}
	return credential{secret: secret}, nil
}

func signatureOf(p params, sig, ts string, now time.Time) (credential, *refusal) {
	seconds, err := strconv.ParseInt(ts, 10, 64)
	if err != nil {
		return credential{}, refuse(fasthttp.StatusUnauthorized, codeTimestampMalformed, "ts must be the time of signing in Unix seconds.")
	}
	if d := now.Sub(time.Unix(seconds, 0)); d > tolerance || d < -tolerance {
		return credential{}, refuse(fasthttp.StatusUnauthorized, codeTimestampOutOfRange,
			"ts is more than %d seconds from the server's time; check the sender's clock.", int(tolerance.Seconds()))
	}
	raw, err := hex.DecodeString(sig)
	if err != nil || len(raw) != sha256.Size {
		return credential{}, refuse(fasthttp.StatusUnauthorized, codeSignatureWrong, "sig must be 64 hexadecimal digits.")
	}
	return credential{signature: raw, message: signedMessage(p)}, nil
}

// signedMessage is the canonical form that a signature is made over: every parameter of query and body as it was sent
// (aliases are not translated, nothing is left out but sig), decoded, then percent-encoded with everything but
// A-Z a-z 0-9 - . _ ~ as %XX in upper case, name=value, sorted by name and then value in byte order, joined with "&".
// A JSON number counts as the text it was sent as, true and false as those words, null as empty.
func signedMessage(p params) string {
	lines := make([]string, 0, len(p))
	for _, param := range p {
		if param.name != "sig" {
			lines = append(lines, percentEncode(param.name)+"="+percentEncode(param.value))
		}
	}
	// "=" sorts after "-", "." and digits, so whole lines would sort differently from names.
	slices.SortFunc(lines, func(a, b string) int {
		nameA, valueA, _ := strings.Cut(a, "=")
		nameB, valueB, _ := strings.Cut(b, "=")
		if c := strings.Compare(nameA, nameB); c != 0 {
			return c
		}
		return strings.Compare(valueA, valueB)
	})
	return strings.Join(lines, "&")
}

func percentEncode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

// proves reports whether the credential belongs to one of the secrets. It takes as long for a wrong one as for the
// right one; callers pass a stand-in where there is no program, so that an unknown program looks like a wrong secret.
func (c credential) proves(secrets []string) bool {
	ok := 0
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		if c.signature == nil {
			given, want := sha256.Sum256([]byte(c.secret)), sha256.Sum256([]byte(secret))
			ok |= subtle.ConstantTimeCompare(given[:], want[:])
			continue
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(c.message))
		ok |= subtle.ConstantTimeCompare(c.signature, mac.Sum(nil))
	}
	return ok == 1
}

// denied is the answer to a credential that proves nothing, whether its program exists or not.
func (c credential) denied() *refusal {
	if c.signature != nil {
		return refuse(fasthttp.StatusUnauthorized, codeSignatureWrong, "The signature does not match; check the program, the secret and the canonical form.")
	}
	return refuse(fasthttp.StatusUnauthorized, codeSecretWrong, "The secret is not this program's; check the program and the secret.")
}
