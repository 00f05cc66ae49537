// Package config is everything that can be set, in one struct: file (YAML) < environment < flags.
//
// Each setting has a path (tracker.listen), an environment variable (EDGEREF_TRACKER_LISTEN), a flag
// (--tracker-listen), a default, a unit where it needs one, and a help text; all of them are derived from the struct's
// tags, so that they cannot drift apart.
package config

import (
	"time"
)

// Config is the whole configuration. Tags: default, unit, help; env overrides the derived variable name; secret hides
// the value wherever the configuration is printed.
type Config struct {
	Data string `default:"./data" unit:"directory" help:"where everything that is kept goes: databases, spool, link snapshot, generated keys"`
	Demo bool   `default:"false" help:"serve: fill an empty data directory with the demo, or start the one that is there, and print how to use it"`

	DemoSize string `default:"whole" unit:"whole|small" help:"of the demo that is made; small is made in two seconds, for tests"`

	Log       Log
	Ops       Ops
	Tracker   Tracker
	Spool     Spool
	Delivery  Delivery
	Core      Core
	Razorpay  Razorpay
	Stripe    Stripe
	Payout    Payout
	RazorpayX RazorpayX
	KYC       KYC
	Shop      Shop
	Analytics Analytics
	Edge      Edge
	Click     Click
	Mail      Mail
	Account   Account
	Webhooks  Webhooks
}

// Log is how the process logs, to standard error.
type Log struct {
	Level  string `default:"info" unit:"debug|info|warn|error" help:"least level that is logged; client addresses only appear at debug"`
	Format string `default:"text" unit:"text|json" help:"json for machines, text for people"`
}

// Ops is the private listener.
type Ops struct {
	Listen string `default:"127.0.0.1:8082" unit:"host:port" help:"private listener: /healthz, /readyz, /metrics; keep it off the internet"`
	Pprof  bool   `default:"false" help:"also serve Go profiles there, below /debug/pprof/"`
}

// Tracker is the edge tier.
type Tracker struct {
	Listen         string        `default:"127.0.0.1:8080" unit:"host:port" help:"public listener of the tracker: links, postbacks, pixel"`
	Node           int           `default:"1" unit:"1 to 65535" help:"number of this edge node, different on each; it is part of every Click ID"`
	CoreURL        string        `default:"" unit:"URL" help:"tracker role: where the core listens; serve needs none"`
	TrustedProxies []string      `default:"127.0.0.0/8,::1/128" unit:"CIDR list" help:"peers whose CF-Connecting-IP and CF-IPCountry are believed; in production Cloudflare's ranges"`
	FallbackURL    string        `default:"" unit:"URL" help:"where unknown links go; empty answers 404"`
	CookieName     string        `default:"er_cid" help:"first-party cookie that carries the Click ID"`
	CookieDomain   string        `default:"" unit:"domain" help:"domain of that cookie; empty: the host of the request"`
	LinkTTL        time.Duration `default:"60s" unit:"duration" help:"longest time that a cached link is used without asking again while the core answers"`
	NegativeTTL    time.Duration `default:"5s" unit:"duration" help:"how long an unknown slug is remembered"`
	LookupTimeout  time.Duration `default:"250ms" unit:"duration" help:"longest time that a request for an uncached link waits for the core"`
	MaxConnections int           `default:"20000" unit:"connections" help:"open client connections; more are refused"`
	IdleTimeout    time.Duration `default:"30s" unit:"duration" help:"how long a connection without a request is kept"`
}

// Spool is the edge's durable queue on disk. There are two, for clicks and for conversions; limits are for each.
type Spool struct {
	MaxBytes     Size          `default:"4GiB" unit:"bytes" help:"disk that one spool may take; beyond it clicks are refused and counted, redirects go on"`
	SegmentBytes Size          `default:"64MiB" unit:"bytes" help:"size at which a new segment file begins"`
	Sync         string        `default:"interval" unit:"interval|always" help:"click spool: fdatasync in the background, or before each click is answered (conversions always)"`
	SyncInterval time.Duration `default:"100ms" unit:"duration, at most 100ms" help:"longest time between two background fdatasync: what a power loss can take"`
}

// Delivery is how batches leave the spool.
type Delivery struct {
	MaxRecords   int           `default:"0" unit:"records" help:"most records of a batch; 0: 50000 into ClickHouse, else 10000"`
	MaxAge       time.Duration `default:"1s" unit:"duration" help:"longest time that a record waits for its batch to fill"`
	Timeout      time.Duration `default:"30s" unit:"duration" help:"longest time of one attempt to deliver a batch"`
	DrainTimeout time.Duration `default:"10s" unit:"duration" help:"how long a stop waits for the spool to empty; what is left is delivered after the next start"`
}

// Core is the central tier.
type Core struct {
	Listen          string        `default:"127.0.0.1:8081" unit:"host:port" help:"listener of the core: API, documentation, edge API"`
	PublicURL       string        `default:"" unit:"URL" help:"where browsers and payment gateways reach the core, as https://core.example; empty: http:// and core.listen"`
	LinksURL        string        `default:"" unit:"URL" help:"where referral links answer, as https://go.example: what pages and QR codes show; empty: the tracker of the same process"`
	Sandbox         string        `default:"" unit:"true|false" help:"the built-in payment gateway that moves no money; empty: true for serve where no other gateway is set up, false otherwise"`
	Database        string        `default:"" unit:"DSN" secret:"true" help:"sqlite:PATH or mysql:USER:PASSWORD@tcp(HOST:PORT)/NAME; empty: core.db in the data directory"`
	AdminToken      string        `default:"" env:"EDGEREF_ADMIN_TOKEN" secret:"true" help:"first admin token of an empty database; empty: one is generated and printed once"`
	TrustedProxies  []string      `default:"127.0.0.0/8,::1/128" unit:"CIDR list" help:"peers whose CF-Connecting-IP is believed, for limits and the audit log; in production Cloudflare's ranges"`
	EncryptionKeys  []string      `default:"" unit:"id:base64 list" secret:"true" help:"keys of 32 bytes that encrypt secrets in the database; the first encrypts, all decrypt; the same on every core; one is generated in the data directory"`
	BenchResult     string        `default:"" unit:"file" help:"what edgeref bench wrote with --json, for operators to see on the page of the system"`
	ReleaseInterval time.Duration `default:"1m" unit:"duration" help:"how often commissions are looked for whose hold is over"`
}

// Razorpay is the payment gateway of that name; it is on where it has keys.
type Razorpay struct {
	KeyID          string   `default:"" unit:"rzp_live_... or rzp_test_..." help:"API key of the merchant's account; empty: the gateway is off"`
	KeySecret      string   `default:"" secret:"true" help:"secret of that key; it also signs what buyers' browsers bring back"`
	WebhookSecrets []string `default:"" unit:"list" secret:"true" help:"secrets of the webhook core.public_url/webhooks/in/razorpay: the new one and, for a day after a change, the old one"`
	AccountID      string   `default:"" unit:"acc_..." help:"merchant's account: events of others are refused; empty: not checked"`
	MerchantName   string   `default:"" help:"what the checkout page calls the merchant"`
	URL            string   `default:"https://api.razorpay.com" unit:"URL" help:"API of the provider"`
}

// Stripe is the payment gateway of that name; it is on where it has a key.
type Stripe struct {
	SecretKey      string   `default:"" secret:"true" help:"secret or restricted API key; empty: the gateway is off"`
	WebhookSecrets []string `default:"" unit:"list" secret:"true" help:"signing secrets (whsec_...) of the webhook core.public_url/webhooks/in/stripe: the new one and, while it is rolled, the old one"`
	URL            string   `default:"https://api.stripe.com" unit:"URL" help:"API of the provider"`
}

// Analytics is where clicks and figures are kept.
type Analytics struct {
	Store         string `default:"sqlite" unit:"sqlite|clickhouse" help:"sqlite: analytics.db in the data directory"`
	RetentionDays int    `default:"400" unit:"days" help:"how long single clicks are kept; other figures stay"`
	ClickHouse    ClickHouse
}

// ClickHouse is the analytics store of larger installations.
type ClickHouse struct {
	Addr        []string `default:"127.0.0.1:9000" unit:"host:port list" help:"servers, native protocol"`
	Database    string   `default:"edgeref" help:"database, created by migrate"`
	Username    string   `default:"default" help:"user"`
	Password    string   `default:"" secret:"true" help:"password"`
	TLS         bool     `default:"false" help:"connect with TLS"`
	Compression string   `default:"lz4" unit:"lz4|zstd|none" help:"of what is sent; none suits a server on the same machine"`
	Cluster     string   `default:"" unit:"name" help:"cluster: migrate makes replicated tables on all of it; empty: one server"`
	Sharded     bool     `default:"false" help:"the cluster has several shards: migrate makes Distributed tables in front of them"`
	// A batch that is refused with an error that is not known to be about its content is sent again for ever.
	ContentCodes []string `default:"" unit:"number list" help:"further error codes of the server that are about the content of a click: batches refused with them are taken apart and the bad clicks set aside"`
}

// Edge is what trackers and core share.
type Edge struct {
	Tokens []string `default:"" unit:"list" secret:"true" help:"shared secrets of trackers and core: a tracker shows the first, the core accepts all; serve generates one"`
}

// Click is how Click IDs are signed.
type Click struct {
	Keys []string `default:"" unit:"id:base64 list" secret:"true" help:"signing keys; the first signs, all verify; the same on every tracker and core; serve generates one"`
}

// Webhooks loosens what webhooks and postbacks may be sent to.
type Webhooks struct {
	AllowHTTP     bool `default:"false" help:"let webhooks go to http:// URLs; for tests and demonstrations only"`
	AllowLoopback bool `default:"false" help:"let webhooks go to this machine, where private services listen; for tests and demonstrations only"`
}
