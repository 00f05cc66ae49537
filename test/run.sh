#!/usr/bin/env bash
# Runs the tests of the given packages with the race detector, against the real parts, and leaves nothing running.
# The alloc budgets are in files that the race detector excludes; they run first, without it.
set -euo pipefail
cd "$(dirname "$0")/.."

export EDGEREF_TEST_REQUIRE=1 # a missing part is a failure, not a skip
export GOFLAGS="${GOFLAGS:-} -count=1"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch

go build ./...
if [ -d core/web/app/node_modules ]; then
  (cd core/web/app && npm test --silent)
fi
budgets=$(git ls-files '*.go' | xargs grep -l --include='*_test.go' '^//go:build !race' | xargs -r -n1 dirname | sort -u | sed 's|^|./|')
if [ -n "$budgets" ]; then
  go test -timeout 5m -run 'Alloc|Memory' $budgets
fi
# SQLite is C that was translated: watching its memory finds nothing of ours and takes as long as all else. Only that package: those
# beside it hold copies of generic code that others share, which would hide that a lock was held.
go test -race -gcflags 'modernc.org/sqlite/lib=-race=false' -timeout 12m "$@"

# Every server that a test starts lives in the scratch directory.
if left=$(pgrep -af -- "$scratch"); then
  echo "still running after the tests:" >&2
  echo "$left" >&2
  exit 1
fi
