package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/edgeref/edgeref/bench/demo"
	"github.com/edgeref/edgeref/config"
)

// demoFile is what a shell can read to play with the demo; it stays for the next start.
const demoFile = "demo.env"

// showDemo fills an empty system and prints what to do with it. On one that has the demo already it prints that again.
func (p *program) showDemo(ctx context.Context, c *config.Config, core *corePart, tracker, ops net.Addr) error {
	path := filepath.Join(c.Data, demoFile)
	old, err := os.ReadFile(path)
	switch {
	case err == nil:
		fmt.Fprintf(p.stdout, "\nthe demo data is here from an earlier start:\n\n%s\n", old)
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read demo: %w", err)
	case core.adminToken == "":
		fmt.Fprintf(p.stdout, "\n%s is not empty and has no demo data: --demo makes nothing here\n", c.Data)
		return nil
	}
	urls := struct{ tracker, core, ops string }{"http://" + tracker.String(), "http://" + core.addr.String(), "http://" + ops.String()}
	d, err := demo.Seed(ctx, demo.Options{Core: urls.core, Tracker: urls.tracker, AdminToken: core.adminToken})
	if err != nil {
		// The next start does not make a token, so this one must not be lost.
		p.printCore(core)
		return fmt.Errorf("make demo data: %w; for another try, remove %s", err, c.Data)
	}
	var b strings.Builder
	for _, kv := range [][2]string{
		{"TRACKER", urls.tracker}, {"CORE", urls.core}, {"OPS", urls.ops},
		{"EDGEREF_ADMIN_TOKEN", core.adminToken}, {"REPORTS_TOKEN", d.ReportsToken}, {"POSTBACK_SECRET", d.PostbackSecret},
		{"AUTH", "Authorization: Bearer " + core.adminToken},
	} {
		fmt.Fprintf(&b, "export %s='%s'\n", kv[0], kv[1])
	}
	if err := writeDurably(path, []byte(b.String())); err != nil {
		return fmt.Errorf("keep demo: %w", err)
	}
	fmt.Fprintf(p.stdout, `
demo: %d affiliates, %d links, %d clicks, %d conversions
  a link            %s/%s
  API               %s/docs
  admin token       %s
  reports token     %s
  postback secret   %s

In another terminal:  . %s   and then the lines in README.md.

`, d.Affiliates, d.Links, d.Clicks, d.Conversions, urls.tracker, d.Slug, urls.core, core.adminToken, d.ReportsToken, d.PostbackSecret, path)
	return nil
}
