#!/usr/bin/env bash
# Installs what the tests talk to, if it is missing: MariaDB and Chromium from the distribution, ClickHouse's engine from npm, versitygw (S3) from its
# module. Builds the pages, which the browser looks at.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v mariadbd >/dev/null && [ ! -x /usr/sbin/mariadbd ]; then
  sudo=
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  echo "installing mariadb-server" >&2
  $sudo apt-get update -qq
  # The package would start a server of its own; the tests start private ones.
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Options::=--force-confold mariadb-server >/dev/null
  $sudo service mariadb stop >/dev/null 2>&1 || true
fi

# Disks and networks of their own, for the faults that need them.
if ! command -v ip >/dev/null || ! command -v mkfs.ext4 >/dev/null || ! command -v losetup >/dev/null; then
  sudo=
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  echo "installing iproute2, e2fsprogs, mount" >&2
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends iproute2 e2fsprogs mount util-linux >/dev/null
fi

if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then
  sudo=
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  echo "installing chromium" >&2
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends chromium fonts-noto-core >/dev/null
fi

make --no-print-directory web
test/clickhouse/install.sh
test/versitygw/install.sh
