package main

import (
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

// What may wait while requests are answered has this nice value, and may keep a processor for this long once a request
// wants it (Linux 6.12 and later; older ones have a fixed time of some milliseconds).
const (
	backgroundNice  = 10
	backgroundSlice = 100 * time.Microsecond
)

// leastProcs is how many threads run Go code at least, also on one processor: the operating system then takes it from a
// batch that is being stored to answer a request, while Go's scheduler alone would let the batch go on for 10 ms and
// more. GOMAXPROCS in the environment overrides it.
const leastProcs = 2

func shareProcessor() {
	if os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) < leastProcs {
		runtime.GOMAXPROCS(leastProcs)
	}
}

// trackerGC is how much an edge node's heap may grow before garbage is collected, in percent of what lives. Redirects
// allocate nothing, so that collecting four times as often costs them nothing either. GOGC in the environment
// overrides it.
const trackerGC = 25

func saveMemory(log *slog.Logger) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(trackerGC)
	}
	forgetStart(log)
}

// forgetStart gives back what only the start needed: memory, and pages of the binary.
func forgetStart(log *slog.Logger) {
	debug.FreeOSMemory()
	if err := unmapBinary(); err != nil {
		log.Warn("cannot give back what the start took, so the process stays larger than it needs to be", "error", err)
	}
}

// giveWay makes the calling goroutine run on a thread of its own that gives way to those that answer requests. The
// thread ends with the goroutine.
func giveWay(log *slog.Logger) {
	runtime.LockOSThread()
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL, Nice: backgroundNice, Runtime: uint64(backgroundSlice)}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		log.Warn("cannot lower the priority of delivery, which may hold up requests", "error", err)
	}
}
