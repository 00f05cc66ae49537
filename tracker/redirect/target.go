package redirect

import (
	"errors"
	"fmt"
	"time"

	"github.com/edgeref/edgeref/tracker/hosts"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/link"
)

// DefaultClickParam is the query parameter that carries the Click ID where the program names none.
const DefaultClickParam = "click_id"

// Target is a link prepared for redirects. It does not change and is safe for concurrent use.
type Target struct {
	linkID, affiliateID, programID int64
	enabled                        bool
	expires                        int64 // Unix ms; 0: never
	cookieSeconds                  int64 // 0: no cookie
	clickParam                     string
	clickName                      string // canonical form of clickParam
	fallback                       string // "": none
	destination                    template
	allowed                        hosts.Set
}

// Compile prepares a link. A link whose destination cannot be redirected to is an error; it should be answered like an
// unknown one. A fallback that cannot be redirected to counts as none.
func Compile(r link.Resolved) (*Target, error) {
	if r.Link.ID <= 0 || r.Link.AffiliateID < 0 || r.Program.ID <= 0 || r.Link.ProgramID != r.Program.ID {
		return nil, errors.New("compile link: its ids make no sense")
	}
	t := &Target{
		linkID:        r.Link.ID,
		affiliateID:   r.Link.AffiliateID,
		programID:     r.Program.ID,
		enabled:       r.Link.State == link.Active && r.Program.State == link.Active,
		expires:       r.Link.ExpiresAt,
		cookieSeconds: max(0, r.Program.CookieSeconds),
		clickParam:    string(appendValue(nil, r.Program.ClickParam)),
		allowed:       hosts.NewSet(r.Program.AllowedHosts),
	}
	if t.clickParam == "" {
		t.clickParam = DefaultClickParam
	}
	t.clickName = canonical(t.clickParam)
	if r.Program.Fallback != "" {
		t.fallback, _ = FixedURL(r.Program.Fallback)
	}
	var err error
	t.destination, err = parseTemplate(r.Link.Destination, t.clickName, fixedMacros{
		affiliateID: ident.Format(ident.Affiliate, t.affiliateID),
		linkID:      ident.Format(ident.Link, t.linkID),
		programID:   ident.Format(ident.Program, t.programID),
		slug:        r.Link.Slug,
	})
	if err != nil {
		return nil, fmt.Errorf("compile link %s: %w", ident.Format(ident.Link, t.linkID), err)
	}
	return t, nil
}

// FixedURL returns the URL of a page that everybody is sent to, in the form in which it stands in a Location header.
func FixedURL(url string) (string, error) {
	u, err := hosts.Parse(url)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errDestination, err)
	}
	return string(appendRest([]byte(base(u)), u.Rest)), nil
}

// appendRest appends path, query and fragment.
func appendRest(dst []byte, rest string) []byte {
	if rest == "" || rest[0] != '/' {
		dst = append(dst, '/')
	}
	for i := range len(rest) {
		if rest[i] == '#' {
			return appendURL(append(appendURL(dst, rest[:i]), '#'), rest[i+1:])
		}
	}
	return appendURL(dst, rest)
}

func (t *Target) active(now time.Time) bool {
	return t.enabled && (t.expires == 0 || now.UnixMilli() < t.expires)
}
