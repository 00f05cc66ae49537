package server

import (
	"context"
	"errors"
	"unsafe"

	"github.com/edgeref/edgeref/tracker/links"
	"github.com/edgeref/edgeref/tracker/redirect"
	"github.com/edgeref/edgeref/wire/link"
)

// Links is a store of links, prepared with redirect.Compile, as the server's Links, Directory and Salts.
type Links struct {
	*links.Store[*redirect.Target]
}

// Find implements the finder of package redirect. A link that cannot be followed is like none.
func (l Links) Find(ctx context.Context, slug string) (*redirect.Target, error) {
	entry, err := l.Store.Find(ctx, unsafe.Slice(unsafe.StringData(slug), len(slug)))
	switch {
	case err == nil:
		return entry.Prepared, nil
	case errors.Is(err, links.ErrInvalid):
		return nil, link.ErrNotFound
	}
	return nil, err
}
