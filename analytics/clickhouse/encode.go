package clickhouse

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/edgeref/edgeref/wire/click"
)

// clickBlock is a batch of clicks by column, in the order of clickInsert: all of the work on a batch that needs no
// connection. It is filled row by row, because a record is several cache lines long and a pass for each column would
// fetch it thirty times, and it is bytes, not strings, because the collector would look through those again and again.
// Not safe for concurrent use.
type clickBlock struct {
	rows                        int
	affiliates, programs, links []int64
	nodes                       []uint16
	visitors                    []uint64
	times, ids                  []byte       // as on the wire
	texts                       [][]byte     // likewise, of columns that are plain, by position in fields
	dictionaries                []dictionary // of those that are LowCardinality, likewise
	fields                      []textColumn
	wire                        []byte // scratch of put
}

func newClickBlock() *clickBlock {
	b := &clickBlock{fields: textColumns()}
	b.texts, b.dictionaries = make([][]byte, len(b.fields)), make([]dictionary, len(b.fields))
	for i, f := range b.fields {
		if f.repeats {
			b.dictionaries[i] = newDictionary()
		}
	}
	return b
}

// add adds rows, and keeps nothing of the clicks. What is above MaxBatch is counted only.
func (b *clickBlock) add(clicks []click.Record) {
	b.rows += len(clicks)
	if b.rows > MaxBatch {
		return
	}
	for i := range clicks {
		r := &clicks[i]
		b.affiliates = append(b.affiliates, r.ID.AffiliateID())
		b.times = binary.LittleEndian.AppendUint64(b.times, uint64(r.ID.UnixMilli()))
		b.ids = append(b.ids, r.ID[:]...)
		b.programs = append(b.programs, r.ProgramID)
		b.links = append(b.links, r.ID.LinkID())
		b.nodes = append(b.nodes, r.ID.Node())
		b.visitors = append(b.visitors, r.Visitor)
		for j := range b.fields {
			text := *b.fields[j].field(r)
			if b.fields[j].repeats {
				b.dictionaries[j].add(text)
			} else {
				b.texts[j] = appendText(b.texts[j], text)
			}
		}
	}
}

// appendText appends a value of a String column as it is on the wire.
func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// eachID yields the IDs of all rows.
func (b *clickBlock) eachID(yield func(click.ID) bool) {
	for i := 0; i+click.IDSize <= len(b.ids); i += click.IDSize {
		if !yield(click.ID(b.ids[i:])) {
			return
		}
	}
}

// reset empties the block. Its buffers stay, as large as the largest batch needed.
func (b *clickBlock) reset() {
	b.rows = 0
	b.affiliates, b.programs, b.links = b.affiliates[:0], b.programs[:0], b.links[:0]
	b.nodes, b.visitors, b.times, b.ids = b.nodes[:0], b.visitors[:0], b.times[:0], b.ids[:0]
	for i := range b.fields {
		b.texts[i] = b.texts[i][:0]
		if b.fields[i].repeats {
			b.dictionaries[i].reset()
		}
	}
}

// put copies the block into a batch of the driver. Columns for which the driver would go value by value are given to
// it as they are on the wire, which it takes in one piece.
func (b *clickBlock) put(batch driver.Batch) error {
	c := columnFiller{batch: batch, columns: batch.Columns(), rows: b.rows}
	c.fill(b.affiliates)
	c.decode(b.times)
	c.decode(b.ids)
	c.fill(b.programs)
	c.fill(b.links)
	c.fill(b.nodes)
	c.fill(b.visitors)
	for i := range b.fields {
		// Somebody may have altered the table: then the driver converts.
		switch _, repeats := c.columns[c.next].(*column.LowCardinality); {
		case b.fields[i].repeats && repeats:
			b.wire = b.dictionaries[i].append(b.wire[:0])
			c.decode(b.wire)
		case b.fields[i].repeats:
			c.fill(b.dictionaries[i].rows())
		case repeats:
			c.fill(texts(b.texts[i]))
		default:
			c.decode(b.texts[i])
		}
	}
	return c.err
}

// texts reverses appendText for all values.
func texts(wire []byte) (all []string) {
	for len(wire) > 0 {
		n, size := binary.Uvarint(wire)
		end := size + int(n)
		all, wire = append(all, string(wire[size:end])), wire[end:]
	}
	return all
}

// columnFiller gives a batch its columns one after the other and keeps the first error. The driver copies the values.
type columnFiller struct {
	batch   driver.Batch
	columns []column.Interface
	rows    int
	reader  *chproto.Reader // of source
	source  bytes.Reader
	err     error
	next    int
}

// fill appends values of the column's Go type.
func (c *columnFiller) fill(values any) {
	if c.err == nil {
		c.err = c.batch.Column(c.next).Append(values)
	}
	c.next++
}

// decode makes wire, which has the rows as the server would send them, the column's values.
func (c *columnFiller) decode(wire []byte) {
	if c.reader == nil {
		c.reader = chproto.NewReader(&c.source)
	}
	c.source.Reset(wire)
	if c.err == nil {
		c.err = c.columns[c.next].Decode(c.reader, c.rows)
	}
	c.next++
}

// dictionary is a LowCardinality(String) column: each text once, and a key for each row. The first text is the default,
// "", as the server has it.
type dictionary struct {
	keys   []uint32
	texts  []string
	known  map[string]uint32
	recent [recentTexts]uint32 // keys of texts seen lately, by a cheap hash: most rows need no look-up in known
}

const recentTexts = 256

func newDictionary() dictionary {
	return dictionary{texts: []string{""}, known: map[string]uint32{"": 0}}
}

func (d *dictionary) add(text string) {
	if text == "" {
		d.keys = append(d.keys, 0)
		return
	}
	n := len(text)
	slot := &d.recent[(uint(text[0])*31+uint(text[n/2])*7+uint(text[n-1])*3+uint(n))%recentTexts]
	if d.texts[*slot] != text {
		*slot = d.look(text)
	}
	d.keys = append(d.keys, *slot)
}

// look returns the key of a text, a new one if it has none.
func (d *dictionary) look(text string) uint32 {
	key, known := d.known[text]
	if !known {
		text = strings.Clone(text)
		key = uint32(len(d.texts))
		d.texts = append(d.texts, text)
		d.known[text] = key
	}
	return key
}

func (d *dictionary) reset() {
	clear(d.texts)
	clear(d.known)
	d.known[""] = 0
	d.keys, d.texts, d.recent = d.keys[:0], d.texts[:1], [recentTexts]uint32{}
}

// rows is the text of each row.
func (d *dictionary) rows() []string {
	texts := make([]string, len(d.keys))
	for i, key := range d.keys {
		texts[i] = d.texts[key]
	}
	return texts
}

// Parts of the first word of a LowCardinality column in a block: the width of the keys, and that the block brings its
// own dictionary, whole.
const (
	keys8, keys16, keys32 = 0, 1, 2
	ownDictionary         = 1<<9 | 1<<10
)

// append appends the column as it is on the wire, without the version that precedes a series of blocks.
func (d *dictionary) append(dst []byte) []byte {
	width := uint64(keys32)
	switch {
	case len(d.texts) <= math.MaxUint8+1:
		width = keys8
	case len(d.texts) <= math.MaxUint16+1:
		width = keys16
	}
	dst = binary.LittleEndian.AppendUint64(dst, ownDictionary|width)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(d.texts)))
	for _, text := range d.texts {
		dst = appendText(dst, text)
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(d.keys)))
	for _, key := range d.keys {
		switch width {
		case keys8:
			dst = append(dst, byte(key))
		case keys16:
			dst = binary.LittleEndian.AppendUint16(dst, uint16(key))
		default:
			dst = binary.LittleEndian.AppendUint32(dst, key)
		}
	}
	return dst
}
