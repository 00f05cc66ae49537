//go:build linux && amd64

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
)

// server gives each client its own session, so that they run side by side and keep their own settings.
type server struct {
	engine  *engine
	path    string // argument that names the data directory
	version [3]int

	controlMu sync.Mutex
	control   *session // keeps the engine open and kills queries

	mu      sync.Mutex
	clients int // made so far
	conns   map[net.Conn]struct{}
	wg      sync.WaitGroup
}

// serve accepts clients until the listener is closed.
func (s *server) serve(l net.Listener) error {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		s.mu.Lock()
		s.clients++
		tag := fmt.Sprintf("client-%d", s.clients)
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		s.wg.Go(func() {
			defer func() {
				_ = c.Close()
				s.mu.Lock()
				delete(s.conns, c)
				s.mu.Unlock()
			}()
			if err := newClient(s, c, tag).run(); err != nil && !gone(err) {
				fmt.Fprintf(os.Stderr, "chserver: %s: %v\n", tag, err)
			}
		})
	}
}

// close ends all clients, then the engine.
func (s *server) close() {
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	s.control.close()
}

// kill asks the engine to end the query that runs under tag. It may not have been registered yet, so callers repeat it.
func (s *server) kill(tag string) {
	s.controlMu.Lock()
	defer s.controlMu.Unlock()
	_ = s.control.exec("KILL QUERY WHERE Settings['log_comment'] = {tag:String} ASYNC", []param{{"tag", tag}}, nil)
}
