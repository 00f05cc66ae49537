//go:build linux && amd64

// Command chserver is a small ClickHouse server for tests: the real engine, loaded as a library, behind the native
// protocol as clickhouse-go speaks it. It has no users, no HTTP, no external tables and no query log.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/sys/unix"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chserver:", err)
		os.Exit(1)
	}
}

func run(args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("chserver", flag.ContinueOnError)
	lib := flags.String("lib", "", "path of libchdb.so")
	data := flags.String("data", "", "data directory; must not be in use")
	listen := flags.String("listen", "127.0.0.1:0", "address of the native protocol")
	tied := flags.Bool("tied", false, "stop when standard input ends, as it does when the parent dies")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *lib == "" || *data == "" {
		return errors.New("-lib and -data are needed")
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGINT, unix.SIGTERM)

	handlers := saveSignalHandlers()
	engine, err := loadEngine(*lib)
	if err != nil {
		return err
	}
	engine.setSignalEnabled(0)
	srv, err := newServer(engine, *data)
	handlers.restore()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if *tied {
		go func() {
			_, _ = io.Copy(io.Discard, stdin)
			os.Exit(0) // nobody is left to want a clean end
		}()
	}
	go func() {
		<-stop
		_ = listener.Close()
	}()
	if _, err := fmt.Fprintln(stdout, listener.Addr()); err != nil {
		return fmt.Errorf("print address: %w", err)
	}
	err = srv.serve(listener)
	srv.close()
	return err
}

// newServer opens the engine on dir.
func newServer(e *engine, dir string) (*server, error) {
	path := "--path=" + dir
	control, err := e.open(path)
	if err != nil {
		return nil, err
	}
	s := &server{engine: e, path: path, control: control, conns: make(map[net.Conn]struct{})}
	rows, err := control.table("SELECT version()", nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the version: %w", err)
	}
	version := strings.TrimSpace(rows[0][0])
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &s.version[0], &s.version[1], &s.version[2]); err != nil {
		return nil, fmt.Errorf("parse version %q: %w", version, err)
	}
	return s, nil
}
