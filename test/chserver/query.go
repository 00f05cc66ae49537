//go:build linux && amd64

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
	"golang.org/x/sys/unix"
)

// query reads a query with its settings and parameters, runs it and answers.
func (c *client) query() error {
	var q chproto.Query
	if err := q.DecodeAware(c.in, c.revision); err != nil {
		return fmt.Errorf("decode query: %w", err)
	}
	c.packed = q.Compression == chproto.CompressionEnabled
	block, err := c.readBlock()
	if err != nil {
		return err
	}
	if len(block.Columns) > 0 {
		return errors.New("external tables are not supported")
	}
	settings := map[string]string{"log_comment": c.tag}
	for _, s := range q.Settings {
		settings[s.Key] = s.Value
		if s.Custom {
			settings[s.Key] = unquote(s.Value)
		}
	}
	if err := c.apply(settings); err != nil {
		return c.exception(err)
	}
	if m := c.insertRe.FindStringSubmatch(q.Body); m != nil {
		return c.insert(m[1], m[2])
	}
	var params []param
	for _, p := range q.Parameters {
		params = append(params, param{p.Key, unquote(p.Value)})
	}
	return c.statement(q.Body, params)
}

// apply makes want the settings of the session; what it had and want has not goes back to its default.
func (c *client) apply(want map[string]string) error {
	var changes []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if had, ok := c.settings[name]; !ok || had != want[name] {
			changes = append(changes, name+" = "+quoteText(want[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.settings)) {
		if _, ok := want[name]; !ok {
			changes = append(changes, name+" = DEFAULT")
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := c.session.exec("SET "+strings.Join(changes, ", "), nil, nil); err != nil {
		return err
	}
	c.settings = want
	return nil
}

// statement runs one statement that takes no data and answers with its rows.
func (c *client) statement(sql string, params []param) error {
	selects := startsWith(sql, "SELECT", "WITH", "(")
	run := c.session.exec
	if selects {
		run = c.session.stream
	}
	watch := c.watch()
	sent := false
	err := run(sql, params, func(raw []byte) error {
		return eachBlock(raw, func(b *proto.Block) error {
			if watch.cancelled() {
				return context.Canceled
			}
			if !sent { // clients expect an empty block first
				sent = true
				if err := c.sendHeader(headerOf(b)); err != nil {
					return err
				}
			}
			if b.Rows() == 0 {
				return nil
			}
			return c.sendBlock(b)
		})
	})
	watch.stop()
	if err != nil {
		return c.exception(err)
	}
	if !sent && (selects || startsWith(sql, "SHOW", "DESC", "EXISTS", "EXPLAIN", "CHECK")) {
		var h header // an empty result has no bytes, but the client needs its columns
		if selects {
			if h, err = c.session.describe("("+strings.TrimRight(sql, "; \t\r\n")+"\n)", params, false); err != nil {
				return c.exception(err)
			}
		}
		if err := c.sendHeader(h); err != nil {
			return err
		}
	}
	return c.endOfStream()
}

func startsWith(sql string, words ...string) bool {
	sql = strings.ToUpper(strings.TrimSpace(sql))
	return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(sql, w) })
}

// insert takes blocks until an empty one and inserts them as one statement. A client that leaves before has inserted nothing.
func (c *client) insert(table, columns string) error {
	all, err := c.session.describe(table, nil, true)
	if err != nil {
		return c.exception(err)
	}
	h := all
	if columns != "" {
		h = header{}
		for name := range strings.SplitSeq(columns, ",") {
			name = strings.Trim(strings.TrimSpace(name), "`\"")
			i := slices.Index(all.names, name)
			if i < 0 {
				return c.exception(fmt.Errorf("Code: 16. No such column %s in table %s", name, table)) //nolint:staticcheck // the engine's form
			}
			h.names, h.types = append(h.names, name), append(h.types, all.types[i])
		}
	}
	if err := c.sendHeader(h); err != nil {
		return err
	}
	var data chproto.Buffer
	for {
		block, err := c.readBlock()
		if err != nil {
			return err
		}
		if block.Rows() == 0 {
			break
		}
		if err := block.Encode(&data, engineRevision); err != nil {
			return fmt.Errorf("encode block: %w", err)
		}
	}
	if len(data.Buf) > 0 {
		if err := c.session.insert(table, h.names, data.Buf); err != nil {
			return c.exception(err)
		}
	}
	return c.endOfStream()
}

// insert hands data to the engine in a file in memory. Data behind the statement's text is not safe: the engine ends it
// at the first two line feeds in a row, whatever they are part of, and would take the rest for statements.
func (s *session) insert(table string, columns []string, data []byte) error {
	fd, err := unix.MemfdCreate("insert", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("make file in memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), "insert")
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return fmt.Errorf("write file in memory: %w", err)
	}
	quoted := make([]string, len(columns))
	for i, name := range columns {
		quoted[i] = quoteName(name)
	}
	return s.exec(fmt.Sprintf("INSERT INTO %s (%s) FROM INFILE '/proc/self/fd/%d' COMPRESSION 'none' FORMAT Native",
		table, strings.Join(quoted, ", "), fd), nil, nil)
}

// watcher ends a running query when its client cancels it or leaves.
type watcher struct {
	conn     net.Conn
	done     chan struct{}
	finished chan struct{}
	killed   atomic.Bool
}

// watch looks for the client's next byte while a query runs; stop must be called before anything else reads.
func (c *client) watch() *watcher {
	w := &watcher{conn: c.conn, done: make(chan struct{}), finished: make(chan struct{})}
	go func() {
		defer close(w.done)
		next, err := c.peek.Peek(1)
		if errors.Is(err, os.ErrDeadlineExceeded) || (err == nil && next[0] != proto.ClientCancel) {
			return
		}
		w.killed.Store(true)
		again := time.NewTicker(50 * time.Millisecond)
		defer again.Stop()
		for {
			c.server.kill(c.tag)
			select {
			case <-again.C:
			case <-w.finished:
				return
			}
		}
	}()
	return w
}

func (w *watcher) cancelled() bool { return w.killed.Load() }

func (w *watcher) stop() {
	close(w.finished)
	_ = w.conn.SetReadDeadline(time.Unix(1, 0)) // wakes Peek
	<-w.done
	_ = w.conn.SetReadDeadline(time.Time{})
}

// unquote reads the form in which parameters and custom settings travel: a text in quotes, with escapes.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '\'' {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\0`, "\x00").Replace(s[1 : len(s)-1])
}
