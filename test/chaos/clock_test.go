package chaos

import "time"

// clocks sets the clock of the tracker back and ahead, and right again. A sale is of a click from the same side of the
// step: one whose click is later than itself is booked too, but to nobody.
func (s *world) clocks() {
	for fault, offset := range map[string]time.Duration{"clock goes back 1 h": -time.Hour, "clock goes forward 1 day": 24 * time.Hour} {
		clock, err := s.tracker.Clock()
		if err != nil {
			s.leaveOut(fault, err)
			continue
		}
		r := s.scenario(fault, func(tr *traffic) {
			for _, to := range []time.Duration{offset, 0} {
				pass(700 * time.Millisecond)
				tr.pause(func() { s.must(clock.Set(to)) })
			}
			pass(700 * time.Millisecond)
		})
		if r.Unanswered > 0 || r.WithoutID > 0 {
			s.t.Errorf("%s: visitors noticed: %+v", fault, r)
		}
	}
}
