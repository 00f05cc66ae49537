// Package link defines what the core tells the trackers: links, programs and visitor salts, as a feed of revisions.
//
// Every link and program carries the revision of its last change, a number that grows with commit order. A feed page
// holds what changed after a cursor, so the same request serves the first full copy and every later change, and there
// is no history that could be missed.
package link

import "errors"

// ErrNotFound says that the source answered and there is no such link.
var ErrNotFound = errors.New("no such link")

// MaxSlug is the longest slug, in bytes.
const MaxSlug = 64

// State of a link or a program.
type State string

// States. What is disabled is kept: its clicks and conversions stay explainable.
const (
	Active   State = "active"
	Disabled State = "disabled"
)

// Link is a referral link as a tracker needs it.
type Link struct {
	ID          int64  `json:"id,string"`
	Slug        string `json:"slug"`
	AffiliateID int64  `json:"affiliate_id,string"`
	ProgramID   int64  `json:"program_id,string"`
	Destination string `json:"destination"` // absolute http(s) URL, may hold macros such as {click_id} and {sub1}
	State       State  `json:"state"`       // disabled also while its affiliate is suspended
	ExpiresAt   int64  `json:"expires_at"`  // Unix ms; 0: never
	Rev         int64  `json:"rev"`
}

// BrowserConversions says which conversions a program takes from browsers, where the Click ID is the only proof.
type BrowserConversions string

// Settings of BrowserConversions. A sale's amount sent by a browser can be forged by the buyer.
const (
	BrowserOff   BrowserConversions = "off"
	BrowserLeads BrowserConversions = "leads"
	BrowserAll   BrowserConversions = "all"
)

// Program is a program as a tracker needs it.
type Program struct {
	ID                 int64              `json:"id,string"`
	State              State              `json:"state"`
	ClickParam         string             `json:"click_param"`   // query parameter that carries the Click ID to the destination
	AllowedHosts       []string           `json:"allowed_hosts"` // deep links may go there; "*.example.com" covers subdomains
	Fallback           string             `json:"fallback"`      // where disabled and expired links go; "" for 404
	CookieSeconds      int64              `json:"cookie_seconds"`
	PostbackSecrets    []string           `json:"postback_secrets"` // the current one and, after rotation, the previous one
	BrowserConversions BrowserConversions `json:"browser_conversions"`
	Currency           string             `json:"currency"` // default for conversions that name none; "" for no default
	Rev                int64              `json:"rev"`
}

// Resolved is a link with its program.
type Resolved struct {
	Link    Link    `json:"link"`
	Program Program `json:"program"`
}

// Salt makes the visitor hashes of one UTC day. The core deletes it 48 hours after its day began, and so do trackers;
// from then on nobody can tell which client a hash belonged to.
type Salt struct {
	Day int64  `json:"day"` // days since 1970-01-01 UTC
	Key []byte `json:"key"` // 16 bytes
}

// Page is one answer of the feed: what changed after the cursor asked for, in order of revision.
type Page struct {
	Feed     string    `json:"feed"`   // identity of the database; another one means: start again from cursor 0
	Cursor   int64     `json:"cursor"` // ask with this next
	More     bool      `json:"more"`   // there is more already, ask again at once
	Links    []Link    `json:"links"`
	Programs []Program `json:"programs"`
	Salts    []Salt    `json:"salts"` // all that are valid: yesterday's, today's and tomorrow's
}
