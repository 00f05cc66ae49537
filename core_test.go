package main

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// Nobody holds a connection by sending a body that never ends, not even where no handler reads it.
func TestCoreServerDropsUnfinishedBodies(t *testing.T) {
	server := coreServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if server.ReadTimeout <= 0 || server.WriteTimeout <= 0 {
		t.Fatalf("reads end after %v and writes after %v, want limits", server.ReadTimeout, server.WriteTimeout)
	}
	server.ReadTimeout = 50 * time.Millisecond
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(ln) }()
	defer func() { _ = server.Close(); <-done }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("after the answer: %v, want the end of the connection", err)
	}
}
