package api

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/wire/ident"
)

// Page sizes.
const (
	defaultLimit  = 50
	maxCursorText = 512
)

// ListInput is embedded in the input of a list operation. (Huma looks into exported fields only.)
type ListInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Items on a page"`
	Cursor string `query:"cursor" maxLength:"512" doc:"next_cursor of the page before; empty for the first page"`
}

// PeriodInput is embedded in the input of a list that can be cut to a time. Identifiers grow with time, so the list is
// read off the same index as without it.
type PeriodInput struct {
	From Time `query:"from" doc:"Made at this time or later"`
	To   Time `query:"to" doc:"Made before this time"`
}

// between are the bounds of a page in identifiers: of since or above, and below before, which is 0 for none. kind is that
// of the list.
func (in ListInput) between(kind string, p PeriodInput) (since, before int64, err error) {
	before, err = in.after(kind)
	if err != nil {
		return 0, 0, err
	}
	var err1, err2 error
	if p.From != "" {
		var ms int64
		ms, err1 = parseTime("query.from", p.From)
		since = newid.First(time.UnixMilli(ms))
	}
	if p.To != "" {
		var ms int64
		ms, err2 = parseTime("query.to", p.To)
		// No identifier is below 1, and 0 would be no bound.
		if end := max(newid.First(time.UnixMilli(ms)), 1); before == 0 || end < before {
			before = end
		}
	}
	return since, before, invalidAll(err1, err2)
}

// List is one page of a list.
type List[T any] struct {
	Items      []T    `json:"items" nullable:"false"`
	NextCursor string `json:"next_cursor" doc:"Send it as cursor to get the next page; empty on the last page" example:""`
}

type listOutput[T any] struct{ Body List[T] }

var errCursor = errors.New("cursor is not one that this list gave")

// after is the id of the last item of the page before, or 0. kind must be that of the list.
func (in ListInput) after(kind string) (int64, error) {
	if in.Cursor == "" {
		return 0, nil
	}
	key, err := decodeCursor(kind, in.Cursor)
	if err != nil {
		return 0, err
	}
	id, err := strconv.ParseInt(key, 10, 64)
	if err != nil || id <= 0 {
		return 0, errCursor
	}
	return id, nil
}

// page makes a page of rows, of which the caller asked for one more than limit to know whether there are more.
func page[R, T any](kind string, limit int, rows []R, id func(R) int64, item func(R) T) *listOutput[T] {
	out := &listOutput[T]{}
	out.Body.Items = make([]T, 0, min(limit, len(rows)))
	for i := range rows[:min(limit, len(rows))] {
		out.Body.Items = append(out.Body.Items, item(rows[i]))
	}
	if len(rows) > limit {
		out.Body.NextCursor = encodeCursor(kind, strconv.FormatInt(id(rows[limit-1]), 10))
	}
	return out
}

// encodeCursor makes an opaque cursor of a position in the list kind. It is not signed: a made-up one can only point
// to another place of the same list, with the same filters and the same rights.
func encodeCursor(kind, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(kind + ":" + key))
}

func decodeCursor(kind, text string) (string, error) {
	if len(text) > maxCursorText {
		return "", errCursor
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", errCursor
	}
	key, ok := strings.CutPrefix(string(b), kind+":")
	if !ok {
		return "", errCursor
	}
	return key, nil
}

// pathID parses an identifier of the path: what is not one names nothing.
func pathID(kind, text string) (int64, error) {
	id, err := ident.Parse(kind, text)
	if err != nil || id == 0 {
		return 0, errNoSuch
	}
	return id, nil
}

var errNoSuch = errors.New("there is no such thing")

// fieldID parses an identifier of a body or query; location is as in "body.program_id". An empty text is 0.
func fieldID(kind, location, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	id, err := ident.Parse(kind, text)
	if err != nil || id == 0 {
		return 0, invalid(location, "must be an identifier like "+ident.Format(kind, 1))
	}
	return id, nil
}
