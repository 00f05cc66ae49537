package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"modernc.org/sqlite"
)

const (
	maxStatements = 400      // that a connection keeps
	maxKeptText   = 16 << 10 // bytes: longer ones do not come twice
)

// openKeeping opens a SQLite database whose connections keep the statements that they have prepared. Preparing takes a
// third of the processor time of our transactions.
func openKeeping(dsn string) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(keeper{connector}), nil
}

type keeper struct{ driver.Connector }

// Connect implements driver.Connector.
func (k keeper) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("BUG: sqlite's connections have changed"), c.Close())
	}
	return &keepingConn{sqliteConn: inner, idle: map[string]driver.Stmt{}}, nil
}

// sqliteConn is what the driver's connections can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keepingConn keeps the statements that are not in use. database/sql lets one goroutine use a connection at a time.
type keepingConn struct {
	sqliteConn
	idle map[string]driver.Stmt // by text
}

// Unwrap lets the driver find its own connection.
func (c *keepingConn) Unwrap() driver.Conn { return c.sqliteConn }

// take takes a statement out, or prepares it.
func (c *keepingConn) take(ctx context.Context, query string) (driver.Stmt, error) {
	if s, ok := c.idle[query]; ok {
		delete(c.idle, query)
		return s, nil
	}
	return c.PrepareContext(ctx, query)
}

// put gives a statement back. The same text may have been prepared twice, where one ran while rows of the other were read.
func (c *keepingConn) put(query string, s driver.Stmt) error {
	if _, twice := c.idle[query]; twice || len(c.idle) >= maxStatements || len(query) > maxKeptText {
		return s.Close()
	}
	c.idle[query] = s
	return nil
}

// ExecContext implements driver.ExecerContext.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	r, err := s.(driver.StmtExecContext).ExecContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return r, c.put(query, s)
}

// QueryContext implements driver.QueryerContext.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	r, err := s.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &keptRows{Rows: r, done: func() error { return c.put(query, s) }}, nil
}

// Close implements driver.Conn.
func (c *keepingConn) Close() error {
	var errs []error
	for _, s := range c.idle {
		errs = append(errs, s.Close())
	}
	c.idle = nil
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

// keptRows gives its statement back when it is closed.
type keptRows struct {
	driver.Rows
	done func() error
}

// Close implements driver.Rows.
func (r *keptRows) Close() error {
	err := r.Rows.Close()
	if r.done == nil {
		return err
	}
	done := r.done
	r.done = nil
	return errors.Join(err, done())
}
