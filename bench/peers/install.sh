#!/bin/bash
# Installs from Debian what the comparison starts, where it is missing.
set -euo pipefail

need=()
command -v nginx >/dev/null || need+=(nginx)
command -v apache2 >/dev/null || need+=(apache2)
compgen -G '/usr/lib/apache2/modules/libphp*.so' >/dev/null || need+=(libapache2-mod-php)
compgen -G '/usr/lib/php/*/mysqli.so' >/dev/null || need+=(php-mysql)
command -v mariadbd >/dev/null || need+=(mariadb-server)
[[ ${#need[@]} -eq 0 ]] && exit 0

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${need[@]}"
# The packages start servers of their own; the comparison starts private ones.
for service in nginx apache2 mariadb; do
	[[ " ${need[*]} " == *" $service"* ]] && service "$service" stop >/dev/null 2>&1 || true
done
