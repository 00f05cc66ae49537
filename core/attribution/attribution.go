// Package attribution decides which affiliate a conversion belongs to, and why: by the clicks that led to it, by a coupon
// that an affiliate owns, or because an earlier conversion bound the customer.
//
// The rules are pure (Decide, Choose); Service reads what they rest on, and keeps touches and bindings. All times are
// those of the events themselves: the window runs from the time in the signed Click ID to the time at which the
// conversion was received, so a delay between edge and core changes nothing.
package attribution

import (
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
	SelfPurchase       Reason = "self_purchase"       // the affiliate is the buyer
	CouponUnowned      Reason = "coupon_unowned"      // no affiliate owns the coupon
	BindingExpired     Reason = "binding_expired"     // the customer was bound too long ago
	Unassigned         Reason = "unassigned"          // somebody took it from all affiliates
)

// Results of candidates that could have won alone.
const (
	NotLast   Reason = "not_last"   // another click is later
	NotFirst  Reason = "not_first"  // another click is earlier
	Outranked Reason = "outranked"  // another source goes first
	SourceOff Reason = "source_off" // the program does not attribute by this source
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
	Source      Source `json:"source,omitempty"` // by which it was decided; "": there was no candidate
	ClickID     string `json:"click_id,omitempty"`
	ClickedAt   int64  `json:"clicked_at,omitempty"`
	ReceivedAt  int64  `json:"received_at"`
	WindowMS    int64  `json:"window_ms,omitempty"`
	AffiliateID string `json:"affiliate_id,omitempty"` // who earns, or would have earned
	LinkID      string `json:"link_id,omitempty"`
	DisabledAt  int64  `json:"disabled_at,omitempty"`
	SubjectID   string `json:"subject_id,omitempty"` // refund, rejection: the conversion whose attribution it shares

	Coupon   string `json:"coupon,omitempty"`
	BoundAt  int64  `json:"bound_at,omitempty"` // when the customer was bound
	Assigner string `json:"assigner,omitempty"` // who assigned it by hand
	Note     string `json:"note,omitempty"`     // his reason

	Model      Model       `json:"model,omitempty"`
	Precedence []Source    `json:"precedence,omitempty"`
	Candidates []Candidate `json:"candidates,omitempty"` // clicks from the newest, then coupon and customer
}

// Candidate is one way in which the conversion could have found its affiliate, and what became of it.
type Candidate struct {
	Source      Source `json:"source"`
	AffiliateID string `json:"affiliate_id,omitempty"`
	LinkID      string `json:"link_id,omitempty"`
	ClickID     string `json:"click_id,omitempty"`
	Coupon      string `json:"coupon,omitempty"`
	At          int64  `json:"at,omitempty"` // Unix ms, of the click or the binding
	Result      Reason `json:"result"`       // attributed: it won; otherwise why not
}

// Decision is who earns, and why. Its JSON may be stored and read again.
type Decision struct {
	AffiliateID int64       `json:"affiliate_id,string"` // 0: nobody
	LinkID      int64       `json:"link_id,string"`      // 0: it was not a link
	Explanation Explanation `json:"explanation"`
}

// Decide judges one click: it applies the rules in a fixed order, and the first that fails gives the reason.
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
	e.Source, e.ClickID = ByClick, in.ClickID.String()
	if !in.Verified {
		// Nothing that an unsigned ID claims is repeated.
		e.Candidates = []Candidate{clickCandidate(e)}
		return d
	}
	e.ClickedAt = in.ClickID.UnixMilli()
	e.WindowMS = in.Window.Milliseconds()
	if in.Link != nil {
		e.LinkID = ident.Format(ident.Link, in.Link.ID)
		e.AffiliateID = ident.Format(ident.Affiliate, in.Link.AffiliateID)
		e.DisabledAt = in.Link.DisabledAt
	}
	e.Candidates = []Candidate{clickCandidate(e)}
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
	// Not than at: a node whose clock is ahead gives its time to the click and to the conversion.
	case clicked > max(at, in.ReceivedAt)+FutureTolerance.Milliseconds():
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
