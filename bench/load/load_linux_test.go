package load

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// serve answers on a loopback port with the handler.
func serve(t *testing.T, handler fasthttp.RequestHandler) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &fasthttp.Server{Handler: handler}
	done := make(chan error, 1)
	go func() { done <- server.Serve(ln) }()
	t.Cleanup(func() {
		ln.Close()
		<-done
	})
	return ln.Addr().(*net.TCPAddr).AddrPort()
}

func request(dst []byte, n uint64) []byte {
	return fmt.Appendf(dst, "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", n)
}

func constant(rate float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return rate }
}

func TestEveryArrivalIsAnsweredOnceOnSchedule(t *testing.T) {
	var served atomic.Uint64
	var mu sync.Mutex
	seen := map[string]bool{}
	addr := serve(t, func(ctx *fasthttp.RequestCtx) {
		served.Add(1)
		mu.Lock()
		seen[string(ctx.Path())] = true
		mu.Unlock()
		ctx.SetStatusCode(302)
		ctx.SetBodyString("moved")
	})
	r, err := Run(t.Context(), Options{Addr: addr, Connections: 8, Duration: time.Second, Rate: constant(2000), Request: request})
	if err != nil {
		t.Fatal(err)
	}
	// The schedule is exact; only its last arrival may fall outside.
	if r.Scheduled < 1999 || r.Scheduled > 2000 {
		t.Errorf("scheduled %d in a second at 2000/s", r.Scheduled)
	}
	if r.Answered+r.Failed+r.Unsent != r.Scheduled || r.Answered != served.Load() || r.Status[302] != r.Answered {
		t.Errorf("%+v; served %d", r, served.Load())
	}
	mu.Lock() // the answers came over a socket, which the race detector does not follow
	defer mu.Unlock()
	if uint64(len(seen)) != r.Answered {
		t.Errorf("%d different requests of %d", len(seen), r.Answered)
	}
	if int64(r.Answered) != r.Latency.TotalCount() {
		t.Errorf("%d latencies of %d answers", r.Latency.TotalCount(), r.Answered)
	}
}

// While the server stalls, arrivals go on: their latency counts from when they were due.
func TestAStallCountsForAllWhoWereDue(t *testing.T) {
	const stall = 300 * time.Millisecond
	var once sync.Once
	var gate sync.RWMutex
	addr := serve(t, func(*fasthttp.RequestCtx) {
		once.Do(func() {
			gate.Lock()
			time.AfterFunc(stall, gate.Unlock)
		})
		gate.RLock()
		defer gate.RUnlock()
	})
	r, err := Run(t.Context(), Options{Addr: addr, Connections: 2, Duration: time.Second, Rate: constant(1000), Request: request})
	if err != nil {
		t.Fatal(err)
	}
	// About 300 arrivals were due during the stall and waited half of it on average.
	late := int64(0)
	for _, bar := range r.Latency.Distribution() {
		if bar.From > 50_000 {
			late += bar.Count
		}
	}
	if late < 150 {
		t.Errorf("%d latencies above 50 ms; two connections alone would show 2", late)
	}
}

func TestFailuresAreCounted(t *testing.T) {
	addr := serve(t, func(ctx *fasthttp.RequestCtx) {
		if bytes.HasSuffix(ctx.Path(), []byte("7")) {
			ctx.HijackSetNoResponse(true)
			ctx.Hijack(func(net.Conn) {}) // closes without an answer
			return
		}
		ctx.SetBodyString("ok")
	})
	answers, failures := uint64(0), uint64(0)
	r, err := Run(t.Context(), Options{
		Addr: addr, Connections: 4, Duration: 500 * time.Millisecond, Rate: constant(400), Request: request,
		OnAnswer: func(Answer) { answers++ },
		OnFail: func(f Failure) {
			if f.N%10 != 7 || !f.Sent || f.Why == "" {
				t.Errorf("%+v", f)
			}
			failures++
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed < 10 || r.Failed != failures || r.Unreached != 0 || r.Answered+r.Failed+r.Unsent != r.Scheduled || answers != r.Answered {
		t.Errorf("%+v, %d callbacks; want about one failure in ten", r, answers)
	}
}

// once accepts connections, calls f with each and what came on it, and then listens no more where f says so.
func once(t *testing.T, f func(c net.Conn, request []byte) (again bool)) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer c.Close()
				b := make([]byte, 1024)
				n, err := c.Read(b)
				if err == nil && !f(c, b[:n]) {
					ln.Close()
				}
			})
		}
	})
	t.Cleanup(func() { ln.Close(); open.Wait() })
	return ln.Addr().(*net.TCPAddr).AddrPort()
}

// A request that found nobody was not served; one that had been written may have been.
func TestWhoWasNotReached(t *testing.T) {
	addr := once(t, func(net.Conn, []byte) bool { return false })
	sent, made := uint64(0), map[uint64]bool{}
	r, err := Run(t.Context(), Options{
		Addr: addr, Connections: 1, Duration: 300 * time.Millisecond, Rate: constant(100),
		Request: func(dst []byte, n uint64) []byte { made[n] = true; return request(dst, n) },
		OnFail: func(f Failure) {
			if !made[f.N] {
				t.Errorf("request %d failed before it was made", f.N)
			}
			if f.Sent {
				sent++
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed < 25 || r.Answered != 0 || sent == 0 || sent > 3 || r.Unreached != r.Failed-sent || r.Answered+r.Failed+r.Unsent != r.Scheduled {
		t.Errorf("%+v, %d were sent; want one or two, and nobody listens any more", r, sent)
	}
}

// An answer whose head has come is an answer, also if its body never ends.
func TestACutBodyIsAnAnswer(t *testing.T) {
	addr := once(t, func(c net.Conn, _ []byte) bool {
		_, _ = c.Write([]byte("HTTP/1.1 302 Found\r\nContent-Length: 10\r\n\r\nabc"))
		return true
	})
	r, err := Run(t.Context(), Options{Addr: addr, Connections: 2, Duration: time.Second, Requests: 20, Request: request})
	if err != nil || r.Answered != 20 || r.Failed != 0 || r.Scheduled != 20 {
		t.Errorf("%+v, %v; want 20 answers", r, err)
	}
}

func TestClosedLoopAndCancel(t *testing.T) {
	addr := serve(t, func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("ok") })
	ctx, cancel := context.WithCancel(t.Context())
	r, err := Run(ctx, Options{
		Addr: addr, Connections: 4, Duration: time.Minute, Request: request,
		OnAnswer: func(a Answer) {
			if a.N == 1000 {
				cancel()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Answered < 1000 || r.Answered != r.Scheduled || r.Elapsed >= time.Minute {
		t.Errorf("%+v", r)
	}
}

func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().(*net.TCPAddr).AddrPort()
	ln.Close()
	if _, err := Run(t.Context(), Options{Addr: addr, Connections: 1, Duration: time.Second, Request: request}); err == nil {
		t.Error("no error")
	}
}

// A loop that sleeps keeps its schedule.
func TestSleepKeepsTheSchedule(t *testing.T) {
	addr := serve(t, func(ctx *fasthttp.RequestCtx) { ctx.SetStatusCode(302) })
	r, err := Run(t.Context(), Options{Addr: addr, Connections: 8, Duration: time.Second, Rate: constant(3000), Request: request, Sleep: true})
	if err != nil || r.Scheduled < 2999 || r.Scheduled > 3000 || r.Answered != r.Scheduled {
		t.Errorf("%+v, %v; want 3000 answers", r, err)
	}
}

// Several generators share one schedule; their sums are those of one.
func TestGeneratorsAddUp(t *testing.T) {
	var served atomic.Uint64
	addr := serve(t, func(ctx *fasthttp.RequestCtx) {
		served.Add(1)
		ctx.SetStatusCode(302)
	})
	var seconds int
	r, err := RunAll(t.Context(), 3, func(i int) Options {
		return Options{
			Addr: addr, Connections: 2, Duration: 1500 * time.Millisecond, Rate: constant(400), Requests: 500, Request: request,
			OnSecond: func(Result) { seconds++ },
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Scheduled != 1500 || r.Answered != 1500 || served.Load() != 1500 || r.Status[302] != 1500 || r.Latency.TotalCount() != 1500 {
		t.Errorf("%+v; served %d; want 3 times 500", r, served.Load())
	}
	var answered uint64
	for _, s := range r.Seconds {
		answered += s.Answered
		if s.Answered > 0 && (s.P50 > s.P99 || s.P99 > s.Max || s.Max == 0) {
			t.Errorf("%+v", s)
		}
	}
	if answered != 1500 || len(r.Seconds) != 2 || seconds != 2 {
		t.Errorf("%d answers in %d seconds, told of %d", answered, len(r.Seconds), seconds)
	}
	if _, err := RunAll(t.Context(), 0, nil); err == nil {
		t.Error("no error without generators")
	}
}

// A server says how long the body of a HEAD would be, and sends none.
func TestHeadHasNoBody(t *testing.T) {
	addr := serve(t, func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("moved") })
	r, err := Run(t.Context(), Options{
		Addr: addr, Connections: 1, Duration: time.Second, Requests: 50,
		Request: func(dst []byte, n uint64) []byte {
			if n%2 == 0 {
				return append(dst, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"...)
			}
			return request(dst, n)
		},
	})
	if err != nil || r.Answered != 50 || r.Failed != 0 || r.Scheduled != 50 {
		t.Errorf("%+v, %v; want 50 answers", r, err)
	}
}

// A connection that the server closes after an answer gets no further request.
func TestALastAnswerEndsItsConnection(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns, late atomic.Uint64
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			open.Go(func() {
				defer c.Close()
				b := make([]byte, 1024)
				if _, err := c.Read(b); err != nil {
					return
				}
				_, _ = c.Write([]byte("HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\nConnection: Close\r\n\r\nslow"))
				if n, _ := c.Read(b); n > 0 { // until the client closes
					late.Add(1)
				}
			})
		}
	})
	r, err := Run(t.Context(), Options{
		Addr: ln.Addr().(*net.TCPAddr).AddrPort(), Connections: 2, Duration: time.Second, Requests: 100, Request: request,
	})
	ln.Close()
	open.Wait()
	if err != nil || r.Answered != 100 || r.Failed != 0 || late.Load() != 0 || conns.Load() < 100 {
		t.Errorf("%+v, %v; %d connections, %d requests after a last answer", r, err, conns.Load(), late.Load())
	}
}

func FuzzReadHead(f *testing.F) {
	f.Add([]byte("HTTP/1.1 302 Found\r\nContent-Length: 5\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200"))
	f.Fuzz(func(t *testing.T, head []byte) {
		if _, length, _ := readHead(head); length < 0 {
			t.Fatalf("negative length for %q", head)
		}
	})
}

func BenchmarkClosedLoop(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go func() { _ = fasthttp.Serve(ln, func(ctx *fasthttp.RequestCtx) { ctx.SetStatusCode(302) }) }()
	r, err := Run(b.Context(), Options{Addr: ln.Addr().(*net.TCPAddr).AddrPort(), Connections: 64, Duration: 2 * time.Second, Request: request})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(r.Answered)/r.Elapsed.Seconds(), "req/s")
}
