package system

import (
	"encoding/json"
	"time"
)

// State of a thing.
type State string

// States, from good to bad.
const (
	OK   State = "ok"
	Warn State = "warn" // somebody should look, soon
	Bad  State = "bad"  // something is not working now
)

func (s State) rank() int {
	switch s {
	case Bad:
		return 2
	case Warn:
		return 1
	}
	return 0
}

// Verdict is how a thing is, in one word and in one sentence.
type Verdict struct {
	State State  `json:"state" enum:"ok,warn,bad"`
	Text  string `json:"text" example:"it follows the core" doc:"What is, and what to do about it"`
}

// worse makes the verdict worse, if it is.
func (v *Verdict) worse(state State, text string) {
	if state.rank() > v.State.rank() {
		v.State, v.Text = state, text
	}
}

// Health is how everything is.
type Health struct {
	Verdict
	At      time.Time    `json:"at"`
	Process Process      `json:"process"`
	Nodes   []EdgeNode   `json:"nodes" nullable:"false" doc:"Trackers, as they told any core last"`
	Stores  []Store      `json:"stores" nullable:"false"`
	Queues  []Queue      `json:"queues" nullable:"false"`
	Ledger  LedgerCheck  `json:"ledger"`
	Checks  []CheckState `json:"checks" nullable:"false" doc:"What this process needs in order to be ready"`
	Work    []Work       `json:"work" nullable:"false" doc:"What this process does in the background"`
	Bench   Bench        `json:"bench"`
	// Troubles repeat what is not well, for who wants no more than that.
	Troubles []Trouble `json:"troubles" nullable:"false" doc:"What is not ok, the worst first; empty: everything is"`
}

// TroubleKind says what is not well.
type TroubleKind string

// Kinds of troubles.
const (
	TroubleNodes  TroubleKind = "nodes" // all of them: nothing is known of any
	TroubleNode   TroubleKind = "node"
	TroubleStore  TroubleKind = "store"
	TroubleQueue  TroubleKind = "queue"
	TroubleLedger TroubleKind = "ledger"
	TroubleCheck  TroubleKind = "check"
	TroubleWork   TroubleKind = "work"
	TroubleBench  TroubleKind = "bench"
)

// Trouble is a thing that is not well.
type Trouble struct {
	Verdict
	Kind TroubleKind `json:"kind" enum:"nodes,node,store,queue,ledger,check,work,bench"`
	Name string      `json:"name" example:"3" doc:"Of which: the number of a node, the name of a store, a queue, a check or work; empty where there is but one"`
}

// named is the trouble in a list of words.
func (t Trouble) named() string {
	switch t.Kind {
	case TroubleNodes:
		return "edge nodes"
	case TroubleNode:
		return "edge node " + t.Name
	case TroubleCheck:
		return t.Name
	case TroubleLedger, TroubleBench:
		return string(t.Kind)
	}
	return string(t.Kind) + " " + t.Name
}

// Process is the process that answers.
type Process struct {
	Version       string    `json:"version" example:"1.4.0"`
	GoVersion     string    `json:"go_version" example:"go1.26"`
	Role          string    `json:"role" enum:"serve,core" doc:"serve: the tracker is in it too"`
	StartedAt     time.Time `json:"started_at"`
	UptimeSeconds int64     `json:"uptime_seconds" example:"86400"`
	Goroutines    int       `json:"goroutines" example:"60"`
	MemoryBytes   int64     `json:"memory_bytes" example:"80000000" doc:"That the runtime has of the system"`
}

// EdgeNode is a tracker.
type EdgeNode struct {
	Verdict
	Node          int         `json:"node" example:"3"`
	Version       string      `json:"version" example:"1.4.0"`
	Here          bool        `json:"here" doc:"It is in the process that answers"`
	StartedAt     time.Time   `json:"started_at"`
	SeenAt        time.Time   `json:"seen_at" doc:"When it was heard of last"`
	SilentSeconds float64     `json:"silent_seconds" example:"2.4"`
	SkewSeconds   float64     `json:"skew_seconds" example:"0.01" doc:"How far its clock is ahead"`
	FeedConnected bool        `json:"feed_connected"`
	FeedRevision  int64       `json:"feed_revision" example:"1204" doc:"Up to which it has all changes of links"`
	FeedBehind    int64       `json:"feed_behind" example:"0" doc:"Revisions that the core has and it had not"`
	FeedLag       float64     `json:"feed_lag_seconds" example:"0" doc:"How long ago it last had everything"`
	Links         int64       `json:"links" example:"600"`
	Spools        []EdgeSpool `json:"spools" nullable:"false"`
}

// EdgeSpool is a queue on a tracker's disk.
type EdgeSpool struct {
	Name            string     `json:"name" enum:"clicks,conversions"`
	Pending         uint64     `json:"pending" example:"12" doc:"Records that are not delivered"`
	PendingBytes    int64      `json:"pending_bytes" example:"3400"`
	OldestSeconds   float64    `json:"oldest_seconds" example:"0.4" doc:"Age of the oldest of them"`
	Delivered       uint64     `json:"delivered" example:"300000" doc:"Since the tracker started"`
	Quarantined     uint64     `json:"quarantined" example:"0" doc:"Since the tracker started: records that could not be delivered and are kept"`
	DiskBytes       int64      `json:"disk_bytes" example:"67108864"`
	LimitBytes      int64      `json:"limit_bytes" example:"4294967296"`
	LastDeliveredAt *time.Time `json:"last_delivered_at" nullable:"true" doc:"Of the last batch; null: none since the tracker started"`
}

// Store is a database.
type Store struct {
	Verdict
	Name      string  `json:"name" enum:"core,analytics"`
	Kind      string  `json:"kind" example:"sqlite"`
	LatencyMS float64 `json:"latency_ms" example:"0.6" doc:"Of one small question"`
	SizeBytes int64   `json:"size_bytes" example:"52428800" doc:"0: not known"`
	Schema    int64   `json:"schema_version" example:"294" doc:"0: not known"`
}

// Queue is work that waits.
type Queue struct {
	Verdict
	Name          string  `json:"name" example:"webhooks"`
	Pending       int64   `json:"pending" example:"0"`
	OldestSeconds float64 `json:"oldest_seconds" example:"0" doc:"For how long the oldest has been due"`
	Dead          int64   `json:"dead" example:"0" doc:"Given up, or set aside: a person has to see to it"`
}

// LedgerCheck is what is known of the ledger without verifying it again.
type LedgerCheck struct {
	Verdict
	VerifiedAt    *time.Time `json:"verified_at" nullable:"true" doc:"By this core; null: not since it started. GET /api/v1/ledger/verification verifies now"`
	Holds         bool       `json:"holds" doc:"It did then"`
	Head          string     `json:"head" example:"4711:9f2c" doc:"Of the hash chain then"`
	Transactions  int64      `json:"transactions" example:"4711" doc:"Then"`
	Unsealed      int64      `json:"unsealed" example:"0" doc:"Transactions that wait for the chain now"`
	OldestSeconds float64    `json:"oldest_unsealed_seconds" example:"0"`
}

// CheckState is one condition of being ready.
type CheckState struct {
	Verdict
	Name string `json:"name" example:"spool clicks"`
}

// Work is something that goes on in the background.
type Work struct {
	Verdict
	Name    string     `json:"name" example:"outbox"`
	EndedAt *time.Time `json:"ended_at" nullable:"true" doc:"It should not have"`
}

// Bench is the last load test that was put where setting core.bench_result says.
type Bench struct {
	Verdict
	At     *time.Time      `json:"at" nullable:"true" doc:"When the file was written"`
	Result json.RawMessage `json:"result" doc:"What edgeref bench wrote with --json; null: there is none"`
}
