package chaos

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/edgeref/edgeref/test/system"
)

// asService starts a command as a service manager that holds its socket does: LISTEN_PID has to be the process's own.
var asService = []string{"sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"`, "sh"}

// networkOf runs edge nodes in network namespaces with one core. It cuts a node off from what is behind the edge for a while, and then restarts every process under load.
func (s *world) networkOf(nodes int) {
	cut, rolling := fmt.Sprintf("%d edge nodes, one cut off", nodes), fmt.Sprintf("%d edge nodes and the core restarted one after the other", nodes)
	n, err := system.NewNetwork(s.t, nodes)
	if err != nil {
		s.leaveOut(cut, err)
		s.leaveOut(rolling, err)
		return
	}
	defer n.Close()
	usualTracker, usualCore := s.tracker, s.core
	usualCore.Terminate()
	defer func() {
		if s.t.Failed() {
			return
		}
		for _, p := range append([]*process{s.tracker}, s.more...) {
			p.Terminate()
		}
		s.core.Terminate()
		s.tracker, s.more, s.core = usualTracker, nil, usualCore
		s.core.Start()
		s.core.Ready()
	}()
	s.core = &process{
		T: s.t, Binary: binary, Role: "core", Args: usualCore.Args, Host: n.Hub,
		Env: append(slices.Clone(usualCore.Env), "EDGEREF_CORE_PUBLIC_URL=https://core.example.com"), // http is for loopback alone
	}
	s.core.Start()
	s.t.Cleanup(s.core.Kill)
	s.core.Ready()
	store := newTCPProxyOn(s.t, n.Hub+":0", s.clicks.Addr())
	var trackers []*process
	for i, node := range n.Nodes {
		socket, err := node.Listen()
		s.must(err)
		defer socket.Close()
		p := s.trackerBehind(store.addr(), s.core.Core, 10*nodes+i, s.t.TempDir())
		p.Host, p.Prefix, p.Files = node.Address, slices.Concat(node.Prefix(), asService), []*os.File{socket}
		p.Start()
		s.t.Cleanup(p.Kill)
		trackers = append(trackers, p)
	}
	s.tracker, s.more = trackers[0], trackers[1:]
	for _, p := range trackers {
		p.Ready()
	}
	s.cutOff(cut, n.Nodes[nodes-1], trackers[nodes-1], trackers[0])
	s.restartAll(rolling, trackers)
}

// cutOff leaves a node alone for longer than negative answers are kept and requests to the core may take. Links change
// meanwhile; afterwards the node knows it.
func (s *world) cutOff(fault string, node *system.Node, alone, other *process) {
	r := s.scenario(fault, func(tr *traffic) {
		pass(300 * time.Millisecond)
		s.must(node.Cut())
		began := time.Now()
		slug := tr.slug + "-new"
		s.call(http.MethodPost, "/links", map[string]any{
			"affiliate_id": tr.affiliate, "program_id": s.program, "slug": slug, "destination": "https://shop.example.com/new",
		}, nil)
		waitFor(s.t, 10*time.Second, func() bool { return tr.follow(other.Tracker, slug) },
			func() string { return "a new link does not redirect beside the cut\n" + other.Output.String() })
		if tr.follow(alone.Tracker, slug) {
			s.t.Errorf("%s: the node that is cut off knows a new link: the test shows nothing", fault)
		}
		waitFor(s.t, 30*time.Second, func() bool { n, _ := alone.Metric("edgeref_tracker_links_feed_lag_seconds", ""); return n > 0 },
			func() string { return "the node does not notice that it is cut off\n" + alone.Output.String() })
		pass(s.cut - time.Since(began))
		if n, _ := alone.Metric("edgeref_spool_pending_records", ""); n < 100 {
			s.t.Errorf("%s: only %v records wait: the test shows nothing", fault, n)
		}
		s.must(node.Mend())
		waitFor(s.t, time.Minute, func() bool { return tr.follow(alone.Tracker, slug) },
			func() string { return "the node does not learn of a link made meanwhile\n" + alone.Output.String() })
	})
	if r.Unanswered > 0 || r.WithoutID > 0 {
		s.t.Errorf("%s: visitors noticed: %+v", fault, r)
	}
}

// restartAll restarts every process under load. No visitor and no merchant notices.
func (s *world) restartAll(fault string, trackers []*process) {
	tr := s.newTraffic()
	tr.begin(s.t)
	for _, p := range append(slices.Clone(trackers), s.core) {
		pass(400 * time.Millisecond)
		p.Terminate()
		p.Start()
		p.Ready()
	}
	pass(400 * time.Millisecond)
	tr.end()
	if r := s.settle(fault, tr, nil); r.Unanswered > 0 || r.WithoutID > 0 || len(tr.other) > 0 {
		s.t.Errorf("%s: requests failed: %+v %v %v", fault, r, tr.other, tr.reasons)
	}
}
