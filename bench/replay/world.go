package replay

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
)

// program is one of the run's programs, with its rules as they are created.
type program struct {
	Name       string
	ID         string // as the API writes it
	Currency   string
	ClickParam string
	Secret     string // of its postbacks
	Browser    string // browser_conversions

	MinAmount, MaxAmount int64 // of the sales that are drawn, minor units

	SaleBP      int64 // commission on a sale, basis points; 0: not by share
	SaleFlat    int64 // commission on a sale, minor units; 0: not flat
	LeadFlat    int64 // commission on a lead, minor units; 0: none
	FavouriteBP int64 // as SaleBP, for affiliate 0 alone; 0: no rule of its own
}

type affiliate struct {
	Name string
	ID   string
}

type replayLink struct {
	Key         string
	Slug        string
	ID          string
	Affiliate   int // index into world.Affiliates
	Program     int // index into world.Programs
	Destination string
}

// world is what a run created in the system. It depends on the log and the options but for the ids that the system
// gave, and is kept in the journal.
type world struct {
	Run        string
	Programs   []program
	Affiliates []affiliate
	Links      []replayLink

	index map[string]int // of Links, by Key
}

// programs covers what rules and currencies can be: a share with an own share for one affiliate, zero, two and three
// decimals, flat amounts, a lead without a rule, a click parameter of its own, leads from browsers. All hold for longer
// than a replay takes, so every commission is still pending at its end.
func programs() []program {
	return []program{
		{Name: "share", Currency: "INR", ClickParam: "click_id", Browser: "leads", MinAmount: 49_900, MaxAmount: 1_499_999,
			SaleBP: 7_500, FavouriteBP: 8_000, LeadFlat: 2_550},
		{Name: "yen", Currency: "JPY", ClickParam: "click_id", Browser: "off", MinAmount: 500, MaxAmount: 50_000,
			SaleBP: 3_333, LeadFlat: 120},
		{Name: "flat", Currency: "KWD", ClickParam: "ref", Browser: "leads", MinAmount: 9_001, MaxAmount: 99_999,
			SaleFlat: 1_251},
	}
}

// newWorld reads the log once and lays out what it needs. Once maxLinks keys are known, others share their links.
func newWorld(ctx context.Context, run string, opts *Options) (*world, logStats, error) {
	w := &world{Run: run, Programs: programs(), index: map[string]int{}}
	for i := range opts.Affiliates {
		w.Affiliates = append(w.Affiliates, affiliate{Name: fmt.Sprintf("Replay %s affiliate %d", run, i+1)})
	}
	stats, err := forEachLine(ctx, opts.Log, opts.MaxLines, func(_ int, l *logLine) error {
		key := linkKey(l.path())
		if _, known := w.index[key]; known || len(w.Links) >= opts.Links {
			return nil
		}
		w.addLink(key)
		return nil
	})
	if err != nil {
		return nil, stats, err
	}
	if len(w.Links) == 0 {
		return nil, stats, fmt.Errorf("log %s has no line in combined format (%d malformed)", opts.Log, stats.Malformed)
	}
	return w, stats, nil
}

func (w *world) addLink(key string) {
	i := len(w.Links)
	l := replayLink{
		Key:       key,
		Slug:      slug(w.Run, key, i),
		Affiliate: int(draw("affiliate", key) % uint64(len(w.Affiliates))),
		Program:   pick(draw("program", key), []int{0, 0, 1, 2}),
	}
	l.Destination = fmt.Sprintf("https://shop.example/replay/%d", i)
	if draw("destination", key)%4 == 0 {
		l.Destination += "?item=" + fmt.Sprint(i) + "&who={sub1}"
	}
	w.Links = append(w.Links, l)
	w.index[key] = i
}

// linkOf is the link that stands for a key.
func (w *world) linkOf(key string) int {
	if i, ok := w.index[key]; ok {
		return i
	}
	return int(draw("shared link", key) % uint64(len(w.Links)))
}

// reindex restores what is not kept in the journal.
func (w *world) reindex() {
	w.index = make(map[string]int, len(w.Links))
	for i := range w.Links {
		w.index[w.Links[i].Key] = i
	}
}

// logSum identifies the content of a file, so that a journal is not continued with another log.
func logSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open log: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read log %s: %w", path, err)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
