package chaos

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if !testing.Short() {
		binary.Remove()
	}
	os.Exit(code)
}

func number(t *testing.T, name string, def int64) int64 {
	text := os.Getenv(name)
	if text == "" {
		return def
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestFaults breaks one system in one way after the other.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks real processes for minutes")
	}
	seed := number(t, "EDGEREF_CHAOS_SEED", time.Now().UnixNano())
	t.Logf("EDGEREF_CHAOS_SEED=%d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	rounds := int(number(t, "EDGEREF_CHAOS_ROUNDS", 1))
	s := newWorld(t)
	s.cut = time.Duration(number(t, "EDGEREF_CHAOS_CUT", 6)) * time.Second
	defer s.print(t, seed)
	only := os.Getenv("EDGEREF_CHAOS_ONLY")
	for _, step := range []struct {
		name string
		run  func()
	}{
		{"kills", func() { s.kills(random, rounds) }}, {"mixed", func() { s.underLoad(random, rounds) }},
		{"mixed-sqlite", func() { s.underLoadOnSQLite(random, rounds) }}, {"store", s.storeFaults}, {"core", s.coreFaults}, {"database", s.databaseFaults}, {"poison", s.poison},
		{"snapshots", s.snapshots}, {"power", s.powerLoss}, {"disk", s.fullDisk}, {"readonly", s.readOnlyDisk}, {"removed", s.removedSpool}, {"crowds", s.crowds},
		{"engine", s.engineFaults}, {"history", s.histories}, {"clock", s.clocks},
		{"handover", s.handover}, {"partition", s.partition}, {"network2", func() { s.networkOf(2) }}, {"network3", func() { s.networkOf(3) }},
	} {
		if chosen(step.name) || step.name == "kills" && (strings.Contains(only, "kill -9") || strings.Contains(only, "SIGTERM")) {
			step.run()
		}
	}
}

// chosen reports whether EDGEREF_CHAOS_ONLY, which separates names by commas, has the name or is not set.
func chosen(name string) bool {
	only := os.Getenv("EDGEREF_CHAOS_ONLY")
	return only == "" || strings.Contains(","+only+",", ","+name+",")
}

// moment is a random time of traffic before or during a fault.
func moment(random *rand.Rand) time.Duration {
	return 300*time.Millisecond + time.Duration(random.IntN(900))*time.Millisecond
}

// kills ends each process at random moments, and stops the tracker in order.
func (s *world) kills(random *rand.Rand, rounds int) {
	for _, k := range []struct {
		fault string
		end   func()
		again func()
	}{
		{"kill -9 tracker", func() { s.tracker.Kill() }, func() { s.tracker.Start() }},
		{"kill -9 core", func() { s.core.Kill() }, func() { s.core.Start() }},
		{"kill -9 ClickHouse", func() { s.clicks.Kill(s.t) }, func() { s.clicks.Restart(s.t) }},
		{"kill -9 MariaDB", func() { s.must(s.books.Kill()) }, func() { s.must(s.books.Restart(s.t.Context())) }},
		{"SIGTERM tracker", func() { s.tracker.Terminate() }, func() { s.tracker.Start() }},
		{"SIGTERM core", func() { s.core.Terminate() }, func() { s.core.Start() }},
	} {
		if !chosen("kills") && !chosen(k.fault) {
			continue
		}
		for range rounds {
			s.scenario(k.fault, func(tr *traffic) {
				pass(moment(random))
				k.end()
				pass(moment(random) / 2)
				k.again()
				s.tracker.Ready()
				s.core.Ready()
				pass(300 * time.Millisecond)
			})
		}
	}
}

func (s *world) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// scenario runs traffic around a fault and checks what is left.
func (s *world) scenario(fault string, during func(*traffic)) row {
	s.t.Helper()
	began := time.Now()
	tr := s.newTraffic()
	tr.begin(s.t)
	during(tr)
	tr.end()
	s.heal()
	r := s.settle(fault, tr, nil)
	s.table[len(s.table)-1].Seconds = time.Since(began).Seconds()
	s.t.Logf("%s: %+v in %v; other answers %v, failures %v", fault, r, time.Since(began).Round(time.Millisecond), tr.other, tr.reasons)
	return r
}

// storeFaults are what a ClickHouse can do to a tracker.
func (s *world) storeFaults() {
	for fault, m := range map[string]mode{
		"ClickHouse refuses connections": refuse, "ClickHouse hangs": hang, "ClickHouse answers nonsense": garbage,
		"ClickHouse takes batches, the answers are cut": cutAnswer,
	} {
		r := s.scenario(fault, func(*traffic) {
			pass(300 * time.Millisecond)
			s.store.set(m)
			pass(2500 * time.Millisecond)
		})
		if r.Unanswered > 0 || r.WithoutID > 0 {
			s.t.Errorf("%s: visitors noticed: %+v", fault, r)
		}
	}
	if s.store.cuts.Load() == 0 {
		s.t.Error("no answer was cut: the test shows nothing")
	}
}

// coreFaults are what a core can do to a tracker. Sales are acknowledged all the same.
func (s *world) coreFaults() {
	for fault, m := range map[string]mode{
		"core unreachable": refuse, "core hangs": hang, "core slow": slow, "core answers 500": status500, "core answers 409": status409,
		"change feed cut": cutFeed,
	} {
		r := s.scenario(fault, func(*traffic) {
			pass(300 * time.Millisecond)
			s.center.hits.Store(0)
			s.center.set(m)
			pass(1500 * time.Millisecond)
			// The feed may still pause because of the fault before.
			waitFor(s.t, 20*time.Second, func() bool { return s.center.hits.Load() > 0 }, func() string { return "no request meets the fault" })
		})
		if r.Unanswered > 0 || r.WithoutID > 0 {
			s.t.Errorf("%s: visitors noticed: %+v", fault, r)
		}
	}
}

// databaseFaults are what a MariaDB can do to a core. Sales are acknowledged all the same, and booked when it is back.
func (s *world) databaseFaults() {
	for fault, begin := range map[string]func(){
		"MariaDB hangs":                             func() { s.ledger.set(hang) },
		"MariaDB refuses connections":               func() { s.ledger.set(refuse) },
		"connections to MariaDB die without a word": s.ledger.silence,
	} {
		delivered := func() float64 {
			n, _ := s.tracker.Metric("edgeref_spool_delivered_records_total", `spool="conversions"`)
			return n
		}
		r := s.scenario(fault, func(*traffic) {
			pass(300 * time.Millisecond)
			before := s.ledger.met.Load()
			begin()
			pass(1500 * time.Millisecond)
			if s.ledger.met.Load() == before {
				s.t.Errorf("%s: nothing met the fault: the test shows nothing", fault)
			}
			if s.ledger.is(healthy) { // new connections work: nobody closes the old ones
				n := delivered()
				waitFor(s.t, 20*time.Second, func() bool { return delivered() > n+50 },
					func() string { return "nothing is booked any more\n" + s.core.Output.String() })
			}
		})
		if r.Unanswered > 0 || r.WithoutID > 0 {
			s.t.Errorf("%s: visitors noticed: %+v", fault, r)
		}
	}
}
