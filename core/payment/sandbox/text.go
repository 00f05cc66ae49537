package sandbox

import "golang.org/x/text/language"

// languages are those that the page speaks, as the browser of the reader asks for them. Another one is another function like
// english, in a file of its own.
func languages() []*Text { return []*Text{english()} }

// Text is everything that the page says in one language. Strings with %s are filled in. Tests check that every one is set, and
// on the page.
type Text struct {
	Tag language.Tag

	Title, Gateway, About                           string
	Missing, MissingText                            string
	NotDone, Failed, CrossSite, Unreadable          string
	ToPay, Payment, For, Order, State               string
	Back, BackUnpaid                                string
	HowEnds, WhatNext                               string
	Told, Each, Once, Thrice                        string
	Sequence, Kept, Mixed                           string
	Sent, AtOnce, Later10, Later60                  string
	Actions                                         map[string]Action // by what the button sends, and disputePaid
	Done                                            map[string]string // what was just done
	NotNow                                          string
	Open, Expired, Promised, Paid, Partly, Refunded string
	Disputed, DisputeWon, DisputeLost               string // the state of the payment goes into them
}

// Action is a button.
type Action struct{ Name, Text string }

// disputePaid is the dispute of a payment that was paid before; its button says something else.
const disputePaid = "dispute_paid"
