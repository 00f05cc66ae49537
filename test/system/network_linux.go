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

// Network is edge nodes in network namespaces of their own. Each has two cables: one to its visitors and one to a switch,
// at which everything behind the edge listens on Hub. Addresses are of 198.18.0.0/15, which is kept for measuring
// networks and routed nowhere; nothing leaves the machine.
type Network struct {
	Hub   string // address of the host on the side behind the edge
	Nodes []*Node

	name string // beginning of all names, made of the process's id
}

// Node is one edge node.
type Node struct {
	Address   string // where its visitors reach it
	namespace string
	visitors  string // the host's end of the cable to the visitors
	cable     string // and of that to the switch
	bridge    string
}

// NewNetwork makes a network, which lasts until Close, or the end of the test. One at a time can be there. An error says
// that it cannot be had here.
func NewNetwork(t testing.TB, nodes int) (*Network, error) {
	t.Helper()
	n := &Network{Hub: "198.18.0.1", name: fmt.Sprintf("er%d", os.Getpid()%1_000_000)}
	t.Cleanup(n.Close)
	bridge := n.name + "b"
	if err := steps(
		"ip link add "+bridge+" type bridge",
		"ip addr add "+n.Hub+"/24 dev "+bridge,
		"ip link set "+bridge+" up",
	); err != nil {
		return nil, err
	}
	for i := range nodes {
		node := &Node{
			Address: fmt.Sprintf("198.19.%d.2", i), namespace: fmt.Sprintf("%sn%d", n.name, i), bridge: bridge,
			visitors: fmt.Sprintf("%sv%d", n.name, i), cable: fmt.Sprintf("%sc%d", n.name, i),
		}
		n.Nodes = append(n.Nodes, node)
		if err := steps(
			"ip netns add "+node.namespace,
			"ip -n "+node.namespace+" link set lo up",
			"ip link add "+node.visitors+" type veth peer name front netns "+node.namespace,
			fmt.Sprintf("ip addr add 198.19.%d.1/30 dev %s", i, node.visitors),
			"ip link set "+node.visitors+" up",
			"ip -n "+node.namespace+" addr add "+node.Address+"/30 dev front",
			"ip -n "+node.namespace+" link set front up",
			"ip link add "+node.cable+" type veth peer name back netns "+node.namespace,
			"ip link set "+node.cable+" master "+bridge+" up",
			fmt.Sprintf("ip -n %s addr add 198.18.0.%d/24 dev back", node.namespace, 10+i),
			"ip -n "+node.namespace+" link set back up",
		); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// Close takes apart what was made; processes in the nodes must have ended.
func (n *Network) Close() {
	for _, node := range n.Nodes {
		_ = steps("ip link del "+node.visitors, "ip link del "+node.cable, "ip netns del "+node.namespace)
	}
	n.Nodes = nil
	_ = steps("ip link del " + n.name + "b")
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
