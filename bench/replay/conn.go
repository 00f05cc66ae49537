package replay

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// maxIdle is after how long without a request a connection is opened anew: before the tracker would close it, since a
	// request must not meet a closed connection.
	maxIdle = 2 * time.Second
	// bufferSize bounds the headers of an answer, in bytes.
	bufferSize = 32 << 10
	// maxAnswer bounds the body of an answer, in bytes.
	maxAnswer = 1 << 20
)

// conn is one kept-alive connection to the tracker. HTTP clients send a request again on their own where a connection
// breaks; this one never does, because each request is a click. It is not safe for concurrent use.
type conn struct {
	address string
	secure  bool
	net     net.Conn // nil: to be opened
	in      *bufio.Reader
	out     *bufio.Writer
	used    time.Time
}

func newConn(base *url.URL) *conn {
	secure := base.Scheme == "https"
	return &conn{address: fasthttp.AddMissingPort(base.Host, secure), secure: secure}
}

// do sends req once and reads the answer. After an error it is not known whether the request was served.
func (c *conn) do(ctx context.Context, req *fasthttp.Request, res *fasthttp.Response) error {
	if c.net != nil && time.Since(c.used) > maxIdle {
		c.close()
	}
	if c.net == nil {
		if err := c.open(ctx); err != nil {
			return err
		}
	}
	network := c.net
	if err := network.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	// The end of ctx makes an exchange that is under way fail.
	stop := context.AfterFunc(ctx, func() { _ = network.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	err := c.exchange(req, res)
	c.used = time.Now()
	if err != nil || res.ConnectionClose() {
		c.close()
	}
	if err != nil && ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	return err
}

func (c *conn) open(ctx context.Context) error {
	dialer := net.Dialer{Timeout: requestTimeout}
	var err error
	if c.secure {
		c.net, err = (&tls.Dialer{NetDialer: &dialer}).DialContext(ctx, "tcp", c.address)
	} else {
		c.net, err = dialer.DialContext(ctx, "tcp", c.address)
	}
	if err != nil {
		c.net = nil
		return fmt.Errorf("connect: %w", err)
	}
	c.in, c.out = bufio.NewReaderSize(c.net, bufferSize), bufio.NewWriterSize(c.net, bufferSize)
	return nil
}

func (c *conn) exchange(req *fasthttp.Request, res *fasthttp.Response) error {
	err := req.Write(c.out)
	if err == nil {
		err = c.out.Flush()
	}
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	res.SkipBody = req.Header.IsHead()
	if err := res.ReadLimitBody(c.in, maxAnswer); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

func (c *conn) close() {
	if c.net != nil {
		_ = c.net.Close() // nothing is lost with it: an answer was read or given up
		c.net = nil
	}
}
