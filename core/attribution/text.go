package attribution

import (
	"fmt"
	"strings"
	"time"
)

// Text is the decision in plain words.
func (e Explanation) Text() string {
	if e.SubjectID != "" {
		return "As that of " + e.SubjectID + ", which it takes back: " + e.text()
	}
	return e.text()
}

func (e Explanation) text() string {
	text := e.decided()
	if len(e.Candidates) < 2 {
		return text
	}
	var others []string
	for _, c := range e.Candidates {
		if c.Result != Attributed {
			others = append(others, c.text())
		}
	}
	if len(e.Precedence) > 0 {
		text += fmt.Sprintf(" The program asks in this order: %s.", joined(e.Precedence))
	}
	return text + " What else was looked at: " + strings.Join(others, "; ") + "."
}

func joined(sources []Source) string {
	parts := make([]string, len(sources))
	for i, s := range sources {
		parts[i] = string(s)
	}
	return strings.Join(parts, ", ")
}

// text says why the candidate did not win.
func (c Candidate) text() string {
	what := "the customer's binding"
	switch c.Source {
	case ByClick:
		what = "a Click ID that is not ours"
		if c.At != 0 {
			what = "the click at " + stamp(c.At)
		}
	case ByCoupon:
		what = fmt.Sprintf("coupon %q", c.Coupon)
	case ByCustomer, ByHand:
	}
	if c.AffiliateID != "" {
		what += " (affiliate " + c.AffiliateID + ")"
	}
	return what + ", " + c.Result.words()
}

// words complete "this candidate lost, because ...".
func (r Reason) words() string {
	switch r {
	case UnknownClick:
		return "which does not verify"
	case ProgramMismatch:
		return "which is in another program"
	case ClickInFuture:
		return "which is later than the conversion"
	case WindowExpired:
		return "which is outside of the window"
	case LinkDisabled:
		return "whose link was disabled"
	case AffiliateSuspended:
		return "whose affiliate is suspended"
	case SelfPurchase:
		return "whose affiliate is the buyer"
	case CouponUnowned:
		return "which no affiliate owns"
	case BindingExpired:
		return "which has ended"
	case NotLast:
		return "which is not the last"
	case NotFirst:
		return "which is not the first"
	case Outranked:
		return "which comes later in the order"
	case SourceOff:
		return "by which the program does not attribute"
	case Attributed, NoClick, Unassigned:
	}
	return string(r)
}

// decided is the outcome without the other candidates.
func (e Explanation) decided() string {
	switch {
	case e.Source == ByHand && e.Reason == Attributed:
		return fmt.Sprintf("Assigned by hand to affiliate %s by %s: %s", e.AffiliateID, e.Assigner, e.Note)
	case e.Reason == Unassigned:
		return fmt.Sprintf("Taken by hand from every affiliate by %s: %s", e.Assigner, e.Note)
	case e.Source == ByCoupon && e.Reason == Attributed:
		return fmt.Sprintf("The coupon %q is owned by affiliate %s.", e.Coupon, e.AffiliateID)
	case e.Source == ByCustomer && e.Reason == Attributed:
		return fmt.Sprintf("The customer has been bound to affiliate %s since %s.", e.AffiliateID, stamp(e.BoundAt))
	case e.Source == ByCoupon || e.Source == ByCustomer:
		return "It belongs to no affiliate: " + Candidate{Source: e.Source, AffiliateID: e.AffiliateID, Coupon: e.Coupon, Result: e.Reason}.text() + "."
	case e.Reason == SelfPurchase:
		return fmt.Sprintf("The click came through link %s of affiliate %s, who is the buyer; the program pays nothing for that.", e.LinkID, e.AffiliateID)
	}
	return e.clicked()
}

// clicked is the outcome of a decision by click.
func (e Explanation) clicked() string {
	which := "is the last one"
	if e.Model == FirstClick {
		which = "is the first one"
	}
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
		text := fmt.Sprintf("The click, at %s through link %s, %s and %s before the conversion, within the window of %s: it belongs to affiliate %s.",
			stamp(e.ClickedAt), e.LinkID, which, span(max(e.ReceivedAt-e.ClickedAt, 0)), span(e.WindowMS), e.AffiliateID)
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
