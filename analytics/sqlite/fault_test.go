package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/report"
)

const faultBatch = 700

// numbered makes the clicks of batch n: all through the link n+1, so that a report by link shows every batch by itself.
func numbered(t testing.TB, n int) []click.Record {
	keys := newTraffic(t).keys
	clicks := make([]click.Record, faultBatch)
	for i := range clicks {
		at := benchStart().Add(time.Duration(n*faultBatch+i) * time.Second)
		clicks[i] = click.Record{ID: keys.Mint(at, 1, int64(n+1), 1), Visitor: uint64(i), Country: "IN", ReferrerPath: strconv.Itoa(n * i)}
	}
	return clicks
}

// checkWhole checks that every stored batch is there with all its clicks, in the columns as in the listing, and returns
// how many batches there are.
func checkWhole(t *testing.T, s *Store) int {
	t.Helper()
	span := report.Query{From: benchStart(), To: benchStart().AddDate(0, 0, 60), GroupBy: report.Link, Limit: report.MaxLimit}
	r, err := s.Report(t.Context(), span)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range r.Rows {
		if row.Clicks != faultBatch {
			t.Errorf("batch %s has %d clicks; want %d", row.Key, row.Clicks, faultBatch)
		}
		link := []report.Filter{{Dimension: report.Link, Values: []string{row.Key}}}
		list, err := s.Clicks(t.Context(), report.ClickQuery{From: span.From, To: span.To, Filters: link, Limit: report.MaxLimit})
		if err != nil || len(list) != faultBatch {
			t.Errorf("batch %s lists %d clicks, %v; want %d", row.Key, len(list), err, faultBatch)
		}
	}
	var verdict string
	if err := s.read.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity check: %s, %v", verdict, err)
	}
	var rows, batches int
	err = s.read.QueryRowContext(t.Context(), "SELECT (SELECT sum(rows) FROM blocks), (SELECT count(*) FROM batches)").Scan(&rows, &batches)
	if err != nil || rows != batches*faultBatch || batches != len(r.Rows) {
		t.Errorf("%d rows in blocks for %d known batches, %d in the report, %v", rows, batches, len(r.Rows), err)
	}
	return len(r.Rows)
}

const appendPath = "EDGEREF_TEST_APPEND_PATH"

// TestAppendForever is not a test but what TestKill kills: it appends batches until then, and says so for each.
func TestAppendForever(t *testing.T) {
	path := os.Getenv(appendPath)
	if path == "" {
		t.Skip("runs only as the child of TestKill")
	}
	s, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	for n := checkWhole(t, s); ; n++ {
		if err := s.AppendClicks(t.Context(), strconv.Itoa(n), numbered(t, n)); err != nil {
			t.Fatal(err)
		}
		fmt.Println("stored", n)
	}
}

// A process killed in the middle of an append leaves every acknowledged batch whole and no other batch in part.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clicks.db")
	acknowledged := 0
	for round := range 3 {
		acknowledged = appendAndKill(t, path, 2+5*round)
		s, err := Open(t.Context(), Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if stored := checkWhole(t, s); stored < acknowledged || stored > acknowledged+1 {
			t.Errorf("%d batches acknowledged, %d stored", acknowledged, stored)
		}
		for n := range acknowledged + 1 { // the sender does not know about the last one
			if err := s.AppendClicks(t.Context(), strconv.Itoa(n), numbered(t, n)); err != nil {
				t.Fatal(err)
			}
		}
		if stored := checkWhole(t, s); stored != acknowledged+1 {
			t.Errorf("%d batches sent again, %d stored", acknowledged+1, stored)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// appendAndKill kills a child after it has acknowledged some batches, and returns how many there are in all.
func appendAndKill(t *testing.T, path string, batches int) (acknowledged int) {
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAppendForever$")
	child.Env = append(os.Environ(), appendPath+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for seen := 0; lines.Scan(); {
		n, ok := strings.CutPrefix(lines.Text(), "stored ")
		if !ok {
			t.Fatalf("child: %s", lines.Text())
		}
		last, err := strconv.Atoi(n)
		if err != nil {
			t.Fatal(err)
		}
		acknowledged = last + 1
		if seen++; seen == batches {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	return acknowledged
}

// A full disk refuses a batch whole, says what to do, and takes it once when there is room again.
func TestFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clicks.db")
	s, err := Open(t.Context(), Options{Path: path, maxPages: 60})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for err == nil && n < 100 {
		if err = s.AppendClicks(t.Context(), strconv.Itoa(n), numbered(t, n)); err == nil {
			n++
		}
	}
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "free space on the disk of "+path) {
		t.Fatalf("after %d batches: %v; want ErrFull that says what to do", n, err)
	}
	if stored := checkWhole(t, s); stored != n || n == 0 {
		t.Fatalf("%d batches acknowledged, %d stored", n, stored)
	}
	if err := s.AppendFacts(t.Context(), "f", manyFacts(2000)); !errors.Is(err, ErrFull) {
		t.Fatalf("facts: %v; want ErrFull", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, func(o *Options) { o.Path = path })
	for range 2 {
		if err := s.AppendClicks(t.Context(), strconv.Itoa(n), numbered(t, n)); err != nil {
			t.Fatal(err)
		}
	}
	if stored := checkWhole(t, s); stored != n+1 {
		t.Fatalf("%d batches after the disk has room again; want %d", stored, n+1)
	}
	if err := s.AppendFacts(t.Context(), "f", manyFacts(2000)); err != nil {
		t.Fatal(err)
	}
	r, err := s.Report(t.Context(), report.Query{From: benchStart(), To: benchStart().AddDate(0, 0, 1)})
	if err != nil || r.Total.Leads != 2000 {
		t.Fatalf("%d leads, %v; want 2000", r.Total.Leads, err)
	}
}

func manyFacts(n int) []report.Fact {
	facts := make([]report.Fact, n)
	for i := range facts {
		facts[i] = report.Fact{ID: int64(i + 1), Time: benchStart().UnixMilli() + int64(i), Leads: 1, AffiliateID: int64(i)}
	}
	return facts
}

func TestLocked(t *testing.T) {
	s := openTest(t, func(o *Options) { o.busyTimeout = time.Millisecond })
	other, err := sql.Open("sqlite", dsn(s.path, []string{"busy_timeout(5000)"}, "immediate"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	tx, err := other.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = s.AppendClicks(t.Context(), "0", numbered(t, 0))
	if err == nil || !strings.Contains(err.Error(), "another process holds "+s.path) {
		t.Errorf("%v; want an error that says who is in the way", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.AppendClicks(t.Context(), "0", numbered(t, 0)); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, s)
}

// Damage is an error that says so, never a wrong figure.
func TestDamage(t *testing.T) {
	for name, query := range map[string]string{
		"cut column":     "UPDATE columns SET data = substr(data, 1, length(data) - 1) WHERE key & 63 = 34",
		"lost column":    "DELETE FROM columns WHERE key & 63 = 34",
		"wrong rows":     "UPDATE blocks SET rows = rows - 1",
		"wrong index":    "UPDATE columns SET data = x'0101' || substr(data, 3) WHERE key & 63 = 2",
		"huge row count": "UPDATE blocks SET rows = 1 << 40",
	} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, nil)
			for n := range 2 {
				if err := s.AppendClicks(t.Context(), strconv.Itoa(n), numbered(t, n)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.write.ExecContext(t.Context(), query); err != nil {
				t.Fatal(err)
			}
			_, err := s.Report(t.Context(), report.Query{From: benchStart(), To: benchStart().AddDate(0, 0, 1), GroupBy: report.Link})
			if !errors.Is(err, errColumn) || !strings.Contains(err.Error(), "restore the file from a backup") {
				t.Errorf("%v; want an error that says the file is damaged", err)
			}
		})
	}
}

// What durability and speed rest on is set on every connection.
func TestPragmas(t *testing.T) {
	s := openTest(t, nil)
	for name, db := range map[string]*sql.DB{"writer": s.write, "reader": s.read} {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "page_size": "8192"} {
			var got string
			if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %s is %s, %v; want %s", name, pragma, got, err, want)
			}
		}
	}
	if _, err := s.read.ExecContext(t.Context(), "DELETE FROM blocks"); err == nil {
		t.Error("a reader can write")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options Options
		want    string
	}{
		"no path":            {Options{}, "no path"},
		"negative retention": {Options{Path: filepath.Join(dir, "a"), Retention: -1}, "set 0"},
		"no folder":          {Options{Path: filepath.Join(dir, "none", "a")}, "check owner and permissions"},
		"no database":        {Options{Path: garbage}, "restore the file"},
	} {
		if s, err := Open(t.Context(), c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want an error with %q", name, s, err, c.want)
		}
	}
}
