// Package load sends HTTP requests on a schedule, whatever the answers do, and measures from the scheduled time.
//
// A generator that waits for one answer before it sends the next measures a slow server kindly: while the server stalls,
// nothing is asked of it (coordinated omission). Here an arrival that finds no free connection keeps its due time, and
// its latency counts from there.
//
// One event loop on epoll serves many connections on one thread, because the generator shares the machine with what it
// measures: a goroutine and two netpoller round trips per request would make it the bottleneck. Linux only.
package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// Limits of one run.
const (
	MaxConnections = 20_000
	maxLatency     = 60 * time.Second // longer counts as this
	answerTimeout  = 30 * time.Second
	eventBatch     = 512
	readBuffer     = 8 << 10 // bytes; an answer's head must fit
)

// Answer is what came back for one request.
type Answer struct {
	N       uint64 // number of the request, from 0
	Status  int
	Head    []byte // status line and headers; valid during the call only
	Latency time.Duration
}

// Options describes one run.
type Options struct {
	Addr        netip.AddrPort
	Connections int
	Duration    time.Duration
	// Rate is arrivals per second at a time since the start; it is asked once a millisecond at most. nil: every
	// connection sends as soon as it has its answer (closed loop, for finding the maximum).
	Rate func(elapsed time.Duration) float64
	// Request appends the nth request to dst. It is called on the loop's thread.
	Request func(dst []byte, n uint64) []byte
	// OnAnswer is called for each answer on the loop's thread; nil: none.
	OnAnswer func(Answer)
	// OnSecond is called about once a second with the figures so far; nil: none.
	OnSecond func(Result)
}

// Result is what happened. Every scheduled arrival is in exactly one of Answered, Failed and Unsent.
type Result struct {
	Elapsed   time.Duration
	Scheduled uint64
	Answered  uint64
	Failed    uint64 // connection refused, reset, or no answer in time
	Unsent    uint64 // still without a connection when the time was over
	Status    map[int]uint64
	Latency   *hdrhistogram.Histogram // microseconds, from the scheduled time
	Seconds   []Second
}

// Second is one second of the run.
type Second struct {
	Scheduled, Answered, Failed uint64
	P50, P99, Max               time.Duration
}

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
	l.result.Status = make(map[int]uint64)
	l.result.Latency = newHistogram()
	l.second = newHistogram()
	defer l.closeAll()
	if err := l.openAll(); err != nil {
		return Result{}, err
	}
	err = l.run(ctx)
	return l.result, err
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, maxLatency.Microseconds(), 3)
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
		open := l.now.Before(end) && ctx.Err() == nil
		if open {
			l.schedule()
		}
		l.dispatch(open)
		if !open && l.busy == 0 || l.now.After(end.Add(answerTimeout)) {
			break
		}
		n, err := unix.EpollWait(l.epoll, events, l.patience(open))
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
	l.result.Unsent += uint64(len(l.backlog) - l.head)
	l.closeSecond()
	return nil
}

// schedule puts the arrivals that have become due into the backlog, each with its own due time.
func (l *loop) schedule() {
	if l.Rate == nil {
		return
	}
	const step = time.Millisecond
	for l.lastAccrual.Before(l.now) {
		until := l.lastAccrual.Add(step)
		if until.After(l.now) {
			until = l.now
		}
		span := until.Sub(l.lastAccrual)
		rate := l.Rate(l.lastAccrual.Sub(l.start))
		owed := rate * span.Seconds()
		// The kth arrival of this span became due when the running sum passed a whole number.
		for first := 1 - l.due; first <= owed; first++ {
			l.backlog = append(l.backlog, l.lastAccrual.Add(time.Duration(first/rate*float64(time.Second))))
			l.result.Scheduled++
		}
		l.due += owed
		l.due -= float64(int64(l.due))
		l.lastAccrual = until
	}
}

// dispatch gives waiting arrivals to free connections.
func (l *loop) dispatch(open bool) {
	for len(l.free) > 0 {
		due := l.now
		switch {
		case l.head < len(l.backlog):
			due = l.backlog[l.head]
			l.head++
		case l.Rate == nil && open:
			l.result.Scheduled++
		default:
			l.backlog, l.head = l.backlog[:0], 0
			return
		}
		if !open && l.Rate != nil {
			l.head-- // what was not sent in time stays unsent
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

// patience is how long to wait for events, in milliseconds. Below a millisecond it polls: a timer that oversleeps would
// be counted as the server's latency.
func (l *loop) patience(open bool) int {
	if l.Rate == nil || !open {
		return 10
	}
	rate := l.Rate(l.now.Sub(l.start))
	if rate > 500 || l.head < len(l.backlog) && len(l.free) > 0 {
		return 0
	}
	return 1
}

func (l *loop) closeSecond() {
	r := &l.result
	r.Elapsed = min(l.now.Sub(l.start), l.Duration)
	r.Seconds = append(r.Seconds, Second{
		Scheduled: r.Scheduled - l.mark.Scheduled, Answered: r.Answered - l.mark.Answered, Failed: r.Failed - l.mark.Failed,
		P50: micros(l.second.ValueAtQuantile(50)), P99: micros(l.second.ValueAtQuantile(99)), Max: micros(l.second.Max()),
	})
	l.mark = Second{Scheduled: r.Scheduled, Answered: r.Answered, Failed: r.Failed}
	l.second.Reset()
	if l.OnSecond != nil {
		l.OnSecond(*r)
	}
}

func micros(v int64) time.Duration { return time.Duration(v) * time.Microsecond }
