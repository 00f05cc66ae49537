package chaos

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// row is one line of the table: a fault, and all its rounds together.
type row struct {
	Fault         string  `json:"fault"`
	Rounds        int     `json:"rounds"`
	Seconds       float64 `json:"seconds"`
	Clicks        int     `json:"clicks_sent"` // that were answered with a Click ID
	Stored        int     `json:"clicks_stored"`
	LostClicks    int     `json:"clicks_lost"`
	DoubledClicks int     `json:"clicks_doubled"`
	Sales         int     `json:"sales_sent"` // that were acknowledged
	Booked        int     `json:"sales_booked"`
	LostSales     int     `json:"sales_lost"`
	DoubledSales  int     `json:"sales_doubled"`
	Unanswered    int     `json:"unanswered"` // requests; what they were about may be there or not
	WithoutID     int     `json:"without_click_id"`
	LostAllowed   string  `json:"lost_allowed,omitempty"` // why lost clicks are not a failure
	LeftOut       string  `json:"left_out,omitempty"`     // why the fault could not be caused
}

func (r *row) add(o *row) {
	for _, n := range []struct{ to, from *int }{
		{&r.Rounds, &o.Rounds}, {&r.Clicks, &o.Clicks}, {&r.Stored, &o.Stored}, {&r.LostClicks, &o.LostClicks},
		{&r.DoubledClicks, &o.DoubledClicks}, {&r.Sales, &o.Sales}, {&r.Booked, &o.Booked}, {&r.LostSales, &o.LostSales},
		{&r.DoubledSales, &o.DoubledSales}, {&r.Unanswered, &o.Unanswered}, {&r.WithoutID, &o.WithoutID},
	} {
		*n.to += *n.from
	}
	r.Seconds += o.Seconds
	r.LostAllowed, r.LeftOut = o.LostAllowed, o.LeftOut
}

// results is the file that runs add to.
type results struct {
	Commit  string `json:"commit"`
	Machine string `json:"machine"`
	Day     string `json:"day"`
	Seeds   []int  `json:"seeds"`
	Faults  []row  `json:"faults"`
}

// merge adds rows to those of the same fault, in the order in which faults came.
func merge(rows, more []row) []row {
	for i := range more {
		known := false
		for j := range rows {
			if rows[j].Fault == more[i].Fault {
				rows[j].add(&more[i])
				known = true
			}
		}
		if !known {
			rows = append(rows, more[i])
		}
	}
	return rows
}

// print writes the table to the test's log, and to standard error where it is seen without -v; with
// EDGEREF_CHAOS_RESULTS it adds it to that file.
func (s *world) print(t *testing.T, seed int64) {
	rows := merge(nil, s.table)
	text := table(rows)
	t.Log(text)
	fmt.Fprintln(os.Stderr, text)
	path := os.Getenv("EDGEREF_CHAOS_RESULTS")
	if path == "" || t.Failed() {
		return
	}
	var r results
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	commit, err := exec.Command("git", "describe", "--tags", "--always", "--dirty").Output()
	if err != nil {
		t.Fatal(err)
	}
	r.Commit, r.Day = strings.TrimSpace(string(commit)), time.Now().UTC().Format(time.DateOnly)
	r.Machine = fmt.Sprintf("%d cores, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	r.Seeds, r.Faults = append(r.Seeds, int(seed)), merge(r.Faults, rows)
	if b, err = json.MarshalIndent(&r, "", " "); err == nil {
		err = os.WriteFile(path, append(b, '\n'), 0o644)
	}
	if err == nil {
		err = os.WriteFile(strings.TrimSuffix(path, ".json")+".md", []byte(r.markdown()), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// markdown is the file for people.
func (r *results) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What was broken, and what was left\n\nCommit %s, %s, %s. Made by `make chaos-long`; see `test/DESIGN.md`.\n\n", r.Commit, r.Day, r.Machine)
	b.WriteString("*Sent* are clicks that were answered with a Click ID, and sales that were acknowledged. Of requests without an answer, some were recorded and some not.\n\n")
	b.WriteString("| fault | rounds | clicks sent | stored | lost | doubled | sales sent | booked | lost | doubled | no answer | no Click ID |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	var sum row
	for i := range r.Faults {
		f := &r.Faults[i]
		if f.LeftOut != "" {
			fmt.Fprintf(&b, "| %s | left out: %s |\n", f.Fault, f.LeftOut)
			continue
		}
		lost := fmt.Sprint(f.LostClicks)
		if f.LostAllowed != "" {
			lost += " (" + f.LostAllowed + ")"
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %s | %d | %d | %d | %d | %d | %d | %d |\n", f.Fault, f.Rounds, f.Clicks, f.Stored, lost, f.DoubledClicks,
			f.Sales, f.Booked, f.LostSales, f.DoubledSales, f.Unanswered, f.WithoutID)
		sum.add(f)
	}
	fmt.Fprintf(&b, "| **all** | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d |\n", sum.Rounds, sum.Clicks, sum.Stored, sum.LostClicks, sum.DoubledClicks,
		sum.Sales, sum.Booked, sum.LostSales, sum.DoubledSales, sum.Unanswered, sum.WithoutID)
	return b.String()
}

func table(rows []row) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nfault\trounds\tclicks sent\tstored\tlost\tdoubled\tsales sent\tbooked\tlost\tdoubled\tunanswered\twithout ID")
	for _, r := range rows {
		if r.LeftOut != "" {
			fmt.Fprintf(w, "%s\tLEFT OUT: %s\n", r.Fault, r.LeftOut)
			continue
		}
		lost := fmt.Sprint(r.LostClicks)
		if r.LostAllowed != "" {
			lost += " (" + r.LostAllowed + ")"
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", r.Fault, r.Rounds, r.Clicks, r.Stored, lost, r.DoubledClicks,
			r.Sales, r.Booked, r.LostSales, r.DoubledSales, r.Unanswered, r.WithoutID)
	}
	w.Flush()
	return b.String()
}
