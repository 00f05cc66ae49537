package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/edgeref/edgeref/test/system"
)

const (
	mixedRate, mixedPostbacks, mixedReports = 300, 20, 5 // a second

	faultTakes   = 4 * time.Second // from one to the next, with what it takes to catch up
	loadAfter    = 3 * time.Second // the last fault
	settleWithin = 5 * time.Minute // from the end of the load to the end of the load test
)

// mixedFault is something that happens while a load test runs. during also mends what it broke.
type mixedFault struct {
	name   string
	during func()
}

// mixed is a system that is broken under `edgeref bench mixed`, which runs as users run it. Unlike the traffic of the
// other scenarios, the load is open: requests are sent when they are due, whatever the system does. It makes the
// comparison too; here is only looked up in which second what happened.
type mixed struct {
	t             *testing.T
	on            string // what the system stands on
	tracker, core *process
	socket        *os.File // of the tracker's address, where it outlives the process
}

// mixedResult is what is read of the load test's JSON.
type mixedResult struct {
	Held         bool `json:"held"`
	Interrupted  bool `json:"interrupted"`
	Conservation []struct {
		Name      string
		Want, Got int64
		Held      bool
	} `json:"conservation"`
	Faults struct {
		Unanswered, Open int
		Causes           map[string]int
		Outages          []struct{ Seconds, Silent int }
		Seconds          []mixedSecond
	} `json:"faults"`
}

type mixedSecond struct {
	Unix          int64          `json:"unix"`
	Unanswered    map[string]int `json:"unanswered"`
	Clicks        int            `json:"clicks"`
	ClicksStored  int            `json:"clicks_stored"`
	ClicksLost    int            `json:"clicks_lost"`
	ClicksDoubled int            `json:"clicks_doubled"`

	Conversions        int `json:"conversions"`
	ConversionsBooked  int `json:"conversions_booked"`
	ConversionsLost    int `json:"conversions_lost"`
	ConversionsDoubled int `json:"conversions_doubled"`
}

// run starts load tests until all faults have happened under one, in rows of the table. On a usual machine it is one.
func (m *mixed) run(faults []mixedFault) (rows []row) {
	m.t.Helper()
	for len(faults) > 0 {
		more, done := m.load(faults)
		rows = append(rows, more...)
		faults = faults[done:]
	}
	return rows
}

// load runs one load test and as many of the faults as its time is enough for.
func (m *mixed) load(faults []mixedFault) (rows []row, done int) {
	m.t.Helper()
	duration := time.Duration(len(faults))*faultTakes + loadAfter
	file := filepath.Join(m.t.TempDir(), "result.json")
	cmd, output, exited := m.start(duration, file)
	began := time.Now()
	ends := began.Add(duration)
	rows = []row{{Fault: m.row("before the first fault"), Rounds: 1}}
	from := []int64{0} // second that a row begins with
	for _, f := range faults {
		if done > 0 && time.Until(ends) < faultTakes {
			break
		}
		if due := began.Add(time.Duration(done)*faultTakes + time.Second); time.Now().Before(due) {
			pass(time.Until(due))
		}
		pass(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // so that no second is of two faults
		rows, from = append(rows, row{Fault: m.row(f.name), Rounds: 1}), append(from, time.Now().Unix())
		f.during()
		done++
	}
	select {
	case <-exited:
	case <-time.After(time.Until(ends) + settleWithin):
		m.t.Fatalf("the load test does not end\n%s", output)
	}
	m.t.Logf("%d faults under a load of %v, in %v\n%s", done, duration, time.Since(began).Round(time.Second), output)
	if !cmd.ProcessState.Success() {
		m.t.Fatalf("the load test failed: %v\n%s", cmd.ProcessState, m.logs())
	}
	m.read(file, rows, from)
	return rows, done
}

func (m *mixed) row(fault string) string { return "bench mixed, " + m.on + ": " + fault }

func (m *mixed) logs() string {
	return "core:\n" + m.core.Output.String() + "\ntracker:\n" + m.tracker.Output.String()
}

// start starts the load test and waits until its load has begun.
func (m *mixed) start(duration time.Duration, file string) (*exec.Cmd, *system.Tail, <-chan struct{}) {
	m.t.Helper()
	path, err := binary()
	if err != nil {
		m.t.Fatal(err)
	}
	ops := m.tracker.Ops
	if m.core != m.tracker {
		ops += "," + m.core.Ops
	}
	received := func() float64 {
		n, _ := m.tracker.Metric("edgeref_tracker_clicks_received_total", "")
		return n
	}
	before := received()
	cmd := exec.Command(path, "bench", "mixed", "--tracker", m.tracker.Tracker, "--core", m.core.Core, "--ops", ops,
		"--rate", fmt.Sprint(mixedRate), "--postbacks", fmt.Sprint(mixedPostbacks), "--reports", fmt.Sprint(mixedReports), "--duration", duration.String(),
		"--links", "40", "--connections", "32", "--sleep", "--settle", "90s", "--each-click", "--through-faults", "--json", file)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "EDGEREF_ADMIN_TOKEN=" + adminToken}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, exited := &system.Tail{}, make(chan struct{})
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = cmd.Process.Kill(); <-exited })
	go func() {
		defer close(exited)
		_ = cmd.Wait() // ProcessState tells
	}()
	waitFor(m.t, time.Minute, func() bool {
		select {
		case <-exited:
			m.t.Fatalf("the load test ended before its load began\n%s", output)
		default:
		}
		return received() > before
	}, func() string { return "no load comes\n" + output.String() })
	return cmd, output, exited
}

// read fills the rows, each with the seconds that it has up to the next, and checks that the load test has compared what
// it is to compare.
func (m *mixed) read(file string, rows []row, from []int64) {
	m.t.Helper()
	var r mixedResult
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		m.t.Fatal(err)
	}
	compared := map[string]int64{}
	for _, c := range r.Conservation {
		compared[c.Name] = c.Want
		if !c.Held {
			m.t.Errorf("%s: %s: %d, want %d", m.on, c.Name, c.Got, c.Want)
		}
	}
	for _, name := range []string{"Click IDs without a click in the list", "conversions acknowledged that are not booked in the list", "ledger verification"} {
		if _, ok := compared[name]; !ok {
			m.t.Errorf("%s: not compared: %s", m.on, name)
		}
	}
	if !r.Held || r.Interrupted || r.Faults.Open > 0 || len(r.Faults.Outages) == 0 {
		m.t.Errorf("%s: held %v, interrupted %v, %d postbacks without an acknowledgement, outages %v", m.on, r.Held, r.Interrupted, r.Faults.Open, r.Faults.Outages)
	}
	i, sum := 0, row{}
	for _, second := range r.Faults.Seconds {
		for i+1 < len(from) && second.Unix >= from[i+1] {
			i++
		}
		one := second.row()
		rows[i].add(&one)
		rows[i].Seconds++
		sum.add(&one)
	}
	if want := compared["302 with Click ID = clicks in the reports"]; int64(sum.Clicks) != want {
		m.t.Errorf("%s: the seconds have %d clicks, the whole %d", m.on, sum.Clicks, want)
	}
	for i := range rows {
		if r := &rows[i]; r.LostClicks+r.DoubledClicks+r.LostSales+r.DoubledSales != 0 || r.Clicks == 0 {
			m.t.Errorf("%s: %+v; want clicks, none of them lost or doubled", r.Fault, *r)
		}
	}
}

func (s *mixedSecond) row() row {
	r := row{
		Clicks: s.Clicks, Stored: s.ClicksStored, LostClicks: s.ClicksLost, DoubledClicks: s.ClicksDoubled,
		Sales: s.Conversions, Booked: s.ConversionsBooked, LostSales: s.ConversionsLost, DoubledSales: s.ConversionsDoubled,
	}
	for _, n := range s.Unanswered {
		r.Unanswered += n
	}
	return r
}

// hold restarts the tracker with its address held for it, as a service manager does, from now on.
func (m *mixed) hold() {
	m.t.Helper()
	m.tracker.Terminate()
	socket, err := listen(system.Address(m.tracker.Tracker))
	if err != nil {
		m.t.Fatal(err)
	}
	m.socket, m.tracker.Prefix, m.tracker.Files = socket, asService, []*os.File{socket}
	m.tracker.Start()
	m.tracker.Ready()
}

// release lets go of the address while the tracker is not there.
func (m *mixed) release() {
	if m.socket != nil {
		m.socket.Close()
		m.socket, m.tracker.Prefix, m.tracker.Files = nil, nil, nil
	}
}

// killTracker ends it as kill -9 does, while its address is its own.
func (m *mixed) killTracker(random *rand.Rand) {
	m.t.Helper()
	pass(moment(random))
	m.tracker.Kill()
	m.release()
	pass(moment(random) / 2)
	m.tracker.Start()
	m.tracker.Ready()
}

// rolling restarts the tracker whose address is held for it, and the core if it is another process.
func (m *mixed) rolling() {
	m.t.Helper()
	for _, p := range []*process{m.tracker, m.core, m.tracker} {
		pass(300 * time.Millisecond)
		p.Terminate()
		p.Start()
		p.Ready()
	}
}

// underLoad breaks everything that the system stands on, one after the other, while the load test runs.
func (s *world) underLoad(random *rand.Rand, rounds int) {
	m := &mixed{t: s.t, on: "MariaDB and ClickHouse", tracker: s.tracker, core: s.core}
	met := func(name string, count func() int64, during func()) mixedFault {
		return mixedFault{name, func() {
			before := count()
			during()
			if count() == before {
				s.t.Errorf("%s: nothing met the fault: the test shows nothing", name)
			}
		}}
	}
	broken := func(p interface{ set(mode) }, to mode) func() {
		return func() {
			pass(moment(random) / 2)
			p.set(to)
			pass(1500 * time.Millisecond)
			p.set(healthy)
		}
	}
	round := []mixedFault{
		{"kill -9 tracker", func() { m.killTracker(random) }},
		{"kill -9 core", func() { s.restarted(random, s.core.Kill, s.core.Start) }},
		{"kill -9 ClickHouse", func() { s.restarted(random, func() { s.clicks.Kill(s.t) }, func() { s.clicks.Restart(s.t) }) }},
		{"kill -9 MariaDB", func() {
			s.restarted(random, func() { s.must(s.books.Kill()) }, func() { s.must(s.books.Restart(s.t.Context())) })
		}},
		met("ClickHouse hangs", s.store.met.Load, broken(s.store, hang)),
		met("ClickHouse takes batches, the answers are cut", s.store.cuts.Load, broken(s.store, cutAnswer)),
		met("core cut off from the edge", s.center.hits.Load, broken(s.center, hang)),
		{"SIGTERM tracker", m.hold},
		{"rolling restart, listener handed over", m.rolling},
	}
	var faults []mixedFault
	for range rounds {
		faults = append(faults, round...)
	}
	for len(faults) > 0 { // a load test for each two rounds
		n := min(len(faults), 2*len(round))
		s.table = append(s.table, m.run(faults[:n])...)
		faults = faults[n:]
	}
	s.tracker.Terminate()
	m.release()
	s.tracker.Start()
	s.tracker.Ready()
	if out, err := run(s.t, s.core.Env, "core", "verify-ledger"); err != nil {
		s.t.Errorf("%s: %v\n%s", m.on, err, out)
	}
}

// restarted ends something at a random moment and starts it again.
func (s *world) restarted(random *rand.Rand, end, again func()) {
	s.t.Helper()
	pass(moment(random))
	end()
	pass(moment(random) / 2)
	again()
	s.core.Ready()
}

// underLoadOnSQLite does the same to everything in one process.
func (s *world) underLoadOnSQLite(random *rand.Rand, rounds int) {
	p := &process{
		T: s.t, Binary: binary, Role: "serve", Args: []string{"--data", s.t.TempDir()},
		Env: []string{"EDGEREF_ADMIN_TOKEN=" + adminToken, "EDGEREF_EDGE_TOKENS=" + edgeToken, "EDGEREF_CLICK_KEYS=" + clickKeys},
	}
	p.Start()
	defer p.Kill()
	p.Ready()
	m := &mixed{t: s.t, on: "SQLite", tracker: p, core: p}
	defer m.release()
	var faults []mixedFault
	for range rounds {
		faults = append(faults, mixedFault{"kill -9 of everything", func() { m.killTracker(random) }}, mixedFault{"SIGTERM", m.hold},
			mixedFault{"rolling restart, listener handed over", m.rolling})
	}
	s.table = append(s.table, m.run(faults)...)
}

// listen is a socket that outlives who serves on it.
func listen(addr string) (*os.File, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	return ln.(*net.TCPListener).File()
}
