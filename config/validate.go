package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/edgeref/edgeref/wire/click"
)

// Role is what a process does; it decides which settings are required.
type Role string

// Roles. Any is for commands that only look at the configuration.
const (
	Serve       Role = "serve"
	TrackerRole Role = "tracker"
	CoreRole    Role = "core"
	Migrate     Role = "migrate"
	Any         Role = ""
)

// maxSyncInterval is the promise that a power loss takes no more than this of clicks.
const maxSyncInterval = 100 * time.Millisecond

func (c *Config) validate(role Role) error {
	var errs []error
	bad := func(path, format string, args ...any) {
		errs = append(errs, fmt.Errorf("setting %s: %s", path, fmt.Sprintf(format, args...)))
	}
	oneOf := func(path, value string, allowed ...string) {
		for _, a := range allowed {
			if value == a {
				return
			}
		}
		bad(path, "%q is not one of %s", value, strings.Join(allowed, ", "))
	}
	positive := func(path string, d time.Duration) {
		if d <= 0 {
			bad(path, "must be more than 0")
		}
	}
	oneOf("demo_size", c.DemoSize, "whole", "small")
	oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf("log.format", c.Log.Format, "text", "json")
	oneOf("spool.sync", c.Spool.Sync, "interval", "always")
	oneOf("analytics.store", c.Analytics.Store, "sqlite", "clickhouse")
	oneOf("analytics.clickhouse.compression", c.Analytics.ClickHouse.Compression, "lz4", "zstd", "none")
	for _, text := range c.Analytics.ClickHouse.ContentCodes {
		if n, err := strconv.ParseInt(text, 10, 32); err != nil || n <= 0 {
			bad("analytics.clickhouse.content_codes", "%q is not the number of an error", text)
		}
	}
	if c.Analytics.ClickHouse.Sharded && c.Analytics.ClickHouse.Cluster == "" {
		bad("analytics.clickhouse.sharded", "name the cluster as well: set analytics.clickhouse.cluster")
	}
	for path, addr := range map[string]string{"ops.listen": c.Ops.Listen, "tracker.listen": c.Tracker.Listen, "core.listen": c.Core.Listen} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			bad(path, "%q is not host:port", addr)
		}
	}
	for path, list := range map[string][]string{"tracker.trusted_proxies": c.Tracker.TrustedProxies, "core.trusted_proxies": c.Core.TrustedProxies} {
		for _, cidr := range list {
			if _, err := netip.ParsePrefix(cidr); err != nil {
				bad(path, "%q is not a range such as 10.0.0.0/8", cidr)
			}
		}
	}
	for path, text := range map[string]string{
		"tracker.core_url": c.Tracker.CoreURL, "tracker.fallback_url": c.Tracker.FallbackURL, "core.public_url": c.Core.PublicURL, "core.links_url": c.Core.LinksURL,
		"razorpay.url": c.Razorpay.URL, "stripe.url": c.Stripe.URL, "razorpay_x.url": c.RazorpayX.URL,
	} {
		if u, err := url.Parse(text); text != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			bad(path, "%q is not an absolute http(s) URL", text)
		}
	}
	for path, text := range map[string]string{"tracker.cookie_name": c.Tracker.CookieName, "tracker.cookie_domain": c.Tracker.CookieDomain} {
		if !cookieSafe(text) {
			bad(path, "%q has other characters than A-Z a-z 0-9 - . _ ~", text)
		}
	}
	for path, d := range map[string]time.Duration{
		"tracker.link_ttl": c.Tracker.LinkTTL, "tracker.negative_ttl": c.Tracker.NegativeTTL, "tracker.lookup_timeout": c.Tracker.LookupTimeout,
		"tracker.idle_timeout": c.Tracker.IdleTimeout, "delivery.max_age": c.Delivery.MaxAge, "delivery.timeout": c.Delivery.Timeout,
		"spool.sync_interval": c.Spool.SyncInterval, "core.release_interval": c.Core.ReleaseInterval,
	} {
		positive(path, d)
	}
	c.validateNumbers(bad)
	c.Mail.validate(bad, oneOf)
	c.validateAccount(bad)
	c.validateShop(bad)
	c.validateGateways(bad)
	c.validatePayout(bad)
	c.validateRole(role, bad)
	return errors.Join(errs...)
}

func (c *Config) validateNumbers(bad func(path, format string, args ...any)) {
	if c.Tracker.Node < 1 || c.Tracker.Node > 65535 {
		bad("tracker.node", "%d is not 1 to 65535", c.Tracker.Node)
	}
	if c.Tracker.MaxConnections < 1 {
		bad("tracker.max_connections", "must be at least 1")
	}
	if c.Spool.SyncInterval > maxSyncInterval {
		bad("spool.sync_interval", "%s is longer than %s", c.Spool.SyncInterval, maxSyncInterval)
	}
	if c.Spool.SegmentBytes < 1<<20 || c.Spool.SegmentBytes > 1<<30 {
		bad("spool.segment_bytes", "%s is not 1MiB to 1GiB", c.Spool.SegmentBytes)
	}
	if c.Spool.MaxBytes < 2*c.Spool.SegmentBytes {
		bad("spool.max_bytes", "%s is less than two segments of %s", c.Spool.MaxBytes, c.Spool.SegmentBytes)
	}
	if c.Delivery.MaxRecords < 0 || c.Delivery.MaxRecords > 100_000 {
		bad("delivery.max_records", "%d is not 0 to 100000", c.Delivery.MaxRecords)
	}
	if c.Analytics.RetentionDays < 1 {
		bad("analytics.retention_days", "must be at least 1")
	}
	if err := checkKeys(c.Click.Keys); err != nil {
		bad("click.keys", "%v", err)
	}
	if err := checkEncryptionKeys(c.Core.EncryptionKeys); err != nil {
		bad("core.encryption_keys", "%v", err)
	}
	for _, token := range c.Edge.Tokens {
		if len(token) < 16 {
			bad("edge.tokens", "one is shorter than 16 characters")
		}
	}
	if n := len(c.Core.AdminToken); n > 0 && n < 8 {
		bad("core.admin_token", "is shorter than 8 characters (environment: EDGEREF_ADMIN_TOKEN)")
	}
	if db := c.Core.Database; db != "" && !strings.HasPrefix(db, "sqlite:") && !strings.HasPrefix(db, "mysql:") {
		bad("core.database", "must begin with sqlite: or mysql:")
	}
}

// checkKeys reports what keeps the keys from being a keyring.
func checkKeys(texts []string) error {
	keys := make([]click.Key, 0, len(texts))
	for _, text := range texts {
		key, err := click.ParseKey(text)
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil
	}
	_, err := click.NewKeyring(keys...)
	return err
}

// checkEncryptionKeys reports what cannot be an encryption key. The core looks closer.
func checkEncryptionKeys(texts []string) error {
	for i, text := range texts {
		id, encoded, ok := strings.Cut(text, ":")
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || id == "" || err != nil || len(key) != 32 {
			return fmt.Errorf("key %d is not id:base64 of 32 bytes; make one with: echo 1:$(openssl rand -base64 32)", i+1)
		}
	}
	return nil
}

// validateGateways checks that a payment gateway has all that it needs, or nothing.
func (c *Config) validateGateways(bad func(path, format string, args ...any)) {
	if strings.HasSuffix(c.Core.PublicURL, "/") || strings.ContainsAny(c.Core.PublicURL, "?#") {
		bad("core.public_url", "must have no slash at its end, no query and no fragment")
	}
	if s := c.Core.Sandbox; s != "" && s != "true" && s != "false" {
		bad("core.sandbox", "%q is not true, false or empty", s)
	}
	if c.Razorpay.KeyID != "" {
		if c.Razorpay.KeySecret == "" {
			bad("razorpay.key_secret", "is required with razorpay.key_id")
		}
		if len(c.Razorpay.WebhookSecrets) == 0 {
			bad("razorpay.webhook_secrets", "is required with razorpay.key_id: without it nobody would learn of payments in time")
		}
	}
	if c.Stripe.SecretKey != "" && len(c.Stripe.WebhookSecrets) == 0 {
		bad("stripe.webhook_secrets", "is required with stripe.secret_key: without it nobody would learn of payments in time")
	}
}

// PlaysGateway reports whether the sandbox gateway is on for a role.
func (c *Config) PlaysGateway(role Role) bool {
	if c.Core.Sandbox != "" {
		return c.Core.Sandbox == "true"
	}
	return role == Serve && c.Razorpay.KeyID == "" && c.Stripe.SecretKey == ""
}

// cookieSafe reports whether s can be a cookie's name or domain, as the tracker writes them.
func cookieSafe(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
	})
}

// validateRole checks what a role cannot do without. Only serve may generate secrets: with more than one process they
// must be the same everywhere, so somebody has to choose them.
func (c *Config) validateRole(role Role, bad func(path, format string, args ...any)) {
	if role != TrackerRole && role != CoreRole {
		return
	}
	if len(c.Click.Keys) == 0 {
		bad("click.keys", "is required for the %s role; make one with: echo 1:$(openssl rand -base64 32)", role)
	}
	if len(c.Edge.Tokens) == 0 {
		bad("edge.tokens", "is required for the %s role; make one with: openssl rand -hex 32", role)
	}
	if role == TrackerRole && c.Tracker.CoreURL == "" {
		bad("tracker.core_url", "is required for the tracker role")
	}
}

// CoreDSN is the core's database, with the embedded default filled in.
func (c *Config) CoreDSN() string {
	if c.Core.Database != "" {
		return c.Core.Database
	}
	return "sqlite:" + filepath.Join(c.Data, "core.db")
}
