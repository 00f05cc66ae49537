package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The stack that the business began with. The database writes its log for every click and syncs it once a second
// (innodb_flush_log_at_trx_commit=2), which survives the end of the process as our spool does.
const apacheConfig = `
ServerRoot DIR
ServerName localhost
Listen ADDR
PidFile DIR/apache.pid
ErrorLog DIR/apache-error.log
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule php_module MODULE
User www-data
Group www-data
StartServers 80
MinSpareServers 1
MaxSpareServers 200
ServerLimit 200
MaxRequestWorkers 200
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
DocumentRoot DIR/www
<Directory DIR/www>
	Require all granted
	FallbackResource /index.php
</Directory>
<FilesMatch \.php$>
	SetHandler application/x-httpd-php
</FilesMatch>
`

const phpScript = `<?php
$db = mysqli_connect('p:localhost', 'root', '', 'tracker', 0, 'DIR/mysql.sock');
$slug = ltrim(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH), '/');
$q = $db->prepare('SELECT id, destination FROM links WHERE slug = ?');
$q->bind_param('s', $slug);
$q->execute();
$q->bind_result($id, $destination);
if (!$q->fetch()) { http_response_code(404); exit; }
$q->close();
$cid = bin2hex(random_bytes(30));
$agent = $_SERVER['HTTP_USER_AGENT'] ?? '';
$referrer = $_SERVER['HTTP_REFERER'] ?? '';
$sub = $_GET['sub1'] ?? '';
$ip = $_SERVER['HTTP_CF_CONNECTING_IP'] ?? $_SERVER['REMOTE_ADDR'];
$q = $db->prepare('INSERT INTO clicks (click_id, link_id, ip, user_agent, referrer, sub1) VALUES (?, ?, ?, ?, ?, ?)');
$q->bind_param('sissss', $cid, $id, $ip, $agent, $referrer, $sub);
$q->execute();
header('Cache-Control: no-store');
header('Set-Cookie: er_cid=' . $cid . '; Max-Age=2592000; Path=/; Secure; HttpOnly; SameSite=Lax');
header('Location: ' . $destination . '&click_id=' . $cid, true, 302);
`

const phpSchema = `
CREATE DATABASE tracker;
USE tracker;
CREATE TABLE links (id INT AUTO_INCREMENT PRIMARY KEY, slug VARCHAR(64) NOT NULL UNIQUE, destination VARCHAR(500) NOT NULL) ENGINE=InnoDB;
CREATE TABLE clicks (
	id BIGINT AUTO_INCREMENT PRIMARY KEY, click_id CHAR(60) NOT NULL, link_id INT NOT NULL, ip VARCHAR(45) NOT NULL,
	user_agent VARCHAR(512) NOT NULL, referrer VARCHAR(512) NOT NULL, sub1 VARCHAR(100) NOT NULL, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
	UNIQUE KEY (click_id), KEY (link_id, at)
) ENGINE=InnoDB;
`

// startPHP starts MariaDB with n links, then Apache.
func startPHP(ctx context.Context, dir string, addr netip.AddrPort, n int) (apache, database *process, err error) {
	data, socket := filepath.Join(dir, "mysql"), filepath.Join(dir, "mysql.sock")
	if out, err := exec.CommandContext(ctx, "mariadb-install-db", "--no-defaults", "--user=root", "--datadir="+data,
		"--auth-root-authentication-method=normal").CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("make database: %w\n%s", err, out)
	}
	database, err = launch("mariadb", nil, "mariadbd", "--no-defaults", "--user=root", "--datadir="+data, "--socket="+socket,
		"--skip-networking", "--pid-file="+filepath.Join(dir, "mysql.pid"), "--innodb-buffer-pool-size=256M", "--max-connections=300",
		"--innodb-flush-log-at-trx-commit=2")
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			database.stop()
		}
	}()
	client := func(sql string) error {
		cmd := exec.CommandContext(ctx, "mariadb", "--no-defaults", "--user=root", "--socket="+socket)
		cmd.Stdin = strings.NewReader(sql)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("fill database: %w\n%s", err, out)
		}
		return nil
	}
	if err = database.until(ctx, "answering", func() bool { return client("SELECT 1") == nil }); err != nil {
		return nil, nil, err
	}
	var rows strings.Builder
	rows.WriteString(phpSchema + "INSERT INTO links (slug, destination) VALUES ")
	for i := range n {
		if i > 0 {
			rows.WriteByte(',')
		}
		fmt.Fprintf(&rows, "('%s','%s')", slug(i), destination)
	}
	if err = client(rows.String()); err != nil {
		return nil, nil, err
	}
	apache, err = startApache(ctx, dir, addr)
	return apache, database, err
}

func startApache(ctx context.Context, dir string, addr netip.AddrPort) (*process, error) {
	modules, err := filepath.Glob("/usr/lib/apache2/modules/libphp*.so")
	if err != nil || len(modules) == 0 {
		return nil, fmt.Errorf("find mod_php: install libapache2-mod-php (%w)", os.ErrNotExist)
	}
	fill := strings.NewReplacer("DIR", dir, "ADDR", addr.String(), "MODULE", modules[len(modules)-1])
	if err := os.MkdirAll(filepath.Join(dir, "www"), 0o755); err != nil {
		return nil, err
	}
	if _, err := writeFile(dir, "www/index.php", fill.Replace(phpScript)); err != nil {
		return nil, err
	}
	config, err := writeFile(dir, "apache.conf", fill.Replace(apacheConfig))
	if err != nil {
		return nil, err
	}
	p, err := launch("apache", nil, "apache2", "-f", config, "-DFOREGROUND")
	if err != nil {
		return nil, err
	}
	if err := p.listens(ctx, addr); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}
