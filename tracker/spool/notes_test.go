package spool

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func next(t *testing.T, s *Spool) *Batch {
	t.Helper()
	b, err := s.Next(context.Background(), 10, 1<<20, 0)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNotesComeAgainWithTheirBatch(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, options(dir))
	mustAppend(t, s, "a", "b")
	b := next(t, s)
	for _, note := range []string{"one", "two words"} {
		if err := s.Note(b, note); err != nil {
			t.Fatal(err)
		}
	}
	for name, bad := range map[string]string{"two lines": "a\nb", "too long": strings.Repeat("x", maxNote+1)} {
		if err := s.Note(b, bad); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	crashed := filepath.Join(t.TempDir(), "crashed")
	copyDir(t, dir, crashed)
	mustClose(t, s)
	for _, dir := range []string{dir, crashed} {
		s := mustOpen(t, options(dir))
		b := next(t, s)
		if want := []string{"one", "two words"}; !slices.Equal(b.Notes, want) {
			t.Errorf("notes %q; want %q", b.Notes, want)
		}
		if err := s.Note(b, "three"); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
		s = mustOpen(t, options(dir))
		if b = next(t, s); len(b.Notes) != 3 || b.Notes[2] != "three" {
			t.Errorf("notes %q; want three", b.Notes)
		}
		if err := s.Ack(b); err != nil {
			t.Fatal(err)
		}
		mustAppend(t, s, "c")
		if b = next(t, s); len(b.Notes) != 0 {
			t.Errorf("the next batch has notes %q", b.Notes)
		}
		mustClose(t, s)
	}
}

// Whatever a crash or a disk does to the file, what is read back is a run of whole notes from the first one on.
func TestDamagedNotes(t *testing.T) {
	dir := t.TempDir()
	const id = "batch"
	whole := slices.Concat(noteLine("other", "old"), noteLine(id, "one"), noteLine(id, "two"))
	read := func(b []byte) []string {
		if err := os.WriteFile(filepath.Join(dir, notesName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readNotes(dir, id)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	all := []string{"one", "two"}
	if got := read(whole); !slices.Equal(got, all) {
		t.Errorf("whole: %q", got)
	}
	for i := range whole {
		if got := read(whole[:i]); !slices.Equal(got, all[:len(got)]) || len(got) == 2 {
			t.Errorf("cut at %d: %q", i, got)
		}
		damaged := slices.Clone(whole)
		damaged[i] ^= 1
		if got := read(damaged); !slices.Equal(got, all[:len(got)]) {
			t.Errorf("flipped at %d: %q", i, got)
		}
	}
}
