//go:build linux && amd64

package main

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// queryFunc is the C function that runs a statement with parameters. Every text comes with its length in bytes.
type queryFunc = func(
	conn uintptr, sql *byte, sqlLen uintptr, format *byte, formatLen uintptr,
	names **byte, nameLens *uintptr, values **byte, valueLens *uintptr, params uintptr,
) uintptr

// engine is the loaded library. Handles returned by it are owned by C.
type engine struct {
	connect          func(argc int32, argv **byte) *uintptr
	closeConn        func(conn *uintptr)
	query            queryFunc
	streamQuery      queryFunc
	streamFetch      func(conn, result uintptr) uintptr
	streamCancel     func(conn, result uintptr)
	destroyResult    func(result uintptr)
	resultBuffer     func(result uintptr) *byte
	resultLength     func(result uintptr) uintptr
	resultError      func(result uintptr) string
	setSignalEnabled func(on int32)
}

func loadEngine(path string) (*engine, error) {
	lib, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("load engine: %w", err)
	}
	e := new(engine)
	for name, fn := range map[string]any{
		"chdb_connect":                     &e.connect,
		"chdb_close_conn":                  &e.closeConn,
		"chdb_query_with_params_n":         &e.query,
		"chdb_stream_query_with_params_n":  &e.streamQuery,
		"chdb_stream_fetch_result":         &e.streamFetch,
		"chdb_stream_cancel_query":         &e.streamCancel,
		"chdb_destroy_query_result":        &e.destroyResult,
		"chdb_result_buffer":               &e.resultBuffer,
		"chdb_result_length":               &e.resultLength,
		"chdb_result_error":                &e.resultError,
		"chdb_set_signal_handlers_enabled": &e.setSignalEnabled,
	} {
		symbol, err := purego.Dlsym(lib, name)
		if err != nil {
			return nil, fmt.Errorf("load engine: %s has no %s, so its version does not fit: %w", path, name, err)
		}
		purego.RegisterFunc(fn, symbol)
	}
	return e, nil
}

// session is one connection to the engine, with its own settings and current database. Not safe for concurrent use:
// the engine runs one query at a time on a connection.
type session struct {
	engine *engine
	conn   *uintptr // the handle that queries take is what it points to
}

// open makes a session on the data directory. A process can have one directory only, and a directory one process.
func (e *engine) open(args ...string) (*session, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	argv := make([]*byte, 0, len(args)+1)
	for _, arg := range append([]string{"clickhouse"}, args...) {
		b := append([]byte(arg), 0)
		pin.Pin(&b[0])
		argv = append(argv, &b[0])
	}
	conn := e.connect(int32(len(argv)), &argv[0])
	if conn == nil {
		return nil, errors.New("open engine: no connection; is the data directory in use by another process?")
	}
	return &session{engine: e, conn: conn}, nil
}

func (s *session) close() { s.engine.closeConn(s.conn) }

type param struct{ name, value string }

// exec runs sql to its end and gives its whole output, in Native format, to emit, which may be nil and must not keep it.
func (s *session) exec(sql string, params []param, emit func([]byte) error) error {
	result := s.call(s.engine.query, sql, params)
	if result == 0 {
		return nil
	}
	defer s.engine.destroyResult(result)
	if text := s.engine.resultError(result); text != "" {
		return errors.New(text)
	}
	if out := s.output(result); len(out) > 0 && emit != nil {
		return emit(out)
	}
	return nil
}

// stream is exec for a SELECT whose output comes in chunks of whole blocks. An error of emit ends the query.
func (s *session) stream(sql string, params []param, emit func([]byte) error) error {
	result := s.call(s.engine.streamQuery, sql, params)
	if result == 0 {
		return nil
	}
	defer s.engine.destroyResult(result)
	if text := s.engine.resultError(result); text != "" {
		return errors.New(text)
	}
	for {
		more, err := s.fetch(result, emit)
		if err != nil || !more {
			return err
		}
	}
}

func (s *session) fetch(result uintptr, emit func([]byte) error) (more bool, err error) {
	chunk := s.engine.streamFetch(*s.conn, result)
	if chunk == 0 {
		return false, nil
	}
	defer s.engine.destroyResult(chunk)
	if text := s.engine.resultError(chunk); text != "" {
		return false, errors.New(text)
	}
	out := s.output(chunk)
	if len(out) == 0 {
		return false, nil
	}
	if err := emit(out); err != nil {
		s.engine.streamCancel(*s.conn, result)
		return false, err
	}
	return true, nil
}

func (s *session) output(result uintptr) []byte {
	return unsafe.Slice(s.engine.resultBuffer(result), int(s.engine.resultLength(result)))
}

func (s *session) call(fn queryFunc, sql string, params []param) uintptr {
	var pin runtime.Pinner
	defer pin.Unpin()
	chars := func(text string) *byte {
		b := append([]byte(text), 0)
		pin.Pin(&b[0])
		return &b[0]
	}
	n := len(params)
	names, values := make([]*byte, n+1), make([]*byte, n+1)
	nameLens, valueLens := make([]uintptr, n+1), make([]uintptr, n+1)
	for i, p := range params {
		names[i], nameLens[i] = chars(p.name), uintptr(len(p.name))
		values[i], valueLens[i] = chars(p.value), uintptr(len(p.value))
	}
	const format = "Native"
	return fn(*s.conn, chars(sql), uintptr(len(sql)), chars(format), uintptr(len(format)),
		&names[0], &nameLens[0], &values[0], &valueLens[0], uintptr(n))
}
