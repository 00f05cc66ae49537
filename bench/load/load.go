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
	"net/netip"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Limits of one run.
const (
	MaxConnections = 20_000
	maxLatency     = 60 * time.Second // longer counts as this
	answerTimeout  = 30 * time.Second
	connectTimeout = 3 * time.Second
	grace          = time.Second      // after the end, for arrivals that were due before it
	maxIdle        = 15 * time.Second // then a connection is opened anew; shorter than servers keep idle ones
	eventBatch     = 512
	spinAbove      = 500     // arrivals a second; below, the few microseconds that a timer oversleeps cost less than a core
	readBuffer     = 8 << 10 // bytes; an answer's head must fit
)

// Answer is what came back for one request.
type Answer struct {
	N       uint64 // number of the request, from 0
	Status  int
	Head    []byte // status line and headers; valid during the call only
	Latency time.Duration
}

// Failure is a request that got no answer.
type Failure struct {
	N    uint64
	Why  string
	Sent bool // some of it was written: the server may have served it
}

// Options describes one run.
type Options struct {
	Addr        netip.AddrPort
	Connections int
	Duration    time.Duration
	// Rate is arrivals per second at a time since the start; it is asked once a millisecond at most. nil: every
	// connection sends as soon as it has its answer (closed loop, for finding the maximum).
	Rate func(elapsed time.Duration) float64
	// Spin looks for answers all the time instead of sleeping until one comes: it takes a core, and spares the server the
	// waking of a sleeper, which costs it more the slower it is. For comparing servers.
	Spin bool
	// Requests is how many arrivals there are at most; 0: as many as rate and duration make.
	Requests uint64
	// Sleep lets the loop sleep between arrivals instead of spinning on its core. Waking up adds to latencies.
	Sleep bool
	// Request appends the nth request to dst. It is called once for each on the loop's thread, before OnAnswer or OnFail.
	Request func(dst []byte, n uint64) []byte
	// OnAnswer is called for each answer on the loop's thread; nil: none.
	OnAnswer func(Answer)
	// OnFail is called for each request without an answer on the loop's thread; nil: none.
	OnFail func(Failure)
	// OnSecond is called about once a second with the figures so far; nil: none.
	OnSecond func(Result)

	// onClose is given each second and its latencies, which are valid during the call.
	onClose func(n int, s Second, latency *hdrhistogram.Histogram)
}

// Result is what happened. Every scheduled arrival is in exactly one of Answered, Failed and Unsent.
type Result struct {
	Elapsed   time.Duration
	Scheduled uint64
	Answered  uint64
	Failed    uint64            // connection refused, reset, or no answer in time
	Unreached uint64            // of Failed: nothing of it was written, so it was not served
	Unsent    uint64            // still without a connection a second after the end
	Failures  map[string]uint64 // Failed, by what happened
	Status    map[int]uint64
	Latency   *hdrhistogram.Histogram // microseconds, from the scheduled time
	Seconds   []Second
}

// Second is one second of the run.
type Second struct {
	Scheduled, Answered, Failed uint64
	P50, P99, Max               time.Duration
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, maxLatency.Microseconds(), 3)
}

func micros(v int64) time.Duration { return time.Duration(v) * time.Microsecond }
