package spool

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A look ahead changes nothing: with any looks, limits, crashes and acknowledgements between them, every record comes
// once and in order, and the batch that was looked at is the one that comes next.
func TestAheadIsWhatNextHandsOut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		opt := options(t.TempDir())
		s, err := Open(opt)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { s.Close() }()
		total := rapid.IntRange(1, 120).Draw(rt, "records")
		mustAppend(t, s, payloads(0, total)...)
		var got []string
		for len(got) < total {
			records, bytes := rapid.IntRange(1, 12).Draw(rt, "max records"), rapid.IntRange(1, 400).Draw(rt, "max bytes")
			b, err := s.Next(context.Background(), records, bytes, -1)
			if err != nil {
				rt.Fatal(err)
			}
			var ahead *Batch
			if rapid.Bool().Draw(rt, "look") {
				ahead = s.Ahead(records, bytes)
				s.Ahead(records, bytes)
			}
			if rapid.IntRange(0, 9).Draw(rt, "crash") == 0 {
				crash(s)
				if s, err = Open(opt); err != nil {
					rt.Fatal(err)
				}
				again, err := s.Next(context.Background(), 1, 1, -1)
				if err != nil || again.ID != b.ID || !slices.Equal(again.Payloads, b.Payloads) {
					rt.Fatalf("after a crash: %+v, %v; want %+v", again, err, b)
				}
				b, ahead = again, nil
			}
			got = append(got, b.Payloads...)
			if err := s.Ack(b); err != nil {
				rt.Fatal(err)
			}
			if ahead == nil {
				continue
			}
			next, err := s.Next(context.Background(), records, bytes, -1)
			if err != nil || next.ID != ahead.ID || !slices.Equal(next.Payloads, ahead.Payloads) {
				rt.Fatalf("next is %+v, %v; want %+v", next, err, ahead)
			}
		}
		if !slices.Equal(got, payloads(0, total)) {
			rt.Fatalf("%d records came, %q; want %d", len(got), got, total)
		}
		if b, err := s.Next(context.Background(), 1, 1, -1); !errors.Is(err, ErrEmpty) {
			rt.Fatalf("%+v, %v; want ErrEmpty", b, err)
		}
	})
}

func TestAheadOnlyOfFullBatches(t *testing.T) {
	opt := options(t.TempDir())
	s := mustOpen(t, opt)
	if b := s.Ahead(2, 1<<20); b != nil {
		t.Errorf("with nothing pending: %+v", b)
	}
	mustAppend(t, s, payloads(0, 5)...)
	first := mustNext(t, s, 2)
	if b := s.Ahead(4, 1<<20); b != nil {
		t.Errorf("three of four records: %+v", b)
	}
	ahead := s.Ahead(3, 1<<20)
	if ahead == nil || !slices.Equal(ahead.Payloads, payloads(2, 5)) {
		t.Fatalf("ahead: %+v", ahead)
	}
	if err := s.Ack(ahead); err == nil {
		t.Error("a batch was acknowledged before it was handed out")
	}
	if err := s.Quarantine(ahead, 0, "x"); err == nil {
		t.Error("a record of a batch was set aside before it was handed out")
	}
	if err := s.Ack(first); err != nil {
		t.Fatal(err)
	}
	if b := mustNext(t, s, 1); !slices.Equal(b.Payloads, payloads(2, 3)) {
		t.Errorf("with a lower limit: %q", b.Payloads)
	}
	mustClose(t, s)
	if b := s.Ahead(1, 1); b != nil {
		t.Errorf("after Close: %+v", b)
	}
}
