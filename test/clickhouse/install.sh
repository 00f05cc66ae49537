#!/usr/bin/env bash
# Installs the ClickHouse engine that the tests use: one shared library, about 170 MB to download and 560 MB on disk.
# Usage: install.sh [DIR]    DIR is .cache/chdb in the repository by default. Does nothing if DIR has it already.
set -euo pipefail

package=@chdb/lib-linux-x64-gnu
version=26.7.3-stable.1

if [[ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]]; then
  echo "install.sh: the engine is built for Linux on x86-64 only; tests that need it will skip" >&2
  exit 1
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dir=${1:-$root/.cache/chdb}
mkdir -p "$dir"

# The stamp is written last, so an interrupted installation is done again.
stamp=$dir/installed
exec 9>"$dir/lock"
flock 9
if [[ -f $stamp && $(<"$stamp") == "$version" ]]; then
  exit 0
fi
rm -f "$stamp"
npm install --ignore-scripts --no-audit --no-fund --no-save --loglevel=error --prefix "$dir" "$package@$version"
test -s "$dir/node_modules/$package/libchdb.so"
echo "$version" >"$stamp"
