// Package node defines what an edge node says of itself.
package node

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of a Status.
const (
	MaxBody   = 16 << 10 // bytes, as JSON
	maxText   = 64       // bytes
	maxError  = 500      // bytes
	maxSpools = 8
)

// Status is what an edge node says of itself every few seconds. Times are Unix ms of its own clock.
type Status struct {
	Node      int     `json:"node"`     // its number, 1 to 65535
	Instance  string  `json:"instance"` // of this start of the process, random
	Version   string  `json:"version"`
	StartedAt int64   `json:"started_at"`
	SentAt    int64   `json:"sent_at"`
	Feed      Feed    `json:"feed"`
	Spools    []Spool `json:"spools"`
}

// Feed is how a node follows the changes of links.
type Feed struct {
	ID        string `json:"id"`
	Cursor    int64  `json:"cursor"` // revision of the catalogue up to which it has everything
	Connected bool   `json:"connected"`
	LagMS     int64  `json:"lag_ms"` // how long ago it last had everything; 0: it has
	Links     int64  `json:"links"`  // that it knows
	Error     string `json:"error"`  // of the last request that failed; empty: it went well
}

// Spool is one of its queues on disk.
type Spool struct {
	Name            string `json:"name"` // clicks or conversions
	Appended        uint64 `json:"appended"`
	Delivered       uint64 `json:"delivered"`
	Quarantined     uint64 `json:"quarantined"`
	Pending         uint64 `json:"pending"`
	PendingBytes    int64  `json:"pending_bytes"`
	OldestMS        int64  `json:"oldest_ms"` // age of the oldest record that is pending
	DiskBytes       int64  `json:"disk_bytes"`
	LimitBytes      int64  `json:"limit_bytes"`
	Full            bool   `json:"full"`
	Stalled         bool   `json:"stalled"` // the disk does not answer
	Error           string `json:"error"`   // of the last write; empty: it went well
	LastDeliveredAt int64  `json:"last_delivered_at"`
}

// Cut shortens a text to what a Status may hold as an error.
func Cut(text string) string {
	if len(text) <= maxError {
		return text
	}
	return strings.ToValidUTF8(text[:maxError], "")
}

// Validate reports the first thing that a Status must not be.
func (s *Status) Validate() error {
	if s.Node < 1 || s.Node > 65535 {
		return errors.New("node must be 1 to 65535")
	}
	if s.Instance == "" {
		return errors.New("instance is missing")
	}
	if len(s.Spools) > maxSpools {
		return fmt.Errorf("more than %d spools", maxSpools)
	}
	texts := []string{s.Instance, s.Version, s.Feed.ID}
	long := []string{s.Feed.Error}
	for i := range s.Spools {
		texts, long = append(texts, s.Spools[i].Name), append(long, s.Spools[i].Error)
	}
	for _, t := range texts {
		if len(t) > maxText || !utf8.ValidString(t) {
			return fmt.Errorf("a name is longer than %d bytes, or no text", maxText)
		}
	}
	for _, t := range long {
		if len(t) > maxError || !utf8.ValidString(t) {
			return fmt.Errorf("an error is longer than %d bytes, or no text", maxError)
		}
	}
	return nil
}
