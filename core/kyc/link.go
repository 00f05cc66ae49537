package kyc

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
)

// A link is a sealed text that names the document, who asked for it, and until when it works. It is for browsers, which send no
// bearer token when they open a file; whoever has it within that time can open the document once or more, in the name of
// the person who asked.

const linkContext = "kyc link"

// Link makes a link, and writes down who asked for it.
func (s *Service) Link(ctx context.Context, id int64, then func(tx *db.Tx, token string, until time.Time) error) (token string, until time.Time, err error) {
	d, err := s.Get(ctx, id, 0)
	if err != nil {
		return "", until, err
	}
	if d.storageKey == "" {
		return "", until, ErrState
	}
	who, _ := access.From(ctx)
	until = s.now().Add(s.opts.LinkFor)
	text := fmt.Sprintf("%d %d %d %d", id, who.PersonID, who.TokenID, until.UnixMilli())
	sealed, err := s.opts.Ring.Seal([]byte(text), []byte(linkContext))
	if err != nil {
		return "", until, err
	}
	token = base64.RawURLEncoding.EncodeToString([]byte(sealed))
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := s.record(ctx, tx, "kyc_document.link", &d, "", nil); err != nil {
			return err
		}
		if then != nil {
			return then(tx, token, until)
		}
		return nil
	})
	return token, until, err
}

// Follow gives out the file that a link names, in the name of who asked for it; address is that of the client. The error is
// ErrGone for every link that does not work.
func (s *Service) Follow(ctx context.Context, token, address string) (Document, []byte, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return Document{}, nil, ErrGone
	}
	text, err := s.opts.Ring.Open(string(sealed), []byte(linkContext))
	if err != nil {
		return Document{}, nil, ErrGone
	}
	var n [4]int64
	parts := strings.Fields(string(text))
	if len(parts) != len(n) {
		return Document{}, nil, ErrGone
	}
	for i := range n {
		if n[i], err = strconv.ParseInt(parts[i], 10, 64); err != nil {
			return Document{}, nil, ErrGone
		}
	}
	if s.now().UnixMilli() >= n[3] {
		return Document{}, nil, ErrGone
	}
	return s.Read(access.With(ctx, access.Principal{PersonID: n[1], TokenID: n[2], Name: "by link", Address: address}), n[0], 0)
}
