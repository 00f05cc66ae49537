// Package attribution decides which click, and so which affiliate, a conversion belongs to. It is pure: no database,
// no clock.
//
// The model is last click: the click that the conversion names, which is the visitor's last one, because a tracker
// overwrites the visitor's Click ID with every click. All times are those of the events themselves: the window runs
// from the time in the signed Click ID to the time at which the conversion was received, so a delay between edge and
// core changes nothing.
package attribution

import (
	"fmt"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/ident"
)

// Reason is the outcome of the decision.
type Reason string

// Reasons. Only the first makes an affiliate earn.
const (
	Attributed         Reason = "attributed"
	NoClick            Reason = "no_click"            // the conversion names no click
	UnknownClick       Reason = "unknown_click"       // no valid signature, or its link and affiliate are not ours
	ProgramMismatch    Reason = "program_mismatch"    // the click was in another program
	ClickInFuture      Reason = "click_in_future"     // the click is later than the conversion
	WindowExpired      Reason = "window_expired"      // the click is too long ago
	LinkDisabled       Reason = "link_disabled"       // the click came after the link had been disabled
	AffiliateSuspended Reason = "affiliate_suspended" // the affiliate is suspended now
)

// FutureTolerance is how much later than the conversion its click may be: the clocks of two edge nodes differ.
const FutureTolerance = 5 * time.Minute

// Link is what the decision needs to know of the link in the Click ID, and of its program and affiliate.
type Link struct {
	ID          int64
	AffiliateID int64
	ProgramID   int64
	DisabledAt  int64 // Unix ms of the last time it was disabled; 0: it is active
	Suspended   bool  // its affiliate is suspended
}

// Input is all that the decision rests on.
type Input struct {
	ClickID    click.ID // zero: the conversion names no click
	Verified   bool     // a key of ours signed ClickID
	ProgramID  int64    // of the conversion
	ReceivedAt int64    // of the conversion, Unix ms
	Now        int64    // Unix ms; a conversion from the future counts as received now
	Window     time.Duration
	Link       *Link // nil: there is no such link
}

// Explanation is the decision with all that it rested on, in the form in which it is kept. Identifiers are in their
// public form, times Unix ms.
type Explanation struct {
	Reason      Reason `json:"reason"`
	ClickID     string `json:"click_id,omitempty"`
	ClickedAt   int64  `json:"clicked_at,omitempty"`
	ReceivedAt  int64  `json:"received_at"`
	WindowMS    int64  `json:"window_ms,omitempty"`
	AffiliateID string `json:"affiliate_id,omitempty"` // who earns, or would have earned
	LinkID      string `json:"link_id,omitempty"`
	DisabledAt  int64  `json:"disabled_at,omitempty"`
	SubjectID   string `json:"subject_id,omitempty"` // refund, rejection: the conversion whose attribution it shares
}

// Decision is who earns, and why.
type Decision struct {
	AffiliateID, LinkID int64 // 0 unless attributed
	Explanation         Explanation
}

// Decide applies the rules in a fixed order; the first that fails gives the reason.
//
// A link that was disabled after the click still earns: what was promised when the visitor clicked is kept. A
// suspended affiliate earns nothing from conversions booked while suspended, whenever the click was: suspension is how
// fraud is stopped. An expired link needs no rule, since trackers give no Click ID for it.
func Decide(in Input) Decision {
	at := in.ReceivedAt
	if at <= 0 || at > in.Now {
		at = in.Now
	}
	d := Decision{Explanation: Explanation{Reason: reason(in, at), ReceivedAt: at}}
	if in.ClickID.IsZero() {
		return d
	}
	e := &d.Explanation
	e.ClickID = in.ClickID.String()
	if !in.Verified {
		// Nothing that an unsigned ID claims is repeated.
		return d
	}
	e.ClickedAt = in.ClickID.UnixMilli()
	e.WindowMS = in.Window.Milliseconds()
	if in.Link == nil {
		return d
	}
	e.LinkID = ident.Format(ident.Link, in.Link.ID)
	e.AffiliateID = ident.Format(ident.Affiliate, in.Link.AffiliateID)
	e.DisabledAt = in.Link.DisabledAt
	if e.Reason == Attributed {
		d.AffiliateID, d.LinkID = in.Link.AffiliateID, in.Link.ID
	}
	return d
}

func reason(in Input, at int64) Reason {
	clicked := in.ClickID.UnixMilli()
	switch link := in.Link; {
	case in.ClickID.IsZero():
		return NoClick
	case !in.Verified, link == nil, link.ID != in.ClickID.LinkID(), link.AffiliateID != in.ClickID.AffiliateID():
		return UnknownClick
	case link.ProgramID != in.ProgramID:
		return ProgramMismatch
	case clicked > at+FutureTolerance.Milliseconds():
		return ClickInFuture
	case at-clicked > in.Window.Milliseconds():
		return WindowExpired
	case link.DisabledAt != 0 && clicked >= link.DisabledAt:
		return LinkDisabled
	case link.Suspended:
		return AffiliateSuspended
	}
	return Attributed
}

// Text is the decision in plain words.
func (e Explanation) Text() string {
	if e.SubjectID != "" {
		return "As that of " + e.SubjectID + ", which it takes back: " + e.text()
	}
	return e.text()
}

func (e Explanation) text() string {
	switch e.Reason {
	case NoClick:
		return "The conversion named no click, so it belongs to no affiliate."
	case UnknownClick:
		return "The Click ID is not one of ours: its signature does not match, or its link and affiliate do not exist."
	case ProgramMismatch:
		return fmt.Sprintf("The click came through link %s of affiliate %s, which is in another program.", e.LinkID, e.AffiliateID)
	case ClickInFuture:
		return fmt.Sprintf("The click, at %s, is later than the conversion, at %s.", stamp(e.ClickedAt), stamp(e.ReceivedAt))
	case WindowExpired:
		return fmt.Sprintf("The click, at %s through link %s of affiliate %s, is %s before the conversion; the program's window is %s.",
			stamp(e.ClickedAt), e.LinkID, e.AffiliateID, span(e.ReceivedAt-e.ClickedAt), span(e.WindowMS))
	case LinkDisabled:
		return fmt.Sprintf("The click, at %s, came after link %s of affiliate %s had been disabled, at %s.",
			stamp(e.ClickedAt), e.LinkID, e.AffiliateID, stamp(e.DisabledAt))
	case AffiliateSuspended:
		return fmt.Sprintf("The click came through link %s, but its affiliate %s was suspended when the conversion was booked.", e.LinkID, e.AffiliateID)
	case Attributed:
		text := fmt.Sprintf("The click, at %s through link %s, is the last one and %s before the conversion, within the window of %s: it belongs to affiliate %s.",
			stamp(e.ClickedAt), e.LinkID, span(max(e.ReceivedAt-e.ClickedAt, 0)), span(e.WindowMS), e.AffiliateID)
		if e.DisabledAt != 0 {
			text += " The link was disabled only later, at " + stamp(e.DisabledAt) + "."
		}
		return text
	}
	return string(e.Reason)
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05 UTC") }

// span is a duration as a person says it: whole days where there are any, else down to the second.
func span(ms int64) string {
	const day = 24 * time.Hour
	d := time.Duration(ms) * time.Millisecond
	if d < day {
		return d.Truncate(time.Second).String()
	}
	text := fmt.Sprintf("%d days", d/day)
	if d/day == 1 {
		text = "1 day"
	}
	if rest := d % day; rest >= time.Minute {
		text += " " + fmt.Sprintf("%dh%02dm", rest/time.Hour, rest%time.Hour/time.Minute)
	}
	return text
}
