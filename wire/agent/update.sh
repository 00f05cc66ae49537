#!/bin/sh
# Refreshes crawlers.json and its licence from the npm package crawler-user-agents.
# Run it in this folder, then run the tests.
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
(cd "$tmp" && npm pack --silent crawler-user-agents >/dev/null && tar xzf crawler-user-agents-*.tgz)
cp "$tmp/package/crawler-user-agents.json" crawlers.json
version=$(sed -n 's/.*"version": "\(.*\)".*/\1/p' "$tmp/package/package.json")
{
	echo "crawlers.json is the file crawler-user-agents.json of crawler-user-agents $version"
	echo "(https://github.com/monperrus/crawler-user-agents), unchanged, under this licence:"
	echo
	cat "$tmp/package/LICENSE"
} >crawlers.LICENSE
echo "crawler-user-agents $version"
