package chaos

import (
	"database/sql"
	"net/http"
	"strconv"
	"strings"
	"time"

	_ "github.com/go-sql-driver/mysql"
)

// histories restores the core's database to an older state while the edge keeps what it knows: with the identity of the
// feed renewed, as the manual says, and without.
func (s *world) histories() {
	dsn, _ := strings.CutPrefix(s.dsn, "mysql:")
	books, err := sql.Open("mysql", dsn)
	s.must(err)
	defer books.Close()
	for fault, identity := range map[string]string{
		"link snapshot of another feed":              "DELETE FROM meta WHERE name = 'feed_id'",
		"link snapshot ahead of a restored database": "",
	} {
		r := s.scenario(fault, func(*traffic) {
			pass(300 * time.Millisecond)
			slug := "lost-" + s.lostLink(books, identity)
			s.tracker.Ready()
			s.core.Ready()
			waitFor(s.t, 20*time.Second, func() bool { return status(s.tracker.Tracker+"/"+slug) != http.StatusFound },
				func() string {
					return "a link that the restored database does not have still redirects\n" + s.tracker.Output.String()
				})
			if n, _ := s.tracker.Metric("edgeref_tracker_links_feed_resyncs_total", ""); n == 0 {
				s.t.Errorf("%s: the links were not copied afresh: the test shows nothing", fault)
			}
			pass(300 * time.Millisecond)
		})
		if r.WithoutID > 0 {
			s.t.Errorf("%s: redirects without Click ID: %+v", fault, r)
		}
	}
}

// lostLink makes a link that is the newest change of the catalogue, lets the edge's snapshot have it, and takes it out
// of the database together with its revision, as restoring a backup does. It returns the end of its slug.
func (s *world) lostLink(books *sql.DB, identity string) string {
	s.t.Helper()
	exec := func(query string, args ...any) { s.t.Helper(); _, err := books.Exec(query, args...); s.must(err) }
	revision := func() (rev int64) {
		s.must(books.QueryRow("SELECT rev FROM catalog_revision").Scan(&rev))
		return rev
	}
	s.scenarios++
	name := "lost-" + strconv.Itoa(s.scenarios)
	before := revision()
	var affiliate struct {
		ID string `json:"id"`
	}
	s.call(http.MethodPost, "/affiliates", map[string]any{"name": name, "email": name + "@example.com"}, &affiliate)
	s.call(http.MethodPost, "/links", map[string]any{
		"affiliate_id": affiliate.ID, "program_id": s.program, "slug": name, "destination": "https://shop.example.com/lost",
	}, nil)
	waitFor(s.t, 10*time.Second, func() bool {
		lag, ok := s.tracker.Metric("edgeref_tracker_links_feed_lag_seconds", "")
		return ok && lag == 0
	},
		func() string { return "the feed does not bring the link" })
	s.tracker.Terminate() // saves the snapshot
	s.core.Terminate()
	exec("DELETE FROM links WHERE slug = ?", name)
	exec("UPDATE catalog_revision SET rev = ?", before)
	if identity != "" {
		exec(identity)
	}
	s.tracker.Start()
	if status(s.tracker.Tracker+"/"+name) != http.StatusFound {
		s.t.Error("the snapshot does not have the link: the test shows nothing")
	}
	s.core.Start()
	return strconv.Itoa(s.scenarios)
}
