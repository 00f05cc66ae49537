package replay

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeref/edgeref/wire/click"
)

func writeJournal(t *testing.T, path string, entries ...entry) {
	t.Helper()
	j, _, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := j.append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
}

func someEntries(t *testing.T) []entry {
	w := small()
	return []entry{
		{Header: &header{Version: journalVersion, Log: "sum", World: w}},
		{Click: &clickEntry{Line: 1, ID: at(t, w, 0, "2026-03-01T10:15:00Z")}},
		{Click: &clickEntry{Line: 3, Complaint: "was answered 404"}},
		{Step: &stepEntry{Line: 1, Seq: 2, At: 5}},
		{Unanswered: []int{4, 5}},
		{Unanswered: []int{4}},
	}
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	entries := someEntries(t)
	writeJournal(t, path, entries[:3]...)
	writeJournal(t, path, entries[3:]...)
	torn, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = torn.WriteString(`{"click":{"line":6,`)
	}
	if err := errors.Join(err, torn.Close()); err != nil {
		t.Fatal(err)
	}
	writeJournal(t, path, entry{Click: &clickEntry{Line: 6}}) // behind what was torn
	j, got, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	want := &progress{
		Header:     entries[0].Header,
		Clicks:     map[int]clickEntry{1: *entries[1].Click, 3: *entries[2].Click, 6: {Line: 6}},
		Steps:      map[[2]int]stepEntry{{1, 2}: *entries[3].Step},
		Unanswered: map[int]int{4: 2, 5: 1},
	}
	got.Header.World.reindex()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(world{}), cmp.Comparer(func(a, b click.ID) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: it holds secrets", info.Mode(), err)
	}
}

func TestJournalRefuses(t *testing.T) {
	head := `{"header":{"Version":1,"World":{}}}` + "\n"
	for name, text := range map[string]string{
		"another file":     "127.0.0.1 - - hello\n",
		"another form":     `{"header":{"Version":2,"World":{}}}` + "\n",
		"no header":        `{"click":{"line":1}}` + "\n",
		"two headers":      head + head,
		"damaged inside":   head + "{\n" + `{"click":{"line":1}}` + "\n",
		"damaged Click ID": head + `{"click":{"line":1,"id":"abc"}}` + "\n",
	} {
		if p, _, err := readJournal(strings.NewReader(text)); err == nil {
			t.Errorf("%s: got %+v", name, p)
		}
	}
}

// A journal whose answer cannot be written stops the replay: what is not written down cannot be counted.
func TestJournalCannotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	writeJournal(t, path, someEntries(t)[0])
	file, err := os.Open(path) // for reading only
	if err != nil {
		t.Fatal(err)
	}
	j := &journal{file: file}
	if err := j.append(entry{Click: &clickEntry{Line: 1}}); err == nil {
		t.Error("written to a file that is open for reading")
	}
	_ = j.close()
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte(`{"header":{"Version":1,"World":{"Run":"x"}}}` + "\n" + `{"click":{"line":1}}` + "\n" + `{"step":{"line":1,"seq":2,"at":3}}` + "\n{"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, size, err := readJournal(bytes.NewReader(b))
		if err != nil {
			return
		}
		if size > int64(len(b)) || size > 0 && (p.Header == nil || b[size-1] != '\n') {
			t.Fatalf("size %d of %d, %+v", size, len(b), p)
		}
	})
}

func TestSlug(t *testing.T) {
	seen := map[string]bool{}
	for i, key := range []string{"home", "blog/tags", "blog-tags", "~psionic/x.html", strings.Repeat("long", 50), "वेब", "a%20b"} {
		s := slug("k3x9aq", key, i)
		if len(s) > 64 || seen[s] || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("%q: slug %q", key, s)
		}
		seen[s] = true
	}
}
