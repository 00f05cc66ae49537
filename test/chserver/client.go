//go:build linux && amd64

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// client speaks the native protocol with one connection. Its methods run one after the other, but for the watcher of a query.
type client struct {
	server   *server
	session  *session
	conn     net.Conn
	tag      string // names the client's queries to the engine
	settings map[string]string

	peek     *bufio.Reader // under in, for the watcher
	in       *chproto.Reader
	out      chproto.Buffer
	lz4      *compress.Writer
	revision int
	packed   bool // blocks of the current query are compressed
	errorRe  *regexp.Regexp
	insertRe *regexp.Regexp
}

func newClient(s *server, c net.Conn, tag string) *client {
	const bufferSize = 1 << 20 // bytes; not less than in's own, or in would put a second buffer before it
	peek := bufio.NewReaderSize(c, bufferSize)
	return &client{
		server: s, conn: c, tag: tag, peek: peek, in: chproto.NewReader(peek), lz4: compress.NewWriter(0, compress.LZ4),
		errorRe:  regexp.MustCompile(`(?s)^(?:Error: )?Code: (\d+)\. (.*)$`),
		insertRe: regexp.MustCompile("(?is)^\\s*INSERT\\s+INTO\\s+([\\w.`\"]+)\\s*(?:\\(([^()]*)\\))?\\s*(?:FORMAT\\s+Native|VALUES)\\s*;?\\s*$"),
	}
}

// gone reports whether err only says that the other side has left.
func gone(err error) bool {
	var netErr net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &netErr)
}

func (c *client) run() error {
	if err := c.handshake(); err != nil {
		return err
	}
	defer c.session.close()
	for {
		packet, err := c.in.UVarInt()
		if err != nil {
			return err
		}
		switch packet {
		case proto.ClientPing:
			chproto.ServerCodePong.Encode(&c.out)
			err = c.flush()
		case proto.ClientCancel: // came after the end of its query
		case proto.ClientQuery:
			err = c.query()
		default:
			err = fmt.Errorf("unexpected packet %d", packet)
		}
		if err != nil {
			return err
		}
	}
}

// handshake opens the session; whatever fails before is told to the client.
func (c *client) handshake() error {
	if packet, err := c.in.UVarInt(); err != nil || packet != proto.ClientHello {
		return fmt.Errorf("handshake: packet %d: %w", packet, err)
	}
	var hello chproto.ClientHello
	if err := hello.Decode(c.in); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	c.revision = min(hello.ProtocolVersion, proto.DBMS_TCP_PROTOCOL_VERSION)
	session, err := c.server.engine.open(c.server.path)
	if err == nil {
		// Tests ask many different queries of little data: compiling them costs more than it saves.
		err = session.exec("SET compile_expressions = 0, compile_aggregate_expressions = 0, compile_sort_description = 0", nil, nil)
		if err == nil && hello.Database != "" {
			err = session.exec("USE "+quoteName(hello.Database), nil, nil)
		}
		if err != nil {
			session.close()
		}
	}
	if err != nil {
		return errors.Join(err, c.exception(err))
	}
	c.session = session
	v := c.server.version
	answer := chproto.ServerHello{Name: "ClickHouse", Major: v[0], Minor: v[1], Patch: v[2], Revision: c.revision, Timezone: "UTC", DisplayName: "chserver"}
	answer.EncodeAware(&c.out, c.revision)
	if err := c.flush(); err != nil {
		return err
	}
	if c.revision >= proto.DBMS_MIN_PROTOCOL_VERSION_WITH_ADDENDUM {
		if _, err := c.in.Str(); err != nil { // quota key
			return err
		}
	}
	return nil
}

func (c *client) flush() error {
	_, err := c.conn.Write(c.out.Buf)
	c.out.Reset()
	return err
}

// exception answers a query with an error of the engine, whose code it finds in the text.
func (c *client) exception(err error) error {
	const unknown = 1000
	code, text := unknown, err.Error()
	if m := c.errorRe.FindStringSubmatch(text); m != nil {
		code, _ = strconv.Atoi(m[1])
		text = strings.TrimSpace(m[2])
	}
	chproto.ServerCodeException.Encode(&c.out)
	e := chproto.Exception{Code: chproto.Error(code), Name: "DB::Exception", Message: text}
	e.EncodeAware(&c.out, c.revision)
	return c.flush()
}

func (c *client) endOfStream() error {
	chproto.ServerCodeEndOfStream.Encode(&c.out)
	return c.flush()
}

// readBlock reads the next Data packet; a block without columns ends a sequence.
func (c *client) readBlock() (*proto.Block, error) {
	packet, err := c.in.UVarInt()
	if err != nil {
		return nil, err
	}
	if packet != proto.ClientData {
		return nil, fmt.Errorf("packet %d where data is due", packet)
	}
	if _, err := c.in.Str(); err != nil { // table name
		return nil, err
	}
	if c.packed {
		c.in.EnableCompression()
		defer c.in.DisableCompression()
	}
	block := &proto.Block{ServerContext: &column.ServerContext{Revision: uint64(c.revision), Timezone: time.UTC}}
	if err := block.Decode(c.in, uint64(c.revision)); err != nil {
		return nil, fmt.Errorf("decode block: %w", err)
	}
	return block, nil
}

// sendHeader sends a block without rows. It is written by hand: Block.Encode puts the prefix of a LowCardinality column
// in it, which no reader expects there.
func (c *client) sendHeader(h header) error {
	return c.sendData(func(b *chproto.Buffer) error {
		if err := proto.NewBlock().EncodeHeader(b, uint64(c.revision)); err != nil {
			return err
		}
		b.Buf = b.Buf[:len(b.Buf)-2] // no columns, no rows
		b.PutUVarInt(uint64(len(h.names)))
		b.PutUVarInt(0)
		for i := range h.names {
			b.PutString(h.names[i])
			b.PutString(h.types[i])
			if c.revision >= proto.DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION {
				b.PutBool(false)
			}
		}
		return nil
	})
}

func (c *client) sendBlock(block *proto.Block) error {
	return c.sendData(func(b *chproto.Buffer) error { return block.Encode(b, uint64(c.revision)) })
}

func (c *client) sendData(encode func(*chproto.Buffer) error) error {
	chproto.ServerCodeData.Encode(&c.out)
	c.out.PutString("") // table name
	start := len(c.out.Buf)
	if err := encode(&c.out); err != nil {
		return fmt.Errorf("encode block: %w", err)
	}
	if c.packed {
		if err := c.lz4.Compress(c.out.Buf[start:]); err != nil {
			return fmt.Errorf("compress block: %w", err)
		}
		c.out.Buf = append(c.out.Buf[:start], c.lz4.Data...)
	}
	return c.flush()
}

func quoteName(s string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(s) + "`"
}

func quoteText(s string) string {
	return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(s) + "'"
}
