package conversion

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/edgeref/edgeref/wire/click"
	wire "github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/ident"
	"github.com/edgeref/edgeref/wire/money"
)

// Limits of an upload.
const (
	MaxUpload      = 10 << 20 // bytes
	MaxUploadLines = 50_000   // beside the header
	maxLineErrors  = 1000     // that are reported; all are counted
)

// ErrUpload says that a file cannot be read as a whole; its lines are then not looked at.
var ErrUpload = errors.New("invalid upload")

// LineError is what is wrong with one line. Codes are part of the API.
type LineError struct {
	Line   int    `json:"line" example:"17" doc:"In the file, from 1"`
	Column string `json:"column" example:"amount" doc:"Empty: the whole line"`
	Code   string `json:"code" example:"amount_invalid"`
	Detail string `json:"detail" example:"amount has more decimals than the currency"`
}

// Upload is what became of a file.
type Upload struct {
	Lines      int         `json:"lines" example:"1200" doc:"Beside the header; empty lines are not counted"`
	Valid      int         `json:"valid" example:"1199"`
	Invalid    int         `json:"invalid" example:"1"`
	Booked     int         `json:"booked" example:"1100"`
	Duplicates int         `json:"duplicates" example:"99" doc:"Booked before, with the same input"`
	Conflicts  int         `json:"conflicts" example:"0" doc:"Their transaction id was booked with other input; kept for review"`
	Refused    int         `json:"refused" example:"0" doc:"They can never be booked; kept for review"`
	DryRun     bool        `json:"dry_run" example:"false"`
	Errors     []LineError `json:"errors" nullable:"false" doc:"Of at most 1000 lines, in order: what is invalid, a conflict or refused"`
}

func (u *Upload) add(e LineError) {
	if len(u.Errors) < maxLineErrors {
		u.Errors = append(u.Errors, e)
	}
}

// columns of an upload, with whether they must be there.
func columns() []string {
	return []string{"program_id", "type", "txn_id", "ref_txn_id", "click_id", "amount", "currency", "name", "customer", "coupon", "happened_at"}
}

// parsed is one valid line.
type parsed struct {
	line  int
	event wire.Event
}

// ParseUpload reads a file: UTF-8, a header with the names of the columns in any order, then a conversion a line. now is
// when lines that say nothing happened, Unix ms. What is wrong with lines is in the Upload; the error wraps ErrUpload.
func ParseUpload(r io.Reader, now int64) ([]wire.Event, Upload, error) {
	lines, u, err := parseUpload(r, now)
	events := make([]wire.Event, len(lines))
	for i := range lines {
		events[i] = lines[i].event
	}
	return events, u, err
}

func parseUpload(r io.Reader, now int64) ([]parsed, Upload, error) {
	u := Upload{Errors: []LineError{}}
	body, err := io.ReadAll(io.LimitReader(r, MaxUpload+1))
	switch {
	case err != nil:
		return nil, u, fmt.Errorf("read upload: %w", err)
	case len(body) > MaxUpload:
		return nil, u, fmt.Errorf("%w: it is larger than %d bytes", ErrUpload, MaxUpload)
	case !utf8.Valid(body):
		return nil, u, fmt.Errorf("%w: it is not UTF-8", ErrUpload)
	}
	rows := csv.NewReader(bufio.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))))
	rows.FieldsPerRecord, rows.ReuseRecord = -1, true
	header, err := rows.Read()
	if err != nil {
		return nil, u, fmt.Errorf("%w: the header cannot be read: %w", ErrUpload, err)
	}
	header = slices.Clone(header)
	if err := checkHeader(header); err != nil {
		return nil, u, err
	}
	var out []parsed
	for {
		fields, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out, u, nil
		}
		if u.Lines == MaxUploadLines {
			return nil, u, fmt.Errorf("%w: it has more than %d lines", ErrUpload, MaxUploadLines)
		}
		u.Lines++
		line, bad := readLine(rows, header, fields, err, now)
		if bad != nil {
			u.Invalid++
			u.add(*bad)
			if err != nil && !errors.Is(err, csv.ErrFieldCount) {
				return out, u, nil // where quotes are broken, nobody knows where the next line begins
			}
			continue
		}
		u.Valid++
		out = append(out, line)
	}
}

func checkHeader(header []string) error {
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(columns(), header[i]) {
			return fmt.Errorf("%w: line 1 has an unknown column %.64q; columns are %s", ErrUpload, name, strings.Join(columns(), ", "))
		}
		if slices.Contains(header[:i], header[i]) {
			return fmt.Errorf("%w: line 1 has column %s twice", ErrUpload, header[i])
		}
	}
	for _, name := range []string{"program_id", "type", "txn_id"} {
		if !slices.Contains(header, name) {
			return fmt.Errorf("%w: line 1 has no column %s", ErrUpload, name)
		}
	}
	return nil
}

func readLine(rows *csv.Reader, header, fields []string, err error, now int64) (parsed, *LineError) {
	if err != nil {
		var broken *csv.ParseError
		line := 0
		if errors.As(err, &broken) {
			line = broken.Line
		}
		return parsed{}, &LineError{Line: line, Code: "csv_malformed", Detail: "the line cannot be read: " + err.Error() + "; nothing after it was looked at"}
	}
	line, _ := rows.FieldPos(0)
	if len(fields) != len(header) {
		return parsed{}, &LineError{Line: line, Code: "columns_mismatch", Detail: fmt.Sprintf("it has %d columns, the header %d", len(fields), len(header))}
	}
	get := func(name string) string {
		if i := slices.Index(header, name); i >= 0 {
			return strings.TrimSpace(fields[i])
		}
		return ""
	}
	event, bad := readEvent(get, now)
	if bad != nil {
		bad.Line = line
		return parsed{}, bad
	}
	return parsed{line: line, event: event}, nil
}

func readEvent(get func(string) string, now int64) (wire.Event, *LineError) {
	e := wire.Event{
		Type: wire.Type(strings.ToLower(get("type"))), TxnID: strings.Clone(get("txn_id")), RefTxnID: strings.Clone(get("ref_txn_id")),
		Name: strings.Clone(get("name")), Customer: wire.CustomerKey(strings.Clone(get("customer"))), Coupon: strings.Clone(get("coupon")),
		Channel: wire.Upload, ReceivedAt: now,
	}
	var err error
	if e.ProgramID, err = ident.Parse(ident.Program, get("program_id")); err != nil || e.ProgramID == 0 {
		return e, &LineError{Column: "program_id", Code: "program_invalid", Detail: "program_id must be an identifier like " + ident.Format(ident.Program, 1)}
	}
	if !slices.Contains([]wire.Type{wire.Lead, wire.Sale, wire.Refund, wire.Rejected}, e.Type) {
		return e, &LineError{Column: "type", Code: "type_invalid", Detail: "type must be lead, sale, refund or rejected"}
	}
	if text := get("click_id"); text != "" {
		if e.ClickID, err = click.ParseID(text); err != nil {
			return e, &LineError{Column: "click_id", Code: "click_id_invalid", Detail: "click_id is not a Click ID"}
		}
	}
	if text := get("amount"); text != "" {
		a, err := money.Parse(text, strings.ToUpper(get("currency")))
		switch {
		case errors.Is(err, money.ErrCurrency):
			return e, &LineError{Column: "currency", Code: "currency_invalid", Detail: "currency must be an ISO 4217 code"}
		case err != nil:
			return e, &LineError{Column: "amount", Code: "amount_invalid", Detail: "amount: " + err.Error()}
		}
		e.Amount = &a
	}
	if text := get("happened_at"); text != "" {
		if e.ReceivedAt, err = parseMoment(text); err != nil || e.ReceivedAt <= 0 || e.ReceivedAt > now {
			return e, &LineError{Column: "happened_at", Code: "happened_at_invalid", Detail: "happened_at must be a time as 2026-03-01T12:00:00Z that has passed"}
		}
	}
	if err := e.Validate(); err != nil {
		return e, &LineError{Column: columnOf(&e), Code: "conversion_invalid", Detail: err.Error()}
	}
	return e, nil
}

// columnOf guesses which column Validate complains of; it checks the texts first, then the amount.
func columnOf(e *wire.Event) string {
	bad := func(s string) bool {
		return len(s) > wire.MaxText || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
	}
	for _, c := range []struct {
		name, value string
		required    bool
	}{
		{"txn_id", e.TxnID, true}, {"ref_txn_id", e.RefTxnID, false}, {"name", e.Name, false}, {"customer", e.Customer, false}, {"coupon", e.Coupon, false},
	} {
		if c.required && c.value == "" || bad(c.value) {
			return c.name
		}
	}
	if e.RefTxnID != "" && e.Type != wire.Refund && e.Type != wire.Rejected {
		return "ref_txn_id"
	}
	return "amount"
}

// Upload books the conversions of a file, or with dryRun only says what is wrong with its lines. Where any line is
// invalid, nothing is booked. Otherwise each line is booked by itself, in groups as events of trackers are: a file that was
// cut short by an error may be sent again as it is, since what was booked is a duplicate then.
func (s *Service) Upload(ctx context.Context, r io.Reader, dryRun bool) (Upload, error) {
	lines, u, err := parseUpload(r, s.now().UnixMilli())
	u.DryRun = dryRun
	if err != nil || dryRun || u.Invalid > 0 {
		return u, err
	}
	for part := range slices.Chunk(lines, uploadPart) {
		events := make([]wire.Event, len(part))
		for i := range part {
			events[i] = part[i].event
		}
		results, err := s.Book(ctx, events)
		if err != nil {
			return u, fmt.Errorf("upload conversions (%d are booked; send the file again): %w", u.Booked, err)
		}
		for i, result := range results {
			u.count(part[i].line, result)
		}
	}
	return u, nil
}

// uploadPart is how many lines one call of Book takes.
const uploadPart = 1024

func (u *Upload) count(line int, r wire.Result) {
	switch r.Outcome {
	case wire.Booked:
		u.Booked++
	case wire.Duplicate:
		u.Duplicates++
	case wire.Conflict:
		u.Conflicts++
		u.add(LineError{Line: line, Column: "txn_id", Code: "conversion_conflict", Detail: r.Detail})
	case wire.Refused:
		u.Refused++
		u.add(LineError{Line: line, Code: "conversion_refused", Detail: r.Detail})
	}
}

func parseMoment(text string) (int64, error) {
	t, err := time.Parse(time.RFC3339, text)
	return t.UnixMilli(), err
}
