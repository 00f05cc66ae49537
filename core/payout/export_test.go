package payout

// SetStep lets a test stop the worker between two steps, as a crash would.
func (s *Service) SetStep(step func(name string) error) { s.step = step }

// Steps are the names that the worker calls step with.
func Steps() []string {
	return []string{"claimed", "prepared", "stored", "counted", "called", "looking", "noting", "noted"}
}

// Times of the worker.
const (
	LeaseTime   = leaseTime
	UnseenGrace = unseenGrace
	ResendFor   = resendFor
)

// MaxRequestsADay is how often an affiliate may ask.
const MaxRequestsADay = maxRequestsADay
