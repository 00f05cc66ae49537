#!/usr/bin/env bash
# Runs each fuzz test of the module for the given time (go test fuzzes one at a time).
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-20s}

git grep -hoE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' >/dev/null || { echo "no fuzz tests" >&2; exit 1; }
git grep -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | sed -E 's|^([^:]+)/[^/:]+:func (Fuzz.*)$|\1 \2|' | sort -u |
  while read -r dir name; do
    echo "== $dir $name"
    go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 1x "./$dir"
  done
