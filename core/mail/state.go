package mail

// State says how far a mail is.
type State string

// States of a mail.
const (
	Pending State = "pending"
	Sent    State = "sent"
	Dead    State = "dead"  // not tried any more; it can be sent again by hand
	Local   State = "local" // kept in the local mailbox: no server was configured
)
