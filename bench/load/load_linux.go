package load

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// loop is one run.
type loop struct {
	Options
	epoll int
	conns []conn
	free  []int32
	busy  int
	sent  uint64

	start, now  time.Time
	due         float64 // arrivals owed since the start, fractional
	lastAccrual time.Time
	backlog     []time.Time // due times that wait for a connection
	head        int

	result Result
	second *hdrhistogram.Histogram
	mark   Second // totals at the last second's end
}

// Run generates the load. It returns what was measured also when ctx ends early; the error is about the generator
// itself, not about the server.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Connections < 1 || o.Connections > MaxConnections {
		return Result{}, fmt.Errorf("connections: %d is not 1 to %d", o.Connections, MaxConnections)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return Result{}, fmt.Errorf("create epoll: %w", err)
	}
	defer unix.Close(epoll)
	l := &loop{Options: o, epoll: epoll, conns: make([]conn, o.Connections), free: make([]int32, 0, o.Connections)}
	l.result.Status, l.result.Failures = make(map[int]uint64), make(map[string]uint64)
	l.result.Latency = newHistogram()
	l.second = newHistogram()
	// The kernel may round a thread's timers up by 50 us otherwise. Where it refuses, latencies are a little longer.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	defer l.closeAll()
	if err := l.openAll(); err != nil {
		return Result{}, err
	}
	err = l.run(ctx)
	return l.result, err
}

func (l *loop) openAll() error {
	for i := range l.conns {
		l.conns[i].in = make([]byte, readBuffer)
		if err := l.open(i); err != nil {
			return fmt.Errorf("connect to %s: %w", l.Addr, err)
		}
		l.free = append(l.free, int32(i))
	}
	return nil
}

func (l *loop) closeAll() {
	for i := range l.conns {
		l.conns[i].close()
	}
}

func (l *loop) run(ctx context.Context) error {
	events := make([]unix.EpollEvent, eventBatch)
	l.start = time.Now()
	l.now, l.lastAccrual = l.start, l.start
	nextSecond, nextSweep := l.start.Add(time.Second), l.start.Add(time.Second)
	end := l.start.Add(l.Duration)
	for {
		l.now = time.Now()
		if ctx.Err() != nil {
			end = minTime(end, l.now)
		}
		l.schedule(minTime(end, l.now))
		open := l.now.Before(end)
		l.dispatch(open, l.now.Before(end.Add(grace)))
		if !open && l.busy == 0 && (l.head == len(l.backlog) || !l.now.Before(end.Add(grace))) || l.now.After(end.Add(answerTimeout)) {
			break
		}
		n, err := l.wait(events, l.patience(open))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for answers: %w", err)
		}
		l.now = time.Now()
		for _, e := range events[:max(n, 0)] {
			l.handle(int(e.Fd), e.Events)
		}
		if l.now.After(nextSweep) {
			l.sweep()
			nextSweep = l.now.Add(time.Second)
		}
		if l.now.After(nextSecond) {
			l.closeSecond()
			nextSecond = nextSecond.Add(time.Second)
		}
	}
	for i := range l.conns {
		l.fail(i, "no answer in "+answerTimeout.String()) // only those that still wait for one are failures
	}
	l.result.Unsent += uint64(len(l.backlog) - l.head)
	l.closeSecond()
	return nil
}

// schedule puts the arrivals that have become due into the backlog, each with its own due time.
func (l *loop) schedule(now time.Time) {
	if l.Rate == nil {
		return
	}
	const step = time.Millisecond
	for l.lastAccrual.Before(now) {
		until := l.lastAccrual.Add(step)
		if until.After(now) {
			until = now
		}
		span := until.Sub(l.lastAccrual)
		rate := l.Rate(l.lastAccrual.Sub(l.start))
		owed := rate * span.Seconds()
		// The kth arrival of this span became due when the running sum passed a whole number.
		for first := 1 - l.due; first <= owed && !l.allScheduled(); first++ {
			l.backlog = append(l.backlog, l.lastAccrual.Add(time.Duration(first/rate*float64(time.Second))))
			l.result.Scheduled++
		}
		l.due += owed
		l.due -= float64(int64(l.due))
		l.lastAccrual = until
	}
}

func (l *loop) allScheduled() bool { return l.Requests > 0 && l.result.Scheduled >= l.Requests }

// dispatch gives waiting arrivals to free connections. Those that were due before the end may be sent for a while after
// it, so that a generator or server that is a little late leaves none behind.
func (l *loop) dispatch(open, sending bool) {
	for sending && len(l.free) > 0 {
		due := l.now
		switch {
		case l.head < len(l.backlog):
			due = l.backlog[l.head]
			l.head++
		case l.Rate == nil && open && !l.allScheduled():
			l.result.Scheduled++
		default:
			l.backlog, l.head = l.backlog[:0], 0
			return
		}
		i := l.free[len(l.free)-1]
		l.free = l.free[:len(l.free)-1]
		l.send(int(i), due)
	}
	if l.head > 1<<16 {
		l.backlog = append(l.backlog[:0], l.backlog[l.head:]...)
		l.head = 0
	}
}

// patience is how long to wait for events. Close to the next arrival it is nothing, unless the options allow sleep: a
// timer that oversleeps is counted as the server's latency.
func (l *loop) patience(open bool) time.Duration {
	if l.Rate == nil || !open {
		return 10 * time.Millisecond
	}
	if l.head < len(l.backlog) && len(l.free) > 0 {
		return 0
	}
	rate := l.Rate(l.now.Sub(l.start))
	if rate > spinAbove && !l.Sleep {
		return 0
	}
	next := l.lastAccrual.Add(time.Duration((1 - l.due) / max(rate, 1) * float64(time.Second)))
	return min(max(next.Sub(l.now), 0), time.Millisecond)
}

// wait is epoll_pwait2, which takes nanoseconds.
func (l *loop) wait(events []unix.EpollEvent, timeout time.Duration) (int, error) {
	if timeout%time.Millisecond == 0 {
		return unix.EpollWait(l.epoll, events, int(timeout/time.Millisecond))
	}
	spec := unix.NsecToTimespec(int64(timeout))
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(l.epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(unsafe.Pointer(&spec)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (l *loop) closeSecond() {
	r := &l.result
	r.Elapsed = min(l.now.Sub(l.start), l.Duration)
	s := Second{
		Scheduled: r.Scheduled - l.mark.Scheduled, Answered: r.Answered - l.mark.Answered, Failed: r.Failed - l.mark.Failed,
		P50: micros(l.second.ValueAtQuantile(50)), P99: micros(l.second.ValueAtQuantile(99)), Max: micros(l.second.Max()),
	}
	if s == (Second{}) && r.Elapsed == l.Duration {
		return // the end of the run fell on the end of a second
	}
	r.Seconds = append(r.Seconds, s)
	if l.onClose != nil {
		l.onClose(len(r.Seconds)-1, s, l.second)
	}
	l.mark = Second{Scheduled: r.Scheduled, Answered: r.Answered, Failed: r.Failed}
	l.second.Reset()
	if l.OnSecond != nil {
		l.OnSecond(*r)
	}
}
