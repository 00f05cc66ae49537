//go:build linux && amd64

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// engineRevision is that of the blocks in the engine's input and output: Native format without any additions.
const engineRevision = 0

// eachBlock calls fn for the blocks in the engine's output.
func eachBlock(raw []byte, fn func(*proto.Block) error) error {
	r := chproto.NewReader(bytes.NewReader(raw))
	for {
		block := &proto.Block{ServerContext: &column.ServerContext{Timezone: time.UTC}}
		switch err := block.Decode(r, engineRevision); {
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("decode block: %w", err)
		}
		if err := fn(block); err != nil {
			return err
		}
	}
}

// table runs a query of the server's own, all of whose columns are text.
func (s *session) table(sql string, params []param) (rows [][]string, err error) {
	err = s.exec(sql, params, func(raw []byte) error {
		return eachBlock(raw, func(b *proto.Block) error {
			for i := range b.Rows() {
				row := make([]string, len(b.Columns))
				for j, c := range b.Columns {
					row[j] = fmt.Sprint(c.Row(i, false))
				}
				rows = append(rows, row)
			}
			return nil
		})
	})
	return rows, err
}

// header is the names and types of a block.
type header struct{ names, types []string }

func headerOf(b *proto.Block) header {
	var h header
	for _, c := range b.Columns {
		h.names, h.types = append(h.names, c.Name()), append(h.types, string(c.Type()))
	}
	return h
}

// describe returns the columns of a table, or of a SELECT in parentheses; insertable leaves out those that no insert sets.
func (s *session) describe(what string, params []param, insertable bool) (header, error) {
	rows, err := s.table("DESCRIBE TABLE "+what, params)
	if err != nil {
		return header{}, err
	}
	var h header
	for _, row := range rows {
		name, typ, kind := row[0], row[1], row[2]
		if insertable && (kind == "MATERIALIZED" || kind == "ALIAS" || kind == "EPHEMERAL") {
			continue
		}
		h.names, h.types = append(h.names, name), append(h.types, typ)
	}
	return h, nil
}
