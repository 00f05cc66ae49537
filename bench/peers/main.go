// Peers measures the redirect beside what else could answer one, in one run on one machine: nginx with its access log,
// a bare fasthttp handler that records nothing, and Apache with PHP and MariaDB. Servers have one core, the client
// another; rounds take turns, so that what else the machine does hits all alike, and only ratios are judged.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	binary      string
	rounds      int
	duration    time.Duration
	connections int
	links       int
	many        int
	out         string
	profile     string
	only        string
}

// errMissed says that the run went well and a target was not reached.
var errMissed = errors.New("a target was not reached")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, errMissed):
		os.Exit(1)
	case err != nil:
		fmt.Fprintf(os.Stderr, "peers: %v\n", err)
		os.Exit(2)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	// The program starts itself for the peer that is written in Go.
	if len(args) == 2 && args[0] == bareCommand {
		return serveBare(ctx, args[1])
	}
	var o options
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	f.StringVar(&o.binary, "edgeref", "bin/edgeref", "the binary under test")
	f.IntVar(&o.rounds, "rounds", 5, "rounds of each measurement; medians are reported")
	f.DurationVar(&o.duration, "duration", 2*time.Second, "of one round of one peer")
	f.IntVar(&o.connections, "connections", 64, "keep-alive connections of the client")
	f.IntVar(&o.links, "links", 10_000, "links in the system")
	f.IntVar(&o.many, "many", 1_000_000, "links in the measurement of memory; 0: leave memory out")
	f.StringVar(&o.out, "out", "bench/results/peers.json", "where the result goes as JSON")
	f.StringVar(&o.profile, "profile", "", "write a CPU profile of our server under full load there")
	f.StringVar(&o.only, "only", "", "comma-separated peers to measure (nginx, fasthttp, php); edgeref always is")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || o.rounds < 1 || o.duration < 100*time.Millisecond || o.connections < 1 || o.links < 1 || o.many < 0 {
		return errors.New("flags: rounds, connections and links must be positive, the duration at least 100ms, and there are no arguments")
	}
	if err := pinSelf(clientCore); err != nil {
		return err
	}
	result, err := measure(ctx, o, out)
	if err != nil {
		return err
	}
	result.print(out)
	if err := result.write(o.out); err != nil {
		return err
	}
	if !result.Held {
		return errMissed
	}
	return nil
}
