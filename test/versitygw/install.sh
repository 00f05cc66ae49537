#!/usr/bin/env bash
# Builds versitygw, an S3 server on a folder, for the tests that talk to S3. Takes a minute or two the first time.
# Usage: install.sh [DIR]    DIR is .cache/versitygw in the repository by default. Does nothing if DIR has it already.
set -euo pipefail

module=github.com/versity/versitygw/cmd/versitygw
version=v1.8.0

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dir=${1:-$root/.cache/versitygw}
mkdir -p "$dir"

# The stamp is written last, so an interrupted build is done again.
stamp=$dir/installed
exec 9>"$dir/lock"
flock 9
if [[ -f $stamp && $(<"$stamp") == "$version" && -x $dir/versitygw ]]; then
  exit 0
fi
rm -f "$stamp"
echo "building versitygw $version" >&2
GOBIN=$dir GOFLAGS= go install "$module@$version"
echo "$version" >"$stamp"
