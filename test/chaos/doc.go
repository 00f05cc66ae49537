// Package chaos breaks a running system on purpose and counts what is left.
//
// Each fault runs against real processes (edgeref tracker and core, MariaDB, a ClickHouse engine) while the test sends
// clicks and sales at a bounded rate and remembers every Click ID that left and every sale that was acknowledged. When
// the fault is over and the spools are empty, every remembered click must be in the list of clicks exactly once, every
// remembered sale in the list of conversions exactly once, the roll-ups must count the same, the metrics of the tracker
// must add up, and the ledger must hold. A table at the end shows fault by fault what was sent, stored, lost and doubled.
//
// In the groups mixed and mixed-sqlite, faults happen while `edgeref bench mixed --through-faults` runs as a process, as
// users run it. It makes the comparison itself, and says second by second what was stored, so each fault has its row.
//
// EDGEREF_CHAOS_ROUNDS sets the rounds of each kind of kill, and of all faults under a load test (1; `make chaos-long`
// runs 50 and 10), EDGEREF_CHAOS_SEED the moments of the faults; the seed is printed. EDGEREF_CHAOS_CUT is how many seconds
// edge nodes are cut off (6). EDGEREF_CHAOS_RESULTS names a JSON file to which the table is added. EDGEREF_CHAOS_ONLY picks
// single kills by name, or groups (kills, mixed, mixed-sqlite, store, core, database, poison, snapshots, power, disk,
// readonly, removed, crowds, engine, history, clock, handover, partition, network2, network3; separated by commas).
package chaos
