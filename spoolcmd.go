package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/tracker/spool"
	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
)

// spoolKind is one of a tracker's two spools, with the form of its records.
type spoolKind struct {
	name   string
	decode func(payload string) (any, error)
}

func spoolKinds() []spoolKind {
	return []spoolKind{
		{"clicks", func(payload string) (any, error) {
			r, err := click.Parse(payload)
			if err != nil {
				return nil, err
			}
			return struct {
				ClickID string    `json:"click_id"`
				Time    time.Time `json:"time"`
				click.Record
				ID struct{} `json:"-"` // hides the binary form
			}{ClickID: r.ID.String(), Time: time.UnixMilli(r.ID.UnixMilli()).UTC(), Record: r}, nil
		}},
		{"conversions", func(payload string) (any, error) { return conversion.Parse([]byte(payload)) }},
	}
}

// spoolCommands let an operator look into a tracker's spools, and put back what was set aside.
func (p *program) spoolCommands() *cobra.Command {
	parent := &cobra.Command{Use: "spool", Short: "Look into the spools of a data directory, and requeue what was set aside"}
	for _, c := range []struct {
		use, short string
		run        func(*config.Config, []spoolKind) error
	}{
		{"ls", "List segments, what is pending, and what is in quarantine and why", p.listSpools},
		{"cat", "Print records that are pending or in quarantine, one JSON object a line", p.printSpools},
		{"requeue", "Put records from quarantine that can be read back into the queue; the tracker must be stopped", p.requeueSpools},
	} {
		loader, only := config.NewLoader(), ""
		cmd := &cobra.Command{Use: c.use, Short: c.short, Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
			cfg, err := loader.Load(config.Any, p.environ)
			if err != nil {
				return err
			}
			kinds, err := chooseSpools(cfg.Data, only)
			if err != nil {
				return err
			}
			return c.run(cfg, kinds)
		}}
		cmd.Flags().StringVar(&only, "spool", "", "only this one: clicks or conversions")
		loader.AddFlags(cmd.Flags())
		cmd.Flags().SortFlags = false
		parent.AddCommand(cmd)
	}
	return parent
}

// chooseSpools returns the spools that are there, of those asked for.
func chooseSpools(data, only string) ([]spoolKind, error) {
	var found []spoolKind
	known := only == ""
	for _, k := range spoolKinds() {
		known = known || k.name == only
		if only != "" && k.name != only {
			continue
		}
		if _, err := os.Stat(spoolDir(data, k.name)); err == nil {
			found = append(found, k)
		} else if !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("look for spool: %w", err)
		}
	}
	switch {
	case !known:
		return nil, fmt.Errorf("--spool %q is not clicks or conversions", only)
	case len(found) == 0:
		return nil, fmt.Errorf("there is no spool in %s: --data names the data directory of a tracker or of serve", filepath.Join(data, "spool"))
	}
	return found, nil
}

func spoolDir(data, name string) string { return filepath.Join(data, "spool", name) }

func (p *program) listSpools(c *config.Config, kinds []spoolKind) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, k := range kinds {
		l, err := spool.List(spoolDir(c.Data, k.name))
		if err != nil {
			return fmt.Errorf("list %s: %w", k.name, err)
		}
		fmt.Fprintf(w, "%s: %d pending records in %d segments, %d files in quarantine\n", k.name, l.Pending, len(l.Segments), len(l.Quarantine))
		for _, s := range l.Segments {
			state := ""
			if s.Damaged {
				state = "damaged"
			}
			fmt.Fprintf(w, "  segment %d\t%d bytes\t%d pending\t%s\t%s\n", s.Number, s.Bytes, s.Pending, s.CreatedAt.Format(time.RFC3339), state)
		}
		for _, q := range l.Quarantine {
			if q.Records == 0 {
				fmt.Fprintf(w, "  quarantine/%s\t%d bytes\tbytes that do not verify\n", q.Name, q.Bytes)
				continue
			}
			for i, reason := range q.Reasons {
				what := ""
				if i == 0 {
					what = fmt.Sprintf("%d records", q.Records)
				}
				fmt.Fprintf(w, "  quarantine/%s\t%s\t%s\n", q.Name, what, reason)
			}
		}
	}
	return w.Flush()
}

// spoolLine is one record as cat prints it.
type spoolLine struct {
	Spool   string `json:"spool"`
	State   string `json:"state"` // pending, quarantined, or quarantined_pending while its batch is not done with
	Segment uint64 `json:"segment,omitempty"`
	Seq     uint64 `json:"seq"`
	File    string `json:"file,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Record  any    `json:"record,omitempty"`
	Raw     []byte `json:"raw_base64,omitempty"` // of what cannot be decoded
	Error   string `json:"error,omitempty"`
}

func (p *program) printSpools(c *config.Config, kinds []spoolKind) error {
	out := json.NewEncoder(p.stdout)
	out.SetEscapeHTML(false)
	for _, k := range kinds {
		dir := spoolDir(c.Data, k.name)
		print := func(line spoolLine, payload string) error {
			line.Spool = k.name
			record, err := k.decode(payload)
			if err != nil {
				line.Raw, line.Error = []byte(payload), err.Error()
			} else {
				line.Record = record
			}
			return out.Encode(line)
		}
		err := spool.Records(dir, func(segment, seq uint64, payload string) error {
			return print(spoolLine{State: "pending", Segment: segment, Seq: seq}, payload)
		})
		if err == nil {
			err = spool.Quarantined(dir, func(r spool.QuarantinedRecord) error {
				state := "quarantined"
				if r.Pending {
					state = "quarantined_pending"
				}
				return print(spoolLine{State: state, Seq: r.Seq, File: r.File, Reason: r.Reason}, r.Payload)
			})
		}
		if err != nil {
			return fmt.Errorf("print %s: %w", k.name, err)
		}
	}
	return nil
}

func (p *program) requeueSpools(c *config.Config, kinds []spoolKind) error {
	for _, k := range kinds {
		done, err := spool.Requeue(spool.Options{
			Dir: spoolDir(c.Data, k.name), Name: k.name, SegmentBytes: int64(c.Spool.SegmentBytes), MaxBytes: int64(c.Spool.MaxBytes),
		}, func(payload string) error {
			_, err := k.decode(payload)
			return err
		})
		total := 0
		for _, r := range done {
			total += r.Requeued
			switch {
			case r.Pending:
				fmt.Fprintf(p.stdout, "%s: %s belongs to a batch that is still being delivered: left alone\n", k.name, r.File)
			case r.Kept > 0:
				fmt.Fprintf(p.stdout, "%s: %s: %d records cannot be read and stay in quarantine\n", k.name, r.File, r.Kept)
			}
		}
		if err != nil {
			return fmt.Errorf("requeue %s: %w", k.name, err)
		}
		fmt.Fprintf(p.stdout, "%s: %d records requeued\n", k.name, total)
	}
	return nil
}
