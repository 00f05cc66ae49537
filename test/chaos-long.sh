#!/usr/bin/env bash
# Runs every kind of kill ROUNDS times, in chunks that each start a system of their own; every fault under a load test a
# fifth as often; and every other fault once, with edge nodes cut off for two minutes. The table is added up in RESULTS.
#
# Usage: chaos-long.sh [ROUNDS] [RESULTS]    PREFIX is put before each run, CHUNK is how many rounds one has (10).
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-50}
results=${2:-bench/results/chaos.json}
chunk=${CHUNK:-10}
export EDGEREF_TEST_REQUIRE=1 EDGEREF_CHAOS_RESULTS=$PWD/$results
rm -f "$EDGEREF_CHAOS_RESULTS"

run() { # what, rounds
  echo "== $1, $2 rounds" >&2
  EDGEREF_CHAOS_ONLY=$1 EDGEREF_CHAOS_ROUNDS=$2 ${PREFIX:-} go test -count=1 -timeout 30m ./test/chaos
}

for kind in "kill -9 tracker" "kill -9 core" "kill -9 ClickHouse" "kill -9 MariaDB" "SIGTERM tracker" "SIGTERM core"; do
  for ((left = rounds; left > 0; left -= chunk)); do
    run "$kind" "$((left < chunk ? left : chunk))"
  done
done
for kind in mixed mixed-sqlite; do
  run "$kind" "$(((rounds + 4) / 5))"
done
run store,core,database,poison,snapshots,power,disk,readonly,removed 1
run crowds,engine,history,clock,handover,partition 1
export EDGEREF_CHAOS_CUT=${EDGEREF_CHAOS_CUT:-120}
run network2 1
run network3 1
