package chaos

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// mode is what a proxy does.
type mode int32

const (
	healthy   mode = iota
	refuse         // closes every connection
	hang           // takes everything and answers nothing
	garbage        // answers with bytes that mean nothing
	cutAnswer      // lets large requests through and closes instead of answering
	slow           // answers after a while
	status500
	status409
	cutFeed // closes the connections of the change feed
)

// tcpProxy stands between clients and a server.
type tcpProxy struct {
	ln     net.Listener
	target string
	mode   atomic.Int32
	cuts   atomic.Int64
	silent atomic.Int64 // connections up to this number are kept open and nothing of them is passed on
	opened atomic.Int64 // connections so far
	met    atomic.Int64 // times that a client met a fault

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func newTCPProxy(t *testing.T, target string) *tcpProxy {
	t.Helper()
	return newTCPProxyOn(t, "127.0.0.1:0", target)
}

func newTCPProxyOn(t *testing.T, listen, target string) *tcpProxy {
	t.Helper()
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	p := &tcpProxy{ln: ln, target: target, conns: map[net.Conn]bool{}}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	t.Cleanup(func() { ln.Close(); p.drop() })
	return p
}

func (p *tcpProxy) addr() string { return p.ln.Addr().String() }

// set changes the mode, also of connections that are open.
func (p *tcpProxy) set(m mode) {
	p.mode.Store(int32(m))
	if m == healthy || m == refuse {
		p.drop()
	}
}

// silence makes the connections that are open now go silent, without a word to either side. New ones work.
func (p *tcpProxy) silence() { p.silent.Store(p.opened.Load()) }

func (p *tcpProxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *tcpProxy) hold(c net.Conn) func() {
	p.mu.Lock()
	p.conns[c] = true
	p.mu.Unlock()
	return func() {
		c.Close()
		p.mu.Lock()
		delete(p.conns, c)
		p.mu.Unlock()
	}
}

func (p *tcpProxy) is(m mode) bool { return mode(p.mode.Load()) == m }

func (p *tcpProxy) serve(c net.Conn) {
	defer p.hold(c)()
	number := p.opened.Add(1)
	if p.is(refuse) {
		p.met.Add(1)
		return
	}
	s, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer p.hold(s)()
	var sent atomic.Int64 // bytes since the last answer
	go func() {
		defer c.Close()
		defer s.Close()
		copyBytes(s, c, func(b []byte) []byte {
			if number <= p.silent.Load() {
				p.met.Add(1)
				return []byte{}
			}
			sent.Add(int64(len(b)))
			return b
		})
	}()
	copyBytes(c, s, func(b []byte) []byte {
		switch large := sent.Swap(0) > 2<<10; {
		case p.is(hang):
			p.met.Add(1)
			return []byte{}
		case number <= p.silent.Load():
			return []byte{}
		case p.is(garbage):
			return []byte("\x09\x09nonsense nonsense nonsense")
		case p.is(cutAnswer) && large:
			p.cuts.Add(1)
			return nil
		}
		return b
	})
}

// copyBytes copies until either side ends, or change returns nil.
func copyBytes(to io.Writer, from io.Reader, change func([]byte) []byte) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			b := change(buf[:n])
			if b == nil {
				return
			}
			if _, err := to.Write(b); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// httpProxy stands between trackers and the core.
type httpProxy struct {
	server *httptest.Server
	mode   atomic.Int32
	hits   atomic.Int64 // requests that met a fault
}

func newHTTPProxy(t *testing.T, target string) *httpProxy {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &httpProxy{}
	forward := &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch m := mode(p.mode.Load()); {
		case m == status500 || m == status409:
			p.hits.Add(1)
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(map[mode]int{status500: 500, status409: 409}[m])
			io.WriteString(w, `{"code":"chaos","detail":"the proxy says no"}`)
			return
		case m == refuse || m == cutFeed && strings.HasSuffix(r.URL.Path, "/changes"):
			p.hits.Add(1)
			panic(http.ErrAbortHandler)
		case m == hang:
			p.hits.Add(1)
			io.Copy(io.Discard, r.Body) // only then does the server notice that the client has gone
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		case m == slow:
			p.hits.Add(1)
			select {
			case <-time.After(400 * time.Millisecond):
			case <-r.Context().Done():
			}
		}
		forward.ServeHTTP(w, r)
	}))
	p.server.Config.ErrorLog = nil
	t.Cleanup(func() { p.set(healthy); p.server.CloseClientConnections(); p.server.Close() })
	return p
}

func (p *httpProxy) set(m mode) {
	p.mode.Store(int32(m))
	p.server.CloseClientConnections()
}
