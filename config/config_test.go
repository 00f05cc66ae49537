package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// load runs a loader as the command line does; file is written first unless it is empty.
func load(t *testing.T, role Role, file string, env []string, args ...string) (*Config, *Loader, error) {
	t.Helper()
	if file != "" {
		path := filepath.Join(t.TempDir(), "edgeref.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	l := NewLoader()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	l.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		return nil, nil, err
	}
	c, err := l.Load(role, env)
	return c, l, err
}

func TestDefaultsAreValidAndDocumented(t *testing.T) {
	c, l, err := load(t, Serve, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Tracker.LinkTTL != time.Minute || c.Spool.MaxBytes != 4<<30 || len(c.Tracker.TrustedProxies) != 2 {
		t.Errorf("defaults: %+v", c)
	}
	for _, s := range l.settings {
		if s.Help == "" || strings.ToLower(s.Path) != s.Path {
			t.Errorf("%s has no help text or an odd path", s.Path)
		}
		switch s.value.Interface().(type) {
		case time.Duration, Size, []string:
			if s.Unit == "" {
				t.Errorf("%s has no unit", s.Path)
			}
		}
	}
}

func TestPrecedence(t *testing.T) {
	file := "tracker:\n  listen: 127.0.0.1:1\n  node: 2\nlog: {level: warn}\n"
	env := []string{"EDGEREF_TRACKER_LISTEN=127.0.0.1:2", "EDGEREF_TRACKER_NODE=3", "PATH=/bin"}
	c, l, err := load(t, Serve, file, env, "--tracker-listen", "127.0.0.1:3")
	if err != nil {
		t.Fatal(err)
	}
	if c.Tracker.Listen != "127.0.0.1:3" || c.Tracker.Node != 3 || c.Log.Level != "warn" {
		t.Errorf("listen %s, node %d, level %s; want flag, environment, file", c.Tracker.Listen, c.Tracker.Node, c.Log.Level)
	}
	for path, source := range map[string]string{"tracker.listen": "flag", "tracker.node": "environment", "log.level": "file", "log.format": "default"} {
		if s := l.find(func(s *Setting) bool { return s.Path == path }); s.Source() != source {
			t.Errorf("%s comes from %s; want %s", path, s.Source(), source)
		}
	}
}

func TestErrorsNameTheSetting(t *testing.T) {
	for name, c := range map[string]struct {
		role Role
		file string
		env  []string
		args []string
		want []string
	}{
		"unknown key":           {file: "tracker:\n  listne: x\n", want: []string{"edgeref.yaml:2", "tracker.listne", "did you mean tracker.listen"}},
		"unknown section":       {file: "traker:\n  listen: x\n", want: []string{"edgeref.yaml:1", "traker"}},
		"unknown variable":      {env: []string{"EDGEREF_TRACKER_LISTENN=x"}, want: []string{"EDGEREF_TRACKER_LISTENN", "did you mean EDGEREF_TRACKER_LISTEN"}},
		"bad value in file":     {file: "spool:\n  max_bytes: lots\n", want: []string{":2", "spool.max_bytes", "lots", "64MiB"}},
		"bad value in variable": {env: []string{"EDGEREF_TRACKER_LINK_TTL=1"}, want: []string{"environment", "tracker.link_ttl", "duration"}},
		"bad value in flag":     {args: []string{"--tracker-node", "x"}, want: []string{"flag", "tracker.node", "whole number"}},
		"out of range":          {args: []string{"--tracker-node", "70000"}, want: []string{"tracker.node", "65535"}},
		"not a mapping":         {file: "tracker: 5\n", want: []string{"tracker", "mapping"}},
		"map for a value":       {file: "data: {a: b}\n", want: []string{"setting data", "value or a list"}},
		"set twice":             {file: "log: {level: warn}\ntracker:\n  node: 2\n  node: 3\n", want: []string{"edgeref.yaml:4", "tracker.node", "twice"}},
		"section twice":         {file: "log: {level: warn}\nlog: {format: json}\n", want: []string{"edgeref.yaml:2", "log", "twice"}},
		"two documents":         {file: "log: {level: warn}\n---\nlog: {format: json}\n", want: []string{"edgeref.yaml", "one document"}},
		"not YAML":              {file: "a: [", want: []string{"read configuration"}},
		"no such file":          {args: []string{"--config", "/does/not/exist.yaml"}, want: []string{"read configuration", "/does/not/exist.yaml"}},
		"two errors":            {args: []string{"--log-level", "loud", "--ops-listen", "x"}, want: []string{"log.level", "ops.listen"}},
		"sync too slow":         {args: []string{"--spool-sync-interval", "1s"}, want: []string{"spool.sync_interval", "100ms"}},
		"bad range":             {args: []string{"--tracker-trusted-proxies", "10.0.0.0/8,10.0.0.1"}, want: []string{"tracker.trusted_proxies", "10.0.0.1"}},
		"tracker alone":         {role: TrackerRole, want: []string{"click.keys", "edge.tokens", "tracker.core_url"}},
		"core alone":            {role: CoreRole, want: []string{"click.keys", "edge.tokens"}},
		"short token":           {env: []string{"EDGEREF_ADMIN_TOKEN=short"}, want: []string{"core.admin_token", "8 characters"}},
		"bad key":               {env: []string{"EDGEREF_CLICK_KEYS=1:nope*"}, want: []string{"click.keys", "base64"}},
		"short key":             {env: []string{"EDGEREF_CLICK_KEYS=1:c2VjcmV0"}, want: []string{"click.keys", "at least 16"}},
		"two keys of one id":    {env: []string{"EDGEREF_CLICK_KEYS=1:MDEyMzQ1Njc4OWFiY2RlZg==,1:ZmVkY2JhOTg3NjU0MzIxMA=="}, want: []string{"click.keys", "used twice"}},
		"public URL":            {args: []string{"--core-public-url", "core.example"}, want: []string{"core.public_url"}},
		"public URL, slash":     {args: []string{"--core-public-url", "https://core.example/"}, want: []string{"core.public_url", "slash"}},
		"sandbox":               {args: []string{"--core-sandbox", "yes"}, want: []string{"core.sandbox", "yes"}},
		"half a Razorpay":       {args: []string{"--razorpay-key-id", "rzp_test_x"}, want: []string{"razorpay.key_secret", "razorpay.webhook_secrets"}},
		"half a Stripe":         {env: []string{"EDGEREF_STRIPE_SECRET_KEY=sk_test_x"}, want: []string{"stripe.webhook_secrets"}},
		"cookie name":           {args: []string{"--tracker-cookie-name", "a=b"}, want: []string{"tracker.cookie_name", "a=b"}},
		"cookie domain":         {args: []string{"--tracker-cookie-domain", "example.com; Path=/x"}, want: []string{"tracker.cookie_domain", "Path"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := load(t, c.role, c.file, c.env, c.args...)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestReservedVariablesAreNotSettings(t *testing.T) {
	if _, _, err := load(t, Serve, "", []string{"EDGEREF_TEST_REQUIRE=1", "EDGEREF_BENCH_X=1", "EDGEREF_CONFIG="}); err != nil {
		t.Error(err)
	}
}

func TestPrintHidesSecretsAndLoadsAgain(t *testing.T) {
	secret := "a-very-secret-edge-token"
	env := []string{"EDGEREF_EDGE_TOKENS=" + secret, "EDGEREF_ANALYTICS_CLICKHOUSE_ADDR=a:1,b:2", "EDGEREF_ANALYTICS_CLICKHOUSE_USERNAME=x: #y"}
	want, l, err := load(t, Serve, "", env, "--analytics-clickhouse-tls")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := l.Print(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), secret) || !strings.Contains(out.String(), "(hidden)") {
		t.Errorf("secret is shown or not marked:\n%s", out.String())
	}
	got, _, err := load(t, Serve, out.String(), nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	for i, s := range Settings(got) {
		if w := Settings(want)[i]; !s.Secret && s.Text() != w.Text() {
			t.Errorf("%s: %q after printing; want %q", s.Path, s.Text(), w.Text())
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "1": 1, "1KiB": 1024, "64MiB": 64 << 20, "3 GiB": 3 << 30} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q = %d, %v; want %d", text, s, err, want)
		}
		var again Size
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Errorf("%q prints as %q, which is %d", text, s, again)
		}
	}
	for _, text := range []string{"", "-1", "1.5GiB", "GiB", "9223372036854775807TiB", "1GB"} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q accepted as %d", text, s)
		}
	}
}

func TestTheSandboxIsOnWhereNothingElseIs(t *testing.T) {
	real := []string{"EDGEREF_STRIPE_SECRET_KEY=sk_live_x", "EDGEREF_STRIPE_WEBHOOK_SECRETS=whsec_x"}
	for name, c := range map[string]struct {
		role Role
		env  []string
		want bool
	}{
		"serve":             {Serve, nil, true},
		"serve with Stripe": {Serve, real, false},
		"core":              {CoreRole, nil, false},
		"switched off":      {Serve, []string{"EDGEREF_CORE_SANDBOX=false"}, false},
		"core, switched on": {CoreRole, []string{"EDGEREF_CORE_SANDBOX=true"}, true},
		"beside a real one": {Serve, append([]string{"EDGEREF_CORE_SANDBOX=true"}, real...), true},
	} {
		got, _, err := load(t, Any, "", c.env)
		if err != nil {
			t.Fatal(err)
		}
		if got.PlaysGateway(c.role) != c.want {
			t.Errorf("%s: want %v", name, c.want)
		}
	}
}
