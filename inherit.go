package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

// firstInheritedFD is where systemd puts the first socket that it passes (sd_listen_fds(3)).
const firstInheritedFD = 3

// listenTracker returns the tracker's public listener: the socket that the service manager holds, if it passed one, else
// one of our own. A socket that somebody else holds outlives this process: while it restarts, connections queue in the
// kernel, and no visitor is refused.
func (p *program) listenTracker(addr string) (net.Listener, error) {
	inherited, err := p.inheritedSockets()
	if err != nil {
		return nil, err
	}
	if inherited == 0 {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("listen for tracker.listen: %w", err)
		}
		return ln, nil
	}
	f := os.NewFile(firstInheritedFD, "LISTEN_FD_3")
	defer f.Close() // FileListener has a duplicate
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("take over the socket passed by the service manager: %w", err)
	}
	if _, ok := ln.(*net.TCPListener); !ok {
		ln.Close()
		return nil, fmt.Errorf("the socket passed by the service manager is %s, want a TCP listener (ListenStream=host:port)", ln.Addr().Network())
	}
	return ln, nil
}

// inheritedSockets returns 1 if a socket was passed to this very process, else 0.
func (p *program) inheritedSockets() (int, error) {
	if p.environment("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return 0, nil
	}
	n, err := strconv.Atoi(p.environment("LISTEN_FDS"))
	if err != nil || n != 1 {
		return 0, fmt.Errorf("the service manager passes LISTEN_FDS=%q: one socket is wanted, that of the tracker", p.environment("LISTEN_FDS"))
	}
	return n, nil
}
