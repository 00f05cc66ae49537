package replay

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// Defaults and limits of Options.
const (
	DefaultConvert    = 50 // permille
	DefaultAffiliates = 25
	DefaultLinks      = 250
	DefaultSettle     = time.Minute
	maxConvert        = 1000
	maxAffiliates     = 1000
	maxLinks          = 5000
	maxConcurrency    = 64
	maxRunID          = 16 // characters
	requestTimeout    = 15 * time.Second
	maxBadAnswers     = 1000 // then a replay ends early: the system does not work
	maxDetails        = 10   // differences of one comparison that are told in detail
	clicksPage        = 1000
)

// Options say what to replay into which system.
type Options struct {
	Log     string   // access log in combined format, plain or gzip
	Tracker string   // base URL of the tracker's public listener
	Core    string   // base URL of the core
	Ops     []string // base URLs of the private listeners of all processes; each has /metrics. Empty: metrics are not compared
	Token   string   // API token with the admin scope

	Speed       float64 // times the log's own pace; 0: as fast as answers come
	Convert     int     // share of clicks that convert, permille; 0: none
	Affiliates  int     // 0: DefaultAffiliates
	Links       int     // at most so many links; 0: DefaultLinks
	Concurrency int     // connections; a client's lines stay on one of them, in order. 0: 1, so all lines are in order
	MaxLines    int     // replay the first lines only; 0: all

	RunID  string        // marks what this run creates: a-z and 0-9; empty: random
	Resume string        // journal file: continued if it exists, else created; empty: a replay that stops cannot go on
	Settle time.Duration // how long the reports may take to catch up; 0: DefaultSettle

	SummaryFile string    // JSON summary is written there; empty: nowhere
	Out         io.Writer // progress and tables; nil: nowhere
}

func (o *Options) validate() error {
	if o.Log == "" {
		return errors.New("replay: name the access log (--log FILE)")
	}
	for _, u := range append([]string{o.Tracker, o.Core}, o.Ops...) {
		if parsed, err := url.Parse(u); err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
			return fmt.Errorf("replay: %q is not an http(s) URL; tracker and core are needed", u)
		}
	}
	if o.Token == "" {
		return errors.New("replay: an admin token is needed (EDGEREF_ADMIN_TOKEN)")
	}
	for _, limit := range []struct {
		name        string
		value       *int
		byDefault   int
		lowest, top int
	}{
		{"convert", &o.Convert, 0, 0, maxConvert},
		{"affiliates", &o.Affiliates, DefaultAffiliates, 1, maxAffiliates},
		{"links", &o.Links, DefaultLinks, 1, maxLinks},
		{"concurrency", &o.Concurrency, 1, 1, maxConcurrency},
		{"lines", &o.MaxLines, 0, 0, 1 << 30},
	} {
		if *limit.value == 0 {
			*limit.value = limit.byDefault
		}
		if *limit.value < limit.lowest || *limit.value > limit.top {
			return fmt.Errorf("replay: %s must be %d to %d", limit.name, limit.lowest, limit.top)
		}
	}
	if len(o.RunID) > maxRunID || strings.Trim(o.RunID, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return fmt.Errorf("replay: the run id must be at most %d of a-z and 0-9", maxRunID)
	}
	if o.Speed < 0 || o.Settle < 0 {
		return errors.New("replay: speed and settle must not be negative")
	}
	if o.Settle == 0 {
		o.Settle = DefaultSettle
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	return nil
}

// Errors of Run, for errors.Is.
var (
	// ErrDifferences says that the replay went through and something does not match.
	ErrDifferences = errors.New("the system's figures differ from the log's")
	// ErrStopped says that the replay ended before the last line. With a journal, running it again continues it.
	ErrStopped = errors.New("the replay stopped")
)

// Summary is what a replay did and found.
type Summary struct {
	Run         string        `json:"run"`
	Lines       int           `json:"lines"`
	Malformed   int           `json:"malformed"`
	Sent        int           `json:"sent"`       // requests of this part, clicks only
	Clicks      int           `json:"clicks"`     // answered with a Click ID, all parts of the replay
	Unanswered  int           `json:"unanswered"` // clicks that were recorded although their answer never came
	Conversions int           `json:"conversions"`
	Elapsed     time.Duration `json:"elapsed_ns"` // of sending
	Checks      []Check       `json:"checks"`
}

// Differences adds up those of all checks.
func (s *Summary) Differences() int {
	n := 0
	for _, c := range s.Checks {
		n += c.Differences
	}
	return n
}

// Check is one comparison.
type Check struct {
	Name        string   `json:"name"`
	Groups      int      `json:"groups"`   // rows or items compared
	Expected    int64    `json:"expected"` // sum over what is counted: clicks, or what the name says
	Got         int64    `json:"got"`
	Differences int      `json:"differences"`
	Details     []string `json:"details,omitempty"` // of the first differences
}

func (c *Check) differ(format string, args ...any) {
	c.Differences++
	if len(c.Details) < maxDetails {
		c.Details = append(c.Details, fmt.Sprintf(format, args...))
	}
}
