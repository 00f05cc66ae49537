package sandbox

import "golang.org/x/text/language"

func english() *Text {
	return &Text{
		Tag:   language.MustParse("en-IN"),
		Title: "Sandbox payment", Gateway: "Sandbox gateway", About: "No money moves here. You play the payment provider.",
		Missing: "There is no such payment", MissingText: "The address is wrong, or the database was made anew.",
		NotDone: "That did not work", CrossSite: "The form came from another site. Open the page anew and try again.", Unreadable: "The form could not be read.",
		Failed: "Something went wrong on our side. Try again in a moment.",
		ToPay:  "To pay", Payment: "Payment", For: "For", Order: "Order", State: "State",
		Back: "Back to the shop", BackUnpaid: "Back to the shop without paying",
		HowEnds: "How does it end?", WhatNext: "What happens next?",
		Told: "How the shop is told", Each: "Each webhook", Once: "once", Thrice: "three times",
		Sequence: "Their order", Kept: "kept", Mixed: "mixed up",
		Sent: "Sent", AtOnce: "at once", Later10: "after 10 s", Later60: "after 60 s",
		Actions: map[string]Action{
			"pay": {"Pay", "The money is there at once"}, "fail": {"Fail", "Declined; can be tried again"}, "later": {"Pay later", "The money comes in 30 s"},
			"dispute": {"Pay and dispute", "Paid, then charged back"}, disputePaid: {"Open a dispute", "The bank takes it back"},
			"refund": {"Refund %s", "As if at the dashboard"}, "won": {"Dispute won", "The business keeps it"}, "lost": {"Dispute lost", "The buyer keeps it"},
		},
		Done: map[string]string{
			"failed": "The payment failed. The buyer can try again.", "refunded": "The whole rest was refunded at the gateway.", "disputed": "A dispute was opened.",
			"won": "The dispute was won.", "lost": "The dispute was lost.",
		},
		NotNow: "That is not possible any more. This is how things stand.",
		Open:   "Waiting for the buyer", Expired: "Expired", Promised: "Promised; the money comes later", Paid: "Paid", Partly: "Paid, refunded in part",
		Refunded: "Refunded", Disputed: "%s, disputed", DisputeWon: "%s, dispute won", DisputeLost: "%s, dispute lost",
	}
}
