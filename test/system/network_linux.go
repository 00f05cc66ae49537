package system

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// How many networks a machine has room for, and how many nodes each.
const (
	places   = 8
	maxNodes = 8
)

// Network is edge nodes in network namespaces of their own. Each has two cables: one to its visitors and one to a switch,
// at which everything behind the edge listens on Hub. Addresses are of 198.18.0.0/15, which is kept for measuring
// networks and routed nowhere; nothing leaves the machine.
type Network struct {
	Hub   string // address of the host on the side behind the edge
	Nodes []*Node

	place int      // which of several that a machine has room for
	lock  *os.File // held while the place is taken
}

// Node is one edge node.
type Node struct {
	Address   string // where its visitors reach it
	namespace string
	visitors  string // the host's end of the cable to the visitors
	cable     string // and of that to the switch
	bridge    string
}

// NewNetwork makes a network, which lasts until Close, or the end of the test. An error says that it cannot be had here.
func NewNetwork(t testing.TB, nodes int) (*Network, error) {
	t.Helper()
	n := &Network{}
	if err := n.take(); err != nil {
		return nil, err
	}
	t.Cleanup(n.Close)
	for i := range maxNodes {
		n.Nodes = append(n.Nodes, &Node{
			Address: fmt.Sprintf("198.19.%d.2", n.place*maxNodes+i), bridge: n.bridge(), namespace: fmt.Sprintf("edgeref%dn%d", n.place, i),
			visitors: fmt.Sprintf("edgeref%dv%d", n.place, i), cable: fmt.Sprintf("edgeref%dc%d", n.place, i),
		})
	}
	n.takeApart() // what a run that was killed has left
	n.Nodes = n.Nodes[:nodes]
	n.Hub = fmt.Sprintf("198.18.%d.1", n.place)
	if err := steps(
		"ip link add "+n.bridge()+" type bridge",
		"ip addr add "+n.Hub+"/24 dev "+n.bridge(),
		"ip link set "+n.bridge()+" up",
	); err != nil {
		return nil, err
	}
	for i, node := range n.Nodes {
		if err := steps(
			"ip netns add "+node.namespace,
			"ip -n "+node.namespace+" link set lo up",
			"ip link add "+node.visitors+" type veth peer name front netns "+node.namespace,
			"ip addr add "+strings.TrimSuffix(node.Address, "2")+"1/30 dev "+node.visitors,
			"ip link set "+node.visitors+" up",
			"ip -n "+node.namespace+" addr add "+node.Address+"/30 dev front",
			"ip -n "+node.namespace+" link set front up",
			"ip link add "+node.cable+" type veth peer name back netns "+node.namespace,
			"ip link set "+node.cable+" master "+node.bridge+" up",
			fmt.Sprintf("ip -n %s addr add 198.18.%d.%d/24 dev back", node.namespace, n.place, 10+i),
			"ip -n "+node.namespace+" link set back up",
		); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *Network) bridge() string { return fmt.Sprintf("edgeref%db", n.place) }

// take finds a place that no other process has.
func (n *Network) take() error {
	for n.place = range places {
		lock, err := os.OpenFile(fmt.Sprintf("/tmp/edgeref-test-network-%d", n.place), os.O_CREATE|os.O_RDWR, 0o666)
		if err != nil {
			return err
		}
		if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			n.lock = lock
			return nil
		}
		lock.Close()
	}
	return fmt.Errorf("%d other networks are there", places)
}

// Close takes apart what was made; processes in the nodes must have ended.
func (n *Network) Close() {
	if n.lock != nil {
		n.takeApart()
		n.lock.Close()
		n.lock = nil
	}
}

func (n *Network) takeApart() {
	for _, node := range n.Nodes {
		for _, what := range []string{"link del " + node.visitors, "link del " + node.cable, "netns del " + node.namespace} {
			_ = steps("ip " + what)
		}
	}
	_ = steps("ip link del " + n.bridge())
}

func steps(commands ...string) error {
	for _, c := range commands {
		words := strings.Fields(c)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", c, err, out)
		}
	}
	return nil
}

// Prefix runs a command in the node.
func (n *Node) Prefix() []string { return []string{"ip", "netns", "exec", n.namespace} }

// Cut pulls the cable to what is behind the edge out of the switch: packets vanish, nobody is told.
func (n *Node) Cut() error { return steps("ip link set " + n.cable + " nomaster") }

// Mend plugs it in again.
func (n *Node) Mend() error { return steps("ip link set " + n.cable + " master " + n.bridge) }

// Listen opens a socket on a free port of the node's address for visitors.
func (n *Node) Listen() (socket *os.File, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		socket, err = n.listen()
	}()
	<-done
	if err != nil {
		return nil, fmt.Errorf("listen in namespace %s: %w", n.namespace, err)
	}
	return socket, nil
}

// listen has a goroutine of its own: its thread ends with it if it does not get back to where it was.
func (n *Node) listen() (*os.File, error) {
	runtime.LockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer here.Close()
	there, err := os.Open(filepath.Join("/var/run/netns", n.namespace))
	if err != nil {
		return nil, err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", n.Address+":0")
	if back := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); back == nil {
		runtime.UnlockOSThread()
	}
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	return ln.(*net.TCPListener).File()
}
