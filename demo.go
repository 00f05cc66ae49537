package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/spf13/cobra"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/demo"
	"github.com/edgeref/edgeref/core/kyc"
	"github.com/edgeref/edgeref/core/secret"
	"github.com/edgeref/edgeref/wire/click"
)

// demoFile is what a shell can read to play with the demo. It holds what cannot be found out again, so it is written
// anew at each start with the addresses of that start.
const demoFile = "demo.env"

// demoPart is the demo of a process, as far as it must be shown.
type demoPart struct {
	values map[string]string // of demo.env
}

// makeDemo fills the core's empty database and analytics before anything runs on them, or finds the demo of an earlier
// start.
func (p *program) makeDemo(ctx context.Context, e *environment, keys *click.Keyring, store analyticsStore) (*demoPart, error) {
	// First of all: an address that is taken should not be found out after half a minute of work, and mails name it.
	if err := e.openCoreListener(); err != nil {
		return nil, err
	}
	c := e.config
	database, err := db.Open(ctx, c.CoreDSN(), db.Options{Scratch: true})
	if err != nil {
		return nil, fmt.Errorf("open core database: %w", err)
	}
	defer database.Close()
	if err := database.Migrate(ctx); err != nil {
		return nil, fmt.Errorf("core database: %w", err)
	}
	state, err := demo.ReadState(ctx, database)
	if err != nil {
		return nil, err
	}
	if state == demo.Made {
		values, err := readDemoFile(c.Data)
		return &demoPart{values: values}, err
	}
	values := map[string]string{"DEMO_PASSWORD": newDemoSecret(10), "DEMO_TOTP_SECRET": newDemoSecret(20)}
	options, done, err := e.demoOptions(ctx, database, keys, store)
	if err != nil {
		return nil, err
	}
	defer done()
	if c.DemoSize == "small" {
		options.Size = demo.Small()
	}
	options.Password, options.Factor, options.Progress = values["DEMO_PASSWORD"], values["DEMO_TOTP_SECRET"], p.showProgress()
	made, err := demo.Make(ctx, options)
	if err != nil {
		return nil, demoError(c.Data, err)
	}
	for _, who := range demo.Cast() {
		values[who.Variable] = who.Email
	}
	values["EDGEREF_ADMIN_TOKEN"], values["AUTH"] = made.AdminToken, "Authorization: Bearer "+made.AdminToken
	values["REPORTS_TOKEN"], values["POSTBACK_SECRET"] = made.ReportsToken, made.PostbackSecret
	return &demoPart{values: values}, writeDemoFile(c.Data, values)
}

// demoOptions sets the demo up as the core will be that runs on it. done is called after it.
func (e *environment) demoOptions(ctx context.Context, database *db.DB, keys *click.Keyring, store analyticsStore) (o demo.Options, done func(), err error) {
	c := e.config
	ring, err := secret.NewRing(c.Core.EncryptionKeys)
	if err != nil {
		return o, nil, err
	}
	if err := ring.Prove(ctx, database); err != nil {
		return o, nil, err
	}
	policy, err := payoutPolicy(c)
	if err != nil {
		return o, nil, err
	}
	required, err := config.Required(c.Payout.KYCRequired)
	if err != nil {
		return o, nil, fmt.Errorf("payout.kyc_required: %w", err)
	}
	bills, err := invoices(&c.Shop)
	if err != nil {
		return o, nil, err
	}
	bucket, err := kyc.OpenBucket(ctx, c.KYC.Bucket, filepath.Join(c.Data, "kyc"))
	if err != nil {
		return o, nil, fmt.Errorf("kyc.bucket: %w", err)
	}
	return demo.Options{
		DB: database, Ring: ring, Keys: keys, Analytics: store, Bucket: bucket, Passwords: hasher(c.Account, nil), Now: time.Now,
		Logger: e.log.With("part", "demo"), URL: e.publicURL, Site: c.Mail.Site, ReturnURL: e.returnURL(), Seller: seller(&c.Shop), Invoices: bills,
		Policy: policy, Payer: c.Payout.Payer, Required: required, AdminToken: c.Core.AdminToken,
	}, func() { _ = bucket.Close() }, nil
}

// showProgress prints how far the demo is, at most every two seconds, on lines of their own: they may go to a file.
func (p *program) showProgress() func(float64, string) {
	var last time.Time
	return func(part float64, what string) {
		if now := time.Now(); now.Sub(last) >= 2*time.Second || part == 1 {
			last = now
			fmt.Fprintf(p.stdout, "demo %3.0f %%  %s\n", 100*part, what)
		}
	}
}

// demoConfig names the demo's business, wherever the configuration has not named another.
func demoConfig(c *config.Config) {
	set := func(into *string, unset, value string) {
		if *into == unset {
			*into = value
		}
	}
	const name = "Nimbak Academy"
	if s := &c.Shop.Seller; s.Name == "" && s.TaxID == "" && s.Country == "IN" && s.State == "" {
		s.Address, s.State, s.TaxID = "12, Lake Road|Bengaluru 560034", "KA", "29AAXCN0000D1ZO"
	}
	set(&c.Shop.Seller.Name, "", name)
	set(&c.Shop.Seller.Email, "", "support@"+demo.Domain)
	set(&c.Mail.Site, "Edgeref", name)
	set(&c.Payout.Payer, "Edgeref", name)
}

// demoError says what to do about data that is in the way.
func demoError(data string, err error) error {
	switch {
	case errors.Is(err, demo.ErrForeign):
		return fmt.Errorf("--demo: %s %w: start without --demo, or name an empty directory with --data", data, err)
	case errors.Is(err, demo.ErrHalf):
		return halfDemo(data)
	}
	return fmt.Errorf("%w; before another try, remove %s", err, data)
}

func halfDemo(data string) error {
	return fmt.Errorf("%s %w: remove it, and start with --demo again", data, demo.ErrHalf)
}

// findDemo notes whether the database of a core holds the demo, so that pages can say so.
func (e *environment) findDemo(ctx context.Context, database *db.DB) error {
	state, err := demo.ReadState(ctx, database)
	if err != nil {
		return err
	}
	if state == demo.Making {
		return halfDemo(e.config.Data)
	}
	e.demo = state == demo.Made
	return nil
}

// newDemoSecret is n random bytes that people can type.
func newDemoSecret(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

// readDemoFile reads what writeDemoFile wrote.
func readDemoFile(data string) (map[string]string, error) {
	b, err := os.ReadFile(filepath.Join(data, demoFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is gone, and with it the password of the demo in %s: start without --demo, or remove %s for a new demo", demoFile, data, data)
	}
	if err != nil {
		return nil, fmt.Errorf("read demo: %w", err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(b)) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if ok {
			values[name] = strings.Trim(value, "'")
		}
	}
	return values, nil
}

// demoNames are the variables of demo.env in their order.
func demoNames() []string {
	names := []string{"TRACKER", "CORE", "OPS", "EDGEREF_ADMIN_TOKEN", "REPORTS_TOKEN", "POSTBACK_SECRET", "AUTH", "DEMO_PASSWORD", "DEMO_TOTP_SECRET"}
	for _, who := range demo.Cast() {
		names = append(names, who.Variable)
	}
	return names
}

func writeDemoFile(data string, values map[string]string) error {
	var b strings.Builder
	for _, name := range demoNames() {
		fmt.Fprintf(&b, "export %s='%s'\n", name, values[name])
	}
	if err := writeDurably(filepath.Join(data, demoFile), []byte(b.String())); err != nil {
		return fmt.Errorf("keep demo: %w", err)
	}
	return nil
}

// showDemo prints what to do with the demo, and keeps it for shells.
func (p *program) showDemo(c *config.Config, d *demoPart, core *corePart, tracker, ops net.Addr) error {
	d.values["TRACKER"], d.values["CORE"], d.values["OPS"] = "http://"+tracker.String(), "http://"+core.addr.String(), "http://"+ops.String()
	if err := writeDemoFile(c.Data, d.values); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "\nThis is the demo: invented people, invented money.\n\n  a link            %s/demo\n  API               %s/docs\n", d.values["TRACKER"], d.values["CORE"])
	for _, v := range [][2]string{{"admin token", "EDGEREF_ADMIN_TOKEN"}, {"reports token", "REPORTS_TOKEN"}, {"postback secret", "POSTBACK_SECRET"}} {
		fmt.Fprintf(p.stdout, "  %-17s %s\n", v[0], d.values[v[1]])
	}
	fmt.Fprintf(p.stdout, "\nSign in at %s with the password %s as\n\n", d.values["CORE"]+"/account/", d.values["DEMO_PASSWORD"])
	for _, who := range demo.Cast() {
		factor := ""
		if who.Factor {
			factor = " (second factor)"
		}
		fmt.Fprintf(p.stdout, "  %-28s %s%s\n", who.Email, who.Does, factor)
	}
	fmt.Fprintf(p.stdout, "\nA code of the second factor:  edgeref demo-code --data %s\nIn another terminal:          . %s   and then the lines in README.md.\n\n", c.Data, filepath.Join(c.Data, demoFile))
	return nil
}

// demoCodeCommand stands for the authenticator app of the demo's people.
func (p *program) demoCodeCommand() *cobra.Command {
	return p.role(config.Any, "demo-code", "Print the present code of the demo's second factor; it works once for each person, for half a minute",
		func(_ context.Context, c *config.Config, _ *slog.Logger) error {
			values, err := readDemoFile(c.Data)
			if err != nil {
				return err
			}
			code, err := totp.GenerateCode(values["DEMO_TOTP_SECRET"], time.Now())
			if err != nil {
				return fmt.Errorf("make a code from DEMO_TOTP_SECRET in %s: %w", demoFile, err)
			}
			fmt.Fprintln(p.stdout, code)
			return nil
		})
}
