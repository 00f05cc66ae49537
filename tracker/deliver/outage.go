package deliver

import (
	"log/slog"
	"time"
)

// logPause is the least time between two lines about one outage.
const logPause = 10 * time.Second

// outage logs a run of failures: its first one, then one now and then, and its end.
type outage struct {
	log    *slog.Logger
	clock  func() time.Time
	phase  phase // "": all is well
	since  time.Time
	logged time.Time
	count  int
}

func (o *outage) failed(p phase, err error, pause time.Duration) {
	now := o.clock()
	if o.phase != p {
		o.phase, o.since, o.logged, o.count = p, now, time.Time{}, 0
	}
	o.count++
	if now.Sub(o.logged) < logPause {
		return
	}
	o.logged = now
	o.log.Warn("delivery fails, trying again", "step", p, "error", err, "failures", o.count,
		"lasting", now.Sub(o.since).Round(time.Millisecond), "pause", pause)
}

func (o *outage) end(p phase) {
	if o.phase != p {
		return
	}
	o.log.Info("delivery works again", "step", p, "failures", o.count, "lasted", o.clock().Sub(o.since).Round(time.Millisecond))
	o.phase = ""
}
